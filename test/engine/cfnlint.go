package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// Lint runs cfn-lint over templates below dir, in one process, beside a template with
// mistakes that only cfn-lint sees.
func Lint(t *testing.T, dir string, templates []string) []Finding {
	t.Helper()
	wrong := WriteTemplate(t, dir, "wrong", "Data", `{"Resources": {
  "Role": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sqs:SendMassage", "Resource": "*"}]}}},
  "Database": {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {
    "Engine": "postgres", "EngineVersion": "9.6.1", "DBInstanceClass": "db.t3.medium", "AllocatedStorage": "20",
    "MasterUsername": "dbadmin", "ManageMasterUserPassword": true, "StorageEncrypted": true}}}}`)
	var found []Finding
	var mistakes []string
	for _, f := range cfnlint(t, append(templates, wrong)) {
		if f.Filename == wrong {
			mistakes = append(mistakes, f.Rule.ID)
			continue
		}
		place := strings.TrimSuffix(strings.TrimPrefix(f.Filename, dir+"/"), ".template.json")
		var path []string
		for _, step := range f.Location.Path {
			path = append(path, fmt.Sprint(step))
		}
		found = append(found, Finding{f.Rule.ID, place + " " + strings.Join(path, "/"), f.Level + ": " + f.Message})
	}
	for _, rule := range []string{"W3037", "W3691"} {
		if !strings.Contains(strings.Join(mistakes, " "), rule) {
			t.Errorf("cfn-lint does not find %s, but %v", rule, mistakes)
		}
	}
	return found
}

// lintFinding is one of cfn-lint's.
type lintFinding struct {
	Filename, Level, Message string
	Location                 struct{ Path []any }
	Rule                     struct {
		ID string `json:"Id"`
	}
}

// cfnlint lints templates with the cfn-lint of `make venv`, which knows weak
// references between stacks (Fn::GetStackOutput).
func cfnlint(t *testing.T, templates []string) []lintFinding {
	t.Helper()
	cmd := exec.Command("../../.venv/bin/cfn-lint", append([]string{"--format", "json", "--regions", "eu-west-1", "--"}, templates...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// The exit status is one of findings; what it prints tells the rest.
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("cfn-lint, which `make venv` installs: %v", err)
	}
	var found []lintFinding
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("cfn-lint: %v\n%s%s", err, out, &stderr)
	}
	return found
}
