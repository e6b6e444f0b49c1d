package pipelines

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/buildspec"
	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
	"composecdk/pipelines/shared"
)

// newPlatform adds the pipeline that deploys the shared resources and the CI
// pipelines, and the stage with their stacks, Tooling. Only a push to the platform
// repository starts it; it reads the compose repository because the app is
// synthesised as a whole.
func newPlatform(app constructs.Construct, c *config.Config) awscdk.Stack {
	stack := toolingStack(app, c, "Platform", "platform", "the pipeline of the shared resources and the CI pipelines")
	name := c.PlatformPipeline()
	store := importArtifacts(stack, c)
	pipeline := awscodepipeline.NewPipeline(stack, jsii.String("Pipeline"), &awscodepipeline.PipelineProps{
		PipelineName: &name, PipelineType: awscodepipeline.PipelineType_V2,
		ExecutionMode: awscodepipeline.ExecutionMode_QUEUED, RestartExecutionOnUpdate: jsii.Bool(true),
		ArtifactBucket: store.bucket, UsePipelineRoleForActions: jsii.Bool(false),
		Role: pipelineRole(stack, c, c.Name+"-platform-pipeline", name),
	})
	s := platformSources(stack, c)
	synth := synthStep(stack, c, store, name, s)
	tools := synth.AddOutputDirectory(jsii.String("tools"))
	composer := uploadStep(stack, c, store, name, tools)
	builds := &cdkpipelines.CodeBuildOptions{
		Logging: logsOf(stack, "SelfMutationLogs", newLogs(stack, "Logs", c)), Timeout: awscdk.Duration_Hours(jsii.Number(1)),
	}
	engine := cdkpipelines.NewCodePipeline(stack, jsii.String("Stages"), &cdkpipelines.CodePipelineProps{
		CodePipeline: pipeline, Synth: synth, SelfMutation: jsii.Bool(true), UsePipelineRoleForActions: jsii.Bool(false),
		CliVersion: jsii.String(cliVersion), CdkAssetsCliVersion: jsii.String(assetsVersion),
		SelfMutationCodeBuildDefaults: builds, AssetPublishingCodeBuildDefaults: builds,
	})
	tooling, first := newTooling(app, c)
	engine.AddStage(tooling, &cdkpipelines.AddStageOpts{StackSteps: &[]*cdkpipelines.StackSteps{{
		Stack: first, Post: &[]cdkpipelines.Step{composer},
	}}})
	engine.BuildPipeline()
	notifyFailed(stack, "NotifyFailed", c, pipeline.Node().DefaultChild().(awscodepipeline.CfnPipeline))
	limitQueues(synth.Project(), composer.Project(), engine.SelfMutationProject())
	permitConnection(pipeline, sourceAction, c.Tooling.Source)
	permitConnection(pipeline, composeSource, c.Compose.Source)
	if c.Tooling.Source.Provider == config.S3 {
		start := serviceRole(stack, "StartRole", c, "events", []string{arn(c, "events", "rule/*")},
			policy.Document{allow("StartPipelines", []string{"codepipeline:StartPipelineExecution"}, arn(c, "codepipeline", name))})
		onSource(c.Tooling.Source, nil).rules(stack, "Start", c.Tooling.Source, arn(c, "codepipeline", name), *start)
	}
	serveAccount(stack, c)
	return stack
}

// composeSource names the action that fetches the compose repository, unless it is the
// platform repository too; then sourceAction fetches both.
const composeSource = "Compose"

func platformSources(stack awscdk.Stack, c *config.Config) sources {
	s := sources{platform: cdSource(stack, sourceAction, c.Tooling.Source, true)}
	s.compose = s.platform
	if !c.Tooling.Source.Same(c.Compose.Source) {
		s.compose = cdSource(stack, composeSource, c.Compose.Source, false)
	}
	return s
}

// newTooling makes the stage with the stacks of the tooling account. It returns the
// stack of shared resources too, which is deployed first.
func newTooling(app constructs.Construct, c *config.Config) (stage awscdk.Stage, resources awscdk.Stack) {
	stage = awscdk.NewStage(app, jsii.String("Tooling"), &awscdk.StageProps{
		Env: &awscdk.Environment{Account: &c.Tooling.Account.ID, Region: &c.Tooling.Region},
	})
	resources = shared.New(stage, "Shared", &shared.Props{Config: c, Synthesizer: synthesizer(c, c.Tooling.Account)})
	groups := map[string][]*config.App{}
	for _, app := range c.Apps {
		groups[app.Group] = append(groups[app.Group], app)
	}
	others := []awscdk.Stack{newMerge(stage, c)}
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		others = append(others, newCI(stage, c, group, groups[group]))
	}
	for _, stack := range others {
		stack.AddStackDependency(resources, jsii.String("it uses the shared bucket and key"))
	}
	return stage, resources
}

// uploadStep copies the program composer to where builds find it.
func uploadStep(stack awscdk.Stack, c *config.Config, store artifacts, pipeline string, tools cdkpipelines.FileSet) cdkpipelines.CodeBuildStep {
	rights := policy.Document{store.read(artifactPrefix(pipeline)), store.write(config.Composer), store.useKey(c)}
	return newStep(stack, c, "Composer", pipeline+"-composer", rights, &cdkpipelines.CodeBuildStepProps{
		Input: tools, Commands: jsii.Strings(buildspec.Upload()),
		Env: &map[string]*string{"COMPOSER": jsii.String("s3://" + c.ArtifactBucket() + "/" + config.Composer)},
	})
}
