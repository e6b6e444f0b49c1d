package gate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// outcomes returns the values of property x of resource A under all conditions, "-"
// where the resource is not there.
func outcomes(t *testing.T, template string) string {
	t.Helper()
	var got []string
	for _, variant := range oneTemplate(t, template).variants() {
		text := "-"
		if r := variant.Stacks[0].byLogical["A"]; r != nil {
			text = canonical(r.Properties["x"])
		}
		got = append(got, text)
	}
	return strings.Join(got, " ")
}

func TestConditionsAreDecided(t *testing.T) {
	with := func(parameters, conditions, resource string) string {
		return `{"Parameters": {` + parameters + `}, "Conditions": {` + conditions + `}, "Resources": {"A": {` + resource + `}}}`
	}
	equals := func(name, value string) string {
		return fmt.Sprintf(`{"Fn::Equals": [{"Ref": %q}, %q]}`, name, value)
	}
	ifC := `"Properties": {"x": {"Fn::If": ["C", "yes", "no"]}}`
	cases := []struct{ name, template, want string }{
		{"no conditions", with(``, ``, `"Properties": {"x": 1}`), "1"},
		{"both branches", with(`"P": {}`, `"C": `+equals("P", "a"), ifC), "yes no"},
		{"the default first", with(`"P": {"Default": "b"}`, `"C": `+equals("P", "a"), ifC), "no yes"},
		{"a number is compared as text", with(`"P": {"Default": 1}`, `"C": `+equals("P", "1"), ifC), "yes no"},
		{"the literal on the left", with(`"P": {}`, `"C": {"Fn::Equals": ["a", {"Ref": "P"}]}`, ifC), "yes no"},
		{"allowed values only", with(`"P": {"AllowedValues": ["b", "c"]}`, `"C": `+equals("P", "a"), ifC), "no"},
		{"all allowed values", with(`"P": {"AllowedValues": ["b", "a"]}`, `"C": `+equals("P", "a"), ifC), "no yes"},
		{"two literals", with(``, `"C": {"Fn::Equals": ["a", "a"]}`, ifC), "yes"},
		{"two parameters", with(`"P": {"Default": "a"}, "Q": {"Default": "b"}`, `"C": {"Fn::Equals": [{"Ref": "P"}, {"Ref": "Q"}]}`, ifC), "no yes"},
		{"not", with(`"P": {}`, `"C": {"Fn::Not": [`+equals("P", "a")+`]}`, ifC), "no yes"},
		{"what excludes each other", with(`"P": {}`, `"D": `+equals("P", "a")+`, "E": `+equals("P", "b")+`, "C": {"Fn::And": [{"Condition": "D"}, {"Condition": "E"}]}`, ifC), "no no no"},
		{"and", with(`"P": {}, "Q": {}`, `"C": {"Fn::And": [`+equals("P", "a")+`, `+equals("Q", "a")+`]}`, ifC), "yes no"},
		{"or", with(`"P": {"Default": "b"}, "Q": {"Default": "b"}`, `"C": {"Fn::Or": [`+equals("P", "a")+`, `+equals("Q", "a")+`]}`, ifC), "no yes"},
		{"a condition of itself does not hold", with(``, `"C": {"Condition": "C"}`, ifC), "no"},
		{"what is no condition does not hold", with(``, `"C": {"Fn::Equals": ["a"]}`, ifC), "no"},
		{"an unknown condition stays", with(`"P": {}`, `"D": `+equals("P", "a"), `"Properties": {"x": {"Fn::If": ["Z", 1, 2]}}`), `{"Fn::If":["Z",1,2]} {"Fn::If":["Z",1,2]}`},
		{"inside out", with(`"P": {}`, `"C": `+equals("P", "a"), `"Properties": {"x": [{"Fn::If": ["C", {"Fn::If": ["C", "yes", "never"]}, "no"]}]}`), `["yes"] ["no"]`},
		{"no value in a list", with(`"P": {}`, `"C": `+equals("P", "a"), `"Properties": {"x": [1, {"Fn::If": ["C", 2, {"Ref": "AWS::NoValue"}]}]}`), `[1,2] [1]`},
		{"no value of a key", with(`"P": {}`, `"C": `+equals("P", "a"), `"Properties": {"x": {"y": {"Fn::If": ["C", 2, {"Ref": "AWS::NoValue"}]}}}`), `{"y":2} {}`},
		{"no value without a condition", with(``, ``, `"Properties": {"x": [{"Ref": "AWS::NoValue"}, 1]}`), `[1]`},
		{"a resource under a condition", with(`"P": {}`, `"C": `+equals("P", "a"), `"Condition": "C", "Properties": {"x": 1}`), `1 -`},
		{"a resource under an unknown condition", with(`"P": {}`, `"D": `+equals("P", "a"), `"Condition": "C", "Properties": {"x": 1}`), `1 1`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := outcomes(t, c.template); got != c.want {
				t.Errorf("want %s, got %s", c.want, got)
			}
		})
	}
}

