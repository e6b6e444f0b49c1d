package compose

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"composecdk/compose/diag"
)

// targetGroupSet are the target groups that a load balancer defines; those that
// no listener uses stay out of the model.
type targetGroupSet struct {
	byName map[string]*TargetGroup
	used   map[string]bool
}

// elbv2Service is an entry of Services; Name is only in the old list form.
type elbv2Service struct {
	Name                  string `key:"name"`
	Port                  *int   `key:"port"`
	Protocol              string `key:"protocol"`
	HealthCheck           any    `key:"healthcheck"`
	TargetGroupAttributes any
	ProtocolVersion       string
}

// elbv2TargetGroup is an entry of TargetGroups.
type elbv2TargetGroup struct {
	Port                  *int
	Protocol              string
	ProtocolVersion       string
	HealthCheck           any
	TargetGroupAttributes any
	Tags                  any
	Services              []struct {
		Name string
		Port *int
	}
}

// targetGroups reads Services, one group for each entry, and TargetGroups, which
// services may share.
func (r *resolver) targetGroups(lb *LoadBalancer, services, groups any) *targetGroupSet {
	set := &targetGroupSet{byName: map[string]*TargetGroup{}, used: map[string]bool{}}
	if services == nil && groups == nil {
		return set
	}
	path := lb.Path.Key("Services")
	for _, entry := range r.entries(path, services, "name", "<family>:<container>: {port, protocol, healthcheck}") {
		r.serviceTarget(lb, set, entry)
	}
	path = lb.Path.Key("TargetGroups")
	for _, entry := range r.entries(path, groups, "", "") {
		r.sharedTargetGroup(lb, set, entry)
	}
	return set
}

// entry is one value of a mapping, or of the old list in its place.
type namedEntry struct {
	name  string
	path  Path
	value any
}

// entries lists a mapping by name. Where nameKey is given, a list is an old
// spelling of it.
func (r *resolver) entries(path Path, value any, nameKey, current string) []namedEntry {
	var all []namedEntry
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, namedEntry{name, path.Key(name), v[name]})
		}
	case []any:
		if nameKey == "" {
			r.Errorf(path, "type", "expected a mapping, found a list")
			return nil
		}
		r.Deprecated(path, "a list of "+strings.TrimPrefix(string(path[strings.LastIndex(string(path), ".")+1:]), "."), current)
		for i, item := range v {
			m, _ := item.(map[string]any)
			name, ok := m[nameKey].(string)
			if !ok {
				r.Errorf(path.Index(i), "type", "expected a mapping with %s, found %s", nameKey, diag.Describe(item))
				continue
			}
			all = append(all, namedEntry{name, path.Index(i), item})
		}
	default:
		r.Errorf(path, "type", "expected a mapping, found %s", diag.Describe(value))
	}
	return all
}

// serviceTarget reads one entry of Services.
func (r *resolver) serviceTarget(lb *LoadBalancer, set *targetGroupSet, entry namedEntry) {
	var def elbv2Service
	if !r.decode(entry.path, entry.value, &def) {
		return
	}
	named, ok := r.targetName(entry.path, entry.name)
	if !ok {
		return
	}
	target, ok := r.target(entry.path, def.portPath(entry.path), named, def.Port)
	if !ok {
		return
	}
	name := targetName{target.Family, named.container, target.Port}
	if name.container == "" {
		name.container = target.Container
	}
	g := &TargetGroup{Name: name.String(), Path: entry.path, Port: target.Port, Targets: []Target{target}, ProtocolVersion: def.ProtocolVersion}
	r.finishTargetGroup(lb, g, targetGroupRest{
		protocol: def.Protocol, protocolPath: entry.path.Key("protocol"),
		health: def.HealthCheck, healthPath: entry.path.Key("healthcheck"),
		attributes: def.TargetGroupAttributes,
	})
	r.addTargetGroup(set, g)
}

func (d elbv2Service) portPath(entry Path) Path {
	if d.Port == nil {
		return entry
	}
	return entry.Key("port")
}

