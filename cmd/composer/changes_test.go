package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cli puts a fake AWS CLI on the PATH, a shell script that records its arguments and the
// access key in a file.
func cli(t *testing.T, script string) (log func() string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "aws"), "#!/bin/sh\necho \"$AWS_ACCESS_KEY_ID $*\" >> "+dir+"/log\n"+script)
	if err := os.Chmod(filepath.Join(dir, "aws"), 0o700); err != nil { //nolint:gosec // a program must be executable
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("AWS_ACCESS_KEY_ID", "caller")
	return func() string {
		text, _ := os.ReadFile(filepath.Join(dir, "log"))
		return string(text)
	}
}

func shop(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	stack := func(region string) string {
		return `{"type": "aws:cloudformation:stack", "environment": "aws://111111111111/` + region + `", "properties": {"templateFile": "t.json", "stackName": "Shop",
			"lookupRole": {"arn": "arn:${AWS::Partition}:iam::111111111111:role/lookup"}}}`
	}
	write(t, filepath.Join(dir, "manifest.json"), `{"artifacts": {"a": `+stack("eu-west-1")+`, "b": `+stack("us-east-1")+`}}`)
	write(t, filepath.Join(dir, "t.json"), `{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}}}}`)
	return dir
}

const assumed = `if [ $1 = sts ]; then echo '{"Credentials": {"AccessKeyId": "assumed", "SecretAccessKey": "s", "SessionToken": "t"}}'; exit; fi
`

func TestChanges(t *testing.T) {
	dir := shop(t)
	log := cli(t, assumed+`case "$*" in *us-east-1*) echo "An error occurred (ValidationError) when calling the GetTemplate operation: Stack with id Shop does not exist" >&2; exit 254;; esac
echo '{"TemplateBody": {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 3}}}}}'`)
	out := filepath.Join(t.TempDir(), "changes.txt")
	wantRun(t, []string{"changes", "--assembly", dir, "--out", out}, 0, `Shop (111111111111, eu-west-1): 0 added, 1 changed, 0 removed
  ~ AWS::SQS::Queue Q
      DelaySeconds 3 -> 5
Shop (111111111111, us-east-1): new, 1 resource
2 stacks, 1 new, 1 changed; 1 resource added, 1 changed, 0 removed
`, "")
	if text, err := os.ReadFile(out); err != nil || string(text) != "CHANGED=true\nSUMMARY=2 stacks, 1 new, 1 changed; 1 resource added, 1 changed, 0 removed\n" {
		t.Errorf("got %q, %v", text, err)
	}
	called := log()
	for _, want := range []string{
		"caller sts assume-role --role-arn=arn:aws:iam::111111111111:role/lookup --role-session-name=composer-changes",
		"assumed cloudformation get-template --stack-name=Shop --template-stage=Original --output=json --region=us-east-1",
	} {
		if strings.Count(called, want) != 1 {
			t.Errorf("want one call %q, got\n%s", want, called)
		}
	}
}

func TestNoChanges(t *testing.T) {
	for _, body := range []string{
		`{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}}}}`,
		`"{\"Resources\": {\"Q\": {\"Type\": \"AWS::SQS::Queue\", \"Properties\": {\"DelaySeconds\": 5}}}}"`,
	} {
		cli(t, assumed+"cat <<'EOF'\n{\"TemplateBody\": "+body+"}\nEOF\n")
		out := filepath.Join(t.TempDir(), "changes.txt")
		wantRun(t, []string{"changes", "--assembly", shop(t), "--out", out, "--stack", "Shop"}, 0, "2 stacks, no changes\n", "")
		if text, err := os.ReadFile(out); err != nil || string(text) != "CHANGED=false\nSUMMARY=2 stacks, no changes\n" {
			t.Errorf("got %q, %v", text, err)
		}
	}
}

// An unreadable stack must never count as unchanged.
func TestChangesFails(t *testing.T) {
	hostile := t.TempDir()
	write(t, filepath.Join(hostile, "manifest.json"), `{"artifacts": {"a": {"type": "aws:cloudformation:stack", "environment": "aws://1/eu-west-1", "properties": {"templateFile": "manifest.json", "stackName": "file:///etc/passwd"}}}}`)
	cases := []struct {
		name, script string
		args         []string
		stdout       string
		status       int
		stderr       string
	}{
		{"no right", assumed + "echo 'An error occurred (AccessDenied)' >&2; exit 254", []string{"--assembly", shop(t)}, "", 2, "Shop: aws cloudformation get-template: An error occurred (AccessDenied)"},
		{"no role", "echo 'no role' >&2; exit 254", []string{"--assembly", shop(t)}, "", 2, "Shop: aws sts assume-role: no role"},
		{"no answer", assumed + "exit 0", []string{"--assembly", shop(t)}, "", 2, "its answer is no JSON"},
		{"no words", "exit 3", []string{"--assembly", shop(t)}, "", 2, "aws sts assume-role: exit status 3"},
		{"a role without an answer", "exit 0", []string{"--assembly", shop(t)}, "", 2, "aws sts assume-role: its answer is no JSON"},
		{"YAML", assumed + `echo '{"TemplateBody": "Resources: {}"}'`, []string{"--assembly", shop(t)}, "", 2, "the deployed template: it is no template in JSON"},
		{"a change set only", assumed + `echo '{"TemplateBody": {}}'`, []string{"--assembly", shop(t)}, "new, 1 resource", 0, ""},
		{"a hostile name", "exit 0", []string{"--assembly", hostile}, "", 2, `it is no stack that can be deployed: name "file:///etc/passwd"`},
		{"no stack", "exit 0", []string{"--assembly", shop(t), "--stack", "Other"}, "", 2, "--stack Other: there is no such stack"},
		{"no assembly", "exit 0", []string{"--assembly", "nowhere"}, "", 2, `"nowhere": no such folder`},
		{"nothing", "exit 0", nil, "", 2, "[assembly] is required"},
		{"no place", assumed + `echo '{"TemplateBody": {}}'`, []string{"--assembly", shop(t), "--out", "nowhere/x"}, "new", 2, "--out nowhere/x: it cannot be written"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cli(t, c.script)
			wantRun(t, append([]string{"changes"}, c.args...), c.status, c.stdout, c.stderr)
		})
	}
	t.Setenv("PATH", t.TempDir())
	wantRun(t, []string{"changes", "--assembly", shop(t)}, 2, "", "the AWS CLI is needed")
}
