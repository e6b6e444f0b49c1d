package programs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// call is how the program is called, as the CDK CLI does it.
type call struct {
	dir     string         // working directory; "" is a new folder
	context map[string]any // what -c and cdk.json say; nil leaves the variable out
	environ map[string]string
	args    []string
}

// outcome is what came of it.
type outcome struct {
	t              *testing.T
	status         int
	stdout, stderr string
	assembly       string
}

func (c call) run(t *testing.T) outcome {
	t.Helper()
	path := fixture.Program(t, "composecdk")
	if c.dir == "" {
		c.dir = t.TempDir()
	}
	environ := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"),
		"CDK_OUTDIR": filepath.Join(t.TempDir(), "cdk.out"), "CDK_VALIDATION": "false",
	}
	if c.context != nil {
		text, err := json.Marshal(c.context)
		if err != nil {
			t.Fatal(err)
		}
		environ["CDK_CONTEXT_JSON"] = string(text)
	}
	maps.Copy(environ, c.environ)
	cmd := exec.Command(path, c.args...)
	cmd.Dir = c.dir
	for name, value := range environ {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	o := outcome{t, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), environ["CDK_OUTDIR"]}
	if o.stdout != "" {
		t.Errorf("the program printed on standard output, which is the CDK CLI's:\n%s", o.stdout)
	}
	if strings.Contains(o.stderr, "goroutine ") || strings.Contains(o.stderr, ".js:") {
		t.Errorf("a user sees a stack trace:\n%s", o.stderr)
	}
	return o
}

// clean fails the test unless the program succeeded without a word.
func (o outcome) clean() outcome {
	o.t.Helper()
	if o.status != 0 || o.stderr != "" {
		o.t.Fatalf("exit status %d, want 0 and nothing on standard error:\n%s", o.status, o.stderr)
	}
	return o
}

// read returns a file of the assembly; a * in its name stands for a hash.
func (o outcome) read(pattern string) string {
	o.t.Helper()
	names, err := filepath.Glob(filepath.Join(o.assembly, pattern))
	if err != nil || len(names) != 1 {
		o.t.Fatalf("%d files are %s: %v", len(names), pattern, err)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		o.t.Fatal(err)
	}
	return string(text)
}

// images returns the containers of the Services stack as name=image, sorted.
func (o outcome) images() string {
	o.t.Helper()
	var parsed struct{ Resources map[string]any }
	if err := json.Unmarshal([]byte(o.read("*Services*.template.json")), &parsed); err != nil {
		o.t.Fatal(err)
	}
	var images []string
	for _, task := range (assembly.Template{T: o.t, Resources: parsed.Resources}).Of("AWS::ECS::TaskDefinition") {
		for _, c := range assembly.At(task, "Properties", "ContainerDefinitions").([]any) {
			images = append(images, fmt.Sprintf("%v=%v", assembly.At(c, "Name"), assembly.At(c, "Image")))
		}
	}
	slices.Sort(images)
	return strings.Join(images, " ")
}

