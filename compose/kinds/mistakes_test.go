package kinds_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/compose/load"
)

var update = flag.Bool("update", false, "rewrite the .out files")

// Every file of testdata breaks the rules of one kind of x-resource, and must give
// exactly the diagnostics of the .out file beside it.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			project, found := load.Files(context.Background(), load.Options{Files: []string{file}, WorkingDir: ".", ProjectName: "shop"})
			if project != nil {
				_, more := compose.Resolve(project, kinds.Schemas())
				found = append(found, more...)
			}
			if !found.HasErrors() {
				t.Error("no error")
			}
			var out strings.Builder
			if err := found.Sort().Print(&out); err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSuffix(file, ".yml") + ".out"
			if *update {
				if err := os.WriteFile(want, []byte(out.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			golden, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(golden) {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), golden)
			}
		})
	}
}
