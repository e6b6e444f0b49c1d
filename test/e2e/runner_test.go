//go:build e2e

package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pipeline is a deployed pipeline, as CodePipeline's API returns it.
type pipeline struct {
	Name    string
	RoleArn string
	Stages  []struct {
		Name    string
		Actions []pipelineAction
	}
}

type pipelineAction struct {
	Name          string
	ActionTypeID  struct{ Category, Provider string }
	RunOrder      int
	RoleArn       string
	Configuration map[string]string
}

// runner does what CodePipeline does with the CloudFormation actions of a pipeline:
// it reads them from the deployed pipeline, takes on the pipeline's role as a
// service, with it the role of each action, and works with that. The source of all
// templates is a synthesised assembly, which the pipeline's Synth would make.
type runner struct {
	emulator
	pipeline
	assembly string
	as       credentials
	// changeSets are the ARNs of those that were made, by stack: moto does not tell
	// those of several stacks apart by their name.
	changeSets map[string]string
}

func (e emulator) runner(t testing.TB, p pipeline, assembly string) runner {
	t.Helper()
	return runner{e, p, assembly, e.service(t, "codepipeline.amazonaws.com", p.RoleArn, arnOf("codepipeline", p.Name)), map[string]string{}}
}

// service returns the credentials of a service that takes on a role for a resource.
func (e emulator) service(t testing.TB, name, role, source string) credentials {
	t.Helper()
	as := credentials{}
	e.read(t, "/e2e/service?name="+name+"&role="+url.QueryEscape(role)+"&source="+url.QueryEscape(source), &as)
	return as
}

// arnOf returns the ARN of a resource of the tooling account.
func arnOf(service, name string) string {
	return "arn:aws:" + service + ":" + region + ":" + tooling + ":" + name
}

// actions returns the CloudFormation actions of a stage in the order in which they run.
func (r runner) actions(t testing.TB, stage string) []pipelineAction {
	t.Helper()
	for _, s := range r.Stages {
		if s.Name != stage {
			continue
		}
		found := slices.DeleteFunc(slices.Clone(s.Actions), func(a pipelineAction) bool { return a.ActionTypeID.Provider != "CloudFormation" })
		slices.SortStableFunc(found, func(a, b pipelineAction) int { return a.RunOrder - b.RunOrder })
		return found
	}
	t.Fatalf("pipeline %s has no stage %s", r.Name, stage)
	return nil
}

// run runs the actions of a stage that a filter takes.
func (r runner) run(t testing.TB, stage string, takes func(mode string) bool) (ran int) {
	t.Helper()
	for _, a := range r.actions(t, stage) {
		if !takes(a.Configuration["ActionMode"]) {
			continue
		}
		if err := r.action(t, a); err != nil {
			t.Fatalf("stage %s, action %s: %v", stage, a.Name, err)
		}
		ran++
	}
	return ran
}

func anyMode(string) bool      { return true }
func deletes(mode string) bool { return mode == "DELETE_ONLY" }
func deploys(mode string) bool { return mode != "DELETE_ONLY" }
func prepares(mode string) bool {
	return mode == "CHANGE_SET_REPLACE"
}

func (r runner) action(t testing.TB, a pipelineAction) error {
	t.Helper()
	as, err := r.assume(r.as, a.RoleArn)
	if err != nil {
		return err
	}
	if execution := a.Configuration["RoleArn"]; execution != "" {
		r.service(t, "cloudformation.amazonaws.com", execution, "")
	}
	stack := a.Configuration["StackName"]
	switch mode := a.Configuration["ActionMode"]; mode {
	case "CHANGE_SET_REPLACE":
		return r.prepare(t, as, a, a.Configuration["ChangeSetName"])
	case "CHANGE_SET_EXECUTE":
		return r.execute(as, stack)
	case "CREATE_UPDATE":
		if err := r.prepare(t, as, a, "e2e"); err != nil {
			return err
		}
		return r.execute(as, stack)
	case "DELETE_ONLY":
		if _, err := r.cloudFormation(as, "DeleteStack", url.Values{"StackName": {stack}}); err != nil {
			return err
		}
		if status := r.status(as, stack); status != "" {
			return fmt.Errorf("stack %s is %s", stack, status)
		}
		return nil
	default:
		return fmt.Errorf("mode %s", mode)
	}
}

