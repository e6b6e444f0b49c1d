package gate

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Of returns the resources of some types, in all stacks. A type with a final :: stands for
// all types of a service.
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

// Target returns the resource of this assembly that a value refers to, directly or through
// an output of another stack or a parameter of a nested stack, with the attribute ("" for
// Ref). It returns nil for a literal and for any other reference.
func (s *Stack) Target(value any) (*Resource, string) {
	for range 20 { // outputs of outputs of outputs
		key, argument, ok := function(value)
		if !ok {
			return nil, ""
		}
		var next any
		switch key {
		case "Ref", "Fn::GetAtt", "Fn::Sub":
			id, attribute := referred(key, argument)
			if s.nested(id) == nil && s.byLogical[id] != nil {
				return s.byLogical[id], attribute
			}
			s, next = s.through(id, attribute)
		case "Fn::GetStackOutput":
			s, next = s.output(argument)
		case "Fn::ImportValue":
			s, next = s.export(argument)
		}
		if next == nil {
			return nil, ""
		}
		value = next
	}
	return nil, ""
}

// function returns the name and the argument if v is a call of an intrinsic function.
func function(v any) (name string, argument any, ok bool) {
	m, _ := v.(map[string]any)
	if len(m) != 1 {
		return "", nil, false
	}
	for name, argument = range m {
		return name, argument, name == "Ref" || strings.HasPrefix(name, "Fn::")
	}
	return "", nil, false
}

// referred returns the logical id and the attribute of a Ref, an Fn::GetAtt in either
// spelling, or an Fn::Sub of one variable.
func referred(function string, argument any) (id, attribute string) {
	text, isText := argument.(string)
	switch {
	case function == "Fn::Sub":
		text, opens := strings.CutPrefix(text, "${")
		text, closes := strings.CutSuffix(text, "}")
		if !opens || !closes || strings.ContainsAny(text, "${}!") {
			return "", ""
		}
		id, attribute, _ = strings.Cut(text, ".")
	case function == "Ref":
		id = text
	case isText:
		id, attribute, _ = strings.Cut(text, ".")
	default:
		id, _ = at(argument, 0).(string)
		attribute, _ = at(argument, 1).(string)
	}
	return id, attribute
}

// through follows a parameter of a nested stack up, or an output of a nested stack down.
func (s *Stack) through(id, attribute string) (*Stack, any) {
	if nested := s.nested(id); nested != nil {
		name, _ := strings.CutPrefix(attribute, "Outputs.")
		return nested, at(nested.Outputs[name], "Value")
	}
	if s.parent == nil || s.Parameters[id] == nil || s.parent.byLogical[s.Name] == nil {
		return nil, nil
	}
	return s.parent, at(s.parent.byLogical[s.Name].Properties, "Parameters", id)
}

// nested returns the nested stack of a resource, nil if the resource is none.
func (s *Stack) nested(id string) *Stack {
	if r := s.byLogical[id]; r == nil || r.Type != nestedStack {
		return nil
	}
	for _, other := range s.assembly.Stacks {
		if other.parent == s && other.Name == id {
			return other
		}
	}
	return nil
}

// output returns the output that an Fn::GetStackOutput names, with its stack.
func (s *Stack) output(argument any) (*Stack, any) {
	name, _ := at(argument, "OutputName").(string)
	for _, other := range s.named(argument) {
		if other.Outputs[name] != nil {
			return other, at(other.Outputs[name], "Value")
		}
	}
	return nil, nil
}

// named returns the stacks that Fn::GetStackOutput can mean: by name, and by region if both
// are known. Stacks of the same account come first.
func (s *Stack) named(argument any) []*Stack {
	region, _ := literal(at(argument, "Region"))
	var same, others []*Stack
	for _, other := range s.assembly.Stacks {
		switch {
		case other.parent != nil || other.Name != at(argument, "StackName"):
		case region != "" && other.Region != "" && region != other.Region:
		case other.Account == s.Account:
			same = append(same, other)
		default:
			others = append(others, other)
		}
	}
	return append(same, others...)
}

