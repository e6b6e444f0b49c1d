//go:build !race

package pipelines

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"composecdk/pipelines/config"
	"composecdk/test/iam"
)

// chain collects the questions about the pipelines of a pipeline.yaml.
type chain struct {
	iam.Inquiry
	config *config.Config
	roles  []chainRole
}

// chainRole is a role of a template, or of a bootstrap stack.
type chainRole struct {
	arn, account string
	// who is its index among the principals, trust who may assume it.
	who   int
	trust any
	// stack is the path of its stack; "" for roles of bootstrap stacks.
	stack string
	// bootstrapped says that it trusts all of the tooling account: the CDK's own.
	bootstrapped bool
}

// TestPipelineClosure lets an IAM simulator decide, on all policies of the pipelines
// as they are once deployed, who may do what across the accounts: of all roles of
// all templates, administrators and strangers, each with each. Each template that is
// changed to allow too much or too little must be found.
func TestPipelineClosure(t *testing.T) {
	var all []*iam.Inquiry
	for _, d := range deliveredCases(t) {
		all = append(all, askChain(t, d))
	}
	cases := len(all)
	asked := map[string]bool{}
	for _, c := range all {
		c.Drop(func(key string) bool { asked[key] = true; return false })
	}
	for _, m := range chainMutants {
		c := askChain(t, m.of(t))
		c.Drop(func(key string) bool { return asked[key] })
		all = append(all, c)
	}
	given := iam.Decide(t, all)
	allowed, denied := 0, 0
	for _, c := range all[:cases] {
		for _, problem := range c.Problems(given[c]) {
			t.Error(problem)
		}
		for _, a := range given[c] {
			allowed, denied = allowed+len(a.Allowed), denied+len(a.Asked)-len(a.Allowed)
		}
	}
	caught := 0
	for i, m := range chainMutants {
		c := all[cases+i]
		if len(c.Problems(given[c])) == 0 {
			t.Errorf("not found: %s", m.name)
			continue
		}
		caught++
	}
	if allowed == 0 || denied == 0 {
		t.Error("nothing was simulated")
	}
	t.Logf("simulations: %d allowed, %d denied; mutants: %d of %d found", allowed, denied, caught, len(chainMutants))
}

// askChain makes the questions about a case.
func askChain(t *testing.T, d *delivered) *iam.Inquiry {
	t.Helper()
	c := &chain{config: d.config}
	c.Resolver = iam.Resolver{T: t, Name: d.name, Stacks: map[string]iam.Stack{}}
	paths := map[string]string{}
	for _, s := range d.stacks {
		if s.application {
			continue
		}
		var parsed iam.Stack
		if err := json.Unmarshal([]byte(s.template.Text), &parsed); err != nil {
			t.Fatal(err)
		}
		parsed.Account, parsed.Region = s.account, s.region
		name := s.name
		if s.account != d.config.Tooling.Account.ID {
			name += "-" + s.account // names of stacks are unique in an account only
		}
		c.Stacks[name], paths[name] = parsed, s.path
	}
	c.findRoles(paths)
	c.askAssume()
	c.askRepositories()
	c.askCommits()
	c.askArtifacts()
	c.askDeploy()
	c.askExecution()
	c.askServices()
	return &c.Inquiry
}

// findRoles finds the roles of the templates, and the ones that bootstrap stacks have in the
// accounts that use them.
func (c *chain) findRoles(paths map[string]string) {
	for _, p := range c.All("AWS::IAM::Role") {
		properties := c.Properties(p)
		account, _ := c.Where(p.Stack)
		policies, boundary := c.held(p)
		who := c.Who(c.ARN(p), policies...)
		c.Principals[who].Boundary = boundary
		c.roles = append(c.roles, chainRole{
			arn: c.ARN(p), account: account, who: who, trust: properties["AssumeRolePolicyDocument"], stack: paths[p.Stack],
		})
	}
	for _, a := range c.config.TargetAccounts() {
		if a.Roles.Type != config.Bootstrap {
			continue
		}
		for _, region := range c.config.Regions(a) {
			arn := c.config.DeployRoleARN(a, region)
			c.roles = append(c.roles, chainRole{arn: arn, account: a.ID, who: c.Who(arn, iam.Everything), bootstrapped: true, trust: iam.Document(map[string]any{
				"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"AWS": []any{root(a.ID), root(iam.HomeAccount)}},
			})})
		}
	}
}

func root(account string) string { return "arn:aws:iam::" + account + ":root" }