// stackNames returns the stacks of the main assembly with the environment of each.
func (o outcome) stackNames() string {
	o.t.Helper()
	var manifest struct {
		Missing   []any
		Artifacts map[string]struct {
			Type, Environment, DisplayName string
			Properties                     struct{ StackName string }
		}
	}
	if err := json.Unmarshal([]byte(o.read("manifest.json")), &manifest); err != nil {
		o.t.Fatal(err)
	}
	if len(manifest.Missing) > 0 {
		o.t.Errorf("context is missing: %v", manifest.Missing)
	}
	var names []string
	for _, a := range manifest.Artifacts {
		if a.Type == "aws:cloudformation:stack" {
			names = append(names, fmt.Sprintf("%s=%s@%s", a.DisplayName, a.Properties.StackName, a.Environment))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestProgramInput: the program must find the compose files in every way that a
// user of the CDK or of Docker can say which they are.
func TestProgramInput(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{
		"compose.yaml":          "name: found\nservices: {web: {image: 'web:1'}}\n",
		"compose.override.yaml": "services: {web: {image: 'web:2'}}\n",
		"a/a.yml":               "name: shop\nservices: {web: {image: 'web:3'}}\n",
		"c/c.yml":               "services: {debug: {image: 'debug:1', profiles: [dev]}}\n",
		"b/b.yml":               "services: {web: {image: 'web:4'}}\n",
	})
	overflow := filepath.Join(dir, "overflow.json")
	if err := os.WriteFile(overflow, []byte(`{"compose": "a/a.yml", "env": "big"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	a, b := filepath.Join(dir, "a/a.yml"), filepath.Join(dir, "b/b.yml")
	for name, test := range map[string]struct {
		call
		images, stack string
	}{
		"context, relative":      {call{dir: dir, context: map[string]any{"compose": "a/a.yml,b/b.yml"}}, "web=web:4", "shop"},
		"context, absolute":      {call{context: map[string]any{"compose": a + "," + b}}, "web=web:4", "shop"},
		"context, a list":        {call{dir: dir, context: map[string]any{"compose": []string{a, "b/b.yml"}}}, "web=web:4", "shop"},
		"context in a file":      {call{dir: dir, context: map[string]any{}, environ: map[string]string{"CONTEXT_OVERFLOW_LOCATION_ENV": overflow}}, "web=web:3", "shop-big"},
		"context, not COMPOSE_*": {call{dir: dir, context: map[string]any{"compose": "a/a.yml"}, environ: map[string]string{"COMPOSE_FILE": "b/b.yml"}}, "web=web:3", "shop"},
		"Docker's variables": {call{dir: dir, environ: map[string]string{
			"COMPOSE_FILE": "a/a.yml:b/b.yml:c/c.yml", "COMPOSE_PROFILES": "dev", "COMPOSE_PROJECT_NAME": "other",
		}}, "debug=debug:1 web=web:4", "other"},
		"working directory, with override": {call{dir: dir}, "web=web:2", "found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.run(t).clean()
			if images := got.images(); images != test.images {
				t.Errorf("containers are %s, want %s", images, test.images)
			}
			if names := got.stackNames(); !strings.Contains(names, test.stack+"/Services="+test.stack+"-Services@") {
				t.Errorf("stacks are %s, want those of %s", names, test.stack)
			}
		})
	}
}

// TestProgramDefault: where nothing is given the example is synthesised, into
// templates that fit any account, and the embedded cdk.json does what the file does.
func TestProgramDefault(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	alone := call{dir: root}.run(t).clean()
	want := "blog/Data=blog-Data@aws://unknown-account/unknown-region " +
		"blog/Network=blog-Network@aws://unknown-account/unknown-region " +
		"blog/Services=blog-Services@aws://unknown-account/unknown-region"
	if got := alone.stackNames(); got != want {
		t.Errorf("stacks are\n%s, want\n%s", got, want)
	}
	context := map[string]any{}
	if err := json.Unmarshal([]byte(os.Getenv("CDK_CONTEXT_JSON")), &context); err != nil {
		t.Fatal(err)
	}
	flagged := call{dir: root, context: context}.run(t).clean()
	for _, stack := range []string{"Network", "Data", "Services"} {
		text := alone.read("*" + stack + "*.template.json")
		if other := flagged.read("*" + stack + "*.template.json"); text != other {
			t.Errorf("%s: with the flags of cdk.json:\n%s", stack, assembly.FirstDifference(text, other))
		}
		if found := regexp.MustCompile(`[":]\d{12}[":]|dummy1|[a-z]{2}-[a-z]+-\d[a-f]?"`).FindString(text); found != "" {
			t.Errorf("%s: %q fits one account or region only", stack, found)
		}
	}
}

// TestProgramSummary holds what a user sees at the end of `make synth`.
func TestProgramSummary(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"blog": "examples/blog/compose.yaml", "rich": "test/fixture/testdata/rich/compose.yaml"} {
		got := call{dir: root, context: map[string]any{"compose": file}}.run(t)
		fixture.Golden(t, "testdata/"+name+"-summary.txt", got.read("summary.txt"))
	}
}

// TestProgramTarget: an account and a region bind the stacks without a look-up,
// and the environment names them.
func TestProgramTarget(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{"compose.yaml": "name: shop\nservices: {web: {image: 'web:1'}}\n"})
	target := map[string]any{"account": "111111111111", "region": "eu-west-1", "env": "prod"}
	kept := call{dir: dir, context: target}.run(t).clean()
	if got := kept.stackNames(); !strings.Contains(got, "shop-prod/Network=shop-prod-Network@aws://111111111111/eu-west-1") {
		t.Errorf("stacks are %s", got)
	}
	if text := kept.read("*Network*.template.json"); strings.Contains(text, "dummy") {
		t.Error("a template has a dummy in place of a zone")
	}
	for want, part := range map[string]map[string]any{
		"aws://111111111111/unknown-region":  {"account": "111111111111"},
		"aws://unknown-account/eu-central-1": {"region": "eu-central-1"},
	} {
		if got := (call{dir: dir, context: part}).run(t).clean().stackNames(); !strings.Contains(got, want) {
			t.Errorf("%v: stacks are %s, want %s", part, got, want)
		}
	}
	target["ephemeral"] = "true"
	target["account"] = 111111111111 // as a cdk.json may have it
	gone := call{dir: dir, context: target}.run(t).clean()
	delete(target, "ephemeral")
	target["throwaway"] = "true" // the name of earlier releases
	if text := (call{dir: dir, context: target}.run(t).clean()).read("*Services*.template.json"); text != gone.read("*Services*.template.json") {
		t.Error("-c throwaway=true must be -c ephemeral=true")
	}
	if text := gone.read("*Services*.template.json"); strings.Contains(text, `"Retain"`) || !strings.Contains(kept.read("*Services*.template.json"), `"Retain"`) {
		t.Error("logs must be kept, but in an ephemeral environment")
	}
}

