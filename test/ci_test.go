//go:build !race

package test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines"
	"composecdk/pipelines/config"
)

// ciApp is an application with everything that a file leaves out.
func ciApp(name string, change func(*config.App)) *config.App {
	app := &config.App{
		Name: name, Group: "apps", Service: name,
		Source:     config.Source{Provider: config.CodeCommit, Repository: "blog-" + name, Branch: "main"},
		Repository: config.Repository{Name: "shop/" + name, TagMutability: "IMMUTABLE", KeepReleases: 10, ExpireUntaggedDays: 14},
		Build: config.Build{
			Context: ".", Dockerfile: "Dockerfile", Compute: "SMALL", Image: "standard:7.0", Privileged: true, Timeout: 30 * time.Minute,
		},
	}
	if change != nil {
		change(app)
	}
	return app
}

// toolingOf is the configuration of the platform pipeline alone, with applications.
func toolingOf(apps ...*config.App) *config.Config {
	c := threeAccounts()
	c.Environments, c.Apps = nil, apps
	return c
}

// tooling synthesises the platform pipeline; the templates are by the id of the stack.
func tooling(t *testing.T, c *config.Config) map[string]template {
	t.Helper()
	dir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, AnalyticsReporting: jsii.Bool(false)})
	if err := pipelines.New(app, &pipelines.Props{Config: c}); err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	templates := map[string]template{}
	files, err := filepath.Glob(filepath.Join(dir, "assembly-Tooling", "Tooling*.template.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, file := range append(files, filepath.Join(dir, "Platform.template.json")) {
		tm, err := readTemplate(file)
		if err != nil {
			t.Fatal(err)
		}
		tm.t = t
		id := strings.TrimSuffix(filepath.Base(file), ".template.json")
		if id != "Platform" {
			id = strings.TrimPrefix(id, "Tooling")
			id = id[:len(id)-8] // the hash of the path
		}
		templates[id] = tm
	}
	return templates
}
