package compose

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"composecdk/compose/diag"
)

// elbv2 is one load balancer as the file has it.
type elbv2 struct {
	Properties      map[string]any
	MacroParameters elbv2Parameters
	Settings        elbv2Settings
	DNSAliases      []elbv2Alias `key:"DnsAliases"`
	// Lookup is read by lookup, Listeners by listeners, Services and
	// TargetGroups by targetGroups: each has more than one form.
	Lookup, Listeners, Services, TargetGroups any
}

// elbv2Alias is one entry of DnsAliases.
type elbv2Alias struct {
	Names       []string
	Route53Zone string
}

// elbv2Parameters are short names of attributes; nil and "" are not set.
type elbv2Parameters struct {
	TimeoutSeconds          *int   `key:"timeout_seconds"`
	DesyncMitigationMode    string `key:"desync_mitigation_mode"`
	DropInvalidHeaderFields *bool  `key:"drop_invalid_header_fields"`
	HTTP2                   *bool  `key:"http2"`
	CrossZone               *bool  `key:"cross_zone"`
	Ingress                 *ingressExtension
}

type elbv2Settings struct {
	Subnets        string
	NoAllocateEips bool
	RetainEips     bool
	// What follows moved to MacroParameters and to LoadBalancerAttributes.
	S3Logs                  string
	TimeoutSeconds          *int   `key:"timeout_seconds"`
	DesyncMitigationMode    string `key:"desync_mitigation_mode"`
	DropInvalidHeaderFields *bool  `key:"drop_invalid_header_fields"`
	HTTP2                   *bool  `key:"http2"`
	CrossZone               *bool  `key:"cross_zone"`
}

const (
	keyElbv2 = "x-elbv2"

	typeApplication = "application"
	typeNetwork     = "network"

	anyIPv4, anyIPv6 = "0.0.0.0/0", "::/0"
)

// loadBalancers reads x-elbv2 and x-ingress, and says which published ports
// neither of them serves.
func (r *resolver) loadBalancers() {
	r.model.LoadBalancers = r.elbv2s()
	r.model.LoadBalancers = append(r.model.LoadBalancers, r.ingressBalancers()...)
	r.gracePeriods()
	r.targetGroupLimit()
	r.portsNotPublished()
}

func (r *resolver) elbv2s() []*LoadBalancer {
	value, path, ok := r.extension(keyElbv2)
	if !ok {
		return nil
	}
	definitions, ok := value.(map[string]any)
	if !ok {
		r.Errorf(path, "type", "expected a mapping of load balancers, found %s", diag.Describe(value))
		return nil
	}
	var all []*LoadBalancer
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		if _, isText := definitions[name].(string); isText && name == "DeletionPolicy" {
			r.Warnf(path.Key(name), "deletion-policy", "a load balancer holds no data; DeletionPolicy is left out")
			continue
		}
		if lb := r.elbv2(path.Key(name), name, definitions[name]); lb != nil {
			all = append(all, lb)
		}
	}
	return all
}

// elbv2 reads one load balancer; nil is one that cannot be read at all.
func (r *resolver) elbv2(path Path, name string, value any) *LoadBalancer {
	var def elbv2
	if !r.decode(path, value, &def) {
		return nil
	}
	lb := &LoadBalancer{
		Key: keyElbv2, Name: name, Path: path,
		Properties: maps.Clone(def.Properties),
		Attributes: map[string]string{},
	}
	if lb.Properties == nil {
		lb.Properties = map[string]any{}
	}
	r.elbv2Aliases(lb, def.DNSAliases)
	r.elbv2Lookup(lb, &def)
	r.elbv2Properties(lb)
	r.elbv2Attributes(lb, &def)
	r.elbv2Placement(lb, def.Settings)
	r.readValue(path.Key("Properties"), lb.Properties)
	groups := r.targetGroups(lb, def.Services, def.TargetGroups)
	r.listeners(lb, def.Listeners, groups)
	r.elbv2Sources(lb, def.MacroParameters.Ingress)
	return lb
}

// zoneType is the type of the resources that are hosted zones.
const zoneType = "AWS::Route53::HostedZone"

