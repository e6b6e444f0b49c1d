// Command composer is the command line beside the CDK application: what a pipeline
// or a person does with compose files and assemblies outside of the CDK.
package main

import (
	"fmt"
	"os"

	"composecdk/gate"
)

func main() {
	assembly, err := gate.Open(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "composer:", err)
		os.Exit(2)
	}
	found := assembly.Check()
	if err := gate.Text(os.Stdout, found); err != nil {
		os.Exit(2)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}
