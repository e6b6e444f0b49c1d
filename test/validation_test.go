//go:build !race

package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/guard"
	"composecdk/stacks"
)

// validationOutdir makes a process of this binary the one that validates.
const validationOutdir = "COMPOSECDK_VALIDATE"

// wrongCase is known to be wrong: it proves that findings are found.
const wrongCase = "wrong"

// finding is what the CDK's validation engine has against a construct.
type finding struct{ severity, rule, construct, properties, description string }

func (f finding) String() string {
	return fmt.Sprintf("%s %s: %s %s: %s", f.severity, f.rule, f.construct, f.properties, f.description)
}

// TestValidation runs the CDK's own validation engine over all golden cases. It
// costs ten seconds and half a gigabyte in each process that it runs in, so that
// it is switched off for the others and has one process here for all cases.
func TestValidation(t *testing.T) {
	if outdir := os.Getenv(validationOutdir); outdir != "" {
		validate(t, outdir)
		return
	}
	outdir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestValidation$", "-test.count=1")
	cmd.Env = append(os.Environ(), "CDK_VALIDATION=true", validationOutdir+"="+outdir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := findings(t, filepath.Join(outdir, stacks.ReportFile))
	if len(found[wrongCase]) == 0 {
		t.Error("the engine finds nothing where there is a mistake")
	}
	delete(found, wrongCase)
	for _, c := range validationCases(t) {
		t.Run(c.name, func(t *testing.T) {
			for _, f := range found[c.name] {
				t.Error(f)
			}
		})
		delete(found, c.name)
	}
	for name, rest := range found {
		t.Errorf("%s: %v", name, rest)
	}
}

// validationCases are the golden cases and what other tests stand on.
func validationCases(t *testing.T) []goldenCase {
	t.Helper()
	return append(goldenCases(t), goldenCase{name: "rich", files: []string{manyShapes}})
}

// validate synthesises all cases in one app, each below a construct of its name.
func validate(t *testing.T, outdir string) {
	t.Helper()
	wrong := write(t, "services: {web: {image: 'web:1'}}\nx-sqs: {jobs: {Properties: {DelayTheseSeconds: 5}}}\n")
	cases := append(validationCases(t), goldenCase{name: wrongCase, files: []string{wrong}})
	context := map[string]any{}
	for _, c := range cases {
		for key, value := range c.to.Context {
			if other, ok := context[key]; ok && !reflect.DeepEqual(value, other) {
				t.Fatalf("%s answers the look-up %s in another way than a case before", c.name, key)
			}
		}
		maps.Copy(context, c.to.Context)
	}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &outdir, AnalyticsReporting: jsii.Bool(false), Context: &context})
	for _, c := range cases {
		project, model, found := loadModel(c.files...)
		if model == nil {
			t.Fatalf("%s has errors:\n%s", c.name, printed(t, found))
		}
		_, err := stacks.NewApplication(constructs.NewConstruct(app, &c.name), &stacks.ApplicationProps{
			Model: model, Account: c.to.Account, Region: c.to.Region, Destroyable: c.to.Throwaway,
		})
		if err != nil {
			t.Fatalf("%s cannot be built:\n%s", c.name, printed(t, stacks.Exceptions(err, project)))
		}
	}
	// The mistake of the wrong case makes an error of it; the report is written.
	if _, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil }); err == nil {
		t.Error("a finding of the engine does not stop the synthesis")
	}
}

// findings are those of a report by case, the first part of the construct path.
func findings(t *testing.T, report string) map[string][]finding {
	t.Helper()
	content, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		PluginReports []struct {
			Violations []struct {
				RuleName, Description, Severity string
				ViolatingConstructs             []struct {
					ConstructPath          string
					CloudFormationResource struct{ PropertyPaths []string }
				}
			}
		}
	}
	if err := json.Unmarshal(content, &parsed); err != nil {
		t.Fatal(err)
	}
	found := map[string][]finding{}
	for _, plugin := range parsed.PluginReports {
		for _, v := range plugin.Violations {
			for _, c := range v.ViolatingConstructs {
				name, _, _ := strings.Cut(c.ConstructPath, "/")
				found[name] = append(found[name], finding{
					v.Severity, v.RuleName, c.ConstructPath, strings.Join(c.CloudFormationResource.PropertyPaths, " "), v.Description,
				})
			}
		}
	}
	return found
}