// TestProgramDiagnostics: all errors at once, at their places with the line and a
// caret, end with status 1; warnings are printed and end with 0.
func TestProgramDiagnostics(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{
		"wrong.yml": `services:
  web:
    image: web:1
    ports: ["80:800000"]
    depends_on: [dbb]
    x-scaling: {Range: "4-1"}
x-sqs:
  jobs:
    Services: {web: {Access: RW}}
`,
		"old.yml":    "services: {web: {image: 'web:1', hostname: abc}}\n",
		"syntax.yml": "services:\n  web: [\n",
	})
	t.Run("errors", func(t *testing.T) {
		got := call{dir: dir, context: map[string]any{"compose": "wrong.yml"}}.run(t)
		fixture.Golden(t, "testdata/wrong.out", got.stderr)
		if got.status != 1 {
			t.Errorf("exit status %d, want 1", got.status)
		}
		if _, err := os.Stat(filepath.Join(got.assembly, "manifest.json")); err == nil {
			t.Error("an assembly was written")
		}
	})
	t.Run("syntax", func(t *testing.T) {
		got := call{dir: dir, context: map[string]any{"compose": "syntax.yml"}}.run(t)
		if got.status != 1 || !regexp.MustCompile(`^syntax\.yml:\d+:\d+: .*\n +\d+ \| .*\n +\| +\^`).MatchString(got.stderr) {
			t.Errorf("exit status %d:\n%s", got.status, got.stderr)
		}
	})
	t.Run("no file", func(t *testing.T) {
		got := call{dir: dir, context: map[string]any{"compose": "none.yml,nor-this.yml"}}.run(t)
		if got.status != 1 || !strings.Contains(got.stderr, "none.yml") || !strings.Contains(got.stderr, "nor-this.yml") {
			t.Errorf("exit status %d:\n%s", got.status, got.stderr)
		}
	})
	t.Run("warnings", func(t *testing.T) {
		got := call{dir: dir, context: map[string]any{"compose": "old.yml"}}.run(t)
		if got.status != 0 || !strings.Contains(got.stderr, "old.yml:1:") || !strings.Contains(got.stderr, ": warning: ") {
			t.Errorf("exit status %d, want 0 and a warning:\n%s", got.status, got.stderr)
		}
		got.read("manifest.json")
	})
}

// TestProgramTemplateErrors: what the CDK's validation has against a template is
// told at the place of the compose file that it came from.
func TestProgramTemplateErrors(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{"compose.yaml": `services:
  web:
    image: web:1
x-sqs:
  jobs:
    Properties:
      VisibilityTimeout: 30
      DelayTheseSeconds: 5
`})
	got := call{dir: dir, environ: map[string]string{"CDK_VALIDATION": "true"}}.run(t)
	if got.status != 1 || !strings.Contains(got.stderr, "compose.yaml:8:7: x-sqs.jobs.Properties.DelayTheseSeconds: ") {
		t.Errorf("exit status %d:\n%s", got.status, got.stderr)
	}
}

