package compose

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"composecdk/compose/load"
)

// A name that Docker rewrites is told: stacks are named after it.
func TestProjectNameRewritten(t *testing.T) {
	for written, want := range map[string]string{
		`"The Shop!"`: "a.yml:1:7: name: note: the project is called \"theshop\": a name takes lowercase letters, digits, - and _ [project-name]",
		"shop":        "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.yml"), []byte("name: "+written+"\nservices: {web: {image: 'web:1'}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, found := load.Files(context.Background(), load.Options{Files: []string{"a.yml"}, WorkingDir: dir})
		got := ""
		for _, d := range found {
			d.Pos.File = filepath.Base(d.Pos.File)
			got += d.String()
		}
		if got != want {
			t.Errorf("name: %s\ngot  %s\nwant %s", written, got, want)
		}
	}
}
