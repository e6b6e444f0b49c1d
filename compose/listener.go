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

// elbv2Listener is one listener as the file has it.
type elbv2Listener struct {
	Port           *int
	Protocol       string
	SslPolicy      string
	Certificates   []any
	DefaultActions []map[string]any
	Targets        []elbv2Target
	// What follows is passed on as it is.
	AlpnPolicy, ListenerAttributes, MutualAuthentication any
}

// elbv2Target says which requests of a listener go to a target group.
type elbv2Target struct {
	Name       string `key:"name"`
	Access     string `key:"access"`
	Conditions []map[string]any
	// Priority replaces the priority that follows from the conditions.
	Priority                  int
	AuthenticateCognitoConfig map[string]any
	AuthenticateOidcConfig    map[string]any
	CreateCognitoClient       any
}

// listenerProtocols lists the protocols by the type of the load balancer.
var listenerProtocols = map[string][]string{
	typeApplication: {"HTTP", "HTTPS"},
	typeNetwork:     {"TCP", "TCP_UDP", "TLS", "UDP"},
}

// defaultTLSPolicy is the policy of listeners whose file names none: TLS 1.2 and
// 1.3 with ciphers that keep past traffic secret.
const defaultTLSPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"

// listeners reads the listeners, a list or a mapping by port.
func (r *resolver) listeners(lb *LoadBalancer, value any, groups *targetGroupSet) {
	path := lb.Path.Key("Listeners")
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			port, err := strconv.Atoi(key)
			if err != nil {
				r.Errorf(path.Key(key), "listener-port", "%q is not a port", key)
				continue
			}
			r.listener(lb, path.Key(key), v[key], port, groups)
		}
	case []any:
		for i, item := range v {
			r.listener(lb, path.Index(i), item, 0, groups)
		}
	case nil:
	default:
		r.Errorf(path, "type", "expected a list of listeners, or a mapping by port, found %s", diag.Describe(value))
		return
	}
	slices.SortStableFunc(lb.Listeners, func(a, b *Listener) int { return cmp.Compare(a.Port, b.Port) })
	if len(lb.Listeners) == 0 {
		r.Errorf(lb.Path, "listener-missing", "load balancer %q has no Listeners", lb.Name)
	}
	for i, l := range lb.Listeners {
		if i > 0 && lb.Listeners[i-1].Port == l.Port {
			r.Errorf(l.Path, "listener-duplicate", "load balancer %q has two listeners on port %d", lb.Name, l.Port)
		}
	}
	r.redirectTargets(lb)
	for _, name := range slices.Sorted(maps.Keys(groups.byName)) {
		g := groups.byName[name]
		if !groups.used[name] {
			r.Warnf(g.Path, "target-unused", "no listener of %q sends requests to %q; ECS cannot use a target group without, so it is left out", lb.Name, name)
			continue
		}
		lb.TargetGroups = append(lb.TargetGroups, g)
	}
}

// listener reads one listener; port is the key of the mapping, or 0.
func (r *resolver) listener(lb *LoadBalancer, path Path, value any, port int, groups *targetGroupSet) {
	var def elbv2Listener
	if !r.decode(path, value, &def) {
		return
	}
	l := &Listener{Port: port, SSLPolicy: def.SslPolicy, Path: path, Properties: map[string]any{}}
	at := path
	if def.Port != nil {
		at = path.Key("Port")
		if port != 0 && *def.Port != port {
			r.Errorf(at, "listener-port", "the key says port %d, and Port says %d", port, *def.Port)
		}
		l.Port = *def.Port
	}
	if l.Port < 1 || l.Port > 65535 {
		r.Errorf(at, "listener-port", "a listener needs a Port of 1 to 65535")
		return
	}
	for key, v := range map[string]any{
		"AlpnPolicy": def.AlpnPolicy, "ListenerAttributes": def.ListenerAttributes, "MutualAuthentication": def.MutualAuthentication,
	} {
		if v != nil {
			l.Properties[key] = v
			r.readValue(path.Key(key), v)
		}
	}
	r.listenerProtocol(lb, l, &def)
	r.certificates(l, &def)
	if lb.Type == typeNetwork {
		r.networkListener(lb, l, &def, groups)
	} else {
		r.applicationListener(lb, l, &def, groups)
	}
	lb.Listeners = append(lb.Listeners, l)
}

