package gate

import (
	"slices"
	"strings"
)

const (
	taskGuide        = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"
	fargateGuide     = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"
	executionGuide   = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"
	serviceGuide     = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html"
	securityHubGuide = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html"
)

// containers hold for the tasks and services of ECS.
var containers = []Rule{
	{
		ID: "container-unknown", Summary: "a load balancer or a registry sends to a container of the task",
		Source: balancerGuide, check: balancedContainers,
	},
	{
		ID: "container-port", Summary: "a load balancer or a registry sends to a port that the container maps",
		Source: balancerGuide, check: balancedPorts,
	},
	{
		ID: "service-connect-port", Summary: "Service Connect offers a port that the task names",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html", check: connectedPorts,
	},
	{
		ID: "container-name-duplicate", Summary: "the containers of a task have different names",
		Source: taskGuide, check: eachTask(uniqueNames),
	},
	{
		ID: "port-conflict", Summary: "containers that share a network interface listen on different ports",
		Source: taskGuide, check: eachTask(uniquePorts),
	},
	{
		ID: "volume-undeclared", Summary: "a container mounts volumes that its task declares",
		Source: taskGuide, check: eachTask(declaredVolumes),
	},
	{
		ID: "container-dependency", Summary: "a container waits for, links to and takes volumes from other containers of its task, and never waits for itself",
		Source: taskGuide, check: eachTask(dependencies),
	},
	{
		ID: "health-dependency", Summary: "a container that others wait for to be HEALTHY has a health check in the task definition",
		Source: taskGuide, check: eachTask(healthDependencies),
	},
	{
		ID: "exit-dependency", Summary: "a container that others wait for to end is not essential",
		Source: taskGuide, check: eachTask(exitDependencies),
	},
	{
		ID: "no-essential", Summary: "a task has an essential container",
		Source: taskGuide, check: eachTask(oneEssential),
	},
	{
		ID: "task-size", Summary: "the containers of a task fit into its memory and CPU",
		Source: taskGuide, check: eachTask(fits),
	},
	{
		ID: "fargate-size", Summary: "a task on Fargate has network mode awsvpc and a size that Fargate has",
		Source: fargateGuide, check: eachTask(fargateSize),
	},
	{
		ID: "execution-role", Summary: "a task that reads secrets, pulls from ECR or writes to CloudWatch Logs has an execution role",
		Source: executionGuide, check: eachTask(executionRole),
	},
	{
		ID: "task-network", Summary: "a service in network mode awsvpc names its subnets",
		Source: serviceGuide, check: taskNetwork,
	},
	{
		ID: "container-logs", Summary: "the output of each container is logged",
		Source: securityHubGuide + "#ecs-9", check: eachTask(logged),
	},
	{
		ID: "privileged", Summary: "no container is privileged",
		Source: securityHubGuide + "#ecs-4", check: eachTask(unprivileged),
	},
	{
		ID: "host-namespace", Summary: "a task shares no network, processes, memory, root or container runtime with its host",
		Source: securityHubGuide + "#ecs-3", check: eachTask(ownNamespaces),
	},
	{
		ID: "platform-version", Summary: "a service on Fargate runs on the newest platform version",
		Source: securityHubGuide + "#ecs-10", check: platform,
	},
	{
		ID: "circuit-breaker", Summary: "a rolling deployment that fails is rolled back",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html", check: circuitBreaker,
	},
	{
		ID: "health-grace", Summary: "tasks behind a load balancer have time to start before its health checks count",
		Source: serviceGuide, check: healthGrace,
	},
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

// wait is a DependsOn between containers.
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
				found.on(t.Resource, "container %q takes volumes from %q, which is no container of the task: it has %s", word(c["Name"]), on, t.names())
			}
		}
		for _, v := range list(c["Links"]) {
			on, _, _ := strings.Cut(word(v), ":")
			if other, certain := t.named(on); on != "" && other == nil && certain {
				found.on(t.Resource, "container %q links to %q, which is no container of the task: it has %s", word(c["Name"]), on, t.names())
			}
		}
	}
	if proxy, ok := at(t.Properties, "ProxyConfiguration", "ContainerName").(string); ok {
		if c, certain := t.named(proxy); c == nil && certain {
			found.on(t.Resource, "the proxy is the container %q, which is no container of the task: it has %s", proxy, t.names())
		}
	}
	waits := t.waits()
	var names []string
	for _, w := range waits {
		if c, certain := t.named(w.on); c == nil && certain {
			found.on(t.Resource, "container %q waits for %q, which is no container of the task: it has %s", w.from, w.on, t.names())
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

// fromECR reports whether an image is in a private repository of ECR.
func (t task) fromECR(image any) bool {
	if strings.Contains(t.Stack.text(image), ".dkr.ecr") {
		return true
	}
	return slices.ContainsFunc(references(image), func(ref reference) bool {
		r := t.Stack.byLogical[ref.id]
		return r != nil && r.Type == "AWS::ECR::Repository"
	})
}

func logged(t task, found *report) {
	for _, c := range t.containers {
		if driver := at(c, "LogConfiguration", "LogDriver"); c["LogConfiguration"] == nil || driver == "none" {
			found.on(t.Resource, "the output of container %q goes nowhere: it has no LogConfiguration", word(c["Name"]))
		}
	}
}

// hostCapabilities let a container take over its host.
var hostCapabilities = []string{"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"}

func unprivileged(t task, found *report) {
	for _, c := range t.containers {
		if yes(c["Privileged"]) {
			found.on(t.Resource, "container %q is privileged: it can act as root on the host", word(c["Name"]))
		}
		for _, capability := range each(c, "LinuxParameters", "Capabilities", "Add") {
			if slices.Contains(hostCapabilities, word(capability)) {
				found.on(t.Resource, "container %q has the capability %s, which equals privileged: it can act as root on the host", word(c["Name"]), capability)
			}
		}
	}
}

func ownNamespaces(t task, found *report) {
	for _, property := range []string{"NetworkMode", "PidMode", "IpcMode"} {
		if t.Properties[property] == "host" {
			found.on(t.Resource, "its %s is \"host\": it is not isolated from its host", property)
		}
	}
	for _, path := range each(t.Properties, "Volumes", "Host", "SourcePath") {
		if slices.Contains([]string{"/", "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock"}, word(path)) {
			found.on(t.Resource, "it mounts %s of its host: it can act as root there", path)
		}
	}
}
