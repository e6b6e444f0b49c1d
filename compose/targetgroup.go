package compose

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// targetName is family:container[:port], or a service alone.
type targetName struct {
	family, container string
	port              int
}

func (n targetName) String() string {
	s := n.family
	if n.container != "" {
		s += ":" + n.container
	}
	if n.port != 0 {
		s += ":" + strconv.Itoa(n.port)
	}
	return s
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
			r.errorf(path, "type", "expected a mapping, found a list")
			return nil
		}
		r.deprecated(path, "a list of "+strings.TrimPrefix(string(path[strings.LastIndex(string(path), ".")+1:]), "."), current)
		for i, item := range v {
			m, _ := item.(map[string]any)
			name, ok := m[nameKey].(string)
			if !ok {
				r.errorf(path.Index(i), "type", "expected a mapping with %s, found %s", nameKey, describe(item))
				continue
			}
			all = append(all, namedEntry{name, path.Index(i), item})
		}
	default:
		r.errorf(path, "type", "expected a mapping, found %s", describe(value))
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
				r.errorf(at, "target-duplicate", "%q is in the target group already", s.Name)
				continue
			}
			g.Targets = append(g.Targets, target)
		}
	}
	if len(def.Services) == 0 {
		r.errorf(entry.path, "target-missing", "target group %q has no Services", entry.name)
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
		r.errorf(g.Path, "target-duplicate", "%q is defined twice", g.Name)
		return
	}
	set.byName[g.Name] = g
}

func compareTargets(a, b Target) int {
	return cmp.Or(strings.Compare(a.Family, b.Family), strings.Compare(a.Container, b.Container), cmp.Compare(a.Port, b.Port))
}

// targetName reads family:container[:port] or a service's name.
func (r *resolver) targetName(path Path, text string) (targetName, bool) {
	parts := strings.Split(text, ":")
	n := targetName{family: parts[0]}
	var err error
	switch len(parts) {
	case 3:
		n.port, err = strconv.Atoi(parts[2])
		fallthrough
	case 2:
		n.container = parts[1]
	case 1:
	default:
		err = strconv.ErrSyntax
	}
	if err != nil || n.family == "" || len(parts) > 1 && n.container == "" {
		r.errorf(path, "target-name", "%q is not a target: write <family>:<container> or <family>:<container>:<port>", text)
		return n, false
	}
	return n, true
}

// target finds the container and the port that a name stands for.
func (r *resolver) target(path, portPath Path, name targetName, port *int) (Target, bool) {
	f, c := r.targetContainer(path, name)
	if c == nil {
		return Target{}, false
	}
	number := name.port
	switch {
	case port != nil && number != 0 && *port != number:
		r.errorf(portPath, "port-conflict", "the name says port %d, and port says %d", number, *port)
		return Target{}, false
	case port != nil:
		number = *port
	case number == 0 && len(c.Ports) == 1:
		number = c.Ports[0].Number
	case number == 0:
		r.errorf(portPath, "port-missing", "which port of %q? It has %s", c.Name, portList(c.Ports))
		return Target{}, false
	}
	if c.hasPort(number) {
		return Target{Family: f.Name, Container: c.Name, Port: number}, true
	}
	// All containers of a task share one address, so the port of another one of
	// them answers as well; ECS must be told whose it is.
	for _, other := range f.Containers {
		if other.hasPort(number) {
			r.warnf(portPath, "port-owner", "port %d of family %q belongs to %q, not to %q; requests go there", number, f.Name, other.Name, c.Name)
			return Target{Family: f.Name, Container: other.Name, Port: number}, true
		}
	}
	r.add(Error, portPath, "port-unknown", fmt.Sprintf("add %d to ports or expose of service %q", number, c.Service),
		fmt.Sprintf("%q does not listen on port %d; it has %s", c.Name, number, portList(c.Ports)))
	return Target{}, false
}

func (c *Container) hasPort(number int) bool {
	return slices.ContainsFunc(c.Ports, func(p Port) bool { return p.Number == number })
}

