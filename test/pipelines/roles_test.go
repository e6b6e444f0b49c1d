//go:build !race

package pipelines

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/load"
	"composecdk/pipelines"
	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// everyRoleType is the blueprint with managed roles in dev, bootstrap roles in prod,
// and a third account whose roles are given.
const everyRoleType = `
Name: shop
OrganizationId: o-abc1234567
Tooling: {Account: shared, Region: eu-west-1}
Accounts:
  shared: {Id: "111111111111"}
  dev: {Id: "222222222222", AvailabilityZones: [eu-west-1a, eu-west-1b], Roles: managed}
  prod: {Id: "333333333333", AvailabilityZones: [eu-west-1a, eu-west-1b], Roles: bootstrap}
  partner:
    Id: "444444444444"
    AvailabilityZones: [eu-west-1a, eu-west-1b]
    Roles:
      DeployRoleArn: arn:aws:iam::444444444444:role/theirs/deploy
      ExecutionRoleArn: arn:aws:iam::444444444444:role/theirs/cloudformation
Compose: {Source: {CodeCommit: {Repository: shop-compose, Branch: main}}, Files: [compose.yaml]}
Apps:
  web: {Service: web, Source: {CodeCommit: {Repository: shop-web}}}
Environments:
  - {Name: throwaway, Type: ephemeral, Target: {Account: dev}, Vpc: {Create: {Cidr: 10.99.0.0/16, NatGateways: 1}}}
  - Name: production
    Type: permanent
    Targets: [{Account: prod}, {Account: partner}]
    Vpc: {Create: {Cidr: 10.98.0.0/16, NatGateways: 1}}
    Approval: {Required: true}
`

// released synthesises pipelines as the program does, and returns the folder of the
// assembly.
func released(t *testing.T, text string) (*config.Config, string) {
	t.Helper()
	composeFile := fixture.Write(t, shop)
	file := filepath.Join(filepath.Dir(composeFile), "pipeline.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, found := config.Load(config.Options{File: file})
	if c == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	release, found := pipelines.Read(c, "", load.Options{})
	if release == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	dir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, AnalyticsReporting: jsii.Bool(false)})
	if err := pipelines.New(app, release.Props(nil)); err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	return c, dir
}

