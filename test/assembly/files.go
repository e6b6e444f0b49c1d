package assembly

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Files returns the contents of an assembly by their paths, without the summary, which
// names files as seen from the working directory.
func Files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "summary.txt" {
			return err
		}
		content, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, dir+"/")] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// ExpectSame fails for every file that is missing, too much or different.
func ExpectSame(t *testing.T, want, got map[string]string) {
	t.Helper()
	names := slices.Sorted(maps.Keys(want))
	if !slices.Equal(names, slices.Sorted(maps.Keys(got))) {
		t.Errorf("the assemblies have other files: %v and %v", names, slices.Sorted(maps.Keys(got)))
	}
	for _, name := range names {
		if want[name] != got[name] {
			t.Errorf("%s differs:\n%s", name, FirstDifference(want[name], got[name]))
		}
	}
}

// FirstDifference returns the first line in which two texts differ, as want and got.
func FirstDifference(want, got string) string {
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