var (
	zoneID  = regexp.MustCompile(`^Z[A-Z0-9]{3,31}$`)
	dnsName = regexp.MustCompile(`^(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9-]{2,63}\.?$`)
)

// elbv2Aliases reads the DNS names of a load balancer. That they belong to their zones,
// the kind of the zones checks.
func (r *resolver) elbv2Aliases(lb *LoadBalancer, aliases []elbv2Alias) {
	for i, def := range aliases {
		path := lb.Path.Key("DnsAliases").Index(i)
		at := path.Key("Route53Zone")
		if len(def.Names) == 0 {
			r.Errorf(path, "alias-names", "an entry of DnsAliases needs Names")
		}
		for j, name := range def.Names {
			if !dnsName.MatchString(name) {
				r.Errorf(path.Key("Names").Index(j), "alias-name", "%q is not a DNS name, such as www.example.com", name)
			}
			if other := r.aliasOf(name); other != "" || slices.Contains(def.Names[:j], name) {
				r.Errorf(path.Key("Names").Index(j), "alias-twice", "%s is a name of %s already", name, cmp.Or(other, lb.Path))
			}
		}
		ref, isRef := ParseRef(def.Route53Zone)
		switch {
		case isRef:
			r.referTo(at, ref, zoneType, "a hosted zone of x-route53")
		case !zoneID.MatchString(def.Route53Zone):
			r.Errorf(at, "zone-id", "%q is not the id of a hosted zone, such as Z0123456789ABCDEFGHIJ, nor x-route53::<name>", def.Route53Zone)
			continue
		}
		lb.Aliases = append(lb.Aliases, Alias{Names: def.Names, Zone: ParseText(def.Route53Zone), Path: path})
	}
	r.aliased = append(r.aliased, lb)
}

// aliasOf returns the load balancer that has a DNS name already, or "".
func (r *resolver) aliasOf(name string) Path {
	for _, lb := range r.aliased {
		for _, alias := range lb.Aliases {
			if slices.Contains(alias.Names, name) {
				return lb.Path
			}
		}
	}
	return ""
}

// logBuckets reports buckets of access logs that are named by anything but their name.
func (r *resolver) logBuckets(lb *LoadBalancer, path Path) {
	for _, attribute := range []string{"access_logs.s3.bucket", "connection_logs.s3.bucket"} {
		if ref, ok := ParseRef(lb.Attributes[attribute]); ok && ref.Attribute != "BucketName" {
			r.Errorf(path.Key(attribute), "bucket-name", "a bucket is named here by its name: %s::%s::BucketName", ref.Key, ref.Name)
		}
	}
}

// unsupported reports what needs a kind of resource that is not built yet.
func (r *resolver) unsupported(path Path, key, what string) {
	r.Errorf(path, "unsupported-"+key, "%s need %s, which is not supported yet", what, key)
}

// elbv2Lookup reads how to find an existing load balancer.
func (r *resolver) elbv2Lookup(lb *LoadBalancer, def *elbv2) {
	if def.Lookup == nil {
		return
	}
	path := lb.Path.Key("Lookup")
	type found struct {
		Arn  string
		Tags any
	}
	var lookup struct {
		Arn          string
		Tags         any
		LoadBalancer *found `key:"loadbalancer"`
		Listeners    any
		RoleArn      string
	}
	if !r.decode(path, def.Lookup, &lookup) {
		return
	}
	if lookup.Listeners != nil {
		r.Errorf(path.Key("Listeners"), "unsupported-listener-lookup",
			"rules cannot be added to listeners that exist already; write new ones under Listeners of the load balancer")
	}
	if lookup.RoleArn != "" {
		r.Warnf(path.Key("RoleArn"), "lookup-role", "lookups use the CDK's own lookup role; RoleArn is left out")
	}
	at, by := path, found{lookup.Arn, lookup.Tags}
	if lookup.LoadBalancer != nil {
		at, by = path.Key("loadbalancer"), *lookup.LoadBalancer
	}
	target := &LookupTarget{Arn: by.Arn, Path: at}
	if by.Tags != nil {
		target.Tags = r.keyValues(at.Key("Tags"), by.Tags)
	}
	if target.Arn == "" && len(target.Tags) == 0 {
		r.Errorf(at, "lookup-empty", "a lookup needs an Arn or Tags to find the load balancer by")
	}
	lb.Lookup = target
	for _, key := range slices.Sorted(maps.Keys(def.Properties)) {
		if key != "Type" && key != "Scheme" {
			r.Warnf(lb.Path.Key("Properties").Key(key), "lookup-wins", "the load balancer exists already, so %s is left out", key)
		}
	}
}

