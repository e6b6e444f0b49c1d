package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// muteRuntime keeps what the jsii runtime and its Node.js process write to
// standard error away from the user: notices about Node versions, and an error
// at the end, some of it after that. The returned function returns what was said, for
// the report of a fault.
func muteRuntime() (end func() string, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("mute the runtime: %w", err)
	}
	os.Stderr = write
	var noise bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(&noise, read) //nolint:errcheck // the noise is for reports only
	}()
	return func() string {
		write.Close() //nolint:errcheck // nothing more is written
		<-done
		return noise.String()
	}, nil
}
