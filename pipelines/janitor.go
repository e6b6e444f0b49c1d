package pipelines

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
)

// newJanitor adds what removes an ephemeral environment that its own stage has not
// removed: a state machine, started when the stage fails, to come KeepFor later, and
// when it starts, to come after MaxLifetime.
func (d *cd) newJanitor(e *config.Environment, stage string, stacks []cdkpipelines.StackDeployment) {
	c := d.Config
	role := d.newJanitorRole(stage, stacks)
	machine := awsstepfunctions.NewStateMachine(d.stack, jsii.String("Janitor-"+e.Name), &awsstepfunctions.StateMachineProps{
		StateMachineName: jsii.String(c.JanitorRole() + "-" + e.Name),
		Comment:          jsii.String("removes " + stage + " when its pipeline has not"),
		DefinitionBody:   awsstepfunctions.DefinitionBody_FromString(jsii.String(janitorDefinition(c, stage, stacks))),
		Role:             role, TracingEnabled: jsii.Bool(true),
		Logs: &awsstepfunctions.LogOptions{
			Level:       awsstepfunctions.LogLevel_ERROR,
			Destination: logGroup(d.stack, "JanitorLogs-"+e.Name, c),
		},
	})
	start := func(id string, after time.Duration, overdue bool, states ...string) {
		d.pipeline.Stage(&stage).OnStateChange(&id, awseventstargets.NewSfnStateMachine(machine, &awseventstargets.SfnStateMachineProps{
			Input: awsevents.RuleTargetInput_FromObject(map[string]any{
				"execution": awsevents.EventField_FromPath(jsii.String("$.detail.execution-id")),
				"after":     int(after.Seconds()), "overdue": overdue,
			}),
		}), &awsevents.RuleProps{EventPattern: &awsevents.EventPattern{Detail: &map[string]any{"state": states}}})
	}
	start("Failed", e.Teardown.KeepFor, false, "FAILED", "STOPPED", "CANCELED")
	start("Started", e.Teardown.MaxLifetime, true, "STARTED")
}

// newJanitorRole adds to the role of all janitors, whose name the deploy roles of
// ephemeral environments trust, what one of them needs.
func (d *cd) newJanitorRole(stage string, stacks []cdkpipelines.StackDeployment) awsiam.Role {
	c := d.Config
	pipeline := c.ARN("codepipeline", c.Tooling.Region, c.Tooling.Account, c.CDPipeline())
	if d.janitorRole == nil {
		d.janitorRole = awsiam.NewRole(d.stack, jsii.String("JanitorRole"), &awsiam.RoleProps{
			RoleName:    jsii.String(c.JanitorRole()),
			Description: jsii.String(c.Name + ": removes ephemeral environments"),
			AssumedBy: awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), &awsiam.ServicePrincipalOpts{
				Conditions: &map[string]any{
					"StringEquals": map[string]any{"aws:SourceAccount": c.Tooling.Account.ID},
					"ArnLike":      map[string]any{"aws:SourceArn": arn(c, "states", "stateMachine:"+c.JanitorRole()+"-*")},
				},
			}),
		})
		permit(d.janitorRole, []string{"codepipeline:GetPipelineState"}, pipeline)
		permit(d.janitorRole, []string{"sns:Publish"}, c.TopicARN(config.Failed))
		permit(d.janitorRole, []string{"kms:Decrypt", "kms:GenerateDataKey"}, *keyARN(d.stack))
	}
	permit(d.janitorRole, []string{"codepipeline:DisableStageTransition", "codepipeline:EnableStageTransition"}, pipeline+"/"+stage)
	permit(d.janitorRole, []string{"sts:AssumeRole"}, inPartition(c, *stacks[0].AssumeRoleArn()))
	return d.janitorRole
}

// inPartition returns an ARN in which a stack wrote ${AWS::Partition}.
func inPartition(c *config.Config, arn string) string {
	return strings.ReplaceAll(arn, "${AWS::Partition}", c.Partition())
}

// states are those of a state machine, in the Amazon States Language.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
type states map[string]map[string]any

