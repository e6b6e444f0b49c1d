package gate

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// deliveryRules hold for CodePipeline.
var deliveryRules = []Rule{
	{
		ID: "pipeline-type", Summary: "a pipeline is of type V2, which has execution modes, triggers and conditions",
		Source: "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html", check: holds(pipelineTypes, false),
	},
	{
		ID: "pipeline-polls", Summary: "a source announces changes by events and is not polled",
		Source: "https://docs.aws.amazon.com/codepipeline/latest/userguide/update-change-detection.html", check: eachSource(polls),
	},
	{
		ID: "pipeline-never-starts", Summary: "something starts each pipeline: an event rule, a trigger or a connection",
		Source: "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html", check: neverStarts,
	},
	{
		ID: "pipeline-approval", Summary: "a deployment to production comes after an approval",
		Source: "https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals.html", check: unapproved,
	},
	{
		ID: "action-role-trust", Summary: "the role of an action trusts the role of the pipeline, not the account",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege", check: actionRoleTrust,
	},
}

const pipelineResource = "AWS::CodePipeline::Pipeline"

var pipelineTypes = []requirement{
	{Type: pipelineResource, Path: []string{"PipelineType"}, Good: []string{"V2"}, Why: "is of the old type"},
}

// action is an action of a pipeline; index is the index of its stage.
type action struct {
	index       int
	stage, name string
	order       float64
	raw         any
}

// before reports whether an action ends before another begins.
func (a action) before(b action) bool {
	return a.index < b.index || a.index == b.index && a.order < b.order
}

// actionsOf returns the actions of a pipeline, in the order in which they run.
func actionsOf(p *Resource) []action {
	var all []action
	for i, stage := range list(p.Properties["Stages"]) {
		for _, raw := range each(stage, "Actions") {
			order, ok := number(at(raw, "RunOrder"))
			if !ok {
				order = 1
			}
			all = append(all, action{i, p.Stack.text(at(stage, "Name")), p.Stack.text(at(raw, "Name")), order, raw})
		}
	}
	slices.SortStableFunc(all, func(a, b action) int { return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.order, b.order)) })
	return all
}

func (a action) is(category, provider string) bool {
	kind := at(a.raw, "ActionTypeId")
	return at(kind, "Category") == category && (provider == "" || at(kind, "Provider") == provider)
}

func (a action) configuration(name string) any { return at(a.raw, "Configuration", name) }

func eachSource(check func(p *Resource, a action, found *report)) func(*Assembly, *report) {
	return func(assembly *Assembly, found *report) {
		for _, p := range assembly.Of(pipelineResource) {
			for _, a := range actionsOf(p) {
				if a.is("Source", "") {
					check(p, a, found)
				}
			}
		}
	}
}

func polls(p *Resource, a action, found *report) {
	if a.polled() {
		found.on(p, "action %s polls its source: PollForSourceChanges is %s, an event rule is faster and costs nothing", a.name, canonical(a.configuration("PollForSourceChanges")))
	}
}

// polled reports whether CodePipeline polls the source, the default of two providers.
func (a action) polled() bool {
	v := a.configuration("PollForSourceChanges")
	text, ok := literal(v)
	return (a.is("Source", "CodeCommit") || a.is("Source", "S3")) && (v == nil || ok && !strings.EqualFold(text, "false"))
}

// detectsChanges reports whether a connection starts the pipeline.
func (a action) detectsChanges() bool {
	text, _ := literal(a.configuration("DetectChanges"))
	return a.is("Source", "CodeStarSourceConnection") && !strings.EqualFold(text, "false")
}

func neverStarts(a *Assembly, found *report) {
	for _, p := range a.Of(pipelineResource) {
		actions := actionsOf(p)
		starts := len(list(p.Properties["Triggers"])) > 0 || slices.ContainsFunc(actions, func(s action) bool { return s.polled() || s.detectsChanges() })
		if !starts && !a.started(p) {
			found.on(p, "nothing starts it: its sources do not poll, and no event rule, schedule or trigger is for it")
		}
	}
}

// started reports whether a rule, a schedule or a webhook of the assembly starts the
// pipeline.
func (a *Assembly) started(p *Resource) bool {
	return slices.ContainsFunc(a.Of("AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::CodePipeline::Webhook"), func(r *Resource) bool {
		values := append(each(r.Properties, "Targets", "Arn"), each(r.Properties, "Target", "Arn")...)
		for _, v := range append(values, r.Properties["TargetPipeline"]) {
			if strings.Contains(r.Stack.text(v), token(p)) || r.Stack == p.Stack && slices.Contains(r.needs(), p) {
				return true
			}
		}
		return false
	})
}

// production matches the names of production stages.
var production = regexp.MustCompile(`(?i)(^|[^a-z])(prod|production|live)([^a-z]|$)`)

// notProduction matches names such as preprod and non-prod.
var notProduction = regexp.MustCompile(`(?i)(non|pre|not)[^a-z]?(prod|live)`)

func unapproved(a *Assembly, found *report) {
	for _, p := range a.Of(pipelineResource) {
		actions := actionsOf(p)
		asked := slices.IndexFunc(actions, func(a action) bool { return a.is("Approval", "") })
		first := slices.IndexFunc(actions, action.changesProduction)
		if first >= 0 && (asked < 0 || !actions[asked].before(actions[first])) {
			found.on(p, "stage %s deploys to production, without an approval before: add one", actions[first].stage)
		}
	}
}

// changesProduction reports whether an action deploys to production. Preparing a change set
// for review does not count.
func (a action) changesProduction() bool {
	return a.is("Deploy", "") && a.configuration("ActionMode") != "CHANGE_SET_REPLACE" &&
		production.MatchString(a.stage) && !notProduction.MatchString(a.stage)
}

func actionRoleTrust(a *Assembly, found *report) {
	trusted := a.allowing(trust)
	for _, p := range a.Of(pipelineResource) {
		for _, action := range actionsOf(p) {
			role, _ := p.Stack.Target(at(action.raw, "RoleArn"))
			for _, s := range trusted {
				if s.on != role || s.narrowed() {
					continue
				}
				for _, principal := range s.principals("AWS") {
					if account, root := accountRoot(principal); root {
						found.on(role, "the role of action %s may be assumed by any principal that the administrators of account %s allow: name the role of the pipeline", action.name, account)
					}
				}
			}
		}
	}
}
