package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/gate"
)

const good = "../../gate/testdata/good"

// bad returns an assembly with one finding.
func bad(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "t.template.json"), `{"Resources": {"A": {"DependsOn": "B"}}}`)
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestExitStatus(t *testing.T) {
	dir := bad(t)
	accept := filepath.Join(dir, "accept.yaml")
	write(t, accept, "- {rule: reference-unresolved, at: t/A, reason: a test}\n")
	unused := filepath.Join(dir, "unused.yaml")
	write(t, unused, "- {rule: privileged, at: t/A, reason: a test}\n")
	broken := filepath.Join(dir, "broken.yaml")
	write(t, broken, "rule: privileged\n")
	cases := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"clean", []string{"check", good}, 0, "rules: 0 findings\n", ""},
		{"a finding", []string{"check", dir}, 1, `t.template.json:1: t/A: DependsOn names "B", which is no resource of the template [reference-unresolved]`, ""},
		{"several folders", []string{"check", good, dir}, 1, "rules: 1 finding\n", ""},
		{"JSON", []string{"check", "--format", "json", dir}, 1, `"rule": "reference-unresolved"`, ""},
		{"SARIF", []string{"check", "--format=sarif", dir}, 1, `"version": "2.1.0"`, ""},
		{"accepted", []string{"check", "--accept", accept, dir}, 0, "rules: 0 findings, 1 accepted\n", ""},
		{"accepts nothing", []string{"check", "--accept", unused, dir}, 2, "", "unused.yaml: line 1: privileged at t/A accepts nothing"},
		{"a broken list of accepted findings", []string{"check", "--accept", broken, dir}, 2, "", "broken.yaml: it must be a list"},
		{"no list of accepted findings", []string{"check", "--accept", "nowhere.yaml", dir}, 2, "", "nowhere.yaml: no such file"},
		{"no folder", []string{"check"}, 2, "", "composer check cdk.out"},
		{"a folder that is not there", []string{"check", "nowhere"}, 2, "", `"nowhere": no such folder`},
		{"a file", []string{"check", broken}, 2, "", "it is a file: give the folder"},
		{"an unknown format", []string{"check", "--format", "xml", dir}, 2, "", `--format is "xml", and can be text, json, sarif`},
		{"an unknown flag", []string{"check", "--strict", dir}, 2, "", "unknown flag: --strict"},
		{"an unknown command", []string{"chek"}, 2, "", `unknown command "chek"`},
		{"rules", []string{"rules"}, 0, "listener-order\n    a service is created after", ""},
		{"rules of something", []string{"rules", "x"}, 2, "", "unknown command"},
		{"help", []string{"check", "--help"}, 0, "composer check DIR...", ""},
		{"nothing", []string{}, 0, "Available Commands:", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if status := run(c.args, &stdout, &stderr); status != c.status {
				t.Errorf("want exit status %d, got %d", c.status, status)
			}
			if !strings.Contains(stdout.String(), c.stdout) {
				t.Errorf("standard output must hold %q, got %s", c.stdout, stdout.String())
			}
			if !strings.Contains(stderr.String(), c.stderr) || (c.stderr == "") != (stderr.Len() == 0) {
				t.Errorf("standard error must hold %q, got %s", c.stderr, stderr.String())
			}
		})
	}
}

func TestRulesAreListed(t *testing.T) {
	var stdout, stderr bytes.Buffer
	run([]string{"rules"}, &stdout, &stderr)
	for _, rule := range gate.Rules {
		if want := rule.ID + "\n    " + rule.Summary + "\n    " + rule.Source + "\n"; !strings.Contains(stdout.String(), want) {
			t.Errorf("the list must hold %q", want)
		}
	}
}
