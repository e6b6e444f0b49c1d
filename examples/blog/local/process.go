package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hangs is how long a program may do nothing before it counts as hanging. It is no measure
// of speed: a busy machine may take long.
const hangs = 3 * time.Minute

// Between reports whether a program could have read a time between two others, by a clock
// that shows whole seconds.
func Between(told, first, last time.Time) bool {
	return !told.Before(first.Truncate(time.Second)) && !told.After(last)
}

// Build compiles the program in the folder dir, a Go module of its own, into the
// file out, the way its Dockerfile does: statically, from what its go.sum pins.
// Call it from a test, not from TestMain: see Go.
func Build(dir, out string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	return Go(dir, "build", "-o", out, ".")
}

// Go runs the go command in the folder dir, a Go module of its own.
//
// Called from within a test it also makes the program's sources known to the
// cache of `go test`, which would otherwise repeat an old "ok" after a change
// to them. What TestMain does before m.Run does not count for the cache.
func Go(dir string, args ...string) error {
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		_, err = os.Stat(path) // noted by the cache, with size and time
		return err
	})
	if err != nil {
		return err
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	// One set of build flags for all, so that dependencies are compiled once.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s in %s: %w\n%s", args[0], dir, err, output)
	}
	return nil
}

// Process is a running program.
type Process struct {
	// Address is the host:port on which it listens.
	Address string
	// URL is the same as http://host:port, without a final slash.
	URL string

	cmd    *exec.Cmd
	output output
	done   chan struct{} // closed when the process has ended
	err    error         // how it ended; read after done
}

// Start runs the program with exactly the given environment, the union of env
// in which a later map wins: nothing is inherited from the test, not even PATH.
// It waits until GET /healthz answers 200, fails the test if that does not come
// about, and ends the process when the test ends.
//
// One variable is added when none of the maps has it: PORT, a free port. Each
// task on AWS has an address of its own; here all share one.
func Start(t testing.TB, binary string, env ...map[string]string) *Process {
	t.Helper()
	all := union(env)
	if all["PORT"] == "" {
		all["PORT"] = freePort(t)
	}
	address := net.JoinHostPort("127.0.0.1", all["PORT"])
	p := start(t, binary, nil, environ(all))
	p.Address, p.URL = address, "http://"+address
	p.waitFor(t, p.URL+"/healthz")
	return p
}

// Run runs the program with arguments and exactly the given environment until it
// ends by itself, and returns what it printed and its exit status.
func Run(t testing.TB, binary string, args []string, env ...map[string]string) (printed string, status int) {
	t.Helper()
	p := start(t, binary, args, environ(union(env)))
	select {
	case <-p.done:
	case <-time.After(hangs):
		t.Fatalf("%s %q still runs after %s:\n%s", filepath.Base(binary), args, hangs, p.Output())
	}
	return p.Output(), p.cmd.ProcessState.ExitCode()
}

// Stop sends SIGTERM, as ECS and Docker do, waits for the process to end and
// returns nil if it ended with status 0.
func (p *Process) Stop() error {
	select {
	case <-p.done:
		return p.err
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-time.After(hangs):
		_ = p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("still running %s after SIGTERM", hangs)
	}
}

// Output returns what the process has printed so far.
func (p *Process) Output() string { return p.output.String() }

func start(t testing.TB, binary string, args, environ []string) *Process {
	t.Helper()
	p := &Process{cmd: exec.Command(binary, args...), done: make(chan struct{})}
	p.cmd.Env = environ
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	// Open while this process lives: what reads it ends even if the tests are killed.
	_, err := p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatalf("start %s: %v", binary, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.Stop()
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(binary), p.Output())
		}
	})
	return p
}

func (p *Process) waitFor(t testing.TB, url string) {
	t.Helper()
	deadline := time.After(hangs)
	for !answers(url) {
		select {
		case <-p.done:
			t.Fatalf("%s ended before it was healthy: %v\n%s", p.cmd.Path, p.err, p.Output())
		case <-deadline:
			t.Fatalf("%s does not answer at %s:\n%s", p.cmd.Path, url, p.Output())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// client keeps no connection and asks no proxy: it talks to this machine only,
// and an idle connection would hold up a shutdown.
var client = &http.Client{Timeout: hangs, Transport: &http.Transport{DisableKeepAlives: true}}

func answers(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func union(parts []map[string]string) map[string]string {
	all := map[string]string{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// environ returns a slice, not nil: exec takes nil for the environment of this process.
func environ(env map[string]string) []string {
	lines := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		lines = append(lines, name+"="+env[name])
	}
	return lines
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// output collects the output of a process for concurrent readers.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}
