package gate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// oneTemplate returns an assembly of one template, "t".
func oneTemplate(t testing.TB, template string) *Assembly {
	t.Helper()
	return mustRead(t, fstest.MapFS{"t.template.json": {Data: []byte(template)}})
}

// found returns the findings of one rule, as "Resource: message".
func found(t testing.TB, rule string, a *Assembly) []string {
	t.Helper()
	found := []string{}
	for _, f := range a.Check() {
		if f.Rule == rule {
			found = append(found, f.Resource+": "+f.Message)
		}
	}
	return found
}

// ruleCase is a template of some resources with the resources on which a rule must find a
// mistake; none means that the rule must stay silent.
type ruleCase struct {
	name, rule string
	resources  string
	on         []string
}

func (c ruleCase) run(t *testing.T) {
	t.Helper()
	got := []string{}
	for _, line := range found(t, c.rule, oneTemplate(t, `{"Resources": {`+c.resources+`}}`)) {
		resource, _, _ := strings.Cut(line, ":")
		got = append(got, resource)
	}
	if fmt.Sprint(got) != fmt.Sprint(c.on) {
		t.Errorf("%s: want findings on %v, got %v", c.rule, c.on, got)
	}
}

func runCases(t *testing.T, cases []ruleCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) { c.run(t) })
	}
}

// ecsTask returns a task definition T of containers and further properties.
func ecsTask(containers, more string) string {
	return `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": ` + containers + more + `}}`
}

func ecsService(properties string) string {
	return `"S": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": {"Ref": "T"}` + properties + `}}`
}

const (
	onT = "T"
	onS = "S"
)