// prepare makes a change set of the template that the action names.
func (r runner) prepare(t testing.TB, as credentials, a pipelineAction, name string) error {
	t.Helper()
	_, path, _ := strings.Cut(a.Configuration["TemplatePath"], "::")
	body, err := os.ReadFile(filepath.Join(r.assembly, path))
	if err != nil {
		return err
	}
	form := url.Values{
		"StackName": {a.Configuration["StackName"]}, "ChangeSetName": {name}, "TemplateBody": {string(body)},
		"ChangeSetType": {"CREATE"}, "Capabilities.member.1": {"CAPABILITY_NAMED_IAM"},
	}
	if status := r.status(as, a.Configuration["StackName"]); status != "" && status != "REVIEW_IN_PROGRESS" {
		form.Set("ChangeSetType", "UPDATE")
	}
	r.parameters(t, a.Configuration, form)
	answer, err := r.cloudFormation(as, "CreateChangeSet", form)
	if err != nil {
		return err
	}
	var made struct {
		ID string `xml:"CreateChangeSetResult>Id"`
	}
	err = xml.Unmarshal(answer, &made)
	r.changeSets[a.Configuration["StackName"]] = made.ID
	return err
}

// parameters returns the parameters of an action's own configuration and of the file that it
// names.
func (r runner) parameters(t testing.TB, configuration map[string]string, form url.Values) {
	t.Helper()
	if configuration["ParameterOverrides"] != "" {
		t.Fatalf("an action has ParameterOverrides, which this runner does not know")
	}
	_, path, ok := strings.Cut(configuration["TemplateConfiguration"], "::")
	if !ok {
		return
	}
	var file struct{ Parameters, Tags map[string]string }
	readJSON(t, filepath.Join(r.assembly, path), &file)
	if len(file.Parameters) > 0 {
		t.Fatalf("%s has parameters, which this runner does not know", path)
	}
}

// execute executes a change set, unless it changes nothing: CodePipeline then goes on.
func (r runner) execute(as credentials, stack string) error {
	form := url.Values{"StackName": {stack}, "ChangeSetName": {r.changeSets[stack]}}
	answer, err := r.cloudFormation(as, "DescribeChangeSet", form)
	if err != nil {
		return err
	}
	if strings.Contains(string(answer), "<Status>FAILED</Status>") {
		return nil
	}
	if _, err := r.cloudFormation(as, "ExecuteChangeSet", form); err != nil {
		return err
	}
	if status := r.status(as, stack); status != "CREATE_COMPLETE" && status != "UPDATE_COMPLETE" {
		return fmt.Errorf("stack %s is %s: %s", stack, status, r.reason(as, stack))
	}
	return nil
}

func (r runner) cloudFormation(as credentials, action string, form url.Values) ([]byte, error) {
	form.Set("Action", action)
	form.Set("Version", "2010-05-15")
	return r.call("cloudformation", as, form)
}

// status returns the status of a stack, "" where there is none.
func (r runner) status(as credentials, stack string) string {
	answer, err := r.cloudFormation(as, "DescribeStacks", url.Values{"StackName": {stack}})
	if err != nil {
		return ""
	}
	var found struct {
		Status string `xml:"DescribeStacksResult>Stacks>member>StackStatus"`
	}
	if xml.Unmarshal(answer, &found) != nil || found.Status == "DELETE_COMPLETE" {
		return ""
	}
	return found.Status
}

// reason returns why the last operation on a stack failed.
func (r runner) reason(as credentials, stack string) string {
	answer, _ := r.cloudFormation(as, "DescribeStackEvents", url.Values{"StackName": {stack}})
	var events struct {
		Reasons []string `xml:"DescribeStackEventsResult>StackEvents>member>ResourceStatusReason"`
	}
	_ = xml.Unmarshal(answer, &events)
	return strings.Join(events.Reasons, "; ")
}

// delivered is what an account has of pipelines; emulator/observe.py tells it.
type delivered struct {
	Pipelines map[string]json.RawMessage
	Projects  map[string]json.RawMessage
	Policies  map[string]any // by physical id
}

func (e emulator) delivered(t testing.TB, account string) delivered {
	t.Helper()
	var found delivered
	e.read(t, "/e2e/delivery/"+account+"?region="+region, &found)
	return found
}

// pipeline returns a deployed pipeline.
func (d delivered) pipeline(t testing.TB, name string) pipeline {
	t.Helper()
	var p pipeline
	if err := json.Unmarshal(d.Pipelines[name], &p); err != nil {
		t.Fatalf("pipeline %s: %v", name, err)
	}
	return p
}
