package network

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// flowLogRetention is long enough to look into an incident of the last month.
const flowLogRetention = awslogs.RetentionDays_ONE_MONTH

// addFlowLogs writes the VPC's traffic to a log group. The boundary is the ARN
// of a permissions boundary for the role, or "".
func addFlowLogs(this constructs.Construct, vpc awsec2.Vpc, boundary string) {
	group := awslogs.NewLogGroup(this, jsii.String("FlowLogs"), &awslogs.LogGroupProps{
		Retention:     flowLogRetention,
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
	props := awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("vpc-flow-logs.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{
				"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()},
			},
		}),
	}
	if boundary != "" {
		props.PermissionsBoundary = awsiam.ManagedPolicy_FromManagedPolicyArn(this, jsii.String("Boundary"), jsii.String(boundary))
	}
	role := awsiam.NewRole(this, jsii.String("FlowLogsRole"), &props)
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
		Resources: &[]*string{group.LogGroupArn()},
	}))
	log := awsec2.NewCfnFlowLog(this, jsii.String("FlowLog"), &awsec2.CfnFlowLogProps{
		ResourceId:               vpc.VpcId(),
		ResourceType:             jsii.String("VPC"),
		TrafficType:              jsii.String("ALL"),
		LogGroupName:             group.LogGroupName(),
		DeliverLogsPermissionArn: role.RoleArn(),
	})
	log.Node().AddDependency(role)
}
