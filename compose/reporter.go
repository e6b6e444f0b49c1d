package compose

import "fmt"

// reporter collects diagnostics and knows where each path was written.
type reporter struct {
	positions positions
	found     Diagnostics
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

func (r *reporter) add(severity Severity, path Path, code, hint, message string) {
	pos := r.positions.Pos
	if keyCodes[code] {
		pos = r.positions.KeyPos
	}
	r.found = append(r.found, Diagnostic{
		Pos: pos(path), Path: path, Severity: severity,
		Code: code, Hint: hint, Message: message,
	})
}

// errorf reports a problem that stops the run.
func (r *reporter) errorf(path Path, code, format string, args ...any) {
	r.add(Error, path, code, "", fmt.Sprintf(format, args...))
}

// warnf reports what is deployed differently from what the file says.
func (r *reporter) warnf(path Path, code, format string, args ...any) {
	r.add(Warning, path, code, "", fmt.Sprintf(format, args...))
}

// notef tells what a reader may not expect.
func (r *reporter) notef(path Path, code, format string, args ...any) {
	r.add(Note, path, code, "", fmt.Sprintf(format, args...))
}

// unknown reports a name that is not one of allowed, with the nearest one.
func (r *reporter) unknown(path Path, code, what, got string, allowed []string) {
	r.add(Error, path, code, didYouMean(got, allowed), fmt.Sprintf("%q is not %s", got, what))
}

// deprecated reports an old spelling that still works, and the new one.
func (r *reporter) deprecated(path Path, old, current string) {
	r.add(Warning, path, "old-spelling", "write "+current, old+" is an old spelling")
}
