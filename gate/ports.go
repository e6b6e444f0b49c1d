package gate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// target is a port of a container that a load balancer or a registry sends to.
type target struct {
	service *Resource
	task    task
	// from is the property of the service that names the target.
	from string
	name string
	port any
	// group is the target group, nil for a registry.
	group any
}

// targets returns the targets that the services of the assembly name.
func (a *Assembly) targets() []target {
	var found []target
	for _, service := range a.Of("AWS::ECS::Service", "AWS::ECS::TaskSet") {
		definition := taskOf(service)
		if definition == nil {
			continue
		}
		for _, from := range []string{"LoadBalancers", "ServiceRegistries"} {
			for _, v := range list(service.Properties[from]) {
				if name, ok := at(v, "ContainerName").(string); ok {
					found = append(found, target{service: service, task: newTask(definition), from: from, name: name, port: at(v, "ContainerPort"), group: at(v, "TargetGroupArn")})
				}
			}
		}
	}
	return found
}

func balancedContainers(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service", "AWS::ECS::TaskSet") {
		for _, balancer := range list(service.Properties["LoadBalancers"]) {
			for _, key := range []string{"ContainerName", "ContainerPort"} {
				if at(balancer, "TargetGroupArn") != nil && at(balancer, key) == nil {
					found.on(service, "LoadBalancers sends to a target group without a %s: ECS asks for the name and the port of a container", key)
				}
			}
		}
	}
	for _, t := range a.targets() {
		if c, certain := t.task.named(t.name); c == nil && certain {
			found.on(t.service, "%s names the container %q, and task %s has %s", t.from, t.name, t.task.LogicalID, t.task.names())
		}
	}
}

func balancedPorts(a *Assembly, found *report) {
	for _, t := range a.targets() {
		c, _ := t.task.named(t.name)
		port, known := number(t.service.Stack.settle(t.port))
		if c == nil || !known {
			continue
		}
		mapped, certain := mapsPort(c, port)
		switch protocol := t.protocol(); {
		case !mapped && certain:
			found.on(t.service, "%s names port %v of container %q, which maps %s", t.from, port, t.name, mappedPorts(c))
		case mapped && protocol != "" && !slices.Contains(transports(protocol), transportOf(c, port)):
			found.on(t.service, "%s names port %v of container %q, which maps it for %s, and the target group speaks %s", t.from, port, t.name, transportOf(c, port), protocol)
		}
	}
}

// protocol returns the protocol of the target group, "" if it is not known.
func (t target) protocol() string {
	group, _ := t.service.Stack.Target(t.group)
	if group == nil {
		return ""
	}
	return word(group.Properties["Protocol"])
}

func transportOf(container map[string]any, port float64) string {
	transport := ""
	for _, m := range list(container["PortMappings"]) {
		if p, ok := number(at(m, "ContainerPort")); !ok || p != port {
			continue
		}
		mapped := cmp.Or(word(at(m, "Protocol")), "tcp")
		if transport = cmp.Or(transport, mapped); transport != mapped {
			return "tcp" // both
		}
	}
	return cmp.Or(transport, "tcp")
}

// mapsPort reports whether a container maps a port; certain is false if a mapping is known
// only when deployed.
func mapsPort(container map[string]any, port float64) (mapped, certain bool) {
	certain = true
	for _, m := range list(container["PortMappings"]) {
		if r, ok := at(m, "ContainerPortRange").(string); ok {
			low, high, _ := strings.Cut(r, "-")
			from, ok := number(low)
			to, also := number(high)
			if ok && also && from <= port && port <= to {
				return true, true
			}
			continue
		}
		p, ok := number(at(m, "ContainerPort"))
		if ok && p == port {
			return true, true
		}
		certain = certain && ok
	}
	return false, certain
}

func mappedPorts(container map[string]any) string {
	var ports []string
	for _, m := range list(container["PortMappings"]) {
		for _, key := range []string{"ContainerPort", "ContainerPortRange"} {
			if text, ok := literal(at(m, key)); ok {
				ports = append(ports, text)
			}
		}
	}
	if len(ports) == 0 {
		return "no port"
	}
	return strings.Join(ports, ", ")
}

func connectedPorts(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		definition := taskOf(service)
		if definition == nil {
			continue
		}
		t := newTask(definition)
		var names []string
		certain := t.complete
		for _, c := range t.containers {
			for _, m := range list(c["PortMappings"]) {
				name, isText := at(m, "Name").(string)
				if isText {
					names = append(names, name)
				}
				certain = certain && (isText || at(m, "Name") == nil)
			}
		}
		for _, offered := range list(at(service.Properties, "ServiceConnectConfiguration", "Services")) {
			name, ok := at(offered, "PortName").(string)
			if ok && certain && !slices.Contains(names, name) {
				found.on(service, "Service Connect offers the port %q, and the ports of task %s are named: %s", name, t.LogicalID, strings.Join(names, ", "))
			}
		}
	}
}

// uniquePorts compares the ports on the interface that the containers share: their own in
// awsvpc mode, the host's otherwise.
func uniquePorts(t task, found *report) {
	key := "HostPort"
	if mode := word(t.Properties["NetworkMode"]); mode == "awsvpc" || mode == "host" {
		key = "ContainerPort"
	}
	seen := map[string]string{}
	for _, c := range t.containers {
		for _, m := range list(c["PortMappings"]) {
			port, ok := number(at(m, key))
			if !ok || port == 0 {
				continue
			}
			protocol := "tcp"
			if v := at(m, "Protocol"); v != nil {
				protocol = canonical(v)
			}
			bound := strconv.FormatFloat(port, 'f', -1, 64) + "/" + protocol
			if other, taken := seen[bound]; taken {
				found.on(t.Resource, "port %s is mapped by container %q and by %q, which share a network interface", bound, other, word(c["Name"]))
			}
			seen[bound] = word(c["Name"])
		}
	}
}
