package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	taskGuide        = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"
	fargateGuide     = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"
	executionGuide   = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"
	serviceGuide     = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html"
	securityHubGuide = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html"
)

// containers are what must hold for tasks and services of ECS.
var containers = []Rule{
	{
		ID: "container-unknown", Says: "a load balancer or a registry sends to a container of the task",
		Source: balancerGuide, check: balancedContainers,
	},
	{
		ID: "container-port", Says: "a load balancer or a registry sends to a port that the container maps",
		Source: balancerGuide, check: balancedPorts,
	},
	{
		ID: "service-connect-port", Says: "Service Connect offers a port that the task names",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html", check: connectedPorts,
	},
	{
		ID: "container-name-duplicate", Says: "the containers of a task have different names",
		Source: taskGuide, check: eachTask(uniqueNames),
	},
	{
		ID: "port-conflict", Says: "containers that share a network interface listen on different ports",
		Source: taskGuide, check: eachTask(uniquePorts),
	},
	{
		ID: "volume-undeclared", Says: "a container mounts volumes that its task declares",
		Source: taskGuide, check: eachTask(declaredVolumes),
	},
	{
		ID: "container-dependency", Says: "a container waits for, links to and takes volumes from other containers of its task, and never waits for itself",
		Source: taskGuide, check: eachTask(dependencies),
	},
	{
		ID: "health-dependency", Says: "a container that others wait for to be HEALTHY has a health check in the task definition",
		Source: taskGuide, check: eachTask(healthDependencies),
	},
	{
		ID: "exit-dependency", Says: "a container that others wait for to end is not essential",
		Source: taskGuide, check: eachTask(exitDependencies),
	},
	{
		ID: "no-essential", Says: "a task has an essential container",
		Source: taskGuide, check: eachTask(oneEssential),
	},
	{
		ID: "task-size", Says: "the containers of a task fit into its memory and CPU",
		Source: taskGuide, check: eachTask(fits),
	},
	{
		ID: "fargate-size", Says: "a task on Fargate has network mode awsvpc and a size that Fargate has",
		Source: fargateGuide, check: eachTask(fargateSize),
	},
	{
		ID: "execution-role", Says: "a task that reads secrets, pulls from ECR or writes to CloudWatch Logs has an execution role",
		Source: executionGuide, check: eachTask(executionRole),
	},
	{
		ID: "task-network", Says: "a service says in which subnets the network interfaces of its tasks are",
		Source: serviceGuide, check: taskNetwork,
	},
	{
		ID: "container-logs", Says: "the output of each container is kept somewhere",
		Source: securityHubGuide + "#ecs-9", check: eachTask(logged),
	},
	{
		ID: "privileged", Says: "no container is privileged",
		Source: securityHubGuide + "#ecs-4", check: eachTask(unprivileged),
	},
	{
		ID: "host-namespace", Says: "a task shares no network, processes, memory, root or container runtime with its host",
		Source: securityHubGuide + "#ecs-3", check: eachTask(ownNamespaces),
	},
	{
		ID: "platform-version", Says: "a service on Fargate runs on the newest platform version",
		Source: securityHubGuide + "#ecs-10", check: platform,
	},
	{
		ID: "circuit-breaker", Says: "a rolling deployment that fails is rolled back",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html", check: circuitBreaker,
	},
	{
		ID: "health-grace", Says: "tasks behind a load balancer have time to start before its health checks count",
		Source: serviceGuide, check: healthGrace,
	},
}

// task is a task definition with its containers.
type task struct {
	*Resource
	// containers are those that are written out; complete says that there are no others.
	containers []map[string]any
	complete   bool
}

func newTask(r *Resource) task {
	t := task{Resource: r}
	definitions, isList := r.Properties["ContainerDefinitions"].([]any)
	t.complete = isList
	for _, d := range definitions {
		container, isMap := d.(map[string]any)
		if _, _, isFunction := function(d); !isMap || isFunction {
			t.complete = false
			continue
		}
		t.containers = append(t.containers, container)
	}
	return t
}

// named is the container of a name. It is not certain where a name cannot be read.
func (t task) named(name string) (container map[string]any, certain bool) {
	certain = t.complete
	for _, c := range t.containers {
		known, isText := c["Name"].(string)
		if known == name && isText {
			return c, true
		}
		certain = certain && isText
	}
	return nil, certain
}

// names are those of the containers, for messages.
func (t task) names() string {
	var names []string
	for _, c := range t.containers {
		names = append(names, word(c["Name"]))
	}
	return strings.Join(names, ", ")
}

