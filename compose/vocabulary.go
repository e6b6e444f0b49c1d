package compose

import "composecdk/compose/diag"

// The types of diagnostics, under the name of the package that every user of a model
// imports anyway.
type (
	// Path names a value of the merged model.
	Path = diag.Path
	// Pos is a place in a file.
	Pos = diag.Pos
	// Diagnostic is one problem of a compose file.
	Diagnostic = diag.Diagnostic
	// Diagnostics are all problems of a project.
	Diagnostics = diag.Diagnostics
	// Severity tells errors from warnings and notes.
	Severity = diag.Severity
)

// The severities of diagnostics.
const (
	Error   = diag.Error
	Warning = diag.Warning
	Note    = diag.Note
)

// At builds a path from mapping keys.
func At(keys ...string) Path { return diag.At(keys...) }
