//go:build !race

package test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/guard"
	"composecdk/stacks"
)

// judged is a case whose templates the engines of others judge: an IAM simulator,
// the CDK's validation, cfn-lint and cdk-nag.
type judged struct {
	application
	name string
	to   target
	nag  []engineFinding
}

// judgedCases are the golden cases, the example among them, and what other tests
// stand on. They are synthesised once, in one app, for all engines.
func judgedCases(t *testing.T) []judged {
	t.Helper()
	synthesiseAll.Do(func() {
		allJudged = judge(t, append(goldenCases(t), goldenCase{name: "rich", files: []string{manyShapes}}))
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

// noAnnotations keeps what cdk-nag writes to the constructs off the terminal.
var noAnnotations = map[string]any{"@aws-cdk/core:annotationsInValidationReport": false}

// judge synthesises all cases in one app, each below a construct of its name.
func judge(t *testing.T, cases []goldenCase) []judged {
	t.Helper()
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{
		Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), Context: answers(t, cases), PostCliContext: &noAnnotations,
	})
	addNag(app)
	var all []judged
	built := map[string]*stacks.Application{}
	for _, c := range cases {
		project, model, found := loadModel(c.files...)
		if model == nil {
			t.Fatalf("%s has errors:\n%s", c.name, printed(t, found))
		}
		application, err := stacks.NewApplication(constructs.NewConstruct(app, &c.name), &stacks.ApplicationProps{
			Model: model, Account: c.to.Account, Region: c.to.Region, Ephemeral: c.to.Ephemeral,
		})
		if err != nil {
			t.Fatalf("%s cannot be built:\n%s", c.name, printed(t, stacks.Exceptions(err, project)))
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

// answers are those of the look-ups of all cases.
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
	tm, err := readTemplate(filepath.Join(outdir, file))
	if err != nil {
		t.Fatal(err)
	}
	tm.t = t
	j.templates[stack] = tm
	j.nag = append(j.nag, nagFindings(t, filepath.Join(outdir, strings.Replace(file, ".template.json", ".metadata.json", 1)))...)
}

// writeTemplates puts the templates of all cases and of the pipelines into a folder, as
// <case>/<stack>.template.json, and returns their paths. It leaves out a stack
// without resources, which the CDK CLI does not deploy.
func writeTemplates(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	for _, c := range judgedCases(t) {
		for _, stack := range slices.Sorted(maps.Keys(c.templates)) {
			if len(c.templates[stack].resources) > 0 {
				files = append(files, writeTemplate(t, dir, c.name, stack, c.templates[stack].text))
			}
		}
	}
	for _, d := range deliveredCases(t) {
		for _, stack := range d.stacks {
			if !stack.application {
				files = append(files, writeTemplate(t, dir, "pipelines-"+d.name, strings.ReplaceAll(stack.path, "/", "-"), stack.template.text))
			}
		}
	}
	return files
}

func writeTemplate(t *testing.T, dir, name, stack, text string) string {
	t.Helper()
	file := filepath.Join(dir, name, stack+".template.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// engineFinding is what an engine has against a place: a construct path, or a
// resource and property of a template.
type engineFinding struct{ rule, place, says string }

// engineException is a finding that is right as it is. Rule and Place are regular
// expressions for the whole of the finding's own.
type engineException struct{ rule, place, reason string }

func (e engineException) matches(f engineFinding) bool {
	return regexp.MustCompile(`^(?:`+e.rule+`)$`).MatchString(f.rule) && regexp.MustCompile(`^(?:`+e.place+`)$`).MatchString(f.place)
}

// explained fails for every finding without a written reason, and for every reason
// without a finding.
func explained(t *testing.T, found []engineFinding, exceptions []engineException) {
	t.Helper()
	for _, problem := range unexplained(found, exceptions) {
		t.Error(problem)
	}
	t.Logf("%d findings, %d exceptions", len(found), len(exceptions))
}

func unexplained(found []engineFinding, exceptions []engineException) []string {
	var problems []string
	used := make([]bool, len(exceptions))
	for _, f := range found {
		i := slices.IndexFunc(exceptions, func(e engineException) bool { return e.matches(f) })
		if i < 0 {
			problems = append(problems, f.rule+" at "+f.place+": "+f.says)
			continue
		}
		used[i] = true
	}
	for i, e := range exceptions {
		if !used[i] {
			problems = append(problems, "the exception "+e.rule+" at "+e.place+" matches nothing: take it away")
		}
		if e.reason == "" {
			problems = append(problems, "the exception "+e.rule+" at "+e.place+" has no reason")
		}
	}
	return problems
}

// TestExceptionsAreHeld: a finding without an exception, an exception without a
// finding and one without a reason must each be a problem.
func TestExceptionsAreHeld(t *testing.T) {
	found := []engineFinding{{"R1", "a/Queue", "is open"}}
	for name, c := range map[string]struct {
		exceptions []engineException
		problems   int
	}{
		"explained":      {[]engineException{{"R1", ".*/Queue", "because"}}, 0},
		"unexplained":    {nil, 1},
		"part of a rule": {[]engineException{{"R", ".*", "because"}}, 2},
		"unused":         {[]engineException{{"R1", ".*", "because"}, {"R2", ".*", "because"}}, 1},
		"no reason":      {[]engineException{{"R1", ".*", ""}}, 1},
	} {
		equal(t, name, len(unexplained(found, c.exceptions)), c.problems)
	}
}
