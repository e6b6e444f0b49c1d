package gate

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// network holds the rules for security groups and load balancers: used ports are open, all
// others closed.
var network = []Rule{
	{
		ID: "all-ports", Summary: "an ingress rule of a security group names its ports",
		Source: "Security Hub EC2.18 and EC2.19", check: allPorts,
	},
	{
		ID: "open-to-world", Summary: "only the ports of a listener are open to the world",
		Source: "Security Hub EC2.18 and EC2.19", check: openToWorld,
	},
	{
		ID: "wider-than-listener", Summary: "the security group of a load balancer opens the ports of its listeners only",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html", check: widerThanListener,
	},
	{
		ID: "target-unreachable", Summary: "a load balancer may connect to its targets, on the port of the traffic and of the health check",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html#target-security-groups", check: targetUnreachable,
	},
	{
		ID: "wider-than-task", Summary: "a range of ports into tasks holds only ports that their containers map",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-network.html", check: widerThanTask,
	},
	{
		ID: "listener-conflict", Summary: "a port of a load balancer has one listener, and a priority one rule",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-update-rules.html", check: listenerConflict,
	},
	{
		ID: "listener-protocol", Summary: "listeners and target groups speak a protocol of their type of load balancer, with a certificate where they encrypt",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/load-balancer-getting-started.html", check: listenerProtocol,
	},
	{
		ID: "balancer-subnets", Summary: "an application load balancer is in two subnets at least",
		Source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer", check: balancerSubnets,
	},
	{
		ID: "rule-duplicate", Summary: "a security group has no rule twice",
		Source: "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html", check: duplicateRule,
	},
	{
		ID: "public-task", Summary: "tasks have no public addresses",
		Source: "Security Hub ECS.2", check: publicTask,
	},
	{
		ID: "public-database", Summary: "no database, broker or cluster is reachable from the internet",
		Source: "Security Hub RDS.2, Redshift.1 and DMS.1", check: publicDatabase,
	},
}

// securityRule is a rule of a security group, inline or a resource of its own.
type securityRule struct {
	on *Resource
	// group is nil if the assembly does not have it.
	group      *Resource
	properties any
	// peer is the property that names the security group at the other end.
	peer string
}

var directions = map[string]struct{ inline, standalone, peer string }{
	"in":  {"SecurityGroupIngress", "AWS::EC2::SecurityGroupIngress", "SourceSecurityGroupId"},
	"out": {"SecurityGroupEgress", "AWS::EC2::SecurityGroupEgress", "DestinationSecurityGroupId"},
}

// securityRules returns the rules of all security groups, "in" or "out".
func (a *Assembly) securityRules(direction string) []securityRule {
	d := directions[direction]
	var found []securityRule
	for _, group := range a.Of("AWS::EC2::SecurityGroup") {
		for _, properties := range list(group.Properties[d.inline]) {
			found = append(found, securityRule{group, group, properties, d.peer})
		}
	}
	for _, r := range a.Of(d.standalone) {
		group, _ := r.Stack.Target(r.Properties["GroupId"])
		found = append(found, securityRule{r, group, r.Properties, d.peer})
	}
	return found
}

func (rule securityRule) protocol() string {
	text, _ := literal(at(rule.properties, "IpProtocol"))
	return text
}

// ports returns the first and the last port; ok is false if they are known only when
// deployed.
func (rule securityRule) ports() (from, to float64, ok bool) {
	from, known := number(at(rule.properties, "FromPort"))
	to, alsoKnown := number(at(rule.properties, "ToPort"))
	return from, to, known && alsoKnown
}

// String returns the ports for messages.
func (rule securityRule) String() string {
	from, to, ok := rule.ports()
	switch {
	case !ok:
		return "all ports"
	case from == to:
		return fmt.Sprintf("%s %v", rule.protocol(), from)
	default:
		return fmt.Sprintf("%s %v-%v", rule.protocol(), from, to)
	}
}

const lastPort = 65535

// all reports whether a rule opens every port.
func (rule securityRule) all() bool {
	from, to, ok := rule.ports()
	return rule.protocol() == "-1" || ok && isTransport(rule.protocol()) && from <= 1 && to >= lastPort
}

func isTransport(protocol string) bool {
	return slices.Contains([]string{"tcp", "udp", "6", "17"}, protocol)
}

// world returns the range of all addresses if the rule is for it, else "".
func (rule securityRule) world() string {
	for _, key := range []string{"CidrIp", "CidrIpv6"} {
		if text := word(at(rule.properties, key)); strings.HasSuffix(text, "/0") {
			return text
		}
	}
	return ""
}

