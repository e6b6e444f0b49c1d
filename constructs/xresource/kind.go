package xresource

import (
	"maps"
	"slices"

	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/network"
)

// Kind is everything there is to know about one x-* section. Most of it is data;
// New and Import are code only where a kind is more than its one CloudFormation
// resource.
type Kind struct {
	// Schema is the syntax. Its Main, Returns and Access are filled from Values
	// and Profiles.
	compose.Schema
	// Defaults are properties under the user's own; a default is left out where
	// the user gives the property that Unless names for it.
	Defaults map[string]any
	Unless   map[string]string
	// Ephemeral are the defaults that differ for a resource that goes with its
	// stack. In an ephemeral environment they win over the user's own properties.
	Ephemeral map[string]any
	// Values are the return values: the attribute for Fn::GetAtt by the name
	// that ReturnValues uses. Ref is what CloudFormation's Ref returns.
	Values map[string]string
	// Profiles are the IAM access profiles by scope and name; scope "" is
	// Access: <name>.
	Profiles map[string]map[string]Profile
	// Retention is the deletion policy where the file says none: "Retain" or
	// "Snapshot" for what holds data, "Delete" for what is transient.
	Retention string
	// New builds the resource in an own scope, <x-key>/<name>. nil builds just
	// the CloudFormation resource.
	New func(scope constructs.Construct, props *Props) (Resource, error)
	// Import refers to an existing resource that Lookup describes; every kind has
	// it.
	Import func(scope constructs.Construct, props *Props) (Resource, error)
}

// Ref in Kind.Values is the value of CloudFormation's Ref.
const Ref = ""

// Props is what a kind may use to build one resource.
type Props struct {
	Kind    *Kind
	Model   *compose.Resource
	Network *network.Network
	// Value finds the value of another resource, which is built already.
	Value func(compose.Ref) (cfn.Value, error)
	// Ephemeral makes everything go with its stack: the environment is
	// declared ephemeral.
	Ephemeral bool
}

// Profile is an access profile: what a service may do with a resource.
type Profile []Statement

// Statement allows Actions on Resources, in which ${ARN} stands for the ARN of
// the resource; none means ${ARN} itself. KeyActions are allowed on the key that
// encrypts the resource, where there is one.
type Statement struct {
	Actions, Resources, KeyActions []string
}

// Resource is a built or imported x-resource.
type Resource interface {
	// Value is a return value by its name.
	Value(name string) (cfn.Value, bool)
	// Arn is what access profiles are scoped to.
	Arn() cfn.Value
}

// New builds, or imports, a resource of the model under its section's scope.
func New(section constructs.Construct, props *Props) (Resource, error) {
	scope := constructs.NewConstruct(section, &props.Model.Name)
	props.Kind = kind(props.Model)
	switch {
	case props.Model.Mode == compose.Import:
		return props.Kind.Import(scope, props)
	case props.Kind.New != nil:
		return props.Kind.New(scope, props)
	default:
		return props.define(scope)
	}
}

// schema completes the syntax of a kind by what its other fields say.
func (k *Kind) schema() *compose.Schema {
	s := k.Schema
	s.Access = map[string][]string{}
	for scope, profiles := range k.Profiles {
		s.Access[scope] = slices.Sorted(maps.Keys(profiles))
	}
	for _, name := range slices.Sorted(maps.Keys(k.Values)) {
		if name != s.Main {
			s.Returns = append(s.Returns, name)
		}
	}
	return &s
}

// policy is the deletion policy of a resource: what the file says, else the
// kind's own, and none in an ephemeral environment.
func (p *Props) policy() string {
	switch {
	case p.Ephemeral:
		return "Delete"
	case p.Model.DeletionPolicy != "":
		return p.Model.DeletionPolicy
	default:
		return p.Kind.Retention
	}
}
