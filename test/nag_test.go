//go:build !race

package test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// cdk-nag is used in this file only: its next major version has another API.

// nagExceptions are the findings of cdk-nag's AwsSolutions rules that are right as
// they are. A place is a construct path that begins with the case.
var nagExceptions = []engineException{
	{
		`AwsSolutions-ECS2`, `[^/]+/[^/]+/[^/]+/Task/Resource`,
		"environment is what the compose file gives a container in plain text; secrets come through Secrets, as the rule on secrets holds",
	},
	{
		`AwsSolutions-ECS4`, `[^/]+/[^/]+/x-cluster/Resource`,
		"Container Insights is on with the value enhanced, which is newer than this rule",
	},
	{
		`AwsSolutions-VPC7`, `[^/]+/[^/]+/x-vpc/Vpc/Resource`,
		"flow logs are billed by the gigabyte: the file switches them on, x-vpc EnableFlowLogs",
	},
	{
		`AwsSolutions-ELB2`, `[^/]+/[^/]+/x-(elbv2|ingress)/[^/]+/LoadBalancer/Resource`,
		"access logs go to a bucket that outlives the application and may serve many: the file names one, access_logs.s3.bucket of LoadBalancerAttributes",
	},
	{
		`AwsSolutions-EC23`, `[^/]+/[^/]+/x-(elbv2|ingress)/[^/]+/SecurityGroup/Resource`,
		"the load balancer is public because the file says so, on the ports of its listeners only; what is not declared is open to nobody",
	},
	{
		`AwsSolutions-IAM5\[Resource::\*\]`, `[^/]+/[^/]+/[^/]+/(TaskRole|ExecutionRole)/DefaultPolicy/Resource`,
		"actions of X-Ray, of the channels of ECS Exec and ecr:GetAuthorizationToken know no resources",
	},
	{
		`AwsSolutions-IAM5\[Resource::\*\]`, `services/Services/shop/TaskRole/x-iam metrics`,
		"a policy that the file writes itself; cloudwatch:PutMetricData knows no resources, and its condition names the namespace",
	},
	{
		`AwsSolutions-IAM5\[Resource::.*/index/\*\]`, `[^/]+/[^/]+/[^/]+/TaskRole/DefaultPolicy/Resource`,
		"the indexes of the one table that the service is bound to: their names are data of the application",
	},
	{
		`AwsSolutions-IAM5\[Resource::.*/stream/\*\]`, `[^/]+/[^/]+/[^/]+/TaskRole/DefaultPolicy/Resource`,
		"the streams of the one table that the service is bound to: DynamoDB names them by the time at which they began",
	},
	{
		`AwsSolutions-IAM5\[Resource::arn:.*:kms:.*:key/\*\]`, `x-sqs/Services/web/TaskRole/DefaultPolicy/Resource`,
		"the file names the key by its alias, so a condition on kms:ResourceAliases stands for its ARN",
	},
	{
		`AwsSolutions-IAM5\[Resource::arn:.*:logs:.*:log-group:\*\]`, `services/Services/shop/TaskRole/DefaultPolicy/Resource`,
		"logs:DescribeLogGroups lists the groups of an account, for the agent of ECS Exec to find its own",
	},
	{
		`AwsSolutions-SMG4`, `[^/]+/[^/]+/x-rds/[^/]+/Secret/Resource`,
		"a container gets the password when it starts, so a rotation cuts running tasks off until they are replaced: it must not begin by itself",
	},
	{
		`AwsSolutions-SMG4`, `[^/]+/[^/]+/x-rds/[^/]+/ConnectionString [^/]+`,
		"made of the database's own secret with every deployment; a rotation of its own would part the two",
	},
	{
		`AwsSolutions-SMG4`, `services/Data/secrets/licence/Resource`,
		"the value is put by its owner, a licence that no function can renew",
	},
	{
		`AwsSolutions-RDS6`, `[^/]+/[^/]+/x-rds/[^/]+/Definition/Resource`,
		"applications that run unchanged under Docker log in with the user and the password of the secret; the file switches the other way on, EnableIAMDatabaseAuthentication",
	},
	{
		`AwsSolutions-RDS11`, `(x-rds|x-ephemeral)/Data/x-rds/audit/Definition/Resource`,
		"the default port is what clients expect; the database has no public address, and only the bound services' security groups reach it",
	},
	{
		`AwsSolutions-RDS14`, `x-rds/Data/x-rds/events-01/Definition/Resource`,
		"14 days of point-in-time recovery are there; Backtrack is billed by the change, and the file switches it on, BacktrackWindow",
	},
	{
		`AwsSolutions-RDS3`, `x-ephemeral/Data/x-rds/audit/Definition/Resource`,
		"a single instance is the file's choice; MultiAZ doubles its price",
	},
	{
		`AwsSolutions-RDS10`, `x-ephemeral/Data/x-rds/[^/]+/Definition/Resource`,
		"the environment is declared ephemeral: nothing in it is protected",
	},
	{
		`AwsSolutions-SQS2`, `x-sqs/Data/x-sqs/lost/Definition/Resource`,
		"the file says SqsManagedSseEnabled: false, to show that it can",
	},
	{
		`AwsSolutions-SQS3`, `(x-sqs/Data/x-sqs/plain|x-ephemeral/Data/x-sqs/orders)/Definition/Resource`,
		"whether a message that fails is kept elsewhere is the file's decision, RedrivePolicy",
	},
}

