//go:build !race

package applications

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/network"
	"composecdk/constructs/service"
)

// webFamily returns a family as the resolver makes it of a service with a port.
func webFamily() *compose.Family {
	return &compose.Family{
		Name: "web", Path: "services.web", CPU: 256, Memory: 512, Replicas: 2,
		Deployment:        compose.Deployment{MinHealthyPercent: 100, MaxPercent: 200, CircuitBreaker: true, Rollback: true},
		CapacityProviders: []compose.CapacityProvider{{Name: "FARGATE", Weight: 1}},
		Logging:           compose.Logging{RetentionDays: 30},
		SubnetGroup:       compose.AppSubnets,
		Containers: []*compose.Container{{
			Service: "web", Name: "web", Path: "services.web", Essential: true,
			Image: compose.Image{Reference: "nginx:1.27@sha256:abc"},
			Ports: []compose.Port{{Number: 8080, Protocol: "tcp", Name: "web-8080-tcp", AppProtocol: "http"}},
		}},
	}
}

// built is a stack with one family in it.
type built struct {
	t      *testing.T
	stack  awscdk.Stack
	family *service.Family
	props  *service.FamilyProps
}

// resolver knows pseudo parameters only.
var resolver = cfn.Resolver{Value: func(ref compose.Ref) (cfn.Value, error) {
	return cfn.Value{}, fmt.Errorf("%s is not known here", ref)
}}

// stackFor returns a stack with all that a family stands on.
func stackFor(t *testing.T, cluster *compose.Cluster) (awscdk.Stack, *service.FamilyProps) {
	t.Helper()
	stack := newStack(t, "")
	n := mustNetwork(t, stack, newVPC())
	c, err := network.NewCluster(stack, "x-cluster", cluster, n)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := network.NewNamespaces(stack, "x-cloudmap", []*compose.Namespace{
		{Name: compose.DefaultNamespace, Zone: "shop.internal"}, {Name: "lan", Zone: "shop.lan"},
	}, n)
	if err != nil {
		t.Fatal(err)
	}
	return stack, &service.FamilyProps{Network: n, Cluster: c, Namespaces: ns, Resolve: resolver}
}

func tryBuild(t *testing.T, change func(*compose.Family, *service.FamilyProps, awscdk.Stack)) (built, error) {
	t.Helper()
	stack, props := stackFor(t, &compose.Cluster{ExecKMSKey: true, ExecBucket: true})
	props.Family = webFamily()
	if change != nil {
		change(props.Family, props, stack)
	}
	f, err := service.NewFamily(stack, props.Family.Name, props)
	return built{t, stack, f, props}, err
}