// TestProgramAllErrors: all that is known without the CDK is told at once, without
// starting it; the mistakes that only the CDK knows are told when these are corrected.
func TestProgramAllErrors(t *testing.T) {
	t.Parallel()
	wrong := `services:
  web:
    imag: web:1
x-sqs:
  jobs:
    Properties:
      VisibilityTimeout: long
      DelayTheseSeconds: 5
      RedrivePolicy: {deadLetterTargetArn: x-sqs::faild::Arn, maxReceiveCount: 3}
    Services:
      web: {Access: RWMessage}
`
	right := strings.NewReplacer("imag:", "image:", "x-sqs::faild::Arn", "x-sqs::jobs2::Arn", "RWMessage", "RWMessages").Replace(wrong) + "  jobs2: {}\n"
	for file, want := range map[string][]string{
		"wrong.yaml": {"3 compose-schema", "9 reference-unknown", "11 access-unknown"},
		"right.yaml": {"7 property-type"},
	} {
		dir := fixture.Folder(t, map[string]string{"wrong.yaml": wrong, "right.yaml": right})
		got := call{dir: dir, context: map[string]any{"compose": file}, environ: map[string]string{"CDK_VALIDATION": "true"}}.run(t)
		var codes []string
		for _, line := range regexp.MustCompile(`(?m)^\w+\.yaml:(\d+):\d+: .*\[(.*)\]$`).FindAllStringSubmatch(got.stderr, -1) {
			codes = append(codes, line[1]+" "+line[2])
		}
		if !slices.Equal(codes, want) || got.status != 1 {
			t.Errorf("%s: got %q, want %q; exit status %d:\n%s", file, codes, want, got.status, got.stderr)
		}
		if left, _ := filepath.Glob(filepath.Join(got.assembly, "*.template.json")); len(left) > 0 {
			t.Errorf("an assembly with errors in its input: %v", left)
		}
	}
}

// TestProgramUsage: a wrong call ends with status 2, says all that is wrong with
// it, and touches nothing.
func TestProgramUsage(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{"compose.yaml": "services: {web: {image: 'web:1'}}\n", "file": ""})
	for name, test := range map[string]struct {
		call
		want string
	}{
		"an argument": {
			call{dir: dir, args: []string{"synth", "x"}},
			`unexpected argument "synth": settings are CDK context, such as cdk synth -c compose=FILE`,
		},
		"no value": {call{dir: dir, context: map[string]any{"compose": ""}}, "-c compose=: expected compose files, separated by commas"},
		"an empty file name": {
			call{dir: dir, context: map[string]any{"compose": "a.yml,"}},
			"-c compose=a.yml,: expected compose files, separated by commas",
		},
		"several values": {
			call{dir: dir, context: map[string]any{"account": "12", "region": "Dublin", "env": "a b", "ephemeral": "yes", "compsoe": "x"}},
			`-c compsoe: did you mean "compose"?
-c account=12: expected an account id of 12 digits
-c region=Dublin: expected an AWS region, such as eu-west-1
-c env=a b: expected letters, digits and -
-c ephemeral=yes: expected true or false`,
		},
		"broken context": {
			call{dir: dir, environ: map[string]string{"CDK_CONTEXT_JSON": "{"}},
			"CDK_CONTEXT_JSON is not a JSON object",
		},
		"context of another type": {
			call{dir: dir, environ: map[string]string{"CDK_CONTEXT_JSON": "[1]"}},
			"CDK_CONTEXT_JSON is not a JSON object",
		},
		"no overflow file": {
			call{dir: dir, environ: map[string]string{"CONTEXT_OVERFLOW_LOCATION_ENV": "none.json"}},
			"the context of the CDK CLI: open none.json: no such file or directory",
		},
		"a file for an output folder": {
			call{dir: dir, environ: map[string]string{"CDK_OUTDIR": "file"}},
			"CDK_OUTDIR: mkdir file: not a directory",
		},
		"an output folder that cannot be": {
			call{dir: dir, environ: map[string]string{"CDK_OUTDIR": "/proc/none"}},
			"CDK_OUTDIR: mkdir /proc/none: no such file or directory",
		},
		"no compose file": {
			call{},
			"no compose file: give -c compose=FILE, set COMPOSE_FILE, or run in a folder with a compose.yaml",
		},
		"no Node.js": {
			call{dir: dir, environ: map[string]string{"PATH": "/none"}},
			"no Node.js on the PATH: the CDK library needs it; npm ci installs the right one in node_modules/.bin",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.run(t)
			want := "composecdk: " + strings.ReplaceAll(test.want, "\n", "\ncomposecdk: ") + "\n"
			if got.status != 2 || got.stderr != want {
				t.Errorf("exit status %d, want 2, and\n%swant\n%s", got.status, got.stderr, want)
			}
		})
	}
}

