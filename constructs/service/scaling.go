package service

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
)

// addScaling follows x-scaling: a range of tasks, targets for CPU and memory,
// and times at which the range changes.
func (f *Family) addScaling(constructs.Construct) error {
	s := f.model.Scaling
	if s == nil {
		return nil
	}
	f.scaling = f.service.AutoScaleTaskCount(&awsapplicationautoscaling.EnableScalingProps{
		MinCapacity: jsii.Number(s.Min), MaxCapacity: jsii.Number(s.Max),
	})
	if s.CPUTarget > 0 {
		f.scaling.ScaleOnCpuUtilization(jsii.String("Cpu"), &awsecs.CpuUtilizationScalingProps{
			TargetUtilizationPercent: jsii.Number(s.CPUTarget),
			ScaleInCooldown:          seconds(s.ScaleInCooldown),
			ScaleOutCooldown:         seconds(s.ScaleOutCooldown),
			DisableScaleIn:           when(s.DisableScaleIn),
		})
	}
	if s.MemoryTarget > 0 {
		f.scaling.ScaleOnMemoryUtilization(jsii.String("Memory"), &awsecs.MemoryUtilizationScalingProps{
			TargetUtilizationPercent: jsii.Number(s.MemoryTarget),
			ScaleInCooldown:          seconds(s.ScaleInCooldown),
			ScaleOutCooldown:         seconds(s.ScaleOutCooldown),
			DisableScaleIn:           when(s.DisableScaleIn),
		})
	}
	for i, a := range s.Schedules {
		name := a.Name
		if name == "" {
			name = fmt.Sprintf("Schedule%d", i+1)
		}
		schedule, err := scalingSchedule(a)
		if err != nil {
			return fmt.Errorf("the scheduled action %s: %w", name, err)
		}
		f.scaling.ScaleOnSchedule(jsii.String(name), schedule)
	}
	return nil
}

func scalingSchedule(a compose.ScheduledAction) (*awsapplicationautoscaling.ScalingSchedule, error) {
	schedule := &awsapplicationautoscaling.ScalingSchedule{
		Schedule: awsapplicationautoscaling.Schedule_Expression(jsii.String(a.Schedule)),
	}
	if a.TimeZone != "" {
		schedule.TimeZone = awscdk.TimeZone_Of(jsii.String(a.TimeZone))
	}
	if a.Min != nil {
		schedule.MinCapacity = jsii.Number(*a.Min)
	}
	if a.Max != nil {
		schedule.MaxCapacity = jsii.Number(*a.Max)
	}
	for _, at := range []struct {
		text string
		set  **time.Time
	}{{a.StartTime, &schedule.StartTime}, {a.EndTime, &schedule.EndTime}} {
		if at.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, at.text)
		if err != nil {
			return nil, err
		}
		*at.set = &t
	}
	return schedule, nil
}

// ScaleOnMetric sets the number of tasks by steps of a metric that counts a
// backlog. Below the first step the family shrinks to the minimum of x-scaling,
// or to no task at all where it has none.
func (f *Family) ScaleOnMetric(id string, metric awscloudwatch.IMetric, s *compose.StepScaling) {
	// A first step from 0 starts with the first message: an empty backlog needs
	// no work.
	threshold := max(s.Steps[0].Lower, 1)
	low, highest := 0, 0
	for _, step := range s.Steps {
		highest = max(highest, step.Count)
	}
	if f.model.Scaling != nil {
		low = f.model.Scaling.Min
	}
	if f.scaling == nil {
		f.scaling = f.service.AutoScaleTaskCount(&awsapplicationautoscaling.EnableScalingProps{
			MinCapacity: jsii.Number(0), MaxCapacity: jsii.Number(highest),
		})
		f.resource.AddPropertyDeletionOverride(jsii.String("DesiredCount"))
	}
	this := constructs.NewConstruct(f.construct, &id)
	var steps []any
	for i, step := range s.Steps {
		adjustment := map[string]any{"scalingAdjustment": step.Count, "metricIntervalLowerBound": step.Lower - threshold}
		if i == 0 {
			adjustment["metricIntervalLowerBound"] = 0
		}
		if step.Upper != nil {
			adjustment["metricIntervalUpperBound"] = *step.Upper - threshold
		}
		steps = append(steps, adjustment)
	}
	f.stepAlarm(this, "ScaleOut", steps, s.ScaleOutCooldown, metric, &awscloudwatch.AlarmProps{
		Threshold:          jsii.Number(threshold),
		ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
		TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
	})
	f.stepAlarm(this, "ScaleIn", []any{map[string]any{"scalingAdjustment": low, "metricIntervalUpperBound": 0}},
		s.ScaleInCooldown, metric, &awscloudwatch.AlarmProps{
			Threshold:          jsii.Number(threshold),
			ComparisonOperator: awscloudwatch.ComparisonOperator_LESS_THAN_THRESHOLD,
			TreatMissingData:   awscloudwatch.TreatMissingData_IGNORE,
		})
}

// stepAlarm makes a step scaling policy of exact counts, and the alarm that runs
// it. The CDK's own pair of policies would both fire on the border between them.
func (f *Family) stepAlarm(
	this constructs.Construct, id string, steps []any, cooldown int, metric awscloudwatch.IMetric, props *awscloudwatch.AlarmProps,
) {
	configuration := map[string]any{
		"adjustmentType":        "ExactCapacity",
		"metricAggregationType": "Maximum",
		"stepAdjustments":       steps,
	}
	if cooldown > 0 {
		configuration["cooldown"] = cooldown
	}
	target := f.scaling.Node().FindChild(jsii.String("Target")).(awsapplicationautoscaling.ScalableTarget)
	policy := awsapplicationautoscaling.NewCfnScalingPolicy(this, jsii.String(id+"Policy"), &awsapplicationautoscaling.CfnScalingPolicyProps{
		PolicyName:                     jsii.String(f.model.Name + "-" + *this.Node().Id() + "-" + id),
		PolicyType:                     jsii.String("StepScaling"),
		ScalingTargetId:                target.ScalableTargetId(),
		StepScalingPolicyConfiguration: configuration,
	})
	props.Metric = metric
	props.EvaluationPeriods = jsii.Number(1)
	alarm := awscloudwatch.NewAlarm(this, jsii.String(id), props)
	alarm.Node().DefaultChild().(awscloudwatch.CfnAlarm).SetAlarmActions(&[]*string{policy.Ref()})
}