func allPorts(a *Assembly, found *report) {
	for _, rule := range a.securityRules("in") {
		if rule.all() {
			found.on(rule.on, "the rule opens all ports to %s: name the protocol and the ports", rule.from())
		}
	}
}

// from names the source of a rule for messages.
func (rule securityRule) from() string {
	for _, key := range []string{"CidrIp", "CidrIpv6", "SourceSecurityGroupId", "SourcePrefixListId"} {
		if v := at(rule.properties, key); v != nil {
			return rule.on.Stack.text(v)
		}
	}
	return "its peers"
}

// port is a port of a listener or a container.
type port struct {
	protocol string // tcp or udp
	number   float64
}

// transports returns the transport protocols of a listener or target group protocol.
func transports(protocol string) []string {
	switch protocol {
	case "UDP", "QUIC":
		return []string{"udp"}
	case "TCP_UDP", "TCP_QUIC":
		return []string{"tcp", "udp"}
	default:
		return []string{"tcp"}
	}
}

func portsOf(protocol string, numbers ...float64) []port {
	var found []port
	for _, number := range numbers {
		for _, transport := range transports(protocol) {
			found = append(found, port{transport, number})
		}
	}
	return found
}

// opens reports whether a rule opens a port.
func (rule securityRule) opens(p port) bool {
	from, to, ok := rule.ports()
	protocol := map[string]string{"6": "tcp", "17": "udp"}[rule.protocol()]
	return rule.protocol() == "-1" || cmp.Or(protocol, rule.protocol()) == p.protocol && (!ok || from <= p.number && p.number <= to)
}

// within reports whether a rule opens nothing but one of ports.
func (rule securityRule) within(ports []port) bool {
	from, to, ok := rule.ports()
	return !ok && rule.protocol() != "-1" || from == to && slices.ContainsFunc(ports, rule.opens)
}

// groups returns the security groups in a list; whole is false if the assembly does not have
// all of them.
func (s *Stack) groups(v any) (groups []*Resource, whole bool) {
	whole = true
	for _, item := range list(v) {
		group, _ := s.Target(item)
		if group == nil || group.Type != "AWS::EC2::SecurityGroup" {
			whole = false
			continue
		}
		groups = append(groups, group)
	}
	return groups, whole
}

const (
	loadBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	listener     = "AWS::ElasticLoadBalancingV2::Listener"
	listenerRule = "AWS::ElasticLoadBalancingV2::ListenerRule"
	targetGroup  = "AWS::ElasticLoadBalancingV2::TargetGroup"
)

// listening returns the listener ports of the load balancers with a security group. For a
// nil group these are the listeners of load balancers outside of the assembly.
func (a *Assembly) listening(group *Resource) []port {
	var found []port
	for _, l := range a.Of(listener) {
		balancer, _ := l.Stack.Target(l.Properties["LoadBalancerArn"])
		if balancer != nil && group == nil {
			continue
		}
		if balancer != nil {
			if groups, _ := balancer.Stack.groups(balancer.Properties["SecurityGroups"]); !slices.Contains(groups, group) {
				continue
			}
		} else if group != nil {
			continue
		}
		if n, ok := number(l.Properties["Port"]); ok {
			found = append(found, portsOf(word(l.Properties["Protocol"]), n)...)
		}
	}
	return found
}

func openToWorld(a *Assembly, found *report) {
	for _, rule := range a.securityRules("in") {
		world := rule.world()
		if world == "" || rule.all() {
			continue
		}
		allowed := a.listening(rule.group)
		for _, t := range a.backends() {
			if slices.Contains(t.groups, rule.group) && len(t.sources) == 0 && t.sourcesKnown {
				allowed = append(allowed, t.ports...) // a network load balancer without groups passes clients' addresses on
			}
		}
		if !rule.within(allowed) {
			found.on(rule.on, "the rule opens %s to %s, and no load balancer with the group listens there", rule, world)
		}
	}
}

func widerThanListener(a *Assembly, found *report) {
	shared := map[*Resource]bool{}
	for _, s := range a.Of("AWS::ECS::Service") {
		groups, _ := s.Stack.groups(at(s.Properties, "NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups"))
		for _, g := range groups {
			shared[g] = true
		}
	}
	for _, rule := range a.securityRules("in") {
		ports := a.listening(rule.group)
		if rule.group == nil || shared[rule.group] || len(ports) == 0 || rule.world() != "" || rule.all() {
			continue
		}
		if !rule.within(ports) {
			found.on(rule.on, "the rule opens %s of a load balancer to %s, and no listener is there", rule, rule.from())
		}
	}
}