// TestProgramForeignContext: the context of the CDK CLI and of other programs is
// none of ours.
func TestProgramForeignContext(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{"compose.yaml": "services: {web: {image: 'web:1'}}\n"})
	call{dir: dir, context: map[string]any{
		"availability-zones:account=111111111111:region=eu-west-1": []string{"eu-west-1a"},
		"cli-telemetry": false, "acknowledged-issue-numbers": []int{1}, "accounts": map[string]any{"dev": "1"}, "stage": "x",
	}}.run(t).clean()
}

// TestProgramCredentials: the credentials of whoever synthesises must not get into a
// template, whatever the compose file asks for, unless the user and the file both say
// that they are none.
func TestProgramCredentials(t *testing.T) {
	t.Parallel()
	const content = `services:
  web:
    image: web:1
    environment:
      - AWS_SECRET_ACCESS_KEY
      - TOKEN=${AWS_SESSION_TOKEN:-none}
      - SHOWN=${COLOUR}
`
	dir := fixture.Folder(t, map[string]string{"compose.yaml": content})
	got := call{dir: dir, environ: map[string]string{"AWS_SECRET_ACCESS_KEY": "leak1", "AWS_SESSION_TOKEN": "leak2", "COLOUR": "blue"}}.run(t)
	want := []string{"compose.yaml:5:9: services.web.environment.AWS_SECRET_ACCESS_KEY: variable AWS_SECRET_ACCESS_KEY ", "compose.yaml:6:9: services.web.environment[1]: variable AWS_SESSION_TOKEN "}
	for _, each := range want {
		if !strings.Contains(got.stderr, each) {
			t.Errorf("it does not say %q", each)
		}
	}
	if got.status != 1 || strings.Contains(got.stderr, "leak") || strings.Count(got.stderr, "[variable-refused]") != len(want) {
		t.Errorf("exit status %d:\n%s", got.status, got.stderr)
	}
	given := map[string]string{"AWS_SECRET_ACCESS_KEY": "given1", "AWS_SESSION_TOKEN": "given2", "COLOUR": "blue"}
	allowed := call{dir: dir, context: map[string]any{"allow": "AWS_SECRET_ACCESS_KEY,AWS_SESSION_TOKEN"}, environ: given}
	if got := allowed.run(t); got.status != 1 || strings.Contains(got.stderr, "given") || strings.Count(got.stderr, "[plain-secret]") != len(want) {
		t.Errorf("with -c allow: exit status %d:\n%s", got.status, got.stderr)
	}
	allowed.dir = fixture.Folder(t, map[string]string{"compose.yaml": content + "    x-ecs: {NotSecret: [AWS_SECRET_ACCESS_KEY, TOKEN]}\n"})
	if text := allowed.run(t).clean().read("*Services*.template.json"); !strings.Contains(text, `"given2"`) || !strings.Contains(text, `"blue"`) {
		t.Errorf("what is allowed, and no secret, is not in the template:\n%s", text)
	}
}

