//go:build !race

package applications

import "composecdk/test/assembly"

// template and the functions on values of JSON go by short names here: nearly every
// line has one.
type template = assembly.Template

var (
	at       = assembly.At
	list     = assembly.List
	text     = assembly.Text
	equal    = assembly.Equal
	contains = assembly.Contains
)
