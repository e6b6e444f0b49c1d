//go:build !race

package pipelines

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"composecdk/pipelines/config"
	"composecdk/test/fixture"
)

// project is a CodeBuild project as a build meets it.
type project struct {
	name string
	// spec is the text of its buildspec, env its environment variables.
	spec string
	env  map[string]string
}

// projectsOf returns the projects of a template, by the name that the project has, or else by its
// logical id.
func projectsOf(tm template) map[string]project {
	all := map[string]project{}
	for id, r := range tm.Resources {
		if at(r, "Type") != "AWS::CodeBuild::Project" {
			continue
		}
		p := project{name: id, spec: fmt.Sprint(flat(at(r, "Properties", "Source", "BuildSpec"))), env: map[string]string{}}
		if name, ok := at(r, "Properties", "Name").(string); ok {
			p.name = name
		}
		for _, v := range list(at(r, "Properties", "Environment", "EnvironmentVariables")) {
			p.env[at(v, "Name").(string)] = fmt.Sprint(flat(at(v, "Value")))
		}
		all[p.name] = p
	}
	return all
}

// flat returns a value of a template as text, in which a reference stands as its name.
func flat(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if join := list(m["Fn::Join"]); join != nil {
		var parts []string
		for _, part := range list(join[1]) {
			parts = append(parts, fmt.Sprint(flat(part)))
		}
		return strings.Join(parts, fmt.Sprint(join[0]))
	}
	return text(v)
}

// standIns are the programs that a build meets in place of the real ones. Each
// writes down how it was called: the number of its words, its name and its words, each
// ended by a NUL. What they answer is in the environment: DIGEST is what ECR knows,
// FAIL a command that fails.
var standIns = map[string]string{
	"docker": `[ "$1" != login ] || { printf 'stdin %s\n' "$(cat)" >>"$STATE/stdin"; }`,
	"aws": `case "$1 $2" in
"ecr get-login-password") echo secret ;;
"ecr describe-images") echo "$DIGEST" ;;
"s3api get-object") cp "$STATE/object.zip" "${@: -1}"; echo '"1"' ;;
"s3api put-object") for word in "$@"; do case $word in --body=*) cp "${word#--body=}" "$STATE/object.zip" ;; esac; done ;;
"s3 cp") case "${@: -2:1}" in
  */composer) cp "$COMPOSER_PROGRAM" "${@: -1}" ;;
  *.tar.gz) cp "$STATE/program.tar.gz" "${@: -1}" ;;
esac ;;
esac`,
	"npm":  ``,
	"cdk":  `mkdir -p cdk.out; printenv | grep -q AWS_CONTAINER && printf credentials >>"$STATE/credentials" || true`,
	"go":   `touch composecdk; mkdir -p tools; touch tools/composer`,
	"curl": `while [ $# -gt 0 ]; do [ "$1" != --output ] || cp "$STATE/program.tar.gz" "$2"; shift; done`,
	"npx":  ``,
}

// run is a build of a project in an empty folder.
type run struct {
	t *testing.T
	// dir is the folder of the source, state what the stand-ins leave and find.
	dir, state string
	env        map[string]string
	output     strings.Builder
}

func newRun(t *testing.T, p project, env map[string]string) *run {
	t.Helper()
	b := &run{t: t, dir: filepath.Join(t.TempDir(), "src"), state: t.TempDir(), env: map[string]string{}}
	bin := filepath.Join(b.state, "bin")
	for _, dir := range []string{b.dir, bin, filepath.Join(b.state, "home")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, does := range standIns {
		script := "#!/bin/bash\nset -eu\n{ printf '%s\\0' $(($# + 1)) " + name + ` "$@"; } >>"$STATE/calls"` + "\n" +
			`if [ "` + name + ` ${1:-} ${2:-}" = "${FAIL:-}" ] || [ "` + name + ` ${1:-}" = "${FAIL:-}" ]; then echo failed >&2; exit 1; fi` + "\n" + does + "\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	maps.Copy(b.env, map[string]string{
		"PATH": bin + ":/usr/bin:/bin", "HOME": filepath.Join(b.state, "home"), "STATE": b.state, "DIGEST": digest,
		"AWS_REGION": "eu-west-1", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials",
		"CODEBUILD_SRC_DIR": b.dir, "CODEBUILD_BUILD_NUMBER": "7",
		"CODEBUILD_RESOLVED_SOURCE_VERSION": "0123456789abcdef0123456789abcdef01234567",
	})
	maps.Copy(b.env, p.env)
	maps.Copy(b.env, env)
	return b
}