// janitorDefinition waits, then looks whether the execution that it was started for
// still owns the stage. If so it keeps others out of the stage, looks again, as one
// may have come in meanwhile, deletes the stacks, and lets the others in. Whoever
// owns the stage otherwise has a janitor of his own.
func janitorDefinition(c *config.Config, stage string, stacks []cdkpipelines.StackDeployment) string {
	transition := func(action, next string, more map[string]any) map[string]any {
		arguments := map[string]any{"PipelineName": c.CDPipeline(), "StageName": stage, "TransitionType": "Inbound"}
		for key, value := range more {
			arguments[key] = value
		}
		return call(c, "codepipeline:"+action, arguments, map[string]any{"ResultPath": nil, "Next": next})
	}
	onError := []any{map[string]any{"ErrorEquals": []string{"States.ALL"}, "ResultPath": "$.error", "Next": "Reopen"}}
	all := states{
		"Wait":  {"Type": "Wait", "SecondsPath": "$.after", "Next": "Look"},
		"Close": transition("disableStageTransition", "LookAgain", map[string]any{"Reason": "the janitor removes what an execution has left"}),
		"Remove": {
			"Type": "Map", "MaxConcurrency": 1, "ItemsPath": "$.stacks", "ResultPath": nil,
			"ItemProcessor": map[string]any{"StartAt": "Delete", "States": deletion(c, inPartition(c, *stacks[0].AssumeRoleArn()), inPartition(c, *stacks[0].ExecutionRoleArn()))},
			"Catch":         onError, "Next": "Open",
		},
		"List":   {"Type": "Pass", "Result": names(stacks), "ResultPath": "$.stacks", "Next": "Remove"},
		"Open":   transition("enableStageTransition", "Done", nil),
		"Reopen": transition("enableStageTransition", "Tell", nil),
		"Tell": call(c, "sns:publish", map[string]any{
			"TopicArn": c.TopicARN(config.Failed), "Subject": "Not removed: " + stage,
			"Message.$": "States.JsonToString($.error)",
		}, map[string]any{"ResultPath": nil, "Next": "Failed"}),
		"Failed": {"Type": "Fail", "Error": "NotRemoved", "Cause": "a stack of " + stage + " could not be deleted"},
		"Done":   {"Type": "Succeed"},
	}
	for look, then := range map[string][2]string{"Look": {"Close", "Done"}, "LookAgain": {"List", "Open"}} {
		all[look] = call(c, "codepipeline:getPipelineState", map[string]any{"Name": c.CDPipeline()}, map[string]any{
			"ResultSelector": map[string]any{"latest.$": "$.StageStates[?(@.StageName == '" + stage + "')].LatestExecution"},
			"ResultPath":     "$.stage", "Next": look + "Whose", "Catch": onError,
		})
		all[look+"Whose"] = map[string]any{
			"Type":    "Choice",
			"Choices": []any{map[string]any{"And": ownsLeftovers(), "Next": then[0]}},
			"Default": then[1],
		}
	}
	text, err := json.Marshal(map[string]any{"StartAt": "Wait", "States": all})
	if err != nil {
		panic(err) // texts, lists and maps have JSON
	}
	return string(text)
}

// ownsLeftovers holds where the execution is the last one of the stage, did not
// succeed, which would have removed the environment, and is not at work, unless it
// has been for too long.
func ownsLeftovers() []any {
	const status = "$.stage.latest[0].Status"
	return []any{
		map[string]any{"Variable": "$.stage.latest[0].PipelineExecutionId", "StringEqualsPath": "$.execution"},
		map[string]any{"Not": map[string]any{"Variable": status, "StringEquals": "Succeeded"}},
		map[string]any{"Or": []any{
			map[string]any{"Variable": "$.overdue", "BooleanEquals": true},
			map[string]any{"Not": map[string]any{"Variable": status, "StringEquals": "InProgress"}},
		}},
	}
}

// deletion deletes a stack and waits until it is gone. A stack that is not there
// deletes as well.
func deletion(c *config.Config, deployRole, executionRole string) states {
	inTarget := func(more map[string]any) map[string]any {
		more["Credentials"] = map[string]any{"RoleArn": deployRole}
		return more
	}
	const pause = 30 // seconds
	return states{
		"Delete": call(c, "cloudformation:deleteStack", map[string]any{"StackName.$": "$", "RoleARN": executionRole},
			inTarget(map[string]any{
				"ResultPath": nil, "Next": "Pause",
				"Retry": []any{map[string]any{"ErrorEquals": []string{"States.TaskFailed"}, "IntervalSeconds": pause, "MaxAttempts": 3}},
			})),
		"Pause": {"Type": "Wait", "Seconds": pause, "Next": "Describe"},
		"Describe": call(c, "cloudformation:describeStacks", map[string]any{"StackName.$": "$"}, inTarget(map[string]any{
			"ResultSelector": map[string]any{"name.$": "$.Stacks[0].StackName", "status.$": "$.Stacks[0].StackStatus"},
			"Next":           "Gone?",
			"Catch":          []any{map[string]any{"ErrorEquals": []string{"States.TaskFailed"}, "Next": "Missing?"}},
		})),
		"Gone?": {
			"Type": "Choice",
			"Choices": []any{
				map[string]any{"Variable": "$.status", "StringEquals": "DELETE_IN_PROGRESS", "Next": "Again"},
				map[string]any{"Variable": "$.status", "StringEquals": "DELETE_COMPLETE", "Next": "Gone"},
			},
			"Default": "Stuck",
		},
		"Again": {"Type": "Pass", "InputPath": "$.name", "Next": "Pause"},
		"Missing?": {
			"Type":    "Choice",
			"Choices": []any{map[string]any{"Variable": "$.Cause", "StringMatches": "*does not exist*", "Next": "Gone"}},
			"Default": "Stuck",
		},
		"Stuck": {"Type": "Fail", "Error": "NotDeleted", "Cause": "the stack is not gone: see its events"},
		"Gone":  {"Type": "Succeed"},
	}
}

// call returns a task that calls an API of AWS.
func call(c *config.Config, action string, arguments, more map[string]any) map[string]any {
	task := map[string]any{"Type": "Task", "Resource": "arn:" + c.Partition() + ":states:::aws-sdk:" + action, "Parameters": arguments}
	for key, value := range more {
		task[key] = value
	}
	return task
}

func names(stacks []cdkpipelines.StackDeployment) []string {
	var all []string
	for _, s := range stacks {
		all = append(all, *s.StackName())
	}
	return all
}
