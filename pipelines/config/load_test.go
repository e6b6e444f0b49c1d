package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose"
)

var update = flag.Bool("update", false, "rewrite the .out files of the fixtures")

const example = "../../examples/blog/pipeline.yaml"

// The example must load without anything to be said about it.
func TestExample(t *testing.T) {
	c, found := Load(Options{File: example})
	if c == nil || len(found) > 0 {
		t.Fatal(found)
	}
	compareOut(t, "testdata/example.out", dump(c))
}

// Every file under testdata/err must give exactly the diagnostics of the .out file
// beside it, and a second load the same ones.
func TestErrors(t *testing.T) {
	for _, name := range fixtures(t, "err") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			c, found := Load(Options{File: name})
			if c != nil || !found.HasErrors() {
				t.Error("it loads")
			}
			if _, again := Load(Options{File: name}); render(again) != render(found) {
				t.Errorf("the second load differs:\n%s", render(again))
			}
			compareOut(t, strings.TrimSuffix(name, ".yaml")+".out", render(found))
		})
	}
}

// Files under testdata/ok must load; what they become, and what is said about them,
// is in the .out file.
func TestOK(t *testing.T) {
	for _, name := range fixtures(t, "ok") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			c, found := Load(Options{File: name})
			if c == nil {
				t.Fatal(render(found))
			}
			compareOut(t, strings.TrimSuffix(name, ".yaml")+".out", render(found)+dump(c))
		})
	}
}

func fixtures(t *testing.T, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	return files
}

func render(found compose.Diagnostics) string {
	var b strings.Builder
	for _, d := range found {
		fmt.Fprintln(&b, d)
		if d.Hint != "" {
			fmt.Fprintln(&b, "    = "+d.Hint)
		}
	}
	return b.String()
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
		t.Errorf("got:\n%s\nwant:\n%s", except(got, string(want)), except(string(want), got))
	}
}

// except returns the lines of a text that another one does not have.
func except(text, other string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains("\n"+other, "\n"+line) {
			b.WriteString(line)
		}
	}
	return b.String()
}
