package xresource

import (
	"cmp"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// defined is a resource made from its Properties.
type defined struct {
	cfn    awscdk.CfnResource
	kind   *kinds.Kind
	arn    string // the attribute with the ARN
	tokens map[string]cfn.Value
	key    *Key // of the account, that encrypts the resource
}

// define builds the CloudFormation resource of a kind: the user's Properties
// over the kind's defaults.
func (p *Props) define(scope constructs.Construct) (*defined, error) {
	return p.defineWith(scope, nil)
}

// defineWith builds the resource with further properties of the kind under the user's.
func (p *Props) defineWith(scope constructs.Construct, own map[string]any) (*defined, error) {
	defaults := p.defaults()
	if defaults == nil {
		defaults = map[string]any{}
	}
	maps.Copy(defaults, own)
	properties, err := p.over(p.Model.Properties, defaults)
	if err != nil {
		return nil, err
	}
	resource, err := cfn.Define(scope, "Definition", cfn.Definition{
		Type: p.Kind.Type, Properties: properties, DeletionPolicy: p.policy(), Trusted: len(p.Model.Properties) == 0,
	})
	if err != nil {
		return nil, err
	}
	d := &defined{cfn: resource, kind: p.Kind, arn: cmp.Or(p.Kind.ARN, "Arn"), tokens: map[string]cfn.Value{}}
	return d, p.relate(d, resource)
}

// defaults returns the kind's own properties for this resource.
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
	merged := cfn.WithDefaults(properties, defaults)
	if p.Ephemeral {
		maps.Copy(merged, p.Kind.Ephemeral)
	}
	resolved, err := p.Resolve.Fragment(merged)
	if err != nil {
		return nil, err
	}
	return resolved.(map[string]any), nil
}

// Value returns an attribute of the resource.
func (d *defined) Value(name string) (cfn.Value, bool) {
	attribute, ok := d.kind.Values[name]
	if !ok || attribute == kinds.Derived {
		return cfn.Value{}, false
	}
	return d.attribute(attribute), true
}

// Key returns the account's key that encrypts the resource, or nil.
func (d *defined) Key() *Key { return d.key }

// Arn returns the ARN of the resource.
func (d *defined) Arn() cfn.Value { return d.attribute(d.arn) }

// attribute asks the CDK once for each attribute.
func (d *defined) attribute(name string) cfn.Value {
	value, ok := d.tokens[name]
	if !ok {
		if name == kinds.Ref {
			value = cfn.FromToken(d.cfn.Ref())
		} else {
			value = cfn.FromToken(d.cfn.GetAtt(&name, awscdk.ResolutionTypeHint_STRING).ToString())
		}
		d.tokens[name] = value
	}
	return value
}

// ErrNoValue says that a resource has no such value, although its kind has.
var ErrNoValue = errors.New("no such value")

// ValueOf returns the value of a resource that a reference names; without a name it is
// Resource.Bare of the model.
func ValueOf(r Resource, model *compose.Resource, ref compose.Ref) (cfn.Value, error) {
	value, ok := r.Value(cmp.Or(ref.Attribute, model.Bare()))
	if !ok {
		return cfn.Value{}, fmt.Errorf("%s: %w", ref, ErrNoValue)
	}
	return value, nil
}
