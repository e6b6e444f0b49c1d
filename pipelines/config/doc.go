// Package config reads pipeline.yaml, which says which applications there are, in
// which accounts, and on which way they go to production. It is pure Go: what can
// be wrong with the file is found here, with file, line and column, all at once.
//
// A load has four steps: the file and what it includes are read and held against
// the JSON schema (schema/pipeline.schema.json); they are decoded; defaults and
// naming conventions are filled in, and targets are chosen and cut into waves; what
// no schema can say is checked. The result, Config, says everything outright: no
// reader of it looks up a default.
package config
