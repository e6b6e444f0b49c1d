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

// admission is a build that finds out what started the release, and exports for each
// environment that has triggers whether it was one of them.
type admission struct {
	cdkpipelines.Step
	config    *config.Config
	artifacts artifacts
	input     cdkpipelines.FileSet
}

// admissionStage is the name of the stage with that build, and its variables' namespace.
const admissionStage = "Admission"

// admit adds the stage before the first environment that has triggers.
func (d *cd) admit(e *config.Environment) {
	if len(e.Triggers) == 0 || d.admission != nil {
		return
	}
	d.admission = &admission{config: d.Config, artifacts: d.artifacts, input: d.sources.compose.PrimaryOutput()}
	cdkpipelines.NewStep_Override(d.admission, jsii.String(admissionStage))
	d.admission.AddDependencyFileSet(d.admission.input)
	d.engine.AddWave(jsii.String(admissionStage), &cdkpipelines.WaveOptions{Pre: &[]cdkpipelines.Step{d.admission}})
}

// admitted returns the rules that a release must meet to come into an environment.
func (d *cd) admitted(e *config.Environment) []rule {
	if len(e.Triggers) == 0 {
		return nil
	}
	return []rule{equals("Admitted", "#{"+admissionStage+"."+admissionVariable(d.Config, e)+"}", "true")}
}

func admissionVariable(c *config.Config, e *config.Environment) string {
	return fmt.Sprintf("ADMITTED_%d", slices.Index(c.Environments, e)+1)
}

// startRule returns what the names of the event rules of a trigger begin with.
func startRule(c *config.Config, t config.Trigger) string {
	return fmt.Sprintf("%s-cd-start-%d", c.Name, c.Start(t)+1)
}

// ProduceAction implements cdkpipelines.ICodePipelineActionFactory.
func (a *admission) ProduceAction(stage awscodepipeline.IStage, o *cdkpipelines.ProduceActionOptions) *cdkpipelines.CodePipelineActionFactoryResult {
	c := a.config
	const most = 10 * time.Minute
	project := newProject(o.Scope, c, admissionStage, c.CDPipeline()+"-admission", a.spec(), most, policy.Document{
		a.artifacts.read(artifactPrefix(c.CDPipeline())), a.artifacts.useKey(c),
		allow("ReadExecutions", []string{"codepipeline:GetPipelineExecution"}, arn(c, "codepipeline", c.CDPipeline())),
	})
	stage.AddAction(awscodepipelineactions.NewCodeBuildAction(&awscodepipelineactions.CodeBuildActionProps{
		ActionName: o.ActionName, RunOrder: o.RunOrder, Project: project,
		Input: o.Artifacts.ToCodePipeline(a.input), VariablesNamespace: jsii.String(admissionStage),
		EnvironmentVariables: &map[string]*awscodebuild.BuildEnvironmentVariable{
			"EXECUTION": {Value: "#{codepipeline.PipelineExecutionId}"},
		},
	}))
	return &cdkpipelines.CodePipelineActionFactoryResult{RunOrdersConsumed: jsii.Number(1), Project: project}
}

// spec compares the ARN of the event rule that started the execution with those of
// the environments' triggers. A person who starts one starts none of these.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionTrigger.html
func (a *admission) spec() awscodebuild.BuildSpec {
	commands := []string{
		"set -eu",
		`trigger="$(aws codepipeline get-pipeline-execution --pipeline-name ` + a.config.CDPipeline() +
			` --pipeline-execution-id "$EXECUTION" --query pipelineExecution.trigger.triggerDetail --output text)"`,
	}
	var exported []string
	for _, e := range a.config.Environments {
		if len(e.Triggers) == 0 {
			continue
		}
		var rules []string
		for _, t := range e.Triggers {
			rules = append(rules, startRule(a.config, t)+"-*")
		}
		name := admissionVariable(a.config, e)
		exported = append(exported, name)
		commands = append(commands, fmt.Sprintf(`case "${trigger##*/}" in %s) export %s=true ;; *) export %[2]s=false ;; esac`, strings.Join(rules, "|"), name))
	}
	return awscodebuild.BuildSpec_FromObject(&map[string]any{
		"version": "0.2",
		"env":     map[string]any{"exported-variables": exported},
		"phases":  map[string]any{"build": map[string]any{"commands": commands}},
	})
}
