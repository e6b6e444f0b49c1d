package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/guard"
)

// Network is the VPC of an application, new or existing, and its groups of
// subnets.
type Network struct {
	vpc    awsec2.IVpc
	groups map[string]*awsec2.SubnetSelection
	cidr   string // "" = not known
}

// NewNetwork creates the VPC of the model, or finds the existing one: by ids
// without any look-up, else through CDK context, which needs a stack with an
// account and a region.
func NewNetwork(scope constructs.Construct, id string, m *compose.Network) (*Network, error) {
	this := constructs.NewConstruct(scope, &id)
	if m.Existing != nil {
		return existingNetwork(this, m)
	}
	return newNetwork(this, m.New), nil
}

// VPC returns the CDK's own construct.
func (n *Network) VPC() awsec2.IVpc { return n.vpc }

// Subnets selects a group of subnets: one of the three tiers, or a further
// group of an existing VPC.
func (n *Network) Subnets(group string) *awsec2.SubnetSelection {
	if s, ok := n.groups[group]; ok {
		return s
	}
	return &awsec2.SubnetSelection{SubnetGroupName: jsii.String(group)}
}

// SubnetIDs returns the ids of a group of subnets, for what takes no selection.
func (n *Network) SubnetIDs(group string) *[]*string {
	return n.vpc.SelectSubnets(n.Subnets(group)).SubnetIds
}

// CIDR returns the address range of the VPC, where it is known: that of a new VPC, a
// looked-up one, or the one that the file gives.
func (n *Network) CIDR() (cfn.Value, bool) { return cfn.Literal(n.cidr), n.cidr != "" }

// PresetAvailabilityZones lets a VPC in the stack use the zones by the given
// names, or without names the first zones of the region as CloudFormation lists
// them. Without it the CDK looks the zones up in the account, for which a
// synthesis would need credentials. Call it right after creating the stack,
// before anything else is put into it.
func PresetAvailabilityZones(stack awscdk.Stack, m *compose.Network) {
	if m.New == nil {
		return
	}
	zones := zones(m.New)
	key := jsii.String("aws:cdk:availability-zones:fallback")
	if bound(stack) {
		key = awscdk.ContextProvider_GetKey(stack, &awscdk.GetContextKeyOptions{
			Provider: jsii.String("availability-zones"),
		}).Key
	}
	stack.Node().SetContext(key, zones)
}

func bound(stack awscdk.Stack) bool {
	return !*awscdk.Token_IsUnresolved(stack.Account()) && !*awscdk.Token_IsUnresolved(stack.Region())
}

func zones(v *compose.NewVPC) *[]*string {
	if len(v.AvailabilityZones) > 0 {
		return jsii.Strings(v.AvailabilityZones...)
	}
	all := awscdk.Fn_GetAzs(nil)
	var zones []*string
	for i := range v.MaxAZs {
		zones = append(zones, awscdk.Fn_Select(jsii.Number(i), all))
	}
	return &zones
}

func newNetwork(this constructs.Construct, v *compose.NewVPC) *Network {
	app := awsec2.SubnetType_PRIVATE_WITH_EGRESS
	props := awsec2.VpcProps{
		IpAddresses: awsec2.IpAddresses_Cidr(jsii.String(v.CIDR)),
		// It would add a custom resource with a Lambda function. Nothing here
		// uses the default group: every family has its own.
		RestrictDefaultSecurityGroup: jsii.Bool(false),
	}
	switch v.NATGateways {
	case -1:
	case 0:
		app = awsec2.SubnetType_PRIVATE_ISOLATED
		props.NatGateways = jsii.Number(0)
	default:
		props.NatGateways = jsii.Number(v.NATGateways)
	}
	count := v.MaxAZs
	if len(v.AvailabilityZones) > 0 {
		count = len(v.AvailabilityZones)
		props.AvailabilityZones = jsii.Strings(v.AvailabilityZones...)
	} else {
		props.MaxAzs = jsii.Number(v.MaxAZs)
	}
	quarter := compose.SubnetPrefix(netip.MustParsePrefix(v.CIDR).Bits(), count)
	props.SubnetConfiguration = &[]*awsec2.SubnetConfiguration{
		{
			Name: jsii.String(compose.PublicSubnets), SubnetType: awsec2.SubnetType_PUBLIC,
			CidrMask: jsii.Number(quarter), MapPublicIpOnLaunch: jsii.Bool(false),
		},
		{Name: jsii.String(compose.AppSubnets), SubnetType: app, CidrMask: jsii.Number(quarter - 1)},
		{
			Name: jsii.String(compose.StorageSubnets), SubnetType: awsec2.SubnetType_PRIVATE_ISOLATED,
			CidrMask: jsii.Number(quarter),
		},
	}
	vpc := awsec2.NewVpc(this, jsii.String("Vpc"), &props)
	for _, name := range v.Endpoints {
		addEndpoint(vpc, name)
	}
	if v.FlowLogs {
		addFlowLogs(this, vpc, v.FlowLogsRoleBoundary)
	}
	if v.DHCPDomain != "" {
		addDHCPDomain(this, vpc, v.DHCPDomain)
	}
	return &Network{vpc: vpc, cidr: v.CIDR}
}