func build(t *testing.T, change func(*compose.Family, *service.FamilyProps, awscdk.Stack)) built {
	t.Helper()
	b, err := tryBuild(t, change)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// family changes only the model.
func family(change func(*compose.Family)) func(*compose.Family, *service.FamilyProps, awscdk.Stack) {
	return func(f *compose.Family, _ *service.FamilyProps, _ awscdk.Stack) { change(f) }
}

func containers(tm template) []any {
	return tm.One("AWS::ECS::TaskDefinition")["ContainerDefinitions"].([]any)
}

// container returns the definition of a container by name.
func container(tm template, name string) map[string]any {
	tm.T.Helper()
	for _, c := range containers(tm) {
		if at(c, "Name") == name {
			return c.(map[string]any)
		}
	}
	tm.T.Fatalf("no container %s", name)
	return nil
}

// statements returns the statements of the policies of a role, which is known by its logical
// id's beginning, with their actions and resources as text.
func statements(tm template, role string) []string {
	var found []string
	for _, p := range tm.Of("AWS::IAM::Policy") {
		properties := p["Properties"].(map[string]any)
		if !strings.HasPrefix(at(properties, "Roles", 0, "Ref").(string), role) {
			continue
		}
		for _, s := range at(properties, "PolicyDocument", "Statement").([]any) {
			found = append(found, text(at(s, "Action"))+" on "+text(at(s, "Resource")))
		}
	}
	return found
}

func parameter(stack awscdk.Stack, name string) awsssm.IParameter {
	return awsssm.StringParameter_FromSecureStringParameterAttributes(stack, jsii.String(name),
		&awsssm.SecureStringParameterAttributes{ParameterName: jsii.String(name)})
}

func TestFamilyRoles(t *testing.T) {
	t.Run("trust ECS on behalf of this account only", func(t *testing.T) {
		tm := synth(t, build(t, nil).stack)
		for _, r := range tm.Of("AWS::IAM::Role") {
			contains(t, "trust", at(r, "Properties", "AssumeRolePolicyDocument"), `"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}`)
		}
	})
	t.Run("may do nothing but write the family's logs", func(t *testing.T) {
		tm := synth(t, build(t, nil).stack)
		equal(t, "task role", statements(tm, "webTaskRole"), []string(nil))
		execution := statements(tm, "webExecutionRole")
		if len(execution) != 1 || !strings.HasPrefix(execution[0], `["logs:CreateLogStream","logs:PutLogEvents"] on {"Fn::GetAtt":["webLogGroup`) {
			t.Errorf("got %v", execution)
		}
	})
	t.Run("pull from exactly the repository of an ECR image", func(t *testing.T) {
		tm := synth(t, build(t, family(func(f *compose.Family) {
			f.Containers[0].Image.Reference = "222222222222.dkr.ecr.eu-west-1.amazonaws.com/team/web@sha256:abc"
		})).stack)
		got := strings.Join(statements(tm, "webExecutionRole"), "\n")
		if !strings.Contains(got, `["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"] on `+
			`{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":ecr:eu-west-1:222222222222:repository/team/web"]]}`) ||
			!strings.Contains(got, `"ecr:GetAuthorizationToken" on "*"`) {
			t.Errorf("got %s", got)
		}
		equal(t, "image", container(tm, "web")["Image"], "222222222222.dkr.ecr.eu-west-1.amazonaws.com/team/web@sha256:abc")
	})
	t.Run("read exactly the secrets of the containers, and only to start them", func(t *testing.T) {
		tm := synth(t, build(t, func(f *compose.Family, p *service.FamilyProps, stack awscdk.Stack) {
			f.Containers[0].Secrets = []compose.SecretVariable{
				{Name: "PASSWORD", Secret: "db", JSONKey: "password"},
				{Name: "USERNAME", Secret: "db", JSONKey: "username"},
				{Name: "TOKEN", Secret: "token"},
				{Name: "LEVEL", Secret: "level"},
			}
			p.Secrets = map[string]service.Secret{
				"db":    service.SecretFrom(awssecretsmanager.NewSecret(stack, jsii.String("db"), nil)),
				"token": service.SecretFrom(awssecretsmanager.Secret_FromSecretNameV2(stack, jsii.String("token"), jsii.String("prod/token"))),
				"level": service.ParameterFrom(parameter(stack, "/level")),
				"other": service.SecretFrom(awssecretsmanager.NewSecret(stack, jsii.String("other"), nil)),
			}
		}).stack)
		equal(t, "task role", statements(tm, "webTaskRole"), []string(nil))
		got := strings.Join(statements(tm, "webExecutionRole"), "\n")
		for _, want := range []string{`"secretsmanager:GetSecretValue" on `, `secret:prod/token-??????`, `"ssm:GetParameters" on `, `parameter/level`, `"Ref":"db`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %s", got, want)
			}
		}
		for _, never := range []string{"other", "DescribeSecret", "GetParameterHistory"} {
			if strings.Contains(got, never) {
				t.Errorf("%s has %s", got, never)
			}
		}
		equal(t, "variables", container(tm, "web")["Environment"], nil)
		equal(t, "secrets", len(container(tm, "web")["Secrets"].([]any)), 4)
		contains(t, "field", container(tm, "web")["Secrets"], `:password::`)
	})
	t.Run("read a secret in the application only if it is for the application", func(t *testing.T) {
		tm := synth(t, build(t, func(f *compose.Family, p *service.FamilyProps, stack awscdk.Stack) {
			f.Containers[0].Secrets = []compose.SecretVariable{{Name: "KEY", Secret: "key"}}
			key := "arn:aws:secretsmanager:eu-west-1:111111111111:secret:key"
			p.Secrets = map[string]service.Secret{"key": service.SecretByARN(stack, "key", key).ForApplication()}
		}).stack)
		equal(t, "task role", statements(tm, "webTaskRole"), []string{
			`"secretsmanager:GetSecretValue" on "arn:aws:secretsmanager:eu-west-1:111111111111:secret:key-??????"`,
		})
	})
	t.Run("pull with the credentials of the file", func(t *testing.T) {
		arn := "arn:aws:secretsmanager:eu-west-1:111111111111:secret:registry-AbCdEf"
		tm := synth(t, build(t, family(func(f *compose.Family) { f.Containers[0].PullCredentials = arn })).stack)
		equal(t, "credentials", container(tm, "web")["RepositoryCredentials"], map[string]any{"CredentialsParameter": arn})
		contains(t, "policy", statements(tm, "webExecutionRole"), `\"secretsmanager:GetSecretValue\" on \"`+arn+`\"`)
	})
	t.Run("have the policies and the boundary of the file", func(t *testing.T) {
		tm := synth(t, build(t, family(func(f *compose.Family) {
			f.IAM = compose.IAM{
				ManagedPolicies:     []string{"arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"},
				PermissionsBoundary: "arn:aws:iam::aws:policy/Boundary",
				Policies: []compose.InlinePolicy{{Name: "own", Document: map[string]any{
					"Version": "2012-10-17",
					"Statement": []any{map[string]any{
						"Effect": "Allow", "Action": "s3:GetObject",
						"Resource": []any{"arn:aws:s3:::b/${AWS::Region}", map[string]any{"Fn::Sub": "${AWS::Region}"}},
					}},
				}}},
			}
		})).stack)
		for _, r := range tm.Of("AWS::IAM::Role") {
			equal(t, "boundary", at(r, "Properties", "PermissionsBoundary"), "arn:aws:iam::aws:policy/Boundary")
		}
		contains(t, "own policy", statements(tm, "webTaskRole"), `\"arn:aws:s3:::b/\",{\"Ref\":\"AWS::Region\"}`)
		contains(t, "own policy", statements(tm, "webTaskRole"), `{\"Fn::Sub\":\"${AWS::Region}\"}`)
	})
	t.Run("allow Exec into the cluster's own log group, bucket and key only", func(t *testing.T) {
		tm := synth(t, build(t, family(func(f *compose.Family) { f.Exec = true })).stack)
		equal(t, "switch", tm.One("AWS::ECS::Service")["EnableExecuteCommand"], true)
		equal(t, "init", at(container(tm, "web"), "LinuxParameters", "InitProcessEnabled"), true)
		for _, s := range statements(tm, "webTaskRole") {
			action, resource, _ := strings.Cut(s, " on ")
			if resource == `"*"` && !strings.Contains(action, "ssmmessages:") {
				t.Errorf("%s on everything", action)
			}
		}
		contains(t, "key", statements(tm, "webTaskRole"), "kms:GenerateDataKey")
	})
}

