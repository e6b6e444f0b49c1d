package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/ingress"
	"composecdk/constructs/service"
	"composecdk/constructs/xresource"
	"composecdk/stacks/layout"
)

// services makes the stacks of what runs: the families, what they may use, who
// may call whom, and the load balancers in front. All of it is in one stack, unless
// the file says otherwise or CloudFormation does not take as much; then each family
// has a stack of its own. See docs/decisions/stacks.md.
func (b *builder) services() {
	m := b.props.Model
	grouped := layout.Group(m)
	if layout.Grouped(m) {
		b.run(grouped)
		return
	}
	needed := layout.AtLeast(m)
	if needed <= layout.MostResources {
		stack := b.run(grouped)
		if needed > layout.WorthCounting && len(b.errs) == 0 {
			needed = resources(stack)
		}
		if needed <= layout.MostResources {
			return
		}
		b.discard(stack)
	}
	share := "each service gets a stack of its own"
	if len(m.Groups) > 0 {
		share = "the services of a group of applications get a stack of their own"
	}
	b.app.found = append(b.app.found, compose.Diagnostic{
		Path: "services", Severity: compose.Warning, Code: "services-spread",
		Message: fmt.Sprintf("they are %d resources or more, and CloudFormation takes %d in a stack: %s; "+
			"if they have been deployed in one before, all of them are replaced", needed, layout.MostResources, share),
		Hint: `x-stacks: {"*": ["services.*"]} keeps each in its own, whatever is added or removed; {more: [services.<new>]} leaves the others where they are`,
	})
	b.run(layout.Spread(m))
}

// run builds all that runs, each family in the stack of its group, "" being the one
// of the load balancers, which is returned. The stacks of groups come after that one:
// their services are behind its target groups. What families call each other by
// is their security groups; those of groups stand in stacks before all of them, so
// that calls in both directions make no cycle of stacks.
func (b *builder) run(group func(*compose.Family) string) awscdk.Stack {
	m := b.props.Model
	b.built.families = map[string]*service.Family{}
	stackOf := map[string]string{} // by family
	for _, f := range m.Families {
		stackOf[f.Name] = layout.ID(layout.Services, group(f))
	}
	b.app.homes = stackOf
	peers := b.peerStacks(stackOf)
	services := b.stack(layout.Services, "services", b.app.Stacks...)
	made := map[string]awscdk.Stack{layout.Services: services}
	needs := b.serviceOrder(stackOf)
	for _, id := range needs.Sorted() {
		if id != layout.Services {
			made[id] = b.stack(id, description("services", id), stacksOf(made, needs[id])...)
		}
	}
	b.loadBalancers(services)
	for _, f := range m.Families {
		b.family(f, made[stackOf[f.Name]], peers[f.Name])
	}
	for _, f := range m.Families {
		for _, other := range f.DependsOn {
			family, before := b.built.families[f.Name], b.built.families[other]
			if family != nil && before != nil && stackOf[f.Name] == stackOf[other] {
				family.DependOn(before)
			}
		}
	}
	if len(b.errs) > 0 {
		return services
	}
	b.attach()
	b.resources(compose.Services, func(compose.Path) awscdk.Stack { return services })
	b.bindings()
	b.connections()
	return services
}

func (b *builder) family(f *compose.Family, stack awscdk.Stack, peers constructs.Construct) {
	m := b.props.Model
	family, ok := try(b, f.Path, func() (*service.Family, error) {
		return service.NewFamily(stack, f.Name, &service.FamilyProps{
			Family: f, Network: b.built.network, Cluster: b.built.cluster, Namespaces: b.built.namespaces,
			Client:  slices.ContainsFunc(m.Connections, func(e compose.Connection) bool { return e.From == f.Name }),
			Secrets: b.built.secrets, Volumes: b.built.volumes, Groups: peers, Ephemeral: b.props.Ephemeral,
			Resolve: b.resolver(),
		})
	})
	if ok {
		b.built.families[f.Name] = family
	}
}

func (b *builder) bindings() {
	binder := xresource.NewBinder()
	for _, binding := range b.props.Model.Bindings {
		resource, ok := b.built.resources[binding.Resource.Key+"."+binding.Resource.Name]
		if !ok {
			continue // its own failure is reported
		}
		try(b, binding.Path, func() (any, error) {
			return nil, binder.Bind(binding, resource, b.built.families[binding.Family.Name])
		})
	}
}

// connections opens the ports that one family calls at another one.
func (b *builder) connections() {
	for _, e := range b.props.Model.Connections {
		try(b, e.Path, func() (any, error) {
			b.built.families[e.From].OpenTo(
				fmt.Sprintf("to-%s-%d-%s", e.To, e.Port.Number, e.Port.Protocol),
				b.built.families[e.To].SecurityGroupID(), e.Port.Protocol, e.Port.Number, e.Port.Number,
				fmt.Sprintf("%s to %s", e.From, e.To))
			return nil, nil
		})
	}
}

func (b *builder) loadBalancers(stack awscdk.Stack) {
	b.built.balancers = map[string]*ingress.LoadBalancer{}
	sections := map[string]constructs.Construct{}
	for _, lb := range b.props.Model.LoadBalancers {
		if sections[lb.Key] == nil {
			sections[lb.Key] = constructs.NewConstruct(stack, jsii.String(lb.Key))
		}
		balancer, ok := try(b, lb.Path, func() (*ingress.LoadBalancer, error) {
			return ingress.New(sections[lb.Key], lb.Name, &ingress.Props{
				Model: lb, Network: b.built.network, Resolve: b.resolver(), Admit: b.admit, Ephemeral: b.props.Ephemeral,
			})
		})
		if ok {
			b.built.balancers[lb.Key+"."+lb.Name] = balancer
			b.outputs(stack, lb, balancer)
		}
	}
}

// attach puts the families behind the load balancers.
func (b *builder) attach() {
	for _, lb := range b.props.Model.LoadBalancers {
		balancer := b.built.balancers[lb.Key+"."+lb.Name]
		if balancer == nil {
			continue // its own failure is reported
		}
		try(b, lb.Path, func() (any, error) {
			return nil, balancer.Attach(func(name string) *service.Family { return b.built.families[name] })
		})
	}
}

// outputs names the URLs of a load balancer, so that a deployment ends with them.
func (b *builder) outputs(stack awscdk.Stack, lb *compose.LoadBalancer, balancer *ingress.LoadBalancer) {
	for i, e := range balancer.Endpoints() {
		host := balancer.DNSName()
		if alias := lb.Host(); alias != "" {
			host = cfn.Literal(alias)
		}
		b.app.endpoints[lb.Listeners[i]] = awscdk.NewCfnOutput(stack, jsii.String(fmt.Sprintf("Endpoint %s %d", lb.Name, e.Port)), &awscdk.CfnOutputProps{
			Description: jsii.String(fmt.Sprintf("%s, port %d", lb.Path, e.Port)),
			Value:       cfn.Join(cfn.Literal(strings.ToLower(e.Protocol)+"://"), host, cfn.Literal(fmt.Sprintf(":%d", e.Port))).Token(),
		})
	}
}
