package service

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/cfn"
)

// RunTarget is what whoever runs a task of a family needs: a person, a schedule, a step
// of a pipeline.
type RunTarget struct {
	Cluster, TaskDefinition, SecurityGroup cfn.Value
	Subnets                                []cfn.Value
	AssignPublicIP                         bool
	// Roles are the ARNs of the two roles that the runner must be allowed to pass.
	Roles []cfn.Value
}

// RunTarget returns what it takes to run a task of the family, with or without an ECS
// service.
func (f *Family) RunTarget() RunTarget {
	target := RunTarget{
		Cluster:        cfn.FromToken(f.props.Cluster.ICluster().ClusterName()),
		TaskDefinition: cfn.FromToken(f.task.TaskDefinitionArn()),
		SecurityGroup:  f.groupID,
		AssignPublicIP: f.model.AssignPublicIP,
		Roles:          []cfn.Value{cfn.FromToken(f.taskRole.role.RoleArn()), cfn.FromToken(f.execution.role.RoleArn())},
	}
	for _, id := range *f.props.Network.SubnetIDs(f.model.SubnetGroup) {
		target.Subnets = append(target.Subnets, cfn.FromToken(id))
	}
	return target
}

// tellCommand puts the command that runs the family into an output of the stack.
func (f *Family) tellCommand(this constructs.Construct) {
	target, address := f.RunTarget(), "DISABLED"
	if target.AssignPublicIP {
		address = "ENABLED"
	}
	subnets := make([]string, len(target.Subnets))
	for i, id := range target.Subnets {
		subnets[i] = *id.Token()
	}
	awscdk.NewCfnOutput(awscdk.Stack_Of(this), jsii.String("Run "+f.model.Name), &awscdk.CfnOutputProps{
		Description: jsii.String("runs the job " + f.model.Name),
		Value: jsii.String(fmt.Sprintf("aws ecs run-task --launch-type FARGATE --cluster %s --task-definition %s "+
			"--network-configuration 'awsvpcConfiguration={subnets=[%s],securityGroups=[%s],assignPublicIp=%s}'",
			*target.Cluster.Token(), *target.TaskDefinition.Token(), strings.Join(subnets, ","), *target.SecurityGroup.Token(), address)),
	})
}
