package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process holds the cost of one run of a program.
type process struct {
	wall time.Duration
	// peak is the largest sum of the resident memory of the process and its
	// children, in bytes.
	peak   int64
	stdout string
}

// fastest returns the faster of two processes. Process a counts only from index 1.
func fastest(index int, a, b process) process {
	if index > 0 && a.wall <= b.wall {
		return a
	}
	return b
}

// run runs a program without validation.
func run(command []string, environ ...string) (process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	path, err := filepath.Abs(filepath.Dir(node))
	if err != nil {
		return process{}, err
	}
	cmd.Env = append(os.Environ(), append(environ, "CDK_VALIDATION=false", "PATH="+path+string(os.PathListSeparator)+os.Getenv("PATH"))...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return process{}, err
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- watch(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	p := process{wall: time.Since(started), stdout: stdout.String()}
	close(ended)
	p.peak = <-peak
	if err != nil {
		return p, fmt.Errorf("%s: %w\n%s", command[0], err, stderr.String())
	}
	return p, nil
}

// sample is how often memory is looked at.
const sample = 20 * time.Millisecond

// watch returns the peak memory of a process group until it ends, in bytes.
func watch(group int, ended <-chan struct{}) (peak int64) {
	for {
		select {
		case <-ended:
			return peak
		case <-time.After(sample):
			peak = max(peak, resident(group))
		}
	}
}

// resident returns the resident memory of a process group, in bytes (proc(5): fields 5 and
// 24 of stat).
func resident(group int) (sum int64) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, fields, _ := strings.Cut(string(text), ") ")
		all := strings.Fields(fields)
		if len(all) < 22 || all[2] != strconv.Itoa(group) {
			continue
		}
		pages, err := strconv.ParseInt(all[21], 10, 64)
		if err == nil {
			sum += pages * int64(os.Getpagesize())
		}
	}
	return sum
}

// sameResources counts the resources of both assemblies, and fails unless they
// have as many of each type.
func sameResources(ours, theirs string) (resources, stacks int, err error) {
	a, stacks, err := types(ours)
	if err != nil {
		return 0, 0, err
	}
	b, _, err := types(theirs)
	if err != nil {
		return 0, 0, err
	}
	if !maps.Equal(a, b) {
		return 0, 0, fmt.Errorf("the programs build different things: %v and %v", a, b)
	}
	for _, n := range a {
		resources += n
	}
	return resources, stacks, nil
}

// types counts the resources of an assembly by type.
func types(assembly string) (map[string]int, int, error) {
	files, err := filepath.Glob(filepath.Join(assembly, "*.template.json"))
	if err != nil || len(files) == 0 {
		return nil, 0, errors.Join(err, fmt.Errorf("%s holds no template", assembly))
	}
	count := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, 0, err
		}
		var template struct {
			Resources map[string]struct{ Type string }
		}
		if err := json.Unmarshal(text, &template); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", file, err)
		}
		for _, r := range template.Resources {
			count[r.Type]++
		}
	}
	return count, len(files), nil
}
