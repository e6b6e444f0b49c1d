package compose

import "composecdk/compose/diag"

// The vocabulary of diagnostics, under the name of the package that every user of a model
// imports anyway.
type (
	Path        = diag.Path
	Pos         = diag.Pos
	Diagnostic  = diag.Diagnostic
	Diagnostics = diag.Diagnostics
	Severity    = diag.Severity
)

// The severities of diagnostics.
const (
	Error   = diag.Error
	Warning = diag.Warning
	Note    = diag.Note
)

// At builds a path from mapping keys.
func At(keys ...string) Path { return diag.At(keys...) }
