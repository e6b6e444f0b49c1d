package assembly

import (
	"cmp"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Stack is a stack as the manifest of an assembly has it.
type Stack struct {
	// File is the path of its template, Path the path of its construct.
	File, Path, Environment, Name string
}

// Stacks reads the stacks of an assembly and of all that are nested in it.
func Stacks(t *testing.T, dir string) []Stack {
	t.Helper()
	var found []Stack
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "manifest.json" {
			return err
		}
		var manifest struct {
			Artifacts map[string]struct {
				Type, Environment, DisplayName string
				Properties                     struct{ StackName, TemplateFile string }
			}
		}
		ReadJSON(t, path, &manifest)
		for id, a := range manifest.Artifacts {
			if a.Type == "aws:cloudformation:stack" {
				construct, _, _ := strings.Cut(a.DisplayName, " ")
				found = append(found, Stack{filepath.Join(filepath.Dir(path), a.Properties.TemplateFile), construct, a.Environment, cmp.Or(a.Properties.StackName, id)})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