// targetContainer finds family:container, or the one container that a family or
// service name alone stands for.
func (r *resolver) targetContainer(path Path, name targetName) (*Family, *Container) {
	if name.container == "" {
		switch found := r.targets(name.family); len(found) {
		case 1:
			return found[0].family, found[0].container
		case 0:
			r.unknownTarget(path, "target-unknown", name.family)
		default:
			r.add(Error, path, "target-ambiguous", didYouMean("", r.containerNames()),
				fmt.Sprintf("%q stands for %d containers; write <family>:<container>", name.family, len(found)))
		}
		return nil, nil
	}
	f := r.model.family(name.family)
	if _, disabled := r.project.DisabledServices[name.family]; disabled && f == nil {
		r.unknownTarget(path, "target-unknown", name.family)
		return nil, nil
	}
	if f == nil {
		r.add(Error, path, "family-unknown", didYouMean(name.family+":"+name.container, r.containerNames()),
			fmt.Sprintf("%q is not a family", name.family))
		return nil, nil
	}
	var names []string
	for _, c := range f.Containers {
		if c.Name == name.container || c.Service == name.container {
			return f, c
		}
		names = append(names, c.Name)
	}
	r.unknown(path, "container-unknown", fmt.Sprintf("a service of family %q", f.Name), name.container, names)
	return nil, nil
}

// containerNames lists every family:container.
func (r *resolver) containerNames() []string {
	var names []string
	for _, f := range r.model.Families {
		for _, c := range f.Containers {
			names = append(names, f.Name+":"+c.Name)
		}
	}
	return names
}

// targetGroupRest is what both forms of a target group say besides targets.
type targetGroupRest struct {
	protocol     string
	protocolPath Path
	health       any
	healthPath   Path
	attributes   any
}

// groupProtocols are those of the target groups of each type of load balancer.
var groupProtocols = map[string][]string{
	typeApplication: {"HTTP", "HTTPS"},
	typeNetwork:     {"TCP", "TCP_UDP", "TLS", "UDP"},
}

// finishTargetGroup fills in protocol, health check and attributes.
func (r *resolver) finishTargetGroup(lb *LoadBalancer, g *TargetGroup, rest targetGroupRest) {
	allowed := groupProtocols[lb.Type]
	g.Protocol = strings.ToUpper(cmp.Or(rest.protocol, defaultProtocol(lb.Type)))
	if !slices.Contains(allowed, g.Protocol) {
		r.unknown(rest.protocolPath, "target-protocol", "a protocol that a load balancer of type "+lb.Type+" speaks with targets", g.Protocol, allowed)
		g.Protocol = defaultProtocol(lb.Type)
	}
	versions := []string{"GRPC", "HTTP1", "HTTP2"}
	switch {
	case g.ProtocolVersion == "":
	case lb.Type != typeApplication:
		r.errorf(g.Path.Key("ProtocolVersion"), "protocol-version", "only an application load balancer knows versions of HTTP")
	case !slices.Contains(versions, g.ProtocolVersion):
		r.unknown(g.Path.Key("ProtocolVersion"), "protocol-version", "a version of HTTP", g.ProtocolVersion, versions)
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
		r.noReferences(g.Path.Key("TargetGroupAttributes"), g.Attributes)
	}
	r.deregistrationDelay(g)
}

