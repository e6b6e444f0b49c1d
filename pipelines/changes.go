package pipelines

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// newChanges returns the build that reports what a release changes in an environment:
// it compares the assembly with the deployed stacks, prints each difference, and
// exports CHANGED, true or false, and SUMMARY, a line.
func (r *review) newChanges(e *config.Environment) cdkpipelines.CodeBuildStep {
	if r.builds == nil {
		r.builds = r.newBuilds()
	}
	return cdkpipelines.NewCodeBuildStep(jsii.String("Changes-"+e.Name), &cdkpipelines.CodeBuildStepProps{
		ProjectName: jsii.String(changesProject(r.config) + "-" + e.Name),
		Input:       r.assembly, Role: r.builds.role, Logging: r.builds.logging,
		Commands: jsii.Strings(changesCommands(r.config, e)...),
	})
}

// projects makes the CodeBuild projects of the CD pipeline.
type projects struct {
	config    *config.Config
	stack     awscdk.Stack
	artifacts artifacts
}

// builds hold the role, which the targets trust by its name, and the logs that projects
// of one kind share.
type builds struct {
	role    awsiam.IRole
	logging *awscodebuild.LoggingOptions
}

// share makes the role and the logs of the projects whose names begin with project.
func (p *projects) share(id, role, project string, rights policy.Document) *builds {
	logs := newLogs(p.stack, id+"Logs", p.config)
	made := newServiceRole(p.stack, id+"Role", p.config, "codebuild", []string{arn(p.config, "codebuild", "project/"+project+"-*")}, append(rights, writeLogsTo(*logs.AttrArn())))
	made.SetRoleName(&role)
	return &builds{role: asItIs(p.stack, id+"RoleAsItIs", made), logging: logsOf(p.stack, id+"LogsAsTheyAre", logs)}
}

func (r *review) newBuilds() *builds {
	c := r.config
	return r.share("Changes", c.ChangesRole(), changesProject(c), policy.Document{
		r.artifacts.read(artifactPrefix(c.CDPipeline()), config.Composer), r.artifacts.useKey(c),
		allow("ReadState", []string{"codepipeline:GetPipelineState"}, arn(c, "codepipeline", c.CDPipeline())),
		allow("ReadTargets", []string{"sts:AssumeRole"}, c.ReviewRoleARNs()...),
	})
}

// asItIs refers to a role to which the CDK adds nothing. It is imported by name: from an
// ARN that is known only after deployment, the CDK cannot tell that the role belongs to
// this account, and permits the whole account to write logs.
func asItIs(scope constructs.Construct, id string, role awsiam.CfnRole) awsiam.IRole {
	return awsiam.Role_FromRoleName(scope, &id, role.Ref(), &awsiam.FromRoleNameOptions{Mutable: jsii.Bool(false)})
}

func changesProject(c *config.Config) string { return c.CDPipeline() + "-changes" }

// changesCommands returns the commands that compare the assembly and export the
// result. While an earlier release is still on its way to the environment, the deployed stacks say nothing about the
// stacks that this release will meet: that counts as a change.
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
		"aws s3 cp s3://" + c.ArtifactBucket() + "/" + config.Composer + " composer && chmod +x composer",
		compare + " --out changes.txt",
		`export CHANGED="$(sed -n 's/^CHANGED=//p' changes.txt)"`,
		`export SUMMARY="$(sed -n 's/^SUMMARY=//p' changes.txt)"`,
		state + " > state.txt",
		"if grep -q InProgress state.txt; then export CHANGED=true; fi",
	}
}

// environmentStages returns the names of the stages that deploy an environment.
func environmentStages(c *config.Config, e *config.Environment) []string {
	names := []string{approvalStage(e)}
	for i := range e.Waves {
		names = append(names, waveStage(c, e, i))
	}
	return names
}

func permit(role awsiam.Role, actions []string, resources ...string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...),
	}))
}
