//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"composecdk/examples/blog/local"
)

// The accounts of examples/blog/pipeline.yaml.
const (
	tooling = "111111111111"
	dev     = "222222222222"
	prod    = "333333333333"
)

const pipelineFile = "examples/blog/pipeline.yaml"

// TestDelivery deploys the pipelines of the example into three accounts, and then
// does what they would do. It has an emulator of its own.
func TestDelivery(t *testing.T) {
	root, err := local.Repository()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, pipelineFile))
	if err != nil {
		t.Fatal(err)
	}
	organization := regexp.MustCompile(`OrganizationId: *"?([\w-]+)`).FindSubmatch(text)
	if organization == nil {
		t.Fatalf("%s has no OrganizationId", pipelineFile)
	}
	endpoint := local.Serve(t, map[string]string{
		"PYTHONPATH": filepath.Join(root, "test", "e2e"), "PYTHONDONTWRITEBYTECODE": "1", "E2E_ORGANIZATION": string(organization[1]),
	}, "python", "-m", "emulator")
	d := delivery{cdk: newCDK(t, emulator{strings.Replace(endpoint, "127.0.0.1", "localhost", 1)}), out: t.TempDir()}

	step(t, "pipelines: bootstrap three accounts", d.bootstrap)
	step(t, "pipelines: synthesise", d.synth)
	step(t, "pipelines: deploy from a laptop what the pipelines stand on", d.laptop)
	step(t, "pipelines: the platform pipeline deploys the rest of the tooling", d.platform)
	step(t, "pipelines: deploy once more: nothing changes", d.again)
	step(t, "pipelines: what is deployed is what the templates say", d.readBack)
	step(t, "pipelines: each action takes on its role, and nobody else does", d.roles)
	step(t, "pipelines: the ephemeral stage deploys and deletes, and leaves nothing", d.ephemeral)
	step(t, "pipelines: change sets of production", d.production)
	d.stubs(t)
}

// stubs prints the types of pipelines that have an ARN here and nothing else.
func (d delivery) stubs(t *testing.T) {
	var stubs []string
	for name, made := range d.types(t) {
		if made.By == "stub" {
			stubs = append(stubs, name)
		}
	}
	slices.Sort(stubs)
	fmt.Printf("  types of pipelines made by a stub: %s\n", strings.Join(stubs, " "))
}

type delivery struct {
	cdk
	out string
}

