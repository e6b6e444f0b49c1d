package guard

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// Fault is a mistake of this program, or of the jsii runtime below it.
type Fault struct {
	// Thrown is what the panic said, and Stack where it came from.
	Thrown any
	Stack  []byte
}

// Error returns the first line of what was thrown.
func (f *Fault) Error() string {
	line, _, _ := strings.Cut(fmt.Sprint(f.Thrown), "\n")
	return line
}

// Contain runs f, the whole of a program, and returns a panic as a *Fault: a
// user must not see a stack trace.
func Contain(f func() error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = &Fault{Thrown: thrown, Stack: debug.Stack()}
		}
	}()
	return f()
}