func (r *resolver) listenerProtocol(lb *LoadBalancer, l *Listener, def *elbv2Listener) {
	l.Protocol = strings.ToUpper(def.Protocol)
	allowed := listenerProtocols[lb.Type]
	switch {
	case l.Protocol == "":
		l.Protocol = defaultProtocol(lb.Type)
	case !slices.Contains(allowed, l.Protocol):
		r.Unknown(l.Path.Key("Protocol"), "listener-protocol", "a protocol of a load balancer of type "+lb.Type, l.Protocol, allowed)
		l.Protocol = defaultProtocol(lb.Type)
	}
}

// certificateArn is a certificate of ACM or IAM; ${AWS::…} may stand in it.
var certificateArn = regexp.MustCompile(`^arn:(?:[\w-]+|\$\{AWS::Partition\}):(?:acm|iam):\S*:(?:certificate|server-certificate)/\S+$`)

// certificates reads where the certificates of a listener come from.
func (r *resolver) certificates(l *Listener, def *elbv2Listener) {
	path := l.Path.Key("Certificates")
	for i, item := range def.Certificates {
		if text, ok := item.(string); ok {
			item = map[string]any{"CertificateArn": text}
		}
		var certificate struct {
			ACM            string `key:"x-acm"`
			Arn            string
			CertificateArn string
		}
		at := path.Index(i)
		if !r.decode(at, item, &certificate) {
			continue
		}
		r.certificate(l, at, cmp.Or(certificate.ACM, certificate.CertificateArn, certificate.Arn), item)
	}
	upgraded := map[string]string{"HTTP": "HTTPS", "TCP": "TLS"}[l.Protocol]
	switch {
	case len(def.Certificates) > 0 && upgraded != "":
		r.Notef(l.Path.Key("Protocol"), "listener-upgraded", "the listener has a certificate, so it speaks %s instead of %s", upgraded, l.Protocol)
		l.Protocol = upgraded
	case len(def.Certificates) > 0 && !l.secure():
		r.Errorf(path, "certificate-unused", "a listener of protocol %s takes no certificate", l.Protocol)
	case len(def.Certificates) == 0 && l.secure():
		r.Add(Error, l.Path, "certificate-missing", "add Certificates: [{x-acm: <name>}], or [{Arn: arn:aws:acm:…}]",
			fmt.Sprintf("a listener of protocol %s needs a certificate", l.Protocol))
	}
	if l.secure() {
		l.SSLPolicy = cmp.Or(l.SSLPolicy, defaultTLSPolicy)
	} else if l.SSLPolicy != "" {
		r.Warnf(l.Path.Key("SslPolicy"), "certificate-unused", "a listener of protocol %s has no TLS; SslPolicy is left out", l.Protocol)
		l.SSLPolicy = ""
	}
	if l.Protocol == "HTTP" && l.Port == 443 {
		r.Warnf(l.Path, "listener-plain", "port 443 is for HTTPS, but the listener has no certificate and speaks plain HTTP")
	}
}

// certificateType is the type of the resources that are certificates.
const certificateType = "AWS::CertificateManager::Certificate"

// certificate reads one certificate: an ARN, x-acm::<name>, or {x-acm: <name>}.
func (r *resolver) certificate(l *Listener, path Path, value string, item any) {
	keys, _ := item.(map[string]any)
	for _, key := range []string{"x-acm", "CertificateArn", "Arn"} {
		if keys[key] != nil && r.Positions.KeyPos(path.Key(key)) != r.Positions.KeyPos(path) {
			path = path.Key(key)
			break
		}
	}
	ref, isRef := ParseRef(value)
	if name, ok := keys["x-acm"].(string); ok && !isRef {
		ref, isRef = Ref{Key: "x-acm", Name: name}, true
	}
	switch {
	case isRef:
		r.referTo(path, ref, certificateType, "a certificate")
		l.Certificates = append(l.Certificates, Certificate{Name: ref.Key + "-" + ref.Name, ARN: Text{{Ref: &ref}}})
	case !certificateArn.MatchString(value):
		r.Errorf(path, "certificate", "%q is not the ARN of a certificate, nor x-acm::<name>", value)
	default:
		l.Certificates = append(l.Certificates, Certificate{Name: value[strings.LastIndex(value, "/")+1:], ARN: ParseText(value)})
	}
}

func (l *Listener) secure() bool { return l.Protocol == "HTTPS" || l.Protocol == "TLS" }

