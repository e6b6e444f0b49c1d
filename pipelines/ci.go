package pipelines

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/buildspec"
	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// ci makes the CI pipelines of a group. They are written as resources rather than as
// the CDK's own pipeline, which gives each action a role of its own, 15 resources an
// application instead of 6 (docs/decisions/ci-pipelines.md).
type ci struct {
	*config.Config
	artifacts artifacts
	// start is the ARN of the role that starts the pipelines.
	start string
}

// newCI adds the stack with the pipelines of a group of applications.
func newCI(scope constructs.Construct, c *config.Config, group string, apps []*config.App) awscdk.Stack {
	stack := toolingStack(scope, c, "Ci-"+group, "ci-"+group, "CI pipelines of "+group)
	b := &ci{Config: c, artifacts: importArtifacts(stack, c)}
	b.start = *serviceRole(stack, "StartRole", c, "events", []string{arn(c, "events", "rule/*")},
		policy.Document{allow("StartPipelines", []string{"codepipeline:StartPipelineExecution"}, pipelineARNs(c, apps...)...)})
	for _, app := range apps {
		b.pipelines(constructs.NewConstruct(stack, &app.Name), app)
	}
	return stack
}

// toolingStack makes a stack of the tooling account.
func toolingStack(scope constructs.Construct, c *config.Config, id, name, description string) awscdk.Stack {
	return awscdk.NewStack(scope, &id, &awscdk.StackProps{
		Env:         &awscdk.Environment{Account: &c.Tooling.Account.ID, Region: &c.Tooling.Region},
		StackName:   jsii.String(c.Name + "-" + name),
		Description: jsii.String(c.Name + ": " + description),
		Synthesizer: synthesizer(c, c.Tooling.Account),

		PermissionsBoundary:         permissionsBoundary(c, c.Tooling.Account),
		SuppressTemplateIndentation: jsii.Bool(true), // the template of a CD pipeline for many accounts comes near to CloudFormation's limit
	})
}

func pipelineARNs(c *config.Config, apps ...*config.App) []string {
	var all []string
	for _, app := range apps {
		for _, name := range pipelineNames(app) {
			all = append(all, arn(c, "codepipeline", name))
		}
	}
	return all
}

func pipelineNames(app *config.App) []string {
	if otherBranches(app) {
		return []string{app.CIPipeline(), app.BranchPipeline()}
	}
	return []string{app.CIPipeline()}
}

// pipelines makes the pipelines of an application: for its source one that hands images
// over, and for other branches one that only builds and tests.
func (b *ci) pipelines(scope constructs.Construct, app *config.App) {
	b.project(scope, app)
	role := b.role(scope, app)
	source, build := b.stage(sourceAction, b.source(app)), b.stage("Build", b.build(app))
	stages := []any{source, build}
	if app.Scan != nil {
		stages = append(stages, b.stage("Scan", b.scan(app)))
	}
	b.pipeline(scope, "Pipeline", app.CIPipeline(), role, app, onSource(app.Source, app.Triggers), append(stages, b.stage("Merge", b.merge(app))))
	if otherBranches(app) {
		b.pipeline(scope, "Branches", app.BranchPipeline(), role, app, onOthers(app.Source, app.Triggers), []any{source, build})
	}
}

// pipeline replaces a waiting execution by a newer one: only the newest image is
// worth handing over.
func (b *ci) pipeline(scope constructs.Construct, id, name string, role *string, app *config.App, begin starts, stages []any) {
	pipeline := awscodepipeline.NewCfnPipeline(scope, &id, &awscodepipeline.CfnPipelineProps{
		Name: &name, PipelineType: jsii.String("V2"), ExecutionMode: jsii.String("SUPERSEDED"),
		RoleArn: role, Stages: stages, Triggers: begin.triggers(),
		ArtifactStore: &awscodepipeline.CfnPipeline_ArtifactStoreProperty{
			Type: jsii.String("S3"), Location: jsii.String(b.ArtifactBucket()),
			EncryptionKey: &awscodepipeline.CfnPipeline_EncryptionKeyProperty{Type: jsii.String("KMS"), Id: b.artifacts.key.KeyArn()},
		},
	})
	notifyFailed(scope, "Notify"+id, b.Config, pipeline)
	begin.rules(scope, "Start"+id, app.Source, arn(b.Config, "codepipeline", *pipeline.Ref()), b.start)
}

