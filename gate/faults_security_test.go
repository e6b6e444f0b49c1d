package gate

import (
	"fmt"
	"strings"
)

const richData = "rich/Data"

// allow returns one more statement in the policy of a task role, at the end.
func allow(role, statement string) func(*template) {
	return func(t *template) {
		t.Helper()
		list := t.get(role, "PolicyDocument", "Statement").([]any)
		t.set(role, statement, "PolicyDocument", "Statement", len(list))
	}
}

// withVariable gives a container one more variable.
func withVariable(task string, container int, name string, value any) func(*template) {
	return func(t *template) {
		t.Helper()
		variables, _ := at(t.get(task, "ContainerDefinitions", container), "Environment").([]any)
		t.set(task, append(variables, map[string]any{"Name": name, "Value": value}), "ContainerDefinitions", container, "Environment")
	}
}

// withSecret gives a container one more secret, which its agent may not read yet.
func withSecret(task string, container int, name string, from any) func(*template) {
	return func(t *template) {
		t.Helper()
		secrets, _ := at(t.get(task, "ContainerDefinitions", container), "Secrets").([]any)
		t.set(task, append(secrets, map[string]any{"Name": name, "ValueFrom": from}), "ContainerDefinitions", container, "Secrets")
	}
}

func removing(name string, steps ...any) func(*template) {
	return func(t *template) { t.remove(name, steps...) }
}

func setting(name string, value any, steps ...any) func(*template) {
	return func(t *template) { t.set(name, value, steps...) }
}

