package pipelines

import (
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
	"composecdk/stacks"
)

// test runs a build that tests an environment. CDK Pipelines' own step takes neither a
// buildspec of a repository nor an output within a text.
type test struct {
	cdkpipelines.Step
	config    *config.Config
	artifacts artifacts
	test      config.Test
	files     cdkpipelines.FileSet
	outputs   map[string]cdkpipelines.StackOutputReference // by name
}

// tests makes the steps that test environments, by the files of the compose repository.
type tests struct {
	config    *config.Config
	artifacts artifacts
	files     cdkpipelines.FileSet
}

// steps returns the tests of an environment, which read the outputs of its application.
func (ts *tests) steps(e *config.Environment, application *stacks.Application) ([]cdkpipelines.Step, error) {
	steps := []cdkpipelines.Step{}
	for _, t := range e.Tests {
		step := &test{
			config: ts.config, artifacts: ts.artifacts, test: t, files: ts.files,
			outputs: map[string]cdkpipelines.StackOutputReference{},
		}
		for _, name := range outputNames(t) {
			output, ok := application.Outputs()[name]
			if !ok {
				return nil, fmt.Errorf("%s: the environment has no output %q", t.Path, name)
			}
			step.outputs[name] = cdkpipelines.StackOutputReference_FromCfnOutput(output)
		}
		cdkpipelines.NewStep_Override(step, &t.Name)
		step.AddDependencyFileSet(step.files)
		steps = append(steps, step)
	}
	return steps, nil
}

var outputReference = regexp.MustCompile(`\$\{Outputs\.([A-Za-z0-9]+)\}`)

// outputNames returns the outputs that the environment variables of a test refer to,
// in the order of the variables.
func outputNames(t config.Test) []string {
	var names []string
	for _, variable := range sortedKeys(t.Env) {
		for _, match := range outputReference.FindAllStringSubmatch(t.Env[variable], -1) {
			names = append(names, match[1])
		}
	}
	return names
}

// ConsumedStackOutputs implements cdkpipelines.Step.
func (s *test) ConsumedStackOutputs() *[]cdkpipelines.StackOutputReference {
	used := []cdkpipelines.StackOutputReference{}
	for _, name := range sortedKeys(s.outputs) {
		used = append(used, s.outputs[name])
	}
	return &used
}

// ProduceAction implements cdkpipelines.ICodePipelineActionFactory.
func (s *test) ProduceAction(stage awscodepipeline.IStage, o *cdkpipelines.ProduceActionOptions) *cdkpipelines.CodePipelineActionFactoryResult {
	c := s.config
	project := newProject(o.Scope, c, s.test.Name, *stage.StageName()+"-"+s.test.Name, s.spec(), s.test.Timeout, policy.Document{
		s.artifacts.read(artifactPrefix(c.CDPipeline())), s.artifacts.useKey(c),
	})
	variables := map[string]*awscodebuild.BuildEnvironmentVariable{}
	for _, name := range sortedKeys(s.test.Env) {
		value := outputReference.ReplaceAllStringFunc(s.test.Env[name], func(reference string) string {
			output := s.outputs[outputReference.FindStringSubmatch(reference)[1]]
			return *o.StackOutputsMap.ToCodePipeline(output)
		})
		variables[name] = &awscodebuild.BuildEnvironmentVariable{Value: value}
	}
	stage.AddAction(awscodepipelineactions.NewCodeBuildAction(&awscodepipelineactions.CodeBuildActionProps{
		ActionName: o.ActionName, RunOrder: o.RunOrder, Project: project,
		Input: o.Artifacts.ToCodePipeline(s.files), EnvironmentVariables: &variables,
	}))
	return &cdkpipelines.CodePipelineActionFactoryResult{RunOrdersConsumed: jsii.Number(1), Project: project}
}

func (s *test) spec() awscodebuild.BuildSpec {
	if s.test.Spec != "" {
		return awscodebuild.BuildSpec_FromSourceFilename(&s.test.Spec)
	}
	return awscodebuild.BuildSpec_FromObject(&map[string]any{
		"version": "0.2",
		"phases":  map[string]any{"build": map[string]any{"commands": s.test.Commands}},
	})
}

// newProject makes a project with a log group and a role of its own.
func newProject(scope constructs.Construct, c *config.Config, id, name string, spec awscodebuild.BuildSpec, timeout time.Duration, rights policy.Document) awscodebuild.IProject {
	logs := newLogs(scope, id+"Logs", c)
	role := newServiceRole(scope, id+"Role", c, "codebuild", []string{arn(c, "codebuild", "project/"+name)}, append(rights, writeLogsTo(*logs.AttrArn())))
	return awscodebuild.NewPipelineProject(scope, &id, &awscodebuild.PipelineProjectProps{
		ProjectName: &name, BuildSpec: spec,
		Environment:   &awscodebuild.BuildEnvironment{BuildImage: awscodebuild.LinuxBuildImage_STANDARD_7_0()},
		EncryptionKey: awskms.Key_FromKeyArn(scope, jsii.String(id+"Key"), keyARN(scope)),
		Timeout:       awscdk.Duration_Minutes(jsii.Number(timeout.Minutes())),
		Role:          asItIs(scope, id+"RoleAsItIs", role),
		Logging:       logsOf(scope, id+"LogsAsTheyAre", logs),
	})
}
