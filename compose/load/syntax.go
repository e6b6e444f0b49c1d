package load

import "composecdk/compose/diag"

// SyntaxProblem takes an error of the YAML reader apart: the place, what is wrong
// there, and what most often is behind it, which may be "".
func SyntaxProblem(err error, file string, content []byte) (at diag.Pos, message, hint string) {
	return yamlProblem(err, file, content)
}