// networkListener forwards all connections to the one target.
func (r *resolver) networkListener(lb *LoadBalancer, l *Listener, def *elbv2Listener, groups *targetGroupSet) {
	if len(def.DefaultActions) > 0 {
		r.Errorf(l.Path.Key("DefaultActions"), "listener-action", "a network load balancer only forwards connections; use Targets")
		return
	}
	if len(def.Targets) != 1 {
		r.Errorf(l.Path, "listener-target", "a listener of a network load balancer needs one target, found %d", len(def.Targets))
		return
	}
	t, at := def.Targets[0], l.Path.Key("Targets").Index(0)
	if t.Access != "" && t.Access != "/" || len(t.Conditions) > 0 {
		r.Errorf(at, "listener-action", "a network load balancer does not see hosts and paths; access can only be /")
	}
	if t.AuthenticateCognitoConfig != nil || t.AuthenticateOidcConfig != nil || t.CreateCognitoClient != nil {
		r.Errorf(at, "auth-needs-https", "only a listener of protocol HTTPS can authenticate")
	}
	if g := r.listenerTarget(lb, l, at, t, groups); g != nil {
		l.Default = forward(g)
	}
}

// listenerTarget finds the target group that a target names.
func (r *resolver) listenerTarget(lb *LoadBalancer, l *Listener, path Path, t elbv2Target, groups *targetGroupSet) *TargetGroup {
	g := groups.find(t.Name)
	if g == nil {
		family, _, _ := strings.Cut(t.Name, ":")
		if _, disabled := r.project.DisabledServices[family]; disabled {
			r.unknownTarget(path.Key("name"), "target-unknown", family)
			return nil
		}
		r.Unknown(path.Key("name"), "target-unknown", "a target of load balancer "+strconv.Quote(lb.Name)+", under Services or TargetGroups",
			t.Name, slices.Collect(maps.Keys(groups.byName)))
		return nil
	}
	groups.used[g.Name] = true
	fits := map[string][]string{
		"HTTP": {"HTTP", "HTTPS"}, "HTTPS": {"HTTP", "HTTPS"},
		"TCP": {"TCP"}, "TLS": {"TCP", "TLS"}, "UDP": {"UDP"}, "TCP_UDP": {"TCP_UDP"},
	}[l.Protocol]
	if !slices.Contains(fits, g.Protocol) {
		r.Errorf(path, "target-protocol", "a listener of protocol %s cannot forward to a target of protocol %s, only of %s",
			l.Protocol, g.Protocol, strings.Join(fits, " or "))
	}
	if (g.ProtocolVersion == "GRPC" || g.ProtocolVersion == "HTTP2") && l.Protocol != "HTTPS" {
		r.Errorf(path, "protocol-version", "targets that speak %s need a listener of protocol HTTPS", g.ProtocolVersion)
	}
	return g
}

// find looks a target group up by the name of a TargetGroups entry, or by
// family:container with or without the port.
func (s *targetGroupSet) find(name string) *TargetGroup {
	if g := s.byName[name]; g != nil {
		return g
	}
	var found *TargetGroup
	for _, key := range slices.Sorted(maps.Keys(s.byName)) {
		g := s.byName[key]
		written := g.Path.Last()
		if written == name || strings.HasPrefix(key, name+":") {
			if found != nil {
				return nil
			}
			found = g
		}
	}
	return found
}

// applicationListener reads the default action and the rules.
func (r *resolver) applicationListener(lb *LoadBalancer, l *Listener, def *elbv2Listener, groups *targetGroupSet) {
	defaults := l.Path.Key("DefaultActions")
	byDefault := Path("")
	if len(def.DefaultActions) > 0 {
		byDefault = defaults
		r.defaultActions(l, defaults, def.DefaultActions)
	}
	for i, t := range def.Targets {
		at := l.Path.Key("Targets").Index(i)
		g := r.listenerTarget(lb, l, at, t, groups)
		rule := r.rule(l, at, t)
		if g == nil || rule == nil {
			continue
		}
		rule.Action = forward(g)
		isDefault := rule.Name() == ""
		rule.Action.Raw = r.authentication(l, at, t, isDefault)
		if !isDefault {
			l.Rules = append(l.Rules, rule)
			continue
		}
		if byDefault != "" {
			r.Errorf(at, "listener-default", "the listener has a default already, at %s", byDefault)
		}
		byDefault, l.Default = at, rule.Action
	}
	if byDefault == "" {
		l.Default = teapot()
		if len(def.Targets) == 0 {
			r.Warnf(l.Path, "listener-empty", "the listener has neither Targets nor DefaultActions; it answers every request with status 418")
		}
	}
	r.prioritise(l.Rules)
}