// securityFaults holds mistakes in permissions, secrets, networks and data.
var securityFaults = []fault{
	// permissions
	{
		name: "an application may do everything", known: 12, rule: "wildcard-action", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: allow("apiTaskRoleDefaultPolicy", `{"Effect": "Allow", "Action": "*", "Resource": "*"}`),
	},
	{
		name: "an application may do all with its queue", rule: "wildcard-action", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: setting("apiTaskRoleDefaultPolicy", "sqs:*", "PolicyDocument", "Statement", 0, "Action"),
	},
	{
		name: "an action ends in a wildcard, in an inline policy", rule: "wildcard-action", in: pipeline, on: "BuildRole",
		inject: setting("BuildRole", "s3:Get*", "Policies", 0, "PolicyDocument", "Statement", 1, "Action", 0),
	},
	{
		name: "an attached policy has a wildcard in an action", rule: "wildcard-action", in: pipeline, on: "TestPolicy",
		inject: setting("TestPolicy", "s3:Get?bject", "PolicyDocument", "Statement", 1, "Action"),
	},
	{
		name: "a key lets another account do everything", rule: "wildcard-action", in: pipeline, on: "Key", also: []string{"foreign-account"},
		inject: setting("Key", `{"AWS": "arn:aws:iam::999999999999:root"}`, "KeyPolicy", "Statement", 0, "Principal"),
	},
	{
		name: "an action is allowed on every resource", rule: "wildcard-resource", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: setting("apiTaskRoleDefaultPolicy", "*", "PolicyDocument", "Statement", 0, "Resource"),
	},
	{
		name: "an action is allowed on every resource of its service", rule: "wildcard-resource", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: allow("apiTaskRoleDefaultPolicy", `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*"}`),
	},
	{
		name: "an action is allowed on everything but for a tag that may be absent", rule: "wildcard-resource", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: allow("apiTaskRoleDefaultPolicy", `{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:ResourceTag/team": "shop"}}}`),
	},
	{
		name: "an application may pass every role on", rule: "pass-role", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: allow("apiTaskRoleDefaultPolicy", `{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}`),
	},
	{
		name: "everything but IAM is allowed", rule: "allow-not", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: allow("apiTaskRoleDefaultPolicy", `{"Effect": "Allow", "NotAction": "iam:CreateUser", "Resource": "arn:aws:sqs:eu-west-1:111111111111:jobs"}`),
	},
	{
		name: "an application is administrator", rule: "administrator", in: services, on: "webTaskRole",
		inject: setting("webTaskRole", []any{"arn:aws:iam::aws:policy/AdministratorAccess"}, "ManagedPolicyArns"),
	},
	{
		name: "everybody may take on a role", known: 31, rule: "trust-anyone", in: services, on: "apiTaskRole",
		inject: setting("apiTaskRole", `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}`, "AssumeRolePolicyDocument", "Statement", 0),
	},
	{
		name: "everybody with an external id may take on a role", rule: "trust-anyone", in: services, on: "apiTaskRole",
		inject: setting("apiTaskRole", `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "Condition": {"StringEquals": {"sts:ExternalId": "shop"}}}`, "AssumeRolePolicyDocument", "Statement", 0),
	},
	{
		name: "another account may take on a role", rule: "trust-account", in: services, on: "apiTaskRole",
		inject: setting("apiTaskRole", `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}`, "AssumeRolePolicyDocument", "Statement", 1),
	},
	{
		name: "ECS takes on a role for any account", rule: "confused-deputy", in: services, on: "apiTaskRole",
		inject: removing("apiTaskRole", "AssumeRolePolicyDocument", "Statement", 0, "Condition"),
	},
	{
		name: "a service sends to a topic for any account", rule: "confused-deputy", in: pipeline, on: "ToldPolicy",
		inject: removing("ToldPolicy", "PolicyDocument", "Statement", 1, "Condition"),
	},
	{
		name: "everybody may send to a queue", rule: "public-policy", in: richData, on: "xsqsjobsPolicy",
		inject: setting("xsqsjobsPolicy", `{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}`, "PolicyDocument", "Statement", 1),
	},
	{
		name: "everybody may read a bucket, with TLS", rule: "public-policy", in: pipeline, on: "ArtifactsPolicy",
		inject: setting("ArtifactsPolicy", `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}`, "PolicyDocument", "Statement", 1),
	},
	{
		name: "everybody may decrypt with a key", rule: "public-policy", in: pipeline, on: "Key",
		inject: setting("Key", `{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}`, "KeyPolicy", "Statement", 1),
	},
	{
		name: "the application holds the role of the agent", rule: "shared-role", in: services, on: "webTask",
		inject: func(t *template) { t.set("webTask", t.get("webTask", "ExecutionRoleArn"), "TaskRoleArn") },
	},
	{
		name: "two tasks share the role that reads secrets", rule: "shared-role", in: services, on: "apiTask", also: []string{"execution-role-reads-more"},
		inject: func(t *template) { t.set("workerTask", t.get("apiTask", "ExecutionRoleArn"), "ExecutionRoleArn") },
	},
	{
		name: "the agent may not read a secret", rule: "execution-role-reads-less", in: services, on: "apiTask",
		inject: removing("apiExecutionRoleDefaultPolicy", "PolicyDocument", "Statement", 1, "Resource", 0),
	},
	{
		name: "the agent may not read a parameter", rule: "execution-role-reads-less", in: services, on: "apiTask",
		inject: withSecret("apiTask", 0, "LIMIT", "arn:aws:ssm:eu-west-1:111111111111:parameter/shop/limit"),
	},
	{
		name: "the agent may read what no container has", rule: "execution-role-reads-more", in: services, on: "apiTask",
		inject: removing("apiTask", "ContainerDefinitions", 0, "Secrets", 0),
	},
	{
		name: "the agent may read all secrets of a prefix", rule: "execution-role-reads-more", in: services, on: "apiTask",
		inject: setting("apiExecutionRoleDefaultPolicy", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/*", "PolicyDocument", "Statement", 1, "Resource", 0),
	},
	{
		name: "the agent may not decrypt a secret", rule: "execution-role-reads-less", in: richData, on: services + "/apiTask",
		inject: func(t *template) {
			t.add("Key", `{"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {"KeyPolicy": {"Statement": []}}}`)
			t.set("xrdsdbSecret", `{"Fn::GetAtt": ["Key", "Arn"]}`, "KmsKeyId")
		},
	},

	// secrets
	{
		name: "a password is a variable", known: 14, rule: "plain-secret", in: services, on: "apiTask",
		inject: withVariable("apiTask", 0, "DB_PASSWORD", "hunter2"),
	},
	{
		name: "an API key in camel case is a variable", rule: "plain-secret", in: services, on: "apiTask",
		inject: withVariable("apiTask", 0, "mailApiKey", "9f8a7c"),
	},
	{
		name: "a URL with a password is a variable", rule: "plain-secret", in: services, on: "apiTask",
		inject: withVariable("apiTask", 0, "DATABASE", "postgres://shop:hunter2@db.internal/shop"),
	},
	{
		name: "a log router gets a token in clear text", rule: "plain-secret", in: services, on: "apiTask",
		inject: setting("apiTask", "B5A79AAD-D822-46CC-80D1-819F80D7BFB0", "ContainerDefinitions", 0, "LogConfiguration", "Options", "splunk-token"),
	},
	{
		name: "a label holds an access key", rule: "plain-secret", in: services, on: "apiTask",
		inject: setting("apiTask", `{"deployer": "AKIAABCDEFGHIJKLMNOP"}`, "ContainerDefinitions", 0, "DockerLabels"),
	},
	{
		name: "a build gets a token in clear text", rule: "plain-secret", in: pipeline, on: "Build",
		inject: setting("Build", `{"Name": "NPM_TOKEN", "Value": "npm-abcdef0123"}`, "Environment", "EnvironmentVariables", 1),
	},
	{
		name: "a buildspec holds a token", rule: "plain-secret", in: pipeline, on: "Test",
		inject: setting("Test", "version: 0.2\nphases: {build: {commands: [\"curl -H 'Authorization: "+"ghp_"+strings.Repeat("a1B2", 9)+"' https://api.github.com\"]}}\n", "Source", "BuildSpec"),
	},
	{
		name: "an output holds a private key", rule: "plain-secret", in: services,
		inject: func(t *template) {
			t.setRoot(map[string]any{"Value": "-----BEGIN RSA PRIVATE KEY-----\nMIIE"}, "Outputs", "Certificate")
		},
	},
	{
		name: "a parameter of the template defaults to a password", rule: "plain-secret", in: pipeline,
		inject: func(t *template) {
			t.setRoot(map[string]any{"Type": "String", "Default": "letmein"}, "Parameters", "AdminPassword")
		},
	},
	{
		name: "CloudFormation resolves a secret into a variable", rule: "resolved-secret", in: services, on: "apiTask",
		inject: withVariable("apiTask", 0, "DB", map[string]any{"Fn::Join": []any{"", []any{"{{resolve:secretsmanager:", "shop/db", ":SecretString:password}}"}}}),
	},
	{
		name: "CloudFormation resolves a secret into an output", rule: "resolved-secret", in: services,
		inject: func(t *template) {
			t.setRoot(map[string]any{"Value": "{{resolve:ssm-secure:/shop/db:1}}"}, "Outputs", "Db")
		},
	},
	{
		name: "a secret comes from no ARN", known: 30, rule: "value-from", in: services, on: "apiTask", also: []string{"execution-role-reads-more"},
		inject: setting("apiTask", "garbage, not an ARN", "ContainerDefinitions", 0, "Secrets", 0, "ValueFrom"),
	},
	{
		name: "the ARN of a secret has a key without stage and version", rule: "value-from", in: services, on: "apiTask",
		inject: setting("apiTask", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/token:key", "ContainerDefinitions", 0, "Secrets", 0, "ValueFrom"),
	},
	{
		name: "a secret comes from a queue", rule: "value-from", in: services, on: "apiTask", also: []string{"execution-role-reads-more"},
		inject: func(t *template) {
			t.set("apiTask", t.get("apiTask", "ContainerDefinitions", 0, "Environment", 3, "Value"), "ContainerDefinitions", 0, "Secrets", 0, "ValueFrom")
		},
	},
	{
		name: "a sidecar has a secret", rule: "sidecar-secret", in: services, on: "webTask", also: []string{"execution-role-reads-less"},
		inject: withSecret("webTask", 2, "TOKEN", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/token"),
	},
	{
		name: "nobody sees what is done in a session", rule: "exec-unlogged", in: services, on: "webService",
		inject: func(t *template) {
			t.add("Cluster", `{"Type": "AWS::ECS::Cluster", "Properties": {"Configuration": {"ExecuteCommandConfiguration": {"Logging": "NONE"}}}}`)
			t.set("webService", `{"Ref": "Cluster"}`, "Cluster")
			t.set("webService", true, "EnableExecuteCommand")
		},
	},

	// networks
	{
		name: "no rule lets the load balancer connect to the tasks", known: 40, rule: "target-unreachable", in: services, on: "webService",
		inject: setting("xelbv2publicIngressweb8080tcp", `{"Fn::GetAtt": ["apiSecurityGroup4BCFCE2B", "GroupId"]}`, "SourceSecurityGroupId"),
	},
	{
		name: "the rule from the load balancer is for another port", rule: "target-unreachable", in: nested, on: "Service",
		inject: func(t *template) {
			t.set("FromLoadBalancer", 8081.0, "FromPort")
			t.set("FromLoadBalancer", 8081.0, "ToPort")
		},
	},
	{
		name: "the load balancer may connect to nothing", rule: "target-unreachable", in: edge, on: nested + "/Service",
		inject: setting("ToService", "udp", "IpProtocol"),
	},
	{
		name: "the health check is on a port that is closed", rule: "target-unreachable", in: edge, on: nested + "/Service",
		inject: setting("Targets", "9000", "HealthCheckPort"),
	},
	{
		name: "the world reaches a task", rule: "open-to-world", in: services, on: "webtoapi9000tcp",
		inject: func(t *template) {
			t.remove("webtoapi9000tcp", "SourceSecurityGroupId")
			t.set("webtoapi9000tcp", "0.0.0.0/0", "CidrIp")
		},
	},
	{
		name: "the world reaches a database over IPv6", rule: "open-to-world", in: richData, on: "xrdsdbSecurityGroup",
		inject: setting("xrdsdbSecurityGroup", []any{parse(`{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIpv6": "::/0"}`)}, "SecurityGroupIngress"),
	},
	{
		name: "a load balancer is open beside its listeners", rule: "open-to-world", in: services, on: "xelbv2publicSecurityGroup",
		inject: setting("xelbv2publicSecurityGroup", 90.0, "SecurityGroupIngress", 0, "ToPort"),
	},
	{
		name: "a load balancer opens a port to the VPC on which nothing listens", rule: "wider-than-listener", in: edge, on: "LoadBalancerGroup",
		inject: setting("LoadBalancerGroup", `{"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "CidrIp": "10.0.0.0/16"}`, "SecurityGroupIngress", 1),
	},
	{
		name: "all ports are open between two groups", rule: "all-ports", in: services, on: "apitoworker9100tcp",
		inject: setting("apitoworker9100tcp", "-1", "IpProtocol"),
	},
	{
		name: "every TCP port is open", rule: "all-ports", in: services, on: "webtoapi9000tcp",
		inject: func(t *template) {
			t.set("webtoapi9000tcp", 0.0, "FromPort")
			t.set("webtoapi9000tcp", 65535.0, "ToPort")
		},
	},
	{
		name: "a range of ports into tasks is wider than what they listen on", rule: "wider-than-task", in: services, on: "webtoapi9000tcp",
		inject: func(t *template) { t.set("webtoapi9000tcp", 8000.0, "FromPort") },
	},
	{
		name: "two rules of a listener have one priority", rule: "listener-conflict", in: edge, on: "Rule2",
		inject: func(t *template) {
			t.add("Rule2", `{"Type": "AWS::ElasticLoadBalancingV2::ListenerRule", "Properties": {"ListenerArn": {"Ref": "Listener"}, "Priority": "10",
				"Conditions": [{"Field": "path-pattern", "Values": ["/a"]}], "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]}}`)
		},
	},
	{
		name: "two listeners are on one port", rule: "listener-conflict", in: edge, on: "Listener2",
		inject: func(t *template) {
			t.add("Listener2", `{"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {"LoadBalancerArn": {"Ref": "LoadBalancer"}, "Port": 443, "Protocol": "HTTP",
				"DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]}}`)
		},
	},
	{
		name: "a listener encrypts without a certificate", rule: "listener-protocol", in: edge, on: "Listener",
		inject: func(t *template) { t.remove("Listener", "Certificates") },
	},
	{
		name: "a target group of a load balancer for HTTP speaks TCP", rule: "listener-protocol", in: services, on: "xelbv2publicwebweb8080",
		inject: func(t *template) { t.set("xelbv2publicwebweb8080", "TCP", "Protocol") },
	},
	{
		name: "a load balancer is in one subnet", rule: "balancer-subnets", in: edge, on: "LoadBalancer",
		inject: func(t *template) { t.set("LoadBalancer", []any{"subnet-1"}, "Subnets") },
	},
	{
		name: "a security group has a rule twice", rule: "rule-duplicate", in: services, on: "webtoapi9000tcp",
		inject: func(t *template) {
			t.add("AgainAsBefore", fmt.Sprintf(`{"Type": "AWS::EC2::SecurityGroupIngress", "Properties": %s}`, canonical(t.resource("webtoapi9000tcp")["Properties"])))
		},
	},
	{
		name: "a range of addresses that are none of the VPC", rule: "target-unreachable", in: services, on: "webService",
		inject: func(t *template) {
			t.remove("xelbv2publicIngressweb8080tcp", "SourceSecurityGroupId")
			t.set("xelbv2publicIngressweb8080tcp", "203.0.113.0/24", "CidrIp")
		},
	},
	{
		name: "a role of a task trusts Lambda", rule: "trust-service", in: services, on: "apiTask",
		inject: func(t *template) {
			t.set("apiTaskRole", "lambda.amazonaws.com", "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service")
		},
	},
	{
		name: "every repository of GitHub may take on a role", rule: "trust-anyone", in: pipeline, on: "TestRole",
		inject: func(t *template) {
			t.set("TestRole", parse(`{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},
				"Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}`), "AssumeRolePolicyDocument", "Statement", 1)
		},
	},
	{
		name: "an application may do all with S3 by a policy of AWS", rule: "administrator", in: services, on: "webTaskRole",
		inject: func(t *template) {
			t.set("webTaskRole", []any{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}, "ManagedPolicyArns")
		},
	},
	{
		name: "a key of every name may be used", rule: "wildcard-resource", in: services, on: "apiTaskRoleDefaultPolicy",
		inject: func(t *template) {
			t.set("apiTaskRoleDefaultPolicy", "arn:aws:dynamodb:eu-west-1:111111111111:table/*", "PolicyDocument", "Statement", 1, "Resource")
		},
	},
	{
		name: "tasks have public addresses", rule: "public-task", in: services, on: "webService",
		inject: setting("webService", "ENABLED", "NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp"),
	},
	{
		name: "a database has a public address", rule: "public-database", in: richData, on: "xrdsdbInstance1",
		inject: setting("xrdsdbInstance1", true, "PubliclyAccessible"),
	},

	// data
	{
		name: "a table goes with its stack", known: 22, rule: "data-lost", in: richData, on: "xdynamodbordersDefinition",
		inject: func(t *template) { t.setBody("xdynamodbordersDefinition", "Delete", "DeletionPolicy") },
	},
	{
		name: "a cluster is lost when it is replaced", rule: "data-lost", in: richData, on: "xrdsdbDefinition",
		inject: func(t *template) { t.setBody("xrdsdbDefinition", removed{}, "UpdateReplacePolicy") },
	},
	{
		name: "a bucket goes with its stack", rule: "data-lost", in: pipeline, on: "Artifacts",
		inject: func(t *template) { t.setBody("Artifacts", removed{}, "DeletionPolicy") },
	},
	{
		name: "a cluster can be deleted by mistake", rule: "data-unprotected", in: richData, on: "xrdsdbDefinition",
		inject: setting("xrdsdbDefinition", false, "DeletionProtection"),
	},
	{
		name: "a cluster has no backups", rule: "data-unprotected", in: richData, on: "xrdsdbDefinition",
		inject: setting("xrdsdbDefinition", 0.0, "BackupRetentionPeriod"),
	},
	{
		name: "a table cannot be restored", rule: "data-unprotected", in: richData, on: "xdynamodbordersDefinition",
		inject: removing("xdynamodbordersDefinition", "PointInTimeRecoverySpecification"),
	},
	{
		name: "a cluster is stored in clear text", rule: "data-unencrypted", in: richData, on: "xrdsdbDefinition",
		inject: removing("xrdsdbDefinition", "StorageEncrypted"),
	},
	{
		name: "a file system is stored in clear text", rule: "data-unencrypted", in: richData, on: "volumesuploadsFileSystem",
		inject: setting("volumesuploadsFileSystem", "false", "Encrypted"),
	},
	{
		name: "a queue is stored in clear text", rule: "data-unencrypted", in: richData, on: "xsqsjobsDefinition",
		inject: setting("xsqsjobsDefinition", false, "SqsManagedSseEnabled"),
	},
	{
		name: "a volume is mounted in clear text", rule: "volume-in-clear", in: services, on: "webTask",
		inject: removing("webTask", "Volumes", 0, "EFSVolumeConfiguration", "TransitEncryption"),
	},
	{
		name: "a bucket may become public", rule: "data-public", in: pipeline, on: "Artifacts",
		inject: removing("Artifacts", "PublicAccessBlockConfiguration", "BlockPublicPolicy"),
	},
	{
		name: "a queue takes requests without TLS", rule: "tls-optional", in: richData, on: "xsqsjobsDefinition",
		inject: setting("xsqsjobsPolicy", "true", "PolicyDocument", "Statement", 0, "Condition", "Bool", "aws:SecureTransport"),
	},
	{
		name: "a bucket takes requests without TLS", rule: "tls-optional", in: pipeline, on: "Artifacts",
		inject: setting("ArtifactsPolicy", `{"AWS": "arn:aws:iam::999999999999:root"}`, "PolicyDocument", "Statement", 0, "Principal"),
	},
	{
		name: "a topic takes requests without TLS", rule: "tls-optional", in: pipeline, on: "Told",
		inject: removing("ToldPolicy", "PolicyDocument", "Statement", 0),
	},
	{
		name: "a tag of an image can be moved", rule: "image-mutable", in: pipeline, on: "Images",
		inject: setting("Images", "MUTABLE", "ImageTagMutability"),
	},
	{
		name: "images are not scanned", rule: "image-mutable", in: pipeline, on: "Images",
		inject: removing("Images", "ImageScanningConfiguration"),
	},
	{
		name: "logs are kept for ever", rule: "log-forever", in: services, on: "apiLogGroup",
		inject: removing("apiLogGroup", "RetentionInDays"),
	},
}
