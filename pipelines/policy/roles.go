package policy

import (
	"slices"

	"composecdk/pipelines/config"
)

// trust lets roles of the tooling account assume a role.
func trust(c *config.Config, roles ...string) Document {
	var arns []string
	for _, role := range roles {
		arns = append(arns, c.ARN("iam", "", c.Tooling.Account, "role/"+role))
	}
	return Document{{
		Sid: "Tooling", Effect: allow, Principal: roots(c, c.Tooling.Account),
		Action:    []string{"sts:AssumeRole"},
		Condition: within(c, Condition{"ArnEquals": {"aws:PrincipalArn": arns}}),
	}}
}

// DeployTrust returns who may assume the deploy role of an account: the CD pipeline, and
// where there is an ephemeral environment the janitor that removes it.
func DeployTrust(c *config.Config, a *config.Account) Document {
	if c.HasEphemeral(a) {
		return trust(c, c.CDRole(), c.JanitorRole())
	}
	return trust(c, c.CDRole())
}

// ReviewTrust returns who may assume the review role of an account: the builds that tell
// what a release changes, and the CD pipeline where alarms hold it back.
func ReviewTrust(c *config.Config, a *config.Account) Document {
	if c.Bakes(a) {
		return trust(c, c.ChangesRole(), c.CDRole())
	}
	return trust(c, c.ChangesRole())
}

// ExecutionTrust returns who may assume the CloudFormation role: CloudFormation, for
// stacks of the account.
func ExecutionTrust(a *config.Account) Document {
	return Document{{
		Sid: "CloudFormation", Effect: allow, Principal: map[string][]string{"Service": {cloudformation}},
		Action:    []string{"sts:AssumeRole"},
		Condition: Condition{"StringEquals": {"aws:SourceAccount": {a.ID}}},
	}}
}

const cloudformation = "cloudformation.amazonaws.com"

// Deploy returns what the deploy role may do in an account: everything with the stacks of
// the application, pass the CloudFormation role, and read artifacts. The key of
// artifacts is named by what its id begins with, as the id is AWS's; its own policy
// says that it is the one.
func Deploy(c *config.Config, a *config.Account) Document {
	var buckets, objects, services []string
	for _, region := range c.Regions(a) {
		bucket := "arn:" + c.Partition() + ":s3:::" + c.ArtifactBucketIn(region)
		buckets, objects = append(buckets, bucket), append(objects, bucket+"/*")
		services = append(services, via("s3", region))
	}
	return Document{
		{
			Sid: "Stacks", Effect: allow, Resource: stackARNs(c, a, c.StageIDs(a)),
			Action: []string{
				"cloudformation:ContinueUpdateRollback", "cloudformation:CreateChangeSet", "cloudformation:CreateStack",
				"cloudformation:DeleteChangeSet", "cloudformation:DeleteStack", "cloudformation:DescribeChangeSet",
				"cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources", "cloudformation:DescribeStacks",
				"cloudformation:ExecuteChangeSet", "cloudformation:GetTemplate", "cloudformation:ListStackResources",
				"cloudformation:RollbackStack", "cloudformation:SetStackPolicy", "cloudformation:UpdateStack",
			},
		},
		{
			Sid: "PassExecutionRole", Effect: allow, Action: []string{"iam:PassRole"},
			Resource:  []string{c.ExecutionRoleARN(a, "*")},
			Condition: Condition{"StringEquals": {"iam:PassedToService": {cloudformation}}},
		},
		{Sid: "ReadArtifacts", Effect: allow, Action: readArtifacts, Resource: slices.Concat(buckets, objects)},
		{
			Sid: "DecryptArtifacts", Effect: allow, Action: []string{"kms:Decrypt", "kms:DescribeKey"},
			Resource:  []string{c.ARN("kms", "*", c.Tooling.Account, "key/mrk-*")},
			Condition: Condition{"StringEquals": {"kms:ViaService": services}},
		},
	}
}

// Review returns what the review role may do: read what the application's stacks are, and
// the alarms that hold a release back. CloudWatch tells of a composite alarm
// only who may read all.
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)
func Review(c *config.Config, a *config.Account) Document {
	document := Document{{
		Sid: "Stacks", Effect: allow, Resource: stackARNs(c, a, c.StageIDs(a)),
		Action: []string{"cloudformation:DescribeStacks", "cloudformation:GetTemplate", "cloudformation:ListStackResources"},
	}}
	if c.Bakes(a) {
		document = append(document, Statement{Sid: "Alarms", Effect: allow, Action: []string{"cloudwatch:DescribeAlarms"}, Resource: []string{"*"}})
	}
	return document
}

// ProtectTrust returns who may assume the protect role of an account.
func ProtectTrust(c *config.Config) Document { return trust(c, c.ProtectionRole()) }

// Protect returns what the protect role may do: nothing in IAM tells protecting a stack from
// giving its protection up.
func Protect(c *config.Config, a *config.Account) Document {
	return Document{{
		Sid: "Protection", Effect: allow, Resource: stackARNs(c, a, c.Protected(a)),
		Action: []string{"cloudformation:UpdateTerminationProtection"},
	}}
}

// stackARNs returns the stacks of stages in an account.
func stackARNs(c *config.Config, a *config.Account, stages []string) []string {
	var arns []string
	for _, id := range stages {
		arns = append(arns, c.ARN("cloudformation", "*", a, "stack/"+id+"-*/*"))
	}
	return arns
}
