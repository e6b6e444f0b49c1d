//go:build !race

package applications

import (
	"path/filepath"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// TestOrder: the order of keys in a compose file must change nothing in the assembly,
// and neither must that of lists which are sets. Each file is shuffled five times.
func TestOrder(t *testing.T) {
	synths := 0
	var folders []string
	if fixture.Kind() == "" {
		folders = append(folders, filepath.Dir(fixture.Rich))
		for _, name := range []string{"readme", "services", "x-elbv2"} {
			folders = append(folders, filepath.Join(goldenDir, name))
		}
	}
	for _, k := range selectedKinds(t) {
		folders = append(folders, filepath.Join(goldenDir, k.Key))
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			file := fixture.ProjectCopy(t, folder)
			want := assembly.Files(t, synthesise(t, target{}, file).dir)
			for seed := range uint64(5) {
				shuffled := fixture.ShuffleFile(t, file, seed)
				assembly.ExpectSame(t, want, assembly.Files(t, synthesise(t, target{}, file).dir))
				if t.Failed() {
					t.Fatalf("for the file\n%s", shuffled)
				}
				synths++
			}
		})
	}
	if synths < 20 && fixture.Kind() == "" {
		t.Errorf("only %d shuffled files", synths)
	}
}
