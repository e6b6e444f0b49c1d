package stacks

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/guard"
	"composecdk/constructs/network"
	"composecdk/gate"
)

// ApplicationProps says what to deploy and where.
type ApplicationProps struct {
	Model *compose.Model
	// Account and Region are the target; empty makes stacks that fit any.
	Account, Region string
	// Ephemeral declares the environment ephemeral: nothing in it is kept.
	Ephemeral bool
	// Synthesizer makes the synthesizer of a stack, which names the roles that deploy
	// it; nil means the synthesizer of the CDK's bootstrap stack. Each stack has its own, as it
	// keeps the assets of its stack.
	Synthesizer func() awscdk.IStackSynthesizer
	// TerminationProtection keeps the stacks from being deleted.
	TerminationProtection bool
}

// Application is what a model becomes in one environment.
type Application struct {
	// Stacks are in the order in which they are deployed.
	Stacks []awscdk.Stack
	model  *compose.Model
	// endpoints are the outputs of the URLs.
	endpoints map[*compose.Listener]awscdk.CfnOutput
	// homes are the ids of the stacks of families, by name.
	homes map[string]string
	// found is what a reader of the files should know about the stacks.
	found compose.Diagnostics
}

// Diagnostics returns what a reader of the files should know about the stacks, at its
// place.
func (a *Application) Diagnostics(at Places) compose.Diagnostics {
	found := slices.Clone(a.found)
	for i := range found {
		found[i].Pos = at.Pos(found[i].Path)
	}
	return found
}

// Outputs returns the outputs of the stacks under the names of compose.Model.Endpoints.
func (a *Application) Outputs() map[string]awscdk.CfnOutput {
	outputs := map[string]awscdk.CfnOutput{}
	for _, e := range a.model.Endpoints() {
		for _, name := range e.Names {
			outputs[name] = a.endpoints[e.Listener]
		}
	}
	return outputs
}

// NewApplication makes the stacks of a model in scope, a construct of their own
// after which they are named: one right below an app, so that the CDK CLI finds
// them with --all and without a name, which it does not for a stage of an app, or
// a stage, for a pipeline. An error joins all the exceptions of the CDK, each a
// *guard.Error with the path of the model it came from; the app must then not be
// synthesised.
func NewApplication(scope constructs.Construct, props *ApplicationProps) (*Application, error) {
	b := &builder{props: props, scope: scope, app: &Application{
		model: props.Model, endpoints: map[*compose.Listener]awscdk.CfnOutput{},
	}}
	for _, key := range slices.Sorted(maps.Keys(props.Model.Tags)) {
		awscdk.Tags_Of(scope).Add(jsii.String(key), jsii.String(props.Model.Tags[key]), nil)
	}
	b.network(b.stack("Network", "network and cluster"))
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	b.data()
	b.services()
	if len(b.errs) == 0 {
		b.errs = append(b.errs, b.missing())
	}
	return b.app, errors.Join(b.errs...)
}

// missing reports the elements of the model that were not built although nothing went
// wrong, which would leave them out in silence: a fault of this program.
func (b *builder) missing() error {
	m := b.props.Model
	var paths []compose.Path
	note := func(built bool, path compose.Path) {
		if !built {
			paths = append(paths, path)
		}
	}
	for _, r := range m.Resources {
		note(b.built.resources[r.Key+"."+r.Name] != nil, r.Path)
	}
	for _, s := range m.Secrets {
		_, built := b.built.secrets[s.Name]
		note(built, s.Path)
	}
	for _, v := range m.Volumes {
		note(b.built.volumes[v.Name] != nil, v.Path)
	}
	for _, f := range m.Families {
		note(b.built.families[f.Name] != nil, f.Path)
	}
	for _, lb := range m.LoadBalancers {
		note(b.built.balancers[lb.Key+"."+lb.Name] != nil, lb.Path)
	}
	if len(paths) == 0 {
		return nil
	}
	return fmt.Errorf("not built, and nothing says why: %v", paths)
}

func environment(props *ApplicationProps) *awscdk.Environment {
	env := &awscdk.Environment{}
	if props.Account != "" {
		env.Account = &props.Account
	}
	if props.Region != "" {
		env.Region = &props.Region
	}
	return env
}

// builder makes the stacks one after the other and collects what goes wrong.
type builder struct {
	props *ApplicationProps
	scope constructs.Construct
	app   *Application
	built built
	errs  []error
}

// stack adds the next stack, which is deployed after others.
func (b *builder) stack(id, description string, after ...awscdk.Stack) awscdk.Stack {
	stack := awscdk.NewStack(b.scope, &id, &awscdk.StackProps{
		Env:         environment(b.props),
		StackName:   jsii.String(*b.scope.Node().Id() + "-" + id),
		Description: jsii.String(b.props.Model.Name + ": " + description),
		Tags:        b.tags(),
		Synthesizer: b.synthesizer(),

		TerminationProtection: &b.props.TerminationProtection,
	})
	awscdk.Validations_Of(stack).Acknowledge(&awscdk.Acknowledgment{
		Id:     jsii.String("CloudFormation-Validate::F0001"),
		Reason: jsii.String("a stack of which everything exists has no resources; the CDK CLI skips it"),
	})
	if b.props.Ephemeral {
		stack.AddMetadata(jsii.String(gate.Ephemeral), true)
	}
	network.PresetAvailabilityZones(stack, &b.props.Model.Network)
	for _, before := range after {
		stack.AddStackDependency(before, jsii.String("deployed in this order"))
	}
	b.app.Stacks = append(b.app.Stacks, stack)
	return stack
}

func (b *builder) synthesizer() awscdk.IStackSynthesizer {
	if b.props.Synthesizer == nil {
		return nil
	}
	return b.props.Synthesizer()
}

func (b *builder) tags() *map[string]*string {
	tags := map[string]*string{}
	for key, value := range b.props.Model.Tags {
		tags[key] = jsii.String(value)
	}
	return &tags
}

// try builds one element of the model; ok is false where that failed.
func try[T any](b *builder, at compose.Path, f func() (T, error)) (result T, ok bool) {
	result, err := guard.Try(at, f)
	if err != nil && !errors.Is(err, errNotBuilt) {
		var thrown *guard.Error
		if !errors.As(err, &thrown) {
			err = &guard.Error{At: at, Message: err.Error()}
		}
		b.errs = append(b.errs, err)
	}
	return result, err == nil
}
