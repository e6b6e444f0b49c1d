//go:build !race

package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"testing"
)

// node runs a script of this folder: JSON in, JSON out.
func node(t *testing.T, script string, in, out any) {
	t.Helper()
	input, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script)
	cmd.Stdin = bytes.NewReader(input)
	if err := json.Unmarshal(output(t, cmd), out); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

// output runs a command that must succeed.
func output(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %v\n%s%s", cmd, err, out, exit.Stderr)
		}
		t.Fatalf("%v: %v", cmd, err)
	}
	return out
}