// backend is a service behind a load balancer, with the security groups at both ends.
type backend struct {
	service, balancer *Resource
	// sources are the groups of the load balancer, groups the groups of the tasks.
	sources, groups []*Resource
	// sourcesKnown and groupsKnown are false if the assembly does not have all groups.
	sourcesKnown, groupsKnown bool
	ports                     []port
}

// backends returns all pairs of a load balancer and a service behind it.
func (a *Assembly) backends() []backend {
	var found []backend
	for _, service := range a.Of("AWS::ECS::Service") {
		network := at(service.Properties, "NetworkConfiguration", "AwsvpcConfiguration")
		groups, groupsKnown := service.Stack.groups(at(network, "SecurityGroups"))
		if len(groups) == 0 {
			continue // the tasks use the default group of the VPC, or the groups of the instances
		}
		for _, mapping := range each(service.Properties, "LoadBalancers") {
			group, _ := service.Stack.Target(at(mapping, "TargetGroupArn"))
			n, ok := number(at(mapping, "ContainerPort"))
			if group == nil || !ok || unmapped(service, mapping, n) {
				continue
			}
			for _, balancer := range a.balancersOf(group) {
				sources, known := balancer.Stack.groups(balancer.Properties["SecurityGroups"])
				found = append(found, backend{
					service: service, balancer: balancer, sources: sources, groups: groups,
					sourcesKnown: known, groupsKnown: groupsKnown, ports: targetPorts(group, n),
				})
			}
		}
	}
	return found
}

// unmapped reports whether the container of a service does not map the port, which another
// rule reports.
func unmapped(service *Resource, mapping any, number float64) bool {
	definition := taskOf(service)
	if definition == nil {
		return false
	}
	container, _ := newTask(definition).named(word(at(mapping, "ContainerName")))
	mapped, certain := mapsPort(container, number)
	return !mapped && certain
}

// targetPorts returns the ports that the load balancer connects to: of the container, and of
// the health check, which is always TCP.
func targetPorts(group *Resource, container float64) []port {
	ports := portsOf(word(group.Properties["Protocol"]), container)
	check := container
	if n, ok := number(group.Properties["HealthCheckPort"]); ok {
		check = n
	}
	if health := (port{"tcp", check}); !slices.Contains(ports, health) && group.Properties["HealthCheckEnabled"] != false {
		ports = append(ports, health)
	}
	return ports
}

// balancersOf returns the load balancers whose listeners send to a target group.
func (a *Assembly) balancersOf(group *Resource) []*Resource {
	var found []*Resource
	for _, l := range a.Of(listener, listenerRule) {
		sends := slices.ContainsFunc(l.sendsTo(), func(v any) bool {
			r, _ := l.Stack.Target(v)
			return r == group
		})
		at := l
		if l.Type == listenerRule {
			at, _ = l.Stack.Target(l.Properties["ListenerArn"])
		}
		if !sends || at == nil {
			continue
		}
		if balancer, _ := at.Stack.Target(at.Properties["LoadBalancerArn"]); balancer != nil && balancer.Type == loadBalancer && !slices.Contains(found, balancer) {
			found = append(found, balancer)
		}
	}
	return found
}

// sendsTo returns the target groups of a listener or listener rule.
func (r *Resource) sendsTo() []any {
	var found []any
	for _, key := range []string{"DefaultActions", "Actions"} {
		for _, action := range list(r.Properties[key]) {
			found = append(found, each(action, "TargetGroupArn")...)
			found = append(found, each(action, "ForwardConfig", "TargetGroups", "TargetGroupArn")...)
		}
	}
	return found
}

func targetUnreachable(a *Assembly, found *report) {
	in, out := a.securityRules("in"), a.securityRules("out")
	for _, t := range a.backends() {
		if !t.sourcesKnown || !t.groupsKnown {
			continue
		}
		for _, p := range t.ports {
			if !connected(in, t.groups, t.sources, p) {
				found.on(t.service, "no rule lets load balancer %s connect to %s port %v of the tasks, so that every request fails", t.balancer.LogicalID, p.protocol, p.number)
			}
			if !a.leaves(out, t, p) {
				found.on(t.service, "the security group of load balancer %s lets nothing out to %s port %v of the tasks, so that every request fails", t.balancer.LogicalID, p.protocol, p.number)
			}
		}
	}
}