// targetTransport checks that a target listens on the protocol of its group.
func (r *resolver) targetTransport(g *TargetGroup, path Path, t Target) {
	c := r.model.family(t.Family).container(t.Container)
	for _, protocol := range strings.Split(transport(g.Protocol), "_") {
		if !slices.ContainsFunc(c.Ports, func(p Port) bool { return p.Number == t.Port && p.Protocol == protocol }) {
			r.errorf(path, "target-protocol", "%q does not listen on %d/%s; it has %s", c.Name, t.Port, protocol, portList(c.Ports))
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

// elbv2HealthCheck are the CloudFormation properties of a health check.
type elbv2HealthCheck struct {
	HealthCheckEnabled         *bool
	HealthCheckIntervalSeconds int
	HealthCheckPath            string
	HealthCheckPort            string
	HealthCheckProtocol        string
	HealthCheckTimeoutSeconds  int
	HealthyThresholdCount      int
	UnhealthyThresholdCount    int
	Matcher                    struct {
		HTTPCode string `key:"HttpCode"`
		GRPCCode string `key:"GrpcCode"`
	}
}

// targetHealth reads a health check, as text or as properties.
func (r *resolver) targetHealth(g *TargetGroup, path Path, value any) {
	if text, ok := value.(string); ok {
		check, err := parseTargetHealth(text)
		if err != nil {
			r.add(Error, path, "healthcheck", "write port:protocol[:healthy:unhealthy:interval:timeout][:path[:codes]], such as 80:HTTP:/ping:200",
				fmt.Sprintf("%q is not a health check: %s", text, err))
		}
		g.HealthCheck = check
	} else {
		var def elbv2HealthCheck
		r.decode(path, value, &def)
		if def.HealthCheckEnabled != nil && !*def.HealthCheckEnabled {
			r.errorf(path.Key("HealthCheckEnabled"), "healthcheck", "containers are always checked")
		}
		g.HealthCheck = TargetHealthCheck{
			Protocol: def.HealthCheckProtocol, Path: def.HealthCheckPath,
			Codes:   cmp.Or(def.Matcher.HTTPCode, def.Matcher.GRPCCode),
			Healthy: def.HealthyThresholdCount, Unhealthy: def.UnhealthyThresholdCount,
			Interval: def.HealthCheckIntervalSeconds, Timeout: def.HealthCheckTimeoutSeconds,
		}
		if port := def.HealthCheckPort; port != "" && port != "traffic-port" {
			n, err := strconv.Atoi(port)
			if err != nil {
				r.errorf(path.Key("HealthCheckPort"), "healthcheck", "%q is not a port or traffic-port", port)
			}
			g.HealthCheck.Port = n
		}
	}
	g.HealthCheck.Protocol = strings.ToUpper(g.HealthCheck.Protocol)
	for _, limit := range []struct {
		what             string
		got, least, most int
	}{
		{what: "port", got: g.HealthCheck.Port, least: 1, most: 65535},
		{what: "healthy threshold", got: g.HealthCheck.Healthy, least: 2, most: 10},
		{what: "unhealthy threshold", got: g.HealthCheck.Unhealthy, least: 2, most: 10},
		{what: "interval", got: g.HealthCheck.Interval, least: 5, most: 300},
		{what: "timeout", got: g.HealthCheck.Timeout, least: 2, most: 120},
	} {
		if limit.got != 0 && (limit.got < limit.least || limit.got > limit.most) {
			r.errorf(path, "healthcheck", "%s %d is not possible: %d to %d are", limit.what, limit.got, limit.least, limit.most)
		}
	}
	if h := g.HealthCheck; h.Interval != 0 && h.Timeout >= h.Interval {
		r.errorf(path, "healthcheck", "the timeout of %d seconds is not below the interval of %d", h.Timeout, h.Interval)
	}
}

var codes = regexp.MustCompile(`^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$`)

// parseTargetHealth reads port:protocol, then four numbers or none, then a path
// with or without the codes that mean healthy.
func parseTargetHealth(text string) (check TargetHealthCheck, err error) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 {
		return check, fmt.Errorf("it has no protocol")
	}
	if parts[0] != "traffic-port" {
		if check.Port, err = strconv.Atoi(parts[0]); err != nil {
			return check, fmt.Errorf("%q is not a port", parts[0])
		}
	}
	check.Protocol, parts = parts[1], parts[2:]
	if len(parts) > 0 && !strings.HasPrefix(parts[0], "/") {
		into := []*int{&check.Healthy, &check.Unhealthy, &check.Interval, &check.Timeout}
		if len(parts) < len(into) {
			return check, fmt.Errorf("healthy, unhealthy, interval and timeout come all four or not at all")
		}
		for i, n := range into {
			if *n, err = strconv.Atoi(parts[i]); err != nil {
				return check, fmt.Errorf("%q is not a number", parts[i])
			}
		}
		parts = parts[len(into):]
	}
	if len(parts) > 0 {
		check.Path, parts = parts[0], parts[1:]
	}
	if check.Path != "" && !strings.HasPrefix(check.Path, "/") {
		return check, fmt.Errorf("the path %q does not start with /", check.Path)
	}
	if len(parts) > 0 {
		check.Codes, parts = parts[0], parts[1:]
	}
	if check.Codes != "" && !codes.MatchString(check.Codes) {
		return check, fmt.Errorf("%q are not status codes", check.Codes)
	}
	if len(parts) > 0 {
		return check, fmt.Errorf("%q is too much", strings.Join(parts, ":"))
	}
	return check, nil
}

// defaultTargetHealth fills in what the file leaves out. Over HTTP that is the
// path which the container's own check asks for, if it can be told, else "/".
func (r *resolver) defaultTargetHealth(lb *LoadBalancer, g *TargetGroup, path Path) {
	h := &g.HealthCheck
	allowed := []string{"HTTP", "HTTPS"}
	if lb.Type == typeNetwork {
		allowed = []string{"HTTP", "HTTPS", "TCP"}
	}
	switch {
	case h.Protocol == "" && lb.Type == typeApplication:
		h.Protocol = g.Protocol
	case h.Protocol == "":
		h.Protocol = "TCP"
	case !slices.Contains(allowed, h.Protocol):
		r.unknown(path, "healthcheck", "a protocol for health checks of a load balancer of type "+lb.Type, h.Protocol, allowed)
	}
	if h.Protocol == "TCP" {
		if h.Path != "" || h.Codes != "" {
			r.errorf(path, "healthcheck", "a check over TCP asks for no path")
		}
		r.udpHealthPort(g, path)
		return
	}
	if g.ProtocolVersion == "GRPC" {
		return // the load balancer's own defaults call the gRPC health service
	}
	if h.Path == "" && (h.Port == 0 || h.Port == g.Port) {
		h.Path = r.checkedPath(g)
	}
	h.Path = cmp.Or(h.Path, "/")
	h.Codes = cmp.Or(h.Codes, "200-399")
}

// udpHealthPort finds a TCP port to check where the traffic is UDP.
func (r *resolver) udpHealthPort(g *TargetGroup, path Path) {
	if g.Protocol != "UDP" || g.HealthCheck.Port != 0 {
		return
	}
	t := g.Targets[0]
	for _, p := range r.model.family(t.Family).container(t.Container).Ports {
		if p.Protocol == "tcp" {
			g.HealthCheck.Port = p.Number
			return
		}
	}
	r.add(Error, path, "healthcheck-udp", "let the container listen on a TCP port as well, and name it under expose",
		fmt.Sprintf("a load balancer cannot check a UDP port, and %q has no TCP port", t.Container))
}

var (
	checkTool = regexp.MustCompile(`(?:^|[\s/"'])(?:curl|wget)(?:\s|$)`)
	checkURL  = regexp.MustCompile(`(?:^|[\s"'=])(https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(/[^\s"'|;&<>]*)?`)
)

// checkedPath is the path on the target's port that the container's own health
// check asks for with curl or wget, or "".
func (r *resolver) checkedPath(g *TargetGroup) string {
	if len(g.Targets) != 1 {
		return ""
	}
	t := g.Targets[0]
	own := r.model.family(t.Family).container(t.Container).HealthCheck
	if own == nil {
		return ""
	}
	command := strings.Join(own.Command, " ")
	m := checkURL.FindStringSubmatch(command)
	if m == nil || !checkTool.MatchString(command) || strings.ContainsAny(m[3], "$`") {
		return ""
	}
	port := cmp.Or(m[2], map[string]string{"https://": "443"}[m[1]], "80")
	if port != strconv.Itoa(t.Port) {
		return ""
	}
	return m[3]
}
