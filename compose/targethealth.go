package compose

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
			r.Add(Error, path, "healthcheck", "write port:protocol[:healthy:unhealthy:interval:timeout][:path[:codes]], such as 80:HTTP:/ping:200",
				fmt.Sprintf("%q is not a health check: %s", text, err))
		}
		g.HealthCheck = check
	} else {
		var def elbv2HealthCheck
		r.decode(path, value, &def)
		if def.HealthCheckEnabled != nil && !*def.HealthCheckEnabled {
			r.Errorf(path.Key("HealthCheckEnabled"), "healthcheck", "containers are always checked")
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
				r.Errorf(path.Key("HealthCheckPort"), "healthcheck", "%q is not a port or traffic-port", port)
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
			r.Errorf(path, "healthcheck", "%s %d is not possible: %d to %d are", limit.what, limit.got, limit.least, limit.most)
		}
	}
	if h := g.HealthCheck; h.Interval != 0 && h.Timeout >= h.Interval {
		r.Errorf(path, "healthcheck", "the timeout of %d seconds is not below the interval of %d", h.Timeout, h.Interval)
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
		r.Unknown(path, "healthcheck", "a protocol for health checks of a load balancer of type "+lb.Type, h.Protocol, allowed)
	}
	if h.Protocol == "TCP" {
		if h.Path != "" || h.Codes != "" {
			r.Errorf(path, "healthcheck", "a check over TCP asks for no path")
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
	r.Add(Error, path, "healthcheck-udp", "let the container listen on a TCP port as well, and name it under expose",
		fmt.Sprintf("a load balancer cannot check a UDP port, and %q has no TCP port", t.Container))
}

var (
	checkTool = regexp.MustCompile(`(?:^|[\s/"'])(?:curl|wget)(?:\s|$)`)
	checkURL  = regexp.MustCompile(`(?:^|[\s"'=])(https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(/[^\s"'|;&<>]*)?`)
)

// checkedPath returns the path on the target's port that the container's own health
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
