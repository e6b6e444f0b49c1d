package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/ingress"
	"composecdk/constructs/network"
	"composecdk/constructs/service"
	"composecdk/constructs/xresource"
)

// built is what the stacks further up refer to.
type built struct {
	network    *network.Network
	cluster    *network.Cluster
	namespaces *network.Namespaces
	resources  map[string]xresource.Resource    // by "x-key.name"
	secrets    map[string]service.Secret        // by name
	volumes    map[string]*service.Volume       // by name
	families   map[string]*service.Family       // by name
	balancers  map[string]*ingress.LoadBalancer // by "x-elbv2.name"
}

// network fills the stack that everything else stands on: the VPC, the cluster
// and the namespaces.
func (b *builder) network(stack awscdk.Stack) {
	m := b.props.Model
	if b.props.Ephemeral {
		// Not the bucket of Exec sessions: one with objects cannot be deleted.
		awscdk.RemovalPolicies_Of(stack).Destroy(&awscdk.RemovalPolicyProps{
			ApplyToResourceTypes: jsii.Strings("AWS::KMS::Key", "AWS::Logs::LogGroup"),
		})
	}
	net, ok := try(b, m.Network.Path, func() (*network.Network, error) {
		return network.NewNetwork(stack, "x-vpc", &m.Network)
	})
	if !ok {
		return
	}
	b.built.network = net
	b.built.cluster, _ = try(b, m.Cluster.Path, func() (*network.Cluster, error) {
		return network.NewCluster(stack, "x-cluster", &m.Cluster, net)
	})
	if len(m.Namespaces) > 0 {
		b.built.namespaces, _ = try(b, m.Namespaces[0].Path, func() (*network.Namespaces, error) {
			return network.NewNamespaces(stack, "x-cloudmap", m.Namespaces, net)
		})
	}
}
