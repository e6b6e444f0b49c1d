package service

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// OpenTo lets the family connect to a peer: a rule on the security group of the
// peer, which stands in the scope of this family, so that the peer need not know
// who uses it.
func (f *Family) OpenTo(id string, peerSecurityGroup cfn.Value, protocol string, fromPort, toPort int, description string) {
	awsec2.NewCfnSecurityGroupIngress(f.construct, &id, &awsec2.CfnSecurityGroupIngressProps{
		GroupId:               peerSecurityGroup.Token(),
		SourceSecurityGroupId: f.groupID.Token(),
		IpProtocol:            jsii.String(protocol),
		FromPort:              jsii.Number(fromPort),
		ToPort:                jsii.Number(toPort),
		Description:           jsii.String(cfn.Description(description)),
	})
}

// AllowFrom opens ports of the family to a source; no ports in the source means
// all ports of the family's containers. The same rule again changes nothing: the
// services of a family may all ask for it.
func (f *Family) AllowFrom(id string, source compose.IngressSource) {
	ports := source.Ports
	if len(ports) == 0 {
		ports = f.ports()
	}
	for _, p := range ports {
		name := fmt.Sprintf("%s %d %s", id, p.Number, p.Protocol)
		if f.opened[name] {
			continue
		}
		f.opened[name] = true
		rule := &awsec2.CfnSecurityGroupIngressProps{
			GroupId:     f.groupID.Token(),
			IpProtocol:  jsii.String(p.Protocol),
			FromPort:    jsii.Number(p.Number),
			ToPort:      jsii.Number(p.Number),
			Description: cfn.Optional(cfn.Description(source.Description)),
		}
		switch {
		case source.Myself:
			rule.SourceSecurityGroupId = f.groupID.Token()
		case source.SecurityGroup != "":
			rule.SourceSecurityGroupId = jsii.String(source.SecurityGroup)
		case source.PrefixList != "":
			rule.SourcePrefixListId = jsii.String(source.PrefixList)
		case isIPv6(source.CIDR):
			rule.CidrIpv6 = jsii.String(source.CIDR)
		default:
			rule.CidrIp = jsii.String(source.CIDR)
		}
		awsec2.NewCfnSecurityGroupIngress(f.construct, &name, rule)
	}
}

// addIngress opens what the file says (x-network.Ingress).
func (f *Family) addIngress(constructs.Construct) error {
	for _, source := range f.model.Ingress {
		name := source.CIDR + source.SecurityGroup + source.PrefixList
		if source.Myself {
			name = "Myself"
		}
		f.AllowFrom("ingress "+name, source)
	}
	return nil
}

// ports returns the ports of all containers, in their order.
func (f *Family) ports() []compose.Port {
	var ports []compose.Port
	for _, c := range f.model.Containers {
		ports = append(ports, c.Ports...)
	}
	return ports
}
