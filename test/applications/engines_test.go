//go:build !race

package applications

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/guard"
	"composecdk/stacks"
	"composecdk/test/assembly"
	"composecdk/test/engine"
	"composecdk/test/fixture"
)

// judged is a case whose templates the engines of others judge: an IAM simulator,
// the CDK's validation, cfn-lint and cdk-nag.
type judged struct {
	application
	name string
	to   target
	nag  []engine.Finding
}

// judgedCases returns the golden cases, the example among them, and what other tests
// stand on. They are synthesised once, in one app, for all engines.
func judgedCases(t *testing.T) []judged {
	t.Helper()
	synthesiseAll.Do(func() {
		cases := goldenCases(t)
		if fixture.Kind() == "" {
			cases = append(cases, goldenCase{name: "rich", files: []string{fixture.Rich}})
		}
		allJudged = judge(t, cases)
	})
	if allJudged == nil {
		t.Fatal("the cases were not synthesised: another test tells why")
	}
	return allJudged
}

var (
	synthesiseAll sync.Once
	allJudged     []judged
)

// judge synthesises all cases in one app, each below a construct of its name.
func judge(t *testing.T, cases []goldenCase) []judged {
	t.Helper()
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), Context: answers(t, cases), PostCliContext: &engine.NoAnnotations,
	})
	engine.AddNag(app)
	var all []judged
	built := map[string]*stacks.Application{}
	for _, c := range cases {
		project, model, found := fixture.Model(c.files...)
		if model == nil {
			t.Fatalf("%s has errors:\n%s", c.name, fixture.Printed(t, found))
		}
		application, err := stacks.NewApplication(constructs.NewConstruct(app, &c.name), &stacks.ApplicationProps{
			Model: model, Account: c.to.Account, Region: c.to.Region, Ephemeral: c.to.Ephemeral,
		})
		if err != nil {
			t.Fatalf("%s cannot be built:\n%s", c.name, fixture.Printed(t, stacks.Exceptions(err, project)))
		}
		built[c.name] = application
		j := judged{name: c.name, to: c.to}
		j.model, j.found, j.templates = model, found, map[string]template{}
		all = append(all, j)
	}
	if _, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil }); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		for _, stack := range built[all[i].name].Stacks {
			all[i].read(t, outdir, *stack.Node().Id(), *stack.TemplateFile())
		}
	}
	return all
}

// answers returns the answers of the look-ups of all cases.
func answers(t *testing.T, cases []goldenCase) *map[string]any {
	t.Helper()
	context := map[string]any{}
	for _, c := range cases {
		for key, value := range c.to.Context {
			if other, ok := context[key]; ok && !reflect.DeepEqual(value, other) {
				t.Fatalf("%s answers the look-up %s in another way than a case before", c.name, key)
			}
		}
		maps.Copy(context, c.to.Context)
	}
	return &context
}

// read keeps a template, and what cdk-nag found in its stack.
func (j *judged) read(t *testing.T, outdir, stack, file string) {
	t.Helper()
	tm, err := assembly.Read(filepath.Join(outdir, file))
	if err != nil {
		t.Fatal(err)
	}
	tm.T = t
	j.templates[stack] = tm
	j.nag = append(j.nag, engine.NagFindings(t, filepath.Join(outdir, strings.Replace(file, ".template.json", ".metadata.json", 1)))...)
}

// writeTemplates puts the templates of all cases into a folder, as
// <case>/<stack>.template.json, and returns their paths. It leaves out a stack without
// resources, which the CDK CLI does not deploy, and a Network stack that a case before has
// under another name: engines take long.
func writeTemplates(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	written := map[string]bool{}
	for _, c := range judgedCases(t) {
		network := networkText(t, c.application)
		for _, stack := range slices.Sorted(maps.Keys(c.templates)) {
			if len(c.templates[stack].Resources) > 0 && (stack != "Network" || !written[network]) {
				files = append(files, engine.WriteTemplate(t, dir, c.name, stack, c.templates[stack].Text))
			}
		}
		written[network] = true
	}
	return files
}

// TestExceptionsAreHeld: a finding without an exception, an exception without a
// finding and one without a reason must each be a problem.
func TestExceptionsAreHeld(t *testing.T) {
	found := []engine.Finding{{Rule: "R1", Place: "a/Queue", Says: "is open"}}
	for name, c := range map[string]struct {
		exceptions []engine.Exception
		problems   int
	}{
		"explained":      {[]engine.Exception{{Rule: "R1", Place: ".*/Queue", Reason: "because"}}, 0},
		"unexplained":    {nil, 1},
		"part of a rule": {[]engine.Exception{{Rule: "R", Place: ".*", Reason: "because"}}, 2},
		"unused":         {[]engine.Exception{{Rule: "R1", Place: ".*", Reason: "because"}, {Rule: "R2", Place: ".*", Reason: "because"}}, 1},
		"no reason":      {[]engine.Exception{{Rule: "R1", Place: ".*", Reason: ""}}, 1},
	} {
		equal(t, name, len(engine.Unexplained(found, c.exceptions)), c.problems)
	}
}
