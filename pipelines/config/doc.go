// Package config reads pipeline.yaml, which lists the applications, the accounts, and
// the environments on the way to production. It is pure Go: it reports all errors of the
// file at once, with file, line and column.
//
// A load has four steps: read the file and its includes, and check them against the JSON
// schema (schema/pipeline.schema.json); decode them; fill in defaults and naming
// conventions, choose targets and divide them into waves; check what no schema can. The
// result, Config, is complete: no reader of it looks up a default.
package config
