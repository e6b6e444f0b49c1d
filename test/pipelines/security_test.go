//go:build !race

package pipelines

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// statementOfRole is a statement of a policy of a role of the pipelines.
type statementOfRole struct {
	// role is the path of its stack and its logical id.
	role      string
	actions   []string
	resources []string
}

// statementsOfRoles returns the permissions of all roles of the pipelines, those of the
// target accounts left out.
func (d *delivered) statementsOfRoles() []statementOfRole {
	var all []statementOfRole
	add := func(role string, document any) {
		for _, s := range list(at(document, "Statement")) {
			if at(s, "Effect") == "Allow" {
				all = append(all, statementOfRole{role, texts(many(at(s, "Action"))), texts(many(at(s, "Resource")))})
			}
		}
	}
	for _, s := range d.pipelineStacks() {
		for id, r := range s.template.Resources {
			p := at(r, "Properties")
			switch at(r, "Type") {
			case "AWS::IAM::Role":
				for _, inline := range list(at(p, "Policies")) {
					add(s.path+"/"+id, at(inline, "PolicyDocument"))
				}
			case "AWS::IAM::Policy":
				for _, role := range list(at(p, "Roles")) {
					add(s.path+"/"+fmt.Sprint(at(role, "Ref")), at(p, "PolicyDocument"))
				}
			}
		}
	}
	return all
}

// pipelineStacks returns the stacks of the tooling account.
func (d *delivered) pipelineStacks() []deliveredStack {
	return slices.DeleteFunc(slices.Clone(d.stacks), func(s deliveredStack) bool {
		return s.application || s.account != d.config.Tooling.Account.ID
	})
}

// many returns a value of a policy as a list.
func many(v any) any {
	if _, ok := v.([]any); ok {
		return v
	}
	return []any{v}
}

// deliveryRules say, of an action on a resource, which roles alone may do it.
var deliveryRules = []struct{ name, action, resource, roles string }{
	{
		"nobody approves but a person", `codepipeline:PutApprovalResult`, `.*`, `nobody`,
	},
	{
		"only events start a pipeline", `codepipeline:StartPipelineExecution`, `.*`, `.*/(StartRole|PipelineEventsRole\w+)`,
	},
	{
		"builds assume no roles but those that tell what changes, protect stacks and update pipelines", `sts:AssumeRole`, `.*`,
		`(Cd|Platform)/(Role\w+|StagesUpdatePipelineSelfMutationRole\w+)|Cd/(ChangesRole|ProtectionRole|JanitorRole\w+)`,
	},
	{
		"the program that all merges run is written by one build", `s3:PutObject`, `[^/]+/(tools/composer|\*)`,
		// actions of CodePipeline itself, which no code runs with
		`Platform/ComposerRole|(Cd|Platform)/(Role\w+|PipelineSource\w*CodePipelineActionRole\w+)`,
	},
	{
		"the cache of a synthesis is written by it alone", `s3:PutObject`, `\S+/cache/\S+`, `(Cd|Platform)/SynthRole`,
	},
	{
		"a build of an application does not write sources", `s3:PutObject`, `\S+/(ci|branches)-[^/]+/(\*|Source/\*)`, `Tooling/\S+/\w+PipelineRole\w+`,
	},
	{
		"the compose files are written by the merge alone", `codecommit:GitPush|s3:PutObject`, `arn:aws:(codecommit:\S+|s3:::\w+-compose-\S+)`, `Tooling/Merge/Role`,
	},
	{
		"images are pushed by builds of applications alone", `ecr:PutImage`, `.*`, `Tooling/Ci-\w+/\w+BuildRole\w+`,
	},
	{
		"no build starts another one", `codebuild:StartBuild`, `.*`,
		`Tooling/Ci-\w+/\w+PipelineRole\w+|(Cd|Platform)/(StagesCodeBuildActionRole|Pipeline\w+CodePipelineActionRole)\w+`,
	},
	{
		"no role reads a secret or a parameter", `(secretsmanager|ssm):.*`, `.*`, `nobody`,
	},
	{
		"no role changes roles", `iam:.*`, `.*`, `nobody`,
	},
}

// TestDeliveryRoles: docs/decisions/delivery-security.md says what an attacker meets.
func TestDeliveryRoles(t *testing.T) {
	met := map[string]bool{}
	for _, d := range deliveredCases(t) {
		for _, s := range d.statementsOfRoles() {
			for _, rule := range deliveryRules {
				if !s.does(rule.action, rule.resource) {
					continue
				}
				met[rule.name] = true
				if !fixture.Whole(rule.roles).MatchString(s.role) {
					t.Errorf("%s: %s: %s may %v on %v", d.name, rule.name, s.role, s.actions, s.resources)
				}
			}
		}
	}
	for _, rule := range deliveryRules {
		if !met[rule.name] && rule.roles != "nobody" {
			t.Errorf("%s: no role at all may: is this rule still about them?", rule.name)
		}
	}
}

// does reports whether a statement allows an action that matches on a resource that
// does; patterns of actions count.
func (s statementOfRole) does(action, resource string) bool {
	return slices.ContainsFunc(s.actions, func(a string) bool {
		return fixture.Whole(action).MatchString(a) || strings.Contains(a, "*") && regexp.MustCompile(`^`+strings.ReplaceAll(regexp.QuoteMeta(a), `\*`, `.*`)+`$`).MatchString(action)
	}) && slices.ContainsFunc(s.resources, func(r string) bool { return fixture.Whole(resource).MatchString(r) })
}

// TestDeliveryTrusts: a service uses a role of the pipelines for resources of the
// tooling account alone; no role trusts an account.
func TestDeliveryTrusts(t *testing.T) {
	services := 0
	for _, d := range deliveredCases(t) {
		for _, s := range d.pipelineStacks() {
			for id, r := range s.template.Resources {
				if at(r, "Type") != "AWS::IAM::Role" || strings.HasPrefix(s.path, "Roles-") {
					continue
				}
				for _, statement := range list(at(r, "Properties", "AssumeRolePolicyDocument", "Statement")) {
					switch service := text(many(at(statement, "Principal", "Service"))); {
					case service == `["chatbot.amazonaws.com"]`: // may do nothing
					case strings.Contains(service, "amazonaws.com"):
						services++
						contains(t, s.path+"/"+id+" serves", at(statement, "Condition", "StringEquals", "aws:SourceAccount"), d.config.Tooling.Account.ID)
					case regexp.MustCompile(`:root"|"\*"`).MatchString(text(at(statement, "Principal"))):
						t.Errorf("%s/%s trusts an account", s.path, id)
					}
				}
			}
		}
	}
	if services == 0 {
		t.Error("no role of a service")
	}
}
