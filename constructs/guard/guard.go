// Package guard turns the exceptions of the CDK into errors. It holds the only
// recover for CDK code: the CDK library throws, jsii makes a Go panic of it, and
// a panic must not reach a user.
package guard

import (
	"fmt"
	"strings"

	"composecdk/compose"
)

// Error is an exception of the CDK while it built what stands at At.
type Error struct {
	At      compose.Path
	Message string
}

// Error returns the message with the path in front.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.At, e.Message) }

// Try runs f and returns what the CDK threw as an *Error at the given path of
// the compose model. The construct tree may be half built then: collect further
// errors, but never synthesise. A fault of the jsii kernel itself, and any panic
// that is not an error of the CDK, is a bug and goes on as a panic.
func Try[T any](at compose.Path, f func() (T, error)) (result T, err error) {
	defer func() {
		switch thrown := recover().(type) {
		case nil:
		case error:
			if strings.HasPrefix(thrown.Error(), "JsiiError:") || isRuntime(thrown) {
				panic(thrown)
			}
			err = &Error{At: at, Message: thrown.Error()}
		default:
			panic(thrown)
		}
	}()
	return f()
}

func isRuntime(err error) bool {
	_, ok := err.(interface{ RuntimeError() })
	return ok
}
