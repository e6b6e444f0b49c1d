package programs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// TestSameBytes: two runs of the program must give the same assembly, byte for byte,
// wherever and with whatever locale, zone and number of threads they happen, and in
// whatever order the file has its keys.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	surroundings := []map[string]string{
		{"TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "GOMAXPROCS": "1"},
		{"TZ": "America/St_Johns", "LANG": "C", "GOMAXPROCS": "7", "GOGC": "1"},
	}
	for _, folder := range []string{filepath.Dir(fixture.Rich), fixture.Blog} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			file := fixture.ProjectCopy(t, folder)
			context := map[string]any{"compose": file}
			want := call{context: context}.run(t)
			if want.status != 0 {
				t.Fatalf("exit status %d:\n%s", want.status, want.stderr)
			}
			first := assembly.Files(t, want.assembly)
			for i, environ := range surroundings {
				fixture.ShuffleFile(t, file, uint64(i))
				got := call{context: context, environ: environ}.run(t)
				if got.status != 0 {
					t.Fatalf("exit status %d:\n%s", got.status, got.stderr)
				}
				assembly.ExpectSame(t, first, assembly.Files(t, got.assembly))
			}
			for _, text := range []string{first["manifest.json"], first["tree.json"]} {
				if strings.Contains(text, filepath.Dir(file)) {
					t.Errorf("the assembly holds a path of this machine")
				}
			}
		})
	}
}

// TestSamePipelines: two runs must give the same pipelines, byte for byte, wherever they
// happen, and in whatever order the pipeline.yaml has its keys.
func TestSamePipelines(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "replicas")
	if err := os.CopyFS(folder, os.DirFS(fixture.Replicas)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "pipeline.yaml")
	run := func(environ map[string]string) map[string]string {
		t.Helper()
		got := call{context: map[string]any{"pipeline": file}, environ: environ}.run(t)
		if got.status != 0 {
			t.Fatalf("exit status %d:\n%s", got.status, got.stderr)
		}
		return assembly.Files(t, got.assembly)
	}
	first := run(nil)
	fixture.ShuffleFile(t, file, 1)
	assembly.ExpectSame(t, first, run(map[string]string{"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "GOMAXPROCS": "1"}))
}
