//go:build !race

package pipelines

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// TestProtection: after a wave a build protects each of its stacks from being deleted,
// with a role of their account that may do nothing else; nothing protects what is to be
// removed.
func TestProtection(t *testing.T) {
	d := deliver(t, threeAccounts())
	var spec struct {
		Phases struct{ Build struct{ Commands []string } }
	}
	for _, p := range d.cd.Of("AWS::CodeBuild::Project") {
		if at(p, "Properties", "Name") == "cd-shop-protect-production" {
			if err := json.Unmarshal([]byte(at(p, "Properties", "Source", "BuildSpec").(string)), &spec); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command("bash", "-c", "aws() { echo \"$*\"; }\n"+strings.Join(spec.Phases.Build.Commands, "\n")+"\ncat \"$AWS_CONFIG_FILE\"")
	cmd.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(cmd.Dir, "accounts.ini"), []byte("[plugins]\nof = somebody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, stack := range []string{"Network", "Services"} {
		want += "--profile 333333333333 --region eu-west-1 cloudformation update-termination-protection --enable-termination-protection --stack-name production-shop-" + stack + "\n"
	}
	want += "[profile 333333333333]\nrole_arn = arn:aws:iam::333333333333:role/shop-protect\ncredential_source = EcsContainer\n"
	equal(t, "what is called", string(fixture.Output(t, cmd)), want)
	var rights []string
	for _, r := range d.cd.Of("AWS::IAM::Role") {
		if at(r, "Properties", "RoleName") != "shop-protection" {
			continue
		}
		for _, s := range list(at(r, "Properties", "Policies", 0, "PolicyDocument", "Statement")) {
			rights = append(rights, fmt.Sprint(at(s, "Sid"), " ", text(at(s, "Action"))))
			if at(s, "Sid") == "ProtectTargets" {
				equal(t, "the roles", at(s, "Resource"), []string{"arn:aws:iam::333333333333:role/shop-protect"})
			}
		}
	}
	equal(t, "what the build may do", rights, []string{
		`ReadArtifacts ["s3:GetObject","s3:GetObjectVersion"]`, `UseKey ["kms:Decrypt","kms:GenerateDataKey"]`,
		`ProtectTargets ["sts:AssumeRole"]`, `WriteLogs ["logs:CreateLogStream","logs:PutLogEvents"]`,
	})
}

// TestUnprotected: an environment without termination protection has neither the build
// nor the role.
func TestUnprotected(t *testing.T) {
	c := threeAccounts()
	c.Environments[1].TerminationProtection = false
	d := deliver(t, c)
	if found := text(d.cd.Resources); strings.Contains(found, "shop-protect") {
		t.Error("something protects the stacks")
	}
}
