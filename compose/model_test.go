package compose

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose/load"
)

// The model of every file under testdata/model must be, value by value, what the
// .out file beside it says, after what is said about the file. A file whose name
// ends in -wrong has errors, and no model.
func TestModel(t *testing.T) {
	files, err := filepath.Glob("testdata/model/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			name := strings.TrimSuffix(file, ".yml")
			p, found := load.Files(context.Background(), fixtureOptions(t, file))
			if p == nil {
				t.Fatal(found)
			}
			m, more := Resolve(p, []*Schema{boxes, rooms})
			found = append(found, more...).Sort()
			if found.HasErrors() != strings.HasSuffix(name, "-wrong") {
				t.Errorf("errors: %t", found.HasErrors())
			}
			var out strings.Builder
			for _, d := range found {
				fmt.Fprintln(&out, d)
				if d.Hint != "" {
					fmt.Fprintln(&out, "    = "+d.Hint)
				}
			}
			if !found.HasErrors() {
				fmt.Fprintf(&out, "---\n%s", render(m))
			}
			compareOut(t, name+".out", strings.ReplaceAll(out.String(), here, "/here"))
		})
	}
}
