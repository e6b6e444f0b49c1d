package pipelines

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
)

// newChanges makes the build that tells what a release changes in an environment:
// it compares the assembly with what is deployed, prints each stack, and gives the
// pipeline CHANGED, true or false, and SUMMARY, a line.
func (d *cd) newChanges(e *config.Environment) cdkpipelines.CodeBuildStep {
	c := d.Config
	if d.changesRole == nil {
		d.changesRole = awsiam.NewRole(d.stack, jsii.String("ChangesRole"), &awsiam.RoleProps{
			RoleName:    jsii.String(c.ChangesRole()),
			Description: jsii.String(c.Name + ": reads what is deployed and tells what a release changes"),
			AssumedBy: awsiam.NewServicePrincipal(jsii.String("codebuild.amazonaws.com"), &awsiam.ServicePrincipalOpts{
				Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": c.Tooling.Account.ID}},
			}),
		})
		permit(d.changesRole, []string{"codepipeline:GetPipelineState"}, c.ARN("codepipeline", c.Tooling.Region, c.Tooling.Account, c.CDPipeline()))
	}
	for _, t := range e.Targets() {
		permit(d.changesRole, []string{"sts:AssumeRole"}, reviewRole(c, t))
	}
	return cdkpipelines.NewCodeBuildStep(jsii.String("Changes-"+e.Name), &cdkpipelines.CodeBuildStepProps{
		Input: d.assembly, Role: d.changesRole,
		Logging:  logging(d.stack, "ChangesLogs-"+e.Name, c),
		Commands: jsii.Strings(changesCommands(c, e)...),
	})
}

// changesCommands compare, and hand the result over. Until an earlier release that
// is still on its way to the environment has arrived, what is deployed says nothing
// about what this one will meet: then it counts as a change.
func changesCommands(c *config.Config, e *config.Environment) []string {
	compare := "./composer changes"
	var stages []string
	for _, name := range environmentStages(c, e) {
		stages = append(stages, fmt.Sprintf("stageName=='%s' || starts_with(stageName, '%s.')", name, name))
	}
	for _, t := range e.Targets() {
		compare += " --assembly assembly-" + c.StageID(e, t)
	}
	state := fmt.Sprintf(`aws codepipeline get-pipeline-state --name %s --query "stageStates[?%s].[latestExecution.status, inboundExecution.status, inboundExecutions[].status]" --output text`,
		c.CDPipeline(), strings.Join(stages, " || "))
	return []string{
		"set -eu",
		"aws s3 cp s3://" + c.ArtifactBucket() + "/tools/composer composer && chmod +x composer",
		compare + " --out changes.txt",
		`export CHANGED="$(sed -n 's/^CHANGED=//p' changes.txt)"`,
		`export SUMMARY="$(sed -n 's/^SUMMARY=//p' changes.txt)"`,
		state + " > state.txt",
		"if grep -q InProgress state.txt; then export CHANGED=true; fi",
	}
}

// environmentStages are the names of the stages that deploy an
// environment.
func environmentStages(c *config.Config, e *config.Environment) []string {
	names := []string{approvalStage(e)}
	for i := range e.Waves {
		names = append(names, waveStage(c, e, i))
	}
	return names
}

// reviewRole is the ARN of the role that reads what is deployed in a target.
func reviewRole(c *config.Config, t config.Target) string {
	if t.Account.Roles.Type == config.Managed {
		return managedReviewRole(c, t.Account)
	}
	return fmt.Sprintf("arn:%s:iam::%s:role/cdk-%s-lookup-role-%s-%s",
		c.Partition(), t.Account.ID, t.Account.Roles.Qualifier, t.Account.ID, t.Region)
}

func managedReviewRole(c *config.Config, account *config.Account) string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", c.Partition(), account.ID, c.ReviewRole())
}

// permit lets a role do something to resources.
func permit(role awsiam.Role, actions []string, resources ...string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...),
	}))
}
