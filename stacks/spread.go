package stacks

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
)

// servicesStack is the id of the stack of the load balancers, and of all families
// without a stack of their own.
const servicesStack = "Services"

// mostResources is what CloudFormation takes in a stack.
const mostResources = 500

// leastOfFamily is how many resources every family is: two roles, the policy of
// one, a log group, a security group, a task definition and an ECS service.
const leastOfFamily = 7

// worthCounting is the least number of resources from which on they are counted,
// which takes a while: a family may be several times as many.
const worthCounting = mostResources / 4

// atLeast is how many resources the families of a model become, or less.
func atLeast(m *compose.Model) int { return leastOfFamily*len(m.Families) + len(m.Edges) }

// resources counts those of a stack.
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

// peerStackCount is over how many stacks the security groups of families with
// stacks of their own are spread, by the hash of their names. It never changes, so
// that no group ever moves. Others refer to a group by an output, of which a stack
// has 200 at most: eight take a thousand families.
const peerStackCount = 8

// peerStacks are where the security groups of families stand that have a stack of
// their own, by family. Others have theirs beside them.
func (b *builder) peerStacks(stackOf map[string]string) map[string]constructs.Construct {
	ids := map[string]string{}
	for _, f := range b.props.Model.Families {
		if stackOf[f.Name] != servicesStack {
			ids[f.Name] = fmt.Sprintf("Peers-%d", bucket(f.Name, peerStackCount))
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

// bucket is a number below n that depends on nothing but the name.
func bucket(name string, n uint64) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:]) % n
}

// stacksOf are stacks by their ids, in the order of these.
func stacksOf(made map[string]awscdk.Stack, ids map[string]bool) []awscdk.Stack {
	var stacks []awscdk.Stack
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		stacks = append(stacks, made[id])
	}
	return stacks
}

// serviceOrder says which stacks of services wait for which: all for that of the
// load balancers, and for those of the families that theirs wait for. Groups of
// families may wait for each other in a circle; what cannot be kept of the order is
// told.
func (b *builder) serviceOrder(stackOf map[string]string) order {
	needs := order{}
	needs.have(servicesStack)
	for _, f := range b.props.Model.Families {
		needs.after(stackOf[f.Name], servicesStack)
	}
	for _, f := range b.props.Model.Families {
		for _, other := range f.DependsOn {
			if needs.after(stackOf[f.Name], stackOf[other]) {
				continue
			}
			b.app.found = append(b.app.found, compose.Diagnostic{
				Path: f.Path.Key("depends_on").Key(other), Severity: compose.Warning, Code: "order-not-kept",
				Message: fmt.Sprintf("%q is not started before %q: stack %s is deployed after %s", other, f.Name, stackOf[other], stackOf[f.Name]),
				Hint:    "put both into one group of x-stacks",
			})
		}
	}
	return needs.reduced()
}
