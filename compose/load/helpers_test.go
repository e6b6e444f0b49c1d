package load

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"composecdk/compose/diag"
)

const (
	// maxBusy is how long any input may compute.
	maxBusy = 10 * time.Second

	corpus     = "../../../shared/corpus"
	oneService = "services: {web: {image: nginx}}\n"
)

// write puts files into a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// busy returns how long the process has computed: unlike a clock it does not run on
// while others do.
func busy() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// withinBudget fails where work computes for longer than any file may take.
func withinBudget(t *testing.T, work func()) {
	t.Helper()
	before := busy()
	work()
	if took := busy() - before; took > maxBusy {
		t.Errorf("took %s, more than %s", took, maxBusy)
	}
}

// mustLoad loads files that have no error.
func mustLoad(t *testing.T, opts Options) *Project {
	t.Helper()
	p, ds := Files(context.Background(), opts)
	for _, d := range ds.Sort() {
		if d.Severity == diag.Error {
			t.Fatal(d)
		}
	}
	return p
}
