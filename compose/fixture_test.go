package compose

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose/load"
)

var update = flag.Bool("update", false, "rewrite the .out files of the fixtures")

// Every file under testdata/load/err must give exactly the diagnostics of the
// .out file beside it, and a second load the same ones in the same bytes.
func TestLoadErrors(t *testing.T) {
	for _, file := range fixtures(t, "err") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := loadFixture(t, file)
			if again := loadFixture(t, file); again != got {
				t.Errorf("the second load differs:\n%s", again)
			}
			if strings.Contains(got, os.TempDir()) {
				t.Errorf("a temporary path shows:\n%s", got)
			}
			compareOut(t, strings.TrimSuffix(file, ".yml")+".out", got)
		})
	}
}

// Files under testdata/load/ok must load without errors; what they say else is
// in the .out file.
func TestLoadOK(t *testing.T) {
	for _, file := range fixtures(t, "ok") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := loadFixture(t, file)
			for line := range strings.Lines(got) {
				if strings.HasPrefix(line, "testdata") && !strings.Contains(line, ": warning: ") && !strings.Contains(line, ": note: ") {
					t.Error(line)
				}
			}
			compareOut(t, strings.TrimSuffix(file, ".yml")+".out", got)
		})
	}
}

func fixtures(t *testing.T, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata/load", kind, "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	return files
}

// fixtureOptions reads the comments that open a fixture: "# files: a.yml b.yml",
// "# env: A=b", "# profiles: x", "# name: y", "# untrusted: true", "# allow: A".
func fixtureOptions(t *testing.T, file string) load.Options {
	t.Helper()
	opts := load.Options{Files: []string{filepath.Base(file)}, WorkingDir: filepath.Dir(file), ProjectName: "fixture", Root: "testdata"}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "# "), ": ")
		if !ok || !strings.HasPrefix(line, "#") {
			break
		}
		switch key {
		case "files":
			opts.Files = strings.Fields(value)
		case "profiles":
			opts.Profiles = strings.Fields(value)
		case "untrusted":
			opts.Untrusted = true
		case "allow":
			opts.Allow = strings.Fields(value)
		case "name":
			opts.ProjectName = strings.TrimSpace(value)
		case "env":
			opts.Environ = map[string]string{}
			for _, pair := range strings.Fields(value) {
				name, text, _ := strings.Cut(pair, "=")
				opts.Environ[name] = text
			}
		}
	}
	return opts
}

// loadFixture renders the diagnostics of a fixture, and the model of one that
// loads.
func loadFixture(t *testing.T, file string) string {
	t.Helper()
	p, ds := load.Files(context.Background(), fixtureOptions(t, file))
	var out strings.Builder
	for _, d := range ds.Sort() {
		fmt.Fprintln(&out, d)
		if d.Hint != "" {
			fmt.Fprintln(&out, "    = "+d.Hint)
		}
	}
	if p == nil || ds.HasErrors() {
		return out.String()
	}
	model, err := p.MarshalYAML()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "---\n%s", bytes.ReplaceAll(model, []byte(here), []byte("/here")))
	return out.String()
}

func compareOut(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if string(want) != got {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
