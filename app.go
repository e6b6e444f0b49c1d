// Command composecdk is the AWS CDK application: it reads compose files and
// writes a cloud assembly for the CDK CLI.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/compose/load"
	"composecdk/constructs/guard"
	"composecdk/constructs/kernel"
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

// run returns the whole program, but for the process around it. Nothing but
// diagnostics goes to stderr.
func run(args, environ []string, stderr io.Writer) int {
	var found compose.Diagnostics
	env := environment(environ)
	err := guard.Contain(func() (err error) {
		found, err = application(args, env)
		return err
	})
	if err != nil {
		io.WriteString(stderr, failure(err, env[debugVariable] != "")) //nolint:errcheck // nobody is left to tell
		return exitFault
	}
	if err := found.Print(stderr); err != nil {
		return exitFault
	}
	if found.HasErrors() {
		return exitInput
	}
	return exitSynthesised
}

// usageError says that the program was called in a wrong way, or where it cannot
// work.
type usageError struct{ error }

// debugVariable makes a fault tell all that is known about it.
const debugVariable = "COMPOSECDK_DEBUG"

// failure returns what a user sees of a wrong usage, a line for each mistake, or of a
// fault, one line and what to do.
func failure(err error, debug bool) string {
	const name = "composecdk: "
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return name + strings.ReplaceAll(usage.Error(), "\n", "\n"+name) + "\n"
	}
	if !debug {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Sprintf(name+"internal fault: %s\n"+
			"This is a mistake in Compose CDK, not in your files. Please report it in the issues of its repository,\n"+
			"with the compose files and what %s=1 prints.\n", line, debugVariable)
	}
	if fault := (*guard.Fault)(nil); errors.As(err, &fault) {
		return fmt.Sprintf(name+"internal fault: %v\n%v\n%s", err, fault.Thrown, fault.Stack)
	}
	return fmt.Sprintf(name+"internal fault: %v\n", err)
}

// application reads the input and synthesises it. The diagnostics are sorted out
// by the caller; an error is a wrong usage or a fault.
func application(args []string, env map[string]string) (compose.Diagnostics, error) {
	if len(args) > 0 {
		return nil, &usageError{fmt.Errorf("unexpected argument %q: settings are CDK context, such as cdk synth -c compose=FILE", args[0])}
	}
	in, err := readInput(env)
	if err != nil {
		return nil, err
	}
	in.validator = validator()
	if in.pipeline != "" {
		return deliver(in, env)
	}
	project, found := load.Files(context.Background(), in.load)
	if project == nil {
		return found, nil
	}
	model, more := compose.Resolve(project, kinds.Schemas())
	found = append(found, more...)
	if model == nil {
		return found, nil
	}
	if found.HasErrors() {
		return found, nil // at once: the CDK has its say when they are corrected
	}
	if err := prepare(in.outdir, env); err != nil {
		return nil, err
	}
	err = withRuntime(func() (err error) {
		more, err = synthesise(in, project, model, found)
		return err
	})
	return append(found, more...), err
}

// withRuntime lets f use the jsii runtime, which is quiet and ends with it.
func withRuntime(f func() error) error {
	quiet, err := muteRuntime()
	if err != nil {
		return err
	}
	err = guard.Contain(func() error {
		defer jsii.Close()
		return f()
	})
	if noise := quiet(); err != nil {
		return fmt.Errorf("%w\n%s", err, noise)
	}
	return nil
}

// hasNode reports whether the CDK library finds its Node.js.
func hasNode(env map[string]string) bool {
	if env["JSII_NODE"] != "" {
		return true
	}
	_, err := exec.LookPath("node")
	return err == nil
}

// prepare checks what the CDK library needs, because it tells neither in a way
// that helps: Node.js, and a folder that can be written, without the report and
// the summary of an earlier run.
func prepare(outdir string, env map[string]string) error {
	if !hasNode(env) {
		return &usageError{errors.New("no Node.js on the PATH: the CDK library needs it; npm ci installs the right one in node_modules/.bin")}
	}
	if err := os.MkdirAll(outdir, 0o755); err != nil {
		return &usageError{fmt.Errorf("CDK_OUTDIR: %w", err)}
	}
	for _, name := range []string{stacks.ReportFile, summaryFile} {
		if err := os.Remove(filepath.Join(outdir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &usageError{fmt.Errorf("CDK_OUTDIR: %w", err)}
		}
	}
	probe, err := os.CreateTemp(outdir, ".writable")
	if err != nil {
		return &usageError{fmt.Errorf("CDK_OUTDIR: %w", err)}
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// summaryFile is beside the assembly; `make synth` shows it.
const summaryFile = "summary.txt"

// noTraces leaves the stack traces of Node.js out of the assembly. They tell a
// user of compose files nothing, and hold the name of a temporary folder, so that
// no two runs would give the same bytes.
var noTraces = map[string]any{"aws:cdk:disable-creation-stack-traces": true}

// build makes the app of a model, whose assembly goes to a folder. Its error is one
// for stacks.Exceptions: the app must then not be synthesised.
func build(in input, model *compose.Model, outdir string) (awscdk.App, *stacks.Application, error) {
	app := newApp(in, outdir)
	scope := constructs.NewConstruct(app, jsii.String(stacks.Name(model.Name, in.env)))
	application, err := stacks.NewApplication(scope, &stacks.ApplicationProps{
		Model: model, Account: in.account, Region: in.region, Ephemeral: in.ephemeral,
	})
	return app, application, err
}

// newApp returns an app whose assembly goes to a folder.
func newApp(in input, outdir string) awscdk.App {
	return awscdk.NewApp(&awscdk.AppProps{
		Context: &in.flags, Outdir: &outdir, StackTraces: jsii.Bool(false), PostCliContext: &noTraces,
	})
}

// synth writes the assembly of an app and has it validated, but for the stages in
// except.
func synth(in input, app awscdk.App, outdir string, except map[string]bool) error {
	_, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil })
	if err == nil && in.validator != nil {
		err = in.validator.Validate(app, outdir, except)
	}
	return err
}

// validator returns nil where the user wants no validation.
func validator() *stacks.Validator {
	if !kernel.Validation {
		return nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return stacks.NewValidator("")
	}
	return stacks.NewValidator(filepath.Join(cache, "composecdk", "validation"))
}

// synthesise builds the stacks and writes the assembly. The diagnostics are what
// the CDK, or its validation of the templates, has to say about the input.
func synthesise(in input, project *load.Project, model *compose.Model, found compose.Diagnostics) (more compose.Diagnostics, err error) {
	app, application, err := build(in, model, in.outdir)
	if err != nil {
		return stacks.Exceptions(err, project), nil
	}
	err = synth(in, app, in.outdir, nil)
	more, reportErr := stacks.Report(in.outdir, model, project)
	large, limitsErr := application.Limits(in.outdir, project)
	more = slices.Concat(more, large, application.Diagnostics(project))
	switch {
	case reportErr != nil, limitsErr != nil:
		return nil, errors.Join(err, reportErr, limitsErr)
	case more.HasErrors():
		return more, nil
	case err != nil:
		if found, ok := application.TooMany(err, project); ok {
			return found, nil
		}
		return nil, err
	}
	file, err := os.Create(filepath.Join(in.outdir, summaryFile))
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
