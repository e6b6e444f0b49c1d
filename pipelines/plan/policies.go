package plan

import (
	"maps"
	"slices"
	"strings"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// Policy is a policy that grows with the configuration, and its deployed size.
type Policy struct {
	Quota
	// Of is the owner of the policy, and Account its account.
	Of, Account string
	Bytes       int
}

// policies measures the policies that grow. If many accounts have one each, the largest
// stands for all.
func (p *Plan) policies() {
	c := p.config
	tooling := c.Tooling.Account
	add := func(q Quota, of string, a *config.Account, d policy.Document) {
		if len(d) == 0 {
			return
		}
		p.Policies = append(p.Policies, Policy{q, of, a.Name, d.Size()})
	}
	add(keyBytes, "key of artifacts", tooling, policy.Key(c, c.Tooling.Region))
	add(bucketBytes, "bucket of artifacts", tooling, bucketPolicy(c))
	add(repositoryBytes, "image repositories", tooling, policy.Repository(c))
	add(inlineBytes, "role of the CD pipeline", tooling, p.cdRole())
	add(inlineBytes, "role of the changes builds", tooling, p.changesRole())
	for _, group := range groups(c) {
		add(inlineBytes, "role that starts the pipelines of "+group, tooling, startRole(c, group))
	}
	for _, a := range c.RolesAccounts() {
		for _, document := range slices.SortedFunc(maps.Values(policy.Execution(c, a)), larger)[:1] {
			add(managedBytes, "CloudFormation's policies", a, document)
		}
		if a.Roles.PermissionsBoundary == "" {
			add(managedBytes, "permissions boundary", a, policy.Boundary(c, a))
		}
		if a.Roles.Type == config.Managed {
			add(inlineBytes, "deploy role", a, policy.Deploy(c, a))
			add(trustBytes, "deploy role", a, policy.DeployTrust(c, a))
		}
		if len(c.StageIDs(a)) > 0 {
			add(inlineBytes, "review role", a, policy.Review(c, a))
		}
	}
	for _, policy := range p.Policies {
		p.use(policy.Quota, policy.Account+", "+policy.Of, policy.Bytes, "Accounts")
	}
}

func larger(a, b policy.Document) int { return b.Size() - a.Size() }

// Identifiers that AWS makes, as long as they can be.
var (
	keyID    = "mrk-" + strings.Repeat("0", 32)
	roleName = strings.Repeat("x", 64)
)

func bucketPolicy(c *config.Config) policy.Document {
	bucket := "arn:" + c.Partition() + ":s3:::" + c.ArtifactBucket()
	both := []string{bucket, bucket + "/*"}
	everyone := map[string][]string{"AWS": {"*"}}
	return append(policy.Bucket(c, bucket, keyARN(c, c.Tooling.Region)),
		policy.Statement{Effect: "Deny", Principal: everyone, Action: []string{"s3:*"}, Resource: both, Condition: policy.Condition{"Bool": {"aws:SecureTransport": {"false"}}}},
		policy.Statement{Effect: "Deny", Principal: everyone, Action: []string{"s3:*"}, Resource: both, Condition: policy.Condition{"NumericLessThan": {"s3:TlsVersion": {"1.2"}}}},
	)
}

func keyARN(c *config.Config, region string) string {
	return c.ARN("kms", region, c.Tooling.Account, "key/"+keyID)
}

// Rights on artifacts as the CDK grants them.
var (
	readObjects  = []string{"s3:GetBucket*", "s3:GetObject*", "s3:List*"}
	writeObjects = []string{
		"s3:Abort*", "s3:DeleteObject*", "s3:PutObject", "s3:PutObjectLegalHold", "s3:PutObjectRetention",
		"s3:PutObjectTagging", "s3:PutObjectVersionTagging",
	}
	useKey = []string{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
)

// artifacts permits actions on the artifacts of the regions.
func artifacts(c *config.Config, actions []string, regions ...string) policy.Document {
	var objects, keys []string
	for _, region := range regions {
		bucket := "arn:" + c.Partition() + ":s3:::" + c.ArtifactBucketIn(region)
		objects, keys = append(objects, bucket, bucket+"/*"), append(keys, keyARN(c, region))
	}
	return policy.Document{allow(actions, objects...), allow(useKey, keys...)}
}

func allow(actions []string, resources ...string) policy.Statement {
	return policy.Statement{Effect: "Allow", Action: actions, Resource: resources}
}

// cdRole returns the policy of the CD pipeline's role: artifacts, and the roles of its
// actions, which are one for each source, approval and test, and one for all other
// builds.
func (p *Plan) cdRole() policy.Document {
	c := p.config
	own := p.actionRoles(p.cdPipeline())
	var roles []string
	for range own {
		roles = append(roles, c.ARN("iam", "", c.Tooling.Account, "role/"+roleName))
	}
	targets := map[string]bool{}
	for _, e := range c.Environments {
		for _, t := range e.Targets() {
			targets[c.DeployRoleARN(t.Account, t.Region)] = true
			if e.Bake != nil { // to read the alarms
				targets[c.ReviewRoleARN(t.Account)] = true
			}
		}
	}
	regions := append([]string{c.Tooling.Region}, c.OtherRegions()...)
	return append(artifacts(c, slices.Concat(readObjects, writeObjects), regions...),
		allow([]string{"sts:AssumeRole"}, append(roles, slices.Sorted(maps.Keys(targets))...)...))
}

// changesRole returns the policy of the builds that report what a release changes.
func (p *Plan) changesRole() policy.Document {
	c := p.config
	reviewed := c.ReviewRoleARNs()
	if len(reviewed) == 0 {
		return nil
	}
	arn := func(service, resource string) string {
		return c.ARN(service, c.Tooling.Region, c.Tooling.Account, resource)
	}
	bucket, pipeline := "arn:"+c.Partition()+":s3:::"+c.ArtifactBucket()+"/", c.CDPipeline()
	const folder = 20 // characters of a pipeline's name, which name the folder of its artifacts
	document := policy.Document{
		allow([]string{"s3:GetObject", "s3:GetObjectVersion"}, bucket+pipeline[:min(len(pipeline), folder)]+"/*", bucket+config.Composer),
		allow([]string{"kms:Decrypt", "kms:GenerateDataKey"}, keyARN(c, c.Tooling.Region)),
		allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, arn("logs", "log-group:"+c.Name+"-cd-ChangesLogs-XXXXXXXXXXXX:*")), // as CloudFormation names it
		allow([]string{"codepipeline:GetPipelineState"}, arn("codepipeline", pipeline)),
		allow([]string{"sts:AssumeRole"}, reviewed...),
	}
	for i, sid := range []string{"ReadArtifacts", "UseKey", "WriteLogs", "ReadState", "ReadTargets"} {
		document[i].Sid = sid
	}
	document[1].Condition = policy.Condition{"StringEquals": {"kms:ViaService": {"s3." + c.Tooling.Region + ".amazonaws.com"}}}
	return document
}

// startRole returns the policy of the role with which events start the pipelines of a
// group.
func startRole(c *config.Config, group string) policy.Document {
	start := allow([]string{"codepipeline:StartPipelineExecution"})
	start.Sid = "StartPipelines"
	for _, app := range c.Apps {
		if app.Group != group {
			continue
		}
		start.Resource = append(start.Resource, c.ARN("codepipeline", c.Tooling.Region, c.Tooling.Account, app.CIPipeline()))
		if otherBranches(app) {
			start.Resource = append(start.Resource, c.ARN("codepipeline", c.Tooling.Region, c.Tooling.Account, app.BranchPipeline()))
		}
	}
	return policy.Document{start}
}
