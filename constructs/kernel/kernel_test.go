package kernel

import (
	"os"
	"os/exec"
	"testing"
)

// The CDK must never start its engine by itself, whatever the user asks for, and
// what the user asks for must be known.
func TestValidation(t *testing.T) {
	const asked = "ASKED_FOR"
	if value, child := os.LookupEnv(asked); child {
		if os.Getenv(validation) != "false" || Validation != (value != "false") {
			t.Errorf("asked for %q: %t, and the CDK is told %q", value, Validation, os.Getenv(validation))
		}
		return
	}
	for _, value := range []string{"", "true", "false"} {
		again := exec.Command(os.Args[0], "-test.run=^TestValidation$")
		again.Env = append(os.Environ(), validation+"="+value, asked+"="+value)
		if out, err := again.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
