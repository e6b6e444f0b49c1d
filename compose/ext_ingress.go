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

const (
	keyIngress = "x-ingress"

	ingressPublic   = "public"
	ingressInternal = "internal"
)

// notHTTP are well-known ports of protocols that an application load balancer
// does not understand.
var notHTTP = map[int]string{
	21: "FTP", 22: "SSH", 25: "SMTP", 53: "DNS", 1433: "SQL Server", 1883: "MQTT", 2181: "ZooKeeper", 3306: "MySQL",
	4222: "NATS", 5432: "PostgreSQL", 5672: "AMQP", 6379: "Redis", 9042: "Cassandra", 9092: "Kafka", 11211: "Memcached", 27017: "MongoDB",
}

// ingressSpec is what a service says about its published ports.
type ingressSpec struct {
	scheme string
	path   Path
	// network forwards connections instead of HTTP requests.
	network bool
	// old says that the wish comes from settings of the first releases.
	old bool
}

// ingressBalancers makes the load balancers that all services with the same
// x-ingress share: one for HTTP, and one for other protocols where needed.
func (r *resolver) ingressBalancers() []*LoadBalancer {
	shared := map[string]*LoadBalancer{}
	for _, service := range slices.Sorted(maps.Keys(r.project.Services)) {
		wish := r.ingressWish(service)
		if wish.scheme == "" {
			continue
		}
		published := r.published(service)
		if len(published) == 0 {
			r.nothingPublished(service, wish)
		}
		for _, p := range published {
			r.ingressPort(shared, service, wish, p)
		}
	}
	var all []*LoadBalancer
	for _, name := range slices.Sorted(maps.Keys(shared)) {
		lb := shared[name]
		slices.SortFunc(lb.Listeners, func(a, b *Listener) int { return cmp.Compare(a.Port, b.Port) })
		slices.SortFunc(lb.TargetGroups, func(a, b *TargetGroup) int { return strings.Compare(a.Name, b.Name) })
		all = append(all, lb)
	}
	return all
}

// ingressWish reads x-ingress, else the settings of the first releases.
func (r *resolver) ingressWish(service string) ingressSpec {
	if value, ok := r.project.Services[service].Extensions[keyIngress]; ok {
		path := servicePath(service).Key(keyIngress)
		var scheme string
		switch {
		case !r.decode(path, value, &scheme):
		case scheme == ingressPublic || scheme == ingressInternal:
			return ingressSpec{scheme: scheme, path: path}
		default:
			r.Unknown(path, "ingress", "a kind of ingress", scheme, []string{ingressInternal, ingressPublic})
		}
		return ingressSpec{}
	}
	settings := r.project.Settings.Services[service]
	on := func(key string) bool { b, _ := settings[key].(bool); return b }
	for _, key := range []string{"use_nlb", "use_alb", "is_public"} {
		if !on(key) || r.inTargetGroup(service) {
			continue
		}
		wish := ingressSpec{scheme: ingressInternal, path: r.settingPath(service, key), network: on("use_nlb") && !on("use_alb"), old: true}
		if on("is_public") {
			wish.scheme = ingressPublic
		}
		return wish
	}
	return ingressSpec{}
}

// settingPath returns where a setting of the first releases was written.
func (r *resolver) settingPath(service, key string) Path {
	own := servicePath(service)
	for _, path := range []Path{
		own.Key("labels").Key(key), own.Key("configs").Key(key), own.Key("x-configs").Key(key), At("x-configs", service, key),
	} {
		if at := r.Positions.Pos(path); at.Line != 0 && at != r.Positions.Pos(path.Parent()) {
			return path
		}
	}
	return At("configs", service, key)
}

// inTargetGroup reports whether a load balancer of x-elbv2 serves a service.
func (r *resolver) inTargetGroup(service string) bool {
	return slices.ContainsFunc(r.model.LoadBalancers, func(lb *LoadBalancer) bool {
		return slices.ContainsFunc(lb.targets(), func(t Target) bool {
			return r.model.family(t.Family).container(t.Container).Service == service
		})
	})
}

