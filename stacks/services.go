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
)

// services makes the stack of what runs: the families, what they may use, who
// may call whom, and the load balancers in front.
func (b *builder) services() {
	stack := b.stack("Services", "services")
	b.families(stack)
	if len(b.errs) > 0 {
		return
	}
	b.bindings()
	b.edges()
	b.loadBalancers(stack)
}

func (b *builder) families(stack awscdk.Stack) {
	m := b.props.Model
	b.built.families = map[string]*service.Family{}
	for _, f := range m.Families {
		family, ok := try(b, f.Path, func() (*service.Family, error) {
			return service.NewFamily(stack, f.Name, &service.FamilyProps{
				Family: f, Network: b.built.network, Cluster: b.built.cluster, Namespaces: b.built.namespaces,
				Client:  slices.ContainsFunc(m.Edges, func(e compose.Edge) bool { return e.From == f.Name }),
				Secrets: b.built.secrets, Volumes: b.built.volumes, Destroyable: b.props.Destroyable,
				Resolve: func(t compose.Text) (cfn.Value, error) { return xresource.Text(t, b.value) },
			})
		})
		if ok {
			b.built.families[f.Name] = family
		}
	}
	for _, f := range m.Families {
		for _, other := range f.DependsOn {
			if family, before := b.built.families[f.Name], b.built.families[other]; family != nil && before != nil {
				family.DependOn(before)
			}
		}
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

// edges open the ports that one family calls at another one.
func (b *builder) edges() {
	for _, e := range b.props.Model.Edges {
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
	sections := map[string]constructs.Construct{}
	for _, lb := range b.props.Model.LoadBalancers {
		if sections[lb.Key] == nil {
			sections[lb.Key] = constructs.NewConstruct(stack, jsii.String(lb.Key))
		}
		balancer, ok := try(b, lb.Path, func() (*ingress.LoadBalancer, error) {
			return ingress.New(sections[lb.Key], lb.Name, &ingress.Props{
				Model: lb, Network: b.built.network, Destroyable: b.props.Destroyable,
				Family: func(name string) *service.Family { return b.built.families[name] },
			})
		})
		if ok {
			outputs(stack, lb, balancer)
		}
	}
}

// outputs name the URLs of a load balancer, so that a deployment ends with them.
func outputs(stack awscdk.Stack, lb *compose.LoadBalancer, balancer *ingress.LoadBalancer) {
	for _, e := range balancer.Endpoints() {
		awscdk.NewCfnOutput(stack, jsii.String(fmt.Sprintf("Endpoint %s %d", lb.Name, e.Port)), &awscdk.CfnOutputProps{
			Description: jsii.String(fmt.Sprintf("%s, port %d", lb.Path, e.Port)),
			Value:       cfn.Join(cfn.Literal(strings.ToLower(e.Protocol)+"://"), balancer.DNSName(), cfn.Literal(fmt.Sprintf(":%d", e.Port))).Token(),
		})
	}
}
