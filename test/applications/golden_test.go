//go:build !race

package applications

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

const goldenDir = "testdata/golden"

// goldenCase is a folder with a compose file, or with a list `files` of paths
// relative to it, and what they become: a template for each stack and the
// diagnostics. target.json may say where it is deployed to.
type goldenCase struct {
	name, dir string
	files     []string
	to        target
}

// goldenCases returns the golden cases, of one kind only where the tests are restricted to
// it.
func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	entries, err := os.ReadDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for _, entry := range entries {
		if !fixture.Chosen(entry.Name()) {
			continue
		}
		c := goldenCase{name: entry.Name(), dir: filepath.Join(goldenDir, entry.Name()), files: filesOf(entry.Name())}
		if text, err := os.ReadFile(filepath.Join(c.dir, "target.json")); err == nil {
			if err := json.Unmarshal(text, &c.to); err != nil {
				t.Fatalf("%s: %v", c.dir, err)
			}
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		t.Fatal("no golden case")
	}
	return cases
}

// filesOf returns the compose files of a golden case.
func filesOf(name string) []string {
	dir := filepath.Join(goldenDir, name)
	list, err := os.ReadFile(filepath.Join(dir, "files"))
	if err != nil {
		return []string{filepath.Join(dir, "compose.yaml")}
	}
	var files []string
	for _, file := range strings.Fields(string(list)) {
		files = append(files, filepath.Join(dir, file))
	}
	return files
}

// synthesised returns the case as the program makes it; every test shares one synthesis.
func (c goldenCase) synthesised(t *testing.T) application {
	t.Helper()
	app, done := synthesisedCases[c.name]
	if !done {
		app = synthesiseIn(t, fixture.KeptDir(t), c.to, c.files...)
		synthesisedCases[c.name] = app
	}
	app.templates = maps.Clone(app.templates)
	for id, tm := range app.templates {
		tm.T = t
		app.templates[id] = tm
	}
	return app
}

var synthesisedCases = map[string]application{}

// whole are the cases whose Services stacks are held whole: together they show all that a
// service becomes. Of the others, which are about one kind, the wiring is held.
var whole = []string{"blog", "default", "jobs", "networks", "readme", "services", "x-elbv2", "x-ingress"}

// commonNetworks are the cases whose Network stacks have most others, too.
var commonNetworks = []string{"default", "blog"}

// TestGolden holds what becomes of each golden case: its diagnostics, the template of each
// stack, or the wiring of the services. A Network stack that is as that of a common case
// is not held again. A missing golden file fails, as does one too many; -update writes them.
func TestGolden(t *testing.T) {
	common := map[string]string{}
	for _, name := range commonNetworks {
		app := synthesise(t, target{}, filesOf(name)...)
		common[networkText(t, app)] = name
	}
	for _, c := range goldenCases(t) {
		t.Run(c.name, func(t *testing.T) {
			app := c.synthesised(t)
			want := map[string]string{"diagnostics.out": fixture.Printed(t, app.found)}
			for stack, tm := range app.templates {
				switch {
				case stack == "Network" && !slices.Contains(commonNetworks, c.name) && common[networkText(t, app)] != "":
				case stack == "Services" && !slices.Contains(whole, c.name):
					want["Services.wiring.yaml"] = wiring(t, app)
				default:
					want[stack+".yaml"] = fixture.TemplateText(t, tm)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(want)) {
				fixture.Golden(t, filepath.Join(c.dir, name), want[name])
			}
			there, err := filepath.Glob(filepath.Join(c.dir, "[A-Z]*.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range there {
				if want[filepath.Base(file)] == "" {
					t.Errorf("the golden %s holds nothing any more: remove it", file)
				}
			}
		})
	}
}

// networkText returns the Network stack under a name that all cases share, without its
// outputs: which there are, the stacks that use them show.
func networkText(t *testing.T, app application) string {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal([]byte(app.templates["Network"].Text), &parsed); err != nil {
		t.Fatal(err)
	}
	delete(parsed, "Outputs")
	name := regexp.MustCompile(`\b` + regexp.QuoteMeta(app.model.Name) + `([/.:-])`)
	return name.ReplaceAllString(text(parsed), "app$1")
}