// published lists the ports of a service that Docker would publish beyond the
// machine, each with the number it is published as.
func (r *resolver) published(service string) []Port {
	found := r.targets(service)
	i := slices.IndexFunc(found, func(t target) bool { return t.container.Service == service })
	if i < 0 {
		return nil
	}
	var ports []Port
	for _, p := range found[i].container.Ports {
		if p.Published != 0 {
			ports = append(ports, p)
			continue
		}
		for _, written := range r.project.Services[service].Ports {
			if int(written.Target) != p.Number || cmp.Or(written.Protocol, "tcp") != p.Protocol {
				continue
			}
			switch {
			case loopback(written.HostIP):
				r.Notef(p.Path, "port-loopback", "port %d is for the machine itself (%s), so %s does not open it", p.Number, written.HostIP, keyIngress)
			case written.Published == "":
				r.Notef(p.Path, "port-assumed", "the port is published without a number; the load balancer listens on %d", p.Number)
				p.Published = p.Number
				ports = append(ports, p)
			}
			break
		}
	}
	return ports
}

func (r *resolver) nothingPublished(service string, wish ingressSpec) {
	severity := Error
	if wish.old {
		severity = Warning
	}
	r.Add(severity, wish.path, "nothing-published", `add ports: ["<published>:<container>"]`,
		fmt.Sprintf("service %q publishes no port that the load balancer could listen on", service))
}

// ingressPort adds one published port to the shared load balancer for its
// protocol.
func (r *resolver) ingressPort(shared map[string]*LoadBalancer, service string, wish ingressSpec, p Port) {
	protocol, ok := r.ingressProtocol(wish, p)
	if !ok {
		return
	}
	name, lbType := wish.scheme, typeApplication
	if protocol != "HTTP" {
		name, lbType = wish.scheme+"-tcp", typeNetwork
	}
	lb := shared[name]
	if lb == nil {
		lb = r.sharedBalancer(name, lbType, wish)
		shared[name] = lb
	}
	for _, l := range lb.Listeners {
		if l.Port != p.Published {
			continue
		}
		g := lb.targetGroup(l.Default.Forward[0].TargetGroup)
		if r.bothTransports(g, service, protocol, p) {
			l.Protocol, g.Protocol = "TCP_UDP", "TCP_UDP"
			return
		}
		r.Add(Error, p.Path, "port-conflict", "publish another port, or tell them apart by host or path with x-elbv2",
			fmt.Sprintf("port %d of the %s load balancer goes to %s already", p.Published, wish.scheme, g.Name))
		return
	}
	g := r.ingressTarget(lb, service, protocol, p)
	lb.TargetGroups = append(lb.TargetGroups, g)
	lb.Listeners = append(lb.Listeners, &Listener{
		Port: p.Published, Protocol: protocol, Default: forward(g), Path: p.Path, Properties: map[string]any{},
	})
}

func (r *resolver) sharedBalancer(name, lbType string, wish ingressSpec) *LoadBalancer {
	lb := &LoadBalancer{
		Key: keyIngress, Name: name, Path: wish.path, Type: lbType,
		Internal: wish.scheme == ingressInternal, SubnetGroup: PublicSubnets,
		Attributes: map[string]string{}, Properties: map[string]any{},
	}
	if lbType == typeApplication {
		lb.Attributes["routing.http.drop_invalid_header_fields.enabled"] = "true"
	}
	if lb.Internal {
		lb.SubnetGroup = AppSubnets
	} else {
		lb.Sources = everybody(nil, wish.path)
	}
	return lb
}

