package load

import (
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

// Whatever the text, replacing its variables must not panic, and where docker
// compose's own package takes the text too, both must make the same of it.
func FuzzSubstitute(f *testing.F) {
	for _, text := range []string{
		"${A:-$B}$$${AWS::Region}", "$A$$A${A}", "${NONE:?m}", "${A:+${B-x}}", "${!Name.Arn}", "${Name.Arn}", "${A", "$", "${}", "${A:-{\"a\":1}}",
	} {
		f.Add(text, "a", "", true)
		f.Add(text, "", "$A", false)
	}
	f.Fuzz(func(t *testing.T, text, a, b string, inSub bool) {
		env := types.Mapping{"A": a, "B": b, "EMPTY": "", "Long_1": "long"}
		withinBudget(t, func() {
			got := substitute(text, env, inSub)
			if got.invalid != "" && !strings.Contains(text, got.invalid) {
				t.Errorf("%q is no piece of %q", got.invalid, text)
			}
			if inSub || got.invalid != "" || len(got.required) > 0 || got.tooLong || beyondCompose(text) {
				return
			}
			want, err := template.Substitute(text, env.Resolve)
			if err == nil && got.text != want {
				t.Errorf("%q: got %q, docker compose makes %q", text, got.text, want)
			}
		})
	})
}

// beyondCompose reports whether a text is one that docker compose's own package cannot read: it
// does not know CloudFormation's placeholders, loses letters of a ${…} that goes on
// over several lines, and does not count a brace right after an opening one.
func beyondCompose(text string) bool {
	if strings.Contains(text, "${AWS::") || strings.Contains(text, "${!") {
		return true
	}
	_, after, braced := strings.Cut(text, "${")
	return braced && (strings.Contains(after, "\n") || strings.Contains(after, "{}") || strings.Contains(after, "{{"))
}
