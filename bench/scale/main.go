// Command scale synthesises the pipelines of 200 applications in 30 accounts, and fails if
// that takes longer than a minute.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"composecdk/pipelines/config/scale"
)

const (
	applications = 200
	accounts     = 30
	most         = time.Minute
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "scale-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a left-over temporary folder harms nobody
	if err := scale.Write(dir, applications, accounts); err != nil {
		return err
	}
	program, err := filepath.Abs("bin/composecdk")
	if err != nil {
		return err
	}
	var slowest time.Duration
	for _, memory := range []string{"nothing validated before", "all validated before"} {
		took, err := synthesise(program, dir)
		if err != nil {
			return err
		}
		fmt.Printf("%d applications, %d accounts, %s: %.1f s\n", applications, accounts, memory, took.Seconds())
		slowest = max(slowest, took)
	}
	if slowest > most {
		return fmt.Errorf("more than %s", most)
	}
	return nil
}

// synthesise runs the program with its own cache of validated templates.
func synthesise(program, dir string) (time.Duration, error) {
	out := filepath.Join(dir, "cdk.out")
	command := exec.Command(program)
	command.Dir = dir
	command.Env = append(os.Environ(), "CDK_OUTDIR="+out, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), `CDK_CONTEXT_JSON={"pipeline":"pipeline.yaml"}`)
	start := time.Now()
	output, err := command.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, output)
	}
	return time.Since(start), nil
}