// held returns the policies of a role: its own, those that are attached from either
// side, and its boundary.
func (c *chain) held(p iam.Placed) (policies []any, boundary any) {
	properties := c.Properties(p)
	for _, inline := range list(properties["Policies"]) {
		policies = append(policies, at(inline, "PolicyDocument"))
	}
	managed := map[string]any{}
	account, _ := c.Where(p.Stack)
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"} {
		for _, q := range c.All(kind) {
			document := c.Properties(q)["PolicyDocument"]
			if kind == "AWS::IAM::ManagedPolicy" {
				managed[c.ARN(q)] = document
			}
			in, _ := c.Where(q.Stack)
			if in == account && slices.Contains(list(c.Properties(q)["Roles"]), any(c.Physical(p))) {
				policies = append(policies, document)
			}
		}
	}
	for _, arn := range list(properties["ManagedPolicyArns"]) {
		attached, ok := managed[fmt.Sprint(arn)]
		if !ok {
			c.T.Fatalf("%s: %s has the policy %v, which no template has", c.Name, c.ARN(p), arn)
		}
		policies = append(policies, attached)
	}
	if arn, ok := properties["PermissionsBoundary"].(string); ok {
		boundary = managed[arn]
	}
	return policies, boundary
}

// ask adds a question.
func (c *chain) ask(q iam.Question) {
	if q.Account == "" {
		q.Account = cmp.Or(strings.Split(q.Resource, ":")[4], iam.HomeAccount)
	}
	if q.Context == nil {
		q.Context = map[string]any{}
	}
	q.About += ": " + c.Principals[q.Principal].ARN
	c.Questions = append(c.Questions, q)
}

// as returns the context of a request of a principal in the organisation, or outside.
func (c *chain) as(arn, organization string, more map[string]any) map[string]any {
	context := map[string]any{
		"aws:PrincipalArn": arn, "aws:PrincipalOrgID": organization, "aws:PrincipalAccount": strings.Split(arn, ":")[4],
		"aws:SecureTransport": "true", "aws:PrincipalIsAWSService": "false",
	}
	maps.Copy(context, more)
	return context
}

// elsewhere is another organisation.
const elsewhere = "o-elsewhere0"

// outsiders returns a stranger with all rights in his account, and an administrator of
// each account.
func (c *chain) outsiders() map[string]int {
	found := map[string]int{iam.Stranger: c.Who(iam.Stranger, iam.Everything)}
	for _, a := range c.config.Accounts {
		arn := "arn:aws:iam::" + a.ID + ":role/administrator"
		found[arn] = c.Who(arn, iam.Everything)
	}
	return found
}

func (c *chain) organization(arn string) string {
	if arn == iam.Stranger {
		return elsewhere
	}
	return c.config.OrganizationID
}

// askAssume asks of each role who may assume it: of all roles of all templates, the
// administrators and a stranger. A deploy role is for the CD pipeline, and where
// there is an ephemeral environment for the janitor; a review role is for the builds
// that tell what changes; a protect role for those that protect; the role of an action is for its pipeline; all others are
// for services only.
func (c *chain) askAssume() {
	outsiders := c.outsiders()
	for _, target := range c.roles {
		for _, p := range c.roles {
			if !p.bootstrapped {
				c.askOneAssume(target, p.arn, p.who, slices.Contains(c.mayAssume(target), p.arn))
			}
		}
		for _, arn := range slices.Sorted(maps.Keys(outsiders)) {
			own := target.bootstrapped && slices.Contains([]string{target.account, iam.HomeAccount}, strings.Split(arn, ":")[4])
			c.askOneAssume(target, arn, outsiders[arn], own)
		}
	}
}

func (c *chain) askOneAssume(target chainRole, arn string, who int, may bool) {
	q := iam.Question{
		Principal: who, Resource: target.arn, Policy: target.trust, Services: []string{"sts"}, About: "assume", Matters: "^sts:Assume",
		Context: c.as(arn, c.organization(arn), nil),
	}
	if may {
		q.Want = []string{"sts:AssumeRole"}
	}
	c.ask(q)
}

// mayAssume returns the roles of templates that may assume a role.
func (c *chain) mayAssume(target chainRole) []string {
	named := func(name string) string { return c.config.ARN("iam", "", c.config.Tooling.Account, "role/"+name) }
	for _, a := range c.config.TargetAccounts() {
		if target.account == a.ID && strings.HasSuffix(target.arn, "/"+c.config.DeployRole()) || target.bootstrapped && target.account == a.ID {
			may := []string{named(c.config.CDRole())}
			if c.config.HasEphemeral(a) {
				may = append(may, named(c.config.JanitorRole()))
			}
			return may
		}
	}
	switch {
	case strings.HasSuffix(target.arn, "/"+c.config.ReviewRole()):
		return c.mayReview(c.account(target.account))
	case strings.HasSuffix(target.arn, "/"+c.config.ProtectRole()):
		return []string{named(c.config.ProtectionRole())}
	case strings.Contains(target.arn, "ActionRole") && target.stack == "Cd":
		return []string{named(c.config.CDRole())}
	case strings.Contains(target.arn, "ActionRole") && target.stack == "Platform":
		return []string{named(c.config.Name + "-platform-pipeline")}
	default:
		return nil
	}
}

