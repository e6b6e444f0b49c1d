//go:build !race

package pipelines

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/compose/load"
	"composecdk/constructs/guard"
	"composecdk/pipelines"
	"composecdk/pipelines/config"
	"composecdk/pipelines/config/scale"
	"composecdk/pipelines/plan"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// planned is a plan beside what is synthesised.
type planned struct {
	t      *testing.T
	config *config.Config
	plan   *plan.Plan
	dir    string
	// templates are by their path in the assembly.
	templates map[string]template
}

// planOf plans and synthesises a pipeline.yaml.
func planOf(t *testing.T, file string) planned {
	t.Helper()
	c, found := config.Load(config.Options{File: file})
	if c == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	models, more := plan.Load(c, c.Dir, nil)
	release, found := pipelines.Read(c, "", load.Options{})
	if found = append(found, more...); found.HasErrors() {
		t.Fatal(fixture.Printed(t, found))
	}
	p := planned{t: t, config: c, plan: plan.New(c, models), dir: t.TempDir(), templates: map[string]template{}}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &p.dir, AnalyticsReporting: jsii.Bool(false)})
	pattern := func(build func(constructs.Construct) error) (string, error) {
		dir := t.TempDir()
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, AnalyticsReporting: jsii.Bool(false)})
		if err := build(app); err != nil {
			return "", err
		}
		_, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil })
		return dir, err
	}
	if err := pipelines.New(app, release.Props(pattern)); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil }); err != nil {
		t.Fatal(err)
	}
	p.read()
	return p
}

// read reads the templates of the assembly.
func (p planned) read() {
	t := p.t
	for _, pattern := range []string{"*.template.json", "*/*.template.json"} {
		files, err := filepath.Glob(filepath.Join(p.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			tm, err := assembly.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			tm.T = t
			name, err := filepath.Rel(p.dir, file)
			if err != nil {
				t.Fatal(err)
			}
			p.templates[name] = tm
		}
	}
}

// plannedCases returns the example, and twelve accounts in waves of three.
func plannedCases(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := scale.Write(dir, 4, 12); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pipeline.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`Wave: \{Size: \d+`).ReplaceAll(text, []byte("Wave: {Size: 3"))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"blog": "../../examples/blog/pipeline.yaml", "twelve accounts": file}
}

// What is planned must be what is synthesised.
func TestPlan(t *testing.T) {
	for name, file := range plannedCases(t) {
		t.Run(name, func(t *testing.T) {
			p := planOf(t, file)
			p.compare()
			p.policies()
			found, err := plan.CheckAssembly(p.config, p.dir)
			if err != nil || found.HasErrors() {
				t.Errorf("the assembly does not fit: %v %v", err, found)
			}
		})
	}
}

// What the example does not have, every kind of source and of roles, must be planned
// as it is made.
func TestPlanOfEverySource(t *testing.T) {
	cases := deliveredCases(t)
	i := slices.IndexFunc(cases, func(d *delivered) bool { return d.name == "shop" })
	_, m, _ := fixture.Model(fixture.Write(t, shop))
	p := planned{t: t, config: cases[i].config, dir: cases[i].dir, templates: map[string]template{}}
	p.plan = plan.New(p.config, func(*config.Environment) *compose.Model { return m })
	p.read()
	p.compare()
}

// compare holds all that must be equal against each other.
func (p planned) compare() {
	p.stages()
	p.roles()
	p.groups()
	p.counts()
}

