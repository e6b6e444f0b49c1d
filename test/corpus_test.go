//go:build !race

package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
)

// corpus lies beside the repository where it is worked on.
const corpus = "../../shared/corpus"

// corpusCase is a set of files that others wrote, and what ECS ComposeX made of
// them: "ok", "error:…", or nothing where it was never asked.
type corpusCase struct {
	name, reference string
	files           []string
	to              target
}

// outcome is what became of a case, in a few words that a table can hold.
func (c corpusCase) outcome(app application, err error) string {
	switch {
	case err != nil:
		return "failed: " + strings.SplitN(err.Error(), "\n", 2)[0]
	case app.templates != nil:
		return "synthesised"
	}
	var codes []string
	for _, d := range app.found {
		if d.Severity == compose.Error {
			codes = append(codes, d.Code)
		}
	}
	slices.Sort(codes)
	return "refused: " + strings.Join(slices.Compact(codes), " ")
}

// TestCorpus holds what becomes of every file of others: those that ECS ComposeX
// renders must synthesise, but for what is not built yet, and nothing may fail
// without a word about where and why.
func TestCorpus(t *testing.T) {
	cases := corpusCases(t)
	var table strings.Builder
	table.WriteString("files\treference\toutcome\n")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			app, err := attempt(c.to, t.TempDir(), c.files...)
			outcome := c.outcome(app, err)
			fmt.Fprintf(&table, "%s\t%s\t%s\n", c.name, c.reference, outcome)
			t.Log(outcome)
			if err != nil {
				t.Error(err)
			}
			expectOutcome(t, c, app)
			if app.templates != nil {
				checkInvariants(t, app)
			}
		})
	}
	if !t.Failed() || *update {
		compareGolden(t, "testdata/corpus.tsv", table.String())
	}
}

// expectOutcome checks that a case came to what the reference makes of it.
func expectOutcome(t *testing.T, c corpusCase, app application) {
	t.Helper()
	for _, d := range app.found {
		if d.Severity != compose.Error {
			continue
		}
		if d.Pos.Line == 0 {
			t.Errorf("a diagnostic without a place: %s", d)
		}
		if d.Code == "construct" {
			t.Errorf("only the CDK found it: %s", d)
		}
		if c.reference == "ok" && !strings.HasPrefix(d.Code, "unsupported-") {
			t.Errorf("ECS ComposeX renders it: %s", d)
		}
	}
	if app.templates == nil && !app.found.HasErrors() {
		t.Error("nothing is synthesised, and nothing says why")
	}
}

func corpusCases(t *testing.T) []corpusCase {
	t.Helper()
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus is not beside the repository: ", err)
	}
	cases := []corpusCase{{name: "seeds/myapps-compose.yml", files: []string{filepath.Join(corpus, "seeds/myapps-compose.yml")}}}
	table, err := os.ReadFile(filepath.Join(corpus, "composex/cases.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		c := corpusCase{name: columns[0], reference: columns[1]}
		if columns[2] == "y" {
			// CDK answers a look-up in a known account with a stand-in
			c.to = target{Account: "111111111111", Region: "eu-west-1"}
		}
		for _, file := range strings.Fields(columns[0]) {
			c.files = append(c.files, filepath.Join(corpus, "composex", file))
		}
		cases = append(cases, c)
	}
	paths, err := filepath.Glob(filepath.Join(corpus, "awesome-compose/*/compose.y*ml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name, _ := filepath.Rel(corpus, path)
		cases = append(cases, corpusCase{name: name, files: []string{withContexts(t, path)}})
	}
	return cases
}

// withContexts is a copy of a compose file in a folder with all the files that
// its services are built from: the corpus holds only the compose files.
func withContexts(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), filepath.Base(filepath.Dir(path)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	project, _, _ := loadModel(copied)
	if project == nil {
		return copied
	}
	for _, s := range project.Services {
		if s.Build == nil {
			continue
		}
		dockerfile := s.Build.Dockerfile
		if dockerfile == "" {
			dockerfile = "Dockerfile"
		}
		dockerfile = filepath.Join(s.Build.Context, dockerfile)
		if err := os.MkdirAll(filepath.Dir(dockerfile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dockerfile, []byte("FROM scratch\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}