// export returns the output that an Fn::ImportValue names, with its stack. Exports belong to
// one account and region.
func (s *Stack) export(name any) (*Stack, any) {
	for _, other := range s.assembly.Stacks {
		if other.Account != s.Account || other.Region != s.Region {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(other.Outputs)) {
			if exported := at(other.Outputs[key], "Export", "Name"); exported != nil && other.text(exported) == s.text(name) {
				return other, at(other.Outputs[key], "Value")
			}
		}
	}
	return nil, nil
}

// at follows keys of maps and indices of lists; it returns nil if a step does not exist.
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

// list returns a property that is a list, or a single item as a list.
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

func word(v any) string {
	text, _ := v.(string)
	return text
}

// number returns a literal number, which CloudFormation also takes as text.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	default:
		return 0, false
	}
}

// yes reports whether a property is literally true, which CloudFormation also takes as text.
func yes(v any) bool {
	text, _ := literal(v)
	return strings.EqualFold(text, "true")
}

// canonical returns a value as text, for comparison and for messages.
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

// settle replaces a reference to a parameter of a nested stack by the value passed to it.
func (s *Stack) settle(v any) any {
	for range 20 {
		id, ok := at(v, "Ref").(string)
		if !ok {
			return v
		}
		up, passed := s.through(id, "")
		if passed == nil {
			return v
		}
		s, v = up, passed
	}
	return v
}

// pieces splits a text into literal strings and parts that are known only when deployed; ok
// is false for any other value.
func pieces(v any) (parts []any, ok bool) {
	if text, ok := literal(v); ok {
		return []any{text}, true
	}
	name, argument, _ := function(v)
	switch name {
	case "Fn::Join":
		items, isList := at(argument, 1).([]any)
		by, isText := at(argument, 0).(string)
		if !isList || !isText {
			return nil, false
		}
		for i, item := range items {
			if i > 0 && by != "" {
				parts = append(parts, by)
			}
			inner, ok := pieces(item)
			if !ok {
				return nil, false
			}
			parts = append(parts, inner...)
		}
		return parts, true
	case "Fn::Sub":
		return subPieces(argument)
	case "Ref", "Fn::GetAtt", "Fn::GetStackOutput", "Fn::ImportValue", "Fn::Select", "Fn::FindInMap":
		return []any{v}, true
	default:
		return nil, false
	}
}

var subPart = regexp.MustCompile(`\$\{[^}]*\}`)

func subPieces(argument any) (parts []any, ok bool) {
	text, isText := argument.(string)
	if !isText {
		text, isText = at(argument, 0).(string)
	}
	if !isText {
		return nil, false
	}
	for text != "" {
		where := subPart.FindStringIndex(text)
		if where == nil {
			return append(parts, text), true
		}
		if where[0] > 0 {
			parts = append(parts, text[:where[0]])
		}
		name := text[where[0]+2 : where[1]-1]
		own := at(argument, 1, name)
		switch {
		case strings.HasPrefix(name, "!"):
			parts = append(parts, "${"+name[1:]+"}")
		case own != nil:
			inner, ok := pieces(own)
			if !ok {
				return nil, false
			}
			parts = append(parts, inner...)
		case strings.Contains(name, "."):
			parts = append(parts, map[string]any{"Fn::GetAtt": name})
		default:
			parts = append(parts, map[string]any{"Ref": name})
		}
		text = text[where[1]:]
	}
	return parts, true
}

// text returns a value with a placeholder for each part that is known only when deployed.
func text(v any, placeholder string) (string, bool) {
	parts, ok := pieces(v)
	if !ok {
		return "", false
	}
	var b strings.Builder
	for _, part := range parts {
		if literal, ok := part.(string); ok {
			b.WriteString(literal)
		} else {
			b.WriteString(placeholder)
		}
	}
	return b.String(), true
}
