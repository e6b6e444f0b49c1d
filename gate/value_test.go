package gate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTargetFollowsReferences(t *testing.T) {
	network := `{"Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}}, "Outputs": {"VpcOut": {"Value": {"Ref": "Vpc"}, "Export": {"Name": "net:vpc"}}, "Literal": {"Value": "vpc-1"}, "Again": {"Value": {"Fn::GetStackOutput": {"StackName": "net", "OutputName": "VpcOut"}}}}}`
	app := `{"Parameters": {"P": {}}, "Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "Vpc": {"Type": "Other"},
		"N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "n.nested.template.json"}, "Properties": {"Parameters": {"Passed": {"Fn::GetAtt": ["Q", "Arn"]}, "Plain": "text"}}}}}`
	nested := `{"Parameters": {"Passed": {}, "Plain": {}, "Missing": {}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Topic": {"Value": {"Ref": "T"}}, "Back": {"Value": {"Ref": "Passed"}}}}`
	stack := func(name, environment string) string {
		return fmt.Sprintf(`%q: {"type": "aws:cloudformation:stack", "environment": %q, "properties": {"templateFile": %q}}`, name, environment, name+".json")
	}
	a := mustRead(t, tree(map[string]string{
		"manifest.json": `{"artifacts": {` + stack("net", "aws://1/eu-west-1") + "," + stack("app", "aws://1/eu-west-1") + "," + stack("far", "aws://2/us-east-1") + `}}`,
		"net.json":      network, "app.json": app, "n.nested.template.json": nested, "far.json": `{"Resources": {}}`,
	}))
	by := map[string]*Stack{}
	for _, s := range a.Stacks {
		by[s.Path] = s
	}
	cases := []struct{ in, value, want string }{
		{"app", `{"Ref": "Q"}`, "app/Q."},
		{"app", `{"Fn::GetAtt": ["Q", "Arn"]}`, "app/Q.Arn"},
		{"app", `{"Fn::GetAtt": "Q.Arn"}`, "app/Q.Arn"},
		{"app", `{"Fn::Sub": "${Q}"}`, "app/Q."},
		{"app", `{"Fn::Sub": "${Q.Arn}"}`, "app/Q.Arn"},
		{"app", `{"Fn::Sub": "${Q}-x"}`, ""},
		{"app", `{"Fn::Sub": "x-${Q}"}`, ""},
		{"app", `{"Fn::Sub": "${Q}${Q}"}`, ""},
		{"app", `{"Fn::Sub": "${!Q}"}`, ""},
		{"app", `{"Ref": "P"}`, ""},
		{"app", `{"Ref": "None"}`, ""},
		{"app", `{"Ref": "Q", "Other": 1}`, ""},
		{"app", `"Q"`, ""},
		{"app", `{"Key": "Q"}`, ""},
		{"app", `{"Fn::Join": ["", ["x"]]}`, ""},
		{"app", `{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "VpcOut"}}`, "net/Vpc."},
		{"app", `{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "VpcOut", "Region": "eu-west-1"}}`, "net/Vpc."},
		{"app", `{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "VpcOut", "Region": "us-east-1"}}`, ""},
		{"app", `{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "Again"}}`, "net/Vpc."},
		{"app", `{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "Literal"}}`, ""},
		{"app", `{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "None"}}`, ""},
		{"far", `{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "VpcOut"}}`, "net/Vpc."},
		{"app", `{"Fn::ImportValue": "net:vpc"}`, "net/Vpc."},
		{"app", `{"Fn::ImportValue": "net:none"}`, ""},
		{"far", `{"Fn::ImportValue": "net:vpc"}`, ""},
		{"app", `{"Ref": "N"}`, ""},
		{"app", `{"Fn::GetAtt": ["N", "Outputs.Topic"]}`, "app/N/T."},
		{"app", `{"Fn::GetAtt": "N.Outputs.Back"}`, "app/Q.Arn"},
		{"app", `{"Fn::GetAtt": ["N", "Outputs.None"]}`, ""},
		{"app/N", `{"Ref": "Passed"}`, "app/Q.Arn"},
		{"app/N", `{"Ref": "Plain"}`, ""},
		{"app/N", `{"Ref": "Missing"}`, ""},
		{"app/N", `{"Ref": "Q"}`, ""},
	}
	for _, c := range cases {
		t.Run(c.in+c.value, func(t *testing.T) {
			got := ""
			if r, attribute := by[c.in].Target(parse(c.value)); r != nil {
				got = r.Stack.Path + "/" + r.LogicalID + "." + attribute
			}
			if got != c.want {
				t.Errorf("want %q, got %q", c.want, got)
			}
		})
	}
	for value, want := range map[string]string{`{"Ref": "Plain"}`: "text", `{"Ref": "Missing"}`: `{"Ref":"Missing"}`, `3`: "3", `{"Ref": "Passed"}`: `{"Fn::GetAtt":["Q","Arn"]}`} {
		if got := canonical(by["app/N"].settle(parse(value))); got != want {
			t.Errorf("%s settles to %s, got %s", value, want, got)
		}
	}
	if got := len(a.Of("AWS::SQS::Queue", "AWS::SNS::")); got != 2 {
		t.Errorf("a type, and all types of a service: want 2, got %d", got)
	}
	if got := len(a.Of("AWS::SNS")); got != 0 {
		t.Errorf("a part of a name is no type, got %d", got)
	}
}

