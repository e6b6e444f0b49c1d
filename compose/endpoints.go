package compose

import (
	"fmt"
	"regexp"
	"strings"
)

// Endpoint is a URL of an application: a listener of a load balancer.
type Endpoint struct {
	LoadBalancer *LoadBalancer
	Listener     *Listener
	// Names are what others call its output by, such as tests of a pipeline.
	Names []string
	// Host is the first DNS name of the load balancer in DnsAliases, or "".
	Host string
}

// Endpoints returns the URLs of all load balancers. Each is called <LoadBalancer>Endpoint<port>;
// the lowest port is <LoadBalancer>Endpoint as well, and the endpoint of the first
// application load balancer AlbEndpoint, of the first network one NlbEndpoint. A
// name belongs to the first that has it.
func (m *Model) Endpoints() []Endpoint {
	var all []Endpoint
	taken := map[string]bool{}
	for _, lb := range m.LoadBalancers {
		for i, l := range lb.Listeners {
			e := Endpoint{LoadBalancer: lb, Listener: l, Host: lb.Host()}
			names := []string{fmt.Sprintf("%sEndpoint%d", pascal(lb.Name), l.Port)}
			if i == 0 {
				names = append(names, pascal(lb.Name)+"Endpoint", map[string]string{"application": "AlbEndpoint", "network": "NlbEndpoint"}[lb.Type])
			}
			for _, name := range names {
				if name != "" && !taken[name] {
					taken[name] = true
					e.Names = append(e.Names, name)
				}
			}
			all = append(all, e)
		}
	}
	return all
}

// Host returns the first DNS name that is no wildcard, or "".
func (lb *LoadBalancer) Host() string {
	for _, alias := range lb.Aliases {
		for _, name := range alias.Names {
			if !strings.HasPrefix(name, "*.") {
				return strings.TrimSuffix(name, ".")
			}
		}
	}
	return ""
}

// Outputs returns the names of the outputs that tell them.
func (m *Model) Outputs() []string {
	var names []string
	for _, e := range m.Endpoints() {
		names = append(names, e.Names...)
	}
	return names
}

var notInOutput = regexp.MustCompile(`[^A-Za-z0-9]+`)

// pascal returns a name in PascalCase: my-lb is MyLb.
func pascal(name string) string {
	var b strings.Builder
	for _, word := range notInOutput.Split(name, -1) {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
