package ingress

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elbv2 "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/guard"
	"composecdk/constructs/network"
	"composecdk/constructs/service"
)

// Props are what a load balancer needs from the stacks around it.
type Props struct {
	Model   *compose.LoadBalancer
	Network *network.Network
	// Family finds the families that the target groups name.
	Family func(name string) *service.Family
	// Ephemeral says that nothing in this environment is worth keeping: there
	// is no deletion protection then, even if the file asks for it.
	Ephemeral bool
}

// LoadBalancer is an Application or Network Load Balancer with its listeners,
// rules and target groups.
type LoadBalancer struct {
	construct constructs.Construct
	props     *Props
	model     *compose.LoadBalancer
	// arn and dns are of the load balancer, new or existing.
	arn, dns cfn.Value
	// group is the security group of a new load balancer; peers are those whose
	// members reach the targets.
	group  awsec2.SecurityGroup
	peers  []cfn.Value
	groups map[string]*targetGroup
}

// Endpoint is a port that clients connect to.
type Endpoint struct {
	// Protocol is HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP.
	Protocol string
	Port     int
}

// New builds a load balancer and puts the families it names behind it. An
// existing one gets listeners, but keeps its own settings and security group.
func New(scope constructs.Construct, id string, props *Props) (*LoadBalancer, error) {
	this := constructs.NewConstruct(scope, &id)
	lb := &LoadBalancer{construct: this, props: props, model: props.Model, groups: map[string]*targetGroup{}}
	build := lb.create
	if lb.model.Lookup != nil {
		build = lb.find
	}
	for _, part := range []func() error{build, lb.addTargetGroups, lb.addListeners, lb.addTargets} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return lb, nil
}

// DNSName is the name under which clients find the load balancer.
func (lb *LoadBalancer) DNSName() cfn.Value { return lb.dns }

// Endpoints are the ports of the listeners, sorted by port.
func (lb *LoadBalancer) Endpoints() []Endpoint {
	var all []Endpoint
	for _, l := range lb.model.Listeners {
		all = append(all, Endpoint{Protocol: l.Protocol, Port: l.Port})
	}
	return all
}

func (lb *LoadBalancer) network() bool { return lb.model.Type == "network" }

// created are what both kinds of new load balancers have.
type created interface {
	constructs.Construct
	LoadBalancerArn() *string
	LoadBalancerDnsName() *string
	SetAttribute(key, value *string)
}

// create makes a new load balancer.
func (lb *LoadBalancer) create() error {
	if err := lb.addSecurityGroup(); err != nil {
		return err
	}
	var l2 created
	if lb.network() {
		l2 = lb.createNetwork()
	} else {
		l2 = elbv2.NewApplicationLoadBalancer(lb.construct, jsii.String("LoadBalancer"), &elbv2.ApplicationLoadBalancerProps{
			Vpc:            lb.props.Network.VPC(),
			VpcSubnets:     lb.props.Network.Subnets(lb.model.SubnetGroup),
			InternetFacing: jsii.Bool(!lb.model.Internal),
			SecurityGroup:  lb.group,
		})
	}
	lb.arn, lb.dns = cfn.FromToken(l2.LoadBalancerArn()), cfn.FromToken(l2.LoadBalancerDnsName())
	const protection = "deletion_protection.enabled"
	for _, name := range slices.Sorted(maps.Keys(lb.model.Attributes)) {
		value := lb.model.Attributes[name]
		if name == protection && lb.props.Ephemeral {
			value = "false"
		}
		l2.SetAttribute(jsii.String(name), substituted(value))
	}
	for _, key := range slices.Sorted(maps.Keys(lb.model.Tags)) {
		awscdk.Tags_Of(l2).Add(jsii.String(key), jsii.String(lb.model.Tags[key]), nil)
	}
	resource := l2.Node().DefaultChild().(elbv2.CfnLoadBalancer)
	for _, property := range slices.Sorted(maps.Keys(lb.model.Properties)) {
		resource.AddPropertyOverride(jsii.String(property), inWords(lb.model.Properties[property]))
	}
	// A load balancer has Subnets or SubnetMappings, never both.
	if _, ok := lb.model.Properties["SubnetMappings"]; ok {
		resource.AddPropertyDeletionOverride(jsii.String("Subnets"))
	}
	return nil
}