// buildProject names the project that builds an application.
func buildProject(app *config.App) string { return app.CIPipeline() }

// project adds the build of an application. Only this build may push to the
// application's repository; it may read its own source and write its own artifact, and
// nothing else: no build can change the source of another one, even of a pipeline that
// shares its folder of artifacts. Docker needs a privileged container.
func (b *ci) project(scope constructs.Construct, app *config.App) {
	name := buildProject(app)
	logs := newLogs(scope, "Logs", b.Config)
	role := serviceRole(scope, "BuildRole", b.Config, "codebuild", []string{arn(b.Config, "codebuild", "project/"+name)}, b.buildRights(app, logs))
	awscodebuild.NewCfnProject(scope, jsii.String("Build"), &awscodebuild.CfnProjectProps{
		Name: &name, Description: jsii.String("tests " + app.Name + " and pushes its image"),
		ServiceRole: role, EncryptionKey: b.artifacts.key.KeyArn(),
		TimeoutInMinutes: jsii.Number(app.Build.Timeout.Minutes()), QueuedTimeoutInMinutes: jsii.Number(longestQueue),
		Source:     &awscodebuild.CfnProject_SourceProperty{Type: jsii.String("CODEPIPELINE"), BuildSpec: jsii.String(buildSpec(app))},
		Artifacts:  &awscodebuild.CfnProject_ArtifactsProperty{Type: jsii.String("CODEPIPELINE")},
		LogsConfig: logsTo(logs),
		Environment: &awscodebuild.CfnProject_EnvironmentProperty{
			Type: jsii.String("LINUX_CONTAINER"), Image: jsii.String("aws/codebuild/" + app.Build.Image),
			ComputeType: jsii.String(computeTypes[app.Build.Compute]), PrivilegedMode: app.Build.Privileged,
			ImagePullCredentialsType: jsii.String("CODEBUILD"),
			EnvironmentVariables: variables(
				"SERVICE_NAME", app.Service,
				"REPOSITORY", app.Repository.Name,
				"REPOSITORY_URI", b.repositoryURI(app),
				"DOCKERFILE", app.Build.Dockerfile,
				"BUILD_CONTEXT", app.Build.Context,
				"BUILD_TARGET", app.Build.Target,
			),
		},
	})
}

// longestQueue is in minutes.
const longestQueue = 60

var computeTypes = map[string]string{
	"SMALL":    "BUILD_GENERAL1_SMALL",
	"MEDIUM":   "BUILD_GENERAL1_MEDIUM",
	"LARGE":    "BUILD_GENERAL1_LARGE",
	"X_LARGE":  "BUILD_GENERAL1_XLARGE",
	"X2_LARGE": "BUILD_GENERAL1_2XLARGE",
}

// logsTo sends the logs of a project to a group, and makes the project depend on it:
// CodeBuild would create a group that is kept forever.
func logsTo(group awslogs.CfnLogGroup) *awscodebuild.CfnProject_LogsConfigProperty {
	return &awscodebuild.CfnProject_LogsConfigProperty{CloudWatchLogs: &awscodebuild.CfnProject_CloudWatchLogsConfigProperty{
		Status: jsii.String("ENABLED"), GroupName: group.Ref(),
	}}
}

// variables makes environment variables of pairs of a name and a value. It skips empty
// values.
func variables(pairs ...string) []any {
	var all []any
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		all = append(all, &awscodebuild.CfnProject_EnvironmentVariableProperty{Name: &pairs[i], Value: &pairs[i+1], Type: jsii.String("PLAINTEXT")})
	}
	return all
}