// mayReview returns the roles that look at what is deployed in an account: there where
// something stays, and alarms hold the pipeline back.
func (c *chain) mayReview(a *config.Account) (may []string) {
	for _, e := range c.config.Environments {
		there := slices.ContainsFunc(e.Targets(), func(t config.Target) bool { return t.Account == a })
		if there && e.Approval != nil {
			may = append(may, c.config.ARN("iam", "", c.config.Tooling.Account, "role/"+c.config.ChangesRole()))
		}
	}
	if c.config.Bakes(a) {
		may = append(may, c.config.CDRoleARN())
	}
	return may
}

// ofECR are the actions that change a repository of images or what is in it.
const ofECR = `^ecr:(Put|Initiate|Upload|Complete|BatchDelete|Delete|Set|Start|Tag|Untag|Create|Update)`

// askRepositories asks who may push to each repository: the build of its own
// application only. The target accounts may pull, and nothing else.
func (c *chain) askRepositories() {
	builds := map[string]string{} // by repository
	for _, p := range c.All("AWS::CodeBuild::Project") {
		properties := c.Properties(p)
		for _, app := range c.config.Apps {
			if properties["Name"] == app.CIPipeline() {
				builds[app.Repository.Name] = fmt.Sprint(properties["ServiceRole"])
			}
		}
	}
	targets := c.outsiders()
	for _, p := range c.All("AWS::ECR::Repository") {
		repository, policy := c.ARN(p), anywhere(c.Properties(p)["RepositoryPolicyText"])
		own := builds[c.Physical(p)]
		if own == "" {
			c.T.Errorf("%s: no project builds for %s", c.Name, repository)
		}
		for _, r := range c.roles {
			if r.account != iam.HomeAccount {
				continue
			}
			q := iam.Question{Principal: r.who, Resource: repository, Policy: policy, Services: []string{"ecr"}, Context: c.as(r.arn, c.config.OrganizationID, nil), About: "push", Matters: ofECR}
			if r.arn == own {
				q.Want = []string{"ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"}
			}
			c.ask(q)
		}
		for _, arn := range slices.Sorted(maps.Keys(targets)) {
			account := strings.Split(arn, ":")[4]
			if account == iam.HomeAccount {
				continue
			}
			pull := iam.Question{Principal: targets[arn], Resource: repository, Policy: policy, Services: []string{"ecr"}, Context: c.as(arn, c.organization(arn), nil), About: "pull"}
			if slices.ContainsFunc(c.config.TargetAccounts(), func(a *config.Account) bool { return a.ID == account }) {
				pull.Want = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
			}
			c.ask(pull)
			pull.Want, pull.About, pull.Context = nil, "pull from another organisation", c.as(arn, elsewhere, nil)
			c.ask(pull)
		}
	}
}

// anywhere returns a policy of a repository with the resource that ECR leaves out.
func anywhere(policy any) any {
	if policy == nil {
		return nil
	}
	var statements []any
	for _, s := range list(at(policy, "Statement")) {
		whole := maps.Clone(s.(map[string]any))
		whole["Resource"] = "*"
		statements = append(statements, whole)
	}
	return iam.Document(statements...)
}

// ofCodeCommit are the actions that change a repository of CodeCommit.
const ofCodeCommit = `^codecommit:(GitPush|Create|Delete|Put|Merge|Update|Override|Post)`

// askCommits asks who may change the compose and the platform repository: the merge
// project the one branch of the compose files, and nobody anything else.
func (c *chain) askCommits() {
	compose := c.config.Compose.Source
	merge := ""
	for _, p := range c.All("AWS::CodeBuild::Project") {
		if properties := c.Properties(p); properties["Name"] == c.config.MergeProject() {
			merge = fmt.Sprint(properties["ServiceRole"])
		}
	}
	if merge == "" {
		c.T.Errorf("%s: there is no merge project", c.Name)
	}
	for _, r := range c.roles {
		if r.account != iam.HomeAccount {
			continue
		}
		for _, source := range []config.Source{compose, c.config.Tooling.Source} {
			if source.Provider != config.CodeCommit {
				continue
			}
			repository := c.config.ARN("codecommit", c.config.Tooling.Region, c.config.Tooling.Account, source.Repository)
			for _, ref := range []string{"refs/heads/" + source.Branch, "refs/heads/other", "refs/tags/v1"} {
				q := iam.Question{
					Principal: r.who, Resource: repository, Services: []string{"codecommit"}, About: "push " + ref, Matters: ofCodeCommit,
					Context: c.as(r.arn, c.config.OrganizationID, map[string]any{"codecommit:References": []string{ref}}),
				}
				if r.arn == merge && source.Same(compose) && ref == "refs/heads/"+compose.Branch {
					q.Want = []string{"codecommit:GitPush"}
				}
				c.ask(q)
			}
		}
	}
}

