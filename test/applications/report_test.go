//go:build !race

package applications

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/constructs/guard"
	"composecdk/stacks"
	"composecdk/test/fixture"
)

const reported = `name: shop
services:
  web:
    image: web:1
  worker:
    image: worker:1
    deploy: {labels: {ecs.task.family: back}}
x-vpc: {Properties: {VpcCidr: 10.1.0.0/16}}
x-sqs:
  jobs:
    Properties:
      VisibilityTimeout: 30
      Tags:
        - {Key: a, Value: b}
      KmsMasterKeyId: alias/aws/sqs
`

// TestReport: what the CDK's validation finds must be told at the closest place of
// the compose file that the construct came from.
func TestReport(t *testing.T) {
	file := fixture.Write(t, reported)
	project, model, found := fixture.Model(file)
	if model == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	for name, test := range map[string]struct{ construct, rule, properties, description, severity, want string }{
		"a property": {
			"shop/Data/x-sqs/jobs/Definition/Resource", "E3012", `"Properties.VisibilityTimeout"`, "VisibilityTimeout: 30 is odd", "error",
			"12:26: x-sqs.jobs.Properties.VisibilityTimeout: 30 is odd [template-E3012]",
		},
		"an unknown property, at its key": {
			"shop/Data/x-sqs/jobs/Definition/Resource", "F3002", `"Properties.KmsMasterKeyId"`, "KmsMasterKeyId: unknown", "error",
			`15:7: x-sqs.jobs.Properties.KmsMasterKeyId: "KmsMasterKeyId" is not a property that CloudFormation knows here [template-F3002]`,
		},
		"an item of a list": {
			"shop/Data/x-sqs/jobs/Definition/Resource", "E1", `"Properties.Tags.0.Key"`, "too short", "fatal",
			"14:17: x-sqs.jobs.Properties.Tags[0].Key: too short [template-E1]",
		},
		"a property that the file does not have": {
			"shop/Data/x-sqs/jobs/Policy/Resource", "W1", `"Properties.PolicyDocument"`, "odd", "warning",
			"11:5: x-sqs.jobs.Properties.PolicyDocument: warning: odd [template-W1]",
		},
		"a resource": {
			"shop/Data/x-sqs/jobs", "W1", ``, "odd", "warning",
			"10:3: x-sqs.jobs: warning: odd [template-W1]",
		},
		"a service": {
			"shop/Services/web/Task/Resource", "E2", `"Properties.Cpu", "Properties.Memory"`, "Cpu: odd", "error",
			"3:3: services.web: Cpu: odd [template-E2]",
		},
		"a family of another name than its service": {
			"shop/Services/back/Task/Resource", "E2", ``, "odd", "error",
			"5:3: services.worker: odd [template-E2]",
		},
		"the network": {
			"shop/Network/x-vpc/Vpc/Resource", "E2", ``, "odd", "error",
			"8:1: x-vpc: odd [template-E2]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			report := `{"pluginReports": [{"violations": [{"ruleName": "` + test.rule + `", "severity": "` + test.severity +
				`", "description": "` + test.description + `", "violatingConstructs": [{"constructPath": "` + test.construct +
				`", "cloudFormationResource": {"propertyPaths": [` + test.properties + `]}}]}]}]}`
			if err := os.WriteFile(filepath.Join(dir, stacks.ReportFile), []byte(report), 0o600); err != nil {
				t.Fatal(err)
			}
			found, err := stacks.Report(dir, model, project)
			if err != nil || len(found) != 1 {
				t.Fatalf("%v, %v", found, err)
			}
			if got := strings.TrimPrefix(found[0].String(), file+":"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if found, err := stacks.Report(t.TempDir(), model, project); len(found) != 0 || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	})
	t.Run("broken", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, stacks.ReportFile), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := stacks.Report(dir, model, project); err == nil {
			t.Error("a report that cannot be read must not count as a good one")
		}
	})
}