func TestConditionsKnowTheTarget(t *testing.T) {
	s := &Stack{Region: "eu-west-1", Account: "1", Conditions: map[string]any{
		"R": parse(`{"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}`),
		"A": parse(`{"Fn::Equals": [{"Ref": "AWS::AccountId"}, "1"]}`),
	}}
	truths := s.truths()
	if len(truths) != 1 || truths[0]["R"] || !truths[0]["A"] {
		t.Errorf("the region is not us-east-1 and the account is 1, got %v", truths)
	}
	s.Region, s.Account = "", ""
	if truths := s.truths(); len(truths) != 4 {
		t.Errorf("without a target every combination is possible, got %v", truths)
	}
}

// Up to maxScenarios every combination is looked at, above it one value at a time.
func TestScenariosAreBounded(t *testing.T) {
	for _, c := range []struct{ parameters, want int }{{6, 64}, {7, 8}, {40, 41}} {
		conditions := map[string]any{}
		for i := range c.parameters {
			conditions[fmt.Sprintf("C%02d", i)] = parse(fmt.Sprintf(`{"Fn::Equals": [{"Ref": "P%d"}, "a"]}`, i))
		}
		if got := len((&Stack{Conditions: conditions}).truths()); got != c.want {
			t.Errorf("%d parameters: want %d outcomes, got %d", c.parameters, c.want, got)
		}
	}
}

func TestOutputsUnderConditions(t *testing.T) {
	a := oneTemplate(t, `{"Parameters": {"P": {}}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "a"]}}, "Resources": {}, "Outputs": {"X": {"Condition": "C", "Value": 1}, "Y": {"Value": {"Fn::If": ["C", 1, 2]}}}}`)
	var got []string
	for _, variant := range a.variants() {
		outputs := variant.Stacks[0].Outputs
		got = append(got, fmt.Sprintf("%d %v", len(outputs), at(outputs["Y"], "Value")))
	}
	if !slices.Equal(got, []string{"2 1", "1 2"}) {
		t.Errorf("outputs follow their conditions, got %v", got)
	}
}

// Nested stacks must stay nested, in the parents of the same variant.
func TestVariantsKeepTheirNesting(t *testing.T) {
	for _, variant := range mustRead(t, good(t)).variants() {
		for _, s := range variant.Stacks {
			if s.assembly != variant || (s.parent != nil && !slices.Contains(variant.Stacks, s.parent)) {
				t.Errorf("%s belongs to another variant", s.Path)
			}
			for _, r := range s.Resources {
				if r.Stack != s || s.byLogical[r.LogicalID] != r {
					t.Errorf("%s/%s belongs to another variant", s.Path, r.LogicalID)
				}
			}
		}
	}
}

// A rule must see both values of an Fn::If, and no impossible one.
func TestRulesSeeBothBranches(t *testing.T) {
	template := func(other string) string {
		return `{"Parameters": {"P": {"Default": "a"}}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "a"]}, "D": {"Fn::Equals": [{"Ref": "P"}, "b"]}}, "Resources": {
			"T": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"MinCapacity": {"Fn::If": ["C", 1, 5]}, "MaxCapacity": {"Fn::If": ["` + other + `", 10, 2]}}}}}`
	}
	if got := found(t, "scaling-range", oneTemplate(t, template("D"))); len(got) != 1 {
		t.Errorf("with any other P the minimum is 5 and the maximum 2, got %v", got)
	}
	excluded := strings.Replace(template("D"), `["D", 10, 2]`, `["C", 2, 10]`, 1)
	if got := found(t, "scaling-range", oneTemplate(t, excluded)); len(got) != 0 {
		t.Errorf("no P makes the minimum 5 and the maximum 2, got %v", got)
	}
}