// askArtifacts asks what principals of other accounts may do with artifacts and their
// key: the deploy roles of target accounts read and decrypt through S3 only.
func (c *chain) askArtifacts() {
	policies := map[string]any{}
	for _, p := range c.All("AWS::S3::BucketPolicy") {
		policies[fmt.Sprint(c.Properties(p)["Bucket"])] = c.Properties(p)["PolicyDocument"]
	}
	keys := append(c.All("AWS::KMS::Key"), c.All("AWS::KMS::ReplicaKey")...)
	for _, key := range keys {
		_, region := c.Where(key.Stack)
		bucket := c.config.ArtifactBucketIn(region)
		if policies[bucket] == nil {
			c.T.Errorf("%s: bucket %s has no policy", c.Name, bucket)
		}
		for _, a := range c.config.TargetAccounts() {
			if a == c.config.Tooling.Account {
				continue
			}
			c.askArtifactsOf(c.config.DeployRoleARN(a, region), region, bucket, policies[bucket], c.ARN(key), c.Properties(key)["KeyPolicy"], true)
			c.askArtifactsOf("arn:aws:iam::"+a.ID+":role/administrator", region, bucket, policies[bucket], c.ARN(key), c.Properties(key)["KeyPolicy"], false)
		}
		c.askArtifactsOf(iam.Stranger, region, bucket, policies[bucket], c.ARN(key), c.Properties(key)["KeyPolicy"], false)
	}
}

func (c *chain) askArtifactsOf(arn, region, bucket string, bucketPolicy any, key string, keyPolicy any, reads bool) {
	who := c.Who(arn, iam.Everything)
	objects := iam.Question{
		Principal: who, Resource: "arn:aws:s3:::" + bucket + "/cd/artifact", Account: iam.HomeAccount, Policy: bucketPolicy,
		Services: []string{"s3"}, About: "artifacts", Context: c.as(arn, c.organization(arn), map[string]any{"s3:TlsVersion": "1.3"}),
	}
	key3 := iam.Question{
		Principal: who, Resource: key, Policy: keyPolicy, Services: []string{"kms"}, About: "the key through S3",
		Context: c.as(arn, c.organization(arn), map[string]any{"kms:ViaService": "s3." + region + ".amazonaws.com"}),
	}
	if reads {
		objects.Want = []string{"s3:GetObject", "s3:GetObjectVersion"}
		key3.Want = []string{"kms:Decrypt", "kms:DescribeKey"}
	}
	c.ask(objects)
	c.ask(key3)
	for _, change := range []struct {
		about   string
		base    iam.Question
		context map[string]any
	}{
		{"artifacts without TLS", objects, map[string]any{"s3:TlsVersion": "1.3", "aws:SecureTransport": "false"}},
		{"artifacts over an old TLS", objects, map[string]any{"s3:TlsVersion": "1.1"}},
		{"artifacts from another organisation", objects, map[string]any{"s3:TlsVersion": "1.3", "aws:PrincipalOrgID": elsewhere}},
		{"the key from another organisation", key3, map[string]any{"kms:ViaService": "s3." + region + ".amazonaws.com", "aws:PrincipalOrgID": elsewhere}},
		{"the key directly", key3, nil},
		{"the key through another service", key3, map[string]any{"kms:ViaService": "secretsmanager." + region + ".amazonaws.com"}},
	} {
		q := change.base
		q.About, q.Want, q.Context = change.about, nil, c.as(arn, c.organization(arn), change.context)
		c.ask(q)
	}
}

// ofIAM are the actions of IAM that change something, or pass a role on.
const ofIAM = `^iam:(Add|Attach|Create|Delete|Detach|Pass|Put|Remove|Set|Tag|Untag|Update|Upload)`