// TestProgramUntrusted: with -c untrusted=true, and in every pipeline, compose
// files get what .env and -c allow give them, and nothing lets them reach further.
func TestProgramUntrusted(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{
		".env":          "COMPOSE_PROJECT_NAME=shop\nSHAPE=round\n",
		"compose.yaml":  "services: {web: {image: 'web:1', environment: [COLOUR, SHAPE]}}\n",
		"sub/main.yaml": "name: sub\ninclude: [../common.yaml]\nservices: {web: {image: 'web:1'}}\n",
		"common.yaml":   "services: {common: {image: 'common:1'}}\n",
	})
	untrusted, pipeline := map[string]any{"untrusted": "true"}, map[string]string{"CODEBUILD_BUILD_ID": "x:1", "COLOUR": "blue"}
	with := func(more map[string]any) map[string]any {
		context := maps.Clone(untrusted)
		maps.Copy(context, more)
		return context
	}
	for name, test := range map[string]struct {
		call
		status int
		want   string // in the template, or printed
	}{
		"what is not allowed":         {call{dir: dir, context: untrusted, environ: map[string]string{"COLOUR": "blue"}}, 1, "variable COLOUR is set in the environment"},
		"what is allowed":             {call{dir: dir, context: with(map[string]any{"allow": "COLOUR"}), environ: map[string]string{"COLOUR": "blue"}}, 0, `"blue"`},
		"what .env says":              {call{dir: dir, context: untrusted, environ: map[string]string{"SHAPE": "square"}}, 0, `"round"`},
		"a pipeline":                  {call{dir: dir, environ: pipeline}, 1, "variable COLOUR is set in the environment"},
		"a pipeline that trusts":      {call{dir: dir, context: map[string]any{"untrusted": "false"}, environ: pipeline}, 2, "this is a pipeline (CODEBUILD_BUILD_ID is set)"},
		"a credential":                {call{dir: dir, context: with(map[string]any{"allow": "COLOUR,NPM_TOKEN"})}, 2, "-c allow=NPM_TOKEN: it looks like a credential"},
		"Docker's variables":          {call{dir: dir, context: untrusted, environ: map[string]string{"COMPOSE_PROFILES": "dev"}}, 2, "COMPOSE_PROFILES is set"},
		"Docker's variables, allowed": {call{dir: dir, context: with(map[string]any{"allow": "COMPOSE_PROJECT_NAME"}), environ: map[string]string{"COMPOSE_PROJECT_NAME": "named"}}, 0, "named"},
		"a root above":                {call{dir: dir, context: with(map[string]any{"root": ".."})}, 2, "-c root=..: for untrusted compose files"},
		"a root elsewhere":            {call{dir: dir, context: with(map[string]any{"root": "/"})}, 2, "-c root=/: for untrusted compose files"},
		"no root":                     {call{dir: dir, context: with(map[string]any{"compose": "sub/main.yaml"})}, 1, "sub/main.yaml:2:11: include[0]: the file common.yaml lies outside the project's folder [path-outside]"},
		"a root":                      {call{dir: dir, context: with(map[string]any{"compose": "sub/main.yaml", "root": "."})}, 0, "common:1"},
		"a root that is none":         {call{dir: dir, context: map[string]any{"root": "none"}}, 1, "there is no folder none"},
		"no name":                     {call{dir: dir, context: map[string]any{"allow": "A;B"}}, 2, "-c allow=A;B: expected names of environment variables"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.run(t)
			said := got.stderr
			if got.status == 0 {
				said = got.read("*Services*.template.json")
			}
			if got.status != test.status || !strings.Contains(said, test.want) {
				t.Errorf("exit status %d, want %d and %q:\n%s", got.status, test.status, test.want, got.stderr)
			}
		})
	}
}

// TestProgramLinks: what a link in a build context leads to must not be copied
// into the assembly.
func TestProgramLinks(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{
		"compose.yaml":   "services: {web: {build: ./web}}\n",
		"web/Dockerfile": "FROM scratch\nCOPY . .\n", "../secret": "leak",
	})
	if err := os.Symlink("../../secret", filepath.Join(dir, "web/link")); err != nil {
		t.Fatal(err)
	}
	got := call{dir: dir}.run(t)
	links, err := filepath.Glob(filepath.Join(got.assembly, "asset.*", "link"))
	if err != nil || len(links) != 1 || got.status != 0 {
		t.Fatalf("exit status %d, links %v, %v:\n%s", got.status, links, err, got.stderr)
	}
	if info, err := os.Lstat(links[0]); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
}

