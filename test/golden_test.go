//go:build !race

package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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
			want := map[string]string{"diagnostics.out": printed(t, app.found)}
			for stack, tm := range app.templates {
				want[stack+".yaml"] = goldenText(t, tm)
			}
			for _, name := range slices.Sorted(maps.Keys(want)) {
				compareGolden(t, filepath.Join(c.dir, name), want[name])
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

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is missing: write it with `make golden`, and review it", path)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs (make golden rewrites it):\n%s", path, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := lineOf(w, i), lineOf(g, i)
		if a != b {
			return "want " + a + "\ngot  " + b
		}
	}
	return "no difference in lines"
}

func lineOf(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

// imageHash is the hash of a container image's sources, which change for their
// own reasons.
var imageHash = regexp.MustCompile(`(container-assets-[^:]*):[0-9a-f]{64}`)

// goldenText is a template as YAML with sorted keys, without what every CDK
// template has.
func goldenText(t *testing.T, tm template) string {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal([]byte(tm.text), &parsed); err != nil {
		t.Fatal(err)
	}
	delete(parsed, "Rules")
	if parameters, ok := parsed["Parameters"].(map[string]any); ok {
		delete(parameters, "BootstrapVersion")
		if len(parameters) == 0 {
			delete(parsed, "Parameters")
		}
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(parsed); err != nil {
		t.Fatal(err)
	}
	return imageHash.ReplaceAllString(out.String(), "$1:<hash>")
}
