package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// wrongTemplate has a mistake for each kind of rule: a property that does not
// exist, a value that is not among those allowed, which is a mere warning unless
// the engine is strict, and a Ref to nothing.
const wrongTemplate = `{"Resources": {
  "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelayTheseSeconds": 5}},
  "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {
    "BillingMode": "FOR_FREE",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}},
  "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Nothing"}}}}}`

// Validation runs the CDK's own validation engine, strictly, over templates below dir as
// they are deployed to two regions, in one process, beside wrongTemplate.
func Validation(t *testing.T, dir string, templates []string) []Finding {
	t.Helper()
	wrong := WriteTemplate(t, dir, "wrong", "Data", wrongTemplate)
	regions := []string{"eu-west-1", "us-east-1"}
	var found []Finding
	var mistakes []string
	for _, v := range validate(t, dir, regions, append(templates, wrong)) {
		place := strings.TrimSuffix(strings.TrimPrefix(v.Template, dir+"/"), ".template.json")
		if v.Template == wrong {
			mistakes = append(mistakes, v.Region+" "+v.Rule+" "+v.Resource+" "+v.Severity)
			continue
		}
		found = append(found, Finding{v.Rule, place + " " + v.Resource + " " + v.Property, v.Region + ": " + v.Severity + ": " + v.Message})
	}
	for _, region := range regions {
		for _, want := range []string{"F3002 Queue FATAL", "W3030 Table ERROR", "F1020 Topic FATAL"} {
			if !slices.Contains(mistakes, region+" "+want) {
				t.Errorf("the engine does not find %s in %s, but %v", want, region, mistakes)
			}
		}
	}
	return found
}

// violation is a finding of the CDK's validation engine in one region.
type violation struct{ Template, Region, Rule, Severity, Resource, Property, Message string }

// validate runs validate.mjs on the engine that the CDK library bundles, with the
// library's own rules.
func validate(t *testing.T, dir string, regions, templates []string) []violation {
	t.Helper()
	library := unpackEngine(t, filepath.Join(dir, "library"))
	rules, err := filepath.Glob(filepath.Join(library, "core/lib/validation/rules/*.rego"))
	if err != nil || len(rules) == 0 {
		t.Fatal("the CDK library has no rules: ", err)
	}
	var found []violation
	fixture.Node(t, "../engine/validate.mjs", map[string]any{
		"library": filepath.Join(library, "node_modules/@aws/cloudformation-validate"), "rules": rules,
		"account": "111111111111", "regions": regions, "templates": templates,
	}, &found)
	return found
}

// unpackEngine takes the engine out of the CDK library.
func unpackEngine(t *testing.T, dir string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	fixture.Output(t, exec.Command("tar", "-xzf", fixture.Library(t), "-C", dir,
		"package/node_modules/@aws/cloudformation-validate", "package/core/lib/validation/rules"))
	return filepath.Join(dir, "package")
}
