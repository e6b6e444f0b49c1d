package pipelines

import (
	"fmt"

	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// protection makes the builds that keep stacks from being deleted.
type protection struct {
	*projects
	// input is read by nothing: a build of CDK Pipelines must have one.
	input  cdkpipelines.IFileSetProducer
	builds *builds // nil before the first
}

// protect returns the build that enables the termination protection of a wave's
// stacks: the CloudFormation actions of CodePipeline cannot. See
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
func (p *protection) protect(e *config.Environment, i int, deployments []cdkpipelines.StageDeployment) cdkpipelines.Step {
	if p.builds == nil {
		p.builds = p.newBuilds()
	}
	// a file accounts.ini of the compose repository must not be obeyed
	commands := []string{"set -eu", `cd "$(mktemp -d)"`, `export AWS_CONFIG_FILE="$PWD/accounts.ini"`}
	profiles := map[string]bool{}
	for n, t := range e.Waves[i] {
		if !profiles[t.Account.ID] { // the AWS CLI rejects a profile that is there twice
			profiles[t.Account.ID] = true
			commands = append(commands, fmt.Sprintf(`printf '[profile %s]\nrole_arn = %s\ncredential_source = EcsContainer\n' >> accounts.ini`,
				t.Account.ID, p.config.ProtectRoleARN(t.Account)))
		}
		for _, stack := range *deployments[n].Stacks() {
			commands = append(commands, fmt.Sprintf("aws --profile %s --region %s cloudformation update-termination-protection --enable-termination-protection --stack-name %s",
				t.Account.ID, t.Region, *stack.StackName()))
		}
	}
	return cdkpipelines.NewCodeBuildStep(jsii.String("Protect"), &cdkpipelines.CodeBuildStepProps{
		ProjectName: jsii.String(protectionProject(p.config) + "-" + waveName(e, i)),
		Input:       p.input, Role: p.builds.role, Logging: p.builds.logging,
		Commands: jsii.Strings(commands...),
	})
}

func (p *protection) newBuilds() *builds {
	c := p.config
	roles := map[string]bool{}
	for _, a := range c.TargetAccounts() {
		if len(c.Protected(a)) > 0 {
			roles[c.ProtectRoleARN(a)] = true
		}
	}
	return p.share("Protection", c.ProtectionRole(), protectionProject(c), policy.Document{
		p.artifacts.read(artifactPrefix(c.CDPipeline())), p.artifacts.useKey(c),
		allow("ProtectTargets", []string{"sts:AssumeRole"}, sortedKeys(roles)...),
	})
}

func protectionProject(c *config.Config) string { return c.CDPipeline() + "-protect" }