// Outputs that refer to each other must not have a target.
func TestTargetEnds(t *testing.T) {
	a := oneTemplate(t, `{"Resources": {}, "Outputs": {"A": {"Value": {"Fn::GetStackOutput": {"StackName": "t", "OutputName": "A"}}}}}`)
	if r, _ := a.Stacks[0].Target(parse(`{"Fn::GetStackOutput": {"StackName": "t", "OutputName": "A"}}`)); r != nil {
		t.Errorf("it leads to no resource, got %v", r)
	}
}

// Of two stacks with one name, the stack of the same account must be chosen.
func TestOutputOfTheSameAccount(t *testing.T) {
	stack := func(id, account string) string {
		return fmt.Sprintf(`%q: {"type": "aws:cloudformation:stack", "displayName": %q, "environment": "aws://%s/eu-west-1", "properties": {"templateFile": %q, "stackName": "net"}}`, id, id, account, id+".json")
	}
	a := mustRead(t, tree(map[string]string{
		"manifest.json": `{"artifacts": {` + stack("a", "1") + "," + stack("b", "2") + `}}`,
		"a.json":        `{"Resources": {"A": {}}, "Outputs": {"O": {"Value": {"Ref": "A"}}}}`,
		"b.json":        `{"Resources": {"B": {}}, "Outputs": {"O": {"Value": {"Ref": "B"}}}}`,
	}))
	for i, want := range []string{"A", "B"} {
		if r, _ := a.Stacks[i].Target(parse(`{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "O"}}`)); r == nil || r.LogicalID != want {
			t.Errorf("stack %s must read its own account's output, got %v", a.Stacks[i].Path, r)
		}
	}
}

func TestPieces(t *testing.T) {
	cases := []struct{ value, want string }{
		{`"a"`, `a`},
		{`1.5`, `1.5`},
		{`true`, `true`},
		{`{"Ref": "A"}`, `?`},
		{`{"Fn::Join": ["-", ["a", {"Ref": "B"}, "c"]]}`, `a-?-c`},
		{`{"Fn::Join": ["", ["a", {"Fn::Join": [",", ["b", "c"]]}]]}`, `ab,c`},
		{`{"Fn::Join": ["", {"Ref": "List"}]}`, ``},
		{`{"Fn::Join": [{"Ref": "By"}, ["a"]]}`, ``},
		{`{"Fn::Join": ["", ["a", ["b"]]]}`, ``},
		{`{"Fn::Sub": "a${B}c${D.E}"}`, `a?c?`},
		{`{"Fn::Sub": "${!a}b"}`, `${a}b`},
		{`{"Fn::Sub": "a${"}`, `a${`},
		{`{"Fn::Sub": ["a${v}b", {"v": "x"}]}`, `axb`},
		{`{"Fn::Sub": ["a${v}b", {"v": ["x"]}]}`, ``},
		{`{"Fn::Sub": [["a"]]}`, ``},
		{`{"Fn::Select": [0, ["a"]]}`, `?`},
		{`{"Fn::Transform": {}}`, ``},
		{`["a"]`, ``},
		{`null`, ``},
	}
	for _, c := range cases {
		got, ok := text(parse(c.value), "?")
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: want %q, got %q, %v", c.value, c.want, got, ok)
		}
	}
}

