package pipelines

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"

	"composecdk/pipelines/config"
)

// settings are by the name of the stage.
type settings map[string]*stageSettings

// stageSettings hold the properties of a stage that CDK Pipelines cannot set.
type stageSettings struct {
	// entry are rules that must all hold, or the stage is skipped.
	entry []rule
	// bake are rules that must all hold after a success, or the stage fails.
	bake []rule
	// onFailure is rollback, retry or none.
	onFailure string
}

type rule map[string]any

func newRule(name, provider string, configuration map[string]any) rule {
	return rule{
		"Name":          name,
		"RuleTypeId":    map[string]any{"Category": "Rule", "Owner": "AWS", "Provider": provider, "Version": "1"},
		"Configuration": configuration,
	}
}

// equals returns the rule that a variable of an action has a value. See
// https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
func equals(name, variable, value string) rule {
	return newRule(name, "VariableCheck", map[string]any{"Variable": variable, "Value": value, "Operator": "EQ"})
}

// quiet returns the rule that an alarm of a target stays out of ALARM while it bakes. See
// https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-CloudWatchAlarm.html
func (d *cd) quiet(b *config.Bake, alarm string, t config.Target) rule {
	r := newRule(ruleName(alarm+"-"+t.Account.Name+"-"+t.Region), "CloudWatchAlarm", map[string]any{
		"AlarmName": alarm, "AlarmStates": "ALARM", "WaitTime": strconv.Itoa(int(b.For.Minutes())),
	})
	r["Region"] = t.Region
	r["RoleArn"] = d.config.ReviewRoleARN(t.Account)
	return r
}

var notInRuleName = regexp.MustCompile(`[^A-Za-z0-9.@_-]+`)

// ruleName makes a valid name of a rule, up to 100 characters.
func ruleName(text string) string {
	name := notInRuleName.ReplaceAllString(text, "-")
	return name[:min(len(name), 100)]
}

func conditions(result string, rules []rule) map[string]any {
	return map[string]any{"Conditions": []any{map[string]any{"Result": result, "Rules": rules}}}
}

// waveSettings returns the settings of a wave. A stage with an approval is not rolled
// back as a whole: that would ask for the approval again, and a rejection would
// start it. CloudFormation rolls back each of its stacks that fails.
func (d *cd) waveSettings(e *config.Environment, i int, entry []rule, asks bool) *stageSettings {
	s := &stageSettings{entry: entry, onFailure: e.OnFailure}
	if asks && e.OnFailure == "rollback" {
		s.onFailure = "none"
	}
	if e.Bake == nil {
		return s
	}
	for _, t := range e.Waves[i] {
		permit(d.role, []string{"sts:AssumeRole"}, d.config.ReviewRoleARN(t.Account))
		for _, alarm := range e.Bake.Alarms {
			s.bake = append(s.bake, d.quiet(e.Bake, alarm, t))
		}
	}
	return s
}

// apply writes the settings into the stages of the built pipeline. CDK Pipelines splits
// a stage of more than 50 actions into stages <name>.<n>; only the last of them bakes.
func (all settings) apply(pipeline awscodepipeline.Pipeline) {
	resource := pipeline.Node().DefaultChild().(awscodepipeline.CfnPipeline)
	names := stageNames(pipeline)
	for i, name := range names {
		base, _, _ := strings.Cut(name, ".")
		s := all[base]
		if s == nil {
			continue
		}
		set := func(property string, value any) {
			path := fmt.Sprintf("Stages.%d.%s", i, property)
			resource.AddPropertyOverride(&path, value)
		}
		if len(s.entry) > 0 {
			set("BeforeEntry", conditions("SKIP", s.entry))
		}
		switch s.onFailure {
		case "rollback":
			set("OnFailure.Result", "ROLLBACK")
		case "retry":
			set("OnFailure", map[string]any{"Result": "RETRY", "RetryConfiguration": map[string]any{"RetryMode": "FAILED_ACTIONS"}})
		}
		last := i+1 == len(names) || !strings.HasPrefix(names[i+1], base+".")
		if len(s.bake) > 0 && last {
			result := "FAIL"
			if s.onFailure == "rollback" {
				result = "ROLLBACK"
			}
			set("OnSuccess", conditions(result, s.bake))
		}
	}
}

func stageNames(p awscodepipeline.Pipeline) []string {
	var names []string
	for _, stage := range *p.Stages() {
		names = append(names, *stage.StageName())
	}
	return names
}
