package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodecommit"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
)

// platformSource is the name of the action that fetches the platform repository,
// where it is not the one of the compose files as well, which is sourceAction.
const platformSource = "Platform"

// sources are what the CD pipeline is started by and made from.
type sources struct {
	compose cdkpipelines.CodePipelineSource
	// platform is the same where one repository holds both.
	platform cdkpipelines.CodePipelineSource
}

// newSources makes the sources of the CD pipeline. A push to either starts it,
// unless the file names triggers: then only those do.
func newSources(stack awscdk.Stack, c *config.Config) sources {
	onPush := len(c.Triggers) == 0
	s := sources{compose: cdSource(stack, sourceAction, c.Compose.Source, onPush)}
	s.platform = s.compose
	if !c.Tooling.Source.Same(c.Compose.Source) {
		s.platform = cdSource(stack, platformSource, c.Tooling.Source, onPush)
	}
	return s
}

// cdSource is where files come from. Nothing is polled: what does not start by itself
// is started by a rule (startOn).
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

// admitted are the rules that a release must meet to come into an environment.
func (d *cd) admitted(e *config.Environment) []rule { return nil }