// addEndpoint keeps the traffic to an AWS service inside the VPC. Gateway
// endpoints cost nothing; the others stand in the application's subnets, and
// answer the VPC only.
func addEndpoint(vpc awsec2.Vpc, name string) {
	switch name {
	case "s3":
		vpc.AddGatewayEndpoint(jsii.String(name), &awsec2.GatewayVpcEndpointOptions{
			Service: awsec2.GatewayVpcEndpointAwsService_S3(),
		})
	case "dynamodb":
		vpc.AddGatewayEndpoint(jsii.String(name), &awsec2.GatewayVpcEndpointOptions{
			Service: awsec2.GatewayVpcEndpointAwsService_DYNAMODB(),
		})
	default:
		vpc.AddInterfaceEndpoint(jsii.String(name), &awsec2.InterfaceVpcEndpointOptions{
			Service: awsec2.NewInterfaceVpcEndpointAwsService(jsii.String(name), nil, nil, nil),
			Subnets: &awsec2.SubnetSelection{SubnetGroupName: jsii.String(compose.AppSubnets)},
		})
	}
}

func addDHCPDomain(this constructs.Construct, vpc awsec2.Vpc, domain string) {
	options := awsec2.NewCfnDHCPOptions(this, jsii.String("DhcpOptions"), &awsec2.CfnDHCPOptionsProps{
		DomainName:        jsii.String(domain),
		DomainNameServers: jsii.Strings("AmazonProvidedDNS"),
	})
	awsec2.NewCfnVPCDHCPOptionsAssociation(this, jsii.String("DhcpOptionsAssociation"),
		&awsec2.CfnVPCDHCPOptionsAssociationProps{DhcpOptionsId: options.AttrDhcpOptionsId(), VpcId: vpc.VpcId()})
}

// tiers are the names that every VPC answers to, and the types of subnets that
// serve, the best one first.
var tiers = []struct {
	group string
	types []awsec2.SubnetType
}{
	{compose.PublicSubnets, []awsec2.SubnetType{awsec2.SubnetType_PUBLIC}},
	{compose.AppSubnets, []awsec2.SubnetType{
		awsec2.SubnetType_PRIVATE_WITH_EGRESS, awsec2.SubnetType_PRIVATE_ISOLATED, awsec2.SubnetType_PUBLIC,
	}},
	{compose.StorageSubnets, []awsec2.SubnetType{
		awsec2.SubnetType_PRIVATE_ISOLATED, awsec2.SubnetType_PRIVATE_WITH_EGRESS, awsec2.SubnetType_PUBLIC,
	}},
}

func existingNetwork(this constructs.Construct, m *compose.Network) (*Network, error) {
	v := m.Existing
	byID := v.ID != ""
	tag := ""
	for _, group := range slices.Sorted(maps.Keys(v.Subnets)) {
		s := v.Subnets[group]
		byID = byID && len(s.IDs) > 0
		for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
			if tag != "" && tag != key {
				return nil, lookupError(m, "subnets are found by one tag key for all groups, but the file has %q and %q: give ids", tag, key)
			}
			tag = key
		}
	}
	if byID && len(v.Subnets) > 0 {
		return networkByID(this, v), nil
	}
	return lookedUpNetwork(this, m, tag)
}

// networkByID needs no look-up, as the file gives all the ids.
func networkByID(this constructs.Construct, v *compose.ExistingVPC) *Network {
	zones := *zones(&compose.NewVPC{AvailabilityZones: v.AvailabilityZones, MaxAZs: 1})
	vpc := awsec2.Vpc_FromVpcAttributes(this, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId:             jsii.String(v.ID),
		AvailabilityZones: &zones,
		VpcCidrBlock:      cfn.Optional(v.CIDR),
	})
	n := &Network{vpc: vpc, groups: map[string]*awsec2.SubnetSelection{}, cidr: v.CIDR}
	for _, group := range slices.Sorted(maps.Keys(v.Subnets)) {
		n.groups[group] = subnetsByID(this, group, v.Subnets[group].IDs, zones)
	}
	for _, tier := range tiers {
		if n.groups[tier.group] == nil {
			n.groups[tier.group] = n.nearest(tier.group)
		}
	}
	return n
}

