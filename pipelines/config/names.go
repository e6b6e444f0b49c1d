package config

import (
	"fmt"
	"strings"
)

// The names are conventions: stacks of several accounts find each other's resources by
// them, without passing values.

// Parameters of the tooling account, under the names of the original blueprint.
const (
	KeyParameter    = "/cicd/shared/kms/arn"
	BucketParameter = "/cicd/shared/s3/artifacts/name"
)

// KeyAlias returns the alias of the key of artifacts.
func (c *Config) KeyAlias() string { return "alias/" + c.Name + "/artifacts" }

// ArtifactBucket returns the name of the bucket of artifacts, in the tooling account and
// region.
func (c *Config) ArtifactBucket() string {
	return fmt.Sprintf("%s-artifacts-%s-%s", c.Name, c.Tooling.Account.ID, c.Tooling.Region)
}

// CDPipeline returns the name of the CD pipeline.
func (c *Config) CDPipeline() string { return "cd-" + c.Name }

// CDRole returns the name of the CD pipeline's role, which the roles of the targets
// trust.
func (c *Config) CDRole() string { return c.Name + "-cd-pipeline" }

// CDRoleARN returns the ARN of the CD pipeline's role.
func (c *Config) CDRoleARN() string {
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", c.Partition(), c.Tooling.Account.ID, c.CDRole())
}

// PlatformPipeline returns the name of the pipeline that deploys the shared resources
// and the CI pipelines.
func (c *Config) PlatformPipeline() string { return "platform-" + c.Name }

// CIPipeline returns the name of the pipeline of an application.
func (a *App) CIPipeline() string { return "ci-" + a.Name }

// BranchPipeline returns the name of the pipeline that builds and tests the other
// branches of an application.
func (a *App) BranchPipeline() string { return "branches-" + a.Name }

// MergeProject returns the name of the project that hands new images over to the compose
// repository.
func (c *Config) MergeProject() string { return "merge-" + c.Name }

// Composer is the key of the program composer in the bucket of artifacts, where the
// platform pipeline puts it.
const Composer = "tools/composer"

// Registry returns the address of the tooling account's ECR.
func (c *Config) Registry() string {
	suffix := "amazonaws.com"
	if c.Partition() == "aws-cn" {
		suffix += ".cn"
	}
	return fmt.Sprintf("%s.dkr.ecr.%s.%s", c.Tooling.Account.ID, c.Tooling.Region, suffix)
}

// DeployRole returns the name of the managed role that the CD pipeline assumes in a
// target account.
func (c *Config) DeployRole() string { return c.Name + "-deploy" }

// ExecutionRole returns the name of the managed role that CloudFormation uses in a
// target account.
func (c *Config) ExecutionRole() string { return c.Name + "-cloudformation" }

// ReviewRole returns the name of the role that reads the deployed stacks of a target
// account.
func (c *Config) ReviewRole() string { return c.Name + "-review" }

// ProtectRole returns the name of the role that keeps the stacks of a target account
// from being deleted.
func (c *Config) ProtectRole() string { return c.Name + "-protect" }

// ProtectionRole returns the name of the role of the builds that assume ProtectRole, in
// the tooling account.
func (c *Config) ProtectionRole() string { return c.Name + "-protection" }

// JanitorRole returns the name of the role that removes ephemeral environments, in the
// tooling account.
func (c *Config) JanitorRole() string { return c.Name + "-janitor" }

// ChangesRole returns the name of the role of the builds that report what a release
// changes, in the tooling account.
func (c *Config) ChangesRole() string { return c.Name + "-changes" }

// StageID returns the construct id, and the name, of a target's stage. It is the prefix
// of the names of the application's stacks there.
func (c *Config) StageID(e *Environment, t Target) string {
	id := e.Name + "-" + c.Name
	if len(e.Targets()) > 1 {
		id += "-" + t.Account.Name + "-" + t.Region
	}
	return id
}

// Topic returns the name of the SNS topic of an event, in the tooling account.
func (c *Config) Topic(e Event) string { return c.Name + "-" + string(e) }

// TopicARN returns the ARN of the SNS topic of an event.
func (c *Config) TopicARN(e Event) string {
	return fmt.Sprintf("arn:%s:sns:%s:%s:%s", c.Partition(), c.Tooling.Region, c.Tooling.Account.ID, c.Topic(e))
}

// Partition returns the AWS partition of the tooling account: aws, aws-cn or aws-us-gov.
func (c *Config) Partition() string { return partitionOf(c.Tooling.Region) }

func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}
