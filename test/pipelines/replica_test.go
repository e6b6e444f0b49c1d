//go:build !race

package pipelines

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/load"
	"composecdk/pipelines"
	"composecdk/pipelines/config"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// release reads a pipeline.yaml and the compose files beside it.
func release(t *testing.T, file string) *pipelines.Release {
	t.Helper()
	c, found := config.Load(config.Options{File: file})
	if c == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	release, found := pipelines.Read(c, "", load.Options{})
	if release == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	return release
}

// synthRelease synthesises the pipelines of a release in a folder, with patterns or
// without.
func synthRelease(t *testing.T, r *pipelines.Release, dir string, patterns bool) {
	t.Helper()
	newApp := func(dir string) awscdk.App {
		return awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, AnalyticsReporting: jsii.Bool(false), StackTraces: jsii.Bool(false), PostCliContext: &map[string]any{"aws:cdk:disable-creation-stack-traces": true}})
	}
	var pattern func(func(constructs.Construct) error) (string, error)
	if patterns {
		pattern = func(build func(constructs.Construct) error) (string, error) {
			dir := t.TempDir()
			app := newApp(dir)
			if err := build(app); err != nil {
				return "", err
			}
			app.Synth(nil)
			return dir, nil
		}
	}
	app := newApp(dir)
	if err := pipelines.New(app, r.Props(pattern)); err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
}

// Several accounts that differ in identifiers only are synthesised once. What each
// gets must be what it would have got by itself, byte for byte: names, roles, hashes
// of templates, networks. The third production account has its own zones, and so is
// no part of the pattern.
func TestReplicas(t *testing.T) {
	expectReplicas(t, filepath.Join(fixture.Replicas, "pipeline.yaml"), true)
}

// What holds a marker, or what could be left of one, is synthesised for each account.
func TestNoReplicas(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "replicas")
	if err := os.CopyFS(folder, os.DirFS(fixture.Replicas)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "compose.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	marked := strings.Replace(string(text), "  worker:\n", "  worker:\n    environment: {COLOUR: feedface}\n", 1)
	if err := os.WriteFile(file, []byte(marked), 0o600); err != nil {
		t.Fatal(err)
	}
	expectReplicas(t, filepath.Join(folder, "pipeline.yaml"), false)
}

func expectReplicas(t *testing.T, file string, replicas bool) {
	t.Helper()
	alone, replicated := t.TempDir(), t.TempDir()
	synthRelease(t, release(t, file), alone, false)
	synthRelease(t, release(t, file), replicated, true)
	want, got := assembly.Files(t, alone), assembly.Files(t, replicated)
	for name, text := range want {
		switch {
		case name == "tree.json": // knows of constructs, of which a replica has none
		case got[name] == "":
			t.Errorf("%s is missing", name)
		case got[name] != text:
			t.Errorf("%s differs: %s", name, assembly.FirstDifference(got[name], text))
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("%s is too much", name)
		}
	}
	for stage, replica := range map[string]bool{"first": replicas, "second": replicas, "third": false} {
		if made := strings.Contains(got["tree.json"], "production-shop-"+stage+"-eu-west-1/Services/web"); made == replica {
			t.Errorf("the constructs of %s are made: %t", stage, made)
		}
	}
	production := 0
	for name := range want {
		if strings.HasPrefix(name, "assembly-production-") && strings.HasSuffix(name, ".template.json") {
			production++
		}
	}
	if production != 3*3 {
		t.Errorf("%d templates of production, want 3 stacks in 3 accounts", production)
	}
}
