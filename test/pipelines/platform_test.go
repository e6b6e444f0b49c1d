//go:build !race

package pipelines

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/pipelines/config"
	"composecdk/test/assembly"
)

// grouped returns applications, one in each group.
func grouped(groups ...string) []*config.App {
	var apps []*config.App
	for _, group := range groups {
		apps = append(apps, ciApp("app-"+group, func(a *config.App) { a.Group = group }))
	}
	return apps
}

// runs returns the actions of a stage by their run order, each with its role: that of
// builds, of the pipeline's own stack, or of a role of the bootstrap stack.
func runs(t *testing.T, tm template, pipeline, stage string) []string {
	t.Helper()
	var all []string
	for _, s := range list(pipelineNamed(t, tm, pipeline)["Stages"]) {
		if at(s, "Name") != stage {
			continue
		}
		for _, a := range list(at(s, "Actions")) {
			role := fmt.Sprint(flat(at(a, "RoleArn")))
			role = role[strings.LastIndex(role, "/")+1:]
			all = append(all, fmt.Sprintf("%v %v as %s", at(a, "RunOrder"), at(a, "Name"), role))
		}
	}
	slices.Sort(all)
	return all
}

func TestPlatformDeploysSharedThenComposerThenTheRest(t *testing.T) {
	tm := tooling(t, toolingOf(grouped("pay", "search")...))["Platform"]
	equalText(t, "stages", strings.Join(stageNamesOf(t, tm, "platform-shop"), " "), "Source Build UpdatePipeline Tooling")
	const deploy = " as cdk-hnb659fds-deploy-role-111111111111-eu-west-1"
	got := runs(t, tm, "platform-shop", "Tooling")
	for i, line := range got {
		if strings.Contains(line, "Composer") {
			got[i], _, _ = strings.Cut(line, " as ")
		}
	}
	equalText(t, "actions", strings.Join(got, "\n"), strings.Join([]string{
		"1 shop-shared.Prepare" + deploy,
		"2 shop-shared.Deploy" + deploy,
		"3 shop-shared.Composer",
		"4 shop-ci-pay.Prepare" + deploy,
		"4 shop-ci-search.Prepare" + deploy,
		"4 shop-merge.Prepare" + deploy,
		"5 shop-ci-pay.Deploy" + deploy,
		"5 shop-ci-search.Deploy" + deploy,
		"5 shop-merge.Deploy" + deploy,
	}, "\n"))
	p := pipelineNamed(t, tm, "platform-shop")
	for key, want := range map[string]any{"PipelineType": "V2", "ExecutionMode": "QUEUED", "RestartExecutionOnUpdate": true} {
		equal(t, key, p[key], want)
	}
	for _, kind := range []string{"AWS::S3::Bucket", "AWS::KMS::Key"} {
		tm.Count(kind, 0)
	}
}

func stageNamesOf(t *testing.T, tm template, pipeline string) []string {
	t.Helper()
	var names []string
	for _, s := range list(pipelineNamed(t, tm, pipeline)["Stages"]) {
		names = append(names, at(s, "Name").(string))
	}
	return names
}

// Only the platform repository starts the pipeline: a merged image must not.
func TestPlatformStartsOnItsRepositoryOnly(t *testing.T) {
	c := toolingOf(ciApp("app01", nil))
	tm := tooling(t, c)["Platform"]
	equal(t, "repository", at(tm.One("AWS::Events::Rule"), "EventPattern", "detail", "referenceName"), []string{"main"})
	contains(t, "repository", at(tm.One("AWS::Events::Rule"), "EventPattern", "resources"), ":shop-platform")

	c.Tooling.Source = config.Source{Provider: config.Connection, Repository: "my-org/platform", Branch: "main", ConnectionARN: githubConnection}
	c.Compose.Source = config.Source{Provider: config.Connection, Repository: "my-org/compose", Branch: "main", ConnectionARN: githubConnection}
	tm = tooling(t, c)["Platform"]
	equal(t, "the platform repository is watched", at(actionOf(t, tm, "platform-shop", "Source"), "Configuration", "DetectChanges"), true)
	equal(t, "the compose repository is watched", at(actionOf(t, tm, "platform-shop", "Compose"), "Configuration", "DetectChanges"), false)
	for _, action := range []string{"Source", "Compose"} {
		role, _ := at(actionOf(t, tm, "platform-shop", action), "RoleArn", "Fn::GetAtt", 0).(string)
		if !slices.ContainsFunc(tm.Of("AWS::IAM::Policy"), func(p map[string]any) bool {
			return strings.Contains(text(at(p, "Properties", "Roles")), `"`+role+`"`) && strings.Contains(text(p), `"codeconnections:UseConnection"`)
		}) {
			t.Errorf("%s may not use its connection", action)
		}
	}

	c.Tooling.Source = config.Source{Provider: config.S3, Bucket: "sources", Key: "platform.zip"}
	tm = tooling(t, c)["Platform"]
	equal(t, "the object", at(tm.One("AWS::Events::Rule"), "EventPattern", "detail"), map[string]any{
		"bucket": map[string]any{"name": []string{"sources"}}, "object": map[string]any{"key": []string{"platform.zip"}},
	})
}

