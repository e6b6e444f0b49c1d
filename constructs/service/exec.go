package service

import (
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/cfn"
)

// allowExec switches ECS Exec on. The CDK's own switch would also let the task
// write to every log group where the cluster's own is not known to it.
func (f *Family) allowExec() {
	f.resource.SetEnableExecuteCommand(jsii.Bool(true))
	all := []cfn.Value{cfn.Literal("*")}
	// The channels of Session Manager are no resources that IAM knows.
	statements := []Statement{{
		Actions: []string{
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		},
		Resources: all,
	}}
	targets := f.props.Cluster.Exec()
	if group := targets.LogGroup; group != nil {
		statements = append(statements,
			Statement{Actions: []string{"logs:DescribeLogGroups"}, Resources: all},
			Statement{
				Actions:   []string{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
				Resources: []cfn.Value{*group},
			})
	}
	if bucket := targets.Bucket; bucket != nil {
		statements = append(statements,
			Statement{Actions: []string{"s3:GetBucketLocation", "s3:GetEncryptionConfiguration"}, Resources: []cfn.Value{*bucket}},
			Statement{Actions: []string{"s3:PutObject"}, Resources: []cfn.Value{cfn.Join(*bucket, cfn.Literal("/*"))}})
	}
	if key := targets.Key; key != nil {
		statements = append(statements, Statement{
			Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: []cfn.Value{*key},
		})
	}
	f.taskRole.Allow("Exec", statements...)
}
