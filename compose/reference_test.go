package compose

import (
	"slices"
	"testing"
)

// A text must be split at its references and pseudo parameters, and written out
// again as the file had it.
func TestParseText(t *testing.T) {
	ref := func(key, name, attribute string) Part { return Part{Ref: &Ref{key, name, attribute}} }
	for _, c := range []struct {
		text    string
		want    Text
		written string // where it differs
	}{
		{"", nil, ""},
		{"plain", Text{{Literal: "plain"}}, ""},
		{"x-sqs::orders", Text{ref("x-sqs", "orders", "")}, ""},
		{"x-sqs::orders::Arn", Text{ref("x-sqs", "orders", "Arn")}, ""},
		{"to x-sqs::orders", Text{{Literal: "to x-sqs::orders"}}, ""},
		{"to x-sqs::orders::Arn-x", Text{{Literal: "to "}, ref("x-sqs", "orders", "Arn"), {Literal: "-x"}}, ""},
		{"x-a::b::Endpoint.Port/x-a::c::Arn", Text{ref("x-a", "b", "Endpoint.Port"), {Literal: "/"}, ref("x-a", "c", "Arn")}, ""},
		{"${AWS::Region}", Text{{Pseudo: "AWS::Region"}}, ""},
		{"a${AWS::Region}b", Text{{Literal: "a"}, {Pseudo: "AWS::Region"}, {Literal: "b"}}, ""},
		{"x-aws::AWS::Region", Text{{Pseudo: "AWS::Region"}}, "${AWS::Region}"},
	} {
		got := ParseText(c.text)
		same := slices.EqualFunc(got, c.want, func(a, b Part) bool {
			if a.Ref != nil && b.Ref != nil {
				return *a.Ref == *b.Ref
			}
			return a == b
		})
		if !same {
			t.Errorf("%q: got %+v, want %+v", c.text, got, c.want)
		}
		if c.written == "" {
			c.written = c.text
		}
		if got.String() != c.written {
			t.Errorf("%q is written as %q", c.text, got.String())
		}
	}
}
