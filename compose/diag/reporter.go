package diag

import "fmt"

// Reporter collects diagnostics and knows where each path was written.
type Reporter struct {
	Positions positions
	Found     Diagnostics
}

// positions answers where a path of the merged model was written. The last
// file that sets the path wins; an unknown path answers with its nearest known
// ancestor.
type positions interface {
	Pos(path Path) Pos
	KeyPos(path Path) Pos
}

// keyCodes are the problems of a key itself, not of its value.
var keyCodes = map[string]bool{"key-unknown": true, "name": true}

// Add records a problem at the place of a path.
func (r *Reporter) Add(severity Severity, path Path, code, hint, message string) {
	pos := r.Positions.Pos
	if keyCodes[code] {
		pos = r.Positions.KeyPos
	}
	r.Found = append(r.Found, Diagnostic{
		Pos: pos(path), Path: path, Severity: severity,
		Code: code, Hint: hint, Message: message,
	})
}

// Errorf reports a problem that stops the run.
func (r *Reporter) Errorf(path Path, code, format string, args ...any) {
	r.Add(Error, path, code, "", fmt.Sprintf(format, args...))
}

// Warnf reports what is deployed differently from what the file says.
func (r *Reporter) Warnf(path Path, code, format string, args ...any) {
	r.Add(Warning, path, code, "", fmt.Sprintf(format, args...))
}

// Notef tells what a reader may not expect.
func (r *Reporter) Notef(path Path, code, format string, args ...any) {
	r.Add(Note, path, code, "", fmt.Sprintf(format, args...))
}

// Unknown reports a name that is not one of allowed, with the nearest one.
func (r *Reporter) Unknown(path Path, code, what, got string, allowed []string) {
	r.Add(Error, path, code, DidYouMean(got, allowed), fmt.Sprintf("%q is not %s", got, what))
}

// Deprecated reports an old spelling that still works, and the new one.
func (r *Reporter) Deprecated(path Path, old, current string) {
	r.Add(Warning, path, "old-spelling", "write "+current, old+" is an old spelling")
}
