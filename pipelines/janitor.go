package pipelines

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
)

// janitors remove the ephemeral environments that their own stage has not removed.
type janitors struct {
	config   *config.Config
	stack    awscdk.Stack
	pipeline awscodepipeline.Pipeline
	role     awsiam.Role // nil before the first
	pending  []func()
}

// later adds a janitor once add is called: it listens to a stage, which the pipeline
// has only when it is built.
func (j *janitors) later(e *config.Environment, stage string, stacks []cdkpipelines.StackDeployment) {
	j.pending = append(j.pending, func() { j.newJanitor(e, stage, stacks) })
}

func (j *janitors) add() {
	for _, add := range j.pending {
		add()
	}
}

// newJanitor adds a state machine that removes an environment. It starts when the stage
// fails, then waits for KeepFor, and when the stage starts, then for MaxLifetime.
func (j *janitors) newJanitor(e *config.Environment, stage string, stacks []cdkpipelines.StackDeployment) {
	c := j.config
	role := j.permitRole(stage, stacks)
	machine := awsstepfunctions.NewStateMachine(j.stack, jsii.String("Janitor-"+e.Name), &awsstepfunctions.StateMachineProps{
		StateMachineName: jsii.String(c.JanitorRole() + "-" + e.Name),
		Comment:          jsii.String("removes " + stage + " when its pipeline has not"),
		DefinitionBody:   awsstepfunctions.DefinitionBody_FromString(jsii.String(janitorDefinition(c, stage, stacks))),
		Role:             role, TracingEnabled: jsii.Bool(true),
		Logs: &awsstepfunctions.LogOptions{
			Level:       awsstepfunctions.LogLevel_ERROR,
			Destination: logGroup(j.stack, "JanitorLogs-"+e.Name, c),
		},
	})
	start := func(id string, after time.Duration, overdue bool, states ...string) {
		j.pipeline.Stage(&stage).OnStateChange(&id, awseventstargets.NewSfnStateMachine(machine, &awseventstargets.SfnStateMachineProps{
			Input: awsevents.RuleTargetInput_FromObject(map[string]any{
				"execution": awsevents.EventField_FromPath(jsii.String("$.detail.execution-id")),
				"after":     int(after.Seconds()), "overdue": overdue,
			}),
		}), &awsevents.RuleProps{EventPattern: &awsevents.EventPattern{Detail: &map[string]any{"state": states}}})
	}
	start("Failed", e.Teardown.KeepFor, false, "FAILED", "STOPPED", "CANCELED")
	start("Started", e.Teardown.MaxLifetime, true, "STARTED")
}

// permitRole lets the role that all janitors share remove one more environment. The
// deploy roles of ephemeral environments trust it by its name.
func (j *janitors) permitRole(stage string, stacks []cdkpipelines.StackDeployment) awsiam.Role {
	c := j.config
	pipeline := c.ARN("codepipeline", c.Tooling.Region, c.Tooling.Account, c.CDPipeline())
	if j.role == nil {
		j.role = awsiam.NewRole(j.stack, jsii.String("JanitorRole"), &awsiam.RoleProps{
			RoleName:    jsii.String(c.JanitorRole()),
			Description: jsii.String(c.Name + ": removes ephemeral environments"),
			AssumedBy: awsiam.NewServicePrincipal(jsii.String("states.amazonaws.com"), &awsiam.ServicePrincipalOpts{
				Conditions: &map[string]any{
					"StringEquals": map[string]any{"aws:SourceAccount": c.Tooling.Account.ID},
					"ArnLike":      map[string]any{"aws:SourceArn": arn(c, "states", "stateMachine:"+c.JanitorRole()+"-*")},
				},
			}),
		})
		permit(j.role, []string{"codepipeline:GetPipelineState"}, pipeline)
		permit(j.role, []string{"sns:Publish"}, c.TopicARN(config.Failed))
		permit(j.role, []string{"kms:Decrypt", "kms:GenerateDataKey"}, *keyARN(j.stack))
	}
	permit(j.role, []string{"codepipeline:DisableStageTransition", "codepipeline:EnableStageTransition"}, pipeline+"/"+stage)
	permit(j.role, []string{"sts:AssumeRole"}, inPartition(c, *stacks[0].AssumeRoleArn()))
	return j.role
}

// inPartition replaces ${AWS::Partition}, which the CDK writes into the ARNs of a stack.
func inPartition(c *config.Config, arn string) string {
	return strings.ReplaceAll(arn, "${AWS::Partition}", c.Partition())
}

// states are written in the Amazon States Language, by their names. See
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
type states map[string]map[string]any

// janitorDefinition waits, then checks whether the execution that started it still owns
// the stage. If so it closes the stage to other executions, checks again, as one may
// have entered meanwhile, deletes the stacks, and reopens the stage. Any other owner of
// the stage has a janitor of its own.
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

// ownsLeftovers returns the choice that the execution is the last one of the stage, has
// not succeeded, which would have removed the environment, and does not run, unless it
// is overdue.
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

// deletion returns the states that delete a stack and wait until it is deleted. A stack
// that does not exist counts as deleted.
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

// call returns a task that calls an AWS API.
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
