//go:build !race

package pipelines

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// machine interprets as much of the Amazon States Language as the janitor speaks.
// https://states-language.net/spec.html
type machine struct {
	t *testing.T
	// call answers an API call; an error is what AWS says.
	call func(action string, arguments map[string]any) (any, error)
	// said are the calls, the waits and the end, in their order.
	said []string
}

func (m *machine) run(definition, input map[string]any) {
	m.t.Helper()
	if _, err := m.states(definition, input); err != nil {
		m.said = append(m.said, "failed: "+err.Error())
	}
}

// states runs a machine, or a part of one, to its end.
func (m *machine) states(definition map[string]any, input any) (any, error) {
	name := definition["StartAt"].(string)
	for range 1000 {
		state, ok := at(definition, "States", name).(map[string]any)
		if !ok {
			m.t.Fatalf("there is no state %q", name)
		}
		output, next, err := m.state(state, input)
		if err != nil || next == "" {
			return output, err
		}
		name, input = next, output
	}
	m.t.Fatal("the machine does not end")
	return nil, nil
}

func (m *machine) state(state map[string]any, input any) (output any, next string, err error) {
	next, _ = state["Next"].(string)
	switch state["Type"] {
	case "Succeed":
		return input, "", nil
	case "Fail":
		return nil, "", fmt.Errorf("%v: %v", state["Error"], state["Cause"])
	case "Wait":
		seconds := state["Seconds"]
		if from, ok := state["SecondsPath"].(string); ok {
			seconds = m.path(input, from)
		}
		m.said = append(m.said, fmt.Sprintf("wait %v", seconds))
		return input, next, nil
	case "Choice":
		for _, choice := range list(state["Choices"]) {
			if m.holds(choice, input) {
				return input, at(choice, "Next").(string), nil
			}
		}
		return input, state["Default"].(string), nil
	case "Pass":
		result := input
		if from, ok := state["InputPath"].(string); ok {
			result = m.path(input, from)
		}
		if state["Result"] != nil {
			result = state["Result"]
		}
		return m.place(state, input, result), next, nil
	}
	result, err := m.work(state, input)
	if err == nil {
		return m.place(state, input, result), next, nil
	}
	catch := list(state["Catch"])
	if len(catch) == 0 {
		return nil, "", err
	}
	fault := map[string]any{"Error": "States.TaskFailed", "Cause": err.Error()}
	handler := catch[0].(map[string]any)
	return m.place(handler, input, fault), handler["Next"].(string), nil
}

