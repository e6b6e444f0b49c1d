package gate

import (
	"testing"
	"testing/fstest"
)

// A value must be spelled the same in all references to it, and unknown values must differ.
func TestSpelling(t *testing.T) {
	a := mustRead(t, fstest.MapFS{
		"manifest.json": {Data: []byte(`{"artifacts": {
			"one": {"type": "aws:cloudformation:stack", "displayName": "shop/One", "environment": "aws://111111111111/eu-west-1", "properties": {"templateFile": "one.json", "stackName": "one"}},
			"two": {"type": "aws:cloudformation:stack", "displayName": "shop/Two", "properties": {"templateFile": "two.json", "stackName": "two"}}
		}}`)},
		"one.json": {Data: []byte(`{"Resources": {"R": {"Type": "Custom::R"}}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["R", "Arn"]}}}}`)},
		"two.json": {Data: []byte(`{"Resources": {"Q": {"Type": "Custom::Q"}}}`)},
	})
	one, two := a.Stacks[0], a.Stacks[1]
	for _, c := range []struct {
		in    *Stack
		value string
		want  string
	}{
		{one, `"plain"`, "plain"},
		{one, `8080`, "8080"},
		{one, `true`, "true"},
		{one, `{"Ref": "R"}`, "${shop/One/R}"},
		{one, `{"Fn::GetAtt": ["R", "Arn"]}`, "${shop/One/R.Arn}"},
		{one, `{"Fn::GetAtt": "R.Arn"}`, "${shop/One/R.Arn}"},
		{two, `{"Fn::GetStackOutput": {"StackName": "one", "OutputName": "Arn"}}`, "${shop/One/R.Arn}"},
		{two, `{"Fn::ImportValue": "nowhere:x/y"}`, "${(\"Fn==ImportValue\"=\"nowhere=x|y\")}"},
		{one, `{"Ref": "AWS::AccountId"}`, "111111111111"},
		{one, `{"Ref": "AWS::Region"}`, "eu-west-1"},
		{two, `{"Ref": "AWS::AccountId"}`, "${AccountId}"},
		{two, `{"Ref": "AWS::Region"}`, "${Region}"},
		{one, `{"Ref": "AWS::Partition"}`, "${Partition}"},
		{one, `{"Ref": "Parameter"}`, "${Parameter}"},
		{one, `{"Fn::Join": ["-", ["a", {"Ref": "R"}, 3]]}`, "a-${shop/One/R}-3"},
		{one, `{"Fn::Join": [",", {"Ref": "List"}]}`, `${("Fn==Join"=[",",("Ref"="List")])}`},
		{one, `{"Fn::Sub": "a ${R} ${R.Arn} ${AWS::Region} ${!R} ${P}"}`, "a ${shop/One/R} ${shop/One/R.Arn} eu-west-1 ${R} ${P}"},
		{one, `{"Fn::Sub": ["${Own} ${R}", {"Own": {"Ref": "AWS::Region"}}]}`, "eu-west-1 ${shop/One/R}"},
		{one, `{"Fn::Select": [0, ["a"]]}`, `${("Fn==Select"=[0,["a"]])}`},
		{one, `{"a": "b"}`, `${("a"="b")}`},
	} {
		if got := c.in.text(parse(c.value)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.value, got, c.want)
		}
	}
}

func TestEach(t *testing.T) {
	v := parse(`{"a": [{"b": [1, 2]}, {"b": 3}, {"c": 4}, "d"]}`)
	if got := canonical(each(v, "a", "b")); got != "[1,2,3]" {
		t.Errorf("got %s", got)
	}
	if got := each(v, "x", "b"); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"sqs:*", "sqs:sendmessage", true},
		{"*", "", true},
		{"sqs:send?", "sqs:sends", true},
		{"sqs:send?", "sqs:send", false},
		{"a.c", "abc", false},
		{"b", "abc", false},
		{"a*", "a\nb", true},
	} {
		if got := matches(c.pattern, c.text); got != c.want {
			t.Errorf("%s %q: %v", c.pattern, c.text, got)
		}
	}
}