func TestXRay(t *testing.T) {
	tm := synth(t, build(t, func(f *compose.Family, p *service.FamilyProps, stack awscdk.Stack) {
		f.Tracing = &compose.Tracing{Services: []string{"web"}}
		f.Containers[0].Environment = []compose.Variable{{Name: "A", Value: compose.ParseText("b")}}
		f.Containers[0].Secrets = []compose.SecretVariable{{Name: "S", Secret: "s"}}
		f.Containers = append(f.Containers, &compose.Container{
			Service: "silent", Name: "silent", Essential: true, Image: compose.Image{Reference: "busybox"},
		})
		p.Secrets = map[string]service.Secret{"s": service.SecretFrom(awssecretsmanager.NewSecret(stack, jsii.String("s"), nil))}
	}).stack)
	daemon := container(tm, "xray-daemon")
	t.Run("the daemon sees no variable and no secret of the application", func(t *testing.T) {
		equal(t, "variables", daemon["Environment"], nil)
		equal(t, "secrets", daemon["Secrets"], nil)
	})
	t.Run("the daemon has its recommended reservations and its port, and may die alone", func(t *testing.T) {
		equal(t, "cpu", daemon["Cpu"], 32)
		equal(t, "memory", daemon["MemoryReservation"], 256)
		equal(t, "ports", daemon["PortMappings"], []any{map[string]any{"ContainerPort": 2000, "Protocol": "udp"}})
		equal(t, "essential", daemon["Essential"], false)
		equal(t, "stream", at(daemon, "LogConfiguration", "Options", "awslogs-stream-prefix"), "xray-daemon")
	})
	t.Run("only those that send traces know the daemon and wait for it", func(t *testing.T) {
		contains(t, "web", container(tm, "web")["Environment"], `{"Name":"AWS_XRAY_DAEMON_ADDRESS","Value":"127.0.0.1:2000"}`)
		equal(t, "web waits", container(tm, "web")["DependsOn"], []any{map[string]any{"Condition": "START", "ContainerName": "xray-daemon"}})
		equal(t, "silent", container(tm, "silent")["Environment"], nil)
	})
	t.Run("the task role has the five actions of the daemon", func(t *testing.T) {
		equal(t, "statements", statements(tm, "webTaskRole"), []string{
			`["xray:GetSamplingRules","xray:GetSamplingStatisticSummaries","xray:GetSamplingTargets",` +
				`"xray:PutTelemetryRecords","xray:PutTraceSegments"] on "*"`,
		})
	})
}

