// Package programs holds the tests of the built programs, which run as processes: no test
// here is linked with the CDK, and tests may run in parallel.
package programs

import (
	"fmt"
	"os"
	"testing"

	"composecdk/test/fixture"
)

func TestMain(m *testing.M) {
	if err := fixture.Environment(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(m.Run())
}