// buildSpec prefers the application's own buildspec.
func buildSpec(app *config.App) string {
	image := buildspec.Image{Service: app.Service, Repository: app.Repository.Name, Tests: app.Build.Test, Arguments: app.Build.Args}
	switch {
	case app.Build.Spec != "":
		return app.Build.Spec
	case app.Source.Provider == config.ECR:
		return buildspec.Copy(image).String()
	default:
		return buildspec.Build(image).String()
	}
}

func (b *ci) repositoryURI(app *config.App) string {
	return b.Registry() + "/" + app.Repository.Name
}

// buildRights permits what a build of an application needs. See
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
func (b *ci) buildRights(app *config.App, logs awslogs.CfnLogGroup) policy.Document {
	rights := policy.Document{
		writeLogsTo(*logs.AttrArn()),
		b.artifacts.read(prefixes(app, sourceAction+"/*")...), b.artifacts.write(prefixes(app, buildArtifact+"/*")...), b.artifacts.useKey(b.Config),
		allow("LogIn", []string{"ecr:GetAuthorizationToken"}, "*"),
		allow("Push", []string{
			"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
			"ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
		}, arn(b.Config, "ecr", "repository/"+app.Repository.Name)),
	}
	if app.Source.Provider == config.ECR {
		rights = append(rights, b.pull(app.Source.Repository))
	}
	if app.Sign {
		rights = append(rights, allow("Sign", []string{"signer:SignPayload"}, arn(b.Config, "signer", "/signing-profiles/"+b.SigningProfile())))
	}
	return rights
}

func (b *ci) pull(repository string) policy.Statement {
	return allow("Pull", []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		arn(b.Config, "ecr", "repository/"+repository))
}

// role creates the role shared by an app's pipelines and actions.
func (b *ci) role(scope constructs.Construct, app *config.App) *string {
	rights := append(providers[app.Source.Provider].rights(b.Config, app.Source),
		b.artifacts.read(prefixes(app, "*")...), b.artifacts.write(prefixes(app, "*")...), b.artifacts.useKey(b.Config),
		allow("FindArtifacts", []string{"s3:GetBucketLocation", "s3:GetBucketVersioning"}, b.artifacts.arn),
		allow("RunBuilds", []string{"codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"},
			arn(b.Config, "codebuild", "project/"+buildProject(app)), arn(b.Config, "codebuild", "project/"+b.MergeProject())),
	)
	if app.Scan != nil {
		rights = append(rights, b.scanRights(app)...)
	}
	return serviceRole(scope, "PipelineRole", b.Config, "codepipeline", pipelineARNs(b.Config, app), rights)
}

// buildArtifact names the output of a build.
const buildArtifact = "Build"

// prefixes returns where the bucket has the artifacts of an application that match a
// pattern.
func prefixes(app *config.App, pattern string) []string {
	var all []string
	for _, name := range pipelineNames(app) {
		all = append(all, strings.TrimSuffix(artifactPrefix(name), "*")+pattern)
	}
	return all
}

// scanRights permits the scan, which runs in a container of CodePipeline. See
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-InspectorScan.html
func (b *ci) scanRights(app *config.App) policy.Document {
	logs := arn(b.Config, "logs", "log-group:/aws/codepipeline/"+app.CIPipeline())
	return policy.Document{
		allow("Scan", []string{"inspector-scan:ScanSbom", "ecr:GetAuthorizationToken"}, "*"),
		b.pull(app.Repository.Name),
		allow("WriteScanLogs", []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, logs, logs+":*"),
	}
}

func (b *ci) stage(name string, action *awscodepipeline.CfnPipeline_ActionDeclarationProperty) *awscodepipeline.CfnPipeline_StageDeclarationProperty {
	return &awscodepipeline.CfnPipeline_StageDeclarationProperty{Name: &name, Actions: []any{action}}
}

