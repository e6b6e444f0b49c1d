package service

import "composecdk/constructs/cfn"

// allowExec lets the tasks open sessions of ECS Exec. The CDK's own switch would also let
// them write to every log group where the cluster's own is not known to it.
func (f *Family) allowExec() {
	// The channels of Session Manager are no resources that IAM knows.
	statements := []Statement{{
		Actions: []string{
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		},
		Resources: []cfn.Value{cfn.Literal("*")},
	}}
	targets := f.props.Cluster.Exec()
	if group := targets.LogGroup; group != nil {
		statements = append(statements,
			// The agent lists the log groups to find its own.
			Statement{
				Actions:   []string{"logs:DescribeLogGroups"},
				Resources: []cfn.Value{cfn.Arn(cfn.Literal("logs"), cfn.Literal("log-group:*"))},
			},
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
