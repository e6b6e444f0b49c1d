//go:build !race

// Package applications holds every test of applications, whose templates the CDK makes:
// one package is one binary, which starts the jsii kernel, a Node process, once. The
// kernel serves one goroutine, so that no test here runs in parallel, and it cannot be
// closed twice.
package applications

import (
	"fmt"
	"os"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"composecdk/test/fixture"
)

func TestMain(m *testing.M) {
	if err := fixture.Restart(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	code := m.Run()
	jsii.Close()
	fixture.RemoveKept()
	os.Exit(code)
}
