package compose

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// portName is what ECS accepts as the name of a port.
var portName = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,63}$`)

// ports reads ports and expose, sorted by number and protocol.
func (r *resolver) ports(path Path, s types.ServiceConfig) []Port {
	var all []Port
	for i, p := range s.Ports {
		at := path.Key("ports").Index(i)
		port := Port{Number: int(p.Target), Protocol: cmp.Or(p.Protocol, "tcp"), Name: p.Name, AppProtocol: p.AppProtocol, Path: at}
		if published, err := strconv.Atoi(p.Published); err == nil && !loopback(p.HostIP) {
			port.Published = published
		} else if err != nil && p.Published != "" {
			r.Warnf(at, "port-range", "nothing can choose a port of the range %s; the port is not published", p.Published)
		}
		switch p.Mode {
		case "", "ingress", "awsvpc": // the mode of every task on Fargate, as ComposeX calls it
		case "host":
			r.Notef(at, "port-mode", "a task has an address of its own, so there is no host to publish the port on")
		default:
			r.Add(Warning, at.Key("mode"), "port-mode", diag.DidYouMean(p.Mode, []string{"host", "ingress"}), fmt.Sprintf("%q is not a mode of a port; it is left out", diag.Shorten(p.Mode)))
		}
		switch p.HostIP {
		case "", "0.0.0.0", "::", "127.0.0.1", "::1":
		default:
			r.Warnf(at, "host-ip", "a task has one address; host_ip %s is left out", p.HostIP)
		}
		if port.Protocol != "tcp" && port.Protocol != "udp" {
			r.Errorf(at, "port-protocol", "%q is not a protocol of ECS: tcp and udp are", port.Protocol)
			continue
		}
		if port.Number < 1 || port.Number > 65535 {
			r.Errorf(at, "port-number", "%d is not a port: 1 to 65535 are", port.Number)
			continue
		}
		if p.Name != "" && !portName.MatchString(p.Name) {
			r.Errorf(at, "port-name", "%q is not a port name: it takes lowercase letters, digits, - and _", p.Name)
		}
		all = r.addPort(all, port)
	}
	for i, text := range s.Expose {
		at := path.Key("expose").Index(i)
		exposed, err := parseExposed(text)
		if err != nil {
			r.Errorf(at, "expose", "%s", err)
			continue
		}
		for _, port := range exposed {
			port.Path = at
			all = r.addPort(all, port)
		}
	}
	if len(all) == 0 {
		all = r.assumedPorts(path, s)
	}
	if len(all) > load.MostPorts {
		r.Errorf(path.Key("ports"), "port-count", "%q has more ports than the %d of a task", s.Name, load.MostPorts)
	}
	slices.SortStableFunc(all, comparePorts)
	for i := range all {
		if all[i].Name == "" {
			all[i].Name = defaultPortName(s.Name, all[i])
		}
	}
	return all
}

// addPort adds a port unless it is there; the published one is kept.
func (r *resolver) addPort(all []Port, p Port) []Port {
	i := slices.IndexFunc(all, func(q Port) bool { return comparePorts(p, q) == 0 })
	switch {
	case i < 0 && len(all) > load.MostPorts: // which is reported
	case i < 0:
		return append(all, p)
	case all[i].Published == 0:
		all[i].Published = p.Published
	case p.Published != 0 && p.Published != all[i].Published:
		r.Warnf(p.Path, "port-repeated", "port %d/%s is published as %d already; %d is left out",
			p.Number, p.Protocol, all[i].Published, p.Published)
	}
	return all
}

func comparePorts(a, b Port) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Protocol, b.Protocol))
}

// defaultPortName returns <service>-<number>-<protocol> in the letters of ECS.
func defaultPortName(service string, p Port) string {
	const longest = 64
	suffix := fmt.Sprintf("-%d-%s", p.Number, p.Protocol)
	name := notPortName.ReplaceAllString(strings.ToLower(service), "-")
	return name[:min(len(name), longest-len(suffix))] + suffix
}

var notPortName = regexp.MustCompile(`[^a-z0-9_-]`)

func loopback(hostIP string) bool { return hostIP == "127.0.0.1" || hostIP == "::1" }

// parseExposed reads 80, 80/udp, 80-82 or 80-82/tcp.
func parseExposed(text string) ([]Port, error) {
	numbers, protocol, found := strings.Cut(text, "/")
	if !found {
		protocol = "tcp"
	}
	if protocol != "tcp" && protocol != "udp" {
		return nil, fmt.Errorf("%q is not a protocol of ECS: tcp and udp are", protocol)
	}
	first, last, found := strings.Cut(numbers, "-")
	if !found {
		last = first
	}
	from, err1 := strconv.Atoi(strings.TrimSpace(first))
	to, err2 := strconv.Atoi(strings.TrimSpace(last))
	if err1 != nil || err2 != nil || from < 1 || to > 65535 || from > to {
		return nil, fmt.Errorf("%q is not a port, such as 8080 or 53/udp", text)
	}
	if to-from >= load.MostPorts {
		return nil, fmt.Errorf("%q has more ports than the %d of a task", text, load.MostPorts)
	}
	var all []Port
	for n := from; n <= to; n++ {
		all = append(all, Port{Number: n, Protocol: protocol})
	}
	return all, nil
}

// portConflicts reports ports that two containers of one task have: they share
// one address, and ECS registers no such task definition: "TCP host port '80' is
// mapped multiple times in task".
func (r *resolver) portConflicts(f *Family) {
	owner := map[string]*Container{}
	named := map[string]*Container{}
	for _, c := range f.Containers {
		for _, p := range c.Ports {
			key := fmt.Sprintf("%d/%s", p.Number, p.Protocol)
			switch other, name := owner[key], named[p.Name]; {
			case other != nil:
				r.Add(Error, p.Path, "port-conflict", "let one of them listen on another port, or give it a family of its own",
					fmt.Sprintf("services %q and %q both have port %s, but share one address in family %q: only one of them can listen",
						other.Name, c.Name, key, f.Name))
			case name != nil:
				r.Errorf(p.Path, "port-name", "services %q and %q both have a port named %q in family %q",
					name.Name, c.Name, p.Name, f.Name)
			default:
				owner[key], named[p.Name] = c, c
			}
		}
	}
}
