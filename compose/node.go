package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Sections of the single things that references can name beside x-resources.
const (
	clusterSectionKey = "x-cluster"
	vpcSectionKey     = "x-vpc"
	// servicesSection begins the name of a service or family, services::web::ServiceName.
	servicesSection = "services"
)

// Node is something that a reference can name: an x-resource, a load balancer with its
// listeners and target groups, a service, the cluster, the VPC.
type Node struct {
	// Path is where the files have it.
	Path Path
	// Values are the names of its values, sorted.
	Values []string
	// Bare is the value that its name alone means; "" is none.
	Bare  string
	stage stage
}

// The values of what is not an x-resource.
var (
	clusterValues  = []string{"Arn", "ClusterName"}
	vpcValues      = []string{AppSubnets, PublicSubnets, StorageSubnets, "VpcId"}
	familyValues   = []string{"LogGroupName", "SecurityGroupId", "ServiceArn", "ServiceName", "TaskDefinitionArn", "TaskRoleArn"}
	balancerValues = []string{"CanonicalHostedZoneID", "DNSName", "LoadBalancerArn", "LoadBalancerFullName", "SecurityGroupId"}
)

// Suffixes of the values of a target group, <target>::<port>::<suffix>.
const (
	targetGroupName = "TargetGroupFullName"
	targetGroupArn  = "TargetGroupArn"
)

// Node finds what a reference names, whether or not it has the value.
func (m *Model) Node(ref Ref) (Node, bool) {
	switch ref.Key {
	case clusterSectionKey:
		return Node{Path: clusterSectionKey, Values: clusterValues, stage: networkStage}, true
	case vpcSectionKey:
		return Node{Path: vpcSectionKey, Values: vpcValues, stage: networkStage}, true
	case servicesSection:
		if f, ok := m.Family(ref.Name); ok {
			return Node{Path: f.Member(), Values: f.values(), stage: familyStage}, true
		}
		return Node{}, false
	case keyElbv2:
		if lb, ok := m.LoadBalancer(ref); ok {
			return Node{Path: lb.Path, Values: lb.values(), Bare: "LoadBalancerArn", stage: balancerStage}, true
		}
		return Node{}, false
	}
	res, ok := m.Resource(ref)
	if !ok {
		return Node{}, false
	}
	node := Node{Path: res.Path, Values: res.Values(), Bare: res.Bare(), stage: dataStage}
	if res.Schema.Layer == Services {
		node.stage = serviceStage
	}
	return node, true
}

// Family finds a family by its name, or by the name of a service in it.
func (m *Model) Family(name string) (*Family, bool) {
	for _, f := range m.Families {
		if f.Name == name {
			return f, true
		}
	}
	for _, f := range m.Families {
		for _, c := range f.Containers {
			if c.Service == name {
				return f, true
			}
		}
	}
	return nil, false
}

// values lists the values of a family; a family without an ECS service lacks the values of the service.
func (f *Family) values() []string {
	if f.Run == RunTask {
		return slices.DeleteFunc(slices.Clone(familyValues), func(name string) bool { return strings.HasPrefix(name, "Service") })
	}
	return familyValues
}

// LoadBalancer finds the load balancer of x-elbv2 that a reference names.
func (m *Model) LoadBalancer(ref Ref) (*LoadBalancer, bool) {
	for _, lb := range m.LoadBalancers {
		if lb.Key == ref.Key && lb.Name == ref.Name {
			return lb, true
		}
	}
	return nil, false
}

// values lists the values of a load balancer, its listeners and target groups.
func (lb *LoadBalancer) values() []string {
	values := append([]string{}, balancerValues...)
	if lb.Lookup != nil {
		values = []string{"CanonicalHostedZoneID", "DNSName", "LoadBalancerArn", "LoadBalancerFullName"}
	}
	for _, l := range lb.Listeners {
		values = append(values, fmt.Sprintf("Listeners.%d", l.Port))
	}
	for _, g := range lb.TargetGroups {
		for _, t := range g.Targets {
			for _, name := range []string{t.Family, t.Container} {
				target := name + "::" + strconv.Itoa(t.Port)
				values = append(values, target, target+"::"+targetGroupName, target+"::"+targetGroupArn)
			}
		}
	}
	return values
}

// TargetGroup finds the target group that a value of the load balancer names,
// <family or service>::<port>, and the attribute of it; the full name by default, as a
// dimension of its metrics.
func (lb *LoadBalancer) TargetGroup(value string) (g *TargetGroup, attribute string, ok bool) {
	parts := strings.Split(value, "::")
	if len(parts) < 2 {
		return nil, "", false
	}
	attribute = targetGroupName
	if len(parts) > 2 {
		attribute = parts[2]
	}
	for _, g := range lb.TargetGroups {
		for _, t := range g.Targets {
			if strconv.Itoa(t.Port) == parts[1] && (t.Family == parts[0] || t.Container == parts[0]) {
				return g, attribute, true
			}
		}
	}
	return nil, "", false
}

// Bare returns the name of the value that the name of the resource alone means, or ""
// where it means none.
func (r *Resource) Bare() string {
	values := r.Values()
	for _, name := range r.Schema.Bare {
		for _, value := range values {
			if name == value {
				return name
			}
		}
	}
	return ""
}
