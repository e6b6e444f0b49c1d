package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// project returns two applications, and an environment of a number of accounts.
func project(targets int) *config.Config {
	shared := &config.Account{Name: "shared", ID: "111111111111", Roles: config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fds"}}
	commit := func(name string) config.Source {
		return config.Source{Provider: config.CodeCommit, Repository: name, Branch: "main"}
	}
	e := &config.Environment{Name: "production", Type: config.Permanent, Path: "Environments[0]", Waves: make([][]config.Target, 1)}
	c := &config.Config{
		Name: "shop", File: "pipeline.yaml", Tooling: config.Tooling{Account: shared, Region: "eu-west-1", Source: commit("platform")},
		Accounts: []*config.Account{shared}, Compose: config.Compose{Source: commit("compose")}, Environments: []*config.Environment{e},
	}
	for i := range targets {
		a := &config.Account{Name: fmt.Sprintf("prod%02d", i), ID: fmt.Sprintf("%012d", i), Roles: config.Roles{Type: config.Managed}}
		c.Accounts = append(c.Accounts, a)
		e.Waves[0] = append(e.Waves[0], config.Target{Account: a, Region: "eu-west-1"})
	}
	for _, name := range []string{"one", "two"} {
		c.Apps = append(c.Apps, &config.App{Name: name, Service: name, Group: "apps", Source: commit(name), Path: compose.At("Apps", name)})
	}
	return c
}

func unknown(*config.Environment) *compose.Model { return nil }

// cdStages returns the names of the actions of the CD pipeline with their run orders.
func cdStages(p *Plan) string {
	var lines []string
	for _, s := range p.cdPipeline().Stages {
		line := s.Name + ":"
		for _, a := range s.Actions {
			line += fmt.Sprintf(" %s@%d", a.Name, a.RunOrder)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestTargetsOfAWaveGoTogether(t *testing.T) {
	got := cdStages(New(project(2), unknown))
	want := strings.Join([]string{
		"Source: Source@1 Platform@1", "Build: Synth@1", "UpdatePipeline: SelfMutate@1",
		"production: production-shop-prod00-eu-west-1.Network.Prepare@1 production-shop-prod00-eu-west-1.Network.Deploy@2 " +
			"production-shop-prod00-eu-west-1.Data.Prepare@3 production-shop-prod00-eu-west-1.Data.Deploy@4 " +
			"production-shop-prod00-eu-west-1.Services.Prepare@5 production-shop-prod00-eu-west-1.Services.Deploy@6 " +
			"production-shop-prod01-eu-west-1.Network.Prepare@1 production-shop-prod01-eu-west-1.Network.Deploy@2 " +
			"production-shop-prod01-eu-west-1.Data.Prepare@3 production-shop-prod01-eu-west-1.Data.Deploy@4 " +
			"production-shop-prod01-eu-west-1.Services.Prepare@5 production-shop-prod01-eu-west-1.Services.Deploy@6",
	}, "\n")
	if got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestApprovalBehindChangeSets(t *testing.T) {
	c := project(1)
	c.Environments[0].Approval, c.Environments[0].Review = &config.Approval{}, true
	c.Environments[0].Tests = []config.Test{{Name: "smoke"}}
	want := "production-changes: Changes-production@1\n" +
		"production-shop: Network.Prepare@1 Network.Deploy@3 Network.Approve-production@2 Data.Prepare@4 Data.Deploy@5 " +
		"Services.Prepare@6 Services.Deploy@7 smoke@8"
	if got := cdStages(New(c, unknown)); !strings.HasSuffix(got, want) {
		t.Errorf("want at the end\n%s\ngot\n%s", want, got)
	}
}

func TestApprovalBeforeAll(t *testing.T) {
	c := project(1)
	c.Environments[0].Approval = &config.Approval{}
	want := "production-changes: Changes-production@1\nproduction-approval: Approve-production@1\nproduction-shop: Network.Prepare@1"
	if got := cdStages(New(c, unknown)); !strings.Contains(got, want) {
		t.Errorf("want\n%s\nin\n%s", want, got)
	}
}

func TestTriggerFilterBeforeTheFirstWithTriggers(t *testing.T) {
	c := project(1)
	staging, production := *c.Environments[0], c.Environments[0]
	staging.Name = "staging"
	last := *production
	last.Name, last.Triggers = "last", []config.Trigger{{Tags: []string{"v*"}}}
	production.Triggers = last.Triggers
	c.Environments = []*config.Environment{&staging, production, &last}
	var names []string
	for _, s := range New(c, unknown).cdPipeline().Stages[3:] {
		names = append(names, s.Name)
	}
	if got, want := strings.Join(names, " "), "staging-shop Admission production-shop last-shop"; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

func TestEphemeralEndsWithDeletion(t *testing.T) {
	c := project(1)
	c.Environments[0].Type, c.Environments[0].Tests = config.Ephemeral, []config.Test{{Name: "a"}, {Name: "b"}}
	want := "Services.Deploy@6 a@7 b@7 Services.Delete@8 Data.Delete@9 Network.Delete@10"
	if got := cdStages(New(c, unknown)); !strings.HasSuffix(got, want) {
		t.Errorf("want at the end\n%s\ngot\n%s", want, got)
	}
}

// services returns n of them without anything else.
func services(n int) Models {
	m := &compose.Model{Groups: map[string]string{}}
	for i := range n {
		name := fmt.Sprintf("svc%03d", i)
		m.Families = append(m.Families, &compose.Family{Name: name})
		m.Groups[name] = fmt.Sprintf("team%d", i%2)
	}
	return func(*config.Environment) *compose.Model { return m }
}

// Between what surely fits a stack and what surely does not, only a synthesis knows.
func TestEstimated(t *testing.T) {
	for n, want := range map[int]string{1: "", 17: "", 18: "production", 71: "production", 72: ""} {
		if got := strings.Join(New(project(1), services(n)).Estimated, ","); got != want {
			t.Errorf("%d services: want %q to be estimated, got %q", n, want, got)
		}
	}
}

func TestImagesThatNobodyHandsOver(t *testing.T) {
	m := &compose.Model{Families: []*compose.Family{{Name: "web", Containers: []*compose.Container{{Service: "web", Image: compose.Image{Build: &compose.Build{}}}}}}}
	if got := cdStages(New(project(1), func(*config.Environment) *compose.Model { return m })); !strings.Contains(got, "\nAssets: web@1\n") {
		t.Errorf("no stage builds the image:\n%s", got)
	}
}

func TestLimits(t *testing.T) {
	cases := []struct {
		quota    Quota
		used     int
		severity compose.Severity
		none     bool
	}{
		{quota: actionsPerStage, used: 39, none: true},
		{quota: actionsPerStage, used: 40, severity: compose.Warning},
		{quota: actionsPerStage, used: 49, severity: compose.Warning},
		{quota: actionsPerStage, used: 50, severity: compose.Warning},
		{quota: actionsPerStage, used: 51, severity: compose.Error},
		{quota: appsPerGroup, used: 23, none: true},
		{quota: appsPerGroup, used: 30, severity: compose.Warning},
		{quota: appsPerGroup, used: 31, severity: compose.Error},
		{quota: inlineBytes, used: 8_191, none: true},
		{quota: inlineBytes, used: 10_239, severity: compose.Warning},
		{quota: inlineBytes, used: 10_240, severity: compose.Warning},
		{quota: inlineBytes, used: 10_241, severity: compose.Error},
	}
	p := New(project(1), unknown)
	for _, c := range cases {
		found := p.check([]Usage{{Quota: c.quota, Where: "somewhere", Used: c.used, path: "Apps"}})
		switch {
		case c.none && len(found) > 0:
			t.Errorf("%d %s: want nothing, got %s", c.used, c.quota.What, found[0])
		case !c.none && (len(found) != 1 || found[0].Severity != c.severity):
			t.Errorf("%d %s: want %q, got %v", c.used, c.quota.What, c.severity, found)
		}
	}
}

// The hint must name a size that fits, and the next larger one must not.
func TestWaveSizeOfTheHintFits(t *testing.T) {
	for _, review := range []bool{false, true} {
		make := func(targets int) compose.Diagnostics {
			c := project(targets)
			if review {
				c.Environments[0].Approval, c.Environments[0].Review = &config.Approval{}, true
			}
			return New(c, unknown).Check()
		}
		found := make(9)
		if !found.HasErrors() || found[0].Hint != "a target has 6 actions: Wave: {Size: 8} fits" || found[0].Path != "Environments[0].Wave" {
			t.Errorf("got %+v", found)
		}
		if found := make(8); found.HasErrors() {
			t.Errorf("8 targets must fit: %v", found)
		}
	}
}

func TestAlarmsOfAWave(t *testing.T) {
	c := project(3)
	c.Environments[0].Bake = &config.Bake{Alarms: []string{"a", "b"}}
	found := New(c, unknown).Check()
	if !found.HasErrors() || found[0].Hint != "a target has 2 alarms: Wave: {Size: 2} fits" {
		t.Errorf("got %+v", found)
	}
	c = project(1)
	c.Environments[0].Bake = &config.Bake{Alarms: strings.Split("abcdef", "")}
	found = New(c, unknown).Check()
	if !found.HasErrors() || found[0].Hint != "a target has 6 alarms: make one composite alarm of them" {
		t.Errorf("got %+v", found)
	}
}

// What is only about right must not stop anybody.
func TestEstimatesOnlyWarn(t *testing.T) {
	for estimated, want := range map[bool]compose.Severity{true: compose.Warning, false: compose.Error} {
		found := New(project(1), unknown).check([]Usage{{Quota: templateBytes, Used: 1_100_000, Estimated: estimated}})
		if len(found) != 1 || found[0].Severity != want || !strings.Contains(found[0].Hint, "fewer groups") {
			t.Errorf("got %+v", found)
		}
	}
}

func TestEventRules(t *testing.T) {
	cases := []struct {
		name   string
		source config.Source
		begin  []config.Trigger
		rules  int
	}{
		{"a branch", config.Source{Provider: config.CodeCommit, Branch: "main"}, nil, 1},
		{"a connection", config.Source{Provider: config.Connection, Branch: "main"}, nil, 0},
		{"an object", config.Source{Provider: config.S3}, nil, 1},
		{"a branch and tags", config.Source{Provider: config.CodeCommit, Branch: "main"}, []config.Trigger{{Tags: []string{"v*"}}, {Branches: []string{"main"}}}, 2},
		{"any branch", config.Source{Provider: config.CodeCommit, Branch: "main"}, []config.Trigger{{Branches: []string{"**"}}}, 2},
		{"paths", config.Source{Provider: config.CodeCommit, Branch: "main"}, []config.Trigger{{Paths: []string{"src/**"}}}, 1},
	}
	for _, c := range cases {
		if got := eventRules(c.source, c.begin); got != c.rules {
			t.Errorf("%s: want %d rules, got %d", c.name, c.rules, got)
		}
	}
}

func TestCost(t *testing.T) {
	p := New(project(1), unknown)
	cases := []struct {
		name    string
		a       Assumptions
		minutes int
		v1, v2  float64
	}{
		{"nothing runs", Assumptions{Minutes: Assumed().Minutes}, 0, 0, 0},
		{"one release", Assumptions{Releases: 1, Minutes: Assumed().Minutes}, 30, 0, 0},
		{"free minutes", Assumptions{Runs: 1, Releases: 1, Minutes: map[Kind]int{Deploy: 100}}, 600, 2, 1},
		{"approvals are free", Assumptions{Releases: 1, Minutes: map[Kind]int{Approve: 1000}}, 0, 0, 0},
	}
	for _, c := range cases {
		got := p.Cost(c.a)
		if got.Minutes != c.minutes || math.Abs(got.V1-c.v1)+math.Abs(got.V2-c.v2) > 1e-9 {
			t.Errorf("%s: got %+v", c.name, got)
		}
	}
}

func TestLongNamesOfActions(t *testing.T) {
	stage := strings.Repeat("production-", 12)
	one, two := actionName([]string{stage + "1", "Network", "Prepare"}), actionName([]string{stage + "2", "Network", "Prepare"})
	if len(one) > 100 || one == two {
		t.Errorf("%q and %q must differ, with 100 characters at most", one, two)
	}
	if got := actionName([]string{"a b", "c"}); got != "a_b.c" {
		t.Errorf("got %q", got)
	}
}

func TestOutput(t *testing.T) {
	p := New(project(4), unknown)
	var text, again, object bytes.Buffer
	for _, out := range []*bytes.Buffer{&text, &again} {
		if err := New(project(4), unknown).Text(out, Assumed()); err != nil {
			t.Fatal(err)
		}
	}
	if text.String() != again.String() {
		t.Error("two plans of one configuration differ")
	}
	for _, want := range []string{"ci-one", "cd-shop", "production      24 actions", "prod00, prod01, prod02, … 1 more", "Estimated: the stacks of production", "24 of 50 actions per stage", "Assumed: 20 runs"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if err := p.JSON(&object, Assumed()); err != nil {
		t.Fatal(err)
	}
	var decoded struct {
		Pipelines []struct{ Name string }
		Usage     []struct{ Used, Most int }
		Cost      Cost
	}
	if err := json.Unmarshal(object.Bytes(), &decoded); err != nil || len(decoded.Pipelines) != 4 || len(decoded.Usage) == 0 || decoded.Cost.V1 != 3 {
		t.Errorf("got %v, %+v", err, decoded)
	}
}

// What is repeated must be told once.
func TestManyAreFolded(t *testing.T) {
	c := project(9)
	c.Environments[0].Waves = nil
	for _, a := range c.Accounts[1:] {
		c.Environments[0].Waves = append(c.Environments[0].Waves, []config.Target{{Account: a, Region: "eu-west-1"}})
	}
	for i := range 200 {
		c.Apps = append(c.Apps, &config.App{Name: fmt.Sprintf("app%d", i), Group: fmt.Sprint("group", i/30)})
	}
	var text bytes.Buffer
	if err := New(c, unknown).Text(&text, Assumed()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"production-shop-prod00-eu-west-1 … 8 more", "ci-one … ci-app199", "202 times"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}

// A synthesis can have more stacks than a plan; what CDK Pipelines cut must be seen.
func TestAssemblyWithACutStage(t *testing.T) {
	actions := func(n int) string { return strings.TrimSuffix(strings.Repeat(`{},`, n), ",") }
	for n, exceeded := range map[int]bool{0: false, 2: true} {
		dir := t.TempDir()
		text := fmt.Sprintf(`{"Resources": {"P": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {"Stages": [
			{"Name": "production.1", "Actions": [%s]}, {"Name": "production.2", "Actions": [%s]}]}}}}`, actions(50), actions(n))
		if err := os.WriteFile(filepath.Join(dir, "Cd.template.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := CheckAssembly(project(2), dir)
		if err != nil {
			t.Fatal(err)
		}
		if found.HasErrors() != exceeded {
			t.Errorf("%d actions: got %v", 50+n, found)
		}
		if exceeded && (found[0].Hint != "a target has 26 actions: Wave: {Size: 1} fits" || found[0].Path != "Environments[0].Wave") {
			t.Errorf("got %+v", found[0])
		}
	}
	if _, err := CheckAssembly(project(2), t.TempDir()); err != nil {
		t.Errorf("an assembly that the CDK did not get to is no fault: %v", err)
	}
}
