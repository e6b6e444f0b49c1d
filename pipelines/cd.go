package pipelines

import (
	"errors"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/network"
	"composecdk/pipelines/config"
)

// cd is the CD pipeline while it is made.
type cd struct {
	*Props
	app       constructs.Construct
	stack     awscdk.Stack
	artifacts artifacts
	role      awsiam.Role
	pipeline  awscodepipeline.Pipeline
	engine    cdkpipelines.CodePipeline
	sources   sources
	// changes are the builds that tell what changes; nil before the first.
	changes *builds
	// protection are those that keep stacks from being deleted; nil before the first.
	protection *builds
	// janitorRole is that of the janitors; nil before the first.
	janitorRole awsiam.Role
	// admission is nil where no environment has triggers.
	admission *admission
	// assembly is what the synthesis makes.
	assembly cdkpipelines.IFileSetProducer
	// settings are what CodePipeline knows of a stage and CDK Pipelines does not, by
	// the name of the stage.
	settings map[string]*stageSettings
	// janitors are made when the pipeline is.
	janitors []func()
}

// newCD adds the CD pipeline and the stages of all targets.
//
// The pipeline updates itself, then deploys one environment after the other. Its
// executions queue (docs/decisions/cd-pipeline.md).
func newCD(app constructs.Construct, props *Props) error {
	c := props.Config
	stack := toolingStack(app, c, "Cd", "cd", "the CD pipeline")
	stack.SetTerminationProtection(jsii.Bool(true))
	d := &cd{Props: props, app: app, stack: stack, settings: map[string]*stageSettings{}}
	d.newPipeline()
	var errs []error
	for _, e := range c.Environments {
		add := d.permanent
		if e.Type == config.Ephemeral {
			add = d.ephemeral
		}
		d.admit(e)
		errs = append(errs, add(e))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d.engine.BuildPipeline()
	limitBuilds(d.stack)
	d.applySettings()
	d.startOn()
	for _, add := range d.janitors {
		add()
	}
	notify(d.pipeline, c)
	newSlack(d.stack, c)
	serveAccount(d.stack, c)
	return nil
}

// newPipeline adds the pipeline with its sources and the synthesis.
func (d *cd) newPipeline() {
	c := d.Config
	d.artifacts = importArtifacts(d.stack, c)
	d.role = pipelineRole(d.stack, c, c.CDRole(), c.CDPipeline())
	props := &awscodepipeline.PipelineProps{
		PipelineName: jsii.String(c.CDPipeline()), PipelineType: awscodepipeline.PipelineType_V2,
		ExecutionMode:             awscodepipeline.ExecutionMode_QUEUED,
		Role:                      d.role,
		RestartExecutionOnUpdate:  jsii.Bool(true),
		UsePipelineRoleForActions: jsii.Bool(false),
	}
	if buckets := replicas(d.stack, c); len(buckets) > 0 {
		buckets[c.Tooling.Region] = d.artifacts.bucket
		props.CrossRegionReplicationBuckets = &buckets
	} else {
		props.ArtifactBucket = d.artifacts.bucket
	}
	d.pipeline = awscodepipeline.NewPipeline(d.stack, jsii.String("Pipeline"), props)
	d.sources = newSources(d.stack, c)
	d.assembly = synthStep(d.stack, c, d.artifacts, c.CDPipeline(), d.sources)
	d.engine = cdkpipelines.NewCodePipeline(d.stack, jsii.String("Stages"), &cdkpipelines.CodePipelineProps{
		CodePipeline: d.pipeline, Synth: d.assembly, SelfMutation: jsii.Bool(true),
		UsePipelineRoleForActions:     jsii.Bool(false),
		CliVersion:                    jsii.String(cliVersion),
		CdkAssetsCliVersion:           jsii.String(assetsVersion),
		SelfMutationCodeBuildDefaults: &cdkpipelines.CodeBuildOptions{Logging: logging(d.stack, "SelfMutationLogs", c)},
		AssetPublishingCodeBuildDefaults: &cdkpipelines.CodeBuildOptions{
			Logging: logging(d.stack, "AssetsLogs", c),
		},
	})
}

// pipelineRole returns the role of a pipeline, which only that one can use.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/cross-service-confused-deputy-prevention.html
func pipelineRole(stack awscdk.Stack, c *config.Config, name, pipeline string) awsiam.Role {
	return awsiam.NewRole(stack, jsii.String("Role"), &awsiam.RoleProps{
		RoleName:    &name,
		Description: jsii.String(c.Name + ": the role of pipeline " + pipeline),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("codepipeline.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{
				"StringEquals": map[string]any{"aws:SourceAccount": c.Tooling.Account.ID},
				"ArnEquals":    map[string]any{"aws:SourceArn": c.ARN("codepipeline", c.Tooling.Region, c.Tooling.Account, pipeline)},
			},
		}),
	})
}

// logging gives builds a log group of their own.
func logging(scope constructs.Construct, id string, c *config.Config) *awscodebuild.LoggingOptions {
	return &awscodebuild.LoggingOptions{CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: logGroup(scope, id, c)}}
}

// logGroup returns kept when its stack goes; its name is generated, so that the next one
// can be made.
func logGroup(scope constructs.Construct, id string, c *config.Config) awslogs.LogGroup {
	retention, _ := network.LogRetention(c.Logs.RetentionDays)
	return awslogs.NewLogGroup(scope, &id, &awslogs.LogGroupProps{Retention: retention, RemovalPolicy: awscdk.RemovalPolicy_RETAIN})
}

// topic returns the shared topic of an event. Who publishes to it may use its key.
func topic(scope constructs.Construct, c *config.Config, e config.Event) awssns.ITopic {
	return awssns.Topic_FromTopicAttributes(scope, jsii.String("Topic-"+string(e)), &awssns.TopicAttributes{
		TopicArn: jsii.String(c.TopicARN(e)), KeyArn: keyARN(scope),
	})
}

// limitBuilds limits the builds that CDK Pipelines makes, as all others are: what hangs
// is paid for an hour, and what cannot start does not wait for ever.
func limitBuilds(stack awscdk.Stack) {
	for _, child := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		project, ok := child.(awscodebuild.CfnProject)
		if !ok {
			continue
		}
		if project.TimeoutInMinutes() == nil {
			project.SetTimeoutInMinutes(jsii.Number(60))
		}
		project.SetQueuedTimeoutInMinutes(jsii.Number(longestQueue))
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
