// Package kernel readies the environment in which the CDK library runs. Its Node.js
// process, the jsii kernel, is started while the packages of the CDK are
// initialised, and keeps the environment that it was started with. Go initialises
// packages in the order of their import paths where nothing else orders them (The Go
// Programming Language Specification, "Program initialization"), so that this
// package, which imports none of the CDK, comes before all of "github.com/aws/…".
package kernel

import "os"

// validation is the variable with which the CDK runs its own engine, or not.
const validation = "CDK_VALIDATION"

// Validation tells whether the user wants templates to be validated, which is so
// unless CDK_VALIDATION is "false".
var Validation = os.Getenv(validation) != "false"

// init switches the engine off, which is started by stacks.Validator, and only where it has something to
// do: starting it takes 4 to 11 s. Nothing but an init is early enough to say so.
func init() {
	if err := os.Setenv(validation, "false"); err != nil {
		panic(err) // the name is valid
	}
}