// What compiles and synthesises files of people must be able to do nothing else.
func TestPlatformBuildsAreLeastPrivilege(t *testing.T) {
	tm := tooling(t, toolingOf(ciApp("app01", nil)))["Platform"]
	equalRights(t, "the synthesis", rights(t, tm, "SynthRole"), map[string]string{
		"WriteLogs":      "logs:CreateLogStream logs:PutLogEvents on " + logsOf(t, tm, "SynthLogs"),
		"ReadArtifacts":  "s3:GetObject s3:GetObjectVersion on " + artifactBucket + "/platform-shop/* " + artifactBucket + "/cache/platform-shop-synth/*",
		"WriteArtifacts": "s3:PutObject on " + artifactBucket + "/platform-shop/* " + artifactBucket + "/cache/platform-shop-synth/*",
		"UseKey":         useSharedKey,
	})
	equalRights(t, "the upload of composer", rights(t, tm, "ComposerRole"), map[string]string{
		"WriteLogs":      "logs:CreateLogStream logs:PutLogEvents on " + logsOf(t, tm, "ComposerLogs"),
		"ReadArtifacts":  "s3:GetObject s3:GetObjectVersion on " + artifactBucket + "/platform-shop/*",
		"WriteArtifacts": "s3:PutObject on " + artifactBucket + "/tools/composer",
		"UseKey":         useSharedKey,
	})
	for _, p := range tm.Of("AWS::CodeBuild::Project") {
		name, _ := at(p, "Properties", "Name").(string)
		if name == "" {
			continue // the self-mutation, whose rights are the CDK's
		}
		role := text(at(p, "Properties", "ServiceRole"))
		for _, policy := range tm.Of("AWS::IAM::Policy") {
			for id, r := range tm.Resources {
				if at(r, "Type") == "AWS::IAM::Role" && strings.Contains(role, `"`+id+`"`) && strings.Contains(text(at(policy, "Properties", "Roles")), `"`+id+`"`) {
					t.Errorf("%s: the CDK gives its role %s more", name, id)
				}
			}
		}
	}
}

// What the CDK gives actions must trust the pipeline's role alone.
func TestPlatformActionRolesTrustThePipeline(t *testing.T) {
	tm := tooling(t, toolingOf(ciApp("app01", nil)))["Platform"]
	role, _ := at(pipelineNamed(t, tm, "platform-shop"), "RoleArn", "Fn::GetAtt", 0).(string)
	n := 0
	for _, stage := range list(pipelineNamed(t, tm, "platform-shop")["Stages"]) {
		for _, a := range list(at(stage, "Actions")) {
			id, own := at(a, "RoleArn", "Fn::GetAtt", 0).(string)
			if !own {
				continue // a role of the bootstrap stack
			}
			n++
			equal(t, id, at(tm.Resources[id], "Properties", "AssumeRolePolicyDocument", "Statement", 0, "Principal"),
				map[string]any{"AWS": map[string]any{"Fn::GetAtt": []string{role, "Arn"}}})
		}
	}
	if n != 5 { // two sources, synthesis, self-mutation, composer
		t.Errorf("got %d actions with a role of the stack, want 5", n)
	}
}

// The versions that the pipelines install are those that this repository works with.
func TestPlatformVersionsArePinned(t *testing.T) {
	var manifest struct{ DevDependencies map[string]string }
	assembly.ReadJSON(t, "../../package.json", &manifest)
	projects := projectsOf(tooling(t, toolingOf(ciApp("app01", nil)))["Platform"])
	var mutation project
	for name, p := range projects {
		if strings.Contains(name, "SelfMutation") {
			mutation = p
		}
	}
	contains(t, "the self-mutation", mutation.spec, "aws-cdk@"+manifest.DevDependencies["aws-cdk"])
	out, err := exec.Command("go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Go string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	toolchain := projects["platform-shop-synth"].env["GOTOOLCHAIN"]
	if !strings.HasPrefix(toolchain, "go"+module.Go+".") {
		t.Errorf("the toolchain is %q, and go.mod wants %s", toolchain, module.Go)
	}
}

// platformRun returns a run of a project of the platform pipeline, by a part of its name.
func platformRun(t *testing.T, c *config.Config, name string, env map[string]string) (*run, project) {
	t.Helper()
	all := projectsOf(tooling(t, c)["Platform"])
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if strings.Contains(key, name) {
			b := newRun(t, all[key], env)
			return b, all[key]
		}
	}
	t.Fatalf("no project %s", name)
	return nil, project{}
}

