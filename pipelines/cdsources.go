package pipelines

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodecommit"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// platformSource names the action that fetches the platform repository, unless it is
// the compose repository too; then sourceAction fetches both.
const platformSource = "Platform"

// sources start a pipeline and feed its synthesis.
type sources struct {
	compose cdkpipelines.CodePipelineSource
	// platform equals compose where one repository holds both.
	platform cdkpipelines.CodePipelineSource
}

// newSources makes the sources of the CD pipeline. A push to either starts it, unless
// the file names triggers: then only these do.
func newSources(stack awscdk.Stack, c *config.Config) sources {
	onPush := len(c.Triggers) == 0
	s := sources{compose: cdSource(stack, sourceAction, c.Compose.Source, onPush)}
	s.platform = s.compose
	if !c.Tooling.Source.Same(c.Compose.Source) {
		s.platform = cdSource(stack, platformSource, c.Tooling.Source, onPush)
	}
	return s
}

// cdSource makes a source that is not polled: startOn adds a rule where CDK Pipelines
// has no event.
func cdSource(scope constructs.Construct, name string, s config.Source, onPush bool) cdkpipelines.CodePipelineSource {
	switch s.Provider {
	case config.CodeCommit:
		trigger := awscodepipelineactions.CodeCommitTrigger_EVENTS
		if !onPush {
			trigger = awscodepipelineactions.CodeCommitTrigger_NONE
		}
		repository := awscodecommit.Repository_FromRepositoryName(scope, jsii.String(name+"Repository"), &s.Repository)
		return cdkpipelines.CodePipelineSource_CodeCommit(repository, &s.Branch, &cdkpipelines.CodeCommitSourceOptions{
			ActionName: &name, Trigger: trigger,
		})
	case config.S3:
		bucket := awss3.Bucket_FromBucketName(scope, jsii.String(name+"Bucket"), &s.Bucket)
		return cdkpipelines.CodePipelineSource_S3(bucket, &s.Key, &cdkpipelines.S3SourceOptions{
			ActionName: &name, Trigger: awscodepipelineactions.S3Trigger_NONE,
		})
	default:
		return cdkpipelines.CodePipelineSource_Connection(&s.Repository, &s.Branch, &cdkpipelines.ConnectionSourceOptions{
			ActionName: &name, ConnectionArn: &s.ConnectionARN, TriggerOnPush: &onPush,
		})
	}
}

// startOn adds the starts of the pipeline besides its source actions: the triggers of
// the file, and events of S3, for which CDK Pipelines would require CloudTrail.
func startOn(stack awscdk.Stack, c *config.Config, pipeline awscodepipeline.Pipeline, from sources) {
	permitConnection(pipeline, sourceAction, c.Compose.Source)
	permitConnection(pipeline, platformSource, c.Tooling.Source)
	var all []started
	for i, t := range c.Triggers {
		one := []config.Trigger{t}
		on, others := onSource(c.Compose.Source, one), onOthers(c.Compose.Source, one)
		all = append(all, started{
			id: fmt.Sprintf("Start%d", i+1), name: startRule(c, t), source: c.Compose.Source,
			on: starts{events: append(on.events, others.events...), pushes: append(on.pushes, others.pushes...)},
		})
	}
	if len(all) == 0 {
		if s := c.Compose.Source; s.Provider == config.S3 {
			all = append(all, started{id: "StartCompose", source: s, on: onSource(s, nil)})
		}
		if s := c.Tooling.Source; s.Provider == config.S3 && from.platform != from.compose {
			all = append(all, started{id: "StartPlatform", source: s, on: onSource(s, nil)})
		}
	}
	addStarts(stack, c, pipeline, all)
}

// started starts the pipeline on pushes to a source. Rules of triggers have names, by
// which the trigger filter recognises them.
type started struct {
	id, name string
	source   config.Source
	on       starts
}

func addStarts(stack awscdk.Stack, c *config.Config, pipeline awscodepipeline.Pipeline, all []started) {
	together := starts{}
	for _, s := range all {
		together.events, together.pushes = append(together.events, s.on.events...), append(together.pushes, s.on.pushes...)
	}
	if len(together.events) > 0 {
		target := arn(c, "codepipeline", c.CDPipeline())
		role := serviceRole(stack, "StartRole", c, "events", []string{arn(c, "events", "rule/*")},
			policy.Document{allow("StartPipelines", []string{"codepipeline:StartPipelineExecution"}, target)})
		for _, s := range all {
			for i, rule := range s.on.rules(stack, s.id, s.source, target, *role) {
				if s.name != "" {
					rule.SetName(jsii.String(fmt.Sprintf("%s-%d", s.name, i+1)))
				}
			}
		}
	}
	if triggers := together.triggers(); triggers != nil {
		pipeline.Node().DefaultChild().(awscodepipeline.CfnPipeline).SetTriggers(triggers)
	}
}
