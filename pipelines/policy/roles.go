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

// DeployTrust lets principals assume the deploy role of an account: the CD pipeline, and
// with an ephemeral environment the janitor that removes it.
func DeployTrust(c *config.Config, a *config.Account) Document {
	if c.HasEphemeral(a) {
		return trust(c, c.CDRole(), c.JanitorRole())
	}
	return trust(c, c.CDRole())
}

// ReviewTrust lets principals assume the review role of an account: the builds that
// report changes, and with Bake the CD pipeline.
func ReviewTrust(c *config.Config, a *config.Account) Document {
	if c.Bakes(a) {
		return trust(c, c.ChangesRole(), c.CDRole())
	}
	return trust(c, c.ChangesRole())
}

// ExecutionTrust lets CloudFormation assume its role, for stacks of the account.
func ExecutionTrust(a *config.Account) Document {
	return Document{{
		Sid: "CloudFormation", Effect: allow, Principal: map[string][]string{"Service": {cloudformation}},
		Action:    []string{"sts:AssumeRole"},
		Condition: Condition{"StringEquals": {"aws:SourceAccount": {a.ID}}},
	}}
}

const cloudformation = "cloudformation.amazonaws.com"

// Deploy permits the deploy role of an account everything with the application's stacks,
// to pass the CloudFormation role, and to read artifacts. It names the key of artifacts
// by the prefix of its id, as AWS generates the id; the key's own policy limits the use
// to it.
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

// Review permits the review role to read the application's stacks, and the state of the
// alarms that hold a release back. CloudWatch returns composite alarms only to a role
// that may read all. See
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
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

// ProtectTrust lets the builds that protect stacks assume the protect role of an
// account.
func ProtectTrust(c *config.Config) Document { return trust(c, c.ProtectionRole()) }

// Protect permits the protect role to update termination protection: IAM cannot
// distinguish enabling it from disabling it.
func Protect(c *config.Config, a *config.Account) Document {
	return Document{{
		Sid: "Protection", Effect: allow, Resource: stackARNs(c, a, c.Protected(a)),
		Action: []string{"cloudformation:UpdateTerminationProtection"},
	}}
}

func stackARNs(c *config.Config, a *config.Account, stages []string) []string {
	var arns []string
	for _, id := range stages {
		arns = append(arns, c.ARN("cloudformation", "*", a, "stack/"+id+"-*/*"))
	}
	return arns
}