func TestFamilyContainers(t *testing.T) {
	tm := synth(t, build(t, family(func(f *compose.Family) {
		f.CPU, f.Memory, f.EphemeralStorage, f.Architecture, f.PidMode = 512, 2048, 50, "ARM64", "task"
		c := f.Containers[0]
		c.Command = []compose.Text{compose.ParseText("serve"), compose.ParseText("--region=x-aws::AWS::Region")}
		c.EntryPoint = []compose.Text{compose.ParseText("/bin/web")}
		c.Environment = []compose.Variable{{Name: "REGION", Value: compose.ParseText("${AWS::Region}")}}
		c.CPU, c.MemoryLimit, c.MemoryReservation = 128, 1024, 512
		c.User, c.WorkingDir, c.ReadOnlyRoot, c.Init, c.TTY, c.Stdin = "1000:1000", "/srv", true, true, true, true
		c.StopTimeout = 60
		c.NoFile = &compose.Limit{Soft: 1024, Hard: 4096}
		c.Tmpfs = []compose.Tmpfs{{Target: "/run", Size: 64, Options: []string{"noexec", "mode=1777"}}}
		c.CapAdd, c.CapDrop = []string{"SYS_PTRACE"}, []string{"NET_RAW"}
		c.Sysctls = map[string]string{"net.core.somaxconn": "1024"}
		c.Labels = map[string]string{"team": "shop"}
		c.HealthCheck = &compose.HealthCheck{Command: []string{"CMD", "true"}, Interval: 10, Timeout: 2, Retries: 5, StartPeriod: 20}
		c.LogOptions = map[string]string{"awslogs-multiline-pattern": "^x", "mode": "non-blocking"}
		c.DependsOn = []compose.ContainerDependency{{Container: "migrate", Condition: "SUCCESS"}}
		c.Mounts = []compose.Mount{{Volume: "scratch", Target: "/tmp", Task: true}}
		f.Containers = append(f.Containers, &compose.Container{
			Service: "migrate", Name: "migrate", Image: compose.Image{Reference: "migrate"}, RestartOnFailure: true,
			Mounts: []compose.Mount{{Volume: "scratch", Target: "/data", ReadOnly: true, Task: true}},
		})
	})).stack)
	task := tm.One("AWS::ECS::TaskDefinition")
	c := container(tm, "web")
	for _, want := range []struct {
		what      string
		got, want any
	}{
		{"cpu", task["Cpu"], "512"},
		{"memory", task["Memory"], "2048"},
		{"storage", task["EphemeralStorage"], map[string]any{"SizeInGiB": 50}},
		{"platform", task["RuntimePlatform"], map[string]any{"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}},
		{"pid mode", task["PidMode"], "task"},
		{"network mode", task["NetworkMode"], "awsvpc"},
		{"volumes", task["Volumes"], []any{map[string]any{"Name": "scratch"}}},
		{"command", c["Command"], []any{"serve", map[string]any{"Fn::Join": []any{"", []any{"--region=", map[string]any{"Ref": "AWS::Region"}}}}}},
		{"entry point", c["EntryPoint"], []string{"/bin/web"}},
		{"environment", c["Environment"], []any{map[string]any{"Name": "REGION", "Value": map[string]any{"Ref": "AWS::Region"}}}},
		{"container cpu", c["Cpu"], 128},
		{"container memory", c["Memory"], 1024},
		{"container reservation", c["MemoryReservation"], 512},
		{"user", c["User"], "1000:1000"},
		{"read-only root", c["ReadonlyRootFilesystem"], true},
		{"tty", c["PseudoTerminal"], true},
		{"stdin", c["Interactive"], true},
		{"stop timeout", c["StopTimeout"], 60},
		{"ulimits", c["Ulimits"], []any{map[string]any{"HardLimit": 4096, "Name": "nofile", "SoftLimit": 1024}}},
		{"linux", c["LinuxParameters"], map[string]any{
			"Capabilities":       map[string]any{"Add": []string{"SYS_PTRACE"}, "Drop": []string{"NET_RAW"}},
			"InitProcessEnabled": true,
			"Tmpfs":              []any{map[string]any{"ContainerPath": "/run", "MountOptions": []string{"noexec", "mode=1777"}, "Size": 64}},
		}},
		{"sysctls", c["SystemControls"], []any{map[string]any{"Namespace": "net.core.somaxconn", "Value": "1024"}}},
		{"labels", c["DockerLabels"], map[string]any{"team": "shop"}},
		{"health check", c["HealthCheck"], map[string]any{
			"Command": []string{"CMD", "true"}, "Interval": 10, "Retries": 5, "StartPeriod": 20, "Timeout": 2,
		}},
		{"log pattern", at(c, "LogConfiguration", "Options", "awslogs-multiline-pattern"), "^x"},
		{"log mode", at(c, "LogConfiguration", "Options", "mode"), "non-blocking"},
		{"stream", at(c, "LogConfiguration", "Options", "awslogs-stream-prefix"), "web"},
		{"depends", c["DependsOn"], []any{map[string]any{"Condition": "SUCCESS", "ContainerName": "migrate"}}},
		{"ports", c["PortMappings"], []any{map[string]any{"AppProtocol": "http", "ContainerPort": 8080, "Name": "web-8080-tcp", "Protocol": "tcp"}}},
		{"restart", container(tm, "migrate")["RestartPolicy"], map[string]any{"Enabled": true, "IgnoredExitCodes": []int{0}}},
		{"essential", container(tm, "migrate")["Essential"], false},
		{"mounts", container(tm, "migrate")["MountPoints"], []any{map[string]any{"ContainerPath": "/data", "ReadOnly": true, "SourceVolume": "scratch"}}},
		{"retention", tm.Of("AWS::Logs::LogGroup")[0]["DeletionPolicy"], "Retain"},
	} {
		equal(t, want.what, want.got, want.want)
	}
}

func TestFamilyService(t *testing.T) {
	t.Run("deploys safely, privately, and serves its ports by name", func(t *testing.T) {
		tm := synth(t, build(t, nil).stack)
		s := tm.One("AWS::ECS::Service")
		equal(t, "count", s["DesiredCount"], 2)
		equal(t, "circuit breaker", at(s, "DeploymentConfiguration", "DeploymentCircuitBreaker"), map[string]any{"Enable": true, "Rollback": true})
		equal(t, "healthy", at(s, "DeploymentConfiguration", "MinimumHealthyPercent"), 100)
		equal(t, "public address", at(s, "NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp"), "DISABLED")
		contains(t, "subnets", at(s, "NetworkConfiguration", "AwsvpcConfiguration", "Subnets"), "AppSubnets")
		equal(t, "providers", s["CapacityProviderStrategy"], []any{map[string]any{"CapacityProvider": "FARGATE", "Weight": 1}})
		equal(t, "launch type", s["LaunchType"], nil)
		equal(t, "tags", s["PropagateTags"], "SERVICE")
		equal(t, "registries", s["ServiceRegistries"], nil)
		equal(t, "connect", at(s, "ServiceConnectConfiguration", "Services"), []any{map[string]any{
			"ClientAliases": []any{map[string]any{"DnsName": "web", "Port": 8080}},
			"DiscoveryName": "web-8080", "PortName": "web-8080-tcp",
		}})
		contains(t, "namespace", at(s, "ServiceConnectConfiguration", "Namespace"), `"Arn"`)
		contains(t, "connect logs", at(s, "ServiceConnectConfiguration", "LogConfiguration"), "service-connect")
		contains(t, "order", tm.Of("AWS::ECS::Service")[0]["DependsOn"], "ExecutionRoleDefaultPolicy")
		for _, g := range tm.Of("AWS::EC2::SecurityGroup") {
			equal(t, "ingress", at(g, "Properties", "SecurityGroupIngress"), nil)
		}
		tm.Count("AWS::EC2::SecurityGroupIngress", 0)
	})
	t.Run("joins no mesh where it neither serves nor calls", func(t *testing.T) {
		tm := synth(t, build(t, family(func(f *compose.Family) { f.Containers[0].Ports = nil })).stack)
		equal(t, "connect", tm.One("AWS::ECS::Service")["ServiceConnectConfiguration"], nil)
	})
	t.Run("calls others without serving", func(t *testing.T) {
		tm := synth(t, build(t, func(f *compose.Family, p *service.FamilyProps, _ awscdk.Stack) {
			f.Containers[0].Ports, p.Client = nil, true
		}).stack)
		connect := tm.One("AWS::ECS::Service")["ServiceConnectConfiguration"]
		equal(t, "enabled", at(connect, "Enabled"), true)
		equal(t, "services", at(connect, "Services"), nil)
	})
	t.Run("registers a UDP port in Cloud Map, as Service Connect serves none", func(t *testing.T) {
		tm := synth(t, build(t, family(func(f *compose.Family) {
			f.Containers[0].Ports = []compose.Port{{Number: 53, Protocol: "udp", Name: "web-53-udp"}}
			f.Records = []compose.Record{{Namespace: compose.DefaultNamespace, Name: "web", Type: "A", Container: "web", Port: 53}}
		})).stack)
		equal(t, "connect", tm.One("AWS::ECS::Service")["ServiceConnectConfiguration"], nil)
		equal(t, "record", at(tm.One("AWS::ServiceDiscovery::Service"), "DnsConfig", "DnsRecords", 0, "Type"), "A")
		equal(t, "registries", len(tm.One("AWS::ECS::Service")["ServiceRegistries"].([]any)), 1)
	})
	t.Run("registers a port with an SRV record", func(t *testing.T) {
		tm := synth(t, build(t, family(func(f *compose.Family) {
			f.Records = []compose.Record{{Namespace: "lan", Name: "api", Type: "SRV", Container: "web", Port: 8080}}
		})).stack)
		equal(t, "name", tm.One("AWS::ServiceDiscovery::Service")["Name"], "api")
		contains(t, "registry", at(tm.One("AWS::ECS::Service"), "ServiceRegistries", 0), `"ContainerName":"web","ContainerPort":8080`)
	})
	t.Run("opens ports only where it is asked to, each rule once", func(t *testing.T) {
		b := build(t, family(func(f *compose.Family) {
			f.Ingress = []compose.IngressSource{
				{CIDR: "10.0.0.0/8", Description: "office"},
				{CIDR: "2001:db8::/32"},
				{SecurityGroup: "sg-0123456789abcdef0"},
				{PrefixList: "pl-0123456789abcdef0"},
				{Myself: true},
				{CIDR: "10.0.0.0/8", Description: "asked for again by another service of the family"},
			}
		}))
		b.family.OpenTo("to db", cfn.Literal("sg-0123456789abcdef1"), "tcp", 5432, 5432, "web reads db")
		tm := synth(t, b.stack)
		var rules []string
		for _, r := range tm.Of("AWS::EC2::SecurityGroupIngress") {
			p := r["Properties"].(map[string]any)
			rules = append(rules, text([]any{p["CidrIp"], p["CidrIpv6"], p["SourcePrefixListId"], p["FromPort"], p["ToPort"], p["IpProtocol"]}))
		}
		slices.Sort(rules)
		equal(t, "rules", rules, []string{
			`["10.0.0.0/8",null,null,8080,8080,"tcp"]`,
			`[null,"2001:db8::/32",null,8080,8080,"tcp"]`,
			`[null,null,"pl-0123456789abcdef0",8080,8080,"tcp"]`,
			`[null,null,null,5432,5432,"tcp"]`,
			`[null,null,null,8080,8080,"tcp"]`,
			`[null,null,null,8080,8080,"tcp"]`,
		})
	})
	t.Run("keeps its logs unless nothing in the environment is worth keeping", func(t *testing.T) {
		for ephemeral, want := range map[bool]string{false: "Retain", true: "Delete"} {
			tm := synth(t, build(t, func(_ *compose.Family, p *service.FamilyProps, _ awscdk.Stack) { p.Ephemeral = ephemeral }).stack)
			equal(t, "policy", tm.Resources["webLogGroup080F5ECF"].(map[string]any)["DeletionPolicy"], want)
		}
	})
	t.Run("has a grace period only behind a load balancer, as ECS refuses it elsewhere", func(t *testing.T) {
		b := build(t, family(func(f *compose.Family) { f.HealthCheckGracePeriod = 90 }))
		equal(t, "alone", synth(t, b.stack).One("AWS::ECS::Service")["HealthCheckGracePeriodSeconds"], nil)
		b = build(t, family(func(f *compose.Family) { f.HealthCheckGracePeriod = 90 }))
		b.family.LoadBalancerTarget(&awsecs.LoadBalancerTargetOptions{ContainerName: jsii.String("web"), ContainerPort: jsii.Number(8080)})
		equal(t, "balanced", synth(t, b.stack).One("AWS::ECS::Service")["HealthCheckGracePeriodSeconds"], 90)
	})
	t.Run("waits for the families that it depends on", func(t *testing.T) {
		b := build(t, nil)
		other := webFamily()
		other.Name = "front"
		props := *b.props
		props.Family = other
		front, err := service.NewFamily(b.stack, "front", &props)
		if err != nil {
			t.Fatal(err)
		}
		front.DependOn(b.family)
		services := synth(t, b.stack).Of("AWS::ECS::Service")
		contains(t, "front waits", services[0]["DependsOn"], `"webService`)
		if strings.Contains(text(services[1]["DependsOn"]), `"frontService`) {
			t.Error("web waits for front")
		}
	})
	t.Run("is an error where two values want one variable", func(t *testing.T) {
		c := build(t, nil).family.Container("web")
		if err := c.AddEnv("A", service.Literal("1")); err != nil {
			t.Error(err)
		}
		if err := c.AddEnv("A", service.Literal("1")); err != nil {
			t.Error(err)
		}
		if err := c.AddEnv("A", service.Literal("2")); err == nil {
			t.Error("a second value went through")
		}
	})
}

func TestFamilyScaling(t *testing.T) {
	one, four := 1, 4
	t.Run("follows x-scaling", func(t *testing.T) {
		tm := synth(t, build(t, family(func(f *compose.Family) {
			f.Scaling = &compose.Scaling{
				Min: 1, Max: 10, CPUTarget: 70, MemoryTarget: 80, ScaleInCooldown: 300, ScaleOutCooldown: 60, DisableScaleIn: true,
				Schedules: []compose.ScheduledAction{{
					Name: "night", Schedule: "cron(0 22 * * ? *)", TimeZone: "Europe/Berlin", StartTime: "2030-01-01T00:00:00Z", Min: &one, Max: &four,
				}},
			}
		})).stack)
		equal(t, "count", tm.One("AWS::ECS::Service")["DesiredCount"], nil)
		target := tm.One("AWS::ApplicationAutoScaling::ScalableTarget")
		equal(t, "range", []any{target["MinCapacity"], target["MaxCapacity"]}, []int{1, 10})
		equal(t, "schedule", target["ScheduledActions"], []any{map[string]any{
			"ScalableTargetAction": map[string]any{"MaxCapacity": 4, "MinCapacity": 1},
			"Schedule":             "cron(0 22 * * ? *)", "ScheduledActionName": "night",
			"StartTime": "2030-01-01T00:00:00Z", "Timezone": "Europe/Berlin",
		}})
		policies := tm.Of("AWS::ApplicationAutoScaling::ScalingPolicy")
		equal(t, "policies", len(policies), 2)
		for _, p := range policies {
			tracking := at(p, "Properties", "TargetTrackingScalingPolicyConfiguration")
			equal(t, "cooldowns", []any{at(tracking, "ScaleInCooldown"), at(tracking, "ScaleOutCooldown"), at(tracking, "DisableScaleIn")}, []any{300, 60, true})
		}
	})
	t.Run("follows the steps of a backlog, down to no task", func(t *testing.T) {
		b := build(t, nil)
		upper := 100
		b.family.ScaleOnMetric("x-sqs orders", awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
			Namespace: jsii.String("AWS/SQS"), MetricName: jsii.String("ApproximateNumberOfMessagesVisible"),
		}), &compose.StepScaling{
			Steps:            []compose.Step{{Lower: 0, Upper: &upper, Count: 1}, {Lower: 100, Count: 5}},
			ScaleOutCooldown: 60,
		})
		tm := synth(t, b.stack)
		target := tm.One("AWS::ApplicationAutoScaling::ScalableTarget")
		equal(t, "range", []any{target["MinCapacity"], target["MaxCapacity"]}, []int{0, 5})
		equal(t, "count", tm.One("AWS::ECS::Service")["DesiredCount"], nil)
		var configurations []any
		for _, p := range tm.Of("AWS::ApplicationAutoScaling::ScalingPolicy") {
			configurations = append(configurations, at(p, "Properties", "StepScalingPolicyConfiguration"))
		}
		equal(t, "policies", configurations, []any{
			map[string]any{"AdjustmentType": "ExactCapacity", "MetricAggregationType": "Maximum", "StepAdjustments": []any{
				map[string]any{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 0},
			}},
			map[string]any{"AdjustmentType": "ExactCapacity", "Cooldown": 60, "MetricAggregationType": "Maximum", "StepAdjustments": []any{
				map[string]any{"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 99, "ScalingAdjustment": 1},
				map[string]any{"MetricIntervalLowerBound": 99, "ScalingAdjustment": 5},
			}},
		})
		for _, a := range tm.Of("AWS::CloudWatch::Alarm") {
			equal(t, "threshold", at(a, "Properties", "Threshold"), 1)
			contains(t, "action", at(a, "Properties", "AlarmActions"), "Policy")
		}
	})
}

func TestVolumes(t *testing.T) {
	for _, test := range []struct {
		name   string
		volume *compose.Volume
		rules  int
	}{
		{"a new file system is encrypted, kept, and open to its family only", &compose.Volume{Name: "data", UID: "1000"}, 1},
		{"an existing file system gets an access point", &compose.Volume{Name: "data", External: "fs-0123456789abcdef0"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			tm := synth(t, build(t, func(f *compose.Family, p *service.FamilyProps, stack awscdk.Stack) {
				v, err := service.NewVolume(stack, "data", &service.VolumeProps{Volume: test.volume, Network: p.Network, Resolve: resolver})
				if err != nil {
					t.Fatal(err)
				}
				p.Volumes = map[string]*service.Volume{"data": v}
				f.Containers[0].Mounts = []compose.Mount{{Volume: "data", Target: "/var/data"}}
			}).stack)
			if test.volume.External == "" {
				equal(t, "encrypted", tm.One("AWS::EFS::FileSystem")["Encrypted"], true)
				equal(t, "policy", tm.Of("AWS::EFS::FileSystem")[0]["DeletionPolicy"], "Retain")
				// who may write, the roles of the tasks decide
				policy := at(tm.One("AWS::EFS::FileSystem"), "FileSystemPolicy", "Statement").([]any)
				equal(t, "statements of the file system", len(policy), 1)
				equal(t, "effect", at(policy[0], "Effect"), "Deny")
				contains(t, "condition", at(policy[0], "Condition"), `"aws:SecureTransport":"false"`)
				equal(t, "owner", at(tm.One("AWS::EFS::AccessPoint"), "PosixUser"), map[string]any{"Gid": "1000", "Uid": "1000"})
			}
			tm.Count("AWS::EC2::SecurityGroupIngress", test.rules)
			volume := at(tm.One("AWS::ECS::TaskDefinition"), "Volumes", 0)
			equal(t, "encryption", at(volume, "EFSVolumeConfiguration", "TransitEncryption"), "ENABLED")
			equal(t, "iam", at(volume, "EFSVolumeConfiguration", "AuthorizationConfig", "IAM"), "ENABLED")
			got := statements(tm, "webTaskRole")
			if len(got) != 1 || !strings.Contains(got[0], "elasticfilesystem:ClientWrite") || strings.HasSuffix(got[0], `"*"`) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestBuild(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		build compose.Build
	}{
		{"a Dockerfile in the folder", compose.Build{Context: dir, Dockerfile: "Dockerfile", Args: map[string]string{"A": "b"}, Platform: "linux/arm64"}},
		{"a Dockerfile in the compose file", compose.Build{Context: dir, Inline: "FROM busybox\n", CacheFrom: []string{"web:cache"}}},
		{"a Dockerfile by its absolute path", compose.Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tm := synth(t, build(t, family(func(f *compose.Family) { f.Containers[0].Image.Build = &test.build })).stack)
			contains(t, "image", container(tm, "web")["Image"], "container-assets")
			contains(t, "pull", statements(tm, "webExecutionRole"), "container-assets")
		})
	}
}

// The names that services have in Cloud Map must be valid and differ, however
// long they are and however they are written.
func TestDiscoveryNames(t *testing.T) {
	long := strings.Repeat("very-long-name-", 6)
	seen := map[string]string{}
	for _, name := range []string{"web", "Web", long + "a", long + "b"} {
		tm := synth(t, build(t, family(func(f *compose.Family) {
			f.Name, f.Containers[0].Service, f.Containers[0].Name = name, name, name
		})).stack)
		got := at(tm.One("AWS::ECS::Service"), "ServiceConnectConfiguration", "Services", 0, "DiscoveryName").(string)
		if len(got) > 64 || got != strings.ToLower(got) || seen[got] != "" {
			t.Errorf("%s is found as %s, like %q", name, got, seen[got])
		}
		seen[got] = name
	}
}
