package pipelines

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/buildspec"
	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// newMerge adds the stack with the one project that writes to the compose repository.
// Its builds never run a program of an application. The repository takes one change at a
// time, and composer waits for its turn. The project has no limit of concurrent builds:
// a limit makes builds fail instead of queueing. See
// https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html
func newMerge(scope constructs.Construct, c *config.Config) awscdk.Stack {
	stack := toolingStack(scope, c, "Merge", "merge", "hands new images over to the compose repository")
	m := &merge{Config: c, artifacts: importArtifacts(stack, c)}
	name := c.MergeProject()
	logs := newLogs(stack, "Logs", c)
	rights := append(policy.Document{writeLogsTo(*logs.AttrArn())}, m.rights()...)
	role := serviceRole(stack, "Role", c, "codebuild", []string{arn(c, "codebuild", "project/"+name)}, rights)
	awscodebuild.NewCfnProject(stack, jsii.String("Project"), &awscodebuild.CfnProjectProps{
		Name: &name, Description: jsii.String("commits digests of images to the compose repository"),
		ServiceRole: role, EncryptionKey: m.artifacts.key.KeyArn(),
		TimeoutInMinutes: jsii.Number(15), QueuedTimeoutInMinutes: jsii.Number(480), // many builds may wait for their turn
		Source:     &awscodebuild.CfnProject_SourceProperty{Type: jsii.String("CODEPIPELINE"), BuildSpec: jsii.String(m.spec().String())},
		Artifacts:  &awscodebuild.CfnProject_ArtifactsProperty{Type: jsii.String("CODEPIPELINE")},
		LogsConfig: logsTo(logs),
		Environment: &awscodebuild.CfnProject_EnvironmentProperty{
			Type: jsii.String("LINUX_CONTAINER"), Image: jsii.String(buildImage), ComputeType: jsii.String(computeTypes["SMALL"]),
			PrivilegedMode: false, ImagePullCredentialsType: jsii.String("CODEBUILD"), EnvironmentVariables: variables(m.variables()...),
		},
	})
	return stack
}

// buildImage is used by the projects that build no application.
const buildImage = "aws/codebuild/standard:7.0"

// merge builds the hand-over of images to the compose repository.
type merge struct {
	*config.Config
	artifacts artifacts
}

func (m *merge) spec() buildspec.Spec {
	if m.Compose.Source.Provider == config.S3 {
		return buildspec.MergeS3()
	}
	return buildspec.MergeGit()
}

func (m *merge) variables() []string {
	source := m.Compose.Source
	return []string{
		"COMPOSER", "s3://" + m.ArtifactBucket() + "/" + config.Composer,
		"IMAGES", m.Compose.Images,
		"COMPOSE_URL", m.gitURL(),
		"BRANCH", source.Branch,
		"COMPOSE_OBJECT", m.object(),
	}
}

// gitURL returns the address of the compose repository. For a connection it is the
// address that CodePipeline gives to builds that clone; to push there needs a connection
// with write access, and is untested.
func (m *merge) gitURL() string {
	source, region := m.Compose.Source, m.Tooling.Region
	switch source.Provider {
	case config.CodeCommit:
		return "https://git-codecommit." + region + ".amazonaws.com/v1/repos/" + source.Repository
	case config.Connection:
		connection := strings.Split(source.ConnectionARN, ":") // arn:partition:service:region:account:connection/id
		return "https://" + connection[2] + "." + connection[3] + ".amazonaws.com/git-http/" + connection[4] + "/" + connection[3] + "/" +
			strings.TrimPrefix(connection[5], "connection/") + "/" + source.Repository + ".git"
	default:
		return ""
	}
}

func (m *merge) object() string {
	if source := m.Compose.Source; source.Provider == config.S3 {
		return "s3://" + source.Bucket + "/" + source.Key
	}
	return ""
}

// rights permits to read the outputs of builds, to look an image up, and to write to one
// branch, or object, of the compose files.
func (m *merge) rights() policy.Document {
	return append(m.write(),
		m.artifacts.read("ci-*/"+buildArtifact+"/*", config.Composer), m.artifacts.useKey(m.Config),
		allow("FindImages", []string{"ecr:DescribeImages"}, m.repositories()...),
	)
}

// repositories returns the ARNs of the applications' repositories. One pattern covers
// the repositories below the product's name: a policy has no room for hundreds of names.
func (m *merge) repositories() []string {
	own := m.Name + "/"
	all := []string{arn(m.Config, "ecr", "repository/"+own+"*")}
	for _, app := range m.Apps {
		if !strings.HasPrefix(app.Repository.Name, own) {
			all = append(all, arn(m.Config, "ecr", "repository/"+app.Repository.Name))
		}
	}
	return all
}

// write permits to write to the compose repository. See
// https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-conditional-branch.html
func (m *merge) write() policy.Document {
	source := m.Compose.Source
	switch source.Provider {
	case config.CodeCommit:
		repository := arn(m.Config, "codecommit", source.Repository)
		push := allow("Push", []string{"codecommit:GitPush"}, repository)
		push.Condition = policy.Condition{"StringEquals": {"codecommit:References": {"refs/heads/" + source.Branch}}}
		return policy.Document{allow("Pull", []string{"codecommit:GitPull"}, repository), push}
	case config.Connection:
		return policy.Document{useConnection(source)}
	default:
		return policy.Document{allow("ReplaceObject", []string{"s3:GetObject", "s3:PutObject"}, "arn:"+m.Partition()+":s3:::"+source.Bucket+"/"+source.Key)}
	}
}
