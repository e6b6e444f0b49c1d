package stacks

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/xresource"
)

// resolver resolves references to everything that is built so far.
func (b *builder) resolver() cfn.Resolver { return cfn.Resolver{Value: b.value} }

// value returns the value that a reference names. Resolve has checked that there is
// one, and that it is made before what names it.
func (b *builder) value(ref compose.Ref) (cfn.Value, error) {
	node, ok := b.props.Model.Node(ref)
	if !ok {
		return cfn.Value{}, fmt.Errorf("%s names nothing", ref)
	}
	name := ref.Value()
	if name == "" {
		name = node.Bare
	}
	var value cfn.Value
	switch ref.Key {
	case "x-cluster":
		value, ok = b.built.cluster.Value(name)
	case "x-vpc":
		value, ok = b.vpcValue(name)
	case "x-elbv2":
		balancer := b.built.balancers[ref.Key+"."+ref.Name]
		if balancer == nil {
			return cfn.Value{}, errNotBuilt
		}
		value, ok = balancer.Value(name)
	case "services":
		f, _ := b.props.Model.Family(ref.Name)
		family := b.built.families[f.Name]
		if family == nil {
			return cfn.Value{}, errNotBuilt
		}
		value, ok = family.Value(name)
	default:
		resource, err := b.resource(ref)
		if err != nil {
			return cfn.Value{}, err
		}
		model, _ := b.props.Model.Resource(ref)
		return xresource.ValueOf(resource, model, ref)
	}
	if !ok {
		return cfn.Value{}, fmt.Errorf("%s has no value %s", ref, name)
	}
	return value, nil
}

// vpcValue returns the id of the VPC, or the ids of a group of its subnets, separated
// by commas.
func (b *builder) vpcValue(name string) (cfn.Value, bool) {
	if name == "VpcId" {
		return cfn.FromToken(b.built.network.VPC().VpcId()), true
	}
	if !strings.HasSuffix(name, "Subnets") {
		return cfn.Value{}, false
	}
	return cfn.FromToken(awscdk.Fn_Join(jsii.String(","), b.built.network.SubnetIDs(name))), true
}
