//go:build !race

package pipelines

import (
	"strings"
	"testing"

	"composecdk/test/engine"
)

// pipelineLintExceptions are the findings of cfn-lint that are right as they are.
var pipelineLintExceptions = []engine.Exception{
	{
		Rule: "E3703", Place: `\w+/(Cd|Platform) Resources/Pipeline\w+/Properties/Stages/\d+/Actions/\d+/Configuration/RoleArn`,
		Reason: "the CDK writes the ARN of a bootstrap role with Fn::Join; Fn::Sub would say the same",
	},
	{
		Rule: "W3005", Place: `\w+/(Cd|Platform) Resources/(Pipeline|Janitor)\w+/DependsOn/.*`,
		Reason: "the CDK lets a pipeline and a state machine wait for the policies of their roles, and so for the roles",
	},
}

// TestPipelineCfnLint runs cfn-lint over the templates of the pipelines.
func TestPipelineCfnLint(t *testing.T) {
	dir := t.TempDir()
	engine.Explained(t, engine.Lint(t, dir, writePipelines(t, dir)), pipelineLintExceptions)
}

// pipelineValidationExceptions are the findings of the CDK's validation engine that are
// right as they are.
var pipelineValidationExceptions = []engine.Exception{
	{
		Rule: "W9013", Place: `.*`,
		Reason: "pipelines are about accounts, which the file names: a policy about another account cannot say \"this one\"",
	},
	{
		Rule: "W2512", Place: `\w+/Roles-\w+ Boundary `,
		Reason: "a boundary allows all but what it denies: what a role may do is said by its own policy",
	},
	{
		Rule: "W3005", Place: `\w+/(Cd|Platform) (Pipeline|Janitor).*`,
		Reason: "the CDK lets a pipeline and a state machine wait for the policies of their roles, and so for the roles",
	},
}

// TestPipelineValidation runs the CDK's own validation engine over the templates of the
// pipelines.
func TestPipelineValidation(t *testing.T) {
	dir := t.TempDir()
	engine.Explained(t, engine.Validation(t, dir, writePipelines(t, dir)), pipelineValidationExceptions)
}

// writePipelines puts the templates of the pipelines into a folder, as
// <name>/<stack>.template.json, and returns their paths.
func writePipelines(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	for _, d := range deliveredCases(t) {
		for _, stack := range d.stacks {
			if !stack.application {
				files = append(files, engine.WriteTemplate(t, dir, d.name, strings.ReplaceAll(stack.path, "/", "-"), stack.template.Text))
			}
		}
	}
	return files
}