// TestNag holds cdk-nag's AwsSolutions rules against every stack.
func TestNag(t *testing.T) {
	var found []engineFinding
	for _, c := range judgedCases(t) {
		found = append(found, c.nag...)
	}
	explained(t, found, nagExceptions)
}

// TestNagFinds proves that the rules are held: a queue without encryption and
// without a dead-letter queue breaks both of theirs.
func TestNagFinds(t *testing.T) {
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), PostCliContext: &noAnnotations})
	stack := awscdk.NewStack(app, jsii.String("wrong"), nil)
	awssqs.NewCfnQueue(stack, jsii.String("Queue"), &awssqs.CfnQueueProps{SqsManagedSseEnabled: jsii.Bool(false)})
	addNag(app)
	app.Synth(nil)
	var rules []string
	for _, f := range nagFindings(t, outdir+"/wrong.metadata.json") {
		rules = append(rules, f.rule)
	}
	slices.Sort(rules)
	equal(t, "rules", strings.Join(rules, " "), "AwsSolutions-SQS2 AwsSolutions-SQS3 AwsSolutions-SQS4")
}

// TestNagIsNoPartOfTheProgram: only tests are linked with cdk-nag.
func TestNagIsNoPartOfTheProgram(t *testing.T) {
	packages := string(output(t, exec.Command("go", "list", "-deps", "composecdk", "composecdk/cmd/...")))
	if !strings.Contains(packages, "composecdk/stacks") || strings.Contains(packages, "cdknag") {
		t.Error("the program is linked with cdk-nag")
	}
}

// addNag holds the AwsSolutions rules against all constructs of an app or a stage;
// those of an app stop where a stage begins.
func addNag(scope constructs.IConstruct) {
	awscdk.Aspects_Of(scope).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
}

// nagFindings reads what cdk-nag wrote to the constructs of a stack. Its own
// report leaves out what a rule found, as in AwsSolutions-IAM5[Resource::*].
func nagFindings(t *testing.T, metadata string) []engineFinding {
	t.Helper()
	text, err := os.ReadFile(metadata)
	if err != nil {
		t.Fatal(err)
	}
	var entries map[string][]struct{ Data any }
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	var found []engineFinding
	for _, path := range slices.Sorted(maps.Keys(entries)) {
		for _, entry := range entries[path] {
			message, _ := entry.Data.(string)
			rule, says, ok := strings.Cut(strings.TrimSpace(message), ": ")
			if ok && (strings.HasPrefix(rule, "AwsSolutions-") || strings.HasPrefix(rule, "CdkNag")) {
				found = append(found, engineFinding{rule, strings.TrimPrefix(path, "/"), says})
			}
		}
	}
	return found
}
