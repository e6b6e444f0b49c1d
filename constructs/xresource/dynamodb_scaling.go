package xresource

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// tableScaling is the section Scaling: the capacity of a table and its indexes
// follows their use.
type tableScaling struct {
	Table capacityScaling
	// Indexes is by index name; CopyToIndexes gives all of them Table's.
	Indexes       map[string]capacityScaling
	CopyToIndexes bool
}

type capacityScaling struct{ ReadCapacityUnits, WriteCapacityUnits *capacityRange }

// capacityRange is in capacity units; TargetValue is the used percentage, 70 by
// default, and the cooldowns are seconds.
type capacityRange struct {
	MinCapacity, MaxCapacity          int
	TargetValue                       float64
	ScaleInCooldown, ScaleOutCooldown int
}

func checkScaling(c *compose.Checker, r *compose.Resource) {
	scaling, ok := r.Sections["Scaling"].(*tableScaling)
	if !ok {
		return
	}
	path := r.Path.Key("Scaling")
	if r.Properties["ProvisionedThroughput"] == nil {
		c.Errorf(path, "scaling-on-demand", "capacity cannot scale on a table without ProvisionedThroughput")
	}
	checkCapacity(c, path.Key("Table"), scaling.Table)
	indexes := indexNames(r)
	for _, name := range slices.Sorted(maps.Keys(scaling.Indexes)) {
		at := path.Key("Indexes").Key(name)
		if !slices.Contains(indexes, name) {
			c.Unknown(at, "index-unknown", "a global secondary index of "+r.Name, name, indexes)
		}
		checkCapacity(c, at, scaling.Indexes[name])
	}
}

func checkCapacity(c *compose.Checker, path compose.Path, s capacityScaling) {
	for _, part := range []struct {
		name string
		at   *capacityRange
	}{{"ReadCapacityUnits", s.ReadCapacityUnits}, {"WriteCapacityUnits", s.WriteCapacityUnits}} {
		if part.at != nil && (part.at.MinCapacity < 1 || part.at.MaxCapacity < part.at.MinCapacity) {
			c.Errorf(path.Key(part.name), "scaling-range", "needs 1 <= MinCapacity <= MaxCapacity, found %d and %d", part.at.MinCapacity, part.at.MaxCapacity)
		}
	}
}

func indexNames(r *compose.Resource) []string {
	var names []string
	indexes, _ := r.Properties["GlobalSecondaryIndexes"].([]any)
	for _, index := range indexes {
		fields, _ := index.(map[string]any)
		if name, ok := fields["IndexName"].(string); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (t *table) scale(scope constructs.Construct, s *tableScaling, indexes []string) {
	name := t.attribute(Ref)
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
func (t *table) scaleCapacity(scope constructs.Construct, id string, resource cfn.Value, dimension string, s capacityScaling) {
	for _, part := range []struct {
		name string
		at   *capacityRange
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
