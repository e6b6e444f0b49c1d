package gate

import (
	"regexp"
	"strings"
)

// text returns a value as one string, with ${…} for values known only when deployed. It
// spells the target of a reference the same in every stack of the assembly, so that texts
// can be compared.
func (s *Stack) text(v any) string {
	if text, ok := literal(v); ok {
		return text
	}
	name, argument, ok := function(v)
	if !ok {
		return opaque(v)
	}
	switch name {
	case "Fn::Join":
		if parts, ok := at(argument, 1).([]any); ok {
			return s.join(word(at(argument, 0)), parts)
		}
	case "Fn::Sub":
		return s.substitute(argument)
	case "Fn::Base64":
		return s.text(argument)
	case "Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::GetStackOutput":
		return s.reference(v)
	}
	return opaque(v)
}

// opaque spells an unknown value, without the characters that have a meaning in an ARN.
func opaque(v any) string {
	return "${" + strings.NewReplacer("{", "(", "}", ")", ":", "=", "/", "|").Replace(canonical(v)) + "}"
}

func (s *Stack) join(delimiter string, parts []any) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = s.text(part)
	}
	return strings.Join(texts, delimiter)
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// substitute evaluates Fn::Sub, with or without variables of its own.
func (s *Stack) substitute(argument any) string {
	pattern, own := word(argument), map[string]any{}
	if parts, ok := argument.([]any); ok {
		pattern = word(at(parts, 0))
		own, _ = at(parts, 1).(map[string]any)
	}
	return variable.ReplaceAllStringFunc(pattern, func(found string) string {
		name := found[2 : len(found)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		if value, ok := own[name]; ok {
			return s.text(value)
		}
		if id, attribute, ok := strings.Cut(name, "."); ok {
			return s.reference(map[string]any{"Fn::GetAtt": []any{id, attribute}})
		}
		return s.reference(map[string]any{"Ref": name})
	})
}

// reference returns the value of a pseudo parameter if the target has it, else the path of
// the resource with its attribute.
func (s *Stack) reference(v any) string {
	if r, attribute := s.Target(v); r != nil {
		path := r.Stack.Path + "/" + r.LogicalID
		if attribute != "" {
			path += "." + attribute
		}
		return "${" + path + "}"
	}
	switch name := word(at(v, "Ref")); {
	case name == "AWS::AccountId" && s.Account != "":
		return s.Account
	case name == "AWS::Region" && s.Region != "":
		return s.Region
	case name == "AWS::StackName" && s.parent == nil:
		return s.Name
	case name != "":
		return "${" + strings.TrimPrefix(name, "AWS::") + "}" // a colon would split an ARN
	default:
		return opaque(v)
	}
}

// known reports whether a text is fully known before deployment.
func known(text string) bool { return !variable.MatchString(text) }

// each returns the values below keys, with lists flattened on the way and at the end.
func each(v any, keys ...string) []any {
	found := list(v)
	for _, key := range keys {
		var next []any
		for _, item := range found {
			next = append(next, list(at(item, key))...)
		}
		found = next
	}
	return found
}