func TestNumbers(t *testing.T) {
	for value, want := range map[string]float64{`3`: 3, `"3"`: 3, `"0.5"`: 0.5} {
		if got, ok := number(parse(value)); !ok || got != want {
			t.Errorf("%s is %v, got %v, %v", value, want, got, ok)
		}
	}
	for _, value := range []string{`"x"`, `""`, `true`, `{"Ref": "A"}`, `null`} {
		if got, ok := number(parse(value)); ok {
			t.Errorf("%s is no number, got %v", value, got)
		}
	}
}

func TestAt(t *testing.T) {
	v := parse(`{"a": [{"b": 1}]}`)
	if at(v, "a", 0, "b") != 1.0 || at(v, "a", 1) != nil || at(v, "x", 0, "b") != nil || at(v, 0) != nil || at(v, "a", "b") != nil {
		t.Error("at walks down to what is there, and to nil")
	}
	defer func() {
		if recover() == nil {
			t.Error("a step that is neither a key nor an index is a mistake of this package")
		}
	}()
	at(v, 1.5)
}

func TestReferencesOfAValue(t *testing.T) {
	var got []string
	for _, r := range references(parse(`{"b": {"Ref": "B"}, "a": [{"Fn::GetAtt": ["A", "Arn"]}, {"Fn::Sub": ["${v}${ C }${D.Arn}${!x}", {"v": {"Ref": "V"}}]}], "c": {"Ref": 3}, "d": {"Fn::GetAtt": 3}}`)) {
		got = append(got, r.how+" "+r.id+" "+r.attribute)
	}
	want := []string{"Fn::GetAtt A Arn", "Fn::Sub C ", "Fn::Sub D Arn", "Ref V ", "Ref B "}
	if !slices.Equal(got, want) {
		t.Errorf("want %q\ngot  %q", want, got)
	}
}

func TestCycles(t *testing.T) {
	cases := []struct {
		name  string
		edges map[string]string
		want  string
	}{
		{"none", map[string]string{"a": "bc", "b": "c"}, ""},
		{"itself", map[string]string{"a": "a"}, "a"},
		{"two", map[string]string{"a": "b", "b": "a"}, "ab"},
		{"behind others", map[string]string{"a": "b", "b": "c", "c": "b"}, "bc"},
		{"two loops", map[string]string{"a": "b", "b": "a", "c": "d", "d": "c"}, "ab cd"},
		{"loops that share a node", map[string]string{"a": "bc", "b": "a", "c": "a"}, "ab"},
		{"an end that is reached twice", map[string]string{"a": "bc", "b": "d", "c": "d"}, ""},
	}
	for _, c := range cases {
		var got []string
		for _, cycle := range cycles([]string{"a", "b", "c", "d"}, func(n string) []string { return strings.Split(c.edges[n], "")[:len(c.edges[n])] }) {
			got = append(got, strings.Join(cycle, ""))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: want %q, got %q", c.name, c.want, text)
		}
	}
}