// connected reports whether a rule of one of groups opens the port to one of peers. Rules
// for addresses count, since peers may have these.
func connected(rules []securityRule, groups, peers []*Resource, p port) bool {
	return slices.ContainsFunc(rules, func(rule securityRule) bool {
		if !slices.Contains(groups, rule.group) || !rule.opens(p) {
			return false
		}
		other := at(rule.properties, rule.peer)
		if other == nil {
			return rule.reaches()
		}
		peer, _ := rule.on.Stack.Target(other)
		_, isLiteral := literal(other)
		return slices.Contains(peers, peer) || peer == nil && !isLiteral
	})
}

// reaches reports whether the addresses of a rule can be in the VPC of its group, as far as
// the assembly tells.
func (rule securityRule) reaches() bool {
	cidr, err := netip.ParsePrefix(word(at(rule.properties, "CidrIp")))
	if err != nil {
		return at(rule.properties, "CidrIpv6") == nil || at(rule.properties, "CidrIp") != nil
	}
	if cidr.Bits() == 32 && cidr.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false // the CDK writes it for no egress
	}
	vpc, _ := rule.group.Stack.Target(rule.group.Properties["VpcId"])
	if vpc == nil || len(rule.group.Stack.assembly.Of("AWS::EC2::VPCCidrBlock")) > 0 {
		return true
	}
	own, err := netip.ParsePrefix(word(vpc.Properties["CidrBlock"]))
	return err != nil || own.Overlaps(cidr)
}

// leaves reports whether the groups of a load balancer let traffic out. A group without
// egress rules lets all out, as does a load balancer without groups.
func (a *Assembly) leaves(out []securityRule, t backend, p port) bool {
	free := slices.ContainsFunc(t.sources, func(g *Resource) bool { return g.Properties["SecurityGroupEgress"] == nil })
	return len(t.sources) == 0 || free || connected(out, t.sources, t.groups, p)
}

// widerThanTask checks the groups of which all members are tasks with known ports.
func widerThanTask(a *Assembly, found *report) {
	mapped, others := map[*Resource][]port{}, map[*Resource]bool{}
	for _, service := range a.Of("AWS::ECS::Service") {
		groups, _ := service.Stack.groups(at(service.Properties, "NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups"))
		ports, certain := taskPorts(service)
		for _, g := range groups {
			mapped[g] = append(mapped[g], ports...)
			others[g] = others[g] || !certain
		}
	}
	for _, rule := range a.securityRules("in") {
		from, to, ok := rule.ports()
		ports := mapped[rule.group]
		if !ok || from < 0 || from >= to || to > lastPort || rule.all() || rule.world() != "" || len(ports) == 0 || others[rule.group] || !isTransport(rule.protocol()) {
			continue
		}
		for n := from; n <= to; n++ {
			if !slices.ContainsFunc(ports, func(p port) bool { return p.number == n }) {
				found.on(rule.on, "the rule opens %s of tasks to %s, and they listen on %s only", rule, rule.from(), portList(ports))
				break
			}
		}
	}
}

// taskPorts returns the ports that the containers of a service map; certain is false if
// there may be others.
func taskPorts(service *Resource) (ports []port, certain bool) {
	definition := taskOf(service)
	if definition == nil {
		return nil, false
	}
	t := newTask(definition)
	certain = t.complete
	for _, c := range t.containers {
		for _, m := range list(c["PortMappings"]) {
			n, ok := number(at(m, "ContainerPort"))
			certain = certain && ok
			ports = append(ports, port{cmp.Or(word(at(m, "Protocol")), "tcp"), n})
		}
	}
	return ports, certain
}

func portList(ports []port) string {
	var texts []string
	for _, p := range ports {
		texts = append(texts, fmt.Sprintf("%s %v", p.protocol, p.number))
	}
	return strings.Join(unique(texts), ", ")
}

// own returns a text that equals the text of another stack only if both values are surely
// the same.
func (s *Stack) own(v any) string {
	text := s.text(v)
	if r, _ := s.Target(v); r == nil && !known(text) {
		return s.Path + " " + text
	}
	return text
}

func listenerConflict(a *Assembly, found *report) {
	for _, row := range []struct{ of, at, key, what string }{
		{listener, "LoadBalancerArn", "Port", "port"},
		{listenerRule, "ListenerArn", "Priority", "priority"},
	} {
		seen := map[string]*Resource{}
		for _, r := range a.Of(row.of) {
			n, ok := number(r.Properties[row.key])
			if !ok || r.Properties[row.at] == nil {
				continue
			}
			if row.of == listenerRule && (n < 1 || n > 50000) {
				found.on(r, "its priority is %v: priorities are 1 to 50000", n)
			}
			key := fmt.Sprintf("%v %s", n, r.Stack.own(r.Properties[row.at]))
			if other := seen[key]; other != nil {
				found.on(r, "%s has %s %v of the same %s: give it another", other.LogicalID, row.what, n, strings.TrimSuffix(row.at, "Arn"))
			}
			seen[key] = r
		}
	}
}

