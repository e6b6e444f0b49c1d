package service

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsservicediscovery"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
)

// serviceConnect lets others call every TCP port of the family as
// <service>:<port>, and the family call others. It is nil for a family that does
// neither, and follows from the family's own ports alone: a new neighbour changes
// nothing here.
func (f *Family) serviceConnect() (*awsecs.ServiceConnectProps, error) {
	var services []*awsecs.ServiceConnectService
	for _, c := range f.model.Containers {
		for _, p := range c.Ports {
			if p.Protocol == "udp" {
				continue
			}
			services = append(services, &awsecs.ServiceConnectService{
				PortMappingName: jsii.String(p.Name),
				DiscoveryName:   jsii.String(discoveryName(f.model.Name, c.Service, p.Number)),
				DnsName:         jsii.String(c.Service),
				Port:            jsii.Number(p.Number),
			})
		}
	}
	if len(services) == 0 && !f.props.Client {
		return nil, nil
	}
	if f.props.Namespaces == nil {
		return nil, fmt.Errorf("the family %s needs the namespace %q", f.model.Name, compose.DefaultNamespace)
	}
	namespace, ok := f.props.Namespaces.Namespace(compose.DefaultNamespace)
	if !ok {
		return nil, fmt.Errorf("the family %s needs the namespace %q", f.model.Name, compose.DefaultNamespace)
	}
	props := &awsecs.ServiceConnectProps{
		Namespace: namespace.NamespaceArn(),
		LogDriver: f.logs.driver("service-connect", nil),
	}
	if len(services) > 0 {
		props.Services = &services
	}
	return props, nil
}

// discoveryName returns unique in the namespace, in the words that Cloud Map accepts.
func discoveryName(family, service string, port int) string {
	name := service
	if family != service {
		name = family + "-" + service
	}
	suffix := fmt.Sprintf("-%d", port)
	clean := strings.ToLower(strings.ReplaceAll(name, ".", "-"))
	if clean != name || len(clean)+len(suffix) > longestDiscoveryName {
		// another name may become the same one
		suffix = "-" + shortHash(name) + suffix
		clean = clean[:min(len(clean), longestDiscoveryName-len(suffix))]
	}
	return clean + suffix
}

// longestDiscoveryName is the limit of Cloud Map.
const longestDiscoveryName = 64

// shortHash tells names apart that are cut or written in lower case.
func shortHash(name string) string {
	const digits = 4
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:digits])
}

// addRecords registers the tasks in Cloud Map, for what Service Connect cannot
// serve or the file asks for by x-cloudmap.
func (f *Family) addRecords(this constructs.Construct) error {
	if len(f.model.Records) > 1 {
		return fmt.Errorf("ECS registers a service in one Cloud Map service only, the file asks for %d", len(f.model.Records))
	}
	for _, r := range f.model.Records {
		namespace, ok := awsservicediscovery.INamespace(nil), false
		if f.props.Namespaces != nil {
			namespace, ok = f.props.Namespaces.Namespace(r.Namespace)
		}
		if !ok {
			return fmt.Errorf("there is no namespace %q", r.Namespace)
		}
		kind := awsservicediscovery.DnsRecordType_A
		if r.Type == "SRV" {
			kind = awsservicediscovery.DnsRecordType_SRV
		}
		registry := awsservicediscovery.NewService(this, jsii.String("record "+r.Namespace+" "+r.Name), &awsservicediscovery.ServiceProps{
			Namespace:     namespace,
			Name:          jsii.String(r.Name),
			DnsRecordType: kind,
			DnsTtl:        awscdk.Duration_Seconds(jsii.Number(recordTTL)),
			// ECS itself reports which tasks are healthy.
			CustomHealthCheck: &awsservicediscovery.HealthCheckCustomConfig{FailureThreshold: jsii.Number(1)},
		})
		options := &awsecs.AssociateCloudMapServiceOptions{Service: registry}
		if kind == awsservicediscovery.DnsRecordType_SRV {
			c := f.Container(r.Container)
			if c == nil {
				return fmt.Errorf("the record %s names the container %q, which is none of the family", r.Name, r.Container)
			}
			options.Container, options.ContainerPort = c.definition, jsii.Number(r.Port)
		}
		f.service.AssociateCloudMapService(options)
	}
	return nil
}

// recordTTL is how many seconds a client may go on calling a task that is gone.
const recordTTL = 10

func isIPv6(cidr string) bool { return strings.Contains(cidr, ":") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
