package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the bytes of pipeline.yaml and of a file that it includes, loading must
// answer with diagnostics that have a code and a place, or with a configuration whose
// targets are whole: never panic, never say something else the second time.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.yaml", "testdata/*/*.json", example} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content, []byte("api: {Team: core}\n"))
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, main, included []byte) {
		name := filepath.Join(dir, "pipeline.yaml")
		for file, content := range map[string][]byte{name: main, filepath.Join(dir, "accounts.json"): included, filepath.Join(dir, "prod-configuration.json"): included} {
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c, found := Load(Options{File: name})
		again, second := Load(Options{File: name})
		if render(found) != render(second) || (c == nil) != (again == nil) || c != nil && dump(c) != dump(again) {
			t.Errorf("the second load differs:\n%s\n%s", render(found), render(second))
		}
		if (c == nil) != found.HasErrors() {
			t.Errorf("a configuration and errors: %s", render(found))
		}
		for _, d := range found {
			if d.Code == "" || d.Message == "" || d.Pos.File == "" || strings.Contains(d.Code, "internal") {
				t.Errorf("no code, message or place: %+v", d)
			}
		}
		if c == nil {
			return
		}
		for _, e := range c.Environments {
			for _, target := range e.Targets() {
				if target.Account == nil || len(target.Account.ID) != 12 || target.Region == "" {
					t.Errorf("environment %s has the target %+v", e.Name, target)
				}
				c.Sections(e, target)
			}
		}
	})
}
