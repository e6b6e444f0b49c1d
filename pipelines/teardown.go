package pipelines

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// teardown deletes the stacks of an environment, each before its dependencies.
type teardown struct {
	cdkpipelines.Step
	// stacks are in the order of deletion.
	stacks []cdkpipelines.StackDeployment
}

func newTeardown(deployment cdkpipelines.StageDeployment) *teardown {
	t := &teardown{stacks: deletionOrder(*deployment.Stacks())}
	cdkpipelines.NewStep_Override(t, jsii.String("Teardown"))
	return t
}

// deletionOrder sorts stacks so that each comes before its dependencies.
func deletionOrder(stacks []cdkpipelines.StackDeployment) []cdkpipelines.StackDeployment {
	var order []cdkpipelines.StackDeployment
	done := map[string]bool{}
	var visit func(cdkpipelines.StackDeployment)
	visit = func(s cdkpipelines.StackDeployment) {
		if done[*s.StackName()] {
			return
		}
		done[*s.StackName()] = true
		for _, before := range *s.StackDependencies() {
			visit(before)
		}
		order = append([]cdkpipelines.StackDeployment{s}, order...)
	}
	for _, s := range stacks {
		visit(s)
	}
	return order
}

// ProduceAction implements cdkpipelines.ICodePipelineActionFactory.
func (t *teardown) ProduceAction(stage awscodepipeline.IStage, o *cdkpipelines.ProduceActionOptions) *cdkpipelines.CodePipelineActionFactoryResult {
	deploy := importRole(o.Scope, "DeployRole", *t.stacks[0].AssumeRoleArn())
	execution := importRole(o.Scope, "ExecutionRole", *t.stacks[0].ExecutionRoleArn())
	prefix := *stage.StageName() + "-"
	for i, stack := range t.stacks {
		stage.AddAction(awscodepipelineactions.NewCloudFormationDeleteStackAction(&awscodepipelineactions.CloudFormationDeleteStackActionProps{
			ActionName: jsii.String(strings.TrimPrefix(*stack.StackName(), prefix) + ".Delete"),
			RunOrder:   jsii.Number(*o.RunOrder + float64(i)),
			StackName:  stack.StackName(), AdminPermissions: jsii.Bool(true),
			Role: deploy, DeploymentRole: execution,
		}))
	}
	return &cdkpipelines.CodePipelineActionFactoryResult{RunOrdersConsumed: jsii.Number(len(t.stacks))}
}

// importRole refers to a role by an ARN in which the CDK wrote ${AWS::Partition}.
func importRole(scope constructs.Construct, id, arn string) awsiam.IRole {
	arn = strings.ReplaceAll(arn, "${AWS::Partition}", *awscdk.Aws_PARTITION())
	return awsiam.Role_FromRoleArn(scope, &id, &arn, &awsiam.FromRoleArnOptions{
		Mutable: jsii.Bool(false), AddGrantsToResources: jsii.Bool(true),
	})
}