// work does a task, or a map over items one after the other.
func (m *machine) work(state map[string]any, input any) (any, error) {
	if state["Type"] == "Map" {
		equal(m.t, "how many at a time", state["MaxConcurrency"], 1)
		for _, item := range list(m.path(input, state["ItemsPath"].(string))) {
			if _, err := m.states(state["ItemProcessor"].(map[string]any), item); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	action, ok := strings.CutPrefix(state["Resource"].(string), "arn:aws:states:::aws-sdk:")
	if !ok {
		m.t.Fatalf("%v is no call of an API", state["Resource"])
	}
	arguments := m.fill(state["Parameters"].(map[string]any), input)
	who := ""
	if role, ok := at(state, "Credentials", "RoleArn").(string); ok {
		who = " as " + path.Base(role)
	}
	m.said = append(m.said, strings.TrimSpace(action+" "+text(arguments)+who))
	result, err := m.call(action, arguments)
	if selector, ok := state["ResultSelector"].(map[string]any); ok && err == nil {
		result = m.fill(selector, result)
	}
	return result, err
}

// place returns where a result goes: over the input, beside it, or nowhere.
func (m *machine) place(state map[string]any, input, result any) any {
	where, set := state["ResultPath"]
	switch {
	case !set:
		return result
	case where == nil:
		return input
	}
	output := map[string]any{}
	for key, value := range input.(map[string]any) {
		output[key] = value
	}
	output[strings.TrimPrefix(where.(string), "$.")] = result
	return output
}

// fill replaces the paths of a payload by what they lead to.
func (m *machine) fill(payload map[string]any, input any) map[string]any {
	filled := map[string]any{}
	for key, value := range payload {
		name, dynamic := strings.CutSuffix(key, ".$")
		switch from, _ := value.(string); {
		case dynamic && strings.HasPrefix(from, "States.JsonToString("):
			value = text(m.path(input, strings.TrimSuffix(strings.TrimPrefix(from, "States.JsonToString("), ")")))
		case dynamic:
			value = m.path(input, from)
		}
		filled[name] = value
	}
	return filled
}

var (
	indexed  = regexp.MustCompile(`^(\w+)\[(\d+)\]$`)
	filtered = regexp.MustCompile(`^(\w+)\[\?\(@\.(\w+) == '([^']*)'\)\]$`)
)

// path follows a JSONPath. After a filter it goes on in each of the values found.
func (m *machine) path(v any, jsonPath string) any {
	steps := strings.Split(strings.TrimPrefix(strings.TrimPrefix(jsonPath, "$"), "."), ".")
	if jsonPath == "$" {
		return v
	}
	if i := strings.Index(jsonPath, "[?(@."); i >= 0 { // the filter has a dot itself
		end := strings.Index(jsonPath, ")]") + len(")]")
		filter := filtered.FindStringSubmatch(strings.TrimPrefix(jsonPath[:end], "$."))
		var found []any
		for _, item := range list(at(v, filter[1])) {
			if at(item, filter[2]) == filter[3] {
				found = append(found, m.path(item, "$"+jsonPath[end:]))
			}
		}
		return found
	}
	for _, step := range steps {
		if part := indexed.FindStringSubmatch(step); part != nil {
			i, _ := strconv.Atoi(part[2])
			v = at(v, part[1], i)
			continue
		}
		v = at(v, step)
	}
	return v
}

// holds reports whether a rule of a choice holds.
func (m *machine) holds(rule, input any) bool {
	r := rule.(map[string]any)
	holds := func(inner any) bool { return m.holds(inner, input) }
	switch {
	case r["And"] != nil:
		return !slices.ContainsFunc(list(r["And"]), func(inner any) bool { return !holds(inner) })
	case r["Or"] != nil:
		return slices.ContainsFunc(list(r["Or"]), holds)
	case r["Not"] != nil:
		return !holds(r["Not"])
	}
	value := m.path(input, r["Variable"].(string))
	if value == nil {
		m.t.Fatalf("%v leads nowhere in %s, which fails an execution", r["Variable"], text(input))
	}
	switch {
	case r["StringEqualsPath"] != nil:
		return value == m.path(input, r["StringEqualsPath"].(string))
	case r["StringMatches"] != nil:
		ok, err := path.Match(r["StringMatches"].(string), value.(string))
		return ok && err == nil
	case r["StringEquals"] != nil:
		return value == r["StringEquals"]
	case r["BooleanEquals"] != nil:
		return value == r["BooleanEquals"]
	}
	m.t.Fatalf("unknown rule %s", text(r))
	return false
}

// ephemeralStage is a stage and its stacks as AWS has them.
type ephemeralStage struct {
	// owner and status are of the last execution in the stage.
	owner, status string
	// stacks are how often a stack is still being deleted when one looks; one that is
	// not here does not exist.
	stacks map[string]int
	// stuck is a stack that cannot be deleted.
	stuck string
	// onClose is what happens just before the stage is closed.
	onClose func(*ephemeralStage)
}

func (a *ephemeralStage) call(action string, arguments map[string]any) (any, error) {
	name, _ := arguments["StackName"].(string)
	switch action {
	case "codepipeline:getPipelineState":
		return map[string]any{"StageStates": []any{
			map[string]any{"StageName": "Source", "LatestExecution": map[string]any{"PipelineExecutionId": "other", "Status": "Succeeded"}},
			map[string]any{"StageName": "throwaway-shop", "LatestExecution": map[string]any{"PipelineExecutionId": a.owner, "Status": a.status}},
		}}, nil
	case "codepipeline:disableStageTransition":
		if a.onClose != nil {
			a.onClose(a)
		}
	case "cloudformation:describeStacks":
		looks, ok := a.stacks[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("Stack with id %s does not exist", name)
		case name == a.stuck:
			return described(name, "DELETE_FAILED"), nil
		case looks > 0:
			a.stacks[name]--
			return described(name, "DELETE_IN_PROGRESS"), nil
		}
		delete(a.stacks, name)
		return nil, fmt.Errorf("Stack with id %s does not exist", name)
	}
	return map[string]any{}, nil
}

func described(name, status string) any {
	return map[string]any{"Stacks": []any{map[string]any{"StackName": name, "StackStatus": status}}}
}

// TestJanitor: what an execution has left is removed, in the reverse order of
// deployment, and nothing that another execution uses.
func TestJanitor(t *testing.T) {
	d := deliver(t, threeAccounts())
	var definition map[string]any
	if err := json.Unmarshal([]byte(d.cd.One("AWS::StepFunctions::StateMachine")["DefinitionString"].(string)), &definition); err != nil {
		t.Fatal(err)
	}
	both := map[string]int{"throwaway-shop-Network": 0, "throwaway-shop-Services": 1}
	const (
		look    = `codepipeline:getPipelineState {"Name":"cd-shop"}`
		closed  = `codepipeline:disableStageTransition {"PipelineName":"cd-shop","Reason":"the janitor removes what an execution has left","StageName":"throwaway-shop","TransitionType":"Inbound"}`
		open    = `codepipeline:enableStageTransition {"PipelineName":"cd-shop","StageName":"throwaway-shop","TransitionType":"Inbound"}`
		deletes = `cloudformation:deleteStack {"RoleARN":"arn:aws:iam::222222222222:role/cdk-hnb659fds-cfn-exec-role-222222222222-eu-west-1","StackName":"throwaway-shop-%s"} as cdk-hnb659fds-deploy-role-222222222222-eu-west-1`
		asks    = `cloudformation:describeStacks {"StackName":"throwaway-shop-%s"} as cdk-hnb659fds-deploy-role-222222222222-eu-west-1`
		tells   = `sns:publish {"Message":"{\"Cause\":\"NotDeleted: the stack is not gone: see its events\",\"Error\":\"States.TaskFailed\"}","Subject":"Not removed: throwaway-shop","TopicArn":"arn:aws:sns:eu-west-1:111111111111:shop-failed"}`
	)
	services := []string{fmt.Sprintf(deletes, "Services"), "wait 30", fmt.Sprintf(asks, "Services"), "wait 30", fmt.Sprintf(asks, "Services")}
	network := []string{fmt.Sprintf(deletes, "Network"), "wait 30", fmt.Sprintf(asks, "Network")}
	removed := slices.Concat([]string{"wait 60", look, closed, look}, services, network, []string{open})
	for name, test := range map[string]struct {
		world   ephemeralStage
		overdue bool
		want    []string
	}{
		"tests failed":                     {ephemeralStage{owner: "mine", status: "Failed", stacks: both}, false, removed},
		"stopped by a person":              {ephemeralStage{owner: "mine", status: "Stopped", stacks: both}, false, removed},
		"at work for too long":             {ephemeralStage{owner: "mine", status: "InProgress", stacks: both}, true, removed},
		"retried by a person":              {ephemeralStage{owner: "mine", status: "InProgress", stacks: both}, false, []string{"wait 60", look}},
		"removed by its stage":             {ephemeralStage{owner: "mine", status: "Succeeded"}, true, []string{"wait 60", look}},
		"another execution came":           {ephemeralStage{owner: "other", status: "InProgress", stacks: both}, true, []string{"wait 60", look}},
		"another execution comes in first": {ephemeralStage{owner: "mine", status: "Failed", stacks: both, onClose: func(a *ephemeralStage) { a.owner = "other" }}, false, []string{"wait 60", look, closed, look, open}},
		"a stack cannot be deleted": {
			ephemeralStage{owner: "mine", status: "Failed", stacks: both, stuck: "throwaway-shop-Services"},
			false,
			slices.Concat([]string{"wait 60", look, closed, look}, services[:3], []string{open, tells, "failed: NotRemoved: a stack of throwaway-shop could not be deleted"}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			world := test.world
			world.stacks = map[string]int{}
			for stack, looks := range test.world.stacks {
				world.stacks[stack] = looks
			}
			m := &machine{t: t, call: world.call}
			m.run(definition, map[string]any{"execution": "mine", "after": 60, "overdue": test.overdue})
			if got, want := strings.Join(m.said, "\n"), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestJanitorStarts: a stage that fails starts its janitor after KeepFor, one that
// starts after the maximum lifetime, each for its own execution.
func TestJanitorStarts(t *testing.T) {
	d := deliver(t, threeAccounts())
	after := map[string]string{}
	for _, rule := range d.cd.Of("AWS::Events::Rule") {
		pattern := at(rule, "Properties", "EventPattern")
		if text(at(pattern, "detail-type")) != `["CodePipeline Stage Execution State Change"]` {
			continue
		}
		equal(t, "the stage", at(pattern, "detail", "stage"), []string{"throwaway-shop"})
		transformer := at(rule, "Properties", "Targets", 0, "InputTransformer")
		equal(t, "what is known of the event", at(transformer, "InputPathsMap"), map[string]string{"detail-execution-id": "$.detail.execution-id"})
		after[text(at(pattern, "detail", "state"))] = at(transformer, "InputTemplate").(string)
	}
	trust := text(at(d.cd.Resources[idOf(t, d.cd, "AWS::IAM::Role", "JanitorRole")], "Properties", "AssumeRolePolicyDocument"))
	contains(t, "whom the janitors' role serves", trust, "stateMachine:shop-janitor-*")
	equal(t, "the name of the janitor", d.cd.One("AWS::StepFunctions::StateMachine")["StateMachineName"], "shop-janitor-throwaway")
	equal(t, "what starts the janitor", after, map[string]string{
		`["FAILED","STOPPED","CANCELED"]`: `{"after":14400,"execution":<detail-execution-id>,"overdue":false}`,
		`["STARTED"]`:                     `{"after":43200,"execution":<detail-execution-id>,"overdue":true}`,
	})
}
