//go:build !race

package pipelines

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/pipelines/config/scale"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

const pipelineGoldenDir = "testdata/golden"

// assembled returns the templates of an assembly and of those nested in it, by
// <stage>-<stack>.
func assembled(t *testing.T, dir string) map[string]template {
	t.Helper()
	found := map[string]template{}
	for _, s := range assembly.Stacks(t, dir) {
		tm, err := assembly.Read(s.File)
		if err != nil {
			t.Fatal(err)
		}
		tm.T = t
		found[strings.ReplaceAll(s.Path, "/", "-")] = tm
	}
	return found
}

// TestPipelineGolden holds every template of the example: two applications, three
// accounts.
func TestPipelineGolden(t *testing.T) {
	dir := t.TempDir()
	synthRelease(t, release(t, "../../examples/blog/pipeline.yaml"), dir, true)
	golden := filepath.Join(pipelineGoldenDir, "blog")
	made := assembled(t, dir)
	for _, name := range slices.Sorted(maps.Keys(made)) {
		fixture.Golden(t, filepath.Join(golden, name+".yaml"), fixture.TemplateText(t, made[name]))
	}
	kept, err := filepath.Glob(filepath.Join(golden, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range kept {
		if _, ok := made[strings.TrimSuffix(filepath.Base(file), ".yaml")]; !ok {
			t.Errorf("there is a golden %s, but no such stack any more", file)
		}
	}
}

// TestPipelineGoldenOfMany holds the pipelines of 60 applications in 12 accounts: what
// they do in which order and with whose rights, and the hash of every template. What
// changed where only the hash did, the golden files of the example show.
func TestPipelineGoldenOfMany(t *testing.T) {
	const applications, accounts = 60, 12
	dir, out := t.TempDir(), t.TempDir()
	if err := scale.Write(dir, applications, accounts); err != nil {
		t.Fatal(err)
	}
	synthRelease(t, release(t, filepath.Join(dir, "pipeline.yaml")), out, true)
	var text strings.Builder
	made := assembled(t, out)
	for _, name := range slices.Sorted(maps.Keys(made)) {
		tm := made[name]
		sum := sha256.Sum256([]byte(fixture.TemplateText(t, tm)))
		fmt.Fprintf(&text, "%s: %d resources, %x\n", name, len(tm.Resources), sum[:8])
		for _, pipeline := range tm.Of("AWS::CodePipeline::Pipeline") {
			text.WriteString(outline(pipeline))
		}
	}
	fixture.Golden(t, filepath.Join(pipelineGoldenDir, "60-applications-12-accounts.txt"), text.String())
}

// outline returns a pipeline in lines: its stages with their actions, the run order, and the
// role of each.
func outline(pipeline map[string]any) string {
	var text strings.Builder
	fmt.Fprintf(&text, "  %v\n", at(pipeline, "Properties", "Name"))
	for _, stage := range list(at(pipeline, "Properties", "Stages")) {
		fmt.Fprintf(&text, "    %v\n", at(stage, "Name"))
		for _, action := range list(at(stage, "Actions")) {
			order := at(action, "RunOrder")
			if order == nil {
				order = 1
			}
			fmt.Fprintf(&text, "      %v %v %v %v\n", order, at(action, "Name"), at(action, "ActionTypeId", "Provider"), outlined(at(action, "RoleArn")))
		}
	}
	return text.String()
}

// outlined returns a role, whether it is named or of the same stack.
func outlined(role any) string {
	switch {
	case role == nil:
		return "-"
	case at(role, "Fn::Join") != nil:
		return fmt.Sprint(at(role, "Fn::Join", 1))
	case at(role, "Fn::GetAtt") != nil:
		return fmt.Sprint(at(role, "Fn::GetAtt", 0))
	default:
		return fmt.Sprint(role)
	}
}
