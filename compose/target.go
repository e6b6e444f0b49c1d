package compose

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"composecdk/compose/diag"
)

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
		r.Errorf(path, "target-name", "%q is not a target: write <family>:<container> or <family>:<container>:<port>", text)
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
		r.Errorf(portPath, "port-conflict", "the name says port %d, and port says %d", number, *port)
		return Target{}, false
	case port != nil:
		number = *port
	case number == 0 && len(c.Ports) == 1:
		number = c.Ports[0].Number
	case number == 0:
		r.Errorf(portPath, "port-missing", "which port of %q? It has %s", c.Name, portList(c.Ports))
		return Target{}, false
	}
	if c.hasPort(number) {
		return Target{Family: f.Name, Container: c.Name, Port: number}, true
	}
	// All containers of a task share one address, so the port of another one of
	// them answers as well; ECS must be told whose it is.
	for _, other := range f.Containers {
		if other.hasPort(number) {
			r.Warnf(portPath, "port-owner", "port %d of family %q belongs to %q, not to %q; requests go there", number, f.Name, other.Name, c.Name)
			return Target{Family: f.Name, Container: other.Name, Port: number}, true
		}
	}
	r.Add(Error, portPath, "port-unknown", fmt.Sprintf("add %d to ports or expose of service %q", number, c.Service),
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
			r.Add(Error, path, "target-ambiguous", diag.DidYouMean("", r.containerNames()),
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
		r.Add(Error, path, "family-unknown", diag.DidYouMean(name.family+":"+name.container, r.containerNames()),
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
	r.Unknown(path, "container-unknown", fmt.Sprintf("a service of family %q", f.Name), name.container, names)
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