// TestProgramFault: a fault of the program is one line and what to do about it;
// only COMPOSECDK_DEBUG shows more.
func TestProgramFault(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{"compose.yaml": "services: {web: {image: 'web:1'}}\n"})
	got := call{dir: dir, environ: map[string]string{"JSII_NODE": "/bin/false"}}.run(t)
	if got.status != 2 || !strings.HasPrefix(got.stderr, "composecdk: internal fault: ") ||
		!strings.Contains(got.stderr, "report it") || strings.Count(got.stderr, "\n") != 3 {
		t.Errorf("exit status %d:\n%s", got.status, got.stderr)
	}
}

// TestCLI: the real CDK CLI must find the stacks as those of any app, by their
// names and with --all.
func TestCLI(t *testing.T) {
	t.Parallel()
	path := fixture.Program(t, "composecdk")
	dir := fixture.Folder(t, map[string]string{"compose.yaml": "name: shop\nservices: {web: {image: 'web:1'}}\n"})
	cdk := func(args ...string) (string, error) {
		cmd := exec.Command("cdk", append(args, "--app", path, "--output", filepath.Join(dir, "cdk.out"), "--no-notices")...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CI=1", "CDK_VALIDATION=false", "AWS_EC2_METADATA_DISABLED=true", "CDK_DISABLE_CLI_TELEMETRY=true"}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := cdk("ls", "-c", "env=dev"); err != nil || !strings.Contains(out, "shop-dev/Network (shop-dev-Network)\nshop-dev/Services (shop-dev-Services)\n") {
		t.Errorf("cdk ls: %v\n%s", err, out)
	}
	// Without credentials, selecting the stacks is as far as a deployment gets.
	if out, err := cdk("deploy", "--all", "--require-approval", "never"); err == nil || !strings.Contains(out, "Unable to resolve AWS account") {
		t.Errorf("cdk deploy --all must find the stacks: %v\n%s", err, out)
	}
	if out, err := cdk("ls", "-c", "compose=none.yml"); err == nil || !strings.Contains(out, "none.yml") {
		t.Errorf("cdk ls must fail and tell why: %v\n%s", err, out)
	}
}

// What holds data must stay where it is: too much of it for a stack is an error at
// its place, which says how to decide.
func TestTooMuchData(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		queues int
		used   bool
		want   string
	}{
		{201, true, "x-sqs: stack app/Data would have 201 outputs, and CloudFormation takes 200 [too-many-outputs]"},
		{251, false, "x-sqs: stack app/Data would have 502 resources, and CloudFormation takes 500 [too-many-resources]"},
	} {
		var text strings.Builder
		text.WriteString("services: {web: {image: nginx}}\nx-sqs:\n")
		for i := range c.queues {
			use := "{}"
			if c.used {
				use = "{Services: {web: {Access: Publish}}}"
			}
			fmt.Fprintf(&text, "  q%03d: %s\n", i, use)
		}
		got := call{context: map[string]any{"compose": fixture.Write(t, text.String())}}.run(t)
		if got.status != 1 || !strings.Contains(got.stderr, ":2:1: "+c.want) || !strings.Contains(got.stderr, `x-stacks: {more: ["x-sqs.<name>"]}`) {
			t.Errorf("exit status %d, want 1 and %s:\n%s", got.status, c.want, got.stderr)
		}
	}
}

// TestIntrinsicsOfAnyType: a function may stand where a number or an object is
// wanted, although the CDK has it as a text until the synthesis.
func TestIntrinsicsOfAnyType(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{"compose.yaml": `name: shop
services: {web: {image: 'web:1'}}
x-dynamodb:
  carts:
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PROVISIONED
      ProvisionedThroughput: {ReadCapacityUnits: !ImportValue rcu, WriteCapacityUnits: !Select [0, ["1"]]}
      StreamSpecification: !Ref AWS::NoValue
`})
	template := call{dir: dir}.run(t).clean().read("*Data*.template.json")
	for _, want := range []string{`"Fn::ImportValue": "rcu"`, `"Ref": "AWS::NoValue"`} {
		if !strings.Contains(template, want) {
			t.Errorf("%s is missing in\n%s", want, template)
		}
	}
}