// ingressProtocol returns the protocol of the listener for a port.
func (r *resolver) ingressProtocol(wish ingressSpec, p Port) (string, bool) {
	if p.Protocol == "udp" {
		return "UDP", true
	}
	if wish.network {
		return "TCP", true
	}
	switch app := strings.ToLower(p.AppProtocol); app {
	case "", "http", "ws":
		if p.Published == 443 {
			r.Add(Error, p.Path, "certificate-missing",
				"write a listener with Certificates under x-elbv2, or app_protocol: https where the container ends TLS itself",
				"port 443 is for HTTPS, and "+keyIngress+" has no certificate")
			return "", false
		}
		if what := notHTTP[p.Number]; what != "" && app == "" {
			r.Add(Warning, p.Path, "not-http", "write app_protocol: tcp",
				fmt.Sprintf("port %d is mostly for %s, but the load balancer expects HTTP", p.Number, what))
		}
		return "HTTP", true
	case "http2", "grpc":
		r.Add(Error, p.Path, "certificate-missing",
			"write a listener with Certificates and ProtocolVersion under x-elbv2, or app_protocol: tcp to pass connections on",
			fmt.Sprintf("an application load balancer speaks %s only over HTTPS, and %s has no certificate", app, keyIngress))
		return "", false
	}
	return "TCP", true
}

func (lb *LoadBalancer) targetGroup(name string) *TargetGroup {
	i := slices.IndexFunc(lb.TargetGroups, func(g *TargetGroup) bool { return g.Name == name })
	return lb.TargetGroups[i]
}

// bothTransports reports whether a port is the other half of one that a service
// publishes over TCP and UDP alike.
func (r *resolver) bothTransports(g *TargetGroup, service, protocol string, p Port) bool {
	first := g.Targets[0]
	return g.Protocol != protocol && g.Protocol != "TCP_UDP" && g.Port == p.Number &&
		r.model.family(first.Family).container(first.Container).Service == service
}

// ingressTarget returns the target group for a port of a service, in every family the
// service is part of.
func (r *resolver) ingressTarget(lb *LoadBalancer, service, protocol string, p Port) *TargetGroup {
	g := &TargetGroup{
		Name: fmt.Sprintf("%s:%d", service, p.Number), Path: p.Path, Port: p.Number, Protocol: protocol, Attributes: map[string]string{},
	}
	for _, t := range r.targets(service) {
		if t.container.Service == service {
			g.Targets = append(g.Targets, Target{Family: t.family.Name, Container: t.container.Name, Port: p.Number})
		}
	}
	if protocol == "HTTP" {
		g.HealthCheck = r.oldHealthCheck(service, p)
	}
	r.defaultTargetHealth(lb, g, p.Path)
	r.deregistrationDelay(g)
	return g
}

var oldHealth = regexp.MustCompile(`^(\d+)(/\S*)?$`)

// oldHealthCheck reads the setting healthcheck: {http: 80/ping} of the first
// releases.
func (r *resolver) oldHealthCheck(service string, p Port) TargetHealthCheck {
	value, ok := r.project.Settings.Services[service]["healthcheck"]
	if !ok {
		return TargetHealthCheck{}
	}
	path := r.settingPath(service, "healthcheck")
	m, _ := value.(map[string]any)
	text, _ := diag.ScalarText(m["http"])
	parts := oldHealth.FindStringSubmatch(text)
	if len(m) != 1 || parts == nil {
		r.Warnf(path, "healthcheck", "%s is not a health check such as {http: 80/ping}; the load balancer asks for /", diag.Describe(value))
		return TargetHealthCheck{}
	}
	check := TargetHealthCheck{Protocol: "HTTP", Path: parts[2]}
	if port, _ := strconv.Atoi(parts[1]); port != p.Number {
		check.Port = port
	}
	return check
}

// portsNotPublished tells which ports of the file open nothing.
func (r *resolver) portsNotPublished() {
	for _, f := range r.model.Families {
		if len(f.Ingress) > 0 {
			continue
		}
		for _, c := range f.Containers {
			if _, wished := r.project.Services[c.Service].Extensions[keyIngress]; wished || r.inTargetGroup(c.Service) {
				continue
			}
			var published []Port
			for _, p := range c.Ports {
				if p.Published != 0 {
					published = append(published, p)
				}
			}
			if len(published) > 0 {
				r.Add(Note, c.Path.Key("ports"), "port-not-published", "write x-ingress: public or x-ingress: internal, or a load balancer under x-elbv2",
					fmt.Sprintf("only services of the project reach %s of %q", portList(published), c.Service))
			}
		}
	}
}
