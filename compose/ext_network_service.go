package compose

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// networkExtension is x-network of a service.
type networkExtension struct {
	AssignPublicIp           bool //nolint:revive // the key's own spelling
	Ingress                  ingressExtension
	CloudMap                 any               `key:"x-cloudmap"`
	Connect                  *connectExtension `key:"x-ecs_connect"`
	AdditionalSecurityGroups any
	UseCloudmap              *bool
	IsPublic                 *bool

	// Of the first releases; load balancers have a section of their own now.
	OldCloudmap *bool  `key:"use_cloudmap"`
	OldPublic   *bool  `key:"is_public"`
	OldType     string `key:"lb_type"`
	OldALB      *bool  `key:"use_alb"`
	OldNLB      *bool  `key:"use_nlb"`
}

// oldNetworkKeys are old keys of x-network and what replaces them.
var oldNetworkKeys = map[string]string{
	"UseCloudmap":  cloudMapHint,
	"use_cloudmap": cloudMapHint,
	"IsPublic":     "AssignPublicIp, or x-ingress: public for its ports",
	"is_public":    "AssignPublicIp, or x-ingress: public for its ports",
	"lb_type":      "a load balancer below x-elbv2, or x-ingress",
	"use_alb":      "a load balancer below x-elbv2, or x-ingress",
	"use_nlb":      "a load balancer below x-elbv2",
}

const cloudMapHint = "x-cloudmap with a namespace; services find each other by name without it"

func (r *resolver) oldNetwork(s types.ServiceConfig, path Path) {
	m, _ := s.Extensions["x-network"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if current, ok := oldNetworkKeys[key]; ok {
			r.Deprecated(path.Key(key), key, current)
		}
	}
}

type ingressExtension struct {
	Myself     bool
	ExtSources []struct {
		IPv4, IPv6, Name, Description string
		Ports                         []string
	}
	AwsSources []struct {
		Type, Id, Name, Description string //nolint:revive // the keys' own spelling
		AccountOwner                string
		Lookup                      any
		Ports                       []string
	}
	Services []ingressService
}

type ingressService struct {
	Name      string
	DependsOn bool
	Ports     []string
}

// connectExtension is x-network.x-ecs_connect.
type connectExtension struct {
	Properties      map[string]any
	MacroParameters struct {
		CloudMap        string                 `key:"x-cloudmap"`
		ServicePorts    map[string]connectPort `key:"service_ports"`
		OldServicePorts map[string]connectPort `key:"services_ports"`
	}
}

type connectPort struct {
	DnsName             string //nolint:revive // the key's own spelling
	CloudMapServiceName string
	AppProtocol         string `key:"appProtocol"`
	Timeout             any
	IngressPortOverride int
}

// serviceNetwork decodes x-network of a service.
func (r *resolver) serviceNetwork(s types.ServiceConfig) (ext networkExtension, path Path) {
	path = servicePath(s.Name).Key("x-network")
	r.decode(path, s.Extensions["x-network"], &ext)
	return ext, path
}

// placement reads where the tasks of a family run in the network, who may reach
// them, and under which names.
func (r *resolver) placement(f *Family, services []types.ServiceConfig) {
	r.subnetGroup(f, services)
	for i, s := range services {
		c := f.Containers[i]
		ext, path := r.serviceNetwork(s)
		r.oldNetwork(s, path)
		f.AssignPublicIP = f.AssignPublicIP || ext.AssignPublicIp
		if ext.AdditionalSecurityGroups != nil {
			r.Warnf(path.Key("AdditionalSecurityGroups"), "security-groups", "a family has one security group; these are left out")
		}
		r.ingress(f, c, path.Key("Ingress"), ext.Ingress)
		r.cloudMap(f, c, path.Key("x-cloudmap"), ext.CloudMap)
		if ext.Connect != nil {
			r.connect(c, path.Key("x-ecs_connect"), *ext.Connect)
		}
	}
	if f.AssignPublicIP && f.SubnetGroup == "" {
		f.SubnetGroup = PublicSubnets
	}
	f.SubnetGroup = cmp.Or(f.SubnetGroup, AppSubnets)
	r.udpRecords(f)
}

// subnetGroup takes the subnets of the first network that names some.
func (r *resolver) subnetGroup(f *Family, services []types.ServiceConfig) {
	f.SubnetGroup = ""
	for _, s := range services {
		for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
			group := r.networkSubnets(name)
			switch {
			case group == "" || group == f.SubnetGroup:
			case f.SubnetGroup == "":
				f.SubnetGroup = group
			default:
				r.Warnf(servicePath(s.Name).Key("networks"), "subnet-group",
					"the tasks of family %q run in one group of subnets, %s, and not in %s", f.Name, f.SubnetGroup, group)
			}
		}
	}
}

