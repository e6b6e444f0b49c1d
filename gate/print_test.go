package gate

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// someFindings returns a report of a finding on a resource, on one with a construct path,
// and on a stack; the last one is accepted.
func someFindings(t *testing.T) *Report {
	t.Helper()
	a := mustRead(t, tree(map[string]string{
		"a b.template.json": "{\"Description\": \"" + strings.Repeat("x", 1025) + "\", \"Resources\": {\n\"A\": {\"Properties\": {\"x\": {\"Ref\": \"Y\"}}},\n\"B\": {\"DependsOn\": \"Z\", \"Metadata\": {\"aws:cdk:path\": \"app/B/Resource\"}}}}",
	}))
	report := &Report{}
	report.Add("out/", a)
	if err := Accept(report.Findings, []Acceptance{{Rule: "description-size", At: "a b", Reason: "it is a novel"}}); err != nil {
		t.Fatal(err)
	}
	report.Rules = 2
	return report
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := someFindings(t).Text(&b); err != nil {
		t.Fatal(err)
	}
	want := `out/a b.template.json:2: a b/A: Ref names "Y", which is neither a resource nor a parameter of the template [reference-unresolved]
out/a b.template.json:3: app/B: DependsOn names "Z", which is no resource of the template [reference-unresolved]
1 stack, 2 resources, 2 rules: 2 findings, 1 accepted
`
	if b.String() != want {
		t.Errorf("want\n%s\ngot\n%s", want, b.String())
	}
	b.Reset()
	if err := (&Report{Stacks: 2, Resources: 1, Rules: 1, Findings: []Finding{{File: "f", Stack: "s", Rule: "r", Message: "m"}}}).Text(&b); err != nil {
		t.Fatal(err)
	}
	if want := "f: s: m [r]\n2 stacks, 1 resource, 1 rule: 1 finding\n"; b.String() != want {
		t.Errorf("want %q, got %q", want, b.String())
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := someFindings(t).JSON(&b); err != nil {
		t.Fatal(err)
	}
	got := parse(b.String())
	if len(list(at(got, "findings"))) != 3 || at(got, "stacks") != 1.0 || at(got, "resources") != 2.0 || at(got, "findings", 0, "accepted") != "it is a novel" ||
		at(got, "findings", 1, "line") != 2.0 || at(got, "findings", 1, "resource") != "A" || at(got, "findings", 2, "construct") != "app/B" {
		t.Errorf("the report must hold all, got %s", b.String())
	}
	b.Reset()
	if err := (&Report{}).JSON(&b); err != nil {
		t.Fatal(err)
	}
	if findings, ok := at(parse(b.String()), "findings").([]any); !ok || len(findings) != 0 {
		t.Errorf("no findings are an empty list, got %s", b.String())
	}
}

// The schema asks for what SARIF 2.1.0 does; what code hosts ask for is asserted here.
func TestSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := someFindings(t).SARIF(&b); err != nil {
		t.Fatal(err)
	}
	got := parse(b.String())
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile("testdata/sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(got); err != nil {
		t.Errorf("it must be SARIF 2.1.0: %v", err)
	}
	rules := list(at(got, "runs", 0, "tool", "driver", "rules"))
	if len(rules) != len(Rules) {
		t.Errorf("all rules must be listed, got %d of %d", len(rules), len(Rules))
	}
	for i, rule := range Rules {
		uri := at(rules[i], "helpUri")
		if at(rules[i], "id") != rule.ID || at(rules[i], "shortDescription", "text") != rule.Summary || at(rules[i], "help", "text") != rule.Source ||
			(uri != nil) != strings.HasPrefix(rule.Source, "https://") {
			t.Errorf("rule %s is described as %v", rule.ID, rules[i])
		}
	}
	results := list(at(got, "runs", 0, "results"))
	if len(results) != 3 {
		t.Fatalf("want 3 results, got %d", len(results))
	}
	for _, r := range results {
		if index, ok := at(r, "ruleIndex").(float64); !ok || at(rules[int(index)], "id") != at(r, "ruleId") {
			t.Errorf("a result must point to its rule, got %v", r)
		}
		if at(r, "level") != "error" || at(r, "message", "text") == "" || at(r, "locations", 0, "physicalLocation", "artifactLocation", "uri") != "out/a%20b.template.json" {
			t.Errorf("a result must have a level, a message and its template, got %v", r)
		}
	}
	if at(results[0], "suppressions", 0, "justification") != "it is a novel" || at(results[0], "locations", 0, "physicalLocation", "region") != nil {
		t.Errorf("an accepted finding is suppressed, and one of a stack has no line, got %v", results[0])
	}
	if at(results[1], "suppressions") != nil || at(results[1], "locations", 0, "physicalLocation", "region", "startLine") != 2.0 ||
		at(results[1], "locations", 0, "logicalLocations", 0, "fullyQualifiedName") != "a b/A" || at(results[2], "locations", 0, "logicalLocations", 0, "fullyQualifiedName") != "app/B" {
		t.Errorf("a result has the line and the place of its resource, got %v", results[1:])
	}
	b.Reset()
	if err := (&Report{}).SARIF(&b); err != nil {
		t.Fatal(err)
	}
	if results, ok := at(parse(b.String()), "runs", 0, "results").([]any); !ok || len(results) != 0 {
		t.Errorf("no results are an empty list, got %s", b.String())
	}
}

