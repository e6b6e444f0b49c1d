package ingress

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/guard"
)

// addSecurityGroup makes the load balancer's own security group and lets the
// sources of the model reach its listeners. It may connect to nothing until
// targets are added.
func (lb *LoadBalancer) addSecurityGroup() error {
	lb.group = awsec2.NewSecurityGroup(lb.construct, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              lb.props.Network.VPC(),
		Description:      jsii.String(cfn.Description("load balancer " + lb.model.Name)),
		AllowAllOutbound: jsii.Bool(false),
	})
	lb.peers = []cfn.Value{cfn.FromToken(lb.group.SecurityGroupId())}
	sources := lb.model.Sources
	if lb.model.Internal && len(sources) == 0 {
		cidr, ok := lb.props.Network.CIDR()
		if !ok {
			return lb.unknownCIDR("is open to the VPC")
		}
		lb.open(awsec2.Peer_Ipv4(cidr.Token()), nil, "the VPC")
	}
	for _, s := range sources {
		var peer awsec2.IPeer
		switch {
		case s.SecurityGroup != "":
			peer = awsec2.Peer_SecurityGroupId(jsii.String(s.SecurityGroup), nil)
		case s.PrefixList != "":
			peer = awsec2.Peer_PrefixList(jsii.String(s.PrefixList))
		case strings.Contains(s.CIDR, ":"):
			peer = awsec2.Peer_Ipv6(jsii.String(s.CIDR))
		default:
			peer = awsec2.Peer_Ipv4(jsii.String(s.CIDR))
		}
		lb.open(peer, s.Ports, s.Description)
	}
	return nil
}

func (lb *LoadBalancer) unknownCIDR(why string) error {
	return &guard.Error{At: lb.model.Path, Message: fmt.Sprintf(
		"load balancer %q %s, whose address range is not known: give x-vpc.Lookup.VpcCidr", lb.model.Name, why)}
}

// open lets a peer reach the listeners on some ports; none means on all.
func (lb *LoadBalancer) open(peer awsec2.IPeer, ports []compose.Port, description string) {
	var text *string
	if description != "" {
		text = jsii.String(cfn.Description(description))
	}
	for _, l := range lb.model.Listeners {
		listed := len(ports) == 0
		for _, p := range ports {
			listed = listed || p.Number == l.Port
		}
		if !listed {
			continue
		}
		for _, protocol := range transports(l.Protocol) {
			port := awsec2.Port_Tcp(jsii.Number(l.Port))
			if protocol == "udp" {
				port = awsec2.Port_Udp(jsii.Number(l.Port))
			}
			lb.group.AddIngressRule(peer, port, text, nil)
		}
	}
}

// transports returns the protocols of security group rules for one of listeners or
// target groups.
func transports(protocol string) []string {
	switch protocol {
	case "UDP":
		return []string{"udp"}
	case "TCP_UDP":
		return []string{"tcp", "udp"}
	}
	return []string{"tcp"}
}

// targetPort is a port of a family that the load balancer connects to.
type targetPort struct {
	family   string
	port     int
	protocol string
}

// String names the targetPort, for construct ids.
func (w targetPort) String() string { return fmt.Sprintf("%s %d %s", w.family, w.port, w.protocol) }

// openTarget opens one targetPort to a family: out of the load balancer's group, and
// into the family's.
func (lb *LoadBalancer) openTarget(w targetPort, familyGroup cfn.Value) error {
	description := jsii.String(cfn.Description(fmt.Sprintf("load balancer %s to %s", lb.model.Name, w.family)))
	if lb.group != nil {
		awsec2.NewCfnSecurityGroupEgress(lb.construct, jsii.String("Egress "+w.String()), &awsec2.CfnSecurityGroupEgressProps{
			GroupId:                    lb.group.SecurityGroupId(),
			DestinationSecurityGroupId: familyGroup.Token(),
			IpProtocol:                 jsii.String(w.protocol),
			FromPort:                   jsii.Number(w.port),
			ToPort:                     jsii.Number(w.port),
			Description:                description,
		})
	}
	ingress := awsec2.CfnSecurityGroupIngressProps{
		GroupId:     familyGroup.Token(),
		IpProtocol:  jsii.String(w.protocol),
		FromPort:    jsii.Number(w.port),
		ToPort:      jsii.Number(w.port),
		Description: description,
	}
	for i, peer := range lb.peers {
		rule := ingress
		rule.SourceSecurityGroupId = peer.Token()
		id := "Ingress " + w.String()
		if i > 0 {
			id = fmt.Sprintf("%s %d", id, i+1)
		}
		awsec2.NewCfnSecurityGroupIngress(lb.construct, &id, &rule)
	}
	if len(lb.peers) > 0 {
		return nil
	}
	// An older network load balancer has no security group; its addresses are
	// somewhere in the VPC.
	cidr, ok := lb.props.Network.CIDR()
	if !ok {
		return lb.unknownCIDR("has no security group and reaches its targets from the VPC")
	}
	ingress.CidrIp = cidr.Token()
	awsec2.NewCfnSecurityGroupIngress(lb.construct, jsii.String("Ingress "+w.String()), &ingress)
	return nil
}