func eachTask(check func(t task, found *report)) func(*Assembly, *report) {
	return func(a *Assembly, found *report) {
		for _, r := range a.Of("AWS::ECS::TaskDefinition") {
			check(newTask(r), found)
		}
	}
}

// taskOf is the task definition that a service runs, nil where the assembly has it not.
func taskOf(service *Resource) *Resource {
	r, _ := service.Stack.Target(service.Properties["TaskDefinition"])
	if r == nil || r.Type != "AWS::ECS::TaskDefinition" {
		return nil
	}
	return r
}

// isFargate says whether a service runs on Fargate for sure.
func isFargate(service *Resource) bool {
	if service.Properties["LaunchType"] == "FARGATE" {
		return true
	}
	strategy := list(service.Properties["CapacityProviderStrategy"])
	return len(strategy) > 0 && !slices.ContainsFunc(strategy, func(v any) bool {
		return !strings.HasPrefix(word(at(v, "CapacityProvider")), "FARGATE")
	})
}

// requiresFargate says whether a task definition is for Fargate.
func (t task) requiresFargate() bool {
	return slices.Contains(list(t.Properties["RequiresCompatibilities"]), any("FARGATE"))
}

// door is a port of a container at which others come in: that of a load balancer or
// of a registry.
type door struct {
	service *Resource
	task    task
	// from is the property that names it.
	from string
	name string
	port any
	// group is the target group of a load balancer.
	group any
}