// sharedTargetGroup reads one entry of TargetGroups.
func (r *resolver) sharedTargetGroup(lb *LoadBalancer, set *targetGroupSet, entry namedEntry) {
	var def elbv2TargetGroup
	if !r.decode(entry.path, entry.value, &def) {
		return
	}
	g := &TargetGroup{Name: entry.name, Path: entry.path, ProtocolVersion: def.ProtocolVersion}
	for i, s := range def.Services {
		at := entry.path.Key("Services").Index(i)
		named, ok := r.targetName(at.Key("Name"), s.Name)
		if !ok {
			continue
		}
		if target, ok := r.target(at.Key("Name"), at.Key("Port"), named, cmp.Or(s.Port, def.Port)); ok {
			if slices.Contains(g.Targets, target) {
				r.Errorf(at, "target-duplicate", "%q is in the target group already", s.Name)
				continue
			}
			g.Targets = append(g.Targets, target)
		}
	}
	if len(def.Services) == 0 {
		r.Errorf(entry.path, "target-missing", "target group %q has no Services", entry.name)
	}
	if len(g.Targets) == 0 {
		return
	}
	slices.SortFunc(g.Targets, compareTargets)
	g.Port = g.Targets[0].Port
	if def.Port != nil {
		g.Port = *def.Port
	}
	if def.Tags != nil {
		g.Tags = r.keyValues(entry.path.Key("Tags"), def.Tags)
	}
	r.finishTargetGroup(lb, g, targetGroupRest{
		protocol: def.Protocol, protocolPath: entry.path.Key("Protocol"),
		health: def.HealthCheck, healthPath: entry.path.Key("HealthCheck"),
		attributes: def.TargetGroupAttributes,
	})
	r.addTargetGroup(set, g)
}

func (r *resolver) addTargetGroup(set *targetGroupSet, g *TargetGroup) {
	if set.byName[g.Name] != nil {
		r.Errorf(g.Path, "target-duplicate", "%q is defined twice", g.Name)
		return
	}
	set.byName[g.Name] = g
}

// targetGroupRest is what both forms of a target group say besides targets.
type targetGroupRest struct {
	protocol     string
	protocolPath Path
	health       any
	healthPath   Path
	attributes   any
}

// groupProtocols lists the protocols of target groups by the type of the load balancer.
var groupProtocols = map[string][]string{
	typeApplication: {"HTTP", "HTTPS"},
	typeNetwork:     {"TCP", "TCP_UDP", "TLS", "UDP"},
}

// finishTargetGroup fills in protocol, health check and attributes.
func (r *resolver) finishTargetGroup(lb *LoadBalancer, g *TargetGroup, rest targetGroupRest) {
	allowed := groupProtocols[lb.Type]
	g.Protocol = strings.ToUpper(cmp.Or(rest.protocol, defaultProtocol(lb.Type)))
	if !slices.Contains(allowed, g.Protocol) {
		r.Unknown(rest.protocolPath, "target-protocol", "a protocol that a load balancer of type "+lb.Type+" speaks with targets", g.Protocol, allowed)
		g.Protocol = defaultProtocol(lb.Type)
	}
	versions := []string{"GRPC", "HTTP1", "HTTP2"}
	switch {
	case g.ProtocolVersion == "":
	case lb.Type != typeApplication:
		r.Errorf(g.Path.Key("ProtocolVersion"), "protocol-version", "only an application load balancer knows versions of HTTP")
	case !slices.Contains(versions, g.ProtocolVersion):
		r.Unknown(g.Path.Key("ProtocolVersion"), "protocol-version", "a version of HTTP", g.ProtocolVersion, versions)
	}
	for _, t := range g.Targets {
		r.targetTransport(g, rest.protocolPath, t)
	}
	if rest.health != nil {
		r.targetHealth(g, rest.healthPath, rest.health)
	}
	r.defaultTargetHealth(lb, g, rest.healthPath)
	g.Attributes = map[string]string{}
	if rest.attributes != nil {
		g.Attributes = r.keyValues(g.Path.Key("TargetGroupAttributes"), rest.attributes)
		r.referAll(g.Path.Key("TargetGroupAttributes"), rest.attributes)
	}
	r.deregistrationDelay(g)
}

// targetTransport checks that a target listens on the protocol of its group.
func (r *resolver) targetTransport(g *TargetGroup, path Path, t Target) {
	c := r.model.family(t.Family).container(t.Container)
	for _, protocol := range strings.Split(transport(g.Protocol), "_") {
		if !slices.ContainsFunc(c.Ports, func(p Port) bool { return p.Number == t.Port && p.Protocol == protocol }) {
			r.Errorf(path, "target-protocol", "%q does not listen on %d/%s; it has %s", c.Name, t.Port, protocol, portList(c.Ports))
		}
	}
}

func defaultProtocol(lbType string) string {
	if lbType == typeNetwork {
		return "TCP"
	}
	return "HTTP"
}

// deregistrationDelay gives requests as long to end as the container has to stop.
func (r *resolver) deregistrationDelay(g *TargetGroup) {
	const attribute, ecsStopTimeout = "deregistration_delay.timeout_seconds", 30
	if _, ok := g.Attributes[attribute]; ok {
		return
	}
	delay := 0
	for _, t := range g.Targets {
		delay = max(delay, cmp.Or(r.model.family(t.Family).container(t.Container).StopTimeout, ecsStopTimeout))
	}
	g.Attributes[attribute] = strconv.Itoa(delay)
}
