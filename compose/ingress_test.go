package compose

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// Every file under testdata/ingress/err must give exactly the diagnostics of the
// .out file beside it.
func TestIngressErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/ingress/err/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, out := resolveFile(t, file)
			compareOut(t, strings.TrimSuffix(file, ".yml")+".out", out)
		})
	}
}

func resolveFile(t *testing.T, file string) (*Model, string) {
	t.Helper()
	p, ds := load.Files(context.Background(), load.Options{Files: []string{filepath.Base(file)}, WorkingDir: filepath.Dir(file), ProjectName: "fixture"})
	if p == nil {
		t.Fatal(ds)
	}
	m, more := Resolve(p, nil)
	var out strings.Builder
	for _, d := range slices.Concat(ds, more).Sort() {
		fmt.Fprintln(&out, d)
		if d.Hint != "" {
			fmt.Fprintln(&out, "    = "+d.Hint)
		}
	}
	return m, out.String()
}

func resolveText(t *testing.T, text string) (*Model, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "compose.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return resolveFile(t, file)
}

// summary returns a load balancer in a few words.
func summary(m *Model) string {
	var b strings.Builder
	for _, lb := range m.LoadBalancers {
		fmt.Fprintf(&b, "%s %s %s internal=%t in %s\n", lb.Key, lb.Name, lb.Type, lb.Internal, lb.SubnetGroup)
		for _, s := range lb.Sources {
			fmt.Fprintf(&b, "  from %s%s%s %s\n", s.CIDR, s.PrefixList, s.SecurityGroup, portList(s.Ports))
		}
		for _, l := range lb.Listeners {
			fmt.Fprintf(&b, "  %s %d -> %s\n", l.Protocol, l.Port, l.Default.summary())
			for _, r := range l.Rules {
				fmt.Fprintf(&b, "    %s -> %s\n", r.Name(), r.Action.summary())
			}
		}
		for _, g := range lb.TargetGroups {
			fmt.Fprintf(&b, "  %s %s %d %v check %+v\n", g.Name, g.Protocol, g.Port, g.Targets, g.HealthCheck)
		}
	}
	return b.String()
}

func (a Action) summary() string {
	switch {
	case a.Redirect != nil:
		return "redirect"
	case a.Fixed != nil:
		return fmt.Sprint(a.Fixed.Status)
	case len(a.Forward) == 1:
		return a.Forward[0].TargetGroup
	}
	return "nothing"
}

