package ingress

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	elbv2 "github.com/aws/aws-cdk-go/awscdk/v2/awselasticloadbalancingv2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/guard"
	"composecdk/constructs/network"
)

// Props are what a load balancer needs from the stacks around it.
type Props struct {
	Model   *compose.LoadBalancer
	Network *network.Network
	// Resolve resolves the references in values of the file.
	Resolve cfn.Resolver
	// Admit lets an AWS service use the x-resource that a reference names, and returns
	// what whoever asks must wait for.
	Admit func(compose.Ref, cfn.Admission) (before []constructs.IDependable, err error)
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
	// values has the return values of the load balancer, new or existing, by name.
	values map[string]cfn.Value
	// listeners are the ARNs of the listeners, by port.
	listeners map[int]cfn.Value
	// group is the security group of a new load balancer; the
	// members of peers reach the targets.
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

// New builds a load balancer with its listeners and target groups, which Attach puts
// families behind. An existing one gets listeners, but keeps its own settings and
// security group.
func New(scope constructs.Construct, id string, props *Props) (*LoadBalancer, error) {
	this := constructs.NewConstruct(scope, &id)
	lb := &LoadBalancer{construct: this, props: props, model: props.Model, groups: map[string]*targetGroup{}, values: map[string]cfn.Value{}, listeners: map[int]cfn.Value{}}
	build := lb.create
	if lb.model.Lookup != nil {
		build = lb.find
	}
	for _, part := range []func() error{build, lb.addTargetGroups, lb.addListeners, lb.addAliases} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return lb, nil
}

// DNSName returns the name under which clients find the load balancer.
func (lb *LoadBalancer) DNSName() cfn.Value { return lb.values["DNSName"] }

// Value returns a value of the load balancer, of a listener ("Listeners.443") or of a
// target group ("web::8080", "web::8080::TargetGroupArn") by its name in compose.Node.
func (lb *LoadBalancer) Value(name string) (cfn.Value, bool) {
	if v, ok := lb.values[name]; ok {
		return v, true
	}
	for port, arn := range lb.listeners {
		if name == fmt.Sprintf("Listeners.%d", port) {
			return arn, true
		}
	}
	if g, attribute, ok := lb.model.TargetGroup(name); ok {
		v, ok := lb.groups[g.Name].values[attribute]
		return v, ok
	}
	return cfn.Value{}, false
}

// Endpoints returns the ports of the listeners, sorted by port.
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
	LoadBalancerCanonicalHostedZoneId() *string
	LoadBalancerDnsName() *string
	LoadBalancerFullName() *string
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
	lb.setValues(l2.LoadBalancerArn(), l2.LoadBalancerDnsName(), l2.LoadBalancerCanonicalHostedZoneId(), l2.LoadBalancerFullName())
	lb.values["SecurityGroupId"] = lb.peers[0]
	const protection = "deletion_protection.enabled"
	for _, name := range slices.Sorted(maps.Keys(lb.model.Attributes)) {
		value := lb.model.Attributes[name]
		if name == protection && lb.props.Ephemeral {
			value = "false"
		}
		resolved, err := lb.props.Resolve.Text(compose.ParseText(value))
		if err != nil {
			return err
		}
		l2.SetAttribute(jsii.String(name), resolved.Token())
	}
	if err := lb.keepLogs(l2); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(lb.model.Tags)) {
		awscdk.Tags_Of(l2).Add(jsii.String(key), jsii.String(lb.model.Tags[key]), nil)
	}
	resource := l2.Node().DefaultChild().(elbv2.CfnLoadBalancer)
	for _, property := range slices.Sorted(maps.Keys(lb.model.Properties)) {
		value, err := lb.props.Resolve.Tokens(lb.model.Properties[property])
		if err != nil {
			return err
		}
		resource.AddPropertyOverride(jsii.String(property), value)
	}
	// A load balancer has Subnets or SubnetMappings, never both.
	if _, ok := lb.model.Properties["SubnetMappings"]; ok {
		resource.AddPropertyDeletionOverride(jsii.String("Subnets"))
	}
	return nil
}

// setValues keeps the values of the load balancer by their names in compose.Node.
func (lb *LoadBalancer) setValues(arn, dnsName, zone, fullName *string) {
	lb.values["LoadBalancerArn"] = cfn.FromToken(arn)
	lb.values["DNSName"] = cfn.FromToken(dnsName)
	lb.values["CanonicalHostedZoneID"] = cfn.FromToken(zone)
	if fullName != nil {
		lb.values["LoadBalancerFullName"] = cfn.FromToken(fullName)
		return
	}
	// That of an existing one follows from its ARN, …:loadbalancer/<full name>.
	parts := awscdk.Fn_Split(jsii.String(":loadbalancer/"), arn, nil)
	lb.values["LoadBalancerFullName"] = cfn.FromToken(awscdk.Fn_Select(jsii.Number(1), parts))
}

// logDelivery says who writes the logs of each type of load balancer, and for what.
// See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
// and https://docs.aws.amazon.com/elasticloadbalancing/latest/network/enable-access-logs.html
var logDelivery = map[string][]cfn.Admission{
	"application": {{Service: "logdelivery.elasticloadbalancing.amazonaws.com", Actions: []string{"s3:PutObject"}, Resource: "${ARN}/*", AccountInSource: true}},
	"network": {
		{Service: "delivery.logs.amazonaws.com", Actions: []string{"s3:PutObject"}, Resource: "${ARN}/*"},
		{Service: "delivery.logs.amazonaws.com", Actions: []string{"s3:GetBucketAcl"}},
	},
}

// keepLogs lets AWS write the logs of the load balancer to the buckets of the file.
func (lb *LoadBalancer) keepLogs(waits constructs.Construct) error {
	source := cfn.Arn(cfn.Literal("elasticloadbalancing"), cfn.Literal("loadbalancer/*"))
	if lb.network() {
		source = cfn.Arn(cfn.Literal("logs"), cfn.Literal("*"))
	}
	for _, logs := range []string{"access_logs", "connection_logs"} {
		ref, ok := compose.ParseRef(lb.model.Attributes[logs+".s3.bucket"])
		if !ok || lb.model.Attributes[logs+".s3.enabled"] != "true" {
			continue
		}
		for _, admission := range logDelivery[lb.model.Type] {
			admission.From, admission.Source = lb.model.Path, source
			before, err := lb.props.Admit(ref, admission)
			if err != nil {
				return err
			}
			if len(before) > 0 {
				waits.Node().AddDependency(before...)
			}
		}
	}
	return nil
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
		lb.setValues(l2.LoadBalancerArn(), l2.LoadBalancerDnsName(), l2.LoadBalancerCanonicalHostedZoneId(), nil)
		connections = l2.Connections()
	} else {
		l2 := elbv2.ApplicationLoadBalancer_FromLookup(lb.construct, id, &elbv2.ApplicationLoadBalancerLookupOptions{LoadBalancerArn: arn, LoadBalancerTags: tags})
		lb.setValues(l2.LoadBalancerArn(), l2.LoadBalancerDnsName(), l2.LoadBalancerCanonicalHostedZoneId(), nil)
		connections = l2.Connections()
	}
	for _, group := range *connections.SecurityGroups() {
		lb.peers = append(lb.peers, cfn.FromToken(group.SecurityGroupId()))
	}
	return nil
}