// askDeploy asks what a managed deploy role may do with roles of its account: pass
// the CloudFormation role to CloudFormation, and nothing else; and with stacks of
// others: nothing.
func (c *chain) askDeploy() {
	for _, r := range c.roles {
		if !strings.HasSuffix(r.arn, "/"+c.config.DeployRole()) {
			continue
		}
		for _, name := range []string{c.config.ExecutionRole(), c.config.DeployRole(), "administrator", "cdk-hnb659fds-cfn-exec-role-" + r.account + "-eu-west-1"} {
			for _, service := range []string{"cloudformation.amazonaws.com", "ec2.amazonaws.com"} {
				q := iam.Question{
					Principal: r.who, Resource: "arn:aws:iam::" + r.account + ":role/" + name, Services: []string{"iam"}, About: "pass to " + service,
					Context: c.as(r.arn, c.config.OrganizationID, map[string]any{"iam:PassedToService": service}),
				}
				if name == c.config.ExecutionRole() && service == "cloudformation.amazonaws.com" {
					q.Want = []string{"iam:PassRole"}
				}
				c.ask(q)
			}
		}
		c.ask(iam.Question{
			Principal: r.who, Resource: "arn:aws:cloudformation:" + iam.HomeRegion + ":" + r.account + ":stack/others/1", Services: []string{"cloudformation"},
			About: "stacks of others", Context: c.as(r.arn, c.config.OrganizationID, nil), Matters: `:(Create|Delete|Execute|Update|Set|Continue|Rollback)`,
		})
	}
}

// askExecution asks how far a managed CloudFormation role can go with IAM: it makes
// roles of its stacks that have the boundary, passes them to services of tasks, and
// touches nothing that holds it.
func (c *chain) askExecution() {
	for _, r := range c.roles {
		if !strings.HasSuffix(r.arn, "/"+c.config.ExecutionRole()) || c.Principals[r.who].Boundary == nil {
			continue
		}
		account := c.account(r.account)
		boundary := c.config.ARN("iam", "", account, "policy/"+c.config.Boundary(account))
		own := "arn:aws:iam::" + r.account + ":role/" + c.config.StageIDs(account)[0] + "-Services-TaskRole"
		ask := func(about, resource string, context map[string]any, want ...string) {
			c.ask(iam.Question{
				Principal: r.who, Resource: resource, Services: []string{"iam"}, About: "CloudFormation, " + about, Matters: ofIAM,
				Context: c.as(r.arn, c.config.OrganizationID, context), Want: want,
			})
		}
		keeps := []string{"iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"}
		ask("a role with the boundary", own, map[string]any{"iam:PermissionsBoundary": boundary}, append(keeps,
			"iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")...)
		ask("a role without the boundary", own, nil, keeps...)
		ask("a role with another boundary", own, map[string]any{"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}, keeps...)
		ask("passing a role to tasks", own, map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}, append(keeps, "iam:PassRole")...)
		ask("passing a role to a machine", own, map[string]any{"iam:PassedToService": "ec2.amazonaws.com"}, keeps...)
		for _, name := range []string{c.config.ExecutionRole(), c.config.DeployRole(), c.config.ReviewRole(), "cdk-hnb659fds-deploy-role-" + r.account + "-eu-west-1", "administrator"} {
			ask("another role", "arn:aws:iam::"+r.account+":role/"+name, map[string]any{"iam:PermissionsBoundary": boundary, "iam:PassedToService": "ecs-tasks.amazonaws.com"})
		}
		ask("its boundary", boundary, map[string]any{"iam:PermissionsBoundary": boundary})
		ask("a user", "arn:aws:iam::"+r.account+":user/mallory", map[string]any{"iam:PermissionsBoundary": boundary})
	}
}

func (c *chain) account(id string) *config.Account {
	i := slices.IndexFunc(c.config.Accounts, func(a *config.Account) bool { return a.ID == id })
	return c.config.Accounts[i]
}

// askServices asks for which accounts a service may take on a role that has a name:
// for its own.
func (c *chain) askServices() {
	for _, p := range c.All("AWS::IAM::Role") {
		if at(c.Properties(p), "RoleName") == nil {
			continue
		}
		for _, s := range list(at(c.Properties(p), "AssumeRolePolicyDocument", "Statement")) {
			for _, service := range list(at(s, "Principal", "Service")) {
				c.ask(iam.Question{
					Principal: c.Who(fmt.Sprint(service)), Resource: c.ARN(p), Policy: c.Properties(p)["AssumeRolePolicyDocument"], Services: []string{"sts"},
					About: "for another account", Context: map[string]any{"aws:SourceAccount": iam.StrangerAccount, "aws:SourceArn": "arn:aws:codepipeline:" + iam.HomeRegion + ":" + iam.StrangerAccount + ":any"},
				})
			}
		}
	}
}
