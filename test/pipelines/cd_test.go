//go:build !race

package pipelines

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"composecdk/pipelines/config"
	"composecdk/test/fixture"
)

// pipelineStages returns the stages of the CD pipeline by name, and their names in order.
func (d delivery) pipelineStages() (stages map[string]any, names []string) {
	stages = map[string]any{}
	for _, s := range list(d.cd.One("AWS::CodePipeline::Pipeline")["Stages"]) {
		name := at(s, "Name").(string)
		stages[name], names = s, append(names, name)
	}
	return stages, names
}

// actions returns the actions of a stage, "<run order> <name>" each, sorted.
func actions(stage any) []string {
	var all []string
	for _, a := range list(at(stage, "Actions")) {
		all = append(all, fmt.Sprintf("%02v %v", at(a, "RunOrder"), at(a, "Name")))
	}
	slices.Sort(all)
	return all
}

// action returns an action of a stage.
func action(t *testing.T, stage any, name string) any {
	t.Helper()
	for _, a := range list(at(stage, "Actions")) {
		if at(a, "Name") == name {
			return a
		}
	}
	t.Fatalf("no action %s in %v", name, actions(stage))
	return nil
}

// joined returns a text that may be joined of parts, with the partition as aws.
func joined(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	if at(v, "Ref") == "AWS::Partition" {
		return "aws"
	}
	var b strings.Builder
	for _, part := range list(at(v, "Fn::Join", 1)) {
		b.WriteString(joined(part))
	}
	return b.String()
}

// TestCD: a release goes through the ephemeral environment, is told and approved,
// and only then comes to production.
func TestCD(t *testing.T) {
	d := deliver(t, threeAccounts())
	p := d.cd.One("AWS::CodePipeline::Pipeline")
	equal(t, "the kind", []any{p["PipelineType"], p["ExecutionMode"], p["RestartExecutionOnUpdate"]}, []any{"V2", "QUEUED", true})
	stages, names := d.pipelineStages()
	equal(t, "the stages", names, []string{"Source", "Build", "UpdatePipeline", "throwaway-shop", "production-changes", "production-shop"})
	for name, want := range map[string][]string{
		"Source":             {"01 Platform", "01 Source"},
		"Build":              {"01 Synth"},
		"UpdatePipeline":     {"01 SelfMutate"},
		"throwaway-shop":     {"01 Network.Prepare", "02 Network.Deploy", "03 Services.Prepare", "04 Services.Deploy", "05 smoke", "06 Services.Delete", "07 Network.Delete"},
		"production-changes": {"01 Changes-production"},
		"production-shop":    {"01 Network.Prepare", "02 Network.Approve-production", "03 Network.Deploy", "04 Services.Prepare", "05 Services.Deploy", "06 Protect"},
	} {
		equal(t, "the actions of "+name, actions(stages[name]), want)
	}
	synth := action(t, stages["Build"], "Synth")
	equal(t, "what is synthesised", at(synth, "Configuration", "PrimarySource"), at(action(t, stages["Source"], "Platform"), "OutputArtifacts", 0, "Name"))
	equal(t, "inputs", len(list(at(synth, "InputArtifacts"))), 2)
}

