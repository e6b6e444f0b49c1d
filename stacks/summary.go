package stacks

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"composecdk/compose"
	"composecdk/compose/kinds"
)

// Summary writes what an application becomes, for people: its stacks, services
// and x-resources, who may do what on which resource, where it listens, and the
// warnings. Files are named as seen from the working directory.
func Summary(w io.Writer, app *Application, m *compose.Model, found compose.Diagnostics) error {
	s := &summary{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	s.section("Stacks")
	for _, stack := range app.Stacks {
		s.row(*stack.Node().Path(), *stack.StackName())
	}
	s.services(m)
	s.resources(m)
	s.access(m)
	s.endpoints(m)
	s.warnings(found)
	return s.table.Flush()
}

// summary is text in sections; the columns of each section are aligned.
type summary struct{ table *tabwriter.Writer }

func (s *summary) section(name string) {
	s.table.Flush()                      //nolint:errcheck // the last Flush tells
	fmt.Fprintf(s.table, "\n%s\n", name) //nolint:errcheck // likewise
}

func (s *summary) row(cells ...string) {
	fmt.Fprintln(s.table, "  "+strings.Join(cells, "\t")) //nolint:errcheck // likewise
}

func (s *summary) services(m *compose.Model) {
	s.section("Services")
	for _, f := range m.Families {
		tasks := counted(f.Replicas, "task")
		if f.Scaling != nil {
			tasks = fmt.Sprintf("%d to %s", f.Scaling.Min, counted(f.Scaling.Max, "task"))
		}
		for _, b := range m.Bindings {
			if b.Family == f && b.Scaling != nil {
				tasks += ", by " + string(b.Resource.Path)
			}
		}
		if f.Run == compose.RunTask {
			tasks = "a job"
		}
		var containers []string
		for _, c := range f.Containers {
			containers = append(containers, containerText(c, f))
		}
		if f.Tracing != nil {
			containers = append(containers, "X-Ray daemon")
		}
		s.row(f.Name, fmt.Sprintf("%g vCPU", float64(f.CPU)/1024), fmt.Sprintf("%g GB", float64(f.Memory)/1024), tasks, strings.Join(containers, ", "))
	}
}

// containerText returns the image of a container, after its name where the family does
// not tell it.
func containerText(c *compose.Container, f *compose.Family) string {
	image := c.Image.Reference
	if c.Image.Build != nil {
		image = "built from " + nearPath(c.Image.Build.Context)
	}
	if len(f.Containers) == 1 && c.Name == f.Name {
		return image
	}
	return c.Name + ": " + image
}

// nearPath returns a path as seen from the working directory, if it is below.
func nearPath(path string) string {
	if dir, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(near) {
			return near
		}
	}
	return path
}

func (s *summary) resources(m *compose.Model) {
	s.section("x-resources")
	for _, r := range m.Resources {
		origin := "new"
		if r.Mode == compose.Import {
			origin = "existing"
		}
		s.row(string(r.Path), origin)
	}
	if len(m.Resources) == 0 {
		s.row("none")
	}
}

func (s *summary) access(m *compose.Model) {
	s.section("Who may do what")
	for _, e := range m.Connections {
		s.row(e.From, "calls", e.To, fmt.Sprintf("port %d/%s", e.Port.Number, e.Port.Protocol))
	}
	for _, b := range m.Bindings {
		who := b.Container.Service
		if who != b.Family.Name {
			who = b.Family.Name + " for " + who
		}
		for _, g := range b.Grants {
			s.row(who, strings.TrimSpace(g.Scope+" "+g.Profile), string(b.Resource.Path), strings.Join(kinds.Actions(b.Resource, g), " "))
		}
		if len(b.Grants) == 0 {
			s.row(who, "connects", string(b.Resource.Path), "by its environment variables")
		}
	}
	for _, f := range m.Families {
		for _, c := range f.Containers {
			for _, v := range c.Secrets {
				s.row(f.Name, "is started with", "secrets."+v.Secret, "as "+v.Name)
			}
		}
	}
	for _, v := range m.Volumes {
		for _, u := range v.Users {
			may := "to read"
			if u.Write {
				may = "to read and write"
			}
			s.row(u.Family, "mounts", string(v.Path), may)
		}
	}
	if len(m.Connections)+len(m.Bindings)+len(m.Secrets)+len(m.Volumes) == 0 {
		s.row("no service may call another one, or use a resource")
	}
}

func (s *summary) endpoints(m *compose.Model) {
	s.section("Endpoints")
	for _, lb := range m.LoadBalancers {
		reach := "public"
		if lb.Internal {
			reach = "internal"
		}
		for _, l := range lb.Listeners {
			s.row(string(lb.Path), reach, fmt.Sprintf("%s port %d", l.Protocol, l.Port), "-> "+strings.Join(targets(lb, l), ", "))
		}
		for _, alias := range lb.Aliases {
			s.row(string(lb.Path), reach, "named", strings.Join(alias.Names, ", "))
		}
	}
	if len(m.LoadBalancers) == 0 {
		s.row("none: no service is reachable from outside")
	}
}

// warnings repeats what standard error has in full.
func (s *summary) warnings(found compose.Diagnostics) {
	s.section("Warnings")
	for _, d := range found.Sort() {
		if d.Severity == compose.Warning {
			d.Pos.File = nearPath(d.Pos.File)
			s.row(d.String())
		}
	}
	s.row(counted(found.Count(compose.Warning), "warning") + ", " + counted(found.Count(compose.Note), "note"))
}

// counted returns a number of things.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// targets lists where a listener sends requests: containers, redirects and fixed
// answers, sorted.
func targets(lb *compose.LoadBalancer, l *compose.Listener) []string {
	var names []string
	actions := []compose.Action{l.Default}
	for _, rule := range l.Rules {
		actions = append(actions, rule.Action)
	}
	for _, action := range actions {
		if action.Redirect != nil {
			names = append(names, "a redirect")
		}
		for _, forward := range action.Forward {
			names = append(names, containersOf(lb, forward.TargetGroup)...)
		}
	}
	if len(names) == 0 {
		return []string{"no service"}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func containersOf(lb *compose.LoadBalancer, targetGroup string) []string {
	var names []string
	for _, group := range lb.TargetGroups {
		if group.Name != targetGroup {
			continue
		}
		for _, t := range group.Targets {
			names = append(names, fmt.Sprintf("%s:%d", t.Container, t.Port))
		}
	}
	return names
}