const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// write puts a file into the source.
func (b *run) write(name, content string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// run runs the phases as CodeBuild does: the commands of a phase in one shell, the
// exported variables from one phase to the next, post_build after build in any case.
func (b *run) run(p project) error {
	b.t.Helper()
	var spec struct {
		Env    struct{ Shell string }
		Phases map[string]struct{ Commands []string }
	}
	if err := yaml.Unmarshal([]byte(p.spec), &spec); err != nil {
		b.t.Fatalf("%s: %v", p.name, err)
	}
	shell := spec.Env.Shell
	if shell == "" {
		shell = "sh"
	}
	for name := range spec.Phases {
		if !slices.Contains(phases, name) {
			b.t.Fatalf("%s: CodeBuild knows no phase %q", p.name, name)
		}
	}
	var failed error
	for _, name := range phases {
		if len(spec.Phases[name].Commands) == 0 || failed != nil && name != "post_build" {
			continue
		}
		err := b.phase(shell, spec.Phases[name].Commands)
		if err != nil && name != "build" {
			return errors.Join(failed, err)
		}
		failed = errors.Join(failed, err)
		if failed != nil {
			b.env["CODEBUILD_BUILD_SUCCEEDING"] = "0"
		}
	}
	return failed
}

var phases = []string{"install", "pre_build", "build", "post_build"}

func (b *run) phase(shell string, commands []string) error {
	script := filepath.Join(b.state, "phase")
	exported := filepath.Join(b.state, "exported")
	text := strings.Join(commands, "\n") + "\nenv -0 >'" + exported + "'\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	command := exec.Command(shell, "-e", script)
	command.Dir = b.dir
	for _, name := range slices.Sorted(maps.Keys(b.env)) {
		command.Env = append(command.Env, name+"="+b.env[name])
	}
	command.Stdout, command.Stderr = &b.output, &b.output
	if err := command.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, b.output.String())
	}
	left, err := os.ReadFile(exported)
	if err != nil {
		b.t.Fatal(err)
	}
	for variable := range strings.SplitSeq(string(left), "\x00") {
		if name, value, ok := strings.Cut(variable, "="); ok {
			b.env[name] = value
		}
	}
	return nil
}

// calls returns the words of each call of a stand-in.
func (b *run) calls() [][]string {
	b.t.Helper()
	content, err := os.ReadFile(filepath.Join(b.state, "calls"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.t.Fatal(err)
	}
	words := strings.Split(string(content), "\x00")
	var all [][]string
	for len(words) > 1 {
		n, err := strconv.Atoi(words[0])
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, words[1:n+1])
		words = words[n+1:]
	}
	return all
}

// called checks the calls of a build, all of them, word by word.
func (b *run) called(want ...[]string) {
	b.t.Helper()
	got := b.calls()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			b.t.Errorf("call %d: got %q, want none", i, got[i])
		case i >= len(got):
			b.t.Errorf("call %d: got none, want %q", i, want[i])
		case !slices.Equal(got[i], want[i]):
			b.t.Errorf("call %d:\n got %q\nwant %q", i, got[i], want[i])
		}
	}
}

// unharmed checks that no text was run as a command: the hostile ones make a file.
func (b *run) unharmed() {
	b.t.Helper()
	for _, dir := range []string{b.dir, b.state, filepath.Join(b.state, "home")} {
		if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
			b.t.Error("a text was run as a command")
		}
	}
}

