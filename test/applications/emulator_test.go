//go:build !race

package applications

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// TestEmulatorHasEveryType: the emulator of test/e2e must know every type that the golden
// cases make, so that a new kind does not wait for `make e2e` to learn it.
func TestEmulatorHasEveryType(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixture.Repository, "test/e2e/emulator/*.py"))
	if err != nil || len(files) == 0 {
		t.Fatal("no emulator: ", err)
	}
	var source strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	types := map[string]string{} // with a case that makes it
	for _, c := range goldenCases(t) {
		if strings.HasSuffix(c.name, "-lookup") {
			continue // not deployed there
		}
		for _, tm := range c.synthesised(t).templates {
			for _, r := range tm.Resources {
				types[at(r, "Type").(string)] = c.name
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		has := strings.Contains(source.String(), `"`+kind+`":`)
		if !has {
			t.Errorf("%s, which %s makes, has no row in test/e2e/emulator/resources.py", kind, types[kind])
		}
	}
}
