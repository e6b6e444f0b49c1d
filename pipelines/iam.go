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

// serviceRole makes a role that a service assumes for some resources of the tooling
// account, and returns its ARN. The policy is all that the role may do: the CDK adds
// nothing. See
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

// serveAccount restricts the roles that the CDK has made in a stack: services use them
// for resources of this account only, as in serviceRole. The role of a Slack channel has
// no rights and is left as it is.
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

func allow(sid string, actions []string, resources ...string) policy.Statement {
	return policy.Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: resources}
}

// arn returns an ARN in the tooling account and region.
func arn(c *config.Config, service, resource string) string {
	return c.ARN(service, c.Tooling.Region, c.Tooling.Account, resource)
}

// newLogs makes a log group that is kept when its stack is deleted; its name is
// generated, so that the stack can be created again.
func newLogs(scope constructs.Construct, id string, c *config.Config) awslogs.CfnLogGroup {
	group := awslogs.NewCfnLogGroup(scope, &id, &awslogs.CfnLogGroupProps{RetentionInDays: jsii.Number(c.Logs.RetentionDays)})
	group.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	return group
}

func writeLogsTo(arn string) policy.Statement {
	return allow("WriteLogs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, arn)
}

func (a artifacts) read(prefixes ...string) policy.Statement {
	return allow("ReadArtifacts", []string{"s3:GetObject", "s3:GetObjectVersion"}, a.objects(prefixes)...)
}

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

// useKey permits the use of the key through S3 only.
func (a artifacts) useKey(c *config.Config) policy.Statement {
	s := allow("UseKey", []string{"kms:Decrypt", "kms:GenerateDataKey"}, *a.key.KeyArn())
	s.Condition = policy.Condition{"StringEquals": {"kms:ViaService": {"s3." + c.Tooling.Region + ".amazonaws.com"}}}
	return s
}

// artifactPrefix matches the artifacts of a pipeline. CodePipeline takes the first 20
// characters of its name as the folder, so that pipelines with a common prefix share it,
// and a folder in it per artifact, named like the artifact.
func artifactPrefix(pipeline string) string {
	return pipeline[:min(len(pipeline), 20)] + "/*"
}
