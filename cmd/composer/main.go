// Command composer is the command line beside the CDK application: it checks, compares and
// edits compose files and assemblies for pipelines and people, without the CDK.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// errFound reports that a command worked and found mistakes in its input; the output already
// lists them.
var errFound = errors.New("findings")

// run returns the exit status: 1 for findings, 2 for wrong usage or unreadable input.
func run(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "composer",
		Short:         "What a person or a pipeline does with compose files and cloud assemblies, outside of the CDK",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(bootstrapCommand(), changesCommand(), checkCommand(), diagramCommand(), mergeCommand(), planCommand(), rulesCommand(), setImageCommand())
	switch err := root.Execute(); {
	case err == nil:
		return 0
	case errors.Is(err, errFound):
		return 1
	default:
		_, _ = fmt.Fprintf(stderr, "composer: %v\n", err)
		return 2
	}
}
