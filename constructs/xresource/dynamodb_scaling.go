package xresource

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

func (t *table) scale(scope constructs.Construct, s *kinds.TableScaling, indexes []string) {
	name := t.attribute(kinds.Ref)
	t.scaleCapacity(scope, "Table", cfn.Join(cfn.Literal("table/"), name), "table", s.Table)
	for _, index := range indexes {
		capacity, own := s.Indexes[index]
		if !own && s.CopyToIndexes {
			capacity = s.Table
		}
		t.scaleCapacity(scope, "Index "+index,
			cfn.Join(cfn.Literal("table/"), name, cfn.Literal("/index/"+index)), "index", capacity)
	}
}

// scaleCapacity makes the target and the policy for reading and for writing.
// Without a role, Application Auto Scaling uses its service-linked one.
func (t *table) scaleCapacity(scope constructs.Construct, id string, resource cfn.Value, dimension string, s kinds.CapacityScaling) {
	for _, part := range []struct {
		name string
		at   *kinds.CapacityRange
	}{{"Read", s.ReadCapacityUnits}, {"Write", s.WriteCapacityUnits}} {
		if part.at == nil {
			continue
		}
		target := awsapplicationautoscaling.NewCfnScalableTarget(scope, jsii.String(fmt.Sprintf("%s %s Scaling", id, part.name)),
			&awsapplicationautoscaling.CfnScalableTargetProps{
				ServiceNamespace:  jsii.String("dynamodb"),
				ResourceId:        resource.Token(),
				ScalableDimension: jsii.String(fmt.Sprintf("dynamodb:%s:%sCapacityUnits", dimension, part.name)),
				MinCapacity:       jsii.Number(part.at.MinCapacity),
				MaxCapacity:       jsii.Number(part.at.MaxCapacity),
			})
		tracking := &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty{
			TargetValue: jsii.Number(part.at.TargetValue),
			PredefinedMetricSpecification: &awsapplicationautoscaling.CfnScalingPolicy_PredefinedMetricSpecificationProperty{
				PredefinedMetricType: jsii.String(fmt.Sprintf("DynamoDB%sCapacityUtilization", part.name)),
			},
		}
		if part.at.TargetValue == 0 {
			tracking.TargetValue = jsii.Number(70)
		}
		if part.at.ScaleInCooldown > 0 {
			tracking.ScaleInCooldown = jsii.Number(part.at.ScaleInCooldown)
		}
		if part.at.ScaleOutCooldown > 0 {
			tracking.ScaleOutCooldown = jsii.Number(part.at.ScaleOutCooldown)
		}
		awsapplicationautoscaling.NewCfnScalingPolicy(scope, jsii.String(fmt.Sprintf("%s %s Policy", id, part.name)),
			&awsapplicationautoscaling.CfnScalingPolicyProps{
				PolicyName:                               jsii.String(fmt.Sprintf("%s%sUtilization", strings.ReplaceAll(id, " ", "-"), part.name)),
				PolicyType:                               jsii.String("TargetTrackingScaling"),
				ScalingTargetId:                          target.Ref(),
				TargetTrackingScalingPolicyConfiguration: tracking,
			})
	}
}