// gitRepository returns a bare repository with a compose file on main.
func gitRepository(t *testing.T) string {
	t.Helper()
	work, remote := t.TempDir(), filepath.Join(t.TempDir(), "compose.git")
	if err := os.WriteFile(filepath.Join(work, "compose.yml"), []byte("services: {app01: {image: busybox}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, work, "init", "--quiet", "--initial-branch=main")
	git(t, work, "add", "compose.yml")
	git(t, work, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", "first")
	git(t, work, "clone", "--quiet", "--bare", work, remote)
	return remote
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.Command("git", args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// actionOf returns an action of a template's pipeline.
func actionOf(t *testing.T, tm template, pipeline, action string) any {
	t.Helper()
	for _, p := range tm.Of("AWS::CodePipeline::Pipeline") {
		if at(p, "Properties", "Name") != pipeline {
			continue
		}
		for _, stage := range list(at(p, "Properties", "Stages")) {
			for _, a := range list(at(stage, "Actions")) {
				if at(a, "Name") == action {
					return a
				}
			}
		}
	}
	t.Fatalf("%s has no action %s", pipeline, action)
	return nil
}

// overridesOf returns the environment variables that an action gives its project.
func overridesOf(t *testing.T, action any) map[string]string {
	t.Helper()
	var variables []struct{ Name, Value string }
	if err := json.Unmarshal([]byte(at(action, "Configuration", "EnvironmentVariables").(string)), &variables); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, v := range variables {
		env[v.Name] = v.Value
	}
	return env
}

// registry is where the images of these tests are.
const registry = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"

func TestBuildPushesAndAsksECRForTheDigest(t *testing.T) {
	templates := tooling(t, toolingOf(ciApp("app01", func(a *config.App) {
		a.Build.Test = []string{"export GREETING=hello", `npm test "$GREETING"`}
		a.Build.Args = map[string]string{"B": "two words", "A": "1"}
		a.Build.Target = "release"
	})))
	p := projectsOf(templates["Ciapps"])["ci-app01"]
	b := newRun(t, p, nil)
	if err := b.run(p); err != nil {
		t.Fatal(err)
	}
	image := registry + "/shop/app01:0123456789ab-7"
	b.called(
		[]string{"npm", "test", "hello"},
		[]string{"aws", "ecr", "get-login-password"},
		[]string{"docker", "login", "--username=AWS", "--password-stdin", registry},
		[]string{"docker", "build", "--tag", image, "--file", "Dockerfile", "--build-arg", "A=1", "--build-arg", "B=two words", "--target", "release", "--", "."},
		[]string{"docker", "push", image},
		[]string{"aws", "ecr", "describe-images", "--repository-name=shop/app01", "--image-ids=imageTag=0123456789ab-7", "--query=imageDetails[0].imageDigest", "--output=text"},
	)
	equalText(t, "what docker login reads", b.left("stdin"), "stdin secret\n")
	equalText(t, "build_info.yml", b.read("build_info.yml"), "service_name: \"app01\"\nrepo_name: \"shop/app01\"\nimage_tag: "+digest+"\n")
	for name, want := range map[string]string{
		"SERVICE_NAME": "app01", "REPOSITORY_URI": registry + "/shop/app01", "IMAGE_DIGEST": digest, "IMAGE_TAG": "0123456789ab-7",
	} {
		equalText(t, "exported "+name, b.env[name], want)
	}
}

func TestBuildStopsAtTheFirstFailure(t *testing.T) {
	p := projectsOf(tooling(t, toolingOf(ciApp("app01", func(a *config.App) {
		a.Build.Test = []string{"npm test"}
	})))["Ciapps"])["ci-app01"]
	for name, test := range map[string]struct {
		env  map[string]string
		last string // the last call
	}{
		"a test fails":           {map[string]string{"FAIL": "npm test"}, "npm"},
		"no password":            {map[string]string{"FAIL": "aws ecr get-login-password"}, "aws ecr get-login-password"},
		"the login is refused":   {map[string]string{"FAIL": "docker login"}, "docker login"},
		"the image is not built": {map[string]string{"FAIL": "docker build"}, "docker build"},
		"the push is refused":    {map[string]string{"FAIL": "docker push"}, "docker push"},
		"ECR does not answer":    {map[string]string{"FAIL": "aws ecr describe-images"}, "aws ecr"},
		"ECR has no digest":      {map[string]string{"DIGEST": "None"}, "aws ecr"},
		"a digest is cut off":    {map[string]string{"DIGEST": digest[:70]}, "aws ecr"},
		"two digests":            {map[string]string{"DIGEST": digest + "\n" + digest}, "aws ecr"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newRun(t, p, test.env)
			if err := b.run(p); err == nil {
				t.Error("the build succeeds")
			}
			calls := b.calls()
			if last := strings.Join(calls[len(calls)-1], " "); !strings.HasPrefix(last, test.last) {
				t.Errorf("last call: got %q, want %q", last, test.last)
			}
			if _, err := os.Stat(filepath.Join(b.dir, "build_info.yml")); err == nil {
				t.Error("there is a build_info.yml to hand over")
			}
		})
	}
}

// hostile are texts that a shell would take for something else.
var hostile = []string{
	`it's "quoted"`, "$(touch pwned)", "`touch pwned`", "a; touch pwned", "a\ntouch pwned\n", "--privileged", "-", "é λ 💥", `\`, "'", "''; touch pwned; '",
	"${HOME}", "!LINUX!", "*", "~", "a && touch pwned", "> pwned", "\t", "%s%n", "#{Source.CommitId}", "{{resolve:ssm:x}}",
}

func TestHostileTextsChangeNoWord(t *testing.T) {
	var apps []*config.App
	for i, h := range hostile {
		apps = append(apps, ciApp(fmt.Sprintf("app%02d", i), func(a *config.App) {
			a.Service, a.Build.Dockerfile, a.Build.Context, a.Build.Target = h, h, h, h
			a.Build.Args = map[string]string{"X": h, "Y" + h: ""}
		}))
	}
	projects := projectsOf(tooling(t, toolingOf(apps...))["Ciapps"])
	for i, h := range hostile {
		p := projects[fmt.Sprintf("ci-app%02d", i)]
		b := newRun(t, p, map[string]string{"CODEBUILD_RESOLVED_SOURCE_VERSION": h + "0a"})
		if err := b.run(p); err != nil {
			t.Errorf("%q: %v", h, err)
			continue
		}
		words := b.calls()[2]
		want := []string{"--file", h, "--build-arg", "X=" + h, "--build-arg", "Y" + h + "=", "--target", h, "--", h}
		if got := words[4:]; !slices.Equal(got, want) {
			t.Errorf("docker build:\n got %q\nwant %q", got, want)
		}
		var info struct {
			Service string `yaml:"service_name"`
			Digest  string `yaml:"image_tag"`
		}
		if err := yaml.Unmarshal([]byte(b.read("build_info.yml")), &info); err != nil || info.Service != h || info.Digest != digest {
			t.Errorf("%q: build_info.yml says %q, %q: %v", h, info.Service, info.Digest, err)
		}
		b.unharmed()
	}
}

// read returns a file of the source, left one of the stand-ins.
func (b *run) read(name string) string { return b.file(b.dir, name) }

func (b *run) left(name string) string { return b.file(b.state, name) }

func (b *run) file(dir, name string) string {
	b.t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(content)
}

func equalText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// merging returns the merge project, with what an application's pipeline tells it.
func merging(t *testing.T, c *config.Config, app string) project {
	t.Helper()
	templates := tooling(t, c)
	p := projectsOf(templates["Merge"])["merge-shop"]
	maps.Copy(p.env, overridesOf(t, actionOf(t, templates["Ciapps"], "ci-"+app, "Merge")))
	return p
}

func TestMergePushesOneFile(t *testing.T) {
	p := merging(t, toolingOf(ciApp("app01", nil)), "app01")
	remote := gitRepository(t)
	env := map[string]string{"COMPOSE_URL": remote, "COMPOSER_PROGRAM": fixture.Program(t, "composer")}
	for range 2 { // the second time nothing changes
		b := newRun(t, p, env)
		b.write("build_info.yml", "service_name: app01\nrepo_name: shop/app01\nimage_tag: "+digest+"\n")
		if err := b.run(p); err != nil {
			t.Fatal(err)
		}
		b.called(
			[]string{"aws", "ecr", "describe-images", "--repository-name=shop/app01", "--image-ids=imageDigest=" + digest},
			[]string{"aws", "s3", "cp", "--only-show-errors", "s3://shop-artifacts-111111111111-eu-west-1/tools/composer", "composer"},
		)
	}
	equalText(t, "commits", strings.TrimSpace(git(t, remote, "rev-list", "--count", "main")), "2")
	equalText(t, "files that changed", strings.TrimSpace(git(t, remote, "diff", "--name-only", "main~1", "main")), "images/app01.yaml")
	contains(t, "the file", git(t, remote, "show", "main:images/app01.yaml"), registry+"/shop/app01@"+digest)
}

func TestMergeTakesOnlyADigestFromABuild(t *testing.T) {
	p := merging(t, toolingOf(ciApp("app01", nil)), "app01")
	remote := gitRepository(t)
	for name, test := range map[string]struct {
		info, fail string
		calls      int
	}{
		"a tag":                     {"image_tag: latest\n", "", 0},
		"nothing":                   {"", "", 0},
		"no digest":                 {"service_name: app01\n", "", 0},
		"too short":                 {"image_tag: " + digest[:70] + "\n", "", 0},
		"too long":                  {"image_tag: " + digest + "0\n", "", 0},
		"upper case":                {"image_tag: sha256:" + strings.Repeat("A", 64) + "\n", "", 0},
		"two":                       {"image_tag: " + digest + "\nimage_tag: " + digest + "\n", "", 0},
		"a command":                 {"image_tag: $(touch pwned)\n", "", 0},
		"an option":                 {"image_tag: --" + digest + "\n", "", 0},
		"a digest that is not ours": {"image_tag: " + digest + "\n", "aws ecr describe-images", 1},
		"no composer":               {"image_tag: " + digest + "\n", "aws s3", 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newRun(t, p, map[string]string{"COMPOSE_URL": remote, "COMPOSER_PROGRAM": fixture.Program(t, "composer"), "FAIL": test.fail})
			b.write("build_info.yml", test.info)
			if err := b.run(p); err == nil {
				t.Error("the build succeeds")
			}
			if got := len(b.calls()); got != test.calls {
				t.Errorf("got %d calls, want %d: %q", got, test.calls, b.calls())
			}
			b.unharmed()
		})
	}
	equalText(t, "commits", strings.TrimSpace(git(t, remote, "rev-list", "--count", "main")), "1")
}

// What a build says about its service and repository is not believed: they are those
// of its pipeline.
func TestMergeIsNotTalkedIntoAnotherService(t *testing.T) {
	p := merging(t, toolingOf(ciApp("app01", nil), ciApp("app02", nil)), "app02")
	remote := gitRepository(t)
	b := newRun(t, p, map[string]string{"COMPOSE_URL": remote, "COMPOSER_PROGRAM": fixture.Program(t, "composer")})
	b.write("build_info.yml", "service_name: app01\nrepo_name: shop/app01\nimage_tag: "+digest+"\n")
	if err := b.run(p); err != nil {
		t.Fatal(err)
	}
	equalText(t, "files that changed", strings.TrimSpace(git(t, remote, "diff", "--name-only", "main~1", "main")), "images/app02.yaml")
	contains(t, "the file", git(t, remote, "show", "main:images/app02.yaml"), registry+"/shop/app02@"+digest)
}

func TestMergeReplacesAnObject(t *testing.T) {
	c := toolingOf(ciApp("app01", nil))
	c.Compose.Source = config.Source{Provider: config.S3, Bucket: "sources", Key: "compose.zip"}
	p := merging(t, c, "app01")
	object := filepath.Join(t.TempDir(), "object.zip")
	writeZip(t, object, "compose.yml", "services: {}\n")
	var replaced []string
	for range 2 { // the second time nothing changes
		b := newRun(t, p, map[string]string{"COMPOSER_PROGRAM": fixture.Program(t, "composer")})
		copyTo(t, object, filepath.Join(b.state, "object.zip"))
		b.write("build_info.yml", "image_tag: '"+digest+"'\r\n")
		if err := b.run(p); err != nil {
			t.Fatal(err)
		}
		for _, call := range b.calls() {
			if call[2] == "put-object" {
				replaced = append(replaced, strings.Join(call[3:5], " "))
			}
		}
		copyTo(t, filepath.Join(b.state, "object.zip"), object)
	}
	equal(t, "what was replaced", replaced, []string{"--bucket=sources --key=compose.zip"})
	contains(t, "the file", readZip(t, object, "images/app01.yaml"), registry+"/shop/app01@"+digest)
	equalText(t, "the other file", readZip(t, object, "compose.yml"), "services: {}\n")
}

// writeZip makes a zip file of one file.
func writeZip(t *testing.T, archive, name, content string) {
	t.Helper()
	file, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(file)
	entry, err := w.Create(name)
	if err == nil {
		_, err = entry.Write([]byte(content))
	}
	if err := errors.Join(err, w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
}

func readZip(t *testing.T, archive, name string) string {
	t.Helper()
	r, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	content, err := fs.ReadFile(r, name)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestImageOfAnotherRepositoryIsCopied(t *testing.T) {
	tm := ciGroup(t, ciApp("app01", func(a *config.App) {
		a.Source = config.Source{Provider: config.ECR, Repository: "base/image", Tag: "stable"}
	}))
	p := projectsOf(tm)["ci-app01"]
	env := overridesOf(t, actionOf(t, tm, "ci-app01", "Build"))
	equalText(t, "the image", env["SOURCE_IMAGE"], registry+"/base/image@#{Source.ImageDigest}")
	source := registry + "/base/image@" + digest
	b := newRun(t, p, map[string]string{"SOURCE_IMAGE": source, "CODEBUILD_RESOLVED_SOURCE_VERSION": digest})
	if err := b.run(p); err != nil {
		t.Fatal(err)
	}
	image := registry + "/shop/app01:sha256aaaaaa-7"
	b.called(
		[]string{"aws", "ecr", "get-login-password"},
		[]string{"docker", "login", "--username=AWS", "--password-stdin", registry},
		[]string{"docker", "pull", source},
		[]string{"docker", "tag", source, image},
		[]string{"docker", "push", image},
		[]string{"aws", "ecr", "describe-images", "--repository-name=shop/app01", "--image-ids=imageTag=sha256aaaaaa-7", "--query=imageDetails[0].imageDigest", "--output=text"},
	)
}

// An application's own buildspec takes the place of ours.
func TestBuildspecOfTheApplication(t *testing.T) {
	tm := ciGroup(t, ciApp("app01", func(a *config.App) { a.Build.Spec = "ci/buildspec.yml" }))
	equalText(t, "the buildspec", projectsOf(tm)["ci-app01"].spec, "ci/buildspec.yml")
}

// Every build of the example's pipelines runs from the first to the last command.
func TestEveryBuildspecOfTheExampleRuns(t *testing.T) {
	c, found := config.Load(config.Options{File: "../../examples/blog/pipeline.yaml"})
	if c == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	c.Environments = nil // their builds are those of the CD pipeline's tests
	templates := tooling(t, c)
	n := 0
	for _, stack := range slices.Sorted(maps.Keys(templates)) {
		projects := projectsOf(templates[stack])
		for _, name := range slices.Sorted(maps.Keys(projects)) {
			p := projects[name]
			env := map[string]string{"COMPOSER_PROGRAM": fixture.Program(t, "composer"), "CODEBUILD_SRC_DIR_blog_compose_Source": t.TempDir()}
			if stack == "Merge" {
				maps.Copy(env, overridesOf(t, actionOf(t, templates["Ciapps"], "ci-app01", "Merge")))
				env["COMPOSE_URL"] = gitRepository(t)
			}
			b := newRun(t, p, env)
			b.write("build_info.yml", "image_tag: "+digest+"\n")
			if err := b.run(p); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			n++
		}
	}
	if n != 8 { // two applications, the merge, composer, and two syntheses and self-mutations
		t.Errorf("%d projects", n)
	}
}

func TestMergeIntoABranchWithAHostileName(t *testing.T) {
	for _, branch := range []string{`it's"quoted"`, "$(touch${IFS}pwned)", "`touch`", "a;touch", "release/é-💥", "a&&b", "#{x}", "a|b>c"} {
		c := toolingOf(ciApp("app01", nil))
		c.Compose.Source.Branch = branch
		c.Compose.Images = "the images of $(touch pwned)"
		p := merging(t, c, "app01")
		remote := gitRepository(t)
		git(t, remote, "branch", "-m", "main", branch)
		b := newRun(t, p, map[string]string{"COMPOSE_URL": remote, "COMPOSER_PROGRAM": fixture.Program(t, "composer")})
		b.write("build_info.yml", "image_tag: "+digest+"\n")
		if err := b.run(p); err != nil {
			t.Errorf("%q: %v", branch, err)
			continue
		}
		contains(t, branch, git(t, remote, "show", branch+":the images of $(touch pwned)/app01.yaml"), registry+"/shop/app01@"+digest)
		b.unharmed()
	}
}
