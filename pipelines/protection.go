package pipelines

import (
	"fmt"

	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// protect returns the build that keeps the stacks of a wave from being deleted, which the
// CloudFormation actions of CodePipeline cannot.
// https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
func (d *cd) protect(e *config.Environment, i int, deployments []cdkpipelines.StageDeployment) cdkpipelines.Step {
	if d.protection == nil {
		d.protection = d.newProtectionBuilds()
	}
	// nothing of the compose repository is read: what it called accounts.ini would be obeyed
	commands := []string{"set -eu", `cd "$(mktemp -d)"`, `export AWS_CONFIG_FILE="$PWD/accounts.ini"`}
	profiles := map[string]bool{}
	for n, t := range e.Waves[i] {
		if !profiles[t.Account.ID] { // one that is there twice is an error of the AWS CLI
			profiles[t.Account.ID] = true
			commands = append(commands, fmt.Sprintf(`printf '[profile %s]\nrole_arn = %s\ncredential_source = EcsContainer\n' >> accounts.ini`,
				t.Account.ID, d.Config.ProtectRoleARN(t.Account)))
		}
		for _, stack := range *deployments[n].Stacks() {
			commands = append(commands, fmt.Sprintf("aws --profile %s --region %s cloudformation update-termination-protection --enable-termination-protection --stack-name %s",
				t.Account.ID, t.Region, *stack.StackName()))
		}
	}
	return cdkpipelines.NewCodeBuildStep(jsii.String("Protect"), &cdkpipelines.CodeBuildStepProps{
		ProjectName: jsii.String(protectionProject(d.Config) + "-" + waveName(e, i)),
		Input:       d.sources.compose, Role: d.protection.role, Logging: d.protection.logging,
		Commands: jsii.Strings(commands...),
	})
}

func (d *cd) newProtectionBuilds() *builds {
	c := d.Config
	roles := map[string]bool{}
	for _, a := range c.TargetAccounts() {
		if len(c.Protected(a)) > 0 {
			roles[c.ProtectRoleARN(a)] = true
		}
	}
	return d.newBuilds("Protection", c.ProtectionRole(), protectionProject(c), policy.Document{
		d.artifacts.read(artifactPrefix(c.CDPipeline())), d.artifacts.useKey(c),
		allow("ProtectTargets", []string{"sts:AssumeRole"}, sortedKeys(roles)...),
	})
}

func protectionProject(c *config.Config) string { return c.CDPipeline() + "-protect" }