func TestIngressShorthand(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"services share one load balancer for each scheme": {`
services:
  web: {image: nginx:1.27, ports: ["80:8080"], x-ingress: public}
  admin: {image: nginx:1.27, ports: ["8081:80"], x-ingress: public}
  api: {image: nginx:1.27, ports: ["80:80"], x-ingress: internal}
`, `x-ingress internal application internal=true in AppSubnets
  HTTP 80 -> api:80
  api:80 HTTP 80 [{api api 80}] check {Protocol:HTTP Path:/ Codes:200-399 Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
x-ingress public application internal=false in PublicSubnets
  from 0.0.0.0/0 no ports
  HTTP 80 -> web:8080
  HTTP 8081 -> admin:80
  admin:80 HTTP 80 [{admin admin 80}] check {Protocol:HTTP Path:/ Codes:200-399 Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
  web:8080 HTTP 8080 [{web web 8080}] check {Protocol:HTTP Path:/ Codes:200-399 Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
`},
		"what is not HTTP goes through a network load balancer": {`
services:
  dns: {image: coredns/coredns:1.12.0, ports: ["53:53/udp", "53:53/tcp"], x-ingress: public}
  db:
    image: postgres:17
    ports: [{target: 5432, published: "5432", app_protocol: tcp}]
    x-ingress: public
  web:
    image: nginx:1.27
    ports: [{target: 8443, published: "443", app_protocol: https}]
    x-ingress: public
`, `x-ingress public application internal=false in PublicSubnets
  from 0.0.0.0/0 no ports
  HTTP 53 -> dns:53
  dns:53 HTTP 53 [{dns dns 53}] check {Protocol:HTTP Path:/ Codes:200-399 Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
x-ingress public-tcp network internal=false in PublicSubnets
  from 0.0.0.0/0 no ports
  UDP 53 -> dns:53
  TCP 443 -> web:8443
  TCP 5432 -> db:5432
  db:5432 TCP 5432 [{db db 5432}] check {Protocol:TCP Path: Codes: Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
  dns:53 UDP 53 [{dns dns 53}] check {Protocol:TCP Path: Codes: Port:53 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
  web:8443 TCP 8443 [{web web 8443}] check {Protocol:TCP Path: Codes: Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
`},
		"TCP and UDP on one port are one listener": {`
services:
  dns:
    image: coredns/coredns:1.12.0
    ports: ["53:53/udp", {target: 53, published: "53", app_protocol: dns}]
    x-ingress: internal
`, `x-ingress internal-tcp network internal=true in AppSubnets
  TCP_UDP 53 -> dns:53
  dns:53 TCP_UDP 53 [{dns dns 53}] check {Protocol:TCP Path: Codes: Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
`},
		"a service of two families has targets in both": {`
services:
  web:
    image: nginx:1.27
    ports: ["80:80"]
    x-ingress: public
    deploy: {labels: {ecs.task.family: "a,b"}}
`, `x-ingress public application internal=false in PublicSubnets
  from 0.0.0.0/0 no ports
  HTTP 80 -> web:80
  web:80 HTTP 80 [{a web 80} {b web 80}] check {Protocol:HTTP Path:/ Codes:200-399 Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
`},
		"settings of the first releases mean the same": {`
configs:
  web: {is_public: true, use_alb: true, healthcheck: {http: 80/ping}}
  api: {use_alb: true}
  tcp: {use_nlb: true}
  off: {use_alb: false, is_public: false}
services:
  web: {image: nginx:1.27, ports: ["80:80"]}
  api: {image: nginx:1.27, ports: ["80:80"]}
  tcp: {image: nginx:1.27, ports: ["81:80"]}
  off: {image: nginx:1.27, ports: ["82:80"]}
`, `x-ingress internal application internal=true in AppSubnets
  HTTP 80 -> api:80
  api:80 HTTP 80 [{api api 80}] check {Protocol:HTTP Path:/ Codes:200-399 Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
x-ingress internal-tcp network internal=true in AppSubnets
  TCP 81 -> tcp:80
  tcp:80 TCP 80 [{tcp tcp 80}] check {Protocol:TCP Path: Codes: Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
x-ingress public application internal=false in PublicSubnets
  from 0.0.0.0/0 no ports
  HTTP 80 -> web:80
  web:80 HTTP 80 [{web web 80}] check {Protocol:HTTP Path:/ping Codes:200-399 Port:0 Healthy:0 Unhealthy:0 Interval:0 Timeout:0}
`},
	} {
		t.Run(name, func(t *testing.T) {
			m, out := resolveText(t, c.file)
			if got := summary(m); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s\n%s", got, c.want, out)
			}
		})
	}
}

// A load balancer of x-elbv2 takes the place of what old settings ask for, and
// ports that it or x-network opens need no note.
func TestPortsNotPublished(t *testing.T) {
	m, out := resolveText(t, `
configs:
  web: {use_alb: true}
services:
  web: {image: nginx:1.27, ports: ["80:80"]}
  open: {image: nginx:1.27, ports: ["81:80"], x-network: {Ingress: {ExtSources: [{IPv4: 10.0.0.0/8}]}}}
  shut: {image: nginx:1.27, ports: ["82:80"]}
x-elbv2:
  lb:
    Properties: {Type: application}
    Listeners: [{Port: 80, Targets: [{name: "web:web", access: /}]}]
    Services: {"web:web": {port: 80, protocol: HTTP}}
`)
	if len(m.LoadBalancers) != 1 {
		t.Errorf("got\n%s", summary(m))
	}
	if n := strings.Count(out, "[port-not-published]"); n != 1 || !strings.Contains(out, `services.shut.ports: note: only services of the project reach port 80 of "shut"`) {
		t.Error(out)
	}
}

