//go:build !race

package applications

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
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

func goldenCases(t *testing.T) []goldenCase {
	t.Helper()
	entries, err := os.ReadDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for _, entry := range entries {
		c := goldenCase{name: entry.Name(), dir: filepath.Join(goldenDir, entry.Name())}
		if list, err := os.ReadFile(filepath.Join(c.dir, "files")); err == nil {
			for _, file := range strings.Fields(string(list)) {
				c.files = append(c.files, filepath.Join(c.dir, file))
			}
		} else {
			c.files = []string{filepath.Join(c.dir, "compose.yaml")}
		}
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

// TestGolden holds every template and every diagnostic of the golden cases. A
// missing golden file fails; -update writes it.
func TestGolden(t *testing.T) {
	for _, c := range goldenCases(t) {
		t.Run(c.name, func(t *testing.T) {
			app := synthesise(t, c.to, c.files...)
			want := map[string]string{"diagnostics.out": fixture.Printed(t, app.found)}
			for stack, tm := range app.templates {
				want[stack+".yaml"] = fixture.TemplateText(t, tm)
			}
			for _, name := range slices.Sorted(maps.Keys(want)) {
				fixture.Golden(t, filepath.Join(c.dir, name), want[name])
			}
			for _, stack := range []string{"Network", "Data", "Services"} {
				if _, made := app.templates[stack]; made {
					continue
				}
				if _, err := os.Stat(filepath.Join(c.dir, stack+".yaml")); err == nil {
					t.Errorf("there is a golden %s.yaml, but no such stack any more", stack)
				}
			}
		})
	}
}
