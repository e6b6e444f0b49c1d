// Command composecdk is the AWS CDK application: it reads compose files and
// writes a cloud assembly for the CDK CLI.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/guard"
	"composecdk/constructs/xresource"
	"composecdk/stacks"
)

// Exit statuses, part of the interface.
const (
	exitSynthesised = 0 // warnings allowed
	exitInput       = 1 // errors in the input
	exitFault       = 2 // wrong usage, or a fault of this program
)

func main() {
	os.Exit(run(os.Args[1:], os.Environ(), os.Stderr))
}

// run is the whole program. Nothing but diagnostics goes to stderr.
func run(args, environ []string, stderr io.Writer) int {
	fault := func(err error) int {
		fmt.Fprintf(stderr, "composecdk: %v\n", err)
		return exitFault
	}
	if len(args) > 0 {
		return fault(fmt.Errorf("unexpected argument %q: settings are CDK context, such as cdk synth -c compose=FILE", args[0]))
	}
	env := environment(environ)
	in, err := readInput(env)
	if err != nil {
		return fault(err)
	}
	project, found := compose.Load(context.Background(), in.load)
	var model *compose.Model
	if project != nil {
		var more compose.Diagnostics
		model, more = compose.Resolve(project, xresource.Schemas())
		found = append(found, more...)
	}
	if model == nil || found.HasErrors() {
		return report(stderr, found)
	}
	quiet, err := muteRuntime()
	if err != nil {
		return fault(err)
	}
	more, err := synthesise(in, project, model, found)
	noise := quiet()
	if err != nil {
		return fault(fmt.Errorf("%w\n%s", err, noise))
	}
	return report(stderr, append(found, more...))
}

// report prints all diagnostics and returns the exit status they mean.
func report(stderr io.Writer, found compose.Diagnostics) int {
	if err := found.Print(stderr); err != nil {
		return exitFault
	}
	if found.HasErrors() {
		return exitInput
	}
	return exitSynthesised
}

// synthesise builds the stage and writes the assembly. The diagnostics are what
// the CDK, or its validation of the templates, has to say about the input.
func synthesise(in input, project *compose.Project, model *compose.Model, found compose.Diagnostics) (more compose.Diagnostics, err error) {
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{Context: &in.flags, Outdir: optional(in.outdir)})
	application, err := stacks.NewApplicationStage(app, stacks.StageName(model.Name, in.env), &stacks.ApplicationProps{
		Model: model, Account: in.account, Region: in.region, Destroyable: in.throwaway,
	})
	if err != nil {
		return stacks.Exceptions(err, project.Pos), nil
	}
	outdir, err := guard.Try("", func() (string, error) { return *app.Synth(nil).Directory(), nil })
	if err != nil {
		outdir = *app.Outdir()
	}
	more, reportErr := stacks.Report(outdir, model, project.Pos)
	switch {
	case reportErr != nil:
		return nil, errors.Join(err, reportErr)
	case err != nil && !more.HasErrors():
		return nil, err
	case more.HasErrors():
		return more, nil
	}
	file, err := os.Create(filepath.Join(outdir, "summary.txt"))
	if err != nil {
		return nil, fmt.Errorf("write the summary: %w", err)
	}
	err = stacks.Summary(file, application, model, append(found, more...))
	return more, errors.Join(err, file.Close())
}

func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
