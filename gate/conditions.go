package gate

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A template with conditions stands for several plain templates: each resource exists or
// not, and each Fn::If has one value or the other. The rules see these templates one by one,
// so that no rule has to know of conditions, and none reports a template that no parameter
// values can produce.

// maxScenarios limits the combinations of parameter values. Above it, parameters vary one at
// a time.
const maxScenarios = 64

// variants returns one assembly for each outcome of the conditions of its stacks. Stacks
// vary side by side: the parameters of one stack do not limit the values in another.
func (a *Assembly) variants() []*Assembly {
	truths := make([][]map[string]bool, len(a.Stacks))
	most := 1
	for i, s := range a.Stacks {
		truths[i] = s.truths()
		most = max(most, len(truths[i]))
	}
	var found []*Assembly
	for n := range most {
		variant := &Assembly{images: a.images}
		of := map[*Stack]*Stack{}
		for i, s := range a.Stacks {
			of[s] = s.under(truths[i][n%len(truths[i])], variant)
			variant.Stacks = append(variant.Stacks, of[s])
		}
		for _, s := range variant.Stacks {
			s.parent = of[s.parent]
		}
		found = append(found, variant)
	}
	return found
}

// under returns the stack with the conditions decided.
func (s *Stack) under(truth map[string]bool, a *Assembly) *Stack {
	decided := *s
	decided.assembly, decided.Resources, decided.byLogical = a, nil, map[string]*Resource{}
	choice := choice{stack: s, truth: truth}
	holds := func(condition string) bool { is, known := truth[condition]; return is || !known }
	for _, r := range s.Resources {
		if r.Condition != "" && !holds(r.Condition) {
			continue
		}
		copied := *r
		copied.Stack, copied.needed = &decided, nil
		copied.Properties, _ = choice.choose(r.Properties).(map[string]any)
		decided.Resources = append(decided.Resources, &copied)
		decided.byLogical[r.LogicalID] = &copied
	}
	decided.Outputs = map[string]any{}
	for name, output := range s.Outputs {
		if condition, ok := at(output, "Condition").(string); !ok || holds(condition) {
			decided.Outputs[name] = choice.choose(output)
		}
	}
	return &decided
}

// absent stands for {"Ref": "AWS::NoValue"} until choose drops the property around it.
type absent struct{}

// choice evaluates the values of a stack after its conditions are decided.
type choice struct {
	stack *Stack
	truth map[string]bool
}

// choose replaces each Fn::If by its value, drops AWS::NoValue, and evaluates each function
// whose result is known before deployment.
func (c choice) choose(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v["Ref"] == "AWS::NoValue" {
			return absent{}
		}
		if branches, ok := v["Fn::If"].([]any); ok && len(v) == 1 && len(branches) == 3 {
			if is, known := c.truth[canonical(branches[0])]; known {
				return c.choose(branches[map[bool]int{true: 1, false: 2}[is]])
			}
		}
		chosen := make(map[string]any, len(v))
		for key, value := range v {
			if value = c.choose(value); value != (absent{}) {
				chosen[key] = value
			}
		}
		return c.stack.fold(chosen)
	case []any:
		chosen := make([]any, 0, len(v))
		for _, value := range v {
			if value = c.choose(value); value != (absent{}) {
				chosen = append(chosen, value)
			}
		}
		return chosen
	default:
		return v
	}
}

// fold evaluates a function whose result is known before deployment: a text of literal
// parts, a value of a mapping, the default of a parameter.
func (s *Stack) fold(v map[string]any) any {
	name, argument, _ := function(v)
	switch name {
	case "Ref":
		if text, ok := s.given(word(argument)); ok {
			return text
		}
	case "Fn::Join", "Fn::Sub":
		if text, ok := s.whole(v); ok {
			return text
		}
	case "Fn::Base64":
		if text, ok := literal(argument); ok {
			return text // the plain text: rules read it, not its encoding
		}
	case "Fn::FindInMap":
		if found := s.lookUp(list(argument)); found != nil {
			return found
		}
	}
	return v
}

// given returns the value of a parameter unless the deployment overrides it: a value passed
// to a nested stack, or the default. It returns none for parameters that conditions compare,
// since these vary, and for empty defaults.
func (s *Stack) given(name string) (string, bool) {
	parameter := s.Parameters[name]
	kind := at(parameter, "Type")
	if parameter == nil || kind != "String" && kind != "Number" || yes(at(parameter, "NoEcho")) || s.compares(name) {
		return "", false
	}
	if _, passed := s.through(name, ""); passed != nil {
		return literal(passed)
	}
	text, ok := literal(at(parameter, "Default"))
	return text, ok && text != ""
}

// compares reports whether a condition depends on a parameter.
func (s *Stack) compares(parameter string) bool {
	return slices.ContainsFunc(references(s.Conditions), func(r reference) bool { return r.id == parameter })
}

// whole joins the pieces of a text if all of them are known.
func (s *Stack) whole(v any) (string, bool) {
	parts, ok := pieces(v)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, part := range parts {
		text, isText := part.(string)
		if !isText {
			if text, isText = s.given(word(at(part, "Ref"))); !isText {
				return "", false
			}
		}
		b.WriteString(text)
	}
	return b.String(), !strings.Contains(b.String(), "${")
}

