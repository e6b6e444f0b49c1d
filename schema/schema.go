// Package schema holds the JSON schema of pipeline.yaml, for editors and for the
// program itself.
package schema

import _ "embed"

// Pipeline is the JSON schema of pipeline.yaml, draft-07.
//
//go:embed pipeline.schema.json
var Pipeline string
