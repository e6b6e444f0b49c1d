package load

import (
	"context"
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
