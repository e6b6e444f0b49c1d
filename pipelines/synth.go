package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/buildspec"
	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// Versions of the programs that the pipelines install. package.json has the same CDK
// CLI; the Go toolchain is downloaded as a module, whose checksum the checksum database
// holds.
const (
	cliVersion    = "2.1148.1"
	assetsVersion = "4.7.3"
	goToolchain   = "go1.26.8"
)

// synthStep synthesises the app in a checkout of the platform repository: an untrusted
// cdk.json is never obeyed. The role may read and write the artifacts of the pipeline,
// and nothing else: a synthesis needs no look-ups.
func synthStep(stack awscdk.Stack, c *config.Config, store artifacts, pipeline string, s sources) cdkpipelines.CodeBuildStep {
	synthesis := buildspec.Synthesis{
		Released: c.Tooling.Binary != nil, Checkout: s.compose != s.platform, Unreleased: pipeline == c.PlatformPipeline(),
	}
	environment := map[string]*string{"PIPELINE_FILE": &c.Tooling.File}
	inputs := map[string]cdkpipelines.IFileSetProducer{}
	if synthesis.Checkout {
		inputs[".checkout"] = s.compose
	}
	name := pipeline + "-synth"
	rights := policy.Document{store.read(artifactPrefix(pipeline), "cache/"+name+"/*"), store.write(artifactPrefix(pipeline), "cache/"+name+"/*"), store.useKey(c)}
	if b := c.Tooling.Binary; b != nil {
		environment["BINARY_URI"], environment["BINARY_SHA256"] = &b.URI, &b.SHA256
	} else {
		environment["GOTOOLCHAIN"], environment["CGO_ENABLED"] = jsii.String(goToolchain), jsii.String("0")
	}
	return newStep(stack, c, "Synth", name, rights, &cdkpipelines.CodeBuildStepProps{
		Input: s.platform, AdditionalInputs: &inputs, Env: &environment,
		Commands:               jsii.Strings(synthesis.Command()),
		PrimaryOutputDirectory: jsii.String("cdk.out"),
		Cache:                  awscodebuild.Cache_Bucket(store.bucket, &awscodebuild.BucketCacheOptions{Prefix: jsii.String("cache/" + name)}),
		BuildEnvironment:       &awscodebuild.BuildEnvironment{ComputeType: awscodebuild.ComputeType_LARGE},
	})
}

// newStep makes a build in bash with a log group and a role of its own.
func newStep(stack awscdk.Stack, c *config.Config, id, name string, rights policy.Document, props *cdkpipelines.CodeBuildStepProps) cdkpipelines.CodeBuildStep {
	logs := newLogs(stack, id+"Logs", c)
	role := newServiceRole(stack, id+"Role", c, "codebuild", []string{arn(c, "codebuild", "project/"+name)}, append(rights, writeLogsTo(*logs.AttrArn())))
	props.ProjectName = &name
	props.Role = asItIs(stack, id+"RoleAsItIs", role)
	props.Timeout = awscdk.Duration_Hours(jsii.Number(1))
	props.Logging = logsOf(stack, id+"LogsAsTheyAre", logs)
	partial := map[string]any{"env": map[string]any{"shell": "bash"}}
	if props.Cache != nil {
		partial["cache"] = map[string]any{"paths": buildspec.Cached}
	}
	props.PartialBuildSpec = awscodebuild.BuildSpec_FromObject(&partial)
	return cdkpipelines.NewCodeBuildStep(&id, props)
}

// logsOf lets builds of CDK Pipelines log to a group.
func logsOf(scope constructs.Construct, id string, logs awslogs.CfnLogGroup) *awscodebuild.LoggingOptions {
	group := awslogs.LogGroup_FromLogGroupName(scope, &id, logs.Ref())
	return &awscodebuild.LoggingOptions{CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: group}}
}

// limitQueues lets builds of CDK Pipelines queue as long as other builds. The pipeline
// must be built before.
func limitQueues(projects ...awscodebuild.IProject) {
	for _, p := range projects {
		p.Node().DefaultChild().(awscodebuild.CfnProject).SetQueuedTimeoutInMinutes(jsii.Number(longestQueue))
	}
}
