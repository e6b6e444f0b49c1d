package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the bytes of the files, loading and resolving them must answer with
// diagnostics or a model: never panic, never cost more than the budget, never
// read what lies outside of the project, and say the same again.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{
		"testdata/load/*/*.yml", "testdata/family/*/*.yml", "testdata/ingress/err/*.yml", "testdata/network/*.yml",
		"testdata/resource/err/*.yml", "testdata/err/*.yml",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content, []byte(oneService), []byte("A=a\nB=$A\n"))
		}
	}
	f.Add([]byte("include: [other.yml, ../outside.yml]\n"), []byte("services: {web: {image: nginx, env_file: [../outside.env, .env]}}\n"), []byte("A=b"))
	f.Add([]byte("services: {web: {extends: {file: other.yml, service: a}}}\n"), []byte("services: {a: {extends: {file: ../outside.yml, service: outside}}}\n"), []byte("\xff"))
	s := newSandbox(f)
	f.Fuzz(func(t *testing.T, main, other, env []byte) {
		s.fill(t, map[string]string{"compose.yml": string(main), "other.yml": string(other), ".env": string(env)})
		p, m, found := s.resolve(t, "compose.yml")
		checkDiagnostics(t, p, found, string(main)+string(other)+string(env))
		if m != nil && strings.Contains(render(m), planted) {
			t.Error("a file outside of the project is in the model")
		}
	})
}
