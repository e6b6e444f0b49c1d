package compose

import (
	"context"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"composecdk/compose/load"
)

// What one input may cost, however hostile it is.
const (
	mostTime   = 5 * time.Second
	mostMemory = 512 << 20
)

// withinBudget fails the test when work costs more than an input may. All that
// is allocated counts, whether or not it is in use at the same time: that is
// more than the peak, and the same in every run.
func withinBudget(t *testing.T, work func()) {
	t.Helper()
	before, start := allocated(), busy()
	work()
	took := busy() - start
	if took > mostTime {
		t.Errorf("took %s, more than %s", took, mostTime)
	}
	if used := allocated() - before; used > mostMemory {
		t.Errorf("allocated %d MiB, more than %d", used>>20, mostMemory>>20)
	}
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

// allocated returns how much memory the process has ever asked for.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// planted is in files beside the project's folder, and nowhere in it.
const planted = "b9-outside-of-the-project-7e"

// sandbox is a project's folder that a fuzz target writes its inputs to, with
// files around it that nothing may read.
type sandbox struct{ dir string }

func newSandbox(f *testing.F) sandbox {
	f.Helper()
	around := f.TempDir()
	s := sandbox{filepath.Join(around, "project")}
	if err := os.Mkdir(s.dir, 0o750); err != nil {
		f.Fatal(err)
	}
	for name, content := range map[string]string{
		"outside.yml": "services: {outside: {image: nginx, environment: {A: " + planted + "}}}\n",
		"outside.env": "OUTSIDE=" + planted + "\n",
	} {
		if err := os.WriteFile(filepath.Join(around, name), []byte(content), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	return s
}

// fill makes the folder hold these files and no others.
func (s sandbox) fill(t *testing.T, files map[string]string) {
	t.Helper()
	held, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range held {
		if _, again := files[entry.Name()]; again {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		s.write(t, name, content)
	}
}

func (s sandbox) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// resolve loads files of the folder within the budget and resolves them with the
// kinds of the tests. The model is nil where there is an error.
func (s sandbox) resolve(t *testing.T, files ...string) (*load.Project, *Model, Diagnostics) {
	t.Helper()
	var p *load.Project
	var m *Model
	var found Diagnostics
	withinBudget(t, func() {
		p, found = load.Files(context.Background(), load.Options{Files: files, WorkingDir: s.dir, Root: s.dir, ProjectName: "fuzz"})
		if p == nil {
			return
		}
		var more Diagnostics
		m, more = Resolve(p, []*Schema{boxes, rooms})
		found = append(found, more...)
	})
	if found.HasErrors() {
		m = nil
	}
	return p, m, found
}

// internals are words of the program that no message may hold.
var internals = []string{"interface {}", "map[string]", "composecdk-", "%!", "runtime error", "goroutine "}

// checkDiagnostics holds what every list of diagnostics promises. Words that the
// input has itself are no one's fault.
func checkDiagnostics(t *testing.T, p *load.Project, found Diagnostics, input string) {
	t.Helper()
	if p == nil && !found.HasErrors() {
		t.Error("no project, and no error that says why")
	}
	for _, d := range found {
		if d.Code == "" || d.Message == "" {
			t.Errorf("a diagnostic without a code or a message: %+v", d)
		}
		for _, word := range internals {
			if strings.Contains(d.Message, word) && !strings.Contains(input, word) {
				t.Error("a message for programmers: ", d)
			}
		}
		if strings.Contains(d.Message+d.Hint, planted) {
			t.Error("a file outside of the project was read: ", d)
		}
	}
}

// The budget itself must be able to fail.
func TestBudgetIsHeld(t *testing.T) {
	before := allocated()
	kept := make([]byte, 1<<20)
	if used := allocated() - before; used < uint64(len(kept)) {
		t.Errorf("%d bytes counted of %d", used, len(kept))
	}
}
