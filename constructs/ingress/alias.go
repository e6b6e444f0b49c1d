package ingress

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/jsii-runtime-go"
)

// addAliases makes the DNS records that lead to the load balancer: for IPv4, and for
// IPv6 where it has such addresses.
func (lb *LoadBalancer) addAliases() error {
	types := []string{"A"}
	if kind, _ := lb.model.Properties["IpAddressType"].(string); strings.HasPrefix(kind, "dualstack") {
		types = append(types, "AAAA")
	}
	for _, alias := range lb.model.Aliases {
		zone, err := lb.props.Resolve.Text(alias.Zone)
		if err != nil {
			return err
		}
		for _, name := range alias.Names {
			for _, recordType := range types {
				awsroute53.NewCfnRecordSet(lb.construct, jsii.String("alias "+name+" "+recordType), &awsroute53.CfnRecordSetProps{
					Name: jsii.String(name), Type: jsii.String(recordType), HostedZoneId: zone.Token(),
					AliasTarget: &awsroute53.CfnRecordSet_AliasTargetProperty{
						DnsName:      lb.values["DNSName"].Token(),
						HostedZoneId: lb.values["CanonicalHostedZoneID"].Token(),
					},
				})
			}
		}
	}
	return nil
}
