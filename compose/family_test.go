package compose

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readFamilies loads files and runs the part of Resolve that this step is.
func readFamilies(t *testing.T, opts Options) (*Model, Diagnostics) {
	t.Helper()
	p, found := Load(context.Background(), opts)
	if p == nil {
		t.Fatalf("no project: %v", found)
	}
	r := &resolver{reporter: &reporter{positions: p}, project: p, model: &Model{Name: p.Name}}
	r.tags()
	r.families()
	r.edges()
	return r.model, append(found, r.found...).Sort()
}

// familiesOf reads one file given as text; errors fail the test.
func familiesOf(t *testing.T, text string) (*Model, Diagnostics) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "compose.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, found := readFamilies(t, Options{Files: []string{file}, ProjectName: "fixture"})
	return m, found
}

func mustFamilies(t *testing.T, text string) *Model {
	t.Helper()
	m, found := familiesOf(t, text)
	if found.HasErrors() {
		var b strings.Builder
		_ = found.Print(&b)
		t.Fatal(b.String())
	}
	return m
}

// Every file under testdata/family must give exactly the diagnostics of the .out
// file beside it: those under err at least one error, those under ok none.
func TestFamilyFixtures(t *testing.T) {
	for _, kind := range []string{"err", "ok"} {
		files, err := filepath.Glob(filepath.Join("testdata/family", kind, "*.yml"))
		if err != nil || len(files) == 0 {
			t.Fatal("no fixtures: ", err)
		}
		for _, file := range files {
			t.Run(kind+"/"+filepath.Base(file), func(t *testing.T) {
				_, found := readFamilies(t, fixtureOptions(t, file))
				if found.HasErrors() != (kind == "err") {
					t.Errorf("errors: %v", found.HasErrors())
				}
				var b bytes.Buffer
				if err := found.Print(&b); err != nil {
					t.Fatal(err)
				}
				compareOut(t, strings.TrimSuffix(file, ".yml")+".out", b.String())
			})
		}
	}
}

// The base file of the reference's use-cases must become three families.
func TestBlogFeatures(t *testing.T) {
	file := corpus + "/composex/use-cases/blog.features.yml"
	if _, err := os.Stat(file); err != nil {
		t.Skip("the corpus is not here")
	}
	m, found := readFamilies(t, Options{Files: []string{file}, ProjectName: "blog"})
	var b strings.Builder
	_ = found.Print(&b)
	t.Log(b.String())
	if found.HasErrors() {
		t.Error("errors")
	}
	for _, f := range m.Families {
		t.Logf("%+v", *f)
		for _, c := range f.Containers {
			t.Logf("   %+v", *c)
		}
	}
	t.Logf("%+v", m.Edges)
}