func (r *resolver) networkSubnets(network string) string {
	n, ok := r.project.Networks[network]
	if !ok {
		return ""
	}
	var group string
	r.decode(At("networks", network, "x-vpc"), n.Extensions["x-vpc"], &group)
	return group
}

// ingress reads the sources beyond the services of the project.
func (r *resolver) ingress(f *Family, c *Container, path Path, ext ingressExtension) {
	if ext.Myself {
		r.addSource(f, c, IngressSource{Myself: true, Ports: c.Ports, Description: "itself", Path: path.Key("Myself")})
	}
	for i, source := range ext.ExtSources {
		at := path.Key("ExtSources").Index(i)
		ports := r.reachablePorts(at, c, source.Ports)
		description := cmp.Or(source.Description, source.Name)
		if source.IPv4 == "" && source.IPv6 == "" {
			r.Errorf(at, "ingress-source", "a source needs IPv4 or IPv6")
		}
		for key, cidr := range map[string]string{"IPv4": source.IPv4, "IPv6": source.IPv6} {
			if cidr != "" {
				r.addSource(f, c, IngressSource{CIDR: r.sourceCIDR(at.Key(key), key, cidr), Ports: ports, Description: description, Path: at})
			}
		}
	}
	for i, source := range ext.AwsSources {
		at := path.Key("AwsSources").Index(i)
		if source.Lookup != nil {
			r.Errorf(at.Key("Lookup"), "unsupported-lookup", "sources cannot be looked up yet; write the Id")
			continue
		}
		if source.AccountOwner != "" {
			r.Notef(at.Key("AccountOwner"), "account-owner", "AWS finds the owner of %s by itself", source.Id)
		}
		in := IngressSource{
			Ports: r.reachablePorts(at, c, source.Ports), Path: at,
			Description: cmp.Or(source.Description, source.Name),
		}
		kinds := []string{"SecurityGroup", "PrefixList"}
		switch {
		case source.Type == kinds[0] && strings.HasPrefix(source.Id, "sg-"):
			in.SecurityGroup = source.Id
		case source.Type == kinds[1] && strings.HasPrefix(source.Id, "pl-"):
			in.PrefixList = source.Id
		case slices.Contains(kinds, source.Type):
			r.Errorf(at.Key("Id"), "ingress-source", "%q is not the id of a %s, such as sg-0123… or pl-0123…", source.Id, source.Type)
			continue
		default:
			r.Unknown(at.Key("Type"), "ingress-source", "a type of source", source.Type, kinds)
			continue
		}
		r.addSource(f, c, in)
	}
}

func (r *resolver) addSource(f *Family, c *Container, s IngressSource) {
	if len(s.Ports) == 0 && len(c.Ports) > 0 {
		return // the ports that the source names are reported
	}
	if len(s.Ports) == 0 {
		r.Add(Warning, s.Path, "no-port", "declare ports or expose", "the service has no port that the source could reach")
		return
	}
	f.Ingress = append(f.Ingress, s)
	slices.SortStableFunc(f.Ingress, func(a, b IngressSource) int {
		return cmp.Or(cmp.Compare(a.CIDR, b.CIDR), cmp.Compare(a.SecurityGroup, b.SecurityGroup),
			cmp.Compare(a.PrefixList, b.PrefixList), cmp.Compare(a.Path, b.Path))
	})
}

