package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// choices makes decisions of the bytes of a fuzz input; when they are used up,
// every decision is the first one.
type choices struct{ left []byte }

func (c *choices) below(n int) int {
	if len(c.left) == 0 {
		return 0
	}
	b := c.left[0]
	c.left = c.left[1:]
	return int(b) % n
}

func (c *choices) yes() bool { return c.below(2) == 1 }

func choose[T any](c *choices, from ...T) T { return from[c.below(len(from))] }

// generatedService is what a service of a generated file means, apart from how
// it is written.
type generatedService struct {
	name, family, image, user, stop string
	cpu                             float64
	memory, replicas                int
	command                         []string
	environment                     map[string]string
	ports                           map[int]int // published, by the container's
	exposed                         []int
	dependsOn                       []string
	readOnly, init                  bool
	check, retries                  int // seconds; 0 is no check
	box                             string
	listener                        int // port of the load balancer that reaches it, else 0
}

// generate makes the services of a valid project. Ports differ between services,
// and a service depends only on those before it, so that no two choices exclude
// each other.
func generate(c *choices) []*generatedService {
	var all []*generatedService
	family := 0
	for i := range 1 + c.below(5) {
		s := &generatedService{
			name:        fmt.Sprintf("%s%d", choose(c, "web", "my-api", "db_", "Worker", "a"), i),
			image:       choose(c, "nginx", "nginx:1.27", "docker.io/library/busybox:1.36", "r.example.com:5000/a/b@sha256:"+strings.Repeat("0a", 32)),
			environment: map[string]string{},
			ports:       map[int]int{},
		}
		s.family = s.name
		if c.yes() { // with the services before that share the family, or alone in a new one
			if len(all) == 0 || !strings.HasPrefix(all[i-1].family, "shared") || c.yes() {
				family++
			}
			s.family = fmt.Sprintf("shared%d", family)
		}
		s.user = choose(c, "", "", "1000:1000", "app")
		s.stop = choose(c, "", "", "20s", "1m30s")
		s.cpu = choose(c, 0, 0.25, 0.5, 1)
		s.memory = choose(c, 0, 128, 512, 1024)
		s.replicas = choose(c, 1, 2, 7)
		s.command = choose(c, nil, []string{"serve", "--port=80", "a b"}, []string{"echo", "it's $HOME", `"`, "#no comment"})
		for n := range c.below(4) {
			s.environment[fmt.Sprintf("VAR_%d", n)] = choose(c, "text", "", "12", "true", "a: b", "$dollar", "ünïcode\nlines\n", " spaces ", "=", "null")
		}
		for n := range c.below(3) {
			port := 1000*(i+1) + n
			if c.yes() {
				s.ports[port] = choose(c, 80, 8080) + 100*i + n
			} else {
				s.exposed = append(s.exposed, port)
			}
		}
		for _, before := range all {
			if c.below(3) == 1 {
				s.dependsOn = append(s.dependsOn, before.name)
			}
		}
		s.readOnly, s.init = c.yes(), c.yes()
		if c.yes() {
			s.check, s.retries = choose(c, 5, 30, 300), choose(c, 1, 3, 10)
		}
		s.box = choose(c, "", "orders", "stock")
		if len(s.ports) > 0 && c.yes() {
			s.listener = 8000 + i
		}
		all = append(all, s)
	}
	// tasks of a family are one number
	for _, s := range all {
		for _, other := range all {
			if other.family == s.family {
				other.replicas = s.replicas
			}
		}
	}
	return all
}