func TestAcceptancesAreRead(t *testing.T) {
	got, err := Acceptances([]byte("- rule: privileged\n  at: shop/*/agent*\n  reason: it is one\n- {rule: host-namespace, at: a, reason: b}\n"))
	if err != nil || len(got) != 2 || got[0].At != "shop/*/agent*" || got[0].Reason != "it is one" || got[1].line != 4 {
		t.Errorf("want two, got %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		`{rule: privileged}`: "it must be a list",
		`- [`:                "it must be a list",
		"- {rule: privileged, at: a, reason: b, because: c}": "line 1: it must have rule, at and reason, and nothing else",
		"- {rule: priviledged, at: a, reason: b}":            `line 1: "priviledged" is not the id of a rule`,
		"\n- {rule: privileged, at: a}":                      "line 2: a reason is missing",
		"- {rule: privileged, at: a, reason: ' '}":           "line 1: a reason is missing",
		"- {rule: privileged, reason: a}":                    "line 1: at must be",
		"- {rule: privileged, at: '[', reason: a}":           "line 1: at must be",
	} {
		if _, err := Acceptances([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error with %q, got %v", text, want, err)
		}
	}
}

func TestAccept(t *testing.T) {
	findings := func() []Finding {
		return []Finding{
			{Rule: "privileged", Stack: "shop/Services", Resource: "web123", Construct: "shop/Services/web/Task"},
			{Rule: "privileged", Stack: "shop/Services", Resource: "api123", Construct: "shop/Services/api/Task"},
			{Rule: "template-size", Stack: "shop/Services"},
		}
	}
	for _, c := range []struct {
		rule, at string
		want     int
	}{
		{"privileged", "shop/Services/web123", 1},
		{"privileged", "shop/Services/web/Task", 1},
		{"privileged", "shop/*/*/Task", 2},
		{"privileged", "shop/Services/???123", 2},
		{"template-size", "shop/Services", 1},
		{"template-size", "shop/Services/web123", 0},
		{"privileged", "web123", 0},
		{"privileged", "*", 0},
	} {
		report := &Report{Findings: findings()}
		err := Accept(report.Findings, []Acceptance{{Rule: c.rule, At: c.at, Reason: "r", line: 7}})
		if report.Accepted() != c.want || report.Open() != 3-c.want || (err == nil) != (c.want > 0) {
			t.Errorf("%s at %s: want %d accepted, got %d, %v", c.rule, c.at, c.want, report.Accepted(), err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "line 7: ") {
			t.Errorf("an error must name the line, got %v", err)
		}
	}
}
