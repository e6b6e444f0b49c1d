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

// cd adds the stages of the environments to the CD pipeline.
type cd struct {
	config *config.Config
	engine cdkpipelines.CodePipeline
	// role is the pipeline's own.
	role       awsiam.Role
	settings   settings
	targets    *targets
	tests      *tests
	review     *review
	protection *protection
	janitors   *janitors
}

// newCD adds the CD pipeline and the stages of all targets.
//
// The pipeline updates itself, then deploys one environment after the other. Its
// executions queue (docs/decisions/cd-pipeline.md).
func newCD(app constructs.Construct, props *Props) error {
	c := props.Config
	stack := toolingStack(app, c, "Cd", "cd", "the CD pipeline")
	stack.SetTerminationProtection(jsii.Bool(true))
	p := &projects{config: c, stack: stack, artifacts: importArtifacts(stack, c)}
	pipeline, role := newCDPipeline(p)
	sources := newSources(stack, c)
	assembly := synthStep(stack, c, p.artifacts, c.CDPipeline(), sources)
	files := sources.compose.PrimaryOutput()
	d := &cd{
		config: c, engine: newEngine(stack, c, pipeline, assembly), role: role, settings: settings{},
		targets:    &targets{Props: props, app: app},
		tests:      &tests{config: c, artifacts: p.artifacts, files: files},
		review:     &review{projects: p, assembly: assembly},
		protection: &protection{projects: p, input: sources.compose},
		janitors:   &janitors{config: c, stack: stack, pipeline: pipeline},
	}
	first := slices.IndexFunc(c.Environments, func(e *config.Environment) bool { return len(e.Triggers) > 0 })
	var errs []error
	for i, e := range c.Environments {
		if i == first {
			addTriggerFilter(d.engine, c, p.artifacts, files)
		}
		add := d.permanent
		if e.Type == config.Ephemeral {
			add = d.ephemeral
		}
		errs = append(errs, add(e))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d.engine.BuildPipeline()
	limitBuilds(stack)
	d.settings.apply(pipeline)
	startOn(stack, c, pipeline, sources)
	d.janitors.add()
	notify(pipeline, c)
	newSlack(stack, c)
	serveAccount(stack, c)
	return nil
}

func newCDPipeline(p *projects) (awscodepipeline.Pipeline, awsiam.Role) {
	c := p.config
	role := pipelineRole(p.stack, c, c.CDRole(), c.CDPipeline())
	props := &awscodepipeline.PipelineProps{
		PipelineName: jsii.String(c.CDPipeline()), PipelineType: awscodepipeline.PipelineType_V2,
		ExecutionMode:             awscodepipeline.ExecutionMode_QUEUED,
		Role:                      role,
		RestartExecutionOnUpdate:  jsii.Bool(true),
		UsePipelineRoleForActions: jsii.Bool(false),
	}
	if buckets := regionalBuckets(p.stack, c); len(buckets) > 0 {
		buckets[c.Tooling.Region] = p.artifacts.bucket
		props.CrossRegionReplicationBuckets = &buckets
	} else {
		props.ArtifactBucket = p.artifacts.bucket
	}
	return awscodepipeline.NewPipeline(p.stack, jsii.String("Pipeline"), props), role
}

func newEngine(stack awscdk.Stack, c *config.Config, pipeline awscodepipeline.Pipeline, synth cdkpipelines.IFileSetProducer) cdkpipelines.CodePipeline {
	return cdkpipelines.NewCodePipeline(stack, jsii.String("Stages"), &cdkpipelines.CodePipelineProps{
		CodePipeline: pipeline, Synth: synth, SelfMutation: jsii.Bool(true),
		UsePipelineRoleForActions:     jsii.Bool(false),
		CliVersion:                    jsii.String(cliVersion),
		CdkAssetsCliVersion:           jsii.String(assetsVersion),
		SelfMutationCodeBuildDefaults: &cdkpipelines.CodeBuildOptions{Logging: logging(stack, "SelfMutationLogs", c)},
		AssetPublishingCodeBuildDefaults: &cdkpipelines.CodeBuildOptions{
			Logging: logging(stack, "AssetsLogs", c),
		},
	})
}

// pipelineRole makes a role that only this pipeline can use. See
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

func logging(scope constructs.Construct, id string, c *config.Config) *awscodebuild.LoggingOptions {
	return &awscodebuild.LoggingOptions{CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: logGroup(scope, id, c)}}
}

// logGroup makes a log group that is kept when its stack is deleted; its name is
// generated, so that the stack can be created again.
func logGroup(scope constructs.Construct, id string, c *config.Config) awslogs.LogGroup {
	retention, _ := network.LogRetention(c.Logs.RetentionDays)
	return awslogs.NewLogGroup(scope, &id, &awslogs.LogGroupProps{Retention: retention, RemovalPolicy: awscdk.RemovalPolicy_RETAIN})
}

// topic refers to the shared topic of an event. A publisher may also use its key.
func topic(scope constructs.Construct, c *config.Config, e config.Event) awssns.ITopic {
	return awssns.Topic_FromTopicAttributes(scope, jsii.String("Topic-"+string(e)), &awssns.TopicAttributes{
		TopicArn: jsii.String(c.TopicARN(e)), KeyArn: keyARN(scope),
	})
}

// limitBuilds limits the builds that CDK Pipelines makes like all other builds: a build
// that hangs stops after an hour, and a build that cannot start does not wait for ever.
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
