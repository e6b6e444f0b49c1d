//go:build !race

package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// validationExceptions are the findings of the CDK's validation engine that are
// right as they are. A place is the case and its stack, the logical id and the
// property.
var validationExceptions = []engineException{
	{
		"W9013", `services/Services shop(Execution|Task)Role[0-9A-F]{8} `,
		"the file names its permissions boundary by an ARN with an account",
	},
	{
		"W9013", `x-sqs-lookup/Services webServiceTaskCountTarget[0-9A-F]{8} `,
		"the case is synthesised for an account, which the ARN of the role of autoscaling then holds",
	},
	{
		"W9013", `pipelines-.*`,
		"pipelines are about accounts, which the file names: a policy about another account cannot say \"this one\"",
	},
	{
		"W2512", `pipelines-\w+/Roles-\w+ Boundary `,
		"a boundary allows all but what it denies: what a role may do is said by its own policy",
	},
	{
		"W3005", `pipelines-\w+/(Cd|Platform) (Pipeline|Janitor).*`,
		"the CDK lets a pipeline and a state machine wait for the policies of their roles, and so for the roles",
	},
}

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

// TestValidation runs the CDK's own validation engine, strictly, over the
// templates of all cases as they are deployed to two regions, in one process.
func TestValidation(t *testing.T) {
	dir := t.TempDir()
	wrong := writeTemplate(t, dir, "wrong", "Data", wrongTemplate)
	regions := []string{"eu-west-1", "us-east-1"}
	all := validate(t, dir, regions, append(writeTemplates(t, dir), wrong))
	var found []engineFinding
	var mistakes []string
	for _, v := range all {
		place := strings.TrimSuffix(strings.TrimPrefix(v.Template, dir+"/"), ".template.json")
		if v.Template == wrong {
			mistakes = append(mistakes, v.Region+" "+v.Rule+" "+v.Resource+" "+v.Severity)
			continue
		}
		found = append(found, engineFinding{v.Rule, place + " " + v.Resource + " " + v.Property, v.Region + ": " + v.Severity + ": " + v.Message})
	}
	explained(t, found, validationExceptions)
	for _, region := range regions {
		for _, want := range []string{"F3002 Queue FATAL", "W3030 Table ERROR", "F1020 Topic FATAL"} {
			if !slices.Contains(mistakes, region+" "+want) {
				t.Errorf("the engine does not find %s in %s, but %v", want, region, mistakes)
			}
		}
	}
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
	node(t, "validate.mjs", map[string]any{
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
	output(t, exec.Command("tar", "-xzf", library(t), "-C", dir,
		"package/node_modules/@aws/cloudformation-validate", "package/core/lib/validation/rules"))
	return filepath.Join(dir, "package")
}
