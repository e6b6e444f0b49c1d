package stacks

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"composecdk/compose"
	"composecdk/constructs/xresource"
)

// Summary writes what an application becomes, for people: its stacks, services
// and x-resources, who may do what on which resource, and where it listens.
func Summary(w io.Writer, app *Application, m *compose.Model, found compose.Diagnostics) error {
	s := &summary{}
	s.title("Stacks")
	for _, stack := range app.Stacks {
		s.line("%s", *stack.StackName())
	}
	s.services(m)
	s.resources(m)
	s.access(m)
	s.endpoints(m)
	s.line("")
	s.line("%d warnings, %d notes", found.Count(compose.Warning), found.Count(compose.Note))
	_, err := io.WriteString(w, s.text.String())
	return err
}

type summary struct{ text strings.Builder }

func (s *summary) title(name string) { fmt.Fprintf(&s.text, "\n%s\n", name) }

func (s *summary) line(format string, args ...any) {
	if format == "" {
		s.text.WriteString("\n")
		return
	}
	fmt.Fprintf(&s.text, "  "+format+"\n", args...)
}

func (s *summary) services(m *compose.Model) {
	s.title("Services")
	for _, f := range m.Families {
		var containers []string
		for _, c := range f.Containers {
			image := c.Image.Reference
			if c.Image.Build != nil {
				image = "built from " + c.Image.Build.Context
			}
			containers = append(containers, fmt.Sprintf("%s (%s)", c.Name, image))
		}
		count := fmt.Sprintf("%d tasks", f.Replicas)
		if f.Scaling != nil {
			count = fmt.Sprintf("%d to %d tasks", f.Scaling.Min, f.Scaling.Max)
		}
		tracing := ""
		if f.Tracing != nil {
			tracing = ", X-Ray"
		}
		s.line("%-20s %g vCPU, %g GB, %s%s: %s", f.Name, float64(f.CPU)/1024, float64(f.Memory)/1024, count, tracing, strings.Join(containers, ", "))
	}
}

func (s *summary) resources(m *compose.Model) {
	if len(m.Resources) == 0 {
		return
	}
	s.title("x-resources")
	for _, r := range m.Resources {
		origin := "new"
		if r.Mode == compose.Import {
			origin = "existing"
		}
		s.line("%-20s %s", string(r.Path), origin)
	}
}

func (s *summary) access(m *compose.Model) {
	s.title("Who may do what")
	for _, e := range m.Edges {
		s.line("%-20s calls %s on port %d/%s", e.From, e.To, e.Port.Number, e.Port.Protocol)
	}
	for _, b := range m.Bindings {
		may := "reads its environment variables only"
		var grants []string
		for _, g := range b.Grants {
			grants = append(grants, strings.TrimSpace(g.Scope+" "+g.Profile)+": "+strings.Join(xresource.Actions(b.Resource, g), ", "))
		}
		if len(grants) > 0 {
			may = "may " + strings.Join(grants, "; ")
		}
		s.line("%-20s %s on %s", b.Container.Service, may, b.Resource.Path)
	}
	if len(m.Edges)+len(m.Bindings) == 0 {
		s.line("nobody may call a service or use a resource")
	}
}

func (s *summary) endpoints(m *compose.Model) {
	s.title("Endpoints")
	for _, lb := range m.LoadBalancers {
		reach := "public"
		if lb.Internal {
			reach = "internal"
		}
		for _, l := range lb.Listeners {
			s.line("%-20s %s, %s port %d -> %s", lb.Key+"."+lb.Name, reach, l.Protocol, l.Port, strings.Join(targets(lb, l), ", "))
		}
	}
	if len(m.LoadBalancers) == 0 {
		s.line("none: no service is reachable from outside")
	}
}

// targets lists the containers that a listener sends requests to.
func targets(lb *compose.LoadBalancer, l *compose.Listener) []string {
	var names []string
	actions := []compose.Action{l.Default}
	for _, rule := range l.Rules {
		actions = append(actions, rule.Action)
	}
	for _, action := range actions {
		for _, forward := range action.Forward {
			for _, group := range lb.TargetGroups {
				if group.Name != forward.TargetGroup {
					continue
				}
				for _, t := range group.Targets {
					names = append(names, fmt.Sprintf("%s:%d", t.Container, t.Port))
				}
			}
		}
	}
	if len(names) == 0 {
		return []string{"no service"}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