// elbv2Properties takes the properties that the model has names for.
func (r *resolver) elbv2Properties(lb *LoadBalancer) {
	path := lb.Path.Key("Properties")
	lb.Type, lb.Internal = typeApplication, true
	if v, ok := lb.take("Type"); ok {
		switch v {
		case typeApplication, typeNetwork:
			lb.Type = v.(string)
		default:
			r.oneOf(path.Key("Type"), "lb-type", "a type of load balancer", v, typeApplication, typeNetwork)
		}
	}
	if v, ok := lb.take("Scheme"); ok {
		switch v {
		case "internet-facing":
			lb.Internal = false
		case "internal":
		default:
			r.oneOf(path.Key("Scheme"), "lb-scheme", "a scheme", v, "internal", "internet-facing")
		}
	}
	if v, ok := lb.take("LoadBalancerAttributes"); ok {
		maps.Copy(lb.Attributes, r.keyValues(path.Key("LoadBalancerAttributes"), v))
		r.referAll(path.Key("LoadBalancerAttributes"), v)
		r.logBuckets(lb, path.Key("LoadBalancerAttributes"))
	}
	if v, ok := lb.take("Tags"); ok {
		lb.Tags = r.keyValues(path.Key("Tags"), v)
	}
	if v, ok := lb.take("SecurityGroups"); ok && v != nil {
		r.Add(Error, path.Key("SecurityGroups"), "property-managed", "say who may connect in MacroParameters.Ingress",
			"every load balancer has a security group of its own")
	}
	if v, ok := lb.Properties["Name"]; ok {
		if name, isText := v.(string); isText && !loadBalancerName.MatchString(name) {
			r.Errorf(path.Key("Name"), "lb-name", "%q is not a name of a load balancer: it takes 1 to 32 letters, digits and single -, not at the ends", name)
		}
	}
}