// document writes services as a compose file; how a thing is written, where
// there are several ways, is a choice too.
func document(t *testing.T, c *choices, all []*generatedService) string {
	t.Helper()
	services, boxServices, targets, listeners := map[string]any{}, map[string]map[string]any{}, map[string]any{}, []any{}
	for _, s := range all {
		services[s.name] = s.document(c)
		if s.box != "" {
			if boxServices[s.box] == nil {
				boxServices[s.box] = map[string]any{}
			}
			boxServices[s.box][s.name] = map[string]any{"Access": "Open"}
		}
		if s.listener != 0 {
			id := s.family + ":" + s.name
			targets[id] = map[string]any{"port": slices.Min(slices.Collect(maps.Keys(s.ports))), "protocol": "HTTP"}
			listeners = append(listeners, map[string]any{"Port": s.listener, "Protocol": "HTTP", "Targets": []any{map[string]any{"name": id, "access": "/"}}})
		}
	}
	doc := map[string]any{"services": services}
	if len(boxServices) > 0 {
		section := map[string]any{}
		for name, bound := range boxServices {
			section[name] = map[string]any{"Properties": map[string]any{"BoxName": name}, "Services": bound}
		}
		doc["x-box"] = section
	}
	if len(listeners) > 0 {
		doc["x-elbv2"] = map[string]any{"lb": map[string]any{"Listeners": listeners, "Services": targets}}
	}
	text, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dollars writes a text so that no variable is seen in it.
func dollars(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func (s *generatedService) document(c *choices) map[string]any {
	doc := map[string]any{"image": s.image}
	deploy := map[string]any{}
	if s.family != s.name {
		deploy["labels"] = choose[any](c, map[string]any{"ecs.task.family": s.family}, []any{"ecs.task.family=" + s.family})
	}
	if s.replicas != 1 || c.yes() {
		if c.yes() {
			doc["scale"] = s.replicas
		} else {
			deploy["replicas"] = s.replicas
		}
	}
	limits := map[string]any{}
	if s.cpu != 0 {
		limits["cpus"] = choose[any](c, s.cpu, fmt.Sprint(s.cpu))
	}
	if s.memory != 0 {
		limits["memory"] = choose(c, fmt.Sprintf("%dM", s.memory), fmt.Sprintf("%dmb", s.memory), fmt.Sprint(s.memory<<20))
	}
	if len(limits) > 0 {
		deploy["resources"] = map[string]any{"limits": limits}
	}
	if len(deploy) > 0 {
		doc["deploy"] = deploy
	}
	if s.user != "" {
		doc["user"] = s.user
	}
	if s.stop != "" {
		doc["stop_grace_period"] = s.stop
	}
	if s.readOnly {
		doc["read_only"] = true
	}
	if s.init {
		doc["init"] = choose[any](c, true, "true")
	}
	if s.command != nil {
		words := []any{}
		for _, word := range s.command {
			words = append(words, dollars(word))
		}
		doc["command"] = words
	}
	if len(s.environment) > 0 {
		list, mapping := []any{}, map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(s.environment)) {
			value := dollars(s.environment[name])
			list = append(list, name+"="+value)
			mapping[name] = value
		}
		doc["environment"] = choose[any](c, list, mapping)
	}
	var ports []any
	for _, port := range slices.Sorted(maps.Keys(s.ports)) {
		ports = append(ports, choose[any](c, fmt.Sprintf("%d:%d", s.ports[port], port),
			map[string]any{"target": port, "published": fmt.Sprint(s.ports[port])}, fmt.Sprintf("%d:%d/tcp", s.ports[port], port)))
	}
	if len(ports) > 0 {
		doc["ports"] = ports
	}
	if len(s.exposed) > 0 {
		var expose []any
		for _, port := range s.exposed {
			expose = append(expose, choose[any](c, port, fmt.Sprint(port), fmt.Sprintf("%d/tcp", port)))
		}
		doc["expose"] = expose
	}
	if len(s.dependsOn) > 0 {
		list, mapping := []any{}, map[string]any{}
		for _, name := range s.dependsOn {
			list = append(list, name)
			mapping[name] = map[string]any{"condition": "service_started"}
		}
		doc["depends_on"] = choose[any](c, list, mapping)
	}
	if s.check != 0 {
		doc["healthcheck"] = map[string]any{
			"test":     choose[any](c, []any{"CMD-SHELL", "true"}, "true"),
			"interval": choose(c, fmt.Sprintf("%ds", s.check), fmt.Sprintf("%dms", 1000*s.check)), "retries": s.retries,
		}
	}
	return doc
}

// meaning returns what generated services mean, in lines that modelMeaning writes too.
func meaning(all []*generatedService) string {
	var lines []string
	families := map[string]string{}
	for _, s := range all {
		families[s.name] = s.family
	}
	for _, s := range all {
		line := func(format string, args ...any) {
			lines = append(lines, s.family+" "+s.name+" "+fmt.Sprintf(format, args...))
		}
		line("runs %s as %q, read-only %v, init %v", s.image, s.user, s.readOnly, s.init)
		line("stops in %d", map[string]int{"": 0, "20s": 20, "1m30s": 90}[s.stop])
		line("has %d and %d", int(s.cpu*1024), s.memory)
		line("is run %d times", s.replicas)
		line("command %q", s.command)
		for name, value := range s.environment {
			line("%s=%q", name, value)
		}
		for port, published := range s.ports {
			line("port %d published %d", port, published)
		}
		for _, port := range s.exposed {
			line("port %d published 0", port)
		}
		if s.check != 0 {
			line("checked each %d, %d times", s.check, s.retries)
		}
		if s.box != "" {
			line("Open %s", s.box)
		}
		if s.listener != 0 {
			line("listens %d to %d", s.listener, slices.Min(slices.Collect(maps.Keys(s.ports))))
		}
		for _, other := range s.dependsOn {
			if families[other] == s.family {
				line("waits for %s", other)
			} else {
				lines = append(lines, s.family+" waits for "+families[other])
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// modelMeaning returns what a model says of the same.
func modelMeaning(m *Model) string {
	var lines []string
	for _, f := range m.Families {
		for _, other := range f.DependsOn {
			lines = append(lines, f.Name+" waits for "+other)
		}
		for _, c := range f.Containers {
			line := func(format string, args ...any) {
				lines = append(lines, f.Name+" "+c.Name+" "+fmt.Sprintf(format, args...))
			}
			line("runs %s as %q, read-only %v, init %v", c.Image.Reference, c.User, c.ReadOnlyRoot, c.Init)
			line("stops in %d", c.StopTimeout)
			line("has %d and %d", c.CPU, c.MemoryLimit)
			line("is run %d times", f.Replicas)
			line("command %q", literals(c.Command))
			bound := map[string]bool{}
			for _, b := range m.Bindings {
				if b.Container == c && b.Family == f {
					line("%s %s", b.Grants[0].Profile, b.Resource.Name)
					for _, v := range b.Returns {
						bound[v.Variable] = true
					}
				}
			}
			for _, v := range c.Environment {
				if !bound[v.Name] {
					line("%s=%q", v.Name, literals([]Text{v.Value})[0])
				}
			}
			for _, p := range c.Ports {
				line("port %d published %d", p.Number, p.Published)
			}
			if c.HealthCheck != nil {
				line("checked each %d, %d times", c.HealthCheck.Interval, c.HealthCheck.Retries)
			}
			for _, other := range c.DependsOn {
				line("waits for %s", other.Container)
			}
			for _, lb := range m.LoadBalancers {
				for _, l := range lb.Listeners {
					for _, g := range lb.TargetGroups {
						if l.Default.Forward[0].TargetGroup == g.Name && g.Targets[0].Family == f.Name && g.Targets[0].Container == c.Name {
							line("listens %d to %d", l.Port, g.Port)
						}
					}
				}
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// literals returns texts that hold no references.
func literals(texts []Text) []string {
	var all []string
	for _, text := range texts {
		word := ""
		for _, part := range text {
			word += part.Literal
		}
		all = append(all, word)
	}
	return all
}
