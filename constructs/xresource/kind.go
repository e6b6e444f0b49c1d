package xresource

import (
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
	"composecdk/constructs/network"
)

// construction is the CDK half of a kind.
type construction struct {
	*kinds.Kind
	// New builds the resource in an own scope, <x-key>/<name>. nil builds just
	// the CloudFormation resource.
	New func(scope constructs.Construct, props *Props) (Resource, error)
	// Import refers to an existing resource that Lookup describes.
	Import func(scope constructs.Construct, props *Props) (Resource, error)
}

// constructions lists the CDK halves of kinds.All, in the same order.
func constructions() []construction {
	return []construction{
		{kinds.KMS, newKey, importKey},
		{kinds.S3, newBucket, importBucket},
		{kinds.SQS, newQueue, importQueue},
		{kinds.DynamoDB, newTable, importTable},
		{kinds.RDS, newDatabase, importDatabase},
		{kinds.Route53, newZone, importZone},
		{kinds.ACM, newCertificate, importCertificate},
	}
}

// Keys lists the sections of the kinds that can be built, in the order of kinds.All.
func Keys() []string {
	var keys []string
	for _, c := range constructions() {
		keys = append(keys, c.Key)
	}
	return keys
}

// Props is what a kind may use to build one resource.
type Props struct {
	Kind    *kinds.Kind
	Model   *compose.Resource
	Network *network.Network
	// Resolve resolves references to what is built already.
	Resolve cfn.Resolver
	// Resource finds another resource, which is built already.
	Resource func(compose.Ref) (Resource, error)
	// Prefix begins the names that are unique in an account: the project and the
	// environment.
	Prefix string
	// Ephemeral makes everything go with its stack.
	Ephemeral bool
}

// Resource is a built or imported x-resource.
type Resource interface {
	// Value returns a return value by its name.
	Value(name string) (cfn.Value, bool)
	// Arn returns the ARN to which access profiles are scoped.
	Arn() cfn.Value
}

// New builds, or imports, a resource of the model under its section's scope.
func New(section constructs.Construct, props *Props) (Resource, error) {
	scope := constructs.NewConstruct(section, &props.Model.Name)
	for _, c := range constructions() {
		if c.Key != props.Model.Key {
			continue
		}
		props.Kind = c.Kind
		switch {
		case props.Model.Mode == compose.Import:
			return c.Import(scope, props)
		case c.New != nil:
			return c.New(scope, props)
		default:
			return props.define(scope)
		}
	}
	return nil, fmt.Errorf("no construct for %s", props.Model.Key)
}

// named finds the resource that a text names.
func (p *Props) named(text string) (Resource, error) {
	ref, ok := compose.ParseRef(text)
	if !ok {
		return nil, fmt.Errorf("%q names no resource", text)
	}
	return p.Resource(ref)
}

// policy returns the deletion policy of a resource: what the file says, else the
// kind's own, and "Delete" in an ephemeral environment.
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