var loadBalancerName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`)

// take removes a property and returns it.
func (lb *LoadBalancer) take(property string) (any, bool) {
	v, ok := lb.Properties[property]
	delete(lb.Properties, property)
	return v, ok
}

// oneOf reports a value that is none of the allowed words.
func (r *resolver) oneOf(path Path, code, what string, got any, allowed ...string) {
	text, ok := diag.ScalarText(got)
	if !ok {
		r.Errorf(path, "type", "expected %s, found %s", strings.Join(allowed, " or "), diag.Describe(got))
		return
	}
	r.Unknown(path, code, what, text, allowed)
}

// keyValues reads a mapping, or CloudFormation's list of Key and Value, or a
// list of mappings with one entry each.
func (r *resolver) keyValues(path Path, value any) map[string]string {
	pairs := map[string]string{}
	items, list := value.([]any)
	if !list {
		r.decode(path, value, &pairs)
		return pairs
	}
	for i, item := range items {
		m, _ := item.(map[string]any)
		if _, isPair := m["Key"]; isPair {
			var pair struct{ Key, Value string }
			if r.decode(path.Index(i), item, &pair) {
				pairs[pair.Key] = pair.Value
			}
			continue
		}
		var one map[string]string
		if r.decode(path.Index(i), item, &one) {
			maps.Copy(pairs, one)
		}
	}
	return pairs
}

// elbv2Attributes turns the short names into attributes. What the file writes
// as an attribute itself counts more.
func (r *resolver) elbv2Attributes(lb *LoadBalancer, def *elbv2) {
	p, old := &def.MacroParameters, &def.Settings
	settings, parameters := lb.Path.Key("Settings"), lb.Path.Key("MacroParameters")
	moved(r, settings, "timeout_seconds", &old.TimeoutSeconds, &p.TimeoutSeconds)
	moved(r, settings, "desync_mitigation_mode", &old.DesyncMitigationMode, &p.DesyncMitigationMode)
	moved(r, settings, "drop_invalid_header_fields", &old.DropInvalidHeaderFields, &p.DropInvalidHeaderFields)
	moved(r, settings, "http2", &old.HTTP2, &p.HTTP2)
	moved(r, settings, "cross_zone", &old.CrossZone, &p.CrossZone)

	set := func(key, attribute, only, value string) {
		if lb.Type != only {
			if key != "cross_zone" || value != "true" { // an application load balancer always is
				r.Warnf(parameters.Key(key), "attribute-ignored", "%s is for %s load balancers; it is left out", key, only)
			}
			return
		}
		if _, ok := lb.Attributes[attribute]; !ok {
			lb.Attributes[attribute] = value
		}
	}
	if n := p.TimeoutSeconds; n != nil {
		if *n < 1 || *n > 4000 {
			r.Errorf(parameters.Key("timeout_seconds"), "lb-timeout", "%d seconds are not possible: 1 to 4000 are", *n)
		}
		set("timeout_seconds", "idle_timeout.timeout_seconds", typeApplication, strconv.Itoa(*n))
	}
	if mode := p.DesyncMitigationMode; mode != "" {
		modes := []string{"defensive", "strictest", "monitor"}
		if !slices.Contains(modes, mode) {
			r.Unknown(parameters.Key("desync_mitigation_mode"), "lb-desync", "a desync mitigation mode", mode, modes)
		}
		set("desync_mitigation_mode", "routing.http.desync_mitigation_mode", typeApplication, mode)
	}
	if b := p.DropInvalidHeaderFields; b != nil {
		set("drop_invalid_header_fields", "routing.http.drop_invalid_header_fields.enabled", typeApplication, strconv.FormatBool(*b))
	} else if lb.Type == typeApplication {
		set("", "routing.http.drop_invalid_header_fields.enabled", typeApplication, "true")
	}
	if b := p.HTTP2; b != nil {
		set("http2", "routing.http2.enabled", typeApplication, strconv.FormatBool(*b))
	}
	if b := p.CrossZone; b != nil {
		set("cross_zone", "load_balancing.cross_zone.enabled", typeNetwork, strconv.FormatBool(*b))
	}
	if old.S3Logs != "" {
		r.accessLogs(lb, settings.Key("S3Logs"), old.S3Logs)
	}
}

// moved takes a setting that has a new place.
func moved[T comparable](r *resolver, settings Path, key string, old, current *T) {
	var unset T
	if *old == unset {
		return
	}
	r.Deprecated(settings.Key(key), "Settings."+key, "MacroParameters."+key)
	if *current == unset {
		*current = *old
	}
}

// accessLogs reads bucket:/prefix.
func (r *resolver) accessLogs(lb *LoadBalancer, path Path, value string) {
	r.Deprecated(path, "Settings.S3Logs", "access_logs.s3.enabled, .bucket and .prefix in Properties.LoadBalancerAttributes")
	bucket, prefix, _ := strings.Cut(value, ":")
	for attribute, v := range map[string]string{
		"access_logs.s3.enabled": "true",
		"access_logs.s3.bucket":  bucket,
		"access_logs.s3.prefix":  strings.Trim(prefix, "/"),
	} {
		if _, ok := lb.Attributes[attribute]; !ok && v != "" {
			lb.Attributes[attribute] = v
		}
	}
}

// elbv2Placement reads the subnets and the fixed addresses.
func (r *resolver) elbv2Placement(lb *LoadBalancer, settings elbv2Settings) {
	path := lb.Path.Key("Settings")
	lb.SubnetGroup = PublicSubnets
	if lb.Internal {
		lb.SubnetGroup = AppSubnets
	}
	if settings.Subnets != "" {
		lb.SubnetGroup = settings.Subnets
		if groups := r.subnetGroupNames(); !slices.Contains(groups, settings.Subnets) {
			r.Unknown(path.Key("Subnets"), "subnets-unknown", "a subnet group of the VPC", settings.Subnets, groups)
		}
	}
	ownSubnets := lb.Properties["Subnets"] != nil || lb.Properties["SubnetMappings"] != nil
	fixed := lb.Type == typeNetwork && !lb.Internal && lb.Lookup == nil && !ownSubnets
	lb.ElasticIPs = fixed && !settings.NoAllocateEips
	lb.RetainElasticIPs = lb.ElasticIPs && settings.RetainEips
	if !fixed && settings.RetainEips {
		r.Warnf(path.Key("RetainEips"), "eips", "only a new public network load balancer has fixed addresses; there are none to retain")
	}
}

// subnetGroupNames returns the groups that a load balancer can live in.
func (r *resolver) subnetGroupNames() []string {
	if vpc := r.model.Network.Existing; vpc != nil {
		return slices.Sorted(maps.Keys(vpc.Subnets))
	}
	return []string{AppSubnets, PublicSubnets, StorageSubnets}
}

// elbv2Sources reads who may connect: what Ingress says, else everybody for a
// public load balancer. An internal one without sources is open to the VPC.
func (r *resolver) elbv2Sources(lb *LoadBalancer, ingress *ingressExtension) {
	path := lb.Path.Key("MacroParameters").Key("Ingress")
	if lb.Lookup != nil {
		if ingress != nil {
			r.Warnf(path, "lookup-wins", "the load balancer exists already, and so does its security group; Ingress is left out")
		}
		return
	}
	if ingress == nil {
		if !lb.Internal {
			lb.Sources = everybody(lb.Properties["IpAddressType"], lb.Path)
		}
		return
	}
	if ingress.Myself {
		r.Warnf(path.Key("Myself"), "ingress-ignored", "a load balancer does not connect to itself; Myself is left out")
	}
	if len(ingress.Services) > 0 {
		r.Errorf(path.Key("Services"), "unsupported-ingress-services",
			"a load balancer cannot be opened for single services; an internal one is open to the VPC, or to what ExtSources and AwsSources say")
	}
	for i, s := range ingress.ExtSources {
		at := path.Key("ExtSources").Index(i)
		ports, ok := r.listenerPorts(lb, at, s.Ports)
		if !ok {
			continue
		}
		source := IngressSource{Ports: ports, Description: cmp.Or(s.Description, s.Name), Path: at}
		if s.IPv4 == "" && s.IPv6 == "" {
			r.Errorf(at, "ingress-source", "a source needs IPv4 or IPv6")
		}
		if s.IPv4 != "" {
			source.CIDR = r.sourceCIDR(at.Key("IPv4"), "IPv4", s.IPv4)
			lb.Sources = append(lb.Sources, source)
		}
		if s.IPv6 != "" {
			source.CIDR = r.sourceCIDR(at.Key("IPv6"), "IPv6", s.IPv6)
			lb.Sources = append(lb.Sources, source)
		}
	}
	for i, s := range ingress.AwsSources {
		at := path.Key("AwsSources").Index(i)
		ports, ok := r.listenerPorts(lb, at, s.Ports)
		if !ok {
			continue
		}
		source := IngressSource{Ports: ports, Description: cmp.Or(s.Description, s.Name), Path: at}
		switch {
		case s.Lookup != nil:
			r.Errorf(at.Key("Lookup"), "unsupported-lookup", "sources cannot be looked up yet; write the Id")
			continue
		case s.Type == "SecurityGroup" && strings.HasPrefix(s.Id, "sg-"):
			source.SecurityGroup = s.Id
		case s.Type == "PrefixList" && strings.HasPrefix(s.Id, "pl-"):
			source.PrefixList = s.Id
		case s.Type == "SecurityGroup", s.Type == "PrefixList":
			r.Errorf(at.Key("Id"), "ingress-source", "%q is not the id of a %s, such as sg-0123… or pl-0123…", s.Id, s.Type)
			continue
		default:
			r.Unknown(at.Key("Type"), "ingress-source", "a type of source", s.Type, []string{"PrefixList", "SecurityGroup"})
			continue
		}
		lb.Sources = append(lb.Sources, source)
	}
	slices.SortStableFunc(lb.Sources, compareSources)
	if len(lb.Sources) == 0 && !lb.Internal {
		r.Warnf(path, "ingress-empty", "Ingress names no source, so nobody can connect")
	}
}

// everybody returns any address of the internet; IPv6 only where the load balancer
// has IPv6 addresses.
func everybody(addressType any, path Path) []IngressSource {
	all := []IngressSource{{CIDR: anyIPv4, Description: "everybody", Path: path}}
	if text, _ := addressType.(string); strings.HasPrefix(text, "dualstack") {
		all = append(all, IngressSource{CIDR: anyIPv6, Description: "everybody", Path: path})
	}
	return all
}

func compareSources(a, b IngressSource) int {
	return cmp.Or(
		strings.Compare(a.CIDR, b.CIDR), strings.Compare(a.PrefixList, b.PrefixList),
		strings.Compare(a.SecurityGroup, b.SecurityGroup), strings.Compare(a.Description, b.Description),
		slices.CompareFunc(a.Ports, b.Ports, comparePorts),
	)
}

// listenerPorts returns the ports of listeners that a source may reach; none = all.
// It reports whether anything is left of what the file names.
func (r *resolver) listenerPorts(lb *LoadBalancer, path Path, numbers []string) (ports []Port, ok bool) {
	for i, number := range numbers {
		at := path.Key("Ports").Index(i)
		l := slices.IndexFunc(lb.Listeners, func(l *Listener) bool { return strconv.Itoa(l.Port) == number })
		if l < 0 {
			r.Warnf(at, "port-unknown", "the load balancer has no listener on port %s", number)
			continue
		}
		ports = append(ports, Port{Number: lb.Listeners[l].Port, Protocol: transport(lb.Listeners[l].Protocol), Path: at})
	}
	slices.SortFunc(ports, comparePorts)
	return ports, len(ports) > 0 || len(numbers) == 0
}

// transport returns the protocol below a listener's protocol, as security groups know it.
func transport(protocol string) string {
	switch protocol {
	case "UDP":
		return "udp"
	case "TCP_UDP":
		return "tcp_udp"
	}
	return "tcp"
}

const defaultGracePeriod = 60 // seconds

// gracePeriods lets the tasks behind load balancers start before a failed check
// ends them.
func (r *resolver) gracePeriods() {
	wanted := map[string]int{}
	for _, lb := range r.model.LoadBalancers {
		for _, t := range lb.targets() {
			wanted[t.Family] = max(wanted[t.Family], defaultGracePeriod)
		}
	}
	for _, f := range r.model.Families {
		if wanted[f.Name] == 0 || f.HealthCheckGracePeriod != 0 {
			continue
		}
		f.HealthCheckGracePeriod = wanted[f.Name]
		for _, c := range f.Containers {
			if c.HealthCheck != nil {
				f.HealthCheckGracePeriod = max(f.HealthCheckGracePeriod, c.HealthCheck.StartPeriod)
			}
		}
	}
}

// targets lists the targets of all target groups.
func (lb *LoadBalancer) targets() []Target {
	var all []Target
	for _, g := range lb.TargetGroups {
		all = append(all, g.Targets...)
	}
	return all
}

// targetGroupLimit reports families with more target groups than ECS takes.
func (r *resolver) targetGroupLimit() {
	const most = 5
	count := map[string]int{}
	for _, lb := range r.model.LoadBalancers {
		for _, g := range lb.TargetGroups {
			for _, t := range g.Targets {
				count[t.Family]++
				if count[t.Family] == most+1 {
					r.Errorf(g.Path, "target-groups", "family %q is in more than the %d target groups that ECS accepts", t.Family, most)
				}
			}
		}
	}
}

// family finds a family of the model.
func (m *Model) family(name string) *Family {
	i := slices.IndexFunc(m.Families, func(f *Family) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return m.Families[i]
}

// portList names ports for a message.
func portList(ports []Port) string {
	var names []string
	for _, p := range ports {
		name := strconv.Itoa(p.Number)
		if p.Protocol != "tcp" {
			name += "/" + p.Protocol
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "no ports"
	}
	return fmt.Sprintf("port %s", strings.Join(names, ", "))
}
