package gate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Of are the resources of the types, in all stacks. A type that ends in :: stands
// for all of a service.
func (a *Assembly) Of(types ...string) []*Resource {
	var found []*Resource
	for _, s := range a.Stacks {
		for _, r := range s.Resources {
			if slices.ContainsFunc(types, func(t string) bool {
				return r.Type == t || strings.HasSuffix(t, "::") && strings.HasPrefix(r.Type, t)
			}) {
				found = append(found, r)
			}
		}
	}
	return found
}

// Target is the resource of this assembly that a value refers to, directly or
// through an output of another stack, with the attribute ("" for Ref). It is nil
// where the value is a literal, or refers to something else.
func (s *Stack) Target(value any) (*Resource, string) {
	for range 10 { // outputs of outputs of outputs
		m, ok := value.(map[string]any)
		if !ok || len(m) != 1 {
			return nil, ""
		}
		var next any
		for key, argument := range m {
			switch key {
			case "Ref":
				id, _ := argument.(string)
				return s.byLogical[id], ""
			case "Fn::GetAtt":
				id, attribute := getAtt(argument)
				return s.byLogical[id], attribute
			case "Fn::GetStackOutput":
				s, next = s.assembly.output(at(argument, "StackName"), at(argument, "OutputName"))
			case "Fn::ImportValue":
				s, next = s.assembly.export(argument)
			}
		}
		if next == nil {
			return nil, ""
		}
		value = next
	}
	return nil, ""
}

// getAtt is the logical id and the attribute of Fn::GetAtt, in either spelling.
func getAtt(argument any) (id, attribute string) {
	if joined, ok := argument.(string); ok {
		id, attribute, _ = strings.Cut(joined, ".")
		return id, attribute
	}
	id, _ = at(argument, 0).(string)
	attribute, _ = at(argument, 1).(string)
	return id, attribute
}

func (a *Assembly) output(stack, name any) (*Stack, any) {
	for _, s := range a.Stacks {
		if key, ok := name.(string); ok && s.Name == stack && s.Outputs[key] != nil {
			return s, at(s.Outputs[key], "Value")
		}
	}
	return nil, nil
}

func (a *Assembly) export(name any) (*Stack, any) {
	for _, s := range a.Stacks {
		for _, key := range slices.Sorted(maps.Keys(s.Outputs)) {
			if exported := at(s.Outputs[key], "Export", "Name"); exported != nil && canonical(exported) == canonical(name) {
				return s, at(s.Outputs[key], "Value")
			}
		}
	}
	return nil, nil
}

// at walks down maps by string keys and lists by int ones; nil where there is nothing.
func at(v any, steps ...any) any {
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		default:
			panic(fmt.Sprintf("gate: a step is a key or an index, not %T", step))
		}
	}
	return v
}

// list is a property that is a list, or one item that stands for it.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// canonical is a value as text, for comparison and for messages.
func canonical(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
