//go:build !race

package applications

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/gate"
	"composecdk/test/engine"
	"composecdk/test/fixture"
)

// corpus lies beside the repository where it is worked on.
const corpus = "../../../shared/corpus"

// corpusCase is a set of files that others wrote, and what ECS ComposeX made of
// them: "ok", "error:…", or nothing where it was never asked.
type corpusCase struct {
	name, reference string
	// section groups cases: the folder of the use-case, such as "rds".
	section string
	// root is the folder that the places of diagnostics are told from.
	root  string
	files []string
	to    target
}

// TestCorpus holds what becomes of every public file: those that ECS ComposeX
// renders must synthesise, but for what is not built yet, what is synthesised must
// pass the gate, and nothing may fail without a word about where and why. All of it
// is one process with one kernel; -v shows the progress and the summary.
func TestCorpus(t *testing.T) {
	cases := corpusCases(t, corpusRoot(t))
	var table corpusTable
	used := map[gate.Acceptance]bool{}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			app, err := attempt(c.to, t.TempDir(), c.files...)
			row := corpusRow{corpusCase: c, found: app.found, failure: err, synthesised: app.templates != nil}
			if err != nil {
				t.Error(err)
			}
			expectOutcome(t, c, app)
			if row.synthesised {
				row.findings = gateFindings(t, app.dir, acceptedInCorpus, used)
				checkInvariants(t, app)
			}
			table = append(table, row)
		})
		fmt.Printf("%3d/%d  %s\n", i+1, len(cases), table[len(table)-1])
	}
	engine.AllUsed(t, acceptedInCorpus, used)
	fmt.Print("\n", table.summary())
	if fixture.Kind() != "" {
		return // the tables are of all cases
	}
	if !t.Failed() || *fixture.Update {
		fixture.Golden(t, "testdata/corpus.tsv", table.String())
		fixture.Golden(t, "testdata/corpus-summary.txt", table.summary())
	}
}

// stricter are the codes for which files are refused that ECS ComposeX renders, and
// why: what it makes of them cannot be deployed.
var stricter = map[string]string{
	"port-conflict": "ECS registers no task definition in which two containers have the same port",
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
		if c.reference == "ok" && !notBuiltYet(d.Code) && stricter[d.Code] == "" {
			t.Errorf("ECS ComposeX renders it: %s", d)
		}
	}
	if app.templates == nil && !app.found.HasErrors() {
		t.Error("nothing is synthesised, and nothing says why")
	}
}

// corpusRoot returns the corpus as an absolute path; without it the test is skipped.
func corpusRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(corpus)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(root); err != nil {
		t.Skip("the corpus is not beside the repository: ", err)
	}
	return root
}

// corpusCases returns the cases of the corpus, or its use-cases of the kind that the tests
// are restricted to, which may be none.
func corpusCases(t *testing.T, root string) []corpusCase {
	t.Helper()
	cases := []corpusCase{{
		name: "seeds/myapps-compose.yml", section: "seeds", root: filepath.Join(root, "seeds"),
		files: []string{filepath.Join(root, "seeds/myapps-compose.yml")},
	}}
	table, err := os.ReadFile(filepath.Join(root, "composex/cases.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		c := corpusCase{name: columns[0], reference: columns[1], root: filepath.Join(root, "composex")}
		if columns[2] == "y" {
			// CDK answers a look-up in a known account with a stand-in
			c.to = target{Account: "111111111111", Region: "eu-west-1"}
		}
		for _, file := range strings.Fields(columns[0]) {
			c.files = append(c.files, filepath.Join(c.root, file))
			c.section = useCase(file)
		}
		cases = append(cases, c)
	}
	paths, err := filepath.Glob(filepath.Join(root, "awesome-compose/*/*compose*.y*ml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		name, _ := filepath.Rel(root, path)
		copied := withContexts(t, path)
		cases = append(cases, corpusCase{name: name, section: "awesome-compose", root: filepath.Dir(copied), files: []string{copied}})
	}
	return slices.DeleteFunc(cases, func(c corpusCase) bool { return !fixture.Chosen("x-" + c.section) })
}

// useCase returns the folder of ECS ComposeX's use-cases that a file is in, "blog" for
// those that are in none, else the folder beside the use-cases.
func useCase(file string) string {
	parts := strings.Split(file, "/")
	if parts[0] != "use-cases" {
		return parts[0]
	}
	if len(parts) == 2 {
		return "blog"
	}
	return parts[1]
}

// withContexts returns a copy of a compose file in a folder with all the files that
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
	project, _, _ := fixture.Model(copied)
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
