package gate

import (
	"fmt"
	"strings"
)

const (
	services = "rich/Services"
	edge     = "delivery/Edge"
	nested   = "delivery/Edge/Service"
	pipeline = "delivery/Pipeline"
)

// many returns an object of n equal fields.
func many(n int, value any) map[string]any {
	fields := map[string]any{}
	for i := range n {
		fields[fmt.Sprintf("Another%d", i)] = value
	}
	return fields
}

// policyOf returns a policy of at least n characters.
func policyOf(n int) any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Sid": strings.Repeat("s", n), "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:111111111111:jobs",
	}}}
}

func buildspec(text string) func(*template) {
	return func(t *template) { t.set("Test", text, "Source", "BuildSpec") }
}

// faults holds mistakes in wiring, containers, limits and builds.
var faults = []fault{
	{
		name: "the port of a load balancer is mapped by no container", known: 15, rule: "container-port", in: services, on: "webService",
		inject: func(t *template) { t.set("webService", 9999.0, "LoadBalancers", 0, "ContainerPort") },
	},
	{
		name: "the port of a load balancer is one of another container", rule: "container-port", in: services, on: "webService",
		inject: func(t *template) { t.set("webService", "2000", "LoadBalancers", 0, "ContainerPort") },
	},
	{
		name: "a container behind a load balancer maps no port", rule: "container-port", in: nested, on: "Service",
		inject: func(t *template) { t.remove("Task", "ContainerDefinitions", 0, "PortMappings") },
	},
	{
		name: "a load balancer sends to an unknown container", known: 16, rule: "container-unknown", in: services, on: "webService",
		inject: func(t *template) { t.set("webService", "wbe", "LoadBalancers", 0, "ContainerName") },
	},
	{
		name: "a container is renamed in a nested stack", rule: "container-unknown", in: nested, on: "Service",
		inject: func(t *template) { t.set("Task", "nginx", "ContainerDefinitions", 0, "Name") },
	},
	{
		name: "a registry names an unknown container", rule: "container-unknown", in: nested, on: "Service",
		inject: func(t *template) {
			t.set("Service", []any{map[string]any{"RegistryArn": "arn:aws:servicediscovery:eu-west-1:111111111111:service/srv-1", "ContainerName": "Edge", "ContainerPort": 8080.0}}, "ServiceRegistries")
		},
	},
	{
		name: "Service Connect offers a port without that name", rule: "service-connect-port", in: services, on: "webService",
		inject: func(t *template) {
			t.set("webService", "web-8080", "ServiceConnectConfiguration", "Services", 0, "PortName")
		},
	},
	{
		name: "secrets, and no execution role", known: 18, rule: "execution-role", in: services, on: "apiTask",
		inject: func(t *template) { t.remove("apiTask", "ExecutionRoleArn") },
	},
	{
		name: "logs on Fargate, and no execution role", known: 18, rule: "execution-role", in: nested, on: "Task",
		inject: func(t *template) { t.remove("Task", "ExecutionRoleArn") },
	},
	{
		name: "an image in ECR, and no execution role", known: 18, rule: "execution-role", in: nested, on: "Task",
		inject: func(t *template) {
			t.remove("Task", "ExecutionRoleArn")
			for i := range 3 {
				t.set("Task", "splunk", "ContainerDefinitions", i, "LogConfiguration", "LogDriver")
			}
			t.set("Task", `{"Fn::Sub": "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/edge:1"}`, "ContainerDefinitions", 0, "Image")
		},
	},
	{
		name: "a target group without a type, for tasks with their own interfaces", known: 19, rule: "target-type", in: services, on: "xelbv2publicwebweb8080",
		inject: func(t *template) { t.remove("xelbv2publicwebweb8080", "TargetType") },
	},
	{
		name: "a target group of instances, for tasks of a nested stack", known: 19, rule: "target-type", in: edge, on: "Targets",
		inject: func(t *template) { t.set("Targets", "instance", "TargetType") },
	},
	{
		name: "the container of a load balancer by a parameter", known: 16, rule: "container-unknown", in: services, on: "webService",
		inject: func(t *template) {
			t.setRoot(parse(`{"Type": "String", "Default": "wbe"}`), "Parameters", "Container")
			t.set("webService", `{"Fn::Sub": "${Container}"}`, "LoadBalancers", 0, "ContainerName")
		},
	},
	{
		name: "the port of a load balancer in a mapping", known: 15, rule: "container-port", in: services, on: "webService",
		inject: func(t *template) {
			t.setRoot(parse(`{"Ports": {"web": {"Http": 9999}}}`), "Mappings")
			t.set("webService", `{"Fn::FindInMap": ["Ports", "web", "Http"]}`, "LoadBalancers", 0, "ContainerPort")
		},
	},
	{
		name: "a container behind a load balancer for HTTP maps its port for UDP", rule: "container-port", in: services, on: "webService",
		inject: func(t *template) {
			t.set("webTask", "udp", "ContainerDefinitions", 1, "PortMappings", 0, "Protocol")
		},
	},
	{
		name: "a scheduled minimum is above its maximum", known: 26, rule: "scaling-range", in: services, on: "apiServiceTaskCountTarget",
		inject: func(t *template) {
			t.set("apiServiceTaskCountTarget", parse(`[{"ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)", "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}}]`), "ScheduledActions")
		},
	},
	{
		name: "a deployment may replace nothing", rule: "scaling-range", in: services, on: "apiService",
		inject: func(t *template) { t.set("apiService", 100.0, "DeploymentConfiguration", "MaximumPercent") },
	},
	{
		name: "a container can do what root on the host can", known: 21, rule: "privileged", in: services, on: "apiTask",
		inject: func(t *template) {
			t.set("apiTask", parse(`{"Capabilities": {"Add": ["SYS_ADMIN"]}}`), "ContainerDefinitions", 0, "LinuxParameters")
		},
	},
	{
		name: "a task has the socket of Docker", rule: "host-namespace", in: services, on: "webTask",
		inject: func(t *template) {
			t.set("webTask", parse(`{"Name": "docker", "Host": {"SourcePath": "/var/run/docker.sock"}}`), "Volumes", 1)
		},
	},
	{
		name: "tasks with their own interfaces, and no subnets", rule: "task-network", in: services, on: "apiService",
		inject: func(t *template) { t.remove("apiService", "NetworkConfiguration") },
	},
	{
		name: "two outputs are exported under one name", rule: "export-duplicate", in: pipeline, on: "",
		inject: func(t *template) {
			t.setRoot(parse(`{"Value": "x", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:Repository"}}}`), "Outputs", "Again")
		},
	},
	{
		name: "a secret comes from the ARN of no account", known: 30, rule: "value-from", in: services, on: "apiTask", also: []string{"execution-role-reads-more"},
		inject: func(t *template) {
			t.set("apiTask", "arn:aws:secretsmanager:eu-west-1:1111:secret:shop/key", "ContainerDefinitions", 0, "Secrets", 0, "ValueFrom")
		},
	},
	{
		name: "a condition depends on a resource", rule: "reference-unresolved", in: edge, on: "",
		inject: func(t *template) {
			t.setRoot(parse(`{"Fn::Equals": [{"Ref": "LoadBalancer"}, "x"]}`), "Conditions", "There")
		},
	},
	{
		name: "a container mounts an undeclared volume", known: 23, rule: "volume-undeclared", in: services, on: "webTask",
		inject: func(t *template) {
			t.set("webTask", "upload", "ContainerDefinitions", 1, "MountPoints", 0, "SourceVolume")
		},
	},
	{
		name: "the volumes of a task are gone", rule: "volume-undeclared", in: nested, on: "Task",
		inject: func(t *template) { t.remove("Task", "Volumes") },
	},
	{
		name: "a container waits for one that is not there", known: 24, rule: "container-dependency", in: services, on: "webTask",
		inject: func(t *template) {
			t.set("webTask", "ghost", "ContainerDefinitions", 1, "DependsOn", 0, "ContainerName")
		},
	},
	{
		name: "two containers wait for each other", rule: "container-dependency", in: nested, on: "Task",
		inject: func(t *template) {
			t.set("Task", parse(`[{"ContainerName": "edge", "Condition": "START"}]`), "ContainerDefinitions", 1, "DependsOn")
		},
	},
	{
		name: "a container waits for another to be healthy that has no health check", rule: "health-dependency", in: services, on: "webTask",
		inject: func(t *template) {
			t.set("webTask", "HEALTHY", "ContainerDefinitions", 1, "DependsOn", 0, "Condition")
		},
	},
	{
		name: "a container waits for an essential one to end", rule: "exit-dependency", in: nested, on: "Task",
		inject: func(t *template) { t.remove("Task", "ContainerDefinitions", 2, "Essential") },
	},
	{
		name: "the minimum of a scalable target is above its maximum", known: 26, rule: "scaling-range", in: services, on: "apiServiceTaskCountTarget",
		inject: func(t *template) { t.set("apiServiceTaskCountTarget", 5.0, "MinCapacity") },
	},
	{
		name: "a maximum that is passed to a nested stack is below the minimum", rule: "scaling-range", in: edge, on: nested + "/Scaling",
		inject: func(t *template) { t.set("Service", "0", "Parameters", "Most", "Fn::If", 2) },
	},
	{
		name: "a service does not wait for its listener", known: 27, rule: "listener-order", in: services, on: "webService",
		inject: func(t *template) { t.setBody("webService", removed{}, "DependsOn") },
	},
	{
		name: "a nested stack does not wait for the rule that attaches its target group", known: 27, rule: "listener-order", in: edge, on: nested + "/Service",
		inject: func(t *template) { t.setBody("Service", []any{"Listener"}, "DependsOn") },
	},
	{
		name: "no listener sends to the target group of a service", rule: "listener-order", in: edge, on: nested + "/Service",
		inject: func(t *template) {
			t.set("Rule", parse(`[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]`), "Actions")
		},
	},
	{
		name: "a buildspec with tabs", known: 34, rule: "buildspec-invalid", in: pipeline, on: "Test",
		inject: buildspec("version: 0.2\nphases:\n\tbuild:\n\t\tcommands:\n\t\t\t- go test ./..."),
	},
	{
		name: "a buildspec without phases", known: 34, rule: "buildspec-invalid", in: pipeline, on: "Test",
		inject: buildspec("version: 0.2\nartifacts:\n  files: ['**/*']\n"),
	},
	{
		name: "a buildspec of several pieces that is not YAML", known: 34, rule: "buildspec-invalid", in: pipeline, on: "Build",
		inject: func(t *template) {
			t.set("Build", "version: 0.2\nphases:\n  pre_build:\n  commands: [\n      - docker login ", "Source", "BuildSpec", "Fn::Join", 1, 0)
		},
	},
	{
		name: "a command of a buildspec is a mapping", rule: "buildspec-invalid", in: pipeline, on: "Test",
		inject: buildspec("version: 0.2\nphases:\n  build:\n    commands:\n      - echo result: $RESULT\n"),
	},
	{
		name: "a buildspec with a phase that CodeBuild does not know", rule: "buildspec-invalid", in: pipeline, on: "Test",
		inject: buildspec("version: 0.2\nphases:\n  test:\n    commands: [go test ./...]\n"),
	},
	{
		name: "a buildspec pipes a download to a shell", rule: "build-downloads-shell", in: pipeline, on: "Test", also: []string{"build-pipefail"},
		inject: buildspec("version: 0.2\nphases:\n  install:\n    commands:\n      - curl -fsSL https://example.com/install | sudo -E bash -\n"),
	},
	{
		name: "a buildspec evaluates a download", rule: "build-downloads-shell", in: pipeline, on: "Build",
		inject: func(t *template) {
			t.set("Build", "\n  build:\n    commands:\n      - bash <(wget -qO- https://example.com/install)\n      - docker build .\n", "Source", "BuildSpec", "Fn::Join", 1, 2)
		},
	},
	{
		name: "a build that runs no Docker is privileged", rule: "build-privileged", in: pipeline, on: "Test",
		inject: func(t *template) { t.set("Test", true, "Environment", "PrivilegedMode") },
	},
	{
		name: "a build has no limit of time", rule: "build-timeout", in: pipeline, on: "Build",
		inject: func(t *template) { t.remove("Build", "TimeoutInMinutes") },
	},
	{
		name: "a build writes no logs", rule: "build-logs", in: pipeline, on: "Build",
		inject: func(t *template) { t.set("Build", "DISABLED", "LogsConfig", "CloudWatchLogs", "Status") },
	},
	{
		name: "the address of a source holds a password", rule: "build-credentials", in: pipeline, on: "Test",
		inject: func(t *template) {
			t.set("Test", parse(`{"Type": "GITHUB", "Location": "https://x:hunter2@example.com/shop.git"}`), "Source")
		},
	},
	{
		name: "a container may use more memory than its task has", known: 37, rule: "task-size", in: services, on: "apiTask",
		inject: func(t *template) { t.set("apiTask", 1024.0, "ContainerDefinitions", 0, "Memory") },
	},
	{
		name: "the containers of a task reserve more memory than it has", known: 37, rule: "task-size", in: nested, on: "Task",
		inject: func(t *template) { t.set("Task", 97.0, "ContainerDefinitions", 1, "MemoryReservation") },
	},
	{
		name: "the containers of a task reserve more CPU than it has", rule: "task-size", in: services, on: "webTask",
		inject: func(t *template) { t.set("webTask", 225.0, "ContainerDefinitions", 1, "Cpu") },
	},
	{
		name: "no container of a task is essential", known: 38, rule: "no-essential", in: services, on: "apiTask",
		inject: func(t *template) { t.set("apiTask", false, "ContainerDefinitions", 0, "Essential") },
	},
	{
		name: "a size that Fargate does not have", rule: "fargate-size", in: services, on: "workerTask",
		inject: func(t *template) { t.set("workerTask", "4096", "Memory") },
	},
	{
		name: "a task on Fargate in bridge mode", rule: "fargate-size", in: services, on: "workerTask",
		inject: func(t *template) { t.set("workerTask", "bridge", "NetworkMode") },
	},
	{
		name: "two containers of a task on one port", rule: "port-conflict", in: services, on: "webTask",
		inject: func(t *template) {
			t.set("webTask", parse(`[{"ContainerPort": 8080}]`), "ContainerDefinitions", 0, "PortMappings")
		},
	},
	{
		name: "two containers of one name", rule: "container-name-duplicate", in: nested, on: "Task",
		inject: func(t *template) { t.set("Task", "helper", "ContainerDefinitions", 2, "Name") },
		also:   []string{"container-dependency"},
	},
	{
		name: "a container's output is not kept", rule: "container-logs", in: nested, on: "Task",
		inject: func(t *template) { t.remove("Task", "ContainerDefinitions", 1, "LogConfiguration") },
	},
	{
		name: "a privileged container", known: 21, rule: "privileged", in: services, on: "apiTask",
		inject: func(t *template) { t.set("apiTask", true, "ContainerDefinitions", 0, "Privileged") },
	},
	{
		name: "a privileged container, as text", known: 21, rule: "privileged", in: nested, on: "Task",
		inject: func(t *template) { t.set("Task", "true", "ContainerDefinitions", 2, "Privileged") },
	},
	{
		name: "a task sees the processes of its host", rule: "host-namespace", in: services, on: "apiTask",
		inject: func(t *template) { t.set("apiTask", "host", "PidMode") },
	},
	{
		name: "an old platform version", rule: "platform-version", in: services, on: "workerService",
		inject: func(t *template) { t.set("workerService", "1.3.0", "PlatformVersion") },
	},
	{
		name: "a service without circuit breaker", rule: "circuit-breaker", in: nested, on: "Service",
		inject: func(t *template) { t.remove("Service", "DeploymentConfiguration") },
	},
	{
		name: "a circuit breaker that does not roll back", rule: "circuit-breaker", in: services, on: "apiService",
		inject: func(t *template) {
			t.set("apiService", false, "DeploymentConfiguration", "DeploymentCircuitBreaker", "Rollback")
		},
	},
	{
		name: "health checks of a load balancer count from the start", rule: "health-grace", in: services, on: "webService",
		inject: func(t *template) { t.remove("webService", "HealthCheckGracePeriodSeconds") },
	},
	{
		name: "a scalable target names the ARN of a service", rule: "scaling-target", in: nested, on: "Scaling",
		inject: func(t *template) {
			t.set("Scaling", `{"Ref": "Service"}`, "ResourceId", "Fn::Join", 1, 2)
		},
	},
	{
		name: "a scalable target without a cluster", rule: "scaling-target", in: nested, on: "Scaling",
		inject: func(t *template) { t.set("Scaling", "service/edge", "ResourceId") },
	},
	{
		name: "Ref to what is not there", rule: "reference-unresolved", in: services, on: "apiService",
		inject: func(t *template) { t.set("apiService", `{"Ref": "apiTask"}`, "TaskDefinition") },
	},
	{
		name: "Fn::GetAtt as text of what is not there", rule: "reference-unresolved", in: services, on: "apiTask",
		inject: func(t *template) { t.set("apiTask", `{"Fn::GetAtt": "apiTaskRole.Arn"}`, "TaskRoleArn") },
	},
	{
		name: "Fn::Sub with an unknown variable", rule: "reference-unresolved", in: edge, on: "Alarm",
		inject: func(t *template) { t.remove("Alarm", "AlarmDescription", "Fn::Sub", 1, "What") },
	},
	{
		name: "Fn::Sub with a pseudo parameter that does not exist", rule: "reference-unresolved", in: pipeline, on: "BuildRole",
		inject: func(t *template) {
			t.set("BuildRole", "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::Account}:secret:registry-??????",
				"Policies", 0, "PolicyDocument", "Statement", 5, "Resource", "Fn::Sub")
		},
	},
	{
		name: "DependsOn names what is not there", rule: "reference-unresolved", in: pipeline, on: "Pipeline",
		inject: func(t *template) { t.setBody("Pipeline", "PipelinePolicy", "DependsOn") },
	},
	{
		name: "a resource under an unknown condition", rule: "reference-unresolved", in: edge, on: "Alarm",
		inject: func(t *template) { t.setBody("Alarm", "IsLarge", "Condition") },
	},
	{
		name: "Fn::If of an unknown condition", rule: "reference-unresolved", in: edge, on: "Service",
		inject: func(t *template) { t.set("Service", "IsLarge", "Parameters", "Most", "Fn::If", 0) },
	},
	{
		name: "an output of a nested stack that it does not have", rule: "reference-unresolved", in: edge, on: "ToService",
		inject: func(t *template) {
			t.set("ToService", `{"Fn::GetAtt": ["Service", "Outputs.Group"]}`, "DestinationSecurityGroupId")
		},
	},
	{
		name: "a mapping without the key", rule: "reference-unresolved", in: nested, on: "",
		inject: func(t *template) { t.setRoot("eu-west-3", "Outputs", "Memory", "Value", "Fn::FindInMap", 1) },
	},
	{
		name: "an output reads what is not there", rule: "reference-unresolved", in: edge, on: "",
		inject: func(t *template) { t.setRoot("https://${Balancer.DNSName}", "Outputs", "Url", "Value", "Fn::Sub") },
	},
	{
		name: "two resources wait for each other", rule: "reference-cycle", in: pipeline, on: "BuildLogs",
		inject: func(t *template) {
			t.setBody("BuildLogs", []any{"BuildRole"}, "DependsOn")
		},
	},
	{
		name: "two stacks read each other's outputs", rule: "reference-cycle", in: "rich/Network", on: "rich/Data/",
		inject: func(t *template) {
			t.setRoot(parse(`{"Value": {"Fn::GetStackOutput": {"StackName": "rich-Services", "OutputName": "Endpointpublic80"}}}`), "Outputs", "Loop")
		},
	},
	{
		name: "an output of another stack is gone", rule: "output-unknown", in: services, on: "apiService",
		inject: func(t *template) {
			t.set("apiService", "ClusterName", "Cluster", "Fn::GetStackOutput", "OutputName")
		},
	},
	{
		name: "an import of what a stack does not export", rule: "output-unknown", in: pipeline, on: "Test",
		inject: func(t *template) {
			t.set("Test", `{"Fn::ImportValue": "delivery-Pipeline:Image"}`, "Environment", "Image")
		},
	},
	{
		name: "too many resources", rule: "too-many-resources", in: edge, on: "",
		inject: func(t *template) {
			for i := range 493 {
				t.add(fmt.Sprintf("More%d", i), `{"Type": "AWS::CloudFormation::WaitConditionHandle"}`)
			}
		},
	},
	{
		name: "too many outputs", rule: "too-many-outputs", in: edge, on: "",
		inject: func(t *template) { t.setRoot(any(many(201, map[string]any{"Value": "1"})), "Outputs") },
	},
	{
		name: "too many parameters", rule: "too-many-parameters", in: edge, on: "",
		inject: func(t *template) {
			parameters := many(200, map[string]any{"Type": "String"})
			for name, p := range t.root["Parameters"].(map[string]any) {
				parameters[name] = p
			}
			t.setRoot(any(parameters), "Parameters")
		},
	},
	{
		name: "too many mappings", rule: "too-many-mappings", in: edge, on: "",
		inject: func(t *template) { t.setRoot(any(many(201, parse(`{"a": {"b": "c"}}`))), "Mappings") },
	},
	{
		name: "a template of more than a megabyte", rule: "template-size", in: edge, on: "",
		inject: func(t *template) { t.setBody("Listener", strings.Repeat("x", 1<<20), "Metadata") },
	},
	{
		name: "a description that is too long", rule: "description-size", in: services, on: "",
		inject: func(t *template) { t.setRoot(strings.Repeat("x", 1025), "Description") },
	},
	{
		name: "the name of a load balancer is too long", rule: "name-too-long", in: edge, on: "LoadBalancer",
		inject: func(t *template) { t.set("LoadBalancer", strings.Repeat("b", 33), "Name") },
	},
	{
		name: "the name of a target group of several pieces is too long", rule: "name-too-long", in: edge, on: "Targets",
		inject: func(t *template) {
			t.set("Targets", `{"Fn::Join": ["-", ["a-target-group", {"Ref": "AWS::AccountId"}, "12345"]]}`, "Name")
		},
	},
	{
		name: "the name of a role is too long", rule: "name-too-long", in: pipeline, on: "BuildRole",
		inject: func(t *template) { t.set("BuildRole", strings.Repeat("r", 65), "RoleName") },
	},
	{
		name: "the inline policies of a role are too long together", rule: "policy-size", in: services, on: "apiTaskRole",
		inject: func(t *template) {
			t.set("apiTaskRole", []any{
				map[string]any{"PolicyName": "one", "PolicyDocument": policyOf(5100)},
				map[string]any{"PolicyName": "two", "PolicyDocument": policyOf(5100)},
			}, "Policies")
		},
	},
	{
		name: "a managed policy is too long", rule: "policy-size", in: pipeline, on: "TestPolicy",
		inject: func(t *template) { t.set("TestPolicy", policyOf(6100), "PolicyDocument") },
	},
	{
		name: "a service in too many security groups", rule: "too-many-items", in: nested, on: "Service",
		inject: func(t *template) {
			group := parse(`{"Fn::GetAtt": ["Group", "GroupId"]}`)
			t.set("Service", []any{group, group, group, group, group, group}, "NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups")
		},
	},
}
