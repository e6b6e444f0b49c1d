package pipelines

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// triggerFilter runs a build that finds out which event rule started the release, and
// exports for each environment with triggers whether it was one of theirs.
type triggerFilter struct {
	cdkpipelines.Step
	config    *config.Config
	artifacts artifacts
	input     cdkpipelines.FileSet
}

// triggerFilterStage names the stage, and the namespace of its variables.
const triggerFilterStage = "Admission"

// addTriggerFilter adds the stage of the filter. Any file set will do as the input, of
// which a build must have one.
func addTriggerFilter(engine cdkpipelines.CodePipeline, c *config.Config, a artifacts, input cdkpipelines.FileSet) {
	f := &triggerFilter{config: c, artifacts: a, input: input}
	cdkpipelines.NewStep_Override(f, jsii.String(triggerFilterStage))
	f.AddDependencyFileSet(input)
	engine.AddWave(jsii.String(triggerFilterStage), &cdkpipelines.WaveOptions{Pre: &[]cdkpipelines.Step{f}})
}

// triggerRules returns the rules that a release must meet to enter an environment.
func triggerRules(c *config.Config, e *config.Environment) []rule {
	if len(e.Triggers) == 0 {
		return nil
	}
	return []rule{equals("Admitted", "#{"+triggerFilterStage+"."+triggeredVariable(c, e)+"}", "true")}
}

func triggeredVariable(c *config.Config, e *config.Environment) string {
	return fmt.Sprintf("ADMITTED_%d", slices.Index(c.Environments, e)+1)
}

// startRule returns the prefix of the names of a trigger's event rules.
func startRule(c *config.Config, t config.Trigger) string {
	return fmt.Sprintf("%s-cd-start-%d", c.Name, c.Start(t)+1)
}

// ProduceAction implements cdkpipelines.ICodePipelineActionFactory.
func (f *triggerFilter) ProduceAction(stage awscodepipeline.IStage, o *cdkpipelines.ProduceActionOptions) *cdkpipelines.CodePipelineActionFactoryResult {
	c := f.config
	const most = 10 * time.Minute
	project := newProject(o.Scope, c, triggerFilterStage, c.CDPipeline()+"-admission", f.spec(), most, policy.Document{
		f.artifacts.read(artifactPrefix(c.CDPipeline())), f.artifacts.useKey(c),
		allow("ReadExecutions", []string{"codepipeline:GetPipelineExecution"}, arn(c, "codepipeline", c.CDPipeline())),
	})
	stage.AddAction(awscodepipelineactions.NewCodeBuildAction(&awscodepipelineactions.CodeBuildActionProps{
		ActionName: o.ActionName, RunOrder: o.RunOrder, Project: project,
		Input: o.Artifacts.ToCodePipeline(f.input), VariablesNamespace: jsii.String(triggerFilterStage),
		EnvironmentVariables: &map[string]*awscodebuild.BuildEnvironmentVariable{
			"EXECUTION": {Value: "#{codepipeline.PipelineExecutionId}"},
		},
	}))
	return &cdkpipelines.CodePipelineActionFactoryResult{RunOrdersConsumed: jsii.Number(1), Project: project}
}

// spec compares the event rule that started the execution with the rules of the
// environments' triggers. An execution that a person started matches none. See
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionTrigger.html
func (f *triggerFilter) spec() awscodebuild.BuildSpec {
	commands := []string{
		"set -eu",
		`trigger="$(aws codepipeline get-pipeline-execution --pipeline-name ` + f.config.CDPipeline() +
			` --pipeline-execution-id "$EXECUTION" --query pipelineExecution.trigger.triggerDetail --output text)"`,
	}
	var exported []string
	for _, e := range f.config.Environments {
		if len(e.Triggers) == 0 {
			continue
		}
		var rules []string
		for _, t := range e.Triggers {
			rules = append(rules, startRule(f.config, t)+"-*")
		}
		name := triggeredVariable(f.config, e)
		exported = append(exported, name)
		commands = append(commands, fmt.Sprintf(`case "${trigger##*/}" in %s) export %s=true ;; *) export %[2]s=false ;; esac`, strings.Join(rules, "|"), name))
	}
	return awscodebuild.BuildSpec_FromObject(&map[string]any{
		"version": "0.2",
		"env":     map[string]any{"exported-variables": exported},
		"phases":  map[string]any{"build": map[string]any{"commands": commands}},
	})
}