func TestCyclesAreNamed(t *testing.T) {
	got := found(t, "reference-cycle", oneTemplate(t, `{"Resources": {"A": {"Properties": {"x": {"Ref": "B"}}}, "B": {"DependsOn": "C"}, "C": {"Properties": {"x": {"Fn::Sub": "${A.Arn}"}}}, "D": {"DependsOn": "A"}}}`))
	if want := []string{"A: it waits for itself: A -> B -> C -> A"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
	got = found(t, "reference-cycle", oneTemplate(t, `{"Resources": {"A": {"Properties": {"x": {"Fn::ImportValue": "e"}}}}, "Outputs": {"O": {"Value": "1", "Export": {"Name": "e"}}}}`))
	if want := []string{": it waits for its own outputs: t -> t"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestOutputsOfOtherStacks(t *testing.T) {
	files := func(reads string) map[string]string {
		return map[string]string{
			"net.template.json": `{"Resources": {}, "Outputs": {"O": {"Value": "1", "Export": {"Name": "net:o"}}}}`,
			"app.template.json": `{"Resources": {"A": {"Type": "X", "Properties": {"x": ` + reads + `}}}, "Outputs": {"P": {"Value": ` + reads + `}}}`,
		}
	}
	for reads, want := range map[string]string{
		`{"Fn::ImportValue": "net:o"}`:                                             "",
		`{"Fn::ImportValue": "net:p"}`:                                             `: output P: it imports "net:p", which stack net does not export; A: it imports "net:p", which stack net does not export`,
		`{"Fn::ImportValue": "other:p"}`:                                           "",
		`{"Fn::ImportValue": "net"}`:                                               "",
		`{"Fn::ImportValue": {"Fn::Sub": "net:${AWS::Region}"}}`:                   "",
		`{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "O"}}`:          "",
		`{"Fn::GetStackOutput": {"StackName": "net", "OutputName": "P"}}`:          `: output P: it reads the output "P" of stack net, which has no such output; A: it reads the output "P" of stack net, which has no such output`,
		`{"Fn::GetStackOutput": {"StackName": "other", "OutputName": "P"}}`:        "",
		`{"Fn::GetStackOutput": {"StackName": "net", "OutputName": {"Ref": "A"}}}`: "",
	} {
		if got := strings.Join(found(t, "output-unknown", mustRead(t, tree(files(reads)))), "; "); got != want {
			t.Errorf("%s:\nwant %s\ngot  %s", reads, want, got)
		}
	}
}

// A listener in another stack must count as created before the service, unless its stack
// reads outputs of the service's.
func TestListenersOfOtherStacks(t *testing.T) {
	lb := func(target string) string {
		return `{"Resources": {"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"DefaultActions": [{"TargetGroupArn": ` + target + `}]}},
			"G": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup"}}, "Outputs": {"G": {"Value": {"Ref": "G"}}}}`
	}
	app := func(target string) string {
		return `{"Resources": {"S": {"Type": "AWS::ECS::Service", "Properties": {"LoadBalancers": [{"TargetGroupArn": ` + target + `}]}},
			"G": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup"}}, "Outputs": {"G": {"Value": {"Ref": "G"}}}}`
	}
	of := func(stack string) string {
		return `{"Fn::GetStackOutput": {"StackName": "` + stack + `", "OutputName": "G"}}`
	}
	const own = `{"Ref": "G"}`
	for _, c := range []struct {
		name, lb, app string
		want          int
	}{
		{"group and listener elsewhere", lb(own), app(of("lb")), 0},
		{"group elsewhere, attached nowhere", strings.Replace(lb(own), `"AWS::ElasticLoadBalancingV2::Listener"`, `"X"`, 1), app(of("lb")), 0},
		{"listener elsewhere, after the service", lb(of("app")), app(own), 1},
	} {
		if got := found(t, "listener-order", mustRead(t, tree(map[string]string{"lb.template.json": c.lb, "app.template.json": c.app}))); len(got) != c.want {
			t.Errorf("%s: want %d findings, got %v", c.name, c.want, got)
		}
	}
}

// A service that waits for a nested stack must count as waiting for its resources.
func TestListenersOfNestedStacks(t *testing.T) {
	outer := func(dependsOn string) string {
		return `{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "n.nested.template.json"}, "Properties": {"Parameters": {"G": {"Ref": "G"}}}},
			"G": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup"},
			"S": {"Type": "AWS::ECS::Service", "DependsOn": ["` + dependsOn + `"], "Properties": {"LoadBalancers": [{"TargetGroupArn": {"Ref": "G"}}]}}}}`
	}
	inner := `{"Parameters": {"G": {}}, "Resources": {"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"DefaultActions": [{"TargetGroupArn": {"Ref": "G"}}]}}}}`
	for on, want := range map[string]int{"N": 0, "G": 1} {
		a := mustRead(t, tree(map[string]string{"o.template.json": outer(on), "n.nested.template.json": inner}))
		if got := found(t, "listener-order", a); len(got) != want {
			t.Errorf("waiting for %s: want %d findings, got %v", on, want, got)
		}
	}
}
