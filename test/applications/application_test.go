//go:build !race

package applications

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/guard"
	"composecdk/stacks"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// target is where a test deploys to; the zero value fits any account.
type target struct {
	Account, Region string
	Ephemeral       bool
	// Context is further CDK context, such as the answers of look-ups.
	Context map[string]any
}

// application is a synthesised compose file set.
type application struct {
	model     *compose.Model
	found     compose.Diagnostics
	templates map[string]template // by the id of the stack: Network, Data, Services
	dir       string
}

// synthesise does what the program does, without its validation.
func synthesise(t *testing.T, to target, files ...string) application {
	t.Helper()
	return synthesiseIn(t, t.TempDir(), to, files...)
}

// synthesiseIn returns synthesise into a folder.
func synthesiseIn(t *testing.T, outdir string, to target, files ...string) application {
	t.Helper()
	app, err := attempt(to, outdir, files...)
	if err != nil {
		t.Fatal(err)
	}
	if app.templates == nil {
		t.Fatalf("%s cannot be built:\n%s", strings.Join(files, ", "), fixture.Printed(t, app.found))
	}
	for id, tm := range app.templates {
		tm.T = t
		app.templates[id] = tm
	}
	return app
}

// attempt returns synthesise for files that may be wrong: there are no templates if
// the diagnostics have errors. The error is a fault of the program.
func attempt(to target, outdir string, files ...string) (result application, err error) {
	project, model, found := fixture.Model(files...)
	result = application{model: model, found: found}
	if model == nil {
		return result, nil
	}
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), Context: &to.Context,
		StackTraces: jsii.Bool(false), PostCliContext: &map[string]any{"aws:cdk:disable-creation-stack-traces": true},
	})
	scope := constructs.NewConstruct(app, jsii.String(stacks.Name(model.Name, "")))
	built, err := stacks.NewApplication(scope, &stacks.ApplicationProps{
		Model: model, Account: to.Account, Region: to.Region, Ephemeral: to.Ephemeral,
	})
	if err != nil {
		result.found = append(result.found, stacks.Exceptions(err, project)...).Sort()
		return result, nil
	}
	result.found = append(result.found, built.Diagnostics(project)...).Sort()
	if _, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil }); err != nil {
		return result, err
	}
	result.templates = map[string]template{}
	for _, stack := range built.Stacks {
		path := filepath.Join(outdir, *stack.TemplateFile())
		tm, err := assembly.Read(path)
		if err != nil {
			return result, err
		}
		result.dir = tm.Dir
		result.templates[*stack.Node().Id()] = tm
	}
	return result, nil
}