func actionType(category, provider string) *awscodepipeline.CfnPipeline_ActionTypeIdProperty {
	return &awscodepipeline.CfnPipeline_ActionTypeIdProperty{
		Category: &category, Owner: jsii.String("AWS"), Provider: &provider, Version: jsii.String("1"),
	}
}

func outputArtifacts(name string) []any {
	return []any{&awscodepipeline.CfnPipeline_OutputArtifactProperty{Name: &name}}
}

func inputArtifacts(name string) []any {
	return []any{&awscodepipeline.CfnPipeline_InputArtifactProperty{Name: &name}}
}

func (b *ci) source(app *config.App) *awscodepipeline.CfnPipeline_ActionDeclarationProperty {
	p := providers[app.Source.Provider]
	return &awscodepipeline.CfnPipeline_ActionDeclarationProperty{
		Name: jsii.String(sourceAction), ActionTypeId: actionType("Source", p.name), Namespace: jsii.String("Source"),
		Configuration: p.configuration(app.Source), OutputArtifacts: outputArtifacts(sourceAction),
	}
}

func (b *ci) build(app *config.App) *awscodepipeline.CfnPipeline_ActionDeclarationProperty {
	configuration := map[string]any{"ProjectName": buildProject(app)}
	if app.Source.Provider == config.ECR {
		configuration["EnvironmentVariables"] = overrides("SOURCE_IMAGE", b.Registry()+"/"+app.Source.Repository+"@#{Source.ImageDigest}")
	}
	return &awscodepipeline.CfnPipeline_ActionDeclarationProperty{
		Name: jsii.String("Build"), ActionTypeId: actionType("Build", "CodeBuild"), Namespace: jsii.String("Build"),
		Configuration: configuration, InputArtifacts: inputArtifacts(sourceAction), OutputArtifacts: outputArtifacts(buildArtifact),
	}
}

// scan stops the pipeline if Inspector finds more than the thresholds allow. It scans a
// tag, which with immutable tags always means the image just pushed.
func (b *ci) scan(app *config.App) *awscodepipeline.CfnPipeline_ActionDeclarationProperty {
	configuration := map[string]any{
		"InspectorRunMode": "ECRImageScan", "ECRRepositoryName": app.Repository.Name, "ImageTag": "#{Build.IMAGE_TAG}",
	}
	for _, threshold := range []struct {
		name string
		most *int
	}{
		{"CriticalThreshold", app.Scan.Critical},
		{"HighThreshold", app.Scan.High},
		{"MediumThreshold", app.Scan.Medium},
		{"LowThreshold", app.Scan.Low},
	} {
		if threshold.most != nil {
			configuration[threshold.name] = fmt.Sprint(*threshold.most)
		}
	}
	return &awscodepipeline.CfnPipeline_ActionDeclarationProperty{
		Name: jsii.String("Scan"), ActionTypeId: actionType("Invoke", "InspectorScan"),
		Configuration: configuration, OutputArtifacts: outputArtifacts("Scan"),
	}
}

// merge hands the image over. The action sets the service and the repository: only the
// digest comes from the build.
func (b *ci) merge(app *config.App) *awscodepipeline.CfnPipeline_ActionDeclarationProperty {
	return &awscodepipeline.CfnPipeline_ActionDeclarationProperty{
		Name: jsii.String("Merge"), ActionTypeId: actionType("Build", "CodeBuild"),
		Configuration: map[string]any{
			"ProjectName": b.MergeProject(),
			"EnvironmentVariables": overrides(
				"SERVICE_NAME", app.Service,
				"REPOSITORY", app.Repository.Name,
				"REPOSITORY_URI", b.repositoryURI(app),
			),
		},
		InputArtifacts: inputArtifacts(buildArtifact),
	}
}

// overrides encodes environment variables that an action sets in its project.
func overrides(pairs ...string) string {
	type variable struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	var all []variable
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, variable{pairs[i], "PLAINTEXT", pairs[i+1]})
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // strings only: cannot happen
	}
	return string(text)
}