// The order of keys and of list items in the file changes nothing.
func TestElbv2Order(t *testing.T) {
	const head = `
services:
  a: {image: nginx:1.27, ports: ["80"]}
  b: {image: nginx:1.27, ports: ["80"]}
x-elbv2:
  lb:
    MacroParameters: {Ingress: {ExtSources: [%s]}}
    Listeners: [{Port: 81, Targets: [{name: "a:a", access: /}]}, {Port: 80, Targets: [%s]}]
    Services: {"a:a": {port: 80, protocol: HTTP}, "b:b": {port: 80, protocol: HTTP}}
`
	sources := []string{"{IPv4: 192.0.2.0/24}", "{IPv4: 198.51.100.0/24, Ports: [81, 80]}", "{IPv6: '2001:db8::/32'}"}
	targets := []string{
		`{name: "a:a", access: /}`, `{name: "b:b", access: /api}`, `{name: "b:b", access: /api*}`,
		`{name: "a:a", access: example.com}`, `{name: "b:b", access: "*.example.com/x"}`,
	}
	file := func() string {
		return fmt.Sprintf(head, strings.Join(sources, ", "), strings.Join(targets, ", "))
	}
	first, out := resolveText(t, file())
	want := summary(first)
	if !strings.Contains(want, `  HTTP 80 -> a:a:80
    host example.com -> a:a:80
    host *.example.com and path /x -> b:b:80
    path /api -> b:b:80
    path /api* -> b:b:80
  HTTP 81 -> a:a:80
`) {
		t.Errorf("%s\n%s", want, out)
	}
	slices.Reverse(sources)
	slices.Reverse(targets)
	second, _ := resolveText(t, file())
	if got := summary(second); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestTargetHealth(t *testing.T) {
	for text, want := range map[string]string{
		"80:HTTP":                             "{HTTP   80 0 0 0 0}",
		"traffic-port:TCP":                    "{TCP   0 0 0 0 0}",
		"5000:TCP:7:2:15:5":                   "{TCP   5000 7 2 15 5}",
		"5000:HTTP:/healthcheck":              "{HTTP /healthcheck  5000 0 0 0 0}",
		"5000:HTTP:/healthcheck:200,201":      "{HTTP /healthcheck 200,201 5000 0 0 0 0}",
		"5000:HTTP:5:2:15:3:/ping.Method:200": "{HTTP /ping.Method 200 5000 5 2 15 3}",
		"5000:HTTP:5:2:15:3:/ping:200-299":    "{HTTP /ping 200-299 5000 5 2 15 3}",
		"80":                                  "error: it has no protocol",
		"http:HTTP":                           `error: "http" is not a port`,
		"80:HTTP:5:2":                         "error: healthy, unhealthy, interval and timeout come all four or not at all",
		"80:HTTP:a:b:c:d":                     `error: "a" is not a number`,
		"80:HTTP:1:2:3:4:ping":                `error: the path "ping" does not start with /`,
		"80:HTTP:/ping:ok":                    `error: "ok" are not status codes`,
		"80:HTTP:/ping:200:5":                 `error: "5" is too much`,
	} {
		check, err := parseTargetHealth(text)
		got := fmt.Sprint(check)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// The load balancer asks for what the container's own check asks for, and only
// if that is the port it sends requests to.
func TestTargetHealthFromContainer(t *testing.T) {
	for test, want := range map[string]string{
		`[CMD, curl, -f, "http://localhost:8080/ping"]`:         "/ping",
		`[CMD, curl, localhost:8080/ping]`:                      "/ping",
		`curl -fs http://127.0.0.1:8080/a/b?c=d || exit 1`:      "/a/b?c=d",
		`wget -qO- "http://localhost:8080"`:                     "/",
		`[CMD-SHELL, "/usr/bin/wget -q http://[::1]:8080/up;"]`: "/up",
		`curl http://localhost:9090/metrics`:                    "/",
		`curl http://localhost/`:                                "/",
		`curl http://localhost:8080/$PATH_INFO`:                 "/",
		`pg_isready -h localhost`:                               "/",
		`curl http://other:8080/x`:                              "/",
	} {
		m, out := resolveText(t, strings.ReplaceAll(fmt.Sprintf(`
services:
  web: {image: nginx:1.27, ports: ["80:8080"], x-ingress: public, healthcheck: {test: %s}}
`, quoted(test)), "$", "$$"))
		if len(m.LoadBalancers) == 0 {
			t.Fatal(out)
		}
		if got := m.LoadBalancers[0].TargetGroups[0].HealthCheck.Path; got != want {
			t.Errorf("%s: got %s, want %s", test, got, want)
		}
	}
}

func quoted(test string) string {
	if strings.HasPrefix(test, "[") {
		return test
	}
	return "'" + test + "'"
}

func TestGracePeriod(t *testing.T) {
	m, _ := resolveText(t, `
services:
  slow: {image: nginx:1.27, ports: ["80:80"], x-ingress: public, healthcheck: {test: "true", start_period: 90s}}
  fast: {image: nginx:1.27, ports: ["81:80"], x-ingress: public}
  none: {image: nginx:1.27}
`)
	got := map[string]int{}
	for _, f := range m.Families {
		got[f.Name] = f.HealthCheckGracePeriod
	}
	if want := map[string]int{"slow": 90, "fast": 60, "none": 0}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A more specific rule precedes a less specific one, by words alone.
func TestRuleOrder(t *testing.T) {
	inOrder := []*Rule{
		{Hosts: []string{"a.example.com"}, Paths: []string{"/api/v1"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/api/v1*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/api/*"}},
		{Hosts: []string{"a.example.com"}},
		{Hosts: []string{"*.example.com"}, Paths: []string{"/api/*"}},
		{Hosts: []string{"*.example.com"}},
		{Paths: []string{"/" + strings.Repeat("x", longestPath-1)}},
		{Paths: []string{"/" + strings.Repeat("x", 40)}},
		{Paths: []string{"/api/*"}},
		{Paths: []string{"/*"}},
	}
	for i := range inOrder[1:] {
		if a, b := inOrder[i], inOrder[i+1]; a.wanted() >= b.wanted() {
			t.Errorf("%q has %d, %q has %d", a.Name(), a.wanted(), b.Name(), b.wanted())
		}
	}
	for _, r := range inOrder {
		if p := r.wanted(); p < 1 || p > lastRule {
			t.Errorf("%q has %d", r.Name(), p)
		}
	}
	if n := 3 * bandStart(-1); n > lastRule {
		t.Errorf("the bands need %d priorities", n)
	}
}

// Adding rules moves no other, unless two want the same place; then all have
// different ones nevertheless, whatever the order in the file.
func TestPrioritiesAreStable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	moved := 0
	for range 200 {
		var rules []*Rule
		for i := range 30 {
			rules = append(rules, &Rule{Hosts: []string{fmt.Sprintf("h%d-%d.example.com", i, random.IntN(1_000_000))}})
		}
		r := &resolver{Reporter: &diag.Reporter{}}
		r.prioritise(rules)
		before := map[string]int{}
		for _, rule := range rules {
			before[rule.Name()] = rule.Priority
			rule.Priority = 0
		}
		random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		more := append(slices.Clone(rules), &Rule{Hosts: []string{"new.example.com"}})
		r.prioritise(more)
		seen := map[int]bool{}
		for _, rule := range more {
			if seen[rule.Priority] {
				t.Fatalf("priority %d twice", rule.Priority)
			}
			seen[rule.Priority] = true
			if old := before[rule.Name()]; old != 0 && old != rule.Priority {
				moved++
			}
		}
	}
	if most := 10; moved > most {
		t.Errorf("%d of 6000 rules moved", moved)
	}
}