func templateOf(t *testing.T, dir, stack string) template {
	t.Helper()
	tm, err := assembly.Read(filepath.Join(dir, stack+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	tm.T = t
	return tm
}

// TestDeployRoles: every action of CloudFormation acts with the roles of its target,
// whatever type they are of, and the pipeline may assume exactly those.
func TestDeployRoles(t *testing.T) {
	c, dir := released(t, everyRoleType)
	cd := templateOf(t, dir, "Cd")
	deployed := map[string]int{}
	for _, stage := range list(cd.One("AWS::CodePipeline::Pipeline")["Stages"]) {
		for _, action := range list(at(stage, "Actions")) {
			if at(action, "ActionTypeId", "Provider") != "CloudFormation" {
				continue
			}
			name, _ := at(action, "Configuration", "StackName").(string)
			target := targetOf(t, c, name)
			deployed[target.Account.Name]++
			equal(t, name+": the role of the action", joined(at(action, "RoleArn")), c.DeployRoleARN(target.Account, target.Region))
			if at(action, "Configuration", "ActionMode") == "CHANGE_SET_EXECUTE" {
				continue // with the role that the change set was made with
			}
			equal(t, name+": the role of CloudFormation", joined(at(action, "Configuration", "RoleArn")), c.ExecutionRoleARN(target.Account, target.Region))
		}
	}
	for _, account := range []string{"dev", "prod", "partner"} {
		if deployed[account] == 0 {
			t.Errorf("nothing is deployed to %s", account)
		}
	}
}

// targetOf returns where a stack is deployed to.
func targetOf(t *testing.T, c *config.Config, stack string) config.Target {
	t.Helper()
	for _, e := range c.Environments {
		for _, target := range e.Targets() {
			if strings.HasPrefix(stack, c.StageID(e, target)+"-") {
				return target
			}
		}
	}
	t.Fatalf("stack %q belongs to no target", stack)
	return config.Target{}
}

// TestRolesStacks: the roles stack of an account has the roles of its type, with the
// documents of package policy, and fits without a bootstrap stack.
func TestRolesStacks(t *testing.T) {
	c, dir := released(t, everyRoleType)
	want := map[string][]string{
		"dev":    {c.DeployRole(), c.ExecutionRole(), c.ReviewRole()},
		"prod":   {c.ProtectRole(), c.ReviewRole()},
		"shared": nil,
	}
	for _, a := range c.RolesAccounts() {
		tm := templateOf(t, dir, "Roles-"+a.Name)
		roles := map[string]map[string]any{}
		for _, r := range tm.Of("AWS::IAM::Role") {
			properties := r["Properties"].(map[string]any)
			roles[properties["RoleName"].(string)] = properties
		}
		if len(roles) != len(want[a.Name]) {
			t.Errorf("%s has %d roles, want %v", a.Name, len(roles), want[a.Name])
		}
		trusts := map[string]policy.Document{
			c.DeployRole(): policy.DeployTrust(c, a), c.ExecutionRole(): policy.ExecutionTrust(a), c.ReviewRole(): policy.ReviewTrust(c, a),
			c.ProtectRole(): policy.ProtectTrust(c),
		}
		for _, name := range want[a.Name] {
			equal(t, a.Name+": trust of "+name, roles[name]["AssumeRolePolicyDocument"], trusts[name].Map())
		}
		if a.Roles.Type == config.Managed {
			equal(t, "deploy", at(roles[c.DeployRole()], "Policies", 0, "PolicyDocument"), policy.Deploy(c, a).Map())
			equal(t, "boundary", roles[c.ExecutionRole()]["PermissionsBoundary"], "arn:aws:iam::"+a.ID+":policy/"+c.Boundary(a))
			equal(t, "policies of CloudFormation", len(list(roles[c.ExecutionRole()]["ManagedPolicyArns"])), len(c.ExecutionPolicies(a)))
		}
		documents := map[string]policy.Document{c.Boundary(a): policy.Boundary(c, a)}
		for name, document := range policy.Execution(c, a) {
			documents[c.ExecutionPolicy(name)] = document
		}
		managed := tm.Of("AWS::IAM::ManagedPolicy")
		equal(t, a.Name+": policies", len(managed), len(documents))
		for _, m := range managed {
			name := at(m, "Properties", "ManagedPolicyName").(string)
			equal(t, name, at(m, "Properties", "PolicyDocument"), documents[name].Map())
		}
		// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
		if len(tm.Text) > 51_200 || strings.Contains(tm.Text, "cdk-bootstrap") {
			t.Errorf("%s: %d bytes, which must do without a bucket and a bootstrap stack", a.Name, len(tm.Text))
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "Roles-partner.template.json")); err == nil {
		t.Error("there is a stack for roles that are given")
	}
}

// iamPrefix is how IAM names a service of CloudFormation, where that is not its name
// in small letters.
var iamPrefix = map[string]string{
	"ApplicationAutoScaling": "application-autoscaling", "CodeStarNotifications": "codestar-notifications",
	"EFS": "elasticfilesystem", "ElasticLoadBalancingV2": "elasticloadbalancing", "StepFunctions": "states",
}

// TestCloudFormationMayDoIt: the CloudFormation role of each account may make what the
// stacks there are made of; each role that they make has the boundary, a name that the
// role may touch, and is passed to a service that it may be passed to.
func TestCloudFormationMayDoIt(t *testing.T) {
	c, dir := released(t, everyRoleType)
	judged := map[string]int{}
	for _, file := range templateFiles(t, dir) {
		tm, err := assembly.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".template.json")
		if strings.HasPrefix(name, "Roles-") {
			continue
		}
		account, stack := c.Tooling.Account, c.Name+"-"+strings.ToLower(strings.TrimPrefix(name, "Tooling"))
		for _, e := range c.Environments {
			for _, target := range e.Targets() {
				if strings.HasPrefix(name, strings.ReplaceAll(c.StageID(e, target), "-", "")) {
					account, stack = target.Account, c.StageID(e, target)+"-"
				}
			}
		}
		if account.Roles.Type == config.Given {
			continue
		}
		documents := policy.Execution(c, account)
		may := text(documents)
		for id, r := range tm.Resources {
			kind := strings.Split(at(r, "Type").(string), "::")
			if len(kind) != 3 || kind[0] != "AWS" || kind[1] == "CDK" || kind[1] == "CloudFormation" {
				continue
			}
			judged[account.Name]++
			if kind[1] == "IAM" {
				if kind[2] == "Role" {
					roleMayBeMade(t, c, account, stack, at(r, "Properties"), documents[config.RolesPolicy])
				} else if kind[2] != "Policy" {
					t.Errorf("%s: %s is of %v, which CloudFormation may not make", name, id, kind)
				}
				continue
			}
			if service := cmp.Or(iamPrefix[kind[1]], strings.ToLower(kind[1])); !strings.Contains(may, `"`+service+":") {
				t.Errorf("%s: %s is of %v, and CloudFormation may do nothing with %s in %s", name, id, kind, service, account.Name)
			}
		}
	}
	for _, name := range []string{"shared", "dev", "prod"} {
		if judged[name] < 10 {
			t.Errorf("%d resources were judged in %s", judged[name], name)
		}
	}
}

// roleMayBeMade holds a role of a stack against what CloudFormation may do with roles.
func roleMayBeMade(t *testing.T, c *config.Config, a *config.Account, stack string, role any, document policy.Document) {
	t.Helper()
	equal(t, stack+": boundary", joined(at(role, "PermissionsBoundary")), "arn:aws:iam::"+a.ID+":policy/"+c.Boundary(a))
	name, _ := at(role, "RoleName").(string)
	arn := "arn:aws:iam::" + a.ID + ":role/" + cmp.Or(name, stack)
	named := false
	for _, pattern := range document[0].Resource {
		named = named || strings.HasPrefix(arn, strings.TrimSuffix(pattern, "*"))
	}
	if !named {
		t.Errorf("%s: CloudFormation may make %v, which %s is not", stack, document[0].Resource, arn)
	}
	for _, s := range list(at(role, "AssumeRolePolicyDocument", "Statement")) {
		for _, service := range list(at(s, "Principal", "Service")) {
			if passed := text(document); !strings.Contains(passed, text(service)) {
				t.Errorf("%s: a role is for %v, to which CloudFormation may pass none: %s", stack, service, passed)
			}
		}
	}
}

// templateFiles returns the templates of an assembly and of those in it.
func templateFiles(t *testing.T, dir string) []string {
	t.Helper()
	own, err := filepath.Glob(filepath.Join(dir, "*.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	nested, err := filepath.Glob(filepath.Join(dir, "assembly-*", "*.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	return append(own, nested...)
}

// TestImportedArtifacts: what a pipeline is granted on the shared bucket, key and
// topics stands in the policies of its roles: no stack but the shared one has a key, a
// bucket or the policy of one.
func TestImportedArtifacts(t *testing.T) {
	_, dir := released(t, everyRoleType)
	for _, stack := range []string{"Cd", "Platform"} {
		tm := templateOf(t, dir, stack)
		for _, kind := range []string{"AWS::KMS::Key", "AWS::KMS::Alias", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"} {
			tm.Count(kind, 0)
		}
		decrypts := 0
		for _, p := range tm.Of("AWS::IAM::Policy") {
			if rights := text(at(p, "Properties", "PolicyDocument")); strings.Contains(rights, "sns:Publish") && !strings.Contains(rights, "kms:GenerateDataKey") {
				t.Errorf("%s: who publishes to an encrypted topic may not use its key: %s", stack, rights)
			}
			for _, s := range list(at(p, "Properties", "PolicyDocument", "Statement")) {
				if strings.Contains(text(at(s, "Action")), "kms:Decrypt") {
					decrypts++
					contains(t, "key", at(s, "Resource"), "cicdsharedkmsarn")
				}
			}
		}
		if decrypts == 0 {
			t.Errorf("%s: no role may decrypt artifacts", stack)
		}
	}
}
