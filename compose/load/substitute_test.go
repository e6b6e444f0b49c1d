package load

import (
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

var substituteEnv = types.Mapping{"A": "a", "EMPTY": "", "Long_1": "long"}

// What docker compose makes of a text, our own substitution must make of it too.
func TestSubstituteAgreesWithCompose(t *testing.T) {
	for _, text := range []string{
		"", "plain", "$A", "${A}", "$$A", "$$$A", "$", "$1", "a$", "$(date)", "${A}${A}", "x${Long_1}y", "$A.b", "$A-b",
		"${NONE}", "$NONE", "${EMPTY}", "${EMPTY:-d}", "${EMPTY-d}", "${NONE:-d}", "${NONE-d}", "${A:-d}", "${A-d}",
		"${A:+s}", "${A+s}", "${EMPTY:+s}", "${EMPTY+s}", "${NONE:+s}", "${NONE+s}", "${A:?m}", "${A?m}", "${EMPTY?m}",
		"${EMPTY:?m}", "${NONE:?m}", "${NONE?m}", "${NONE:?}", "${NONE:-${A}}", "${NONE:-${NONE:-deep}}", "${NONE:-$A}-$A",
		`${NONE:-{"a":1}}`, "${NONE:-a:b}", "${NONE:--x}", "${NONE:-}", "${NONE:-a b}", "${A:-x}${NONE:-y}z",
		"${", "${}", "${A", "${1}", "${A.B}", "${A:x}", "${A }", "${-x}", "${A:}", "${NONE:-$$}", "${é}", "é$A",
	} {
		want, err := template.Substitute(text, substituteEnv.Resolve)
		got := substitute(text, substituteEnv, false)
		failed := got.invalid != "" || len(got.required) > 0
		if failed != (err != nil) {
			t.Errorf("%q: got failure %v (%+v), compose-go: %v", text, failed, got, err)
			continue
		}
		if !failed && got.text != want {
			t.Errorf("%q: got %q, want %q", text, got.text, want)
		}
	}
}

// What only CloudFormation can fill in must survive; a missing value must be
// known, and only when it is used.
func TestSubstituteCloudFormation(t *testing.T) {
	for _, c := range []struct {
		text, want string
		inSub      bool
		unset      []string
		invalid    string
	}{
		{text: "${AWS::Region}", want: "${AWS::Region}"},
		{text: "$${AWS::Region}", want: "${AWS::Region}"},
		{text: "${AWS::URLSuffix}/${A}", want: "${AWS::URLSuffix}/a"},
		{text: "${aws::region}", invalid: "${aws::region}"},
		{text: "${!Name}", want: "${Name}"},
		{text: "${!Name.Arn}", want: "${Name.Arn}"},
		{text: "${Name.Arn}", invalid: "${Name.Arn}"},
		{text: "${Name.Arn}", inSub: true, want: "${Name.Arn}"},
		{text: "${Name.Endpoint.Port}", inSub: true, want: "${Name.Endpoint.Port}"},
		{text: "${X}", unset: []string{"X"}},
		{text: "${X:-}"},
		{text: "${A:-$X}", want: "a"},
		{text: "${X:-$Y}", unset: []string{"Y"}},
		{text: "${X:-${AWS::Region}}", want: "${AWS::Region}"},
		{text: "${X:-${Y", invalid: "${X:-${Y"},
	} {
		got := substitute(c.text, substituteEnv, c.inSub)
		if got.invalid != c.invalid || !slices.Equal(got.unset, c.unset) || (c.invalid == "" && got.text != c.want) {
			t.Errorf("%q: got %+v, want %+v", c.text, got, c)
		}
	}
}