// nearest replaces a tier that the file does not name: the most private
// one that it does.
func (n *Network) nearest(group string) *awsec2.SubnetSelection {
	order := []string{compose.AppSubnets, compose.StorageSubnets, compose.PublicSubnets}
	if group == compose.AppSubnets {
		order = []string{compose.StorageSubnets, compose.PublicSubnets}
	}
	for _, other := range order {
		if s, ok := n.groups[other]; ok {
			return s
		}
	}
	return n.groups[slices.Sorted(maps.Keys(n.groups))[0]]
}

// subnetsByID needs the zones only because the CDK hands them out with the ids;
// where the file does not give them, they are placeholders that nothing reads.
func subnetsByID(this constructs.Construct, group string, ids []string, zones []*string) *awsec2.SubnetSelection {
	scope := constructs.NewConstruct(this, &group)
	var subnets []awsec2.ISubnet
	for i, id := range ids {
		subnets = append(subnets, awsec2.Subnet_FromSubnetAttributes(scope, jsii.String(id), &awsec2.SubnetAttributes{
			SubnetId: jsii.String(id), AvailabilityZone: zones[i%len(zones)],
		}))
	}
	// Nothing of ours reads route tables, about which the CDK warns.
	awscdk.Annotations_Of(scope).AcknowledgeWarning(
		jsii.String("@aws-cdk/aws-ec2:noSubnetRouteTableId"), jsii.String("route tables are not used"))
	return &awsec2.SubnetSelection{Subnets: &subnets}
}

// lookedUpNetwork finds the VPC, and its subnets by the value of a tag, with the
// CDK's own look-up.
func lookedUpNetwork(this constructs.Construct, m *compose.Network, tag string) (*Network, error) {
	v := m.Existing
	if !bound(awscdk.Stack_Of(this)) {
		return nil, lookupError(m, "looking up a VPC needs the account and the region: run with -c account=… -c region=…, "+
			"or give the ids of the VPC and of its subnets")
	}
	vpc := lookUpVPC(this, v, tag)
	n := &Network{vpc: vpc, groups: map[string]*awsec2.SubnetSelection{}, cidr: v.CIDR}
	if n.cidr == "" {
		n.cidr = *vpc.VpcCidrBlock()
	}
	for _, group := range slices.Sorted(maps.Keys(v.Subnets)) {
		s := v.Subnets[group]
		if len(s.IDs) > 0 {
			n.groups[group] = subnetsByID(this, group, s.IDs, *vpc.AvailabilityZones())
			continue
		}
		n.groups[group] = subnetsByTag(vpc, s.Tags[tag])
	}
	has := map[awsec2.SubnetType]bool{
		awsec2.SubnetType_PUBLIC:              len(*vpc.PublicSubnets()) > 0,
		awsec2.SubnetType_PRIVATE_WITH_EGRESS: len(*vpc.PrivateSubnets()) > 0,
		awsec2.SubnetType_PRIVATE_ISOLATED:    len(*vpc.IsolatedSubnets()) > 0,
	}
	for _, tier := range tiers {
		if n.groups[tier.group] != nil {
			continue
		}
		i := slices.IndexFunc(tier.types, func(t awsec2.SubnetType) bool { return has[t] })
		n.groups[tier.group] = &awsec2.SubnetSelection{SubnetType: tier.types[max(i, 0)]}
	}
	return n, nil
}

// subnetsByTag selects the looked-up subnets whose tag has one of the values,
// which are separated by commas.
func subnetsByTag(vpc awsec2.IVpc, values string) *awsec2.SubnetSelection {
	names := strings.Split(values, ",")
	if len(names) == 1 {
		return &awsec2.SubnetSelection{SubnetGroupName: jsii.String(values)}
	}
	subnets := []awsec2.ISubnet{}
	for _, name := range names {
		group := vpc.SelectSubnets(&awsec2.SubnetSelection{SubnetGroupName: jsii.String(name)})
		subnets = append(subnets, *group.Subnets...)
	}
	return &awsec2.SubnetSelection{Subnets: &subnets}
}

func lookupError(m *compose.Network, format string, args ...any) error {
	return &guard.Error{At: m.Path, Message: fmt.Sprintf(format, args...)}
}

func stringMap(m map[string]string) *map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = jsii.String(v)
	}
	return &out
}
