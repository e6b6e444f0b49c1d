//go:build e2e

package e2e

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notDeployed are golden cases that need what the emulator does not have, and why; cases
// that end in -lookup look up resources that someone else made.
var notDeployed = map[string]string{
	"blog":     "the example has steps of its own",
	"networks": "it names a VPC by id",
}

// goldenCases deploys the golden cases: what the project can emit, CloudFormation
// must be able to make. All of it goes through the roles that the second account has
// for the first.
func (c cdk) goldenCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(c.root, "test", "applications", "testdata", "golden", "*", "compose.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		if notDeployed[name] != "" || strings.HasSuffix(name, "-lookup") {
			continue
		}
		c.goldenCase(t, name)
	}
	for name := range notDeployed {
		if _, err := os.Stat(filepath.Join(c.root, "test", "applications", "testdata", "golden", name)); err != nil {
			t.Errorf("notDeployed names a case that is gone: %v", err)
		}
	}
}

func (c cdk) goldenCase(t *testing.T, name string) {
	// Several cases have the same project name: each is an environment of its own.
	app := c.at(t, there, "test/applications/testdata/golden/"+name+"/compose.yaml").with("env", name)
	if name == "x-ephemeral" {
		app = app.with("ephemeral", "true")
	}
	var templates map[string]template
	step(t, "deploy "+name, func(t *testing.T) { _, templates = c.deploy(t, app) })
	switch name {
	case "x-s3":
		step(t, "x-s3: a bucket notifies its encrypted queue", func(t *testing.T) { c.notifies(t, app) })
	case "readme":
		step(t, "destroy readme: the database is protected, then leaves a snapshot", func(t *testing.T) {
			c.destroyProtected(t, app, templates)
		})
	case "x-ephemeral":
		step(t, "destroy x-ephemeral: nothing is kept", func(t *testing.T) {
			full := c.account(t, there)
			if _, err := c.destroy(app); err != nil {
				t.Fatal(err)
			}
			if retained, _ := destroyed(t, full, c.account(t, there), templates); len(retained) > 0 {
				t.Errorf("%v were retained", retained)
			}
		})
	}
}

// notifies puts an object into a bucket, of which its queue must hear: CloudFormation has
// made the key, the queue, its policy and the bucket, in this order.
func (c cdk) notifies(t *testing.T, app application) {
	deployed := c.account(t, there)
	find := func(cfnType, prefix string) string {
		for name, stack := range deployed.Stacks {
			for id, r := range stack.Resources {
				if strings.HasSuffix(name, "x-s3-Data") && r.Type == cfnType && strings.HasPrefix(id, prefix) {
					return r.ID
				}
			}
		}
		t.Fatalf("no %s %s in %v", cfnType, prefix, app)
		return ""
	}
	var heard struct{ Keys []string }
	c.read(t, "/e2e/notified/"+there+"?region="+region+
		"&bucket="+find("AWS::S3::Bucket", "xs3inbox")+"&queue="+url.QueryEscape(find("AWS::SQS::Queue", "xsqsuploads")), &heard)
	if !slices.Equal(heard.Keys, []string{"put"}) {
		t.Errorf("the queue hears of %v", heard.Keys)
	}
}

func (c cdk) destroyProtected(t *testing.T, app application, templates map[string]template) {
	full := c.account(t, there)
	output, err := c.destroy(app)
	if err == nil || !strings.Contains(output, "eletion protection") {
		t.Fatalf("a protected database was destroyed, or something else failed: %v", err)
	}
	for name := range templates {
		for _, r := range full.Stacks[name].Resources {
			if r.Type == "AWS::RDS::DBCluster" {
				c.unprotect(t, r.ID)
			}
		}
	}
	if _, err := c.destroy(app); err != nil {
		t.Fatal(err)
	}
	retained, looked := destroyed(t, full, c.account(t, there), templates)
	t.Logf("%d resources looked for; retained: %v", looked, retained)
	want := []string{"AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::SecretsManager::Secret"}
	if !slices.Equal(retained, want) {
		t.Errorf("retained are %v, not %v", retained, want)
	}
}

// unknownType proves that this test can fail: moto alone would skip such a resource.
func (c cdk) unknownType(t *testing.T) {
	app := c.at(t, there, "test/applications/testdata/golden/x-sqs/compose.yaml").with("env", "unknown")
	if _, err := c.on(app, "synth", "--quiet"); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(app.out, "*Data*.template.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the template of the data is not one of %v", files)
	}
	const unknown = "AWS::Example::Unknown"
	var tm map[string]any
	readJSON(t, files[0], &tm)
	tm["Resources"].(map[string]any)["Mystery"] = map[string]any{"Type": unknown}
	text, err := json.Marshal(tm)
	if err == nil {
		err = os.WriteFile(files[0], text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	output, err := c.run("deploy", "*/Data", "--exclusively", "--no-notices", "--app", app.out, "--require-approval", "never")
	if err == nil || !strings.Contains(output, unknown) {
		t.Errorf("%s was deployed, or something else failed: %v\n%s", unknown, err, output)
	}
	if made := c.account(t, there).Stacks["mail-unknown-Data"]; made.Status != "CREATE_FAILED" || len(made.Resources) > 0 {
		t.Errorf("the stack is %+v", made)
	}
}

// unprotect switches off the deletion protection of a cluster.
func (c cdk) unprotect(t *testing.T, cluster string) {
	t.Helper()
	_, err := c.call("rds", c.admin(t, there), url.Values{
		"Action": {"ModifyDBCluster"}, "Version": {"2014-10-31"}, "DBClusterIdentifier": {cluster},
		"DeletionProtection": {"false"}, "ApplyImmediately": {"true"},
	})
	if err != nil {
		t.Fatal(err)
	}
}
