//go:build !race

package test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/guard"
	"composecdk/constructs/xresource"
	"composecdk/stacks"
)

// target is where a test deploys to; the zero value fits any account.
type target struct {
	Account, Region string
	Throwaway       bool
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
	model, more := compose.Resolve(project, xresource.Schemas())
	found = append(found, more...).Sort()
	if found.HasErrors() {
		model = nil
	}
	return project, model, found
}

// synthesise does what the program does, without its validation.
func synthesise(t *testing.T, to target, files ...string) application {
	t.Helper()
	project, model, found := loadModel(files...)
	if model == nil {
		t.Fatalf("%s has errors:\n%s", strings.Join(files, ", "), printed(t, found))
	}
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false), Context: &to.Context,
	})
	built, err := stacks.NewApplicationStage(app, stacks.StageName(model.Name, ""), &stacks.ApplicationProps{
		Model: model, Account: to.Account, Region: to.Region, Destroyable: to.Throwaway,
	})
	if err != nil {
		t.Fatalf("%s cannot be built:\n%s", strings.Join(files, ", "), printed(t, stacks.Exceptions(err, project.Pos)))
	}
	result := application{model: model, found: found, templates: map[string]template{}}
	if _, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil }); err != nil {
		t.Fatal(err)
	}
	for _, stack := range built.Stacks {
		path := filepath.Join(*app.Outdir(), "assembly-"+*built.Stage.StageName(), *stack.TemplateFile())
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var parsed struct{ Resources map[string]any }
		if err := json.Unmarshal(text, &parsed); err != nil {
			t.Fatal(err)
		}
		result.dir = filepath.Dir(path)
		result.templates[*stack.Node().Id()] = template{t: t, resources: parsed.Resources, dir: result.dir, text: string(text)}
	}
	return result
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