func (d delivery) bootstrap(t *testing.T) {
	// What they may do is no matter here: the emulator does not enforce it.
	policies := []string{"bootstrap", "--no-notices", "--cloudformation-execution-policies", "arn:aws:iam::aws:policy/AdministratorAccess"}
	trusting := map[string][]string{tooling: nil, dev: {"--trust", tooling}, prod: {"--trust", tooling}}
	err := eachAccount(trusting, func(account string) error {
		as := d.cdk
		as.as = d.admin(t, account)
		_, err := as.run(slices.Concat(policies, trusting[account], []string{"aws://" + account + "/" + region})...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (d delivery) synth(t *testing.T) {
	_, err := d.run("synth", "--quiet", "--no-notices", "--app", filepath.Join(d.root, "bin", "composecdk"), "--output", d.out,
		"-c", "pipeline="+filepath.Join(d.root, pipelineFile))
	if err != nil {
		t.Fatal(err)
	}
}

// laptop deploys what a person deploys: the shared resources, the roles of accounts
// that have managed ones, and the two pipelines that deploy themselves from then on.
func (d delivery) laptop(t *testing.T) { d.deployed(t) }

// deployed deploys what the pipelines stand on, account by account, and then the
// pipelines, which look up the key of the shared resources.
func (d delivery) deployed(t *testing.T) (output string) {
	t.Helper()
	first, last := map[string][]stackOf{}, map[string][]stackOf{}
	for _, s := range d.stacks(t) {
		switch {
		case s.id == "Platform" || s.id == "Cd":
			last[s.account] = append(last[s.account], s)
		case s.byHand():
			first[s.account] = append(first[s.account], s)
		}
	}
	for _, round := range []map[string][]stackOf{first, last} {
		printed := map[string]string{}
		var lock sync.Mutex
		err := eachAccount(round, func(account string) error {
			as := d.cdk
			as.as = d.admin(t, account)
			args := []string{"deploy", "--exclusively", "--concurrency", "3", "--no-notices", "--app", d.out, "--require-approval", "never"}
			for _, s := range round[account] {
				args = append(args, s.id)
			}
			text, err := as.run(args...)
			lock.Lock()
			defer lock.Unlock()
			printed[account] = text
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for account, stacks := range round {
			output += printed[account]
			for _, s := range stacks {
				complete(t, d.account(t, s.account), map[string]template{s.name: s.template})
			}
		}
	}
	return output
}

// eachAccount does something for all accounts side by side.
func eachAccount[V any](accounts map[string]V, do func(account string) error) error {
	errs := make([]error, 0, len(accounts))
	var all sync.WaitGroup
	var lock sync.Mutex
	for account := range accounts {
		all.Go(func() {
			err := do(account)
			lock.Lock()
			defer lock.Unlock()
			if err != nil {
				errs = append(errs, fmt.Errorf("account %s: %w", account, err))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// stackOf is a stack of the assembly or of one nested in it.
type stackOf struct {
	id, name, account, file string // id is the path of constructs
	template                template
}

// byHand reports whether a person deploys the stack.
func (s stackOf) byHand() bool {
	return !strings.Contains(s.id, "/") || strings.HasSuffix(s.id, "/Shared")
}

// stacks returns the stacks of the assembly and of all that are nested in it, shared
// resources first: the others refer to them by name.
func (d delivery) stacks(t testing.TB) []stackOf {
	t.Helper()
	var found []stackOf
	err := filepath.WalkDir(d.out, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != "manifest.json" {
			return err
		}
		var manifest struct {
			Artifacts map[string]struct {
				Type, Environment, DisplayName string
				Properties                     struct{ StackName, TemplateFile string }
			}
		}
		readJSON(t, path, &manifest)
		for id, artifact := range manifest.Artifacts {
			if artifact.Type != "aws:cloudformation:stack" {
				continue
			}
			file := filepath.Join(filepath.Dir(path), artifact.Properties.TemplateFile)
			s := stackOf{id: artifact.DisplayName, name: artifact.Properties.StackName, account: strings.Split(artifact.Environment, "/")[2], file: file}
			if s.name == "" {
				s.name = id
			}
			s.id, _, _ = strings.Cut(s.id, " ")
			readJSON(t, file, &s.template)
			found = append(found, s)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%s has no stack: %v", d.out, err)
	}
	slices.SortFunc(found, func(a, b stackOf) int { return strings.Compare(a.order(), b.order()) })
	return found
}

func (s stackOf) order() string {
	if strings.HasSuffix(s.id, "/Shared") {
		return ""
	}
	return s.id
}

// deployedPipelines returns the pipelines of the tooling account.
func (d delivery) deployedPipelines(t *testing.T) map[string]pipeline {
	t.Helper()
	found := d.delivered(t, tooling)
	pipelines := map[string]pipeline{}
	for name := range found.Pipelines {
		pipelines[name] = found.pipeline(t, name)
	}
	return pipelines
}

// stageOf finds the pipeline with a stage whose name begins as given.
func (d delivery) stageOf(t *testing.T, prefix string) (runner, string) {
	t.Helper()
	pipelines := d.deployedPipelines(t)
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		for _, s := range pipelines[name].Stages {
			if strings.HasPrefix(s.Name, prefix) {
				return d.runner(t, pipelines[name], d.out), s.Name
			}
		}
	}
	t.Fatalf("no pipeline has a stage %s: %v", prefix, slices.Sorted(maps.Keys(pipelines)))
	return runner{}, ""
}

func (d delivery) platform(t *testing.T) {
	r, stage := d.stageOf(t, "Tooling")
	ran := r.run(t, stage, anyMode)
	made := map[string]template{}
	for _, s := range d.stacks(t) {
		if s.account == tooling {
			made[s.name] = s.template
		}
	}
	resources := complete(t, d.account(t, tooling), made)
	t.Logf("%d actions; %d stacks with %d resources in the tooling account: every logical id has a physical id", ran, len(made), resources)
}

func (d delivery) again(t *testing.T) {
	before := map[string]account{}
	for _, id := range []string{tooling, dev, prod} {
		before[id] = d.account(t, id)
	}
	output := d.deployed(t)
	byHand := 0
	for _, s := range d.stacks(t) {
		if s.byHand() {
			byHand++
		}
	}
	if got := strings.Count(output, "(no changes)"); got != byHand {
		t.Errorf("%d of %d stacks have no changes:\n%s", got, byHand, output)
	}
	r, stage := d.stageOf(t, "Tooling")
	r.run(t, stage, anyMode)
	for id, was := range before {
		if !maps.EqualFunc(was.Stacks, d.account(t, id).Stacks, sameStack) {
			t.Errorf("account %s: the second deployment changed a resource", id)
		}
	}
}

// readBack compares policies, pipelines and projects that the services return with
// what the templates declare.
func (d delivery) readBack(t *testing.T) {
	compared := map[string]int{}
	for _, s := range d.stacks(t) {
		if s.account != tooling {
			continue
		}
		found, made := d.delivered(t, s.account), d.account(t, s.account).Stacks[s.name].Resources
		for _, id := range slices.Sorted(maps.Keys(s.template.Resources)) {
			declared := s.template.Resources[id]
			want, got := declaredAndMade(declared.Type, declared.Properties, found, made, id)
			if want == nil {
				continue
			}
			compared[declared.Type]++
			for _, problem := range differences(id, want, got) {
				t.Errorf("stack %s: %s", s.name, problem)
			}
		}
	}
	for _, kind := range []string{
		"AWS::ECR::Repository", "AWS::KMS::Key", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy",
		"AWS::CodePipeline::Pipeline", "AWS::CodeBuild::Project",
	} {
		if compared[kind] == 0 {
			t.Errorf("nothing of type %s was compared", kind)
		}
	}
	t.Logf("compared with the templates: %v", compared)
}

// declaredAndMade returns what a template declares of a resource, and what its service
// returns; nil for types that are not compared.
func declaredAndMade(kind string, properties map[string]any, found delivered, made map[string]resource, id string) (want, got any) {
	logical := func(v any) string {
		if ref, ok := v.(map[string]any); ok {
			if name, ok := ref["Ref"].(string); ok {
				return made[name].ID
			}
		}
		return fmt.Sprint(v)
	}
	parsed := func(raw json.RawMessage) (v any) {
		_ = json.Unmarshal(raw, &v)
		return v
	}
	switch kind {
	case "AWS::ECR::Repository":
		return properties["RepositoryPolicyText"], found.Policies[made[id].ID]
	case "AWS::KMS::Key":
		return properties["KeyPolicy"], found.Policies[made[id].ID]
	case "AWS::S3::BucketPolicy":
		return properties["PolicyDocument"], found.Policies[logical(properties["Bucket"])]
	case "AWS::SNS::TopicPolicy":
		return properties["PolicyDocument"], found.Policies[logical(properties["Topics"].([]any)[0])]
	case "AWS::CodePipeline::Pipeline":
		return map[string]any{"Stages": properties["Stages"], "RoleArn": properties["RoleArn"]}, parsed(found.Pipelines[made[id].ID])
	case "AWS::CodeBuild::Project":
		kept := maps.Clone(properties)
		for _, lost := range notKept {
			delete(kept, lost)
		}
		return kept, parsed(found.Projects[made[id].ID])
	default:
		return nil, nil
	}
}

// notKept are the properties of a project that moto checks and forgets.
var notKept = []string{"ConcurrentBuildLimit", "EncryptionKey", "BadgeEnabled", "Visibility", "ResourceAccessRole", "AutoRetryLimit"}

// differences returns where a value that is deployed is not what was declared. What a
// function gives, only a deployment tells: it stands for any text. Names are compared
// without their case, in which the APIs differ from CloudFormation.
func differences(path string, want, got any) (problems []string) {
	switch want := want.(type) {
	case map[string]any:
		if pattern := functionPattern(want); pattern != "" {
			if !regexp.MustCompile(`(?s)^(?:` + pattern + `)$`).MatchString(fmt.Sprint(got)) {
				return []string{fmt.Sprintf("%s is %v, not %s", path, got, pattern)}
			}
			return nil
		}
		fields := map[string]any{}
		if m, ok := got.(map[string]any); ok {
			for name, value := range m {
				fields[strings.ToLower(name)] = value
			}
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			problems = append(problems, differences(path+"."+name, want[name], fields[strings.ToLower(name)])...)
		}
	case []any:
		items, _ := got.([]any)
		if len(items) != len(want) {
			return []string{fmt.Sprintf("%s has %d items, not %d", path, len(items), len(want))}
		}
		for i := range want {
			problems = append(problems, differences(fmt.Sprintf("%s[%d]", path, i), want[i], items[i])...)
		}
	default:
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return []string{fmt.Sprintf("%s is %v, not %v", path, got, want)}
		}
	}
	return problems
}

// functionPattern returns a regular expression for what an intrinsic function gives, ""
// for what is none.
func functionPattern(v map[string]any) string {
	if len(v) != 1 {
		return ""
	}
	for name, argument := range v {
		switch {
		case name == "Fn::Join":
			parts, delimiter := argument.([]any)[1].([]any), argument.([]any)[0].(string)
			patterns := make([]string, len(parts))
			for i, part := range parts {
				patterns[i] = ".+"
				if text, ok := part.(string); ok {
					patterns[i] = regexp.QuoteMeta(text)
				}
			}
			return strings.Join(patterns, regexp.QuoteMeta(delimiter))
		case name == "Ref", strings.HasPrefix(name, "Fn::"):
			return ".+"
		}
	}
	return ""
}

// roles checks that every action of every pipeline has a role that the pipeline may take on,
// and that a build of the same account may not, but for those of the CDK's own
// bootstrap, which trust the account.
func (d delivery) roles(t *testing.T) {
	pipelines := d.deployedPipelines(t)
	stranger := d.build(t, "")
	taken := 0
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		r := d.runner(t, pipelines[name], d.out)
		for _, s := range r.Stages {
			for _, a := range s.Actions {
				if a.RoleArn == "" {
					continue
				}
				if _, err := r.assume(r.as, a.RoleArn); err != nil {
					t.Errorf("%s, stage %s, action %s: %v", name, s.Name, a.Name, err)
				}
				taken++
				if strings.Contains(a.RoleArn, ":role/cdk-") {
					continue
				}
				if _, err := r.assume(stranger, a.RoleArn); err == nil {
					t.Errorf("%s, stage %s, action %s: a build may take on %s", name, s.Name, a.Name, a.RoleArn)
				}
			}
		}
	}
	if taken == 0 {
		t.Error("no action has a role")
	}
	protects := d.build(t, "cd-blog-protect-")
	if _, err := d.assume(protects, "arn:aws:iam::"+prod+":role/blog-protect"); err != nil {
		t.Errorf("the build that protects the stacks: %v", err)
	}
	for _, managed := range []string{"blog-deploy", "blog-protect"} {
		role := "arn:aws:iam::" + prod + ":role/" + managed
		for name, as := range map[string]credentials{
			"a build": stranger, "an administrator of the tooling account": d.admin(t, tooling), "an administrator of account " + dev: d.admin(t, dev),
		} {
			if _, err := d.assume(as, role); err == nil {
				t.Errorf("%s may take on %s", name, role)
			}
		}
	}
	t.Logf("%d actions of %d pipelines", taken, len(pipelines))
}

// build returns the credentials of a build of the first project whose name begins as given.
func (d delivery) build(t *testing.T, prefix string) credentials {
	t.Helper()
	projects := d.delivered(t, tooling).Projects
	for _, name := range slices.Sorted(maps.Keys(projects)) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		var found struct{ ServiceRole string }
		if err := json.Unmarshal(projects[name], &found); err != nil {
			t.Fatal(err)
		}
		return d.service(t, "codebuild.amazonaws.com", found.ServiceRole, arnOf("codebuild", "project/"+name))
	}
	t.Fatalf("no project %s* is deployed", prefix)
	return credentials{}
}

func (d delivery) ephemeral(t *testing.T) {
	before := d.account(t, dev)
	r, stage := d.stageOf(t, "throwaway")
	ran := r.run(t, stage, deploys)
	full := d.account(t, dev)
	made := map[string]template{}
	for _, s := range d.stacks(t) {
		if strings.HasPrefix(s.id, "throwaway") {
			made[s.name] = s.template
		}
	}
	resources := complete(t, full, made)
	deleted := r.run(t, stage, deletes)
	if ran == 0 || deleted == 0 || len(made) == 0 {
		t.Fatalf("%d actions deployed %d stacks, %d deleted them", ran, len(made), deleted)
	}
	after := d.account(t, dev)
	for _, kind := range slices.Sorted(maps.Keys(after.Resources)) {
		was, is := slices.Sorted(slices.Values(before.Resources[kind])), slices.Sorted(slices.Values(after.Resources[kind]))
		if !slices.Equal(was, is) {
			t.Errorf("%s: before the ephemeral environment there were %v, after it %v", kind, was, is)
		}
	}
	if !slices.Equal(slices.Sorted(maps.Keys(before.Stacks)), slices.Sorted(maps.Keys(after.Stacks))) {
		t.Errorf("stacks are left: %v", slices.Sorted(maps.Keys(after.Stacks)))
	}
	t.Logf("%d actions deployed %d stacks with %d resources, %d actions deleted them: the account is as before", ran, len(made), resources, deleted)
}

// production makes the change sets that a person is asked about. They are not
// executed: the VPC of the file is not in the emulator.
func (d delivery) production(t *testing.T) {
	r, stage := d.stageOf(t, "production-blog")
	if ran := r.run(t, stage, prepares); ran == 0 {
		t.Error("no change set is made")
	}
}