func (r *resolver) sourceCIDR(path Path, key, text string) string {
	prefix, err := netip.ParsePrefix(text)
	if addr, single := netip.ParseAddr(text); err != nil && single == nil {
		prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err != nil || prefix.Addr().Is4() != (key == "IPv4") {
		r.Errorf(path, "cidr", "%q is not a range of %s addresses", text, key)
		return text
	}
	return prefix.Masked().String()
}

// reachablePorts returns the ports of a container that a list names; all by default.
func (r *resolver) reachablePorts(path Path, c *Container, names []string) []Port {
	if len(names) == 0 {
		return c.Ports
	}
	var ports []Port
	for i, name := range names {
		found := portsNamed(c.Ports, name)
		if len(found) == 0 {
			r.Add(Error, path.Key("Ports").Index(i), "port-unknown", diag.DidYouMean(name, portNames(c.Ports)),
				fmt.Sprintf("service %q has no port %s", c.Service, name))
		}
		ports = append(ports, found...)
	}
	return ports
}

// portsNamed finds ports by number, number/protocol, name, or tcp_80 as ComposeX
// names them; a published number stands for the container's.
func portsNamed(ports []Port, name string) []Port {
	var byNumber, byPublished []Port
	for _, p := range ports {
		number := strconv.Itoa(p.Number)
		switch name {
		case number, number + "/" + p.Protocol, p.Name, p.Protocol + "_" + number:
			byNumber = append(byNumber, p)
		case strconv.Itoa(p.Published):
			byPublished = append(byPublished, p)
		}
	}
	if len(byNumber) > 0 {
		return byNumber
	}
	return byPublished
}

func portNames(ports []Port) []string {
	var names []string
	for _, p := range ports {
		names = append(names, strconv.Itoa(p.Number))
	}
	return names
}

// cloudMap reads x-cloudmap of a service: a namespace, or namespaces with the
// port and name to register.
func (r *resolver) cloudMap(f *Family, c *Container, path Path, value any) {
	if value == nil {
		return
	}
	entries := map[string]struct {
		Port int
		Name string
	}{}
	if namespace, ok := value.(string); ok {
		entries[namespace] = struct {
			Port int
			Name string
		}{}
	} else if !r.decode(path, value, &entries) {
		return
	}
	for _, namespace := range slices.Sorted(maps.Keys(entries)) {
		entry := entries[namespace]
		record := Record{Namespace: namespace, Name: cmp.Or(entry.Name, c.Service), Type: "A", Container: c.Name, Port: entry.Port}
		if record.Port == 0 && len(c.Ports) > 0 {
			record.Port = c.Ports[0].Number
		}
		known := slices.ContainsFunc(c.Ports, func(p Port) bool { return p.Number == record.Port })
		if entry.Port != 0 && !known {
			r.Add(Error, path.Key(namespace).Key("Port"), "port-unknown", diag.DidYouMean(strconv.Itoa(entry.Port), portNames(c.Ports)),
				fmt.Sprintf("service %q has no port %d", c.Service, entry.Port))
			continue
		}
		r.addRecord(f, path, record)
	}
}

// addRecord keeps the first record of a family: ECS registers its tasks in one
// Cloud Map service.
func (r *resolver) addRecord(f *Family, path Path, record Record) {
	if len(f.Records) > 0 {
		r.Warnf(path, "cloudmap-record", "ECS registers family %q once, as %s in %s; %s in %s is left out",
			f.Name, f.Records[0].Name, f.Records[0].Namespace, record.Name, record.Namespace)
		return
	}
	f.Records = append(f.Records, record)
}

// udpRecords registers a family with a UDP port, which Service Connect does not
// serve.
func (r *resolver) udpRecords(f *Family) {
	if len(f.Records) > 0 {
		return
	}
	for _, c := range f.Containers {
		for _, p := range c.Ports {
			if p.Protocol == "udp" {
				f.Records = []Record{{Namespace: DefaultNamespace, Name: c.Service, Type: "A", Container: c.Name, Port: p.Number}}
				return
			}
		}
	}
}

// connect reads x-ecs_connect. Services are in Service Connect without it, by
// their names; it can say what protocol a port speaks.
func (r *resolver) connect(c *Container, path Path, ext connectExtension) {
	if len(ext.Properties) > 0 {
		r.Errorf(path.Key("Properties"), "unsupported-ecs-connect", "properties of Service Connect cannot be set yet; MacroParameters can")
	}
	path = path.Key("MacroParameters")
	if ns := ext.MacroParameters.CloudMap; ns != "" {
		r.Notef(path.Key("x-cloudmap"), "connect-namespace",
			"Service Connect of all families uses the project's own namespace, not %q", ns)
	}
	key, ports := "service_ports", ext.MacroParameters.ServicePorts
	if ext.MacroParameters.OldServicePorts != nil {
		r.Deprecated(path.Key("services_ports"), "services_ports", "service_ports")
		key, ports = "services_ports", ext.MacroParameters.OldServicePorts
	}
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		at, p := path.Key(key).Key(name), ports[name]
		found := portsNamed(c.Ports, name)
		if len(found) == 0 {
			r.Add(Error, at, "port-unknown", diag.DidYouMean(name, portNames(c.Ports)),
				fmt.Sprintf("service %q has no port %s", c.Service, name))
			continue
		}
		for i := range c.Ports {
			if p.AppProtocol != "" && slices.ContainsFunc(found, func(q Port) bool { return comparePorts(q, c.Ports[i]) == 0 }) {
				c.Ports[i].AppProtocol = p.AppProtocol
			}
		}
		for field, alias := range map[string]string{"DnsName": p.DnsName, "CloudMapServiceName": p.CloudMapServiceName} {
			if alias != "" && alias != c.Service {
				r.Warnf(at.Key(field), "alias", "other services find it as %q; the further name %q is not made", c.Service, alias)
			}
		}
		if p.Timeout != nil {
			r.Warnf(at.Key("Timeout"), "connect-option", "the timeouts of Service Connect keep their defaults")
		}
		if p.IngressPortOverride != 0 {
			r.Warnf(at.Key("IngressPortOverride"), "connect-option", "the port of the Service Connect proxy is chosen by ECS")
		}
	}
}
