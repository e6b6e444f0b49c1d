package cfn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"composecdk/compose"
)

// Resolver replaces the references and pseudo parameters in values of the file.
type Resolver struct {
	// Value finds the value that a reference names.
	Value func(compose.Ref) (Value, error)
}

// Text resolves a text.
func (r Resolver) Text(text compose.Text) (Value, error) {
	var parts []Value
	for _, part := range text {
		switch {
		case part.Ref != nil:
			v, err := r.Value(*part.Ref)
			if err != nil {
				return Value{}, err
			}
			parts = append(parts, v)
		case part.Pseudo != "":
			parts = append(parts, Pseudo(part.Pseudo))
		default:
			parts = append(parts, Literal(part.Literal))
		}
	}
	return Join(parts...), nil
}

// Fragment resolves a value in CloudFormation's own words, which then holds a Value
// where a reference or a pseudo parameter stood. Fn::Sub keeps its text: a reference in
// it becomes one of its variables.
func (r Resolver) Fragment(in any) (any, error) {
	switch v := in.(type) {
	case compose.Fragment:
		return r.Fragment(map[string]any(v))
	case map[string]any:
		if argument, ok := v["Fn::Sub"]; ok && len(v) == 1 {
			return r.sub(argument)
		}
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			resolved, err := r.Fragment(v[key])
			if err != nil {
				return nil, err
			}
			out[key] = resolved
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			resolved, err := r.Fragment(item)
			if err != nil {
				return nil, err
			}
			out[i] = resolved
		}
		return out, nil
	case string:
		return r.text(v)
	default:
		return in, nil
	}
}

// Tokens resolves a value as Fragment does, for arguments of the CDK itself.
func (r Resolver) Tokens(in any) (any, error) {
	resolved, err := r.Fragment(in)
	return tokens(resolved), err
}

// One resolves a value to a single text: one with references, or an intrinsic function.
func (r Resolver) One(in any) (Value, error) {
	resolved, err := r.Fragment(in)
	if err != nil {
		return Value{}, err
	}
	switch v := resolved.(type) {
	case Value:
		return v, nil
	case string:
		return Literal(v), nil
	default:
		return FromToken(awscdk.Token_AsString(tokens(v), nil)), nil
	}
}

func (r Resolver) text(s string) (any, error) {
	text := compose.ParseText(s)
	if !slices.ContainsFunc(text, func(part compose.Part) bool { return part.Ref != nil || part.Pseudo != "" }) {
		return s, nil
	}
	return r.Text(text)
}

func (r Resolver) sub(argument any) (any, error) {
	variables := map[string]any{}
	if list, ok := argument.([]any); ok {
		resolved, err := r.Fragment(list[1])
		if err != nil {
			return nil, err
		}
		variables, argument = resolved.(map[string]any), list[0]
	}
	text := ""
	for _, part := range compose.ParseText(argument.(string)) {
		switch {
		case part.Ref != nil:
			value, err := r.Value(*part.Ref)
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("Reference%d", len(variables))
			variables[name] = value
			text += "${" + name + "}"
		case part.Pseudo != "":
			text += "${" + part.Pseudo + "}"
		default:
			text += part.Literal
		}
	}
	if len(variables) == 0 {
		return map[string]any{"Fn::Sub": text}, nil
	}
	return map[string]any{"Fn::Sub": []any{text, variables}}, nil
}

// tokens replaces each Value by the CDK's own text for it.
func tokens(in any) any {
	switch v := in.(type) {
	case Value:
		return *v.Token()
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = tokens(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = tokens(item)
		}
		return out
	default:
		return in
	}
}