// spoken maps a type of load balancer to the protocols of its listeners and target groups.
var spoken = map[string]struct{ listeners, groups []string }{
	"application": {[]string{"HTTP", "HTTPS"}, []string{"HTTP", "HTTPS"}},
	"network":     {[]string{"QUIC", "TCP", "TCP_QUIC", "TCP_UDP", "TLS", "UDP"}, []string{"QUIC", "TCP", "TCP_QUIC", "TCP_UDP", "TLS", "UDP"}},
	"gateway":     {[]string{"GENEVE"}, []string{"GENEVE"}},
}

func listenerProtocol(a *Assembly, found *report) {
	for _, l := range a.Of(listener) {
		protocol := word(l.Properties["Protocol"])
		if (protocol == "HTTPS" || protocol == "TLS") && l.Properties["Certificates"] == nil {
			found.on(l, "it speaks %s and has no Certificates: give it one at least", protocol)
		}
		balancer, _ := l.Stack.Target(l.Properties["LoadBalancerArn"])
		if balancer == nil || balancer.Type != loadBalancer {
			continue
		}
		kind := cmp.Or(word(balancer.Properties["Type"]), "application")
		allowed, ok := spoken[kind]
		if _, isText := literal(balancer.Properties["Type"]); !ok || balancer.Properties["Type"] != nil && !isText {
			continue
		}
		if protocol != "" && !slices.Contains(allowed.listeners, protocol) {
			found.on(l, "it speaks %s, and the listeners of %s load balancer %s can speak %s", protocol, kind, balancer.LogicalID, strings.Join(allowed.listeners, ", "))
			continue
		}
		for _, v := range l.sendsTo() {
			group, _ := l.Stack.Target(v)
			if group == nil || group.Type != targetGroup || group.Properties["TargetType"] == "lambda" {
				continue
			}
			if spoken := word(group.Properties["Protocol"]); spoken != "" && !slices.Contains(allowed.groups, spoken) {
				found.on(group, "it speaks %s, and the target groups of %s load balancer %s can speak %s", spoken, kind, balancer.LogicalID, strings.Join(allowed.groups, ", "))
			}
		}
	}
}

func balancerSubnets(a *Assembly, found *report) {
	for _, r := range a.Of(loadBalancer) {
		kind := r.Properties["Type"]
		for _, key := range []string{"Subnets", "SubnetMappings"} {
			subnets, isList := r.Properties[key].([]any)
			if isList && len(subnets) == 1 && (kind == nil || kind == "application") {
				found.on(r, "its %s are %s, and it needs two at least, in different availability zones", key, r.Stack.text(subnets[0]))
			}
		}
	}
}

func duplicateRule(a *Assembly, found *report) {
	for _, direction := range []string{"in", "out"} {
		seen := map[string]*Resource{}
		for _, rule := range a.securityRules(direction) {
			from, to, ok := rule.ports()
			if rule.group == nil || !ok {
				continue
			}
			key := fmt.Sprint(rule.group.Stack.Path, rule.group.LogicalID, rule.protocol(), from, to)
			for _, peer := range []string{"CidrIp", "CidrIpv6", "SourcePrefixListId", "DestinationPrefixListId", rule.peer} {
				key += " " + rule.on.Stack.own(at(rule.properties, peer))
			}
			if other := seen[key]; other != nil {
				found.on(rule.on, "the rule %s is in security group %s already, from %s: EC2 refuses duplicates", rule, rule.group.LogicalID, other.LogicalID)
			}
			seen[key] = rule.on
		}
	}
}

func publicTask(a *Assembly, found *report) {
	for _, s := range a.Of("AWS::ECS::Service") {
		if at(s.Properties, "NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp") == "ENABLED" {
			found.on(s, "the tasks have public addresses: AssignPublicIp is ENABLED, put them behind a NAT gateway or endpoints")
		}
	}
}

func publicDatabase(a *Assembly, found *report) {
	for _, r := range a.Of("AWS::AmazonMQ::Broker", "AWS::DMS::ReplicationInstance", "AWS::Neptune::DBInstance", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster") {
		if yes(r.Properties["PubliclyAccessible"]) {
			found.on(r, "it has a public address: PubliclyAccessible is true")
		}
	}
}
