package policy

import (
	"composecdk/pipelines/config"
)

// Key returns the policy of the key of artifacts in a region: the account administers
// it, the deploy roles of target accounts read artifacts with it, and in the region of
// the topics the notification service publishes with it. The policy of a topic limits
// whose notifications these are.
func Key(c *config.Config, region string) Document {
	document := Document{{
		Sid: "Administration", Effect: allow, Principal: roots(c, c.Tooling.Account),
		Action: []string{"kms:*"}, Resource: []string{"*"},
	}}
	if accounts := others(c); len(accounts) > 0 {
		document = append(document, Statement{
			Sid: "ReadArtifacts", Effect: allow, Principal: roots(c, accounts...),
			Action: []string{"kms:Decrypt", "kms:DescribeKey"}, Resource: []string{"*"},
			Condition: within(c, Condition{
				"StringEquals": {"kms:ViaService": {via("s3", region)}},
				"ArnLike":      {"aws:PrincipalArn": deployRoles(c, accounts)},
			}),
		})
	}
	if region != c.Tooling.Region {
		return document
	}
	return append(document, Statement{
		Sid: "PublishNotifications", Effect: allow, Principal: map[string][]string{"Service": {notifier}},
		Action: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: []string{"*"},
		Condition: Condition{"StringEquals": {"kms:ViaService": {via("sns", region)}}},
	})
}

// notifier is the service principal of notification rules.
const notifier = "codestar-notifications.amazonaws.com"

// via names a service for the condition kms:ViaService.
func via(service, region string) string { return service + "." + region + ".amazonaws.com" }

// deployRoles returns the patterns of the roles that deploy in accounts.
func deployRoles(c *config.Config, accounts []*config.Account) []string {
	var arns []string
	for _, a := range accounts {
		arns = append(arns, c.DeployRoleARN(a, "*"))
	}
	return arns
}

// Bucket returns the bucket policy apart from the TLS rule: deny encryption with other
// keys (an object without a setting is encrypted with the key), deny principals of other
// organisations, and let the deploy roles of target accounts read.
func Bucket(c *config.Config, bucketARN, keyARN string) Document {
	objects := bucketARN + "/*"
	everyone := map[string][]string{"AWS": {"*"}}
	document := Document{{
		Sid: "DenyOtherKeys", Effect: deny, Principal: everyone,
		Action: []string{"s3:PutObject"}, Resource: []string{objects},
		Condition: Condition{
			"Null":            {"s3:x-amz-server-side-encryption": {"false"}},
			"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": {keyARN}},
		},
	}}
	if c.OrganizationID != "" {
		document = append(document, Statement{
			Sid: "DenyOtherOrganizations", Effect: deny, Principal: everyone,
			Action: []string{"s3:*"}, Resource: []string{bucketARN, objects},
			Condition: Condition{
				"StringNotEquals": {"aws:PrincipalOrgID": {c.OrganizationID}},
				"BoolIfExists":    {"aws:PrincipalIsAWSService": {"false"}},
			},
		})
	}
	if accounts := others(c); len(accounts) > 0 {
		document = append(document, Statement{
			Sid: "ReadArtifacts", Effect: allow, Principal: roots(c, accounts...),
			Action: readArtifacts, Resource: []string{bucketARN, objects},
			Condition: within(c, Condition{"ArnLike": {"aws:PrincipalArn": deployRoles(c, accounts)}}),
		})
	}
	return document
}

var readArtifacts = []string{
	"s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket",
}

// Repository lets the target accounts pull images; without any the document has no
// statement, and the repository needs no policy.
func Repository(c *config.Config) Document {
	accounts := others(c)
	if len(accounts) == 0 {
		return nil
	}
	return Document{{
		Sid: "Pull", Effect: allow, Principal: roots(c, accounts...),
		Action:    []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		Condition: within(c, nil),
	}}
}

// Topic returns the policy of a topic apart from the TLS rule: notification rules of
// this account may publish. Roles of the account need no statement.
func Topic(c *config.Config, topicARN string) Document {
	return Document{{
		Sid: "PublishNotifications", Effect: allow, Principal: map[string][]string{"Service": {notifier}},
		Action: []string{"sns:Publish"}, Resource: []string{topicARN},
		Condition: Condition{"StringEquals": {"aws:SourceAccount": {c.Tooling.Account.ID}}},
	}}
}