func TestSynthesisCompilesAndSynthesises(t *testing.T) {
	for _, file := range append([]string{"pipeline.yaml", "of the shop/pipeline.yaml"}, hostile...) {
		if strings.Contains(file, "#{") {
			continue // the CDK takes it for a variable of the pipeline
		}
		c := toolingOf(ciApp("app01", nil))
		c.Tooling.File = file
		compose := t.TempDir()
		if err := os.WriteFile(filepath.Join(compose, ".hidden"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		b, p := platformRun(t, c, "synth", map[string]string{"CODEBUILD_SRC_DIR_shop_compose_Source": compose})
		if err := b.run(p); err != nil {
			t.Errorf("%q: %v", file, err)
			continue
		}
		b.called(
			[]string{"npm", "ci", "--no-audit", "--no-fund"},
			[]string{"go", "build", "-trimpath", "-o", "composecdk", "."},
			[]string{"go", "build", "-trimpath", "-o", "tools/composer", "./cmd/composer"},
			[]string{"cdk", "synth", "--app", "./composecdk", "--no-lookups", "--quiet", "--context", "pipeline=" + file, "--context", "checkout=checkout", "--context", "unreleased=true"},
		)
		if info, err := os.Lstat(filepath.Join(b.dir, "checkout", ".hidden")); err != nil || !info.Mode().IsRegular() {
			t.Errorf("the compose files are not copied: %v", err)
		}
		if _, err := os.Stat(filepath.Join(b.state, "credentials")); err == nil {
			t.Error("the CDK has credentials")
		}
		b.unharmed()
	}
}

func TestSynthesisStopsAtTheFirstFailure(t *testing.T) {
	for _, fail := range []string{"npm ci", "go build", "cdk synth"} {
		b, p := platformRun(t, toolingOf(ciApp("app01", nil)), "synth", map[string]string{
			"FAIL": fail, "CODEBUILD_SRC_DIR_shop_compose_Source": t.TempDir(),
		})
		if err := b.run(p); err == nil {
			t.Errorf("%s fails, and the build succeeds", fail)
		}
		if calls := b.calls(); strings.Join(calls[len(calls)-1][:2], " ") != fail {
			t.Errorf("%s fails, and the last call is %q", fail, calls[len(calls)-1])
		}
	}
}

// A released program runs only if it is the one that was released.
func TestSynthesisChecksAReleasedProgram(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "program.tar.gz")
	files := t.TempDir()
	for _, name := range []string{"composecdk", "composer"} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(name), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("tar", "-czf", archive, "-C", files, "composecdk", "composer").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sum, err := exec.Command("sha256sum", archive).Output()
	if err != nil {
		t.Fatal(err)
	}
	fetches := map[string][]string{
		"s3://releases/v1/composecdk.tar.gz": {"aws", "s3", "cp", "--only-show-errors", "s3://releases/v1/composecdk.tar.gz", "program.tar.gz"},
		"https://example.org/it's a $(touch pwned).tar.gz": {
			"curl", "--fail", "--silent", "--show-error", "--location", "--proto", "=https", "--output", "program.tar.gz", "--",
			"https://example.org/it's a $(touch pwned).tar.gz",
		},
	}
	for uri, fetch := range fetches {
		for _, right := range []bool{true, false} {
			c := toolingOf(ciApp("app01", nil))
			c.Compose.Source = c.Tooling.Source
			c.Tooling.Binary = &config.Binary{URI: uri, SHA256: string(sum[:64])}
			if !right {
				c.Tooling.Binary.SHA256 = strings.Repeat("0", 64)
			}
			b, p := platformRun(t, c, "synth", nil)
			copyTo(t, archive, filepath.Join(b.state, "program.tar.gz"))
			err := b.run(p)
			if right != (err == nil) {
				t.Errorf("%s: the checksum is right: %v, the build: %v", uri, right, err)
			}
			want := [][]string{fetch}
			if right {
				want = append(want, []string{"npm", "ci", "--no-audit", "--no-fund"},
					[]string{"cdk", "synth", "--app", "./composecdk", "--no-lookups", "--quiet", "--context", "pipeline=pipeline.yaml", "--context", "unreleased=true"})
				equalText(t, "composer", b.read("tools/composer"), "composer")
			}
			b.called(want...)
			b.unharmed()
		}
	}
}

func TestComposerIsUploaded(t *testing.T) {
	b, p := platformRun(t, toolingOf(ciApp("app01", nil)), "composer", nil)
	if err := b.run(p); err != nil {
		t.Fatal(err)
	}
	b.called([]string{"aws", "s3", "cp", "--only-show-errors", "composer", "s3://shop-artifacts-111111111111-eu-west-1/tools/composer"})
}

// The CDK's own build deploys the pipeline's stack out of the assembly, with the CLI
// that is pinned.
func TestSelfMutation(t *testing.T) {
	b, p := platformRun(t, toolingOf(ciApp("app01", nil)), "SelfMutation", nil)
	if err := b.run(p); err != nil {
		t.Fatal(err)
	}
	calls := b.calls()
	equal(t, "the deployment", calls[len(calls)-1], []string{"cdk", "-a", ".", "deploy", "Platform", "--require-approval=never", "--verbose"})
}