// stages compares those of all pipelines, with their actions and run orders.
func (p planned) stages() {
	made := map[string][]string{}
	for _, tm := range p.templates {
		for _, r := range tm.Of("AWS::CodePipeline::Pipeline") {
			name := at(r, "Properties", "Name").(string)
			for _, s := range at(r, "Properties", "Stages").([]any) {
				made[name] = append(made[name], stageText(at(s, "Name").(string), at(s, "Actions").([]any), func(a any) (string, int) {
					order, _ := at(a, "RunOrder").(float64)
					return at(a, "Name").(string), max(1, int(order))
				}))
			}
		}
	}
	for _, pipeline := range p.plan.Pipelines {
		var want []string
		for _, s := range pipeline.Stages {
			want = append(want, stageText(s.Name, s.Actions, func(a plan.Action) (string, int) { return a.Name, a.RunOrder }))
		}
		if got := made[pipeline.Name]; !slices.Equal(got, want) {
			p.t.Errorf("%s: planned\n%s\nmade\n%s", pipeline.Name, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
		delete(made, pipeline.Name)
	}
	for name := range made {
		p.t.Errorf("%s is not planned", name)
	}
}

// stageText returns a stage with its actions by run order and name.
func stageText[A any](name string, actions []A, of func(A) (string, int)) string {
	slices.SortFunc(actions, func(a, b A) int {
		nameA, orderA := of(a)
		nameB, orderB := of(b)
		return cmp.Or(cmp.Compare(orderA, orderB), cmp.Compare(nameA, nameB))
	})
	text := name + ":"
	for _, a := range actions {
		name, order := of(a)
		text += fmt.Sprintf(" %s@%d", name, order)
	}
	return text
}

// roles compares how many are made in each account; of those of the application the
// plan knows the least that there are.
func (p planned) roles() {
	application, others := map[string]int{}, map[string]int{}
	for file, tm := range p.templates {
		n := len(tm.Of("AWS::IAM::Role"))
		account := p.accountOf(file)
		if strings.HasPrefix(file, "assembly-") && !strings.HasPrefix(file, "assembly-Tooling") {
			application[account] += n
		} else {
			others[account] += n
		}
	}
	for _, r := range p.plan.Roles {
		made := others[r.Account]
		if r.Least {
			made += application[r.Account]
		}
		if r.Roles > made || !r.Least && r.Roles != made {
			p.t.Errorf("%s: planned are %d roles, made are %d and %d of the application", r.Account, r.Roles, others[r.Account], application[r.Account])
		}
	}
}

// accountOf returns the account that a template of the assembly is for.
func (p planned) accountOf(file string) string {
	if name, ok := strings.CutPrefix(strings.TrimSuffix(file, ".template.json"), "Roles-"); ok {
		return name
	}
	for _, e := range p.config.Environments {
		for _, t := range e.Targets() {
			if strings.HasPrefix(file, "assembly-"+p.config.StageID(e, t)+"/") {
				return t.Account.Name
			}
		}
	}
	return p.config.Tooling.Account.Name
}

// policies compares their sizes: a plan may say five per cent too much, and nothing
// too little.
func (p planned) policies() {
	made := p.madePolicies()
	for _, policy := range p.plan.Policies {
		name := policy.Account + ", " + policy.Of + ", " + policy.What
		n, ok := made[name]
		switch {
		case !ok:
			p.t.Errorf("%s is not made", name)
		case policy.Bytes < n || float64(policy.Bytes) > 1.05*float64(n):
			p.t.Errorf("%s: planned are %d bytes, made are %d", name, policy.Bytes, n)
		}
	}
}

// madePolicies returns the sizes of the policies that a plan has, of several of a kind in
// an account the largest.
func (p planned) madePolicies() map[string]int {
	made := map[string]int{}
	for _, file := range slices.Sorted(maps.Keys(p.templates)) {
		tm, account := p.templates[file], p.accountOf(file)
		note := func(of, what string, document any) {
			name := account + ", " + of + ", " + what
			made[name] = max(made[name], deployedSize(tm, document))
		}
		for id, r := range tm.Resources {
			properties := at(r, "Properties")
			switch kind := at(r, "Type"); {
			case kind == "AWS::KMS::Key" && strings.HasPrefix(file, "assembly-Tooling"):
				note("key of artifacts", "bytes", at(properties, "KeyPolicy"))
			case kind == "AWS::S3::BucketPolicy" && strings.HasPrefix(id, "Artifacts"):
				note("bucket of artifacts", "bytes", at(properties, "PolicyDocument"))
			case kind == "AWS::ECR::Repository":
				note("image repositories", "bytes", at(properties, "RepositoryPolicyText"))
			case kind == "AWS::IAM::Policy" && file == "Cd.template.json" && strings.HasPrefix(id, "RoleDefaultPolicy"):
				note("role of the CD pipeline", "bytes of inline policies", at(properties, "PolicyDocument"))
			case kind == "AWS::IAM::ManagedPolicy" && strings.HasPrefix(id, "Boundary"):
				note("permissions boundary", "bytes", at(properties, "PolicyDocument"))
			case kind == "AWS::IAM::ManagedPolicy" && strings.HasPrefix(file, "Roles-"):
				note("CloudFormation's policies", "bytes", at(properties, "PolicyDocument"))
			case kind == "AWS::IAM::Role" && id == "Deploy":
				note("deploy role", "bytes of inline policies", at(properties, "Policies", 0, "PolicyDocument"))
				note("deploy role", "bytes", at(properties, "AssumeRolePolicyDocument"))
			case kind == "AWS::IAM::Role" && id == "Review":
				note("review role", "bytes of inline policies", at(properties, "Policies", 0, "PolicyDocument"))
			case kind == "AWS::IAM::Role" && id == "ChangesRole":
				note("role of the changes builds", "bytes of inline policies", at(properties, "Policies", 0, "PolicyDocument"))
			case kind == "AWS::IAM::Role" && id == "StartRole":
				note("role that starts the pipelines of "+p.groupOf(file), "bytes of inline policies", at(properties, "Policies", 0, "PolicyDocument"))
			}
		}
	}
	return made
}

// groupOf returns the group whose pipelines are in a template.
func (p planned) groupOf(file string) string {
	for _, app := range p.config.Apps {
		if strings.HasPrefix(file, "assembly-Tooling/ToolingCi"+strings.ReplaceAll(app.Group, "-", "")) {
			return app.Group
		}
	}
	return ""
}

// deployedSize returns how many bytes a document has once what it refers to is known, in
// which all names that AWS makes are as long as they can be.
func deployedSize(tm template, document any) int {
	text, err := json.Marshal(resolved(tm, document))
	if err != nil {
		tm.T.Fatal(err)
	}
	return len(text)
}

func resolved(tm template, v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = resolved(tm, v[i])
		}
		return list
	case map[string]any:
		if text, ok := intrinsic(tm, v); ok {
			return text
		}
		object := map[string]any{}
		for key, value := range v {
			object[key] = resolved(tm, value)
		}
		return object
	default:
		return v
	}
}

