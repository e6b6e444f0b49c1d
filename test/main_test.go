//go:build !race

// Package test holds every test that needs the CDK: one package is one binary,
// which starts the jsii kernel, a Node process, once. The kernel serves one
// goroutine, so that no test here runs in parallel, and it cannot be closed
// twice.
package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// TestMain runs the binary a second time with the environment of the tests: the
// packages of the CDK start the kernel while they are initialised, long before
// TestMain, and it keeps the environment it was started with.
func TestMain(m *testing.M) {
	if os.Getenv(prepared) == "" {
		err := environment()
		if err == nil {
			err = syscall.Exec(os.Args[0], os.Args, os.Environ())
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	code := m.Run()
	jsii.Close()
	for _, dir := range kept {
		os.RemoveAll(dir) //nolint:errcheck // a left-over temporary folder harms nobody
	}
	os.Exit(code)
}

// prepared marks a process that has the environment.
const prepared = "COMPOSECDK_TEST"

// environment is what the CDK CLI would give the app, and the project's own
// Node.
func environment() error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	node := filepath.Join(root, "node_modules", ".bin")
	settings := map[string]string{
		prepared: "1",
		"PATH":   node + string(os.PathListSeparator) + os.Getenv("PATH"),
		// The engine costs ten seconds and half a gigabyte in each process; one
		// test runs it over all goldens.
		"CDK_VALIDATION": "false",
	}
	if text, err := os.ReadFile(filepath.Join(root, "cdk.json")); err == nil {
		var file struct {
			Context json.RawMessage `json:"context"`
		}
		if err := json.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("cdk.json: %w", err)
		}
		settings["CDK_CONTEXT_JSON"] = string(file.Context)
	}
	for name, value := range settings {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}
