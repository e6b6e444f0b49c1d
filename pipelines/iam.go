package pipelines

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// serviceRole returns the ARN of a role of the tooling account that a service assumes for
// some resources of it. The policy is all that the role may do: nothing of the CDK
// adds to it. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func serviceRole(scope constructs.Construct, id string, c *config.Config, service string, sources []string, rights policy.Document) *string {
	return newServiceRole(scope, id, c, service, sources, rights).AttrArn()
}

func newServiceRole(scope constructs.Construct, id string, c *config.Config, service string, sources []string, rights policy.Document) awsiam.CfnRole {
	trust := policy.Document{{
		Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: map[string][]string{"Service": {service + ".amazonaws.com"}},
		Condition: policy.Condition{"StringEquals": {"aws:SourceAccount": {c.Tooling.Account.ID}}, "ArnLike": {"aws:SourceArn": sources}},
	}}
	return awsiam.NewCfnRole(scope, &id, &awsiam.CfnRoleProps{
		AssumeRolePolicyDocument: trust.Map(),
		Policies:                 []any{&awsiam.CfnRole_PolicyProperty{PolicyName: jsii.String("rights"), PolicyDocument: rights.Map()}},
	})
}

// serveAccount lets services use the roles that the CDK has made in a stack for
// resources of the account alone, as serviceRole does. That of a channel of Slack may
// do nothing, whoever uses it.
func serveAccount(stack awscdk.Stack, c *config.Config) {
	for _, child := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		role, ok := child.(awsiam.Role)
		if !ok {
			continue
		}
		trust, _ := stack.Resolve(role.AssumeRolePolicy()).(map[string]any)
		statements, _ := trust["Statement"].([]any)
		for i, s := range statements {
			s, _ := s.(map[string]any)
			principal, _ := s["Principal"].(map[string]any)
			if service, ok := principal["Service"]; ok && service != "chatbot.amazonaws.com" && s["Condition"] == nil {
				role.Node().DefaultChild().(awsiam.CfnRole).AddPropertyOverride(
					jsii.String(fmt.Sprintf("AssumeRolePolicyDocument.Statement.%d.Condition", i)),
					map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": c.Tooling.Account.ID}},
				)
			}
		}
	}
}

// allow permits actions on resources.
func allow(sid string, actions []string, resources ...string) policy.Statement {
	return policy.Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: resources}
}

// arn returns the ARN of something in the tooling account and region.
func arn(c *config.Config, service, resource string) string {
	return c.ARN(service, c.Tooling.Region, c.Tooling.Account, resource)
}

// newLogs returns a log group. It is kept when its stack goes, and its name is generated,
// so that the next one can be made.
func newLogs(scope constructs.Construct, id string, c *config.Config) awslogs.CfnLogGroup {
	group := awslogs.NewCfnLogGroup(scope, &id, &awslogs.CfnLogGroupProps{RetentionInDays: jsii.Number(c.Logs.RetentionDays)})
	group.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return group
}

// writeLogsTo permits to write to a log group.
func writeLogsTo(arn string) policy.Statement {
	return allow("WriteLogs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, arn)
}

// read permits to read objects of the bucket.
func (a artifacts) read(prefixes ...string) policy.Statement {
	return allow("ReadArtifacts", []string{"s3:GetObject", "s3:GetObjectVersion"}, a.objects(prefixes)...)
}

// write permits to write objects of the bucket.
func (a artifacts) write(prefixes ...string) policy.Statement {
	return allow("WriteArtifacts", []string{"s3:PutObject"}, a.objects(prefixes)...)
}

func (a artifacts) objects(prefixes []string) []string {
	var all []string
	for _, prefix := range prefixes {
		all = append(all, a.arn+"/"+prefix)
	}
	return all
}

// useKey permits S3 to use the key for whoever it reads and writes for.
func (a artifacts) useKey(c *config.Config) policy.Statement {
	s := allow("UseKey", []string{"kms:Decrypt", "kms:GenerateDataKey"}, *a.key.KeyArn())
	s.Condition = policy.Condition{"StringEquals": {"kms:ViaService": {"s3." + c.Tooling.Region + ".amazonaws.com"}}}
	return s
}

// artifactPrefix returns where CodePipeline puts the artifacts of a pipeline: the first 20
// characters of its name are the folder, so that two pipelines of one beginning share
// it. Each artifact has a folder there, called by its name.
func artifactPrefix(pipeline string) string {
	return pipeline[:min(len(pipeline), 20)] + "/*"
}