// doors are those that the services of the assembly name.
func (a *Assembly) doors() []door {
	var found []door
	for _, service := range a.Of("AWS::ECS::Service", "AWS::ECS::TaskSet") {
		definition := taskOf(service)
		if definition == nil {
			continue
		}
		for _, from := range []string{"LoadBalancers", "ServiceRegistries"} {
			for _, v := range list(service.Properties[from]) {
				if name, ok := at(v, "ContainerName").(string); ok {
					found = append(found, door{service: service, task: newTask(definition), from: from, name: name, port: at(v, "ContainerPort"), group: at(v, "TargetGroupArn")})
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
	for _, d := range a.doors() {
		if c, certain := d.task.named(d.name); c == nil && certain {
			found.on(d.service, "%s names the container %q, and task %s has %s", d.from, d.name, d.task.LogicalID, d.task.names())
		}
	}
}

func balancedPorts(a *Assembly, found *report) {
	for _, d := range a.doors() {
		c, _ := d.task.named(d.name)
		port, known := number(d.service.Stack.settle(d.port))
		if c == nil || !known {
			continue
		}
		mapped, certain := mapsPort(c, port)
		switch protocol := d.protocol(); {
		case !mapped && certain:
			found.on(d.service, "%s names port %v of container %q, which maps %s", d.from, port, d.name, mappedPorts(c))
		case mapped && protocol != "" && !slices.Contains(transports(protocol), transportOf(c, port)):
			found.on(d.service, "%s names port %v of container %q, which maps it for %s, and the target group speaks %s", d.from, port, d.name, transportOf(c, port), protocol)
		}
	}
}

// protocol is that of the target group behind a door, "" where it is not known.
func (d door) protocol() string {
	group, _ := d.service.Stack.Target(d.group)
	if group == nil {
		return ""
	}
	return word(group.Properties["Protocol"])
}

// transportOf is the protocol for which a container maps a port.
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

// mapsPort says whether a container maps a port. It is not certain where one cannot be read.
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

func uniqueNames(t task, found *report) {
	seen := map[string]bool{}
	for _, c := range t.containers {
		name, ok := c["Name"].(string)
		if ok && seen[name] {
			found.on(t.Resource, "two of its containers have the name %q", name)
		}
		seen[name] = true
	}
}

// uniquePorts looks at the port on the interface that the containers share: their
// own in awsvpc mode, that of the host otherwise.
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

func declaredVolumes(t task, found *report) {
	var names []string
	for _, v := range list(t.Properties["Volumes"]) {
		name, ok := at(v, "Name").(string)
		if !ok {
			return
		}
		names = append(names, name)
	}
	for _, c := range t.containers {
		for _, mount := range list(c["MountPoints"]) {
			if source, ok := at(mount, "SourceVolume").(string); ok && !slices.Contains(names, source) {
				found.on(t.Resource, "container %q mounts the volume %q, which the task does not declare: it has %s",
					word(c["Name"]), source, orNone(names))
			}
		}
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// wait is one container waiting for another.
type wait struct{ from, on, condition string }

func (t task) waits() []wait {
	var found []wait
	for _, c := range t.containers {
		for _, d := range list(c["DependsOn"]) {
			if on, ok := at(d, "ContainerName").(string); ok {
				found = append(found, wait{from: word(c["Name"]), on: on, condition: word(at(d, "Condition"))})
			}
		}
	}
	return found
}

func dependencies(t task, found *report) {
	for _, c := range t.containers {
		for _, v := range list(c["VolumesFrom"]) {
			on, isText := at(v, "SourceContainer").(string)
			if other, certain := t.named(on); isText && other == nil && certain {
				found.on(t.Resource, "container %q takes volumes from %q, which is none of the task: it has %s", word(c["Name"]), on, t.names())
			}
		}
		for _, v := range list(c["Links"]) {
			on, _, _ := strings.Cut(word(v), ":")
			if other, certain := t.named(on); on != "" && other == nil && certain {
				found.on(t.Resource, "container %q links to %q, which is none of the task: it has %s", word(c["Name"]), on, t.names())
			}
		}
	}
	if proxy, ok := at(t.Properties, "ProxyConfiguration", "ContainerName").(string); ok {
		if c, certain := t.named(proxy); c == nil && certain {
			found.on(t.Resource, "the proxy is the container %q, which is none of the task: it has %s", proxy, t.names())
		}
	}
	waits := t.waits()
	var names []string
	for _, w := range waits {
		if c, certain := t.named(w.on); c == nil && certain {
			found.on(t.Resource, "container %q waits for %q, which is none of the task: it has %s", w.from, w.on, t.names())
		}
		names = append(names, w.from)
	}
	for _, cycle := range cycles(unique(names), func(name string) []string {
		var next []string
		for _, w := range waits {
			if w.from == name {
				next = append(next, w.on)
			}
		}
		return next
	}) {
		found.on(t.Resource, "a container waits for itself: %s -> %s", strings.Join(cycle, " -> "), cycle[0])
	}
}

func healthDependencies(t task, found *report) {
	for _, w := range t.waits() {
		c, _ := t.named(w.on)
		if w.condition == "HEALTHY" && c != nil && len(list(at(c, "HealthCheck"))) == 0 {
			found.on(t.Resource, "container %q waits for %q to be HEALTHY, which has no HealthCheck: ECS does not use the image's", w.from, w.on)
		}
	}
}

func exitDependencies(t task, found *report) {
	for _, w := range t.waits() {
		c, _ := t.named(w.on)
		if (w.condition == "COMPLETE" || w.condition == "SUCCESS") && c != nil && (c["Essential"] == nil || yes(c["Essential"])) {
			found.on(t.Resource, "container %q waits for %q to end, which is essential: when it ends the task is stopped", w.from, w.on)
		}
	}
}

func oneEssential(t task, found *report) {
	if t.Properties["ContainerDefinitions"] != nil && !t.complete || t.Stack.generates {
		return
	}
	if len(t.containers) == 0 {
		found.on(t.Resource, "it has no containers: ECS asks for one at least, which is essential")
		return
	}
	for _, c := range t.containers {
		if text, _ := literal(c["Essential"]); !strings.EqualFold(text, "false") {
			return
		}
	}
	found.on(t.Resource, "none of its containers is essential: ECS asks for at least one")
}

// units reads a size of a task, as in 512, "512", "1 GB" or ".5 vCPU".
func (t task) units(property, unit string) (float64, bool) {
	v := t.Stack.settle(t.Properties[property])
	if n, ok := number(v); ok {
		return n, true
	}
	text := strings.TrimSpace(strings.ToUpper(word(v)))
	amount, has := strings.CutSuffix(text, strings.ToUpper(unit))
	n, ok := number(strings.TrimSpace(amount))
	return n * 1024, has && ok
}

func fits(t task, found *report) {
	memory, limited := t.units("Memory", "GB")
	var reserved, cpu float64
	alone := false // one container alone is too much
	for _, c := range t.containers {
		name := word(c["Name"])
		most, hard := number(c["Memory"])
		least, soft := number(c["MemoryReservation"])
		switch {
		case hard && most < 4:
			found.on(t.Resource, "container %q has a limit of %v MiB of memory, and ECS takes 4 at least", name, most)
		case limited && hard && most > memory:
			alone = true
			found.on(t.Resource, "container %q may use %v MiB of memory, and the task has %v", name, most, memory)
		case hard && soft && least > most:
			found.on(t.Resource, "container %q reserves %v MiB of memory, above its own limit of %v", name, least, most)
		case t.Properties["Memory"] == nil && c["Memory"] == nil && c["MemoryReservation"] == nil:
			found.on(t.Resource, "container %q has neither Memory nor MemoryReservation, and the task no Memory: ECS asks for one of them", name)
		}
		if !soft {
			least = most
		}
		reserved += least
		units, _ := number(c["Cpu"])
		cpu += units
	}
	if limited && !alone && reserved > memory {
		found.on(t.Resource, "its containers reserve %v MiB of memory together, and the task has %v", reserved, memory)
	}
	if units, ok := t.units("Cpu", "vCPU"); ok && cpu > units {
		found.on(t.Resource, "its containers reserve %v CPU units together, and the task has %v", cpu, units)
	}
}

// fargateSizes are the sizes of tasks on Fargate: CPU units, and memory in MiB from,
// to and in steps of. Up to the last CPU there are no others; larger ones may come.
var fargateSizes = []struct{ cpu, least, most, step float64 }{
	{256, 512, 1024, 512},
	{256, 2048, 2048, 1024},
	{512, 1024, 4096, 1024},
	{1024, 2048, 8192, 1024},
	{2048, 4096, 16384, 1024},
	{4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096},
	{16384, 32768, 122880, 8192},
}

// fargateMemory are the amounts of memory for a CPU.
func fargateMemory(cpu float64) []float64 {
	var amounts []float64
	for _, size := range fargateSizes {
		for amount := size.least; size.cpu == cpu && amount <= size.most; amount += size.step {
			amounts = append(amounts, amount)
		}
	}
	return amounts
}

func fargateSize(t task, found *report) {
	if !t.requiresFargate() {
		return
	}
	if mode, ok := literal(t.Properties["NetworkMode"]); (ok && mode != "awsvpc") || t.Properties["NetworkMode"] == nil {
		found.on(t.Resource, "its network mode is %q, and Fargate takes \"awsvpc\" only", mode)
	}
	for _, property := range []string{"Cpu", "Memory"} {
		if t.Properties[property] == nil {
			found.on(t.Resource, "it has no %s, and Fargate asks for one", property)
		}
	}
	cpu, ok := t.units("Cpu", "vCPU")
	memory, also := t.units("Memory", "GB")
	if !ok || !also || cpu > fargateSizes[len(fargateSizes)-1].cpu {
		return
	}
	allowed := fargateMemory(cpu)
	switch {
	case len(allowed) == 0:
		found.on(t.Resource, "it has %v CPU units, which is no size of Fargate", cpu)
	case !slices.Contains(allowed, memory):
		found.on(t.Resource, "it has %v CPU units and %v MiB of memory: for that CPU Fargate takes %v", cpu, memory, allowed)
	}
}

func executionRole(t task, found *report) {
	if role := t.Properties["ExecutionRoleArn"]; role != nil && role != "" {
		return
	}
	onFargate := t.requiresFargate() || slices.ContainsFunc(t.Stack.assembly.Of("AWS::ECS::Service"), func(service *Resource) bool {
		return taskOf(service) == t.Resource && isFargate(service)
	})
	for _, c := range t.containers {
		name := word(c["Name"])
		switch {
		case len(list(c["Secrets"])) > 0 || len(list(at(c, "LogConfiguration", "SecretOptions"))) > 0:
			found.on(t.Resource, "container %q gets secrets, and the task has no ExecutionRoleArn to read them with", name)
		case c["RepositoryCredentials"] != nil:
			found.on(t.Resource, "container %q is pulled with credentials, and the task has no ExecutionRoleArn to read them with", name)
		case len(list(c["EnvironmentFiles"])) > 0:
			found.on(t.Resource, "container %q gets files of variables, and the task has no ExecutionRoleArn to read them with", name)
		case !onFargate:
		case at(c, "LogConfiguration", "LogDriver") == "awslogs":
			found.on(t.Resource, "container %q logs to CloudWatch, and the task has no ExecutionRoleArn to write with", name)
		case t.fromECR(c["Image"]):
			found.on(t.Resource, "the image of container %q is in ECR, and the task has no ExecutionRoleArn to pull it with", name)
		}
	}
}

// fromECR says whether an image is in a private repository of ECR.
func (t task) fromECR(image any) bool {
	if strings.Contains(t.Stack.text(image), ".dkr.ecr") {
		return true
	}
	return slices.ContainsFunc(references(image), func(ref reference) bool {
		r := t.Stack.byLogical[ref.id]
		return r != nil && r.Type == "AWS::ECR::Repository"
	})
}

func taskNetwork(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		definition := taskOf(service)
		controller := at(service.Properties, "DeploymentController", "Type")
		if definition == nil || definition.Properties["NetworkMode"] != "awsvpc" || controller == "EXTERNAL" {
			continue
		}
		network := service.Properties["NetworkConfiguration"]
		if network == nil || isMap(at(network, "AwsvpcConfiguration")) && at(network, "AwsvpcConfiguration", "Subnets") == nil {
			found.on(service, "task %s is in network mode awsvpc, and the service names no Subnets in its NetworkConfiguration", definition.LogicalID)
		}
	}
}

func logged(t task, found *report) {
	for _, c := range t.containers {
		if driver := at(c, "LogConfiguration", "LogDriver"); c["LogConfiguration"] == nil || driver == "none" {
			found.on(t.Resource, "the output of container %q goes nowhere: it has no LogConfiguration", word(c["Name"]))
		}
	}
}

// rootly are the capabilities with which a container can take over its host.
var rootly = []string{"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"}

func unprivileged(t task, found *report) {
	for _, c := range t.containers {
		if yes(c["Privileged"]) {
			found.on(t.Resource, "container %q is privileged: it can do what root on the host can", word(c["Name"]))
		}
		for _, capability := range each(c, "LinuxParameters", "Capabilities", "Add") {
			if slices.Contains(rootly, word(capability)) {
				found.on(t.Resource, "container %q has the capability %s, which is as much as privileged: it can do what root on the host can", word(c["Name"]), capability)
			}
		}
	}
}

func ownNamespaces(t task, found *report) {
	for _, property := range []string{"NetworkMode", "PidMode", "IpcMode"} {
		if t.Properties[property] == "host" {
			found.on(t.Resource, "its %s is \"host\": it sees what else runs there", property)
		}
	}
	for _, path := range each(t.Properties, "Volumes", "Host", "SourcePath") {
		if slices.Contains([]string{"/", "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock"}, word(path)) {
			found.on(t.Resource, "it mounts %s of its host: it can do what root there can", path)
		}
	}
}

func platform(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service", "AWS::ECS::TaskSet") {
		version, _ := service.Properties["PlatformVersion"].(string)
		definition := taskOf(service)
		if definition == nil || strings.HasPrefix(canonical(at(definition.Properties, "RuntimePlatform", "OperatingSystemFamily")), "WINDOWS") {
			continue
		}
		minor, ok := number(strings.TrimSuffix(version, ".0"))
		if ok && minor < 1.4 {
			found.on(service, "it stays on platform version %s, an old one: use LATEST", version)
		}
	}
}

func circuitBreaker(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		controller := at(service.Properties, "DeploymentController", "Type")
		strategy := at(service.Properties, "DeploymentConfiguration", "Strategy")
		if (controller != nil && controller != "ECS") || (strategy != nil && strategy != "ROLLING") {
			continue
		}
		for _, key := range []string{"Enable", "Rollback"} {
			if problem := unset(service.Properties, "DeploymentConfiguration", "DeploymentCircuitBreaker", key); problem != "" {
				found.on(service, "its deployment circuit breaker has %s: a deployment that fails goes on for hours", problem)
				break
			}
		}
	}
}

// unset says that the property at the steps is not true, "" where it is, or cannot
// be decided.
func unset(v any, steps ...string) string {
	last := steps[len(steps)-1]
	for _, step := range steps {
		v = at(v, step)
		if v == nil {
			return "no " + last
		}
		if _, _, ok := function(v); ok {
			return ""
		}
	}
	if yes(v) {
		return ""
	}
	return fmt.Sprintf("%s: %s", last, canonical(v))
}

func healthGrace(a *Assembly, found *report) {
	for _, service := range a.Of("AWS::ECS::Service") {
		if balancers, ok := service.Properties["LoadBalancers"].([]any); !ok || len(balancers) == 0 {
			continue
		}
		grace := service.Properties["HealthCheckGracePeriodSeconds"]
		if n, ok := number(grace); grace == nil || (ok && n <= 0) {
			found.on(service, "it is behind a load balancer and has no HealthCheckGracePeriodSeconds: tasks that start slowly are stopped")
		}
	}
}
