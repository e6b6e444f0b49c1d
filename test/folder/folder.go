// Package folder lays out files for tests. It imports nothing of this module, so that the
// tests of any package may use it.
package folder

import (
	"os"
	"path/filepath"
	"testing"
)

// New writes files, by their paths, into a new folder and returns the folder.
func New(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	Fill(t, dir, files)
	return dir
}

// Fill writes files, by their paths, into a folder.
func Fill(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
