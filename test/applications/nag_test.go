//go:build !race

package applications

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"composecdk/test/engine"
	"composecdk/test/fixture"
)

// cdk-nag is used in this file only: its next major version has another API.

// nagExceptions are the findings of cdk-nag's AwsSolutions rules that are right as
// they are. A place is a construct path that begins with the case.
var nagExceptions = []engine.Exception{
	{
		Rule: `AwsSolutions-ECS2`, Place: `[^/]+/[^/]+/[^/]+/Task/Resource`,
		Reason: "environment is what the compose file gives a container in plain text; secrets come through Secrets, as the rule on secrets holds",
	},
	{
		Rule: `AwsSolutions-ECS4`, Place: `[^/]+/[^/]+/x-cluster/Resource`,
		Reason: "Container Insights is on with the value enhanced, which is newer than this rule",
	},
	{
		Rule: `AwsSolutions-VPC7`, Place: `[^/]+/[^/]+/x-vpc/Vpc/Resource`,
		Reason: "flow logs are billed by the gigabyte: the file switches them on, x-vpc EnableFlowLogs",
	},
	{
		Rule: `AwsSolutions-ELB2`, Place: `[^/]+/[^/]+/x-(elbv2|ingress)/[^/]+/LoadBalancer/Resource`,
		Reason: "access logs go to a bucket that outlives the application and may serve many: the file names one, access_logs.s3.bucket of LoadBalancerAttributes",
	},
	{
		Rule: `AwsSolutions-EC23`, Place: `[^/]+/[^/]+/x-(elbv2|ingress)/[^/]+/SecurityGroup/Resource`,
		Reason: "the load balancer is public because the file says so, on the ports of its listeners only; what is not declared is open to nobody",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::\*\]`, Place: `[^/]+/[^/]+/[^/]+/(TaskRole|ExecutionRole)/DefaultPolicy/Resource`,
		Reason: "actions of X-Ray, of the channels of ECS Exec and ecr:GetAuthorizationToken know no resources",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::\*\]`, Place: `services/Services/shop/TaskRole/x-iam metrics`,
		Reason: "a policy that the file writes itself; cloudwatch:PutMetricData knows no resources, and its condition names the namespace",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::.*/index/\*\]`, Place: `[^/]+/[^/]+/[^/]+/TaskRole/DefaultPolicy/Resource`,
		Reason: "the indexes of the one table that the service is bound to: their names are data of the application",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::.*/stream/\*\]`, Place: `[^/]+/[^/]+/[^/]+/TaskRole/DefaultPolicy/Resource`,
		Reason: "the streams of the one table that the service is bound to: DynamoDB names them by the time at which they began",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::arn:.*:kms:.*:key/\*\]`, Place: `x-sqs/Services/web/TaskRole/DefaultPolicy/Resource`,
		Reason: "the file names the key by its alias, so a condition on kms:ResourceAliases stands for its ARN",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::arn:.*:logs:.*:log-group:\*\]`, Place: `services/Services/shop/TaskRole/DefaultPolicy/Resource`,
		Reason: "logs:DescribeLogGroups lists the groups of an account, for the agent of ECS Exec to find its own",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::.*/\*\]`, Place: `x-s3(-lookup)?/Services/[^/]+/TaskRole/DefaultPolicy/Resource`,
		Reason: "the objects of one bucket, whose names nobody knows beforehand",
	},
	{
		Rule: `AwsSolutions-S1`, Place: `x-s3/Data/x-s3/(named|strict)/Definition/Resource`,
		Reason: "logs of access need a bucket and cost: the file asks for them, LoggingConfiguration",
	},
	{
		Rule: `AwsSolutions-SMG4`, Place: `[^/]+/[^/]+/x-rds/[^/]+/Secret/Resource`,
		Reason: "a container gets the password when it starts, so a rotation cuts running tasks off until they are replaced: it must not begin by itself",
	},
	{
		Rule: `AwsSolutions-SMG4`, Place: `[^/]+/[^/]+/x-rds/[^/]+/ConnectionString [^/]+`,
		Reason: "made of the database's own secret with every deployment; a rotation of its own would part the two",
	},
	{
		Rule: `AwsSolutions-SMG4`, Place: `services/Data/secrets/licence/Resource`,
		Reason: "the value is put by its owner, a licence that no function can renew",
	},
	{
		Rule: `AwsSolutions-RDS6`, Place: `[^/]+/[^/]+/x-rds/[^/]+/Definition/Resource`,
		Reason: "applications that run unchanged under Docker log in with the user and the password of the secret; the file switches the other way on, EnableIAMDatabaseAuthentication",
	},
	{
		Rule: `AwsSolutions-RDS11`, Place: `(x-rds|x-ephemeral)/Data/x-rds/audit/Definition/Resource`,
		Reason: "the default port is what clients expect; the database has no public address, and only the bound services' security groups reach it",
	},
	{
		Rule: `AwsSolutions-RDS14`, Place: `x-rds/Data/x-rds/events-01/Definition/Resource`,
		Reason: "14 days of point-in-time recovery are there; Backtrack is billed by the change, and the file switches it on, BacktrackWindow",
	},
	{
		Rule: `AwsSolutions-RDS3`, Place: `x-ephemeral/Data/x-rds/audit/Definition/Resource`,
		Reason: "a single instance is the file's choice; MultiAZ doubles its price",
	},
	{
		Rule: `AwsSolutions-RDS10`, Place: `x-ephemeral/Data/x-rds/[^/]+/Definition/Resource`,
		Reason: "the environment is declared ephemeral: nothing in it is protected",
	},
	{
		Rule: `AwsSolutions-SQS2`, Place: `x-sqs/Data/x-sqs/lost/Definition/Resource`,
		Reason: "the file says SqsManagedSseEnabled: false, to show that it can",
	},
	{
		Rule: `AwsSolutions-SQS3`, Place: `(x-sqs/Data/x-sqs/plain|x-ephemeral/Data/x-sqs/orders|x-kms(-lookup)?/Data/x-sqs/events|x-s3/Data/x-sqs/(plain|uploads))/Definition/Resource`,
		Reason: "whether a message that fails is kept elsewhere is the file's decision, RedrivePolicy",
	},
}

// TestNag holds cdk-nag's AwsSolutions rules against every stack.
func TestNag(t *testing.T) {
	var found []engine.Finding
	for _, c := range judgedCases(t) {
		found = append(found, c.nag...)
	}
	engine.Explained(t, found, nagExceptions)
}

// TestNagFinds proves that the rules are held: a queue without encryption and
// without a dead-letter queue breaks both of theirs.
func TestNagFinds(t *testing.T) {
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), PostCliContext: &engine.NoAnnotations})
	stack := awscdk.NewStack(app, jsii.String("wrong"), nil)
	awssqs.NewCfnQueue(stack, jsii.String("Queue"), &awssqs.CfnQueueProps{SqsManagedSseEnabled: jsii.Bool(false)})
	engine.AddNag(app)
	app.Synth(nil)
	var rules []string
	for _, f := range engine.NagFindings(t, outdir+"/wrong.metadata.json") {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	equal(t, "rules", strings.Join(rules, " "), "AwsSolutions-SQS2 AwsSolutions-SQS3 AwsSolutions-SQS4")
}

// TestNagIsNoPartOfTheProgram: only tests are linked with cdk-nag.
func TestNagIsNoPartOfTheProgram(t *testing.T) {
	packages := string(fixture.Output(t, exec.Command("go", "list", "-deps", "composecdk", "composecdk/cmd/...")))
	if !strings.Contains(packages, "composecdk/stacks") || strings.Contains(packages, "cdknag") {
		t.Error("the program is linked with cdk-nag")
	}
}