// TestCDRoles: each action that deploys or deletes uses the roles of its target, and
// no other role of another account is used.
func TestCDRoles(t *testing.T) {
	d := deliver(t, threeAccounts())
	stages, names := d.pipelineStages()
	accounts := map[string]string{"throwaway-shop": "222222222222", "production-shop": "333333333333"}
	n := 0
	for _, name := range names {
		for _, a := range list(at(stages[name], "Actions")) {
			if at(a, "ActionTypeId", "Provider") != "CloudFormation" {
				contains(t, fmt.Sprintf("the role of %v", at(a, "Name")), at(a, "RoleArn"), `"Fn::GetAtt"`)
				continue
			}
			n++
			role := "arn:aws:iam::%s:role/cdk-hnb659fds-%s-role-%[1]s-eu-west-1"
			equal(t, fmt.Sprintf("%v deploys as", at(a, "Name")), joined(at(a, "RoleArn")), fmt.Sprintf(role, accounts[name], "deploy"))
			if at(a, "Configuration", "ActionMode") != "CHANGE_SET_EXECUTE" {
				equal(t, fmt.Sprintf("%v works as", at(a, "Name")), joined(at(a, "Configuration", "RoleArn")), fmt.Sprintf(role, accounts[name], "cfn-exec"))
			}
		}
	}
	equal(t, "actions of CloudFormation", n, 10)
	stacks, err := filepath.Glob(filepath.Join(d.dir, "*.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stacks {
		if strings.Contains(file, "support") {
			t.Errorf("the CDK adds %s", filepath.Base(file))
		}
	}
}

// trustedRoots returns the roles that trust a whole account, or that anybody may assume.
func (d delivery) trustedRoots() []string {
	var roles []string
	for _, id := range sortedIDs(d.cd) {
		r := d.cd.Resources[id]
		if at(r, "Type") == "AWS::IAM::Role" && regexp.MustCompile(`:root"|"\*"`).MatchString(text(at(r, "Properties", "AssumeRolePolicyDocument"))) {
			roles = append(roles, id)
		}
	}
	return roles
}

func sortedIDs(tm template) []string {
	var ids []string
	for id := range tm.Resources {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// TestCDTrust: no role of the CD pipeline trusts an account, only a role or a
// service; and that of the pipeline only this pipeline. It is flags of the CDK that
// make it so.
func TestCDTrust(t *testing.T) {
	d := deliver(t, threeAccounts())
	equal(t, "roles that trust an account", d.trustedRoots(), nil)
	off, err := tryDeliver(t, threeAccounts(), map[string]any{
		"@aws-cdk/pipelines:reduceAssetRoleTrustScope": false, "@aws-cdk/pipelines:reduceStageRoleTrustScope": false,
		"@aws-cdk/pipelines:reduceCrossAccountActionRoleTrustScope": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(off.trustedRoots()) == 0 {
		t.Error("the flags change nothing: is this test still about them?")
	}
	for _, r := range d.cd.Of("AWS::IAM::Role") {
		if at(r, "Properties", "RoleName") == "shop-cd-pipeline" {
			equal(t, "who the pipeline's role trusts", at(r, "Properties", "AssumeRolePolicyDocument", "Statement"), []any{map[string]any{
				"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": map[string]any{"Service": "codepipeline.amazonaws.com"},
				"Condition": map[string]any{
					"StringEquals": map[string]any{"aws:SourceAccount": "111111111111"},
					"ArnEquals":    map[string]any{"aws:SourceArn": "arn:aws:codepipeline:eu-west-1:111111111111:cd-shop"},
				},
			}})
			return
		}
	}
	t.Error("the pipeline's role has no fixed name")
}

// TestCDBuilds: no build is privileged, each has a log group that goes, and the tests
// of an environment may do nothing but read what they test with.
func TestCDBuilds(t *testing.T) {
	d := deliver(t, threeAccounts())
	projects := d.cd.Of("AWS::CodeBuild::Project")
	equal(t, "builds: synthesis, update, test, changes, protection", len(projects), 5)
	for _, p := range projects {
		name := text(at(p, "Properties", "Name"))
		if at(p, "Properties", "Environment", "PrivilegedMode") == true {
			t.Errorf("%s is privileged", name)
		}
		equal(t, name+" has logs", at(p, "Properties", "LogsConfig", "CloudWatchLogs", "Status"), "ENABLED")
	}
	for _, g := range d.cd.Of("AWS::Logs::LogGroup") {
		equal(t, "days that logs are kept", at(g, "Properties", "RetentionInDays"), 90)
	}
	d.cd.Count("AWS::Logs::ResourcePolicy", 0) // an account has ten, and they would permit all of it
	rights := map[string][]string{}
	for _, id := range sortedIDs(d.cd) {
		r := d.cd.Resources[id]
		for _, policy := range list(at(r, "Properties", "Policies")) {
			for _, s := range list(at(policy, "PolicyDocument", "Statement")) {
				rights[id] = append(rights[id], text(at(s, "Action")))
			}
		}
	}
	for id, actions := range rights {
		if strings.Contains(id, "smoke") {
			equal(t, "what a test may do", actions, []string{
				`["s3:GetObject","s3:GetObjectVersion"]`, `["kms:Decrypt","kms:GenerateDataKey"]`, `["logs:CreateLogStream","logs:PutLogEvents"]`,
			})
			return
		}
	}
	t.Error("no role of the test")
}

// TestChanges: the build that tells what a release changes reads the targets of its
// environments through their review roles, and nothing else of other accounts.
func TestChanges(t *testing.T) {
	d := deliver(t, threeAccounts())
	for _, r := range d.cd.Of("AWS::IAM::Role") {
		if at(r, "Properties", "RoleName") != "shop-changes" {
			continue
		}
		var assumed []any
		for _, s := range list(at(r, "Properties", "Policies", 0, "PolicyDocument", "Statement")) {
			if strings.Contains(text(at(s, "Action")), "sts:") {
				assumed = append(assumed, list(at(s, "Resource"))...)
			}
		}
		equal(t, "roles that it may assume", assumed, []string{"arn:aws:iam::333333333333:role/shop-review"})
	}
	var spec string
	for _, p := range d.cd.Of("AWS::CodeBuild::Project") {
		if at(p, "Properties", "Name") == "cd-shop-changes-production" {
			spec = at(p, "Properties", "Source", "BuildSpec").(string)
		}
	}
	for _, part := range []string{
		`./composer changes --assembly assembly-production-shop --out changes.txt`, `"exported-variables"`, `"CHANGED"`, `"SUMMARY"`,
		`stageName=='production-shop'`, `export CHANGED=true`,
	} {
		if !strings.Contains(spec, part) {
			t.Errorf("the buildspec lacks %s:\n%s", part, spec)
		}
	}
}

// TestApproval: it tells what changes, where to look, and waits as long as it is to;
// what does not change an environment passes it by.
func TestApproval(t *testing.T) {
	d := deliver(t, threeAccounts())
	stages, _ := d.pipelineStages()
	ask := action(t, stages["production-shop"], "Network.Approve-production")
	equal(t, "the question", at(ask, "Configuration"), map[string]string{
		"CustomData":         "Ship it?\n#{production-changes@Changes-production.SUMMARY}",
		"ExternalEntityLink": "https://example.org/review",
		"NotificationArn":    "arn:aws:sns:eu-west-1:111111111111:shop-approval",
	})
	equal(t, "minutes", at(ask, "TimeoutInMinutes"), 72*60)
	equal(t, "the condition", at(stages["production-shop"], "BeforeEntry"), map[string]any{"Conditions": []any{map[string]any{
		"Result": "SKIP", "Rules": []any{map[string]any{
			"Name": "Changed", "RuleTypeId": map[string]string{"Category": "Rule", "Owner": "AWS", "Provider": "VariableCheck", "Version": "1"},
			"Configuration": map[string]string{"Variable": "#{production-changes@Changes-production.CHANGED}", "Value": "true", "Operator": "EQ"},
		}},
	}}})
	if at(stages["production-shop"], "OnFailure") != nil {
		t.Error("a stage with an approval is rolled back, which asks for it again")
	}
}

// TestDirect: without change sets to look at, the approval has a stage of its own, so
// that those behind it can be rolled back.
func TestDirect(t *testing.T) {
	c := threeAccounts()
	c.Environments[1].Review = false
	d := deliver(t, c)
	stages, names := d.pipelineStages()
	equal(t, "the stages", names[4:], []string{"production-changes", "production-approval", "production-shop"})
	equal(t, "the approval", actions(stages["production-approval"]), []string{"01 Approve-production"})
	for _, name := range names[5:] {
		contains(t, "the condition of "+name, at(stages[name], "BeforeEntry"), "production-changes@Changes-production.CHANGED")
	}
	equal(t, "on failure", at(stages["production-shop"], "OnFailure"), map[string]string{"Result": "ROLLBACK"})
}

// TestOnFailure: a stage is tried again, or has nothing, as the file says.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_FailureConditions.html
func TestOnFailure(t *testing.T) {
	for does, want := range map[string]any{
		"retry": map[string]any{"Result": "RETRY", "RetryConfiguration": map[string]string{"RetryMode": "FAILED_ACTIONS"}},
		"none":  nil,
	} {
		c := threeAccounts()
		c.Environments[1].OnFailure = does
		stages, _ := deliver(t, c).pipelineStages()
		equal(t, "on failure: "+does, at(stages["production-shop"], "OnFailure"), want)
	}
}

// TestCutWave: of a wave that is more than the 50 actions of a stage every part has
// the condition of the environment, and only the last one bakes.
func TestCutWave(t *testing.T) {
	c := threeAccounts()
	e := c.Environments[1]
	e.Bake, e.Tests = &config.Bake{Alarms: []string{"ErrorsHigh"}, For: time.Hour}, nil
	for i := range 46 {
		e.Tests = append(e.Tests, config.Test{Name: fmt.Sprintf("test%02d", i), Commands: []string{"true"}, Timeout: time.Hour})
	}
	stages, names := deliver(t, c).pipelineStages()
	equal(t, "the stages", names[4:], []string{"production-changes", "production-shop.1", "production-shop.2"})
	for _, name := range names[5:] {
		contains(t, "the condition of "+name, at(stages[name], "BeforeEntry"), `"Result":"SKIP"`)
	}
	equal(t, "the first part", at(stages["production-shop.1"], "OnSuccess"), nil)
	contains(t, "the last part", at(stages["production-shop.2"], "OnSuccess"), `"AlarmName":"ErrorsHigh"`)
}

// TestWaves: targets of a wave are deployed together, one approval stands before all
// of them, and the next wave begins when the alarms of the one before stayed quiet.
func TestWaves(t *testing.T) {
	c := threeAccounts()
	prod, other := c.Accounts[1], *c.Accounts[1]
	other.Name, other.ID = "prod2", "444444444444"
	c.Accounts = append(c.Accounts, &other)
	e := c.Environments[1]
	e.Waves = [][]config.Target{
		{{Account: prod, Region: "eu-west-1"}, {Account: &other, Region: "eu-west-1"}},
		{{Account: prod, Region: "us-east-1"}},
	}
	e.Bake = &config.Bake{Alarms: []string{"ErrorsHigh"}, For: 30 * time.Minute}
	prod.Regions["us-east-1"] = config.Region{AvailabilityZones: []string{"us-east-1a", "us-east-1b"}}
	d := deliver(t, c)
	stages, names := d.pipelineStages()
	equal(t, "the stages", names[4:], []string{"production-changes", "production-1", "production-shop-prod-us-east-1"})
	equal(t, "the first wave", actions(stages["production-1"]), []string{
		"01 production-shop-prod-eu-west-1.Network.Prepare", "01 production-shop-prod2-eu-west-1.Network.Prepare",
		"02 production-shop-prod-eu-west-1.Network.Approve-production",
		"03 production-shop-prod-eu-west-1.Network.Deploy", "03 production-shop-prod2-eu-west-1.Network.Deploy",
		"04 production-shop-prod-eu-west-1.Services.Prepare", "04 production-shop-prod2-eu-west-1.Services.Prepare",
		"05 production-shop-prod-eu-west-1.Services.Deploy", "05 production-shop-prod2-eu-west-1.Services.Deploy",
		"06 Protect",
	})
	var baked []string
	for _, r := range list(at(stages["production-1"], "OnSuccess", "Conditions", 0, "Rules")) {
		baked = append(baked, fmt.Sprint(at(r, "RoleArn"), " ", at(r, "Region"), " ", text(at(r, "Configuration"))))
	}
	rule := `arn:aws:iam::%s:role/shop-review eu-west-1 {"AlarmName":"ErrorsHigh","AlarmStates":"ALARM","WaitTime":"30"}`
	equal(t, "the alarms", baked, []string{fmt.Sprintf(rule, "333333333333"), fmt.Sprintf(rule, "444444444444")})
	var assumes []any
	for _, policy := range d.cd.Of("AWS::IAM::Policy") {
		if text(at(policy, "Properties", "Roles")) == text([]any{map[string]string{"Ref": "Role1ABCC5F0"}}) {
			assumes = append(assumes, at(policy, "Properties", "PolicyDocument"))
		}
	}
	for _, account := range []string{"333333333333", "444444444444"} {
		contains(t, "what the pipeline's role may assume", assumes, "arn:aws:iam::"+account+":role/shop-review")
	}
	last := stages["production-shop-prod-us-east-1"]
	equal(t, "the second wave, on failure", at(last, "OnFailure"), map[string]string{"Result": "ROLLBACK"})
	stores := d.cd.One("AWS::CodePipeline::Pipeline")["ArtifactStores"]
	equal(t, "regions of artifacts", []any{at(stores, 0, "Region"), at(stores, 1, "Region")}, []string{"eu-west-1", "us-east-1"})
	files, err := filepath.Glob(filepath.Join(d.dir, "*support*"))
	if err != nil || len(files) > 0 {
		t.Errorf("the CDK adds %v: %v", files, err)
	}
}

// TestTriggers: with triggers in the file only they start the pipeline: here a tag of
// the compose repository, whose very commit is released.
func TestTriggers(t *testing.T) {
	c := threeAccounts()
	c.Triggers = []config.Trigger{{Tags: []string{"v*"}}}
	d := deliver(t, c)
	var patterns []string
	for _, r := range d.cd.Of("AWS::Events::Rule") {
		if pattern := text(at(r, "Properties", "EventPattern")); strings.Contains(pattern, "codecommit") {
			patterns = append(patterns, pattern)
			contains(t, "the commit", at(r, "Properties", "Targets", 0, "InputTransformer", "InputTemplate"), `revisionType\": \"COMMIT_ID`)
		}
	}
	equal(t, "what starts it", patterns, []string{
		`{"detail":{"event":["referenceCreated","referenceUpdated"],"referenceName":[{"wildcard":"v*"}],"referenceType":["tag"],"repositoryName":["shop-compose"]},"detail-type":["CodeCommit Repository State Change"],"source":["aws.codecommit"]}`,
	})
	connected := threeAccounts()
	connected.Compose.Source = config.Source{
		Provider: config.Connection, Repository: "my-org/shop-compose", Branch: "main",
		ConnectionARN: "arn:aws:codeconnections:eu-west-1:111111111111:connection/0c0ffee0-1234-4abc-9def-0123456789ab",
	}
	connected.Triggers = c.Triggers
	d = deliver(t, connected)
	p := d.cd.One("AWS::CodePipeline::Pipeline")
	equal(t, "the triggers", p["Triggers"], []any{map[string]any{
		"ProviderType":     "CodeStarSourceConnection",
		"GitConfiguration": map[string]any{"SourceActionName": "Source", "Push": []any{map[string]any{"Tags": map[string]any{"Includes": []string{"v*"}}}}},
	}})
	contains(t, "the source", at(p["Stages"], 0), `"DetectChanges":false`)
	contains(t, "the right to the connection", d.cd.Resources, `"codeconnections:UseConnection"`)
}

// TestAdmission: an environment with triggers takes only releases that one of them
// started, which the build at the beginning tells by the name of the event rule.
func TestAdmission(t *testing.T) {
	c := threeAccounts()
	c.Triggers = []config.Trigger{{Branches: []string{"main", "feature/*"}}, {Tags: []string{"v*"}}}
	c.Environments[1].Triggers = []config.Trigger{{Tags: []string{"v*"}}}
	d := deliver(t, c)
	var rules []string
	for _, r := range d.cd.Of("AWS::Events::Rule") {
		if name := at(r, "Properties", "Name"); name != nil {
			rules = append(rules, fmt.Sprint(name, " ", text(at(r, "Properties", "EventPattern", "detail", "referenceName"))))
		}
	}
	equal(t, "the rules", rules, []string{`shop-cd-start-1-1 ["main"]`, `shop-cd-start-1-2 [{"wildcard":"feature/*"}]`, `shop-cd-start-2-1 [{"wildcard":"v*"}]`})
	stages, names := d.pipelineStages()
	equal(t, "the stages", names[3:], []string{"throwaway-shop", "Admission", "production-changes", "production-shop"})
	equal(t, "the ephemeral environment", at(stages["throwaway-shop"], "BeforeEntry"), nil)
	for _, name := range names[5:] {
		contains(t, "the condition of "+name, at(stages[name], "BeforeEntry"), `"Variable":"#{Admission.ADMITTED_2}"`)
	}
	var spec struct {
		Phases struct{ Build struct{ Commands []string } }
	}
	for _, p := range d.cd.Of("AWS::CodeBuild::Project") {
		if at(p, "Properties", "Name") == "cd-shop-admission" {
			if err := json.Unmarshal([]byte(at(p, "Properties", "Source", "BuildSpec").(string)), &spec); err != nil {
				t.Fatal(err)
			}
		}
	}
	script := strings.Join(spec.Phases.Build.Commands, "\n") + "\necho $ADMITTED_2"
	for by, want := range map[string]string{
		"arn:aws:events:eu-west-1:111111111111:rule/shop-cd-start-2-1":  "true",
		"arn:aws:events:eu-west-1:111111111111:rule/shop-cd-start-1-1":  "false",
		"arn:aws:events:eu-west-1:111111111111:rule/shop-cd-start-22-1": "false",
		"arn:aws:sts::111111111111:assumed-role/Admin/somebody":         "false",
	} {
		cmd := exec.Command("bash", "-c", "aws() { echo "+by+"; }\n"+script)
		cmd.Env = []string{"EXECUTION=x"}
		equal(t, "started by "+by, strings.TrimSpace(string(fixture.Output(t, cmd))), want)
	}
}

// TestChangesScript: the build hands over what composer says, and a release that
// follows one which is still on its way counts as a change.
func TestChangesScript(t *testing.T) {
	d := deliver(t, threeAccounts())
	var spec struct {
		Phases struct{ Build struct{ Commands []string } }
	}
	for _, p := range d.cd.Of("AWS::CodeBuild::Project") {
		if at(p, "Properties", "Name") == "cd-shop-changes-production" {
			if err := json.Unmarshal([]byte(at(p, "Properties", "Source", "BuildSpec").(string)), &spec); err != nil {
				t.Fatal(err)
			}
		}
	}
	composer := "#!/bin/bash\nprintf 'CHANGED=%s\\nSUMMARY=one stack changes\\n' \"$SAYS\" > changes.txt\n"
	aws := `aws() { if [ "$1" = s3 ]; then cp fake composer; else printf 'None\t%s\n' "$STATE"; fi; }` + "\n"
	for state, want := range map[[2]string]string{
		{"true", "Succeeded"}:   "true one stack changes",
		{"false", "Succeeded"}:  "false one stack changes",
		{"false", "InProgress"}: "true one stack changes",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "fake"), []byte(composer), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("bash", "-c", aws+strings.Join(spec.Phases.Build.Commands, "\n")+"\necho $CHANGED $SUMMARY")
		cmd.Dir, cmd.Env = dir, []string{"SAYS=" + state[0], "STATE=" + state[1], "PATH=" + os.Getenv("PATH")}
		equal(t, fmt.Sprintf("composer says %s, the stage is %s", state[0], state[1]), strings.TrimSpace(string(fixture.Output(t, cmd))), want)
	}
}

// TestSlack: a channel hears of its events and can do nothing.
func TestSlack(t *testing.T) {
	c := threeAccounts()
	c.Notifications = append(c.Notifications, config.Notification{SlackWorkspace: "T0123", SlackChannel: "C0123", Events: []config.Event{config.Failed, config.Succeeded}})
	d := deliver(t, c)
	channel := d.cd.One("AWS::Chatbot::SlackChannelConfiguration")
	equal(t, "the topics", channel["SnsTopicArns"], []string{"arn:aws:sns:eu-west-1:111111111111:shop-failed", "arn:aws:sns:eu-west-1:111111111111:shop-succeeded"})
	equal(t, "the guardrails", len(list(channel["GuardrailPolicies"])), 1)
	contains(t, "the guardrail", d.cd.One("AWS::IAM::ManagedPolicy")["PolicyDocument"], `{"Action":"*","Effect":"Deny","Resource":"*","Sid":"Nothing"}`)
	for _, r := range d.cd.Of("AWS::CodeStarNotifications::NotificationRule") {
		contains(t, "what topics hear", at(r, "Properties", "EventTypeIds"), "codepipeline-pipeline-")
	}
}

// TestOneRepository: one repository for pipelines and compose files is one source.
func TestOneRepository(t *testing.T) {
	c := threeAccounts()
	c.Tooling.Source, c.AllowSelfModify = c.Compose.Source, true
	stages, _ := deliver(t, c).pipelineStages()
	equal(t, "the sources", actions(stages["Source"]), []string{"01 Source"})
}

// TestCDTwice: two syntheses give the same bytes.
func TestCDTwice(t *testing.T) {
	first, second := deliver(t, threeAccounts()), deliver(t, threeAccounts())
	for name, tm := range first.assembly {
		if tm.Text != second.assembly[name].Text {
			t.Errorf("%s differs", name)
		}
	}
	if _, err := os.Stat(filepath.Join(first.dir, "manifest.json")); err != nil {
		t.Error(err)
	}
}
