package main

import (
	"bytes"
	"strings"
	"testing"
)

// The lines must come from package config, whose tests cover them.
func TestBootstrapPrints(t *testing.T) {
	var out, problems bytes.Buffer
	if code := run([]string{"bootstrap", "--pipeline", "../../examples/blog/pipeline.yaml"}, &out, &problems); code != 0 {
		t.Fatalf("exit %d: %s", code, problems.String())
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 9 || lines[0] != "# with credentials of shared (111111111111)" || strings.Contains(out.String(), "Administrator") {
		t.Errorf("got %s", out.String())
	}
}