func intrinsic(tm template, v map[string]any) (text string, ok bool) {
	key := "arn:aws:kms:eu-west-1:111111111111:key/mrk-" + strings.Repeat("0", 32)
	switch {
	case v["Ref"] == "AWS::Partition":
		return "aws", true
	case v["Ref"] != nil:
		return key, true // the parameter with the ARN of the key
	case v["Fn::Join"] != nil:
		for _, part := range at(v, "Fn::Join", 1).([]any) {
			text += fmt.Sprint(resolved(tm, part))
		}
		return text, true
	case v["Fn::GetAtt"] == nil:
		return "", false
	}
	r := tm.Resources[at(v, "Fn::GetAtt", 0).(string)]
	switch at(r, "Type") {
	case "AWS::KMS::Key":
		return key, true
	case "AWS::Logs::LogGroup": // whose name CloudFormation makes
		return "arn:aws:logs:eu-west-1:111111111111:log-group:" + strings.Repeat("x", 32) + ":*", true
	case "AWS::S3::Bucket":
		return "arn:aws:s3:::" + at(r, "Properties", "BucketName").(string), true
	default:
		return "arn:aws:iam::111111111111:role/" + strings.Repeat("x", 64), true
	}
}

// groups compares how many resources the stacks of the CI pipelines have.
func (p planned) groups() {
	made := map[int]int{}
	for file, tm := range p.templates {
		if strings.HasPrefix(file, "assembly-Tooling/ToolingCi") {
			made[len(tm.Resources)]++
		}
	}
	for _, u := range p.plan.Usage {
		if strings.Contains(u.Where, "-ci-") && u.What == "resources" {
			made[u.Used]--
		}
	}
	for resources, n := range made {
		if n != 0 {
			p.t.Errorf("%d more groups than planned have %d resources", n, resources)
		}
	}
}

// counts compares how many there are in the tooling account of what AWS limits.
func (p planned) counts() {
	made := map[string]int{}
	for file, tm := range p.templates {
		if strings.HasPrefix(file, "assembly-") && !strings.HasPrefix(file, "assembly-Tooling") {
			continue
		}
		for what, kind := range map[string]string{
			"pipelines": "AWS::CodePipeline::Pipeline", "event rules": "AWS::Events::Rule", "build projects": "AWS::CodeBuild::Project",
			"image repositories": "AWS::ECR::Repository", "notification rules": "AWS::CodeStarNotifications::NotificationRule",
		} {
			made[what] += len(tm.Of(kind))
		}
	}
	for _, u := range p.plan.Usage {
		switch n := len(p.templates["Cd.template.json"].Text); {
		case u.What == "bytes" && u.Per == "template" && (u.Used < n || float64(u.Used) > 1.3*float64(n)):
			p.t.Errorf("planned are %d bytes of the CD pipeline's template, made are %d", u.Used, n)
		case u.Where == p.config.SharedStack() && u.Used != len(p.shared().Resources):
			p.t.Errorf("planned are %d shared resources, made are %d", u.Used, len(p.shared().Resources))
		}
		if n, ok := made[u.What]; ok && n != u.Used {
			p.t.Errorf("planned are %d %s, made are %d", u.Used, u.What, n)
		}
	}
}

// shared returns the template of the shared stack.
func (p planned) shared() template {
	for file, tm := range p.templates {
		if strings.HasPrefix(file, "assembly-Tooling/ToolingShared") {
			return tm
		}
	}
	p.t.Fatal("there is no shared stack")
	return template{}
}
