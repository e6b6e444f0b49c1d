package stacks

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/stacks/layout"
)

// resources counts the resources of a stack.
func resources(stack awscdk.Stack) int {
	n := 1 // the CDK's own note of its version
	for _, c := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if _, ok := c.(awscdk.CfnResource); ok {
			n++
		}
	}
	return n
}

// discard takes the last stack out again.
func (b *builder) discard(stack awscdk.Stack) {
	b.scope.Node().TryRemoveChild(stack.Node().Id())
	b.app.Stacks = b.app.Stacks[:len(b.app.Stacks)-1]
}

// peerStacks returns where the security groups of families stand that have a stack of
// their own, by family. Others have theirs beside them.
func (b *builder) peerStacks(stackOf map[string]string) map[string]constructs.Construct {
	ids := map[string]string{}
	for _, f := range b.props.Model.Families {
		if stackOf[f.Name] != layout.Services {
			ids[f.Name] = layout.Peers(b.props.Model, f.Name)
		}
	}
	made := map[string]awscdk.Stack{}
	for _, id := range slices.Compact(slices.Sorted(maps.Values(ids))) {
		made[id] = b.stack(id, "security groups of services", b.app.Stacks[0])
	}
	scopes := map[string]constructs.Construct{}
	for _, f := range b.props.Model.Families {
		if id, ok := ids[f.Name]; ok {
			scopes[f.Name] = constructs.NewConstruct(made[id], jsii.String(f.Name))
		}
	}
	return scopes
}

// stacksOf returns stacks by their ids, in the order of these.
func stacksOf(made map[string]awscdk.Stack, ids map[string]bool) []awscdk.Stack {
	var stacks []awscdk.Stack
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		stacks = append(stacks, made[id])
	}
	return stacks
}

// serviceOrder returns which stacks of services wait for which, and reports each
// dependency that the order cannot keep.
func (b *builder) serviceOrder(stackOf map[string]string) layout.Order {
	needs, lost := layout.ServiceOrder(b.props.Model, stackOf)
	for _, l := range lost {
		b.app.found = append(b.app.found, compose.Diagnostic{
			Path: l.Family.Path.Key("depends_on").Key(l.On), Severity: compose.Warning, Code: "order-not-kept",
			Message: fmt.Sprintf("%q is not started before %q: stack %s is deployed after %s", l.On, l.Family.Name, stackOf[l.On], stackOf[l.Family.Name]),
			Hint:    "put both into one group of x-stacks",
		})
	}
	return needs
}