// TestReportOfMany: the report has one description for all that violate a rule, with
// the values of the first; it must not be told of the others.
func TestReportOfMany(t *testing.T) {
	file := fixture.Write(t, reported)
	project, model, found := fixture.Model(file)
	if model == nil {
		t.Fatal(fixture.Printed(t, found))
	}
	dir := t.TempDir()
	report := `{"pluginReports": [{"violations": [
		{"ruleName": "F3034", "severity": "error", "description": "VisibilityTimeout: 30 is too much", "violatingConstructs": [
			{"constructPath": "shop/Data/x-sqs/jobs/Definition/Resource", "cloudFormationResource": {"propertyPaths": ["Properties.VisibilityTimeout", "Properties.KmsMasterKeyId"]}},
			{"constructPath": "shop/Services/web/Task/Resource", "cloudFormationResource": {"propertyPaths": ["Properties.Cpu", "Properties.Memory"]}}]},
		{"ruleName": "F3002", "severity": "error",
			"description": "VisibilityTimeout: Additional properties are not allowed ('VisibilityTimeout' was unexpected. Did you mean 'DelaySeconds'?)", "violatingConstructs": [
			{"constructPath": "shop/Data/x-sqs/jobs/Definition/Resource", "cloudFormationResource": {"propertyPaths": ["Properties.VisibilityTimeout", "Properties.KmsMasterKeyId"]}}]},
		{"ruleName": "E9", "severity": "error", "description": "VisibilityTimeout: odd", "violatingConstructs": [
			{"constructPath": "shop/Data/x-sqs/jobs/Definition/Resource", "cloudFormationResource": {"propertyPaths": ["Properties.VisibilityTimeout", "Properties.KmsMasterKeyId"]}}]}
	]}]}`
	if err := os.WriteFile(filepath.Join(dir, stacks.ReportFile), []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := stacks.Report(dir, model, project)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range found {
		got = append(got, strings.TrimSpace(strings.TrimPrefix(d.String(), file+":")+" "+d.Hint))
	}
	want := []string{
		`3:3: services.web: Cpu: the number is outside the range that CloudFormation accepts [template-F3034]`,
		`12:7: x-sqs.jobs.Properties.VisibilityTimeout: "VisibilityTimeout" is not a property that CloudFormation knows here [template-F3002] did you mean "DelaySeconds"?`,
		`12:26: x-sqs.jobs.Properties.VisibilityTimeout: odd [template-E9]`,
		`12:26: x-sqs.jobs.Properties.VisibilityTimeout: 30 is too much [template-F3034]`,
		`15:7: x-sqs.jobs.Properties.KmsMasterKeyId: "KmsMasterKeyId" is not a property that CloudFormation knows here [template-F3002]`,
		`15:23: x-sqs.jobs.Properties.KmsMasterKeyId: the same rule is violated as elsewhere: VisibilityTimeout: odd [template-E9]`,
		`15:23: x-sqs.jobs.Properties.KmsMasterKeyId: the number is outside the range that CloudFormation accepts [template-F3034]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestExceptions: what the CDK throws must become one line for each mistake, at its
// place.
func TestExceptions(t *testing.T) {
	file := fixture.Write(t, reported)
	project, _, _ := fixture.Model(file)
	err := errors.Join(
		&guard.Error{At: "services.web", Message: "Error: it cannot be\n    at Object.<anonymous> (/tmp/x.js:1:2)"},
		&guard.Error{At: "x-sqs.jobs", Message: "Resolution error: Supplied properties not correct for \"CfnQueueProps\"\n" +
			"  visibilityTimeout: \"x\" should be a number.\n" +
			"  tags: element 0: supplied properties not correct for \"CfnTag\"\n    key: 1 should be a string."},
	)
	var got []string
	for _, d := range stacks.Exceptions(err, project) {
		if d.Severity != compose.Error {
			t.Errorf("%s is no error", d)
		}
		got = append(got, strings.TrimPrefix(d.String(), file+":"))
	}
	want := []string{
		"3:3: services.web: it cannot be [construct]",
		"12:26: x-sqs.jobs.Properties.VisibilityTimeout: \"x\" should be a number [property-type]",
		"13:7: x-sqs.jobs.Properties.Tags.Key: 1 should be a string [property-type]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The mistake that docs/usage.md shows must be what the program prints.
func TestMistakeOfThePages(t *testing.T) {
	const file = "testdata/docs/mistake.yaml"
	_, model, found := fixture.Model(file)
	if model != nil {
		t.Fatal("the mistakes are accepted")
	}
	got := strings.ReplaceAll(fixture.Printed(t, found), file, "compose.yaml")
	fixture.Golden(t, "testdata/docs/mistake.out", got)
}