// substituted is text in which ${AWS::Region} and the like may stand; any other
// ${ stays as it is.
func substituted(text string) *string {
	if strings.Contains(text, "${AWS::") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "${", "${!"), "${!AWS::", "${AWS::")
		return awscdk.Fn_Sub(&text, nil)
	}
	return &text
}

// inWords is a value of the file in CloudFormation's words: as it is, but for
// pseudo parameters in text.
func inWords(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			if key == "Fn::Sub" {
				return v
			}
			out[key] = inWords(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = inWords(item)
		}
		return out
	case string:
		if strings.Contains(v, "${AWS::") {
			return map[string]any{"Fn::Sub": v}
		}
	}
	return value
}

func (lb *LoadBalancer) createNetwork() elbv2.NetworkLoadBalancer {
	props := &elbv2.NetworkLoadBalancerProps{
		Vpc:            lb.props.Network.VPC(),
		InternetFacing: jsii.Bool(!lb.model.Internal),
		SecurityGroups: &[]awsec2.ISecurityGroup{lb.group},
	}
	subnets := lb.props.Network.Subnets(lb.model.SubnetGroup)
	if lb.model.ElasticIPs {
		props.SubnetMappings = lb.addresses(subnets)
	} else {
		props.VpcSubnets = subnets
	}
	return elbv2.NewNetworkLoadBalancer(lb.construct, jsii.String("LoadBalancer"), props)
}

// addresses gives the load balancer a fixed address in each of its subnets.
func (lb *LoadBalancer) addresses(selection *awsec2.SubnetSelection) *[]*elbv2.SubnetMapping {
	var mappings []*elbv2.SubnetMapping
	for i, subnet := range *lb.props.Network.VPC().SelectSubnets(selection).Subnets {
		address := awsec2.NewCfnEIP(lb.construct, jsii.String(fmt.Sprintf("Address%d", i+1)), &awsec2.CfnEIPProps{Domain: jsii.String("vpc")})
		if lb.model.RetainElasticIPs && !lb.props.Ephemeral {
			address.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
		}
		mappings = append(mappings, &elbv2.SubnetMapping{Subnet: subnet, AllocationId: address.AttrAllocationId()})
	}
	return &mappings
}

// find looks an existing load balancer up through CDK context.
func (lb *LoadBalancer) find() error {
	m := lb.model.Lookup
	stack := awscdk.Stack_Of(lb.construct)
	if *awscdk.Token_IsUnresolved(stack.Account()) || *awscdk.Token_IsUnresolved(stack.Region()) {
		return &guard.Error{At: m.Path, Message: "looking up a load balancer needs the account and the region: run with -c account=… -c region=…"}
	}
	var arn *string
	var tags *map[string]*string
	if m.Arn != "" {
		arn = jsii.String(m.Arn)
	}
	if len(m.Tags) > 0 {
		all := map[string]*string{}
		for key, value := range m.Tags {
			all[key] = jsii.String(value)
		}
		tags = &all
	}
	id := jsii.String("LoadBalancer")
	var connections awsec2.Connections
	if lb.network() {
		l2 := elbv2.NetworkLoadBalancer_FromLookup(lb.construct, id, &elbv2.NetworkLoadBalancerLookupOptions{LoadBalancerArn: arn, LoadBalancerTags: tags})
		lb.arn, lb.dns, connections = cfn.FromToken(l2.LoadBalancerArn()), cfn.FromToken(l2.LoadBalancerDnsName()), l2.Connections()
	} else {
		l2 := elbv2.ApplicationLoadBalancer_FromLookup(lb.construct, id, &elbv2.ApplicationLoadBalancerLookupOptions{LoadBalancerArn: arn, LoadBalancerTags: tags})
		lb.arn, lb.dns, connections = cfn.FromToken(l2.LoadBalancerArn()), cfn.FromToken(l2.LoadBalancerDnsName()), l2.Connections()
	}
	for _, group := range *connections.SecurityGroups() {
		lb.peers = append(lb.peers, cfn.FromToken(group.SecurityGroupId()))
	}
	return nil
}
