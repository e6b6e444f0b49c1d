//go:build !race

package test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/guard"
	"composecdk/compose/kinds"
	"composecdk/stacks"
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

// loadModel loads and resolves compose files; the model is nil where they have
// errors.
func loadModel(files ...string) (*compose.Project, *compose.Model, compose.Diagnostics) {
	project, found := compose.Load(context.Background(), compose.Options{Files: files})
	if project == nil {
		return nil, nil, found.Sort()
	}
	model, more := compose.Resolve(project, kinds.Schemas())
	found = append(found, more...).Sort()
	if found.HasErrors() {
		model = nil
	}
	return project, model, found
}

// synthesise does what the program does, without its validation.
func synthesise(t *testing.T, to target, files ...string) application {
	t.Helper()
	app, err := attempt(to, t.TempDir(), files...)
	if err != nil {
		t.Fatal(err)
	}
	if app.templates == nil {
		t.Fatalf("%s cannot be built:\n%s", strings.Join(files, ", "), printed(t, app.found))
	}
	for id, tm := range app.templates {
		tm.t = t
		app.templates[id] = tm
	}
	return app
}

// attempt is synthesise for files that may be wrong: there are no templates if
// the diagnostics have errors. The error is a fault of the program.
func attempt(to target, outdir string, files ...string) (result application, err error) {
	project, model, found := loadModel(files...)
	result = application{model: model, found: found}
	if model == nil {
		return result, nil
	}
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), Context: &to.Context,
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
		tm, err := readTemplate(path)
		if err != nil {
			return result, err
		}
		result.dir = tm.dir
		result.templates[*stack.Node().Id()] = tm
	}
	return result, nil
}

// printed is what a user would see.
func printed(t *testing.T, found compose.Diagnostics) string {
	t.Helper()
	var b strings.Builder
	if err := found.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// write puts a compose file into a folder of its own and returns its path.
func write(t *testing.T, content string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "compose.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
