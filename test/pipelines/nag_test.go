//go:build !race

package pipelines

import (
	"testing"

	"composecdk/test/engine"
)

// pipelineNagExceptions are the findings of cdk-nag's AwsSolutions rules that are
// right as they are. A place is a construct path.
var pipelineNagExceptions = []engine.Exception{
	{
		Rule:   `AwsSolutions-IAM5\[Action::(kms:(GenerateDataKey|ReEncrypt)|s3:(Abort|DeleteObject|GetBucket|GetObject|List))\*\]`,
		Place:  `(Cd|Platform)/(Role|Pipeline/.*|Stages/.*)/DefaultPolicy/Resource`,
		Reason: "the CDK's grants on the artifact bucket and its key, with the patterns of AWS's documentation",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::arn:aws:s3:::\w+-artifacts-111111111111-[a-z0-9-]+/(.+/)?\*\]`, Place: `(Cd|Platform|Tooling|Roles-\w+)/.*`,
		Reason: "objects of the artifact bucket, which have generated names; those of a pipeline begin with the pipeline's",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::arn:aws:logs:.*:log-group:.+:\*\]`, Place: `(Cd|Platform|Tooling)/.*`,
		Reason: "the log streams of one group, which builds name",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::(\*|arn:\*:iam::111111111111:role/\*|arn:.*:report-group/.*-\*)\]`, Place: `(Cd|Platform)/Stages/UpdatePipeline/SelfMutation/Role/DefaultPolicy/Resource`,
		Reason: "CDK Pipelines makes this role: of the account's roles it may assume those that are tagged as the CDK's own, and lists stacks and buckets",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::\*\]`, Place: `Cd/JanitorRole/DefaultPolicy/Resource`,
		Reason: "X-Ray and the delivery of logs know no resources",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::\*\]`, Place: `Tooling/(Ci|Merge).*`,
		Reason: "ecr:GetAuthorizationToken and inspector-scan:ScanSbom know no resources",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::arn:aws:(ecr:.*:repository/\w+/|s3:::\w+-artifacts-111111111111-eu-west-1/ci-)\*\]`, Place: `Tooling/Merge/Role`,
		Reason: "the one project that hands images over for all applications: it reads what their builds leave, and describes their images",
	},
	{
		Rule: `AwsSolutions-IAM5\[.*\]`, Place: `Roles-\w+/Execution (services|data|pipelines|roles)`,
		Reason: "CloudFormation makes what templates say, under names that AWS makes up: the services are listed, and roles have the permissions boundary",
	},
	{
		Rule: `AwsSolutions-IAM5\[Resource::(arn:aws:cloudformation:\*:\d+:stack/.+-\*/\*|arn:aws:kms:\*:111111111111:key/mrk-\*|\*)\]`, Place: `Roles-\w+/(Deploy|Protect|Review)`,
		Reason: "the stacks of one environment; the key of artifacts, whose own policy says that it is the one; composite alarms are answered for everything only",
	},
	{
		Rule: `CdkNagValidationFailure\[AwsSolutions-IAM5\]`, Place: `Roles-\w+/Boundary`,
		Reason: "the rule cannot read a statement with NotAction; a boundary allows nothing, it limits what others allow",
	},
	{
		Rule: `AwsSolutions-SF1`, Place: `Cd/Janitor-\w+/Resource`,
		Reason: "errors are logged; the history of an execution, which Step Functions keeps, has the rest",
	},
}

// TestPipelineNag holds cdk-nag's AwsSolutions rules against every stack of the
// pipelines; TestNag does against those of the application.
func TestPipelineNag(t *testing.T) {
	var found []engine.Finding
	judged := 0
	for _, c := range deliveredCases(t) {
		for _, s := range c.stacks {
			if !s.application {
				judged++
				found = append(found, s.nag...)
			}
		}
	}
	if judged < 10 || len(found) == 0 {
		t.Errorf("%d findings in %d stacks: are the rules held?", len(found), judged)
	}
	engine.Explained(t, found, pipelineNagExceptions)
}
