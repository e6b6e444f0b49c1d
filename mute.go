package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// muteRuntime keeps what the jsii runtime and its Node.js process write to
// standard error away from the user: notices about Node versions, and an error
// at every orderly end. The returned function ends that, and returns what was
// said, for the report of a fault.
//
// It also lets jsii run the Node.js that package.json pins, where it is
// installed in the working directory.
func muteRuntime(env map[string]string) (end func() string, err error) {
	if node, err := filepath.Abs("node_modules/.bin/node"); err == nil && env["JSII_NODE"] == "" {
		if _, err := os.Stat(node); err == nil {
			os.Setenv("JSII_NODE", node) //nolint:errcheck // fails for malformed names only
		}
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("mute the runtime: %w", err)
	}
	original := os.Stderr
	os.Stderr = write
	var noise bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(&noise, read) //nolint:errcheck // the noise is for reports only
	}()
	return func() string {
		os.Stderr = original
		write.Close() //nolint:errcheck // nothing more is written
		<-done
		return noise.String()
	}, nil
}
