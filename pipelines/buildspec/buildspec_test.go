package buildspec_test

import (
	"os/exec"
	"testing"

	"composecdk/pipelines/buildspec"
)

// What Quote makes must be the one word that it was, in every POSIX shell.
func TestQuoteIsOneWord(t *testing.T) {
	for _, shell := range []string{"sh", "bash"} {
		for _, text := range []string{"", "a", "two words", "'", "''", `"`, `\`, "$HOME", "$(id)", "`id`", "a\nb", "\t", "*", "!", "é", "\xff", "-n", "#"} {
			out, err := exec.Command(shell, "-c", "set -- "+buildspec.Quote(text)+`; printf '%s:%s' $# "$1"`).Output()
			if err != nil || string(out) != "1:"+text {
				t.Errorf("%s: %q becomes %q: %v", shell, text, out, err)
			}
		}
	}
}

// A script stops where a command of a pipe fails.
func TestScriptStops(t *testing.T) {
	out, err := exec.Command("bash", "-c", buildspec.Script("false | true\n", "echo on")).Output()
	if err == nil || len(out) > 0 {
		t.Errorf("got %q, %v", out, err)
	}
}
