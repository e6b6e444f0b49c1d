package stacks

import (
	"errors"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
	"composecdk/constructs/xresource"
	"composecdk/stacks/layout"
)

// data makes the stacks of all that outlives a deployment of the services:
// x-resources, secrets and volumes. They are in one stack, unless x-stacks says
// otherwise: to move them is to make them anew, so that only a person decides.
func (b *builder) data() {
	m := b.props.Model
	b.built.resources = map[string]xresource.Resource{}
	b.built.secrets = map[string]service.Secret{}
	b.built.volumes = map[string]*service.Volume{}
	stacks := b.dataStacks()
	sections := map[string]constructs.Construct{}
	section := func(key string, member compose.Path) constructs.Construct {
		id := b.dataStack(member)
		if sections[id+" "+key] == nil {
			sections[id+" "+key] = constructs.NewConstruct(stacks[id], &key)
		}
		return sections[id+" "+key]
	}
	b.resources(compose.Data, func(member compose.Path) awscdk.Stack { return stacks[b.dataStack(member)] })
	for _, s := range m.Secrets {
		b.built.secrets[s.Name], _ = try(b, s.Path, func() (service.Secret, error) {
			secret, err := b.secret(section("secrets", s.Path), s)
			if s.TaskRole {
				secret = secret.ForApplication()
			}
			return secret, err
		})
	}
	for _, v := range m.Volumes {
		b.built.volumes[v.Name], _ = try(b, v.Path, func() (*service.Volume, error) {
			return service.NewVolume(section("volumes", v.Path), v.Name, &service.VolumeProps{
				Volume: v, Network: b.built.network, Resolve: b.resolver(), Ephemeral: b.props.Ephemeral,
			})
		})
	}
	b.saveOutputs()
}

// resources makes the x-resources of a layer, each in the stack that home says.
func (b *builder) resources(layer compose.Layer, home func(member compose.Path) awscdk.Stack) {
	sections := map[string]constructs.Construct{}
	for _, r := range b.props.Model.CreationOrder() {
		if r.Schema.Layer != layer {
			continue
		}
		stack := home(r.Path)
		id := *stack.Node().Id() + " " + r.Key
		if sections[id] == nil {
			sections[id] = constructs.NewConstruct(stack, &r.Key)
		}
		resource, ok := try(b, r.Path, func() (xresource.Resource, error) {
			return xresource.New(sections[id], &xresource.Props{
				Model: r, Network: b.built.network, Resolve: b.resolver(), Resource: b.resource,
				Prefix: *b.scope.Node().Id(), Ephemeral: b.props.Ephemeral,
			})
		})
		if ok {
			b.built.resources[r.Key+"."+r.Name] = resource
		}
	}
}

// minOutputSavers is the number of resources from which on a stack saves outputs: with
// three outputs a resource, fewer always fit.
const minOutputSavers = 60

// saveOutputs makes the resources of a stack that has many share one output each. That
// changes how services refer to them, and nothing that is deployed.
func (b *builder) saveOutputs() {
	savers := map[string][]xresource.OutputSaver{} // by stack
	for _, r := range b.props.Model.Resources {
		if resource, ok := b.built.resources[r.Key+"."+r.Name].(xresource.OutputSaver); ok {
			savers[b.dataStack(r.Path)] = append(savers[b.dataStack(r.Path)], resource)
		}
	}
	for _, resources := range savers {
		if len(resources) < minOutputSavers {
			continue
		}
		for _, resource := range resources {
			resource.DeriveFromRef()
		}
	}
}

// dataStack is the id of the stack of all data that has none of its own.
const dataStack = layout.Data

// dataStack returns the id of the stack in which an x-resource, a secret or a volume
// lives.
func (b *builder) dataStack(member compose.Path) string {
	return layout.ID(dataStack, b.props.Model.Stacks[member])
}

// dataStacks returns the stacks of data by id, each after those that its resources
// refer to.
func (b *builder) dataStacks() map[string]awscdk.Stack {
	needs := layout.DataOrder(b.props.Model)
	made := map[string]awscdk.Stack{}
	for _, id := range needs.Sorted() {
		made[id] = b.stack(id, description("data", id), append(stacksOf(made, needs[id]), b.app.Stacks[0])...)
	}
	return made
}

// errNotBuilt says that a referenced resource failed; its failure is reported
// where it happened.
var errNotBuilt = errors.New("not built")

// resource finds the built resource that a reference names.
func (b *builder) resource(ref compose.Ref) (xresource.Resource, error) {
	resource, ok := b.built.resources[ref.Key+"."+ref.Name]
	if !ok {
		return nil, errNotBuilt
	}
	return resource, nil
}

// admit lets an AWS service use the resource that a reference names.
func (b *builder) admit(ref compose.Ref, a cfn.Admission) ([]constructs.IDependable, error) {
	resource, err := b.resource(ref)
	if err != nil {
		return nil, err
	}
	admitter, ok := resource.(xresource.Admitter)
	if !ok {
		return nil, nil // it exists already, of which Resolve has warned
	}
	return admitter.Admit(a), nil
}

// secret makes a secret whose value is put later, or refers to one that exists.
func (b *builder) secret(scope constructs.Construct, s *compose.Secret) (service.Secret, error) {
	id := &s.Name
	switch {
	case s.Create:
		policy := awscdk.RemovalPolicy_RETAIN
		if b.props.Ephemeral {
			policy = awscdk.RemovalPolicy_DESTROY
		}
		secret := awssecretsmanager.NewSecret(scope, id, &awssecretsmanager.SecretProps{
			Description:   jsii.String(fmt.Sprintf("secret %s of %s: a random value until the real one is put", s.Name, b.props.Model.Name)),
			RemovalPolicy: policy,
		})
		awscdk.NewCfnOutput(awscdk.Stack_Of(scope), jsii.String("Secret "+s.Name), &awscdk.CfnOutputProps{
			Description: jsii.String("put the value of secret " + s.Name + " here"), Value: secret.SecretArn(),
		})
		return service.SecretFrom(secret), nil
	case s.Lookup != nil:
		arn, err := xresource.FindSecret(scope, *s.Lookup)
		if err != nil {
			return service.Secret{}, err
		}
		return service.SecretByARN(scope, s.Name, *arn.Token()), nil
	case s.Parameter && isArn(s.External):
		return service.ParameterByARN(s.External), nil
	case s.Parameter:
		return service.ParameterFrom(awsssm.StringParameter_FromSecureStringParameterAttributes(scope, id,
			&awsssm.SecureStringParameterAttributes{ParameterName: &s.External})), nil
	case isArn(s.External):
		return service.SecretByARN(scope, s.Name, s.External), nil
	default:
		return service.SecretFrom(awssecretsmanager.Secret_FromSecretNameV2(scope, id, &s.External)), nil
	}
}

func isArn(s string) bool { return len(s) > 4 && s[:4] == "arn:" }
