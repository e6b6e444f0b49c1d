package compose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// connections finds who may open connections to whom: whoever depends on a service,
// links to it, is named by its x-network.Ingress.Services, or shares a network
// with it that the file declares.
func (r *resolver) connections() {
	for _, name := range slices.Sorted(maps.Keys(r.project.Services)) {
		s := r.project.Services[name]
		r.dependencyConnections(s)
		r.ingressConnections(s)
	}
	r.networkConnections()
	slices.SortStableFunc(r.model.Connections, compareConnections)
	r.model.Connections = slices.CompactFunc(r.model.Connections, func(a, b Connection) bool { return compareConnections(a, b) == 0 })
	r.checkRecords()
}

func compareConnections(a, b Connection) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), comparePorts(a.Port, b.Port))
}

// connectTo reports whether there is a port to reach, and adds connections from all families of one name to ports of another; nil
// ports are all that it has. A family has a connection to itself where one of its
// containers calls another one: by its name it may reach the container of another task.
func (r *resolver) connectTo(path Path, from, to string, ports []string) (reachable bool) {
	for _, target := range r.targets(to) {
		if target.family.Run == RunTask {
			continue // a job answers nobody
		}
		open := target.container.Ports
		if ports != nil {
			open = nil
			for _, name := range ports {
				open = append(open, portsNamed(target.container.Ports, name)...)
			}
		}
		reachable = reachable || len(open) > 0
		for _, source := range r.targets(from) {
			if source == target {
				continue
			}
			for _, p := range open {
				r.model.Connections = append(r.model.Connections, Connection{From: source.family.Name, To: target.family.Name, Port: p, Path: path})
			}
		}
	}
	return reachable
}

// dependencyConnections opens the way to what a service depends on or links to.
func (r *resolver) dependencyConnections(s types.ServiceConfig) {
	path := servicePath(s.Name)
	linked := map[string]bool{}
	for i, link := range s.Links {
		name, alias, aliased := strings.Cut(link, ":")
		linked[name] = true
		at := path.Key("links").Index(i)
		r.connectTo(at, s.Name, name, nil)
		if aliased && alias != name {
			r.Warnf(at, "alias", "%q is reached as %q; the alias %q is not made", name, name, alias)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.DependsOn)) {
		at := path.Key("depends_on").Key(name)
		if s.DependsOn[name].Condition == types.ServiceConditionCompletedSuccessfully {
			continue // it has ended, and answers nobody
		}
		if r.connectTo(at, s.Name, name, nil) || len(r.targets(name)) == 0 {
			continue
		}
		if r.apart(s.Name, name) {
			r.Add(Warning, at, "no-port", fmt.Sprintf("expose: the ports of %q that others use", name),
				fmt.Sprintf("%q declares no port, so nothing is opened between %q and it", name, s.Name))
		}
	}
}

// apart reports whether two names share no family.
func (r *resolver) apart(a, b string) bool {
	for _, x := range r.targets(a) {
		for _, y := range r.targets(b) {
			if x.family == y.family {
				return false
			}
		}
	}
	return true
}

// ingressConnections opens the way for the services that x-network names.
func (r *resolver) ingressConnections(s types.ServiceConfig) {
	ext, path := r.quietly().serviceNetwork(s)
	for i, source := range ext.Ingress.Services {
		at := path.Key("Ingress").Key("Services").Index(i)
		if len(r.targets(source.Name)) == 0 {
			r.unknownTarget(at.Key("Name"), "service-unknown", source.Name)
			continue
		}
		for _, target := range r.targets(s.Name) {
			r.reachablePorts(at, target.container, source.Ports)
		}
		if !r.connectTo(at, source.Name, s.Name, source.Ports) && len(source.Ports) == 0 {
			r.Add(Warning, at, "no-port", "declare ports or expose", fmt.Sprintf("%q has no port that %q could reach", s.Name, source.Name))
		}
	}
}

// networkConnections opens the ports of services to those that share a network with
// them. The default network, in which all are without saying so, opens nothing.
func (r *resolver) networkConnections() {
	members := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(r.project.Services)) {
		for network := range r.project.Services[name].Networks {
			if network != "default" {
				members[network] = append(members[network], name)
			}
		}
	}
	for _, network := range slices.Sorted(maps.Keys(members)) {
		for _, from := range members[network] {
			for _, to := range members[network] {
				if from != to {
					r.connectTo(servicePath(from).Key("networks").Key(network), from, to, nil)
				}
			}
		}
	}
}

// checkRecords reports registrations in namespaces that do not exist.
func (r *resolver) checkRecords() {
	var names []string
	for _, n := range r.model.Namespaces {
		names = append(names, n.Name)
	}
	for _, f := range r.model.Families {
		for _, record := range f.Records {
			if record.Namespace == DefaultNamespace || slices.Contains(names, record.Namespace) {
				continue
			}
			path := servicePath(f.container(record.Container).Service).Key("x-network").Key("x-cloudmap")
			r.Unknown(path, "namespace-unknown", "a namespace of x-cloudmap", record.Namespace, names)
		}
	}
}