// lookUp returns the value of a mapping, nil if a key is not known.
func (s *Stack) lookUp(keys []any) any {
	path := make([]any, 0, len(keys))
	for _, key := range keys {
		text, ok := literal(key)
		if !ok && at(key, "Ref") == "AWS::Region" {
			text, ok = s.Region, s.Region != ""
		}
		if !ok {
			return nil
		}
		path = append(path, text)
	}
	return at(s.Mappings, path...)
}

// truths returns the distinct outcomes of the conditions of a stack.
func (s *Stack) truths() []map[string]bool {
	if len(s.Conditions) == 0 {
		return []map[string]bool{nil}
	}
	var found []map[string]bool
	for _, values := range s.scenarios() {
		truth := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(s.Conditions)) {
			s.holds(name, values, truth)
		}
		if !slices.ContainsFunc(found, func(seen map[string]bool) bool { return maps.Equal(seen, truth) }) {
			found = append(found, truth)
		}
	}
	return found
}

// holds reports whether the condition called name is true, and records in truth all
// conditions that it decides. A condition that refers to itself is false.
func (s *Stack) holds(name string, values map[string]string, truth map[string]bool) bool {
	if is, known := truth[name]; known {
		return is
	}
	truth[name] = false
	truth[name] = s.decide(s.Conditions[name], values, truth)
	return truth[name]
}

func (s *Stack) decide(v any, values map[string]string, truth map[string]bool) bool {
	if name, ok := at(v, "Condition").(string); ok {
		return s.holds(name, values, truth)
	}
	decide := func(v any) bool { return s.decide(v, values, truth) }
	if sides, ok := at(v, "Fn::Equals").([]any); ok && len(sides) == 2 {
		return value(sides[0], values) == value(sides[1], values)
	}
	if not, ok := at(v, "Fn::Not").([]any); ok && len(not) == 1 {
		return !decide(not[0])
	}
	if all, ok := at(v, "Fn::And").([]any); ok {
		return !slices.ContainsFunc(all, func(v any) bool { return !decide(v) })
	}
	either, _ := at(v, "Fn::Or").([]any)
	return slices.ContainsFunc(either, decide)
}

// value evaluates one side of Fn::Equals.
func value(v any, values map[string]string) string {
	if text, ok := literal(v); ok {
		return text
	}
	return values[canonical(v)]
}

// otherwise is a parameter value that no condition compares with.
const otherwise = "\x00"

// scenarios returns combinations of values for the parameters and other operands that the
// conditions compare.
func (s *Stack) scenarios() []map[string]string {
	candidates := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Conditions)) {
		s.compared(s.Conditions[name], candidates)
	}
	keys := slices.Sorted(maps.Keys(candidates))
	first, combinations := map[string]string{}, 1
	for _, key := range keys {
		first[key] = candidates[key][0]
		combinations = min(combinations*len(candidates[key]), maxScenarios+1)
	}
	found := []map[string]string{first}
	for _, key := range keys {
		start := found
		if combinations > maxScenarios {
			start = []map[string]string{first}
		}
		for _, values := range start {
			for _, other := range candidates[key][1:] {
				varied := maps.Clone(values)
				varied[key] = other
				found = append(found, varied)
			}
		}
	}
	return found
}

// compared collects the values that each side of an Fn::Equals may have, the
// likeliest first.
func (s *Stack) compared(v any, candidates map[string][]string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			s.compared(item, candidates)
		}
	case map[string]any:
		sides, ok := v["Fn::Equals"].([]any)
		if !ok || len(sides) != 2 {
			for _, key := range slices.Sorted(maps.Keys(v)) {
				s.compared(v[key], candidates)
			}
			return
		}
		for i, side := range sides {
			if _, ok := literal(side); ok {
				continue
			}
			key := canonical(side)
			known, fixed := s.known(side)
			values := slices.Concat(known, candidates[key])
			if other, ok := literal(sides[1-i]); ok && !fixed {
				values = append(values, other)
			}
			if !fixed {
				values = append(slices.DeleteFunc(values, func(text string) bool { return text == otherwise }), otherwise)
			}
			candidates[key] = unique(values)
		}
	}
}

// known returns the values that the template or the target allows for a reference; fixed is
// true if there are no others.
func (s *Stack) known(v any) (values []string, fixed bool) {
	name, _ := at(v, "Ref").(string)
	if pseudo := map[string]string{"AWS::Region": s.Region, "AWS::AccountId": s.Account}[name]; pseudo != "" {
		return []string{pseudo}, true
	}
	if text, ok := literal(at(s.Parameters[name], "Default")); ok {
		values = append(values, text)
	}
	allowed, _ := at(s.Parameters[name], "AllowedValues").([]any)
	for _, v := range allowed {
		if text, ok := literal(v); ok {
			values = append(values, text)
		}
	}
	return values, len(allowed) > 0 && len(values) > 0
}

func unique[T cmp.Ordered](values []T) []T {
	seen := map[T]bool{}
	return slices.DeleteFunc(slices.Clone(values), func(v T) bool {
		was := seen[v]
		seen[v] = true
		return was
	})
}

// literal returns the text that CloudFormation makes of a scalar.
func literal(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	default:
		return "", false
	}
}
