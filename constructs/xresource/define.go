package xresource

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// defined is a resource made from its Properties.
type defined struct {
	cfn    awscdk.CfnResource
	kind   *Kind
	arn    string // the attribute with the ARN
	tokens map[string]cfn.Value
}

// define builds the CloudFormation resource of a kind: the user's Properties
// over the kind's defaults.
func (p *Props) define(scope constructs.Construct) (*defined, error) {
	properties, err := p.properties()
	if err != nil {
		return nil, err
	}
	resource, err := cfn.Define(scope, "Definition", cfn.Definition{
		Type: p.Kind.Type, Properties: properties, DeletionPolicy: p.policy(), Trusted: len(p.Model.Properties) == 0,
	})
	if err != nil {
		return nil, err
	}
	return &defined{cfn: resource, kind: p.Kind, arn: "Arn", tokens: map[string]cfn.Value{}}, nil
}

// properties are the user's over the kind's defaults, references resolved.
func (p *Props) properties() (map[string]any, error) {
	return p.over(p.Model.Properties, p.defaults())
}

// defaults are the kind's own properties for this resource.
func (p *Props) defaults() map[string]any {
	defaults := maps.Clone(p.Kind.Defaults)
	if p.policy() == "Delete" {
		maps.Copy(defaults, p.Kind.Ephemeral)
	}
	for name, other := range p.Kind.Unless {
		if _, given := p.Model.Properties[other]; given {
			delete(defaults, name)
		}
	}
	return defaults
}

// over merges defaults under properties as written, and resolves references.
func (p *Props) over(properties, defaults map[string]any) (map[string]any, error) {
	merged := cfn.Under(properties, defaults)
	if p.Ephemeral {
		maps.Copy(merged, p.Kind.Ephemeral)
	}
	resolved, err := p.resolve(merged)
	if err != nil {
		return nil, err
	}
	return resolved.(map[string]any), nil
}

// Value is an attribute of the resource.
func (d *defined) Value(name string) (cfn.Value, bool) {
	attribute, ok := d.kind.Values[name]
	if !ok {
		return cfn.Value{}, false
	}
	return d.attribute(attribute), true
}

// Arn is the ARN of the resource.
func (d *defined) Arn() cfn.Value { return d.attribute(d.arn) }

// attribute asks the CDK once for each attribute.
func (d *defined) attribute(name string) cfn.Value {
	value, ok := d.tokens[name]
	if !ok {
		if name == Ref {
			value = cfn.FromToken(d.cfn.Ref())
		} else {
			value = cfn.FromToken(d.cfn.GetAtt(&name, awscdk.ResolutionTypeHint_STRING).ToString())
		}
		d.tokens[name] = value
	}
	return value
}

// resolve replaces the references to other resources, and the pseudo
// parameters, in a value of Properties. Fn::Sub keeps its text: a reference in
// it becomes one of its variables.
func (p *Props) resolve(in any) (any, error) {
	switch v := in.(type) {
	case map[string]any:
		if argument, ok := v["Fn::Sub"]; ok && len(v) == 1 {
			return p.resolveSub(argument)
		}
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			resolved, err := p.resolve(v[key])
			if err != nil {
				return nil, err
			}
			out[key] = resolved
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			resolved, err := p.resolve(item)
			if err != nil {
				return nil, err
			}
			out[i] = resolved
		}
		return out, nil
	case string:
		return p.resolveText(v)
	default:
		return in, nil
	}
}

func (p *Props) resolveText(s string) (any, error) {
	if ref, ok := compose.ParseRef(s); ok {
		return p.Value(ref)
	}
	text := compose.ParseText(s)
	if !slices.ContainsFunc(text, func(part compose.Part) bool { return part.Ref != nil || part.Pseudo != "" }) {
		return s, nil
	}
	return Text(text, p.Value)
}

func (p *Props) resolveSub(argument any) (any, error) {
	variables := map[string]any{}
	if list, ok := argument.([]any); ok {
		resolved, err := p.resolve(list[1])
		if err != nil {
			return nil, err
		}
		variables, argument = resolved.(map[string]any), list[0]
	}
	text := ""
	for _, part := range compose.ParseText(argument.(string)) {
		switch {
		case part.Ref != nil:
			value, err := p.Value(*part.Ref)
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

// Text resolves the references and pseudo parameters in a text.
func Text(text compose.Text, value func(compose.Ref) (cfn.Value, error)) (cfn.Value, error) {
	var parts []cfn.Value
	for _, part := range text {
		switch {
		case part.Ref != nil:
			v, err := value(*part.Ref)
			if err != nil {
				return cfn.Value{}, err
			}
			parts = append(parts, v)
		case part.Pseudo != "":
			parts = append(parts, cfn.Pseudo(part.Pseudo))
		default:
			parts = append(parts, cfn.Literal(part.Literal))
		}
	}
	return cfn.Join(parts...), nil
}

// ErrNoValue says that a resource has no such value, although its kind has.
var ErrNoValue = errors.New("no such value")

// ValueOf is the value that a reference names; without a name it is the ARN.
func ValueOf(r Resource, ref compose.Ref) (cfn.Value, error) {
	if ref.Attribute == "" {
		return r.Arn(), nil
	}
	value, ok := r.Value(ref.Attribute)
	if !ok {
		return cfn.Value{}, fmt.Errorf("%s: %w", ref, ErrNoValue)
	}
	return value, nil
}