func TestContainerRules(t *testing.T) {
	fargate := func(properties string) string {
		return ecsTask(`[{"Name": "a"}]`, `, "RequiresCompatibilities": ["FARGATE"], "NetworkMode": "awsvpc"`+properties)
	}
	balanced := func(containers, port string) string {
		return ecsTask(containers, "") + "," + ecsService(`, "LoadBalancers": [{"ContainerName": "a", "ContainerPort": `+port+`}]`)
	}
	runCases(t, []ruleCase{
		{"mapped", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPort": 80}]}]`, `80`), nil},
		{"mapped as text", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPort": "80"}]}]`, `80`), nil},
		{"not mapped", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPort": 81}]}]`, `80`), []string{onS}},
		{"first of a range", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPortRange": "80-90"}]}]`, `80`), nil},
		{"last of a range", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPortRange": "80-90"}]}]`, `90`), nil},
		{"below a range", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPortRange": "80-90"}]}]`, `79`), []string{onS}},
		{"above a range", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPortRange": "80-90"}]}]`, `91`), []string{onS}},
		{"a range that is none", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPortRange": "80"}]}]`, `80`), []string{onS}},
		{"a mapping by parameter", "container-port", balanced(`[{"Name": "a", "PortMappings": [{"ContainerPort": {"Ref": "P"}}]}]`, `80`), nil},
		{"a port by parameter", "container-port", balanced(`[{"Name": "a"}]`, `{"Ref": "P"}`), nil},
		{"an unknown container is another rule's", "container-port", balanced(`[{"Name": "b"}]`, `80`), nil},
		{"a task set", "container-port", ecsTask(`[{"Name": "a"}]`, "") + `, "S": {"Type": "AWS::ECS::TaskSet", "Properties": {"TaskDefinition": {"Ref": "T"}, "LoadBalancers": [{"ContainerName": "a", "ContainerPort": 80}]}}`, []string{onS}},
		{"a registry", "container-port", ecsTask(`[{"Name": "a"}]`, "") + "," + ecsService(`, "ServiceRegistries": [{"ContainerName": "a", "ContainerPort": 80}]`), []string{onS}},
		{"a registry by address", "container-port", ecsTask(`[{"Name": "a"}]`, "") + "," + ecsService(`, "ServiceRegistries": [{"RegistryArn": "x"}]`), nil},
		{"a task of elsewhere", "container-port", `"S": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "web:1", "LoadBalancers": [{"ContainerName": "a", "ContainerPort": 80}]}}`, nil},
		{"not a task", "container-port", `"T": {"Type": "AWS::SQS::Queue"}, ` + ecsService(`, "LoadBalancers": [{"ContainerName": "a", "ContainerPort": 80}]`), nil},

		{"known", "container-unknown", balanced(`[{"Name": "b"}, {"Name": "a"}]`, `80`), nil},
		{"unknown", "container-unknown", balanced(`[{"Name": "b"}]`, `80`), []string{onS}},
		{"a name by parameter", "container-unknown", balanced(`[{"Name": {"Ref": "N"}}, {"Name": "b"}]`, `80`), nil},
		{"a container that a macro makes", "container-unknown", balanced(`[{"Fn::Transform": {}}, {"Name": "b"}]`, `80`), nil},
		{"containers by parameter", "container-unknown", balanced(`{"Fn::FindInMap": ["a", "b", "c"]}`, `80`), nil},
		{"a container that is none", "container-unknown", balanced(`["b"]`, `80`), nil},

		{"named", "service-connect-port", ecsTask(`[{"Name": "a", "PortMappings": [{"Name": "http"}]}]`, "") + "," + ecsService(`, "ServiceConnectConfiguration": {"Services": [{"PortName": "http"}]}`), nil},
		{"not named", "service-connect-port", ecsTask(`[{"Name": "a", "PortMappings": [{"ContainerPort": 80}]}]`, "") + "," + ecsService(`, "ServiceConnectConfiguration": {"Services": [{"PortName": "http"}]}`), []string{onS}},
		{"named by parameter", "service-connect-port", ecsTask(`[{"Name": "a", "PortMappings": [{"Name": {"Ref": "N"}}]}]`, "") + "," + ecsService(`, "ServiceConnectConfiguration": {"Services": [{"PortName": "http"}]}`), nil},
		{"offered by parameter", "service-connect-port", ecsTask(`[{"Name": "a"}]`, "") + "," + ecsService(`, "ServiceConnectConfiguration": {"Services": [{"PortName": {"Ref": "N"}}]}`), nil},
		{"a task of elsewhere", "service-connect-port", `"S": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "web:1", "ServiceConnectConfiguration": {"Services": [{"PortName": "http"}]}}}`, nil},
		{"containers by parameter", "service-connect-port", ecsTask(`{"Ref": "C"}`, "") + "," + ecsService(`, "ServiceConnectConfiguration": {"Services": [{"PortName": "http"}]}`), nil},

		{"different", "container-name-duplicate", ecsTask(`[{"Name": "a"}, {"Name": "b"}, {}, {}]`, ""), nil},
		{"same", "container-name-duplicate", ecsTask(`[{"Name": "a"}, {"Name": "b"}, {"Name": "a"}]`, ""), []string{onT}},

		{"awsvpc", "port-conflict", ecsTask(`[{"PortMappings": [{"ContainerPort": 80}]}, {"PortMappings": [{"ContainerPort": "80", "Protocol": "tcp"}]}]`, `, "NetworkMode": "awsvpc"`), []string{onT}},
		{"host", "port-conflict", ecsTask(`[{"PortMappings": [{"ContainerPort": 80}]}, {"PortMappings": [{"ContainerPort": 80}]}]`, `, "NetworkMode": "host"`), []string{onT}},
		{"one container twice", "port-conflict", ecsTask(`[{"PortMappings": [{"ContainerPort": 80}, {"ContainerPort": 80}]}]`, `, "NetworkMode": "awsvpc"`), []string{onT}},
		{"tcp and udp", "port-conflict", ecsTask(`[{"PortMappings": [{"ContainerPort": 53}]}, {"PortMappings": [{"ContainerPort": 53, "Protocol": "udp"}]}]`, `, "NetworkMode": "awsvpc"`), nil},
		{"bridge, own interfaces", "port-conflict", ecsTask(`[{"PortMappings": [{"ContainerPort": 80}]}, {"PortMappings": [{"ContainerPort": 80}]}]`, `, "NetworkMode": "bridge"`), nil},
		{"bridge, dynamic ports", "port-conflict", ecsTask(`[{"PortMappings": [{"ContainerPort": 80, "HostPort": 0}]}, {"PortMappings": [{"ContainerPort": 80, "HostPort": 0}]}]`, ""), nil},
		{"bridge, one port of the host", "port-conflict", ecsTask(`[{"PortMappings": [{"ContainerPort": 80, "HostPort": 8080}]}, {"PortMappings": [{"ContainerPort": 81, "HostPort": 8080}]}]`, ""), []string{onT}},

		{"declared", "volume-undeclared", ecsTask(`[{"MountPoints": [{"SourceVolume": "v"}]}]`, `, "Volumes": [{"Name": "w"}, {"Name": "v"}]`), nil},
		{"undeclared", "volume-undeclared", ecsTask(`[{"MountPoints": [{"SourceVolume": "v"}]}]`, `, "Volumes": [{"Name": "w"}]`), []string{onT}},
		{"declared by parameter", "volume-undeclared", ecsTask(`[{"MountPoints": [{"SourceVolume": "v"}]}]`, `, "Volumes": [{"Name": {"Ref": "V"}}]`), nil},
		{"volumes by parameter", "volume-undeclared", ecsTask(`[{"MountPoints": [{"SourceVolume": "v"}]}]`, `, "Volumes": {"Fn::FindInMap": ["a", "b", "c"]}`), nil},
		{"mounted by parameter", "volume-undeclared", ecsTask(`[{"MountPoints": [{"SourceVolume": {"Ref": "V"}}]}]`, ""), nil},

		{"there", "container-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "START"}]}, {"Name": "b"}]`, ""), nil},
		{"ghost", "container-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "c", "Condition": "START"}]}, {"Name": "b"}]`, ""), []string{onT}},
		{"itself", "container-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "a", "Condition": "START"}]}]`, ""), []string{onT}},
		{"a loop of three", "container-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b"}]}, {"Name": "b", "DependsOn": [{"ContainerName": "c"}]}, {"Name": "c", "DependsOn": [{"ContainerName": "a"}]}]`, ""), []string{onT}},
		{"by parameter", "container-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": {"Ref": "C"}}]}]`, ""), nil},

		{"checked", "health-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "HEALTHY"}]}, {"Name": "b", "HealthCheck": {"Command": ["CMD", "true"]}}]`, ""), nil},
		{"not checked", "health-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "HEALTHY"}]}, {"Name": "b"}]`, ""), []string{onT}},
		{"a ghost is another rule's", "health-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "HEALTHY"}]}]`, ""), nil},

		{"complete, essential by default", "exit-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "COMPLETE"}]}, {"Name": "b"}]`, ""), []string{onT}},
		{"success, essential", "exit-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "SUCCESS"}]}, {"Name": "b", "Essential": true}]`, ""), []string{onT}},
		{"success, not essential", "exit-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "SUCCESS"}]}, {"Name": "b", "Essential": false}]`, ""), nil},
		{"start, essential", "exit-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "START"}]}, {"Name": "b", "Essential": true}]`, ""), nil},
		{"a ghost is another rule's", "exit-dependency", ecsTask(`[{"Name": "a", "DependsOn": [{"ContainerName": "b", "Condition": "SUCCESS"}]}]`, ""), nil},

		{"by default", "no-essential", ecsTask(`[{"Name": "a", "Essential": false}, {"Name": "b"}]`, ""), nil},
		{"none", "no-essential", ecsTask(`[{"Name": "a", "Essential": false}, {"Name": "b", "Essential": "false"}]`, ""), []string{onT}},
		{"by parameter", "no-essential", ecsTask(`[{"Name": "a", "Essential": {"Ref": "E"}}]`, ""), nil},
		{"no containers", "no-essential", ecsTask(`[]`, ""), []string{onT}},
		{"containers not known", "no-essential", ecsTask(`[{"Name": "a", "Essential": false}, {"Fn::Transform": {}}]`, ""), nil},

		{"memory at the limit", "task-size", ecsTask(`[{"Memory": 512}]`, `, "Memory": "512"`), nil},
		{"memory above the limit", "task-size", ecsTask(`[{"Memory": 513}]`, `, "Memory": 512`), []string{onT}},
		{"memory in GB", "task-size", ecsTask(`[{"Memory": 1024}]`, `, "Memory": "1 GB"`), nil},
		{"above memory in GB", "task-size", ecsTask(`[{"Memory": "1025"}]`, `, "Memory": "1gb"`), []string{onT}},
		{"reservations at the limit", "task-size", ecsTask(`[{"MemoryReservation": 256}, {"Memory": 256}]`, `, "Memory": 512`), nil},
		{"reservations above the limit", "task-size", ecsTask(`[{"MemoryReservation": 256}, {"Memory": 257}]`, `, "Memory": 512`), []string{onT}},
		{"limits may add up to more", "task-size", ecsTask(`[{"MemoryReservation": 100, "Memory": 500}, {"MemoryReservation": 100, "Memory": 500}]`, `, "Memory": 512`), nil},
		{"reserves its limit", "task-size", ecsTask(`[{"MemoryReservation": 100, "Memory": 100}]`, ""), nil},
		{"reserves above its limit", "task-size", ecsTask(`[{"MemoryReservation": 101, "Memory": 100}]`, ""), []string{onT}},
		{"no memory at all", "task-size", ecsTask(`[{"Name": "a"}]`, ""), []string{onT}},
		{"a reservation is enough", "task-size", ecsTask(`[{"MemoryReservation": 1}]`, ""), nil},
		{"memory of the task by parameter", "task-size", ecsTask(`[{"Name": "a"}, {"Memory": 9999}]`, `, "Memory": {"Ref": "M"}`), nil},
		{"cpu at the limit", "task-size", ecsTask(`[{"Cpu": 128}, {"Cpu": "128"}]`, `, "Cpu": ".25 vCPU", "Memory": 512`), nil},
		{"cpu above the limit", "task-size", ecsTask(`[{"Cpu": 128}, {"Cpu": 129}]`, `, "Cpu": "256", "Memory": 512`), []string{onT}},
		{"cpu of no unit", "task-size", ecsTask(`[{"Cpu": 128}]`, `, "Cpu": "1 core", "Memory": 512`), nil},

		{"smallest", "fargate-size", fargate(`, "Cpu": 256, "Memory": 512`), nil},
		{"256 with 1024", "fargate-size", fargate(`, "Cpu": 256, "Memory": 1024`), nil},
		{"256 with 1536", "fargate-size", fargate(`, "Cpu": 256, "Memory": 1536`), []string{onT}},
		{"256 with 2048", "fargate-size", fargate(`, "Cpu": 256, "Memory": 2048`), nil},
		{"256 with 3072", "fargate-size", fargate(`, "Cpu": 256, "Memory": 3072`), []string{onT}},
		{"512 with 512", "fargate-size", fargate(`, "Cpu": 512, "Memory": 512`), []string{onT}},
		{"512 with 4096", "fargate-size", fargate(`, "Cpu": "0.5 vCPU", "Memory": "4 GB"`), nil},
		{"1024 with 8192", "fargate-size", fargate(`, "Cpu": 1024, "Memory": 8192`), nil},
		{"1024 with 9216", "fargate-size", fargate(`, "Cpu": 1024, "Memory": 9216`), []string{onT}},
		{"4096 with 30720", "fargate-size", fargate(`, "Cpu": 4096, "Memory": 30720`), nil},
		{"8192 with 17408", "fargate-size", fargate(`, "Cpu": 8192, "Memory": 17408`), []string{onT}},
		{"8192 with 20480", "fargate-size", fargate(`, "Cpu": 8192, "Memory": 20480`), nil},
		{"16384 with 122880", "fargate-size", fargate(`, "Cpu": 16384, "Memory": 122880`), nil},
		{"16384 with 131072", "fargate-size", fargate(`, "Cpu": 16384, "Memory": 131072`), []string{onT}},
		{"larger ones may come", "fargate-size", fargate(`, "Cpu": 32768, "Memory": 131072`), nil},
		{"no such cpu", "fargate-size", fargate(`, "Cpu": 300, "Memory": 512`), []string{onT}},
		{"no cpu", "fargate-size", fargate(`, "Memory": 512`), []string{onT}},
		{"no memory", "fargate-size", fargate(`, "Cpu": 256`), []string{onT}},
		{"by parameter", "fargate-size", fargate(`, "Cpu": {"Ref": "C"}, "Memory": 1`), nil},
		{"not on Fargate", "fargate-size", ecsTask(`[]`, `, "Cpu": 300, "RequiresCompatibilities": ["EC2"]`), nil},
		{"no network mode", "fargate-size", ecsTask(`[]`, `, "Cpu": 256, "Memory": 512, "RequiresCompatibilities": ["FARGATE"]`), []string{onT}},
		{"network mode by parameter", "fargate-size", ecsTask(`[]`, `, "NetworkMode": {"Ref": "N"}, "Cpu": 256, "Memory": 512, "RequiresCompatibilities": ["FARGATE"]`), nil},

		{"secrets", "execution-role", ecsTask(`[{"Secrets": [{"Name": "A"}]}]`, ""), []string{onT}},
		{"no secrets", "execution-role", ecsTask(`[{"Secrets": []}]`, ""), nil},
		{"secrets of logs", "execution-role", ecsTask(`[{"LogConfiguration": {"SecretOptions": [{"Name": "A"}]}}]`, ""), []string{onT}},
		{"credentials of a registry", "execution-role", ecsTask(`[{"RepositoryCredentials": {"CredentialsParameter": "x"}}]`, ""), []string{onT}},
		{"with a role", "execution-role", ecsTask(`[{"Secrets": [{"Name": "A"}]}]`, `, "ExecutionRoleArn": "arn:aws:iam::1:role/x"`), nil},
		{"logs on Fargate", "execution-role", ecsTask(`[{"LogConfiguration": {"LogDriver": "awslogs"}}]`, `, "RequiresCompatibilities": ["EC2", "FARGATE"]`), []string{onT}},
		{"logs on EC2, by the host's role", "execution-role", ecsTask(`[{"LogConfiguration": {"LogDriver": "awslogs"}}]`, ""), nil},
		{"ECR on Fargate", "execution-role", ecsTask(`[{"Image": "1.dkr.ecr.eu-west-1.amazonaws.com/a"}]`, `, "RequiresCompatibilities": "FARGATE"`), []string{onT}},
		{"a repository of the template", "execution-role", `"R": {"Type": "AWS::ECR::Repository"}, ` + ecsTask(`[{"Image": {"Fn::Join": ["", [{"Fn::GetAtt": "R.RepositoryUri"}, ":1"]]}}]`, `, "RequiresCompatibilities": ["FARGATE"]`), []string{onT}},
		{"public ECR", "execution-role", ecsTask(`[{"Image": "public.ecr.aws/a/b"}]`, `, "RequiresCompatibilities": ["FARGATE"]`), nil},

		{"logged", "container-logs", ecsTask(`[{"LogConfiguration": {"LogDriver": "awslogs"}}]`, ""), nil},
		{"driver none", "container-logs", ecsTask(`[{"LogConfiguration": {"LogDriver": "none"}}]`, ""), []string{onT}},

		{"not privileged", "privileged", ecsTask(`[{"Privileged": false}, {"Privileged": {"Ref": "P"}}]`, ""), nil},
		{"privileged", "privileged", ecsTask(`[{"Privileged": "True"}]`, ""), []string{onT}},

		{"host network", "host-namespace", ecsTask(`[]`, `, "NetworkMode": "host"`), []string{onT}},
		{"host memory", "host-namespace", ecsTask(`[]`, `, "IpcMode": "host"`), []string{onT}},
		{"shared in the task", "host-namespace", ecsTask(`[]`, `, "PidMode": "task", "IpcMode": "task", "NetworkMode": "awsvpc"`), nil},

		{"newest", "platform-version", ecsTask(`[]`, "") + "," + ecsService(`, "PlatformVersion": "LATEST"`), nil},
		{"1.4.0", "platform-version", ecsTask(`[]`, "") + "," + ecsService(`, "PlatformVersion": "1.4.0"`), nil},
		{"1.3.0", "platform-version", ecsTask(`[]`, "") + "," + ecsService(`, "PlatformVersion": "1.3.0"`), []string{onS}},
		{"Windows", "platform-version", ecsTask(`[]`, `, "RuntimePlatform": {"OperatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}`) + "," + ecsService(`, "PlatformVersion": "1.0.0"`), nil},
		{"a task of elsewhere", "platform-version", `"S": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "web:1", "PlatformVersion": "1.0.0"}}`, nil},

		{"on", "circuit-breaker", ecsService(`, "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": true, "Rollback": "true"}}`), nil},
		{"off", "circuit-breaker", ecsService(`, "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": false, "Rollback": true}}`), []string{onS}},
		{"no rollback", "circuit-breaker", ecsService(`, "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": true}}`), []string{onS}},
		{"by parameter", "circuit-breaker", ecsService(`, "DeploymentConfiguration": {"DeploymentCircuitBreaker": {"Enable": {"Ref": "E"}, "Rollback": true}}`), nil},
		{"by mapping", "circuit-breaker", ecsService(`, "DeploymentConfiguration": {"Fn::FindInMap": ["a", "b", "c"]}`), nil},
		{"rolling by name", "circuit-breaker", ecsService(`, "DeploymentController": {"Type": "ECS"}, "DeploymentConfiguration": {"Strategy": "ROLLING"}`), []string{onS}},
		{"CodeDeploy", "circuit-breaker", ecsService(`, "DeploymentController": {"Type": "CODE_DEPLOY"}`), nil},
		{"blue/green", "circuit-breaker", ecsService(`, "DeploymentConfiguration": {"Strategy": "BLUE_GREEN"}`), nil},

		{"set", "health-grace", ecsService(`, "HealthCheckGracePeriodSeconds": 1, "LoadBalancers": [{}]`), nil},
		{"zero", "health-grace", ecsService(`, "HealthCheckGracePeriodSeconds": 0, "LoadBalancers": [{}]`), []string{onS}},
		{"absent", "health-grace", ecsService(`, "LoadBalancers": [{}]`), []string{onS}},
		{"by parameter", "health-grace", ecsService(`, "HealthCheckGracePeriodSeconds": {"Ref": "G"}, "LoadBalancers": [{}]`), nil},
		{"no load balancer", "health-grace", ecsService(`, "LoadBalancers": []`), nil},
		{"load balancers by parameter", "health-grace", ecsService(`, "LoadBalancers": {"Ref": "L"}`), nil},
	})
}

func TestWiringRules(t *testing.T) {
	group := func(properties string) string {
		return `"G": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {` + properties + `}}, `
	}
	balanced := func(mode, more string) string {
		return ecsTask(`[]`, mode) + "," + ecsService(`, "LoadBalancers": [{"TargetGroupArn": {"Ref": "G"}}]`+more)
	}
	awsvpc, bridge, host := `, "NetworkMode": "awsvpc"`, `, "NetworkMode": "bridge"`, `, "NetworkMode": "host"`
	listener := `"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "G"}}]}}, `
	waiting := func(on string) string {
		return `"S": {"Type": "AWS::ECS::Service", "DependsOn": ` + on + `, "Properties": {"LoadBalancers": [{"TargetGroupArn": {"Ref": "G"}}]}}`
	}
	capacity := func(least, most string) string {
		return `"C": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"ServiceNamespace": "sqs", "MinCapacity": ` + least + `, "MaxCapacity": ` + most + `}}`
	}
	scaled := func(id string) string {
		return `"C": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"ServiceNamespace": "ecs", "ResourceId": ` + id + `}},
			"K": {"Type": "AWS::ECS::Cluster"}, "S": {"Type": "AWS::ECS::Service", "Properties": {"ServiceName": "web"}}`
	}
	runCases(t, []ruleCase{
		{"ip", "target-type", group(`"TargetType": "ip"`) + balanced(awsvpc, ""), nil},
		{"instance", "target-type", group(`"TargetType": "instance"`) + balanced(awsvpc, ""), []string{"G"}},
		{"by default", "target-type", group(``) + balanced(awsvpc, ""), []string{"G"}},
		{"lambda", "target-type", group(`"TargetType": "lambda"`) + balanced(awsvpc, ""), []string{"G"}},
		{"by parameter", "target-type", group(`"TargetType": {"Ref": "T"}`) + balanced(awsvpc, ""), nil},
		{"Fargate by launch type", "target-type", group(``) + balanced("", `, "LaunchType": "FARGATE"`), []string{"G"}},
		{"Fargate by strategy", "target-type", group(``) + balanced("", `, "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT"}]`), []string{"G"}},
		{"EC2 by strategy", "target-type", group(``) + balanced("", `, "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE"}, {"CapacityProvider": "mine"}]`), nil},
		{"bridge", "target-type", group(``) + balanced(bridge, ""), nil},
		{"bridge and ip", "target-type", group(`"TargetType": "ip"`) + balanced(bridge, ""), []string{"G"}},
		{"host and ip", "target-type", group(`"TargetType": "ip"`) + balanced(host, ""), []string{"G"}},
		{"mode not known and ip", "target-type", group(`"TargetType": "ip"`) + balanced("", ""), nil},
		{"not a target group", "target-type", `"G": {"Type": "AWS::SQS::Queue"}, ` + balanced(awsvpc, ""), nil},

		{"waits", "listener-order", group("") + listener + waiting(`"L"`), nil},
		{"does not wait", "listener-order", group("") + listener + waiting(`"G"`), []string{"S"}},
		{"waits for what waits", "listener-order", group("") + listener + `"W": {"Type": "AWS::CloudFormation::WaitConditionHandle", "DependsOn": ["L"]}, ` + waiting(`["W"]`), nil},
		{"waits by reference", "listener-order", group("") + listener + `"S": {"Type": "AWS::ECS::Service", "Properties": {"LoadBalancers": [{"TargetGroupArn": {"Ref": "G"}}], "Tags": [{"Key": "l", "Value": {"Ref": "L"}}]}}`, nil},
		{"the listener waits", "listener-order", group("") + `"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "DependsOn": "S", "Properties": {"DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "G"}}]}}, ` + waiting(`"G"`), []string{"S"}},
		{"a rule that shares between groups", "listener-order", group("") + `"L": {"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": {"Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "x"}, {"TargetGroupArn": {"Ref": "G"}}]}}]}}, ` + waiting(`"L"`), nil},
		{"no listener", "listener-order", group("") + waiting(`"G"`), []string{"S"}},
		{"a listener for another group", "listener-order", group("") + `"O": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup"}, "L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"DefaultActions": [{"TargetGroupArn": {"Ref": "O"}}]}}, ` + waiting(`"L"`), []string{"S"}},
		{"a listener for a group by parameter", "listener-order", group("") + `"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"DefaultActions": [{"TargetGroupArn": {"Ref": "P"}}]}}, ` + waiting(`"G"`), nil},
		{"a listener with actions by parameter", "listener-order", group("") + `"L": {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"DefaultActions": {"Ref": "P"}}}, ` + waiting(`"G"`), nil},
		{"one of two listeners is enough", "listener-order", group("") + listener + strings.Replace(listener, `"L"`, `"M"`, 1) + waiting(`"M"`), nil},

		{"below", "scaling-range", capacity("1", "2"), nil},
		{"equal", "scaling-range", capacity("2", `"2"`), nil},
		{"above", "scaling-range", capacity(`"3"`, "2"), []string{"C"}},
		{"minimum by parameter", "scaling-range", capacity(`{"Ref": "P"}`, "2"), nil},
		{"maximum by parameter", "scaling-range", capacity("1", `{"Ref": "P"}`), nil},
		{"a group of instances", "scaling-range", `"C": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {"MinSize": "2", "MaxSize": "1"}}`, []string{"C"}},
		{"a serverless cluster", "scaling-range", `"C": {"Type": "AWS::RDS::DBCluster", "Properties": {"ServerlessV2ScalingConfiguration": {"MinCapacity": 1, "MaxCapacity": 0.5}}}`, []string{"C"}},
		{"a serverless cluster of old", "scaling-range", `"C": {"Type": "AWS::RDS::DBCluster", "Properties": {"ScalingConfiguration": {"MinCapacity": 4, "MaxCapacity": 2}}}`, []string{"C"}},

		{"by name", "scaling-target", scaled(`"service/k/web"`), nil},
		{"joined", "scaling-target", scaled(`{"Fn::Join": ["", ["service/", {"Ref": "K"}, "/", {"Fn::GetAtt": ["S", "Name"]}]]}`), nil},
		{"substituted", "scaling-target", scaled(`{"Fn::Sub": "service/${K}/${S.Name}"}`), nil},
		{"substituted by own variables", "scaling-target", scaled(`{"Fn::Sub": ["service/${k}/${S.Name}", {"k": {"Ref": "K"}}]}`), nil},
		{"a name of the assembly", "scaling-target", scaled(`{"Fn::Sub": "service/${K}/web"}`), nil},
		{"no name of the assembly", "scaling-target", scaled(`{"Fn::Sub": "service/${K}/api"}`), []string{"C"}},
		{"a name on another cluster", "scaling-target", scaled(`"service/other/api"`), nil},
		{"the ARN of a cluster", "scaling-target", scaled(`{"Fn::Sub": "service/${K.Arn}/web"}`), []string{"C"}},
		{"a service as cluster", "scaling-target", scaled(`{"Fn::Sub": "service/${S}/web"}`), []string{"C"}},
		{"the ARN of a service", "scaling-target", scaled(`{"Fn::Sub": "service/${K}/${S}"}`), []string{"C"}},
		{"a cluster as service", "scaling-target", scaled(`{"Fn::Sub": "service/${K}/${K}"}`), []string{"C"}},
		{"two parts", "scaling-target", scaled(`"service/web"`), []string{"C"}},
		{"two parts and a parameter", "scaling-target", scaled(`{"Fn::Sub": "service/${P}"}`), nil},
		{"four parts", "scaling-target", scaled(`"service/k/web/1"`), []string{"C"}},
		{"another first part", "scaling-target", scaled(`"services/k/web"`), []string{"C"}},
		{"an empty part", "scaling-target", scaled(`"service//web"`), []string{"C"}},
		{"an empty last part", "scaling-target", scaled(`"service/k/"`), []string{"C"}},
		{"a name of several pieces", "scaling-target", scaled(`{"Fn::Sub": "service/${K}/a${P}"}`), nil},
		{"not known", "scaling-target", scaled(`{"Fn::Transform": {}}`), nil},
		{"another service of AWS", "scaling-target", `"C": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"ServiceNamespace": "dynamodb", "ResourceId": "table/x"}}`, nil},
		{"a service without a name", "scaling-target", `"C": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"ServiceNamespace": "ecs", "ResourceId": {"Fn::Sub": "service/${K}/api"}}}, "K": {"Type": "AWS::ECS::Cluster"}, "S": {"Type": "AWS::ECS::Service", "Properties": {"ServiceName": {"Ref": "N"}}}`, nil},
	})
}

func TestReferenceRules(t *testing.T) {
	cases := []struct{ name, template, want string }{
		{"all resolve", `{"Parameters": {"P": {}}, "Mappings": {"M": {"a": {"b": "c"}}}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}, "D": {"Fn::Not": [{"Condition": "C"}]}},
			"Resources": {"A": {"Type": "X", "Condition": "C", "DependsOn": "B", "Properties": {
				"a": {"Ref": "P"}, "b": {"Fn::GetAtt": ["B", "Arn"]}, "c": {"Fn::GetAtt": "B.Arn"}, "d": {"Fn::Sub": "${P}${B}${B.Arn}${!Lit}${AWS::Region}"},
				"e": {"Fn::Sub": ["${v}", {"v": {"Ref": "B"}}]}, "f": {"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]}, "g": {"Fn::FindInMap": ["M", "a", "b"]},
				"h": {"Fn::FindInMap": ["M", {"Ref": "P"}, "z"]}, "i": {"Fn::FindInMap": ["M", "z", "z", {"DefaultValue": 1}]}, "j": {"Condition": {"StringEquals": {}}}
			}}, "B": {"Type": "Y"}}, "Outputs": {"O": {"Condition": "D", "Value": {"Ref": "A"}}}}`, ""},
		{"Ref", `{"Resources": {"A": {"Properties": {"x": [{"y": {"Ref": "Z"}}]}}}}`, `A: Ref names "Z", which is neither a resource nor a parameter of the template`},
		{"pseudo parameter", `{"Resources": {"A": {"Properties": {"x": {"Ref": "AWS::Zone"}}}}}`, `A: Ref names "AWS::Zone", which is no pseudo parameter of CloudFormation`},
		{"GetAtt", `{"Resources": {"A": {"Properties": {"x": {"Fn::GetAtt": ["Z", "Arn"]}}}}}`, `A: Fn::GetAtt reads "Arn" of "Z", which is no resource of the template`},
		{"GetAtt of a parameter", `{"Parameters": {"P": {}}, "Resources": {"A": {"Properties": {"x": {"Fn::GetAtt": "P.Arn"}}}}}`, `A: Fn::GetAtt reads "Arn" of "P", which is no resource of the template`},
		{"GetAtt without attribute", `{"Resources": {"A": {"Properties": {"x": {"Fn::GetAtt": "B"}}}, "B": {}}}`, `A: Fn::GetAtt of "B" names no attribute`},
		{"Sub of an attribute", `{"Resources": {"A": {"Properties": {"x": {"Fn::Sub": "a${Z.Arn}"}}}}}`, `A: Fn::Sub reads "Arn" of "Z", which is no resource of the template`},
		{
			"Sub with own variables", `{"Resources": {"A": {"Properties": {"x": {"Fn::Sub": ["${a}${b}", {"a": {"Ref": "Z"}}]}}}}}`,
			`A: Fn::Sub names "b", which is neither a resource nor a parameter of the template; A: Ref names "Z", which is neither a resource nor a parameter of the template`,
		},
		{"DependsOn", `{"Resources": {"A": {"DependsOn": ["B", "Z"]}, "B": {}}}`, `A: DependsOn names "Z", which is no resource of the template`},
		{"Condition", `{"Resources": {"A": {"Condition": "C"}}}`, `A: its Condition "C" is not in the template`},
		{"Fn::If", `{"Resources": {"A": {"Properties": {"x": {"Fn::If": ["C", 1, 2]}}}}}`, `A: Fn::If asks for the condition "C", which the template does not have`},
		{
			"the other branch of Fn::If", `{"Parameters": {"P": {"Default": "x"}}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}, "Resources": {"A": {"Properties": {"x": {"Fn::If": ["C", 1, {"Ref": "Z"}]}}}}}`,
			`A: Ref names "Z", which is neither a resource nor a parameter of the template`,
		},
		{"no mapping", `{"Resources": {"A": {"Properties": {"x": {"Fn::FindInMap": ["M", "a", "b"]}}}}}`, `A: Fn::FindInMap names ["M","a","b"], which the mappings of the template do not have`},
		{"no mapping, keys not known", `{"Resources": {"A": {"Properties": {"x": {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "b"]}}}}}`, `A: Fn::FindInMap names ["M",{"Ref":"AWS::Region"},"b"], which the mappings of the template do not have`},
		{"no last key", `{"Mappings": {"M": {"a": {"c": 1}}}, "Resources": {"A": {"Properties": {"x": {"Fn::FindInMap": ["M", "a", "b"]}}}}}`, `A: Fn::FindInMap names ["M","a","b"], which the mappings of the template do not have`},
		{
			"a condition of a condition", `{"Conditions": {"C": {"Fn::And": [{"Condition": "D"}, {"Fn::Or": [{"Fn::Not": [{"Condition": "E"}]}]}]}}, "Resources": {}}`,
			`: condition C: it names the condition "D", which the template does not have; : condition C: it names the condition "E", which the template does not have`,
		},
		{"a parameter of a condition", `{"Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "x"]}}, "Resources": {}}`, `: condition C: Ref names "P", which is neither a resource nor a parameter of the template`},
		{
			"an output", `{"Resources": {}, "Outputs": {"O": {"Condition": "C", "Value": {"Ref": "A"}}}}`,
			`: output O: Ref names "A", which is neither a resource nor a parameter of the template; : output O: its Condition "C" is not in the template`,
		},
		{"a macro may add it", `{"Transform": "AWS::Serverless-2016-10-31", "Resources": {"A": {"Properties": {"x": {"Ref": "ARole"}}}}}`, ""},
		{"an inner macro may add it", `{"Resources": {"A": {"Properties": {"Fn::Transform": {"Name": "x"}, "x": {"Ref": "ARole"}}}}}`, ""},
		{"a loop may add it", `{"Resources": {"Fn::ForEach::Queues": ["Q", ["a"], {"Queue${Q}": {}}], "A": {"Properties": {"x": {"Ref": "Queuea"}}}}}`, ""},
		{"what is not of a template's form", `{"Resources": {"A": 1, "B": {"Type": 2, "Properties": [], "DependsOn": [3], "Metadata": "x"}}, "Outputs": [], "Conditions": {"C": 1}}`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(found(t, "reference-unresolved", oneTemplate(t, c.template)), "; "); got != c.want {
				t.Errorf("want %s\ngot  %s", c.want, got)
			}
		})
	}
}

func objects(n int, body string) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"A%d": %s`, i, body)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func TestQuotasOfTemplates(t *testing.T) {
	padded := func(size int) string {
		const around = `{"Resources": {"A": {"Type": "X"}}, "Metadata": ""}`
		return `{"Resources": {"A": {"Type": "X"}}, "Metadata": "` + strings.Repeat("x", size-len(around)) + `"}`
	}
	cases := []struct {
		rule, at, above string
		want            string
	}{
		{"too-many-resources", `{"Resources": ` + objects(500, `{}`) + `}`, `{"Resources": ` + objects(501, `{}`) + `}`, ": the template has 501 resources, and CloudFormation takes 500"},
		{"too-many-outputs", `{"Outputs": ` + objects(200, `{}`) + `}`, `{"Outputs": ` + objects(201, `{}`) + `}`, ": the template has 201 outputs, and CloudFormation takes 200"},
		{"too-many-parameters", `{"Parameters": ` + objects(200, `{}`) + `}`, `{"Parameters": ` + objects(201, `{}`) + `}`, ": the template has 201 parameters, and CloudFormation takes 200"},
		{"too-many-mappings", `{"Mappings": ` + objects(200, `{}`) + `}`, `{"Mappings": ` + objects(201, `{}`) + `}`, ": the template has 201 mappings, and CloudFormation takes 200"},
		{"template-size", padded(1048576), padded(1048577), ": the template has 1048577 bytes, and CloudFormation takes 1048576"},
		{"description-size", `{"Description": "` + strings.Repeat("x", 1024) + `"}`, `{"Description": "` + strings.Repeat("x", 1025) + `"}`, ": the description of the template has 1025 bytes, and CloudFormation takes 1024"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if got := found(t, c.rule, oneTemplate(t, c.at)); len(got) > 0 {
				t.Errorf("at the quota nothing may be found: %v", got)
			}
			if got := strings.Join(found(t, c.rule, oneTemplate(t, c.above)), "; "); got != c.want {
				t.Errorf("above the quota: want %s, got %s", c.want, got)
			}
		})
	}
}

func TestQuotasOfNames(t *testing.T) {
	for _, row := range names {
		for _, n := range []int{row.most, row.most + 1} {
			resource := fmt.Sprintf(`"A": {"Type": %q, "Properties": {%q: %q}}`, row.of, row.property, strings.Repeat("x", n))
			on := []string(nil)
			if n > row.most {
				on = []string{"A"}
			}
			ruleCase{rule: "name-too-long", resources: resource, on: on}.run(t)
		}
	}
	group := func(name string) string {
		return `"A": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {"Name": ` + name + `}}`
	}
	runCases(t, []ruleCase{
		{"characters, not bytes", "name-too-long", group(`"` + strings.Repeat("é", 32) + `"`), nil},
		{"an account has twelve", "name-too-long", group(`{"Fn::Sub": "` + strings.Repeat("x", 20) + `${AWS::AccountId}"}`), nil},
		{"an account has twelve, and one more", "name-too-long", group(`{"Fn::Sub": "` + strings.Repeat("x", 21) + `${AWS::AccountId}"}`), []string{"A"}},
		{"a region has nine", "name-too-long", group(`{"Fn::Sub": "` + strings.Repeat("x", 23) + `${AWS::Region}"}`), nil},
		{"a region has nine, and one more", "name-too-long", group(`{"Fn::Sub": "` + strings.Repeat("x", 24) + `${AWS::Region}"}`), []string{"A"}},
		{"a reference has one", "name-too-long", group(`{"Fn::Join": ["", ["` + strings.Repeat("x", 31) + `", {"Ref": "AWS::StackName"}]]}`), nil},
		{"a reference has one, and one more", "name-too-long", group(`{"Fn::Join": ["", ["` + strings.Repeat("x", 32) + `", {"Ref": "AWS::StackName"}]]}`), []string{"A"}},
		{"not known", "name-too-long", group(`{"Fn::Transform": "` + strings.Repeat("x", 99) + `"}`), nil},
	})
}

func TestQuotasOfLists(t *testing.T) {
	for _, row := range listed {
		for _, n := range []int{row.most, row.most + 1} {
			var value any = make([]any, n)
			for _, step := range []int{2, 1, 0} {
				if step < len(row.path) {
					value = map[string]any{row.path[step].(string): value}
				}
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			on := []string(nil)
			if n > row.most {
				on = []string{"A"}
			}
			ruleCase{rule: "too-many-items", resources: fmt.Sprintf(`"A": {"Type": %q, "Properties": %s}`, row.of, text), on: on}.run(t)
		}
	}
}

func TestQuotasOfPolicies(t *testing.T) {
	// {"S":"…"} has 8 characters around the text.
	document := func(n int) string { return `{"S": "` + strings.Repeat("x", n-8) + `"}` }
	role := func(policies, more string) string {
		return `"R": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [` + policies + `]` + more + `}}`
	}
	inlined := func(document string) string { return `{"PolicyDocument": ` + document + `}` }
	policy := func(document string) string {
		return `"P": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "R"}, "other"], "PolicyDocument": ` + document + `}}, `
	}
	on := []string{"R"}
	runCases(t, []ruleCase{
		{"at the quota", "policy-size", role(inlined(document(10240)), ""), nil},
		{"above", "policy-size", role(inlined(document(10241)), ""), on},
		{"two at the quota", "policy-size", role(inlined(document(240))+","+inlined(document(10000)), ""), nil},
		{"two above", "policy-size", role(inlined(document(241))+","+inlined(document(10000)), ""), on},
		{"one beside, at the quota", "policy-size", policy(document(10000)) + role(inlined(document(240)), ""), nil},
		{"one beside, above", "policy-size", policy(document(10000)) + role(inlined(document(241)), ""), on},
		{"a role policy", "policy-size", `"P": {"Type": "AWS::IAM::RolePolicy", "Properties": {"RoleName": {"Ref": "R"}, "PolicyDocument": ` + document(10241) + `}}, ` + role("", ""), on},
		{"white space is not counted", "policy-size", role(inlined(`{"S": "`+strings.Repeat("x ", 10232)+`"}`), ""), nil},
		{"a group at the quota", "policy-size", `"R": {"Type": "AWS::IAM::Group", "Properties": {"Policies": [` + inlined(document(5120)) + `]}}`, nil},
		{"a group above", "policy-size", `"R": {"Type": "AWS::IAM::Group", "Properties": {"Policies": [` + inlined(document(5121)) + `]}}`, on},
		{"a user at the quota", "policy-size", `"R": {"Type": "AWS::IAM::User", "Properties": {"Policies": [` + inlined(document(2048)) + `]}}`, nil},
		{"a user above, beside", "policy-size", `"P": {"Type": "AWS::IAM::UserPolicy", "Properties": {"UserName": {"Ref": "R"}, "PolicyDocument": ` + document(2049) + `}}, "R": {"Type": "AWS::IAM::User"}`, on},
		{"a managed policy at the quota", "policy-size", `"R": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": ` + document(6144) + `}}`, nil},
		{"a managed policy above", "policy-size", `"R": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": ` + document(6145) + `}}`, on},
		{"a trust at the quota", "policy-size", role("", `, "AssumeRolePolicyDocument": `+document(4096)), nil},
		{"a trust above", "policy-size", role("", `, "AssumeRolePolicyDocument": `+document(4097)), on},
		{"an ARN has twenty", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": {"Fn::GetAtt": ["Q", "Arn"]}, "S": "`+strings.Repeat("x", 4096-15-20)+`"}`), nil},
		{"an ARN has twenty, and one more", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": {"Fn::GetAtt": "Q.Arn"}, "S": "`+strings.Repeat("x", 4096-15-19)+`"}`), on},
		{"a reference has one", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": {"Ref": "Q"}, "S": "`+strings.Repeat("x", 4096-15-1)+`"}`), nil},
		{"a reference has one, and one more", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": {"Ref": "Q"}, "S": "`+strings.Repeat("x", 4096-15)+`"}`), on},
		{"pieces", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": {"Fn::Sub": "ab${Q.Arn}cd${Q}"}, "S": "`+strings.Repeat("x", 4096-15-25)+`"}`), nil},
		{"pieces, and one more", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": {"Fn::Sub": "ab${Q.Arn}cd${Q}"}, "S": "`+strings.Repeat("x", 4096-15-24)+`"}`), on},
		{"in lists", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": [{"Ref": "Q"}], "S": "`+strings.Repeat("x", 4096-17)+`"}`), on},
		{"what is not known counts nothing", "policy-size", role("", `, "AssumeRolePolicyDocument": {"R": {"Fn::Transform": "`+strings.Repeat("x", 9999)+`"}}`), nil},
	})
}

func TestBuildRules(t *testing.T) {
	project := func(properties string) string {
		return `"B": {"Type": "AWS::CodeBuild::Project", "Properties": {` + properties + `}}`
	}
	withSpec := func(spec, more string) string {
		text, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		return project(`"Source": {"BuildSpec": ` + string(text) + `}` + more)
	}
	running := func(command string) string {
		return "version: 0.2\nphases:\n  build:\n    commands:\n      - " + command + "\n"
	}
	privileged := `, "Environment": {"PrivilegedMode": true}`
	on := []string{"B"}
	cases := []ruleCase{
		{"valid", "buildspec-invalid", withSpec(running("go test"), ""), nil},
		{"JSON", "buildspec-invalid", withSpec(`{"version": "0.2", "phases": {"build": {"commands": ["a"]}}}`, ""), nil},
		{"broken JSON", "buildspec-invalid", withSpec(`{"version": "0.2", "phases": {"build"`, ""), on},
		{"a file", "buildspec-invalid", withSpec(`ci/buildspec.yml`, ""), nil},
		{"a file and a newline", "buildspec-invalid", withSpec("ci/buildspec.yml\n", ""), nil},
		{"one line", "buildspec-invalid", withSpec("version: 0.2 phases: [", ""), on},
		{"one line, of YAML", "buildspec-invalid", withSpec("[version, 0.2]", ""), on},
		{"one line, without a space", "buildspec-invalid", withSpec("version:0.2", ""), on},
		{"a list", "buildspec-invalid", withSpec("- a\n- b\n", ""), on},
		{"no version", "buildspec-invalid", withSpec("phases:\n  build:\n    commands: [a]\n", ""), on},
		{"version 0.1", "buildspec-invalid", withSpec("version: 0.1\nphases:\n  build:\n    commands: [a]\n", ""), nil},
		{"version 2", "buildspec-invalid", withSpec("version: 2\nphases:\n  build:\n    commands: [a]\n", ""), on},
		{"empty phases", "buildspec-invalid", withSpec("version: 0.2\nphases: {}\n", ""), on},
		{"only a batch", "buildspec-invalid", withSpec("version: 0.2\nbatch:\n  build-list: []\n", ""), nil},
		{"an empty phase", "buildspec-invalid", withSpec("version: 0.2\nphases:\n  build:\n", ""), on},
		{"no commands", "buildspec-invalid", withSpec("version: 0.2\nphases:\n  build:\n    commands: []\n", ""), on},
		{"a phase of versions", "buildspec-invalid", withSpec("version: 0.2\nphases:\n  install:\n    runtime-versions: {golang: 1.21}\n  build:\n    commands: [a]\n", ""), nil},
		{"a phase of nothing known", "buildspec-invalid", withSpec("version: 0.2\nphases:\n  install:\n    finally: [a]\n", ""), on},
		{"a number as command", "buildspec-invalid", withSpec("version: 0.2\nphases:\n  build:\n    commands: [a, 1]\n", ""), on},
		{"all phases", "buildspec-invalid", withSpec("version: 0.2\nphases:\n  install: {commands: [a]}\n  pre_build: {commands: [a]}\n  build: {commands: [a]}\n  post_build: {commands: [a]}\n", ""), nil},
		{"not known", "buildspec-invalid", project(`"Source": {"BuildSpec": {"Fn::Transform": "a\nb"}}`), nil},
		{"no source and none", "buildspec-invalid", project(`"Source": {"Type": "NO_SOURCE"}`), on},
		{"no source and one", "buildspec-invalid", project(`"Source": {"Type": "NO_SOURCE", "BuildSpec": "{\"version\": 0.2, \"phases\": {\"build\": {\"commands\": [\"a\"]}}}"}`), nil},
		{"a source and none", "buildspec-invalid", project(`"Source": {"Type": "CODEPIPELINE"}`), nil},

		{"no Docker", "build-privileged", withSpec(running("go test ./..."), privileged), on},
		{"Docker", "build-privileged", withSpec(running("docker build ."), privileged), nil},
		{"a script may call it", "build-privileged", withSpec(running("./build"), privileged), nil},
		{"a file", "build-privileged", withSpec("buildspec.yml", privileged), nil},
		{"not privileged", "build-privileged", withSpec(running("go test"), ""), nil},

		{"both", "build-timeout", project(`"TimeoutInMinutes": 5, "QueuedTimeoutInMinutes": 5`), nil},
		{"no queue's", "build-timeout", project(`"TimeoutInMinutes": 5`), on},

		{"by default", "build-logs", project(``), nil},
		{"in S3", "build-logs", project(`"LogsConfig": {"CloudWatchLogs": {"Status": "DISABLED"}, "S3Logs": {"Status": "ENABLED"}}`), nil},
		{"none", "build-logs", project(`"LogsConfig": {"CloudWatchLogs": {"Status": "DISABLED"}, "S3Logs": {"Status": "DISABLED"}}`), on},
		{"only one switched off", "build-logs", project(`"LogsConfig": {"S3Logs": {"Status": "DISABLED"}}`), nil},

		{"a password", "build-credentials", project(`"Source": {"Location": "https://me:secret@example.com/a.git"}`), on},
		{"a token", "build-credentials", project(`"Source": {"Location": "https://ghp_0123456789abcdefghij@example.com/a.git"}`), on},
		{"a user", "build-credentials", project(`"Source": {"Location": "https://me@example.com/a.git"}`), nil},
		{"nobody", "build-credentials", project(`"Source": {"Location": "https://example.com/a@b.git"}`), nil},
		{"in a further source", "build-credentials", project(`"SecondarySources": [{"Location": {"Fn::Sub": "https://me:${P}@example.com/a.git"}}]`), on},
	}
	for _, bad := range []string{
		"curl https://e.com/i | sh", "curl -s https://e.com/i | sudo bash -s -- -y", "wget -qO- https://e.com/i|/bin/bash", "curl https://e.com/i | env A=b bash",
		"curl https://e.com/i | gunzip | zsh", "curl https://e.com/i | python3 -", `bash -c "$(curl -fsSL https://e.com/i)"`, "bash <(curl -s https://e.com/i)",
		"source <(curl -s https://e.com/i)", `eval "$(wget -qO- https://e.com/i)"`, ". <(curl -s https://e.com/i)",
	} {
		cases = append(cases, ruleCase{bad, "build-downloads-shell", withSpec(running(bad), ""), on})
	}
	for _, fine := range []string{
		"curl -o tool https://e.com/tool && sha256sum -c tool.sha256", "curl https://e.com/i | jq .version", "echo a | bash", "curl https://e.com/i; bash build", "curl https://e.com/i | tee sh.txt",
		"wget https://e.com/shell-1.sh",
	} {
		cases = append(cases, ruleCase{fine, "build-downloads-shell", withSpec(running(fine), ""), nil})
	}
	runCases(t, cases)
}

// Messages must say what was found and what is allowed.
func TestMessages(t *testing.T) {
	cases := []struct{ rule, resources, want string }{
		{"container-port", ecsTask(`[{"Name": "a"}]`, "") + "," + ecsService(`, "LoadBalancers": [{"ContainerName": "a", "ContainerPort": 80}]`), `S: LoadBalancers names port 80 of container "a", which maps no port`},
		{"container-port", ecsTask(`[{"Name": "a", "PortMappings": [{"ContainerPort": 81}, {"ContainerPortRange": "90-91"}]}]`, "") + "," + ecsService(`, "LoadBalancers": [{"ContainerName": "a", "ContainerPort": 80}]`), `S: LoadBalancers names port 80 of container "a", which maps 81, 90-91`},
		{"port-conflict", ecsTask(`[{"Name": "a", "PortMappings": [{"ContainerPort": 8080}]}, {"Name": "b", "PortMappings": [{"ContainerPort": 8080}]}]`, `, "NetworkMode": "awsvpc"`), `T: port 8080/tcp is mapped by container "a" and by "b", which share a network interface`},
		{"volume-undeclared", ecsTask(`[{"Name": "a", "MountPoints": [{"SourceVolume": "v"}]}]`, ""), `T: container "a" mounts the volume "v", which the task does not declare: it has none`},
		{"volume-undeclared", ecsTask(`[{"Name": "a", "MountPoints": [{"SourceVolume": "v"}]}]`, `, "Volumes": [{"Name": "w"}, {"Name": "x"}]`), `T: container "a" mounts the volume "v", which the task does not declare: it has w, x`},
		{"scaling-target", `"C": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"ServiceNamespace": "ecs", "ResourceId": {"Fn::Sub": "service/${K.Arn}/web"}}}, "K": {"Type": "AWS::ECS::Cluster"}`, `C: its ResourceId names K.Arn as the cluster: it is not the name of a cluster`},
		{"scaling-target", `"C": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"ServiceNamespace": "ecs", "ResourceId": {"Fn::Sub": "service/x/${K}"}}}, "K": {"Type": "AWS::ECS::Cluster"}`, `C: its ResourceId names Ref K as the service: it is not the name of a service`},
		{"buildspec-invalid", `"B": {"Type": "AWS::CodeBuild::Project", "Properties": {"Source": {"BuildSpec": "{version: 0.2, phases: {build: {commands: [a, 1]}}}"}}}`, `B: its buildspec has in phase build as command 2 the value 1, which is no text: a colon needs quotes`},
	}
	for _, c := range cases {
		if got := strings.Join(found(t, c.rule, oneTemplate(t, `{"Resources": {`+c.resources+`}}`)), "; "); got != c.want {
			t.Errorf("want %s\ngot  %s", c.want, got)
		}
	}
}
