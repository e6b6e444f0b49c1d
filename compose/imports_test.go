package compose

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the packages from the lowest up: each may import those above it in
// this list, and nothing of this module besides. The order is the architecture.
var layers = []struct {
	name   string
	before []string
}{
	{"secretscan", nil},
	{"compose", []string{"secretscan"}},
	{"gate", []string{"secretscan"}},
	{"constructs/guard", []string{"compose", "secretscan"}},
	{"constructs/cfn", []string{"compose", "secretscan", "constructs/guard"}},
	{"constructs/network", []string{"compose", "secretscan", "constructs/guard", "constructs/cfn"}},
	{"constructs/service", []string{"compose", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network"}},
	{"constructs/ingress", []string{"compose", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service"}},
	{"constructs/xresource", []string{"compose", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service"}},
	{"schema", nil},
	{"pipelines/config", []string{"compose", "secretscan", "schema"}},
	{"pipelines/config/scale", nil},
	{"pipelines/policy", []string{"compose", "secretscan", "schema", "pipelines/config"}},
	{"pipelines/buildspec", []string{"compose", "secretscan", "schema", "pipelines/config"}},
	{"pipelines/diagram", []string{"compose", "secretscan", "schema", "pipelines/config"}},
	{"stacks/layout", []string{"compose", "secretscan"}},
	{"pipelines/plan", []string{"compose", "secretscan", "schema", "stacks/layout", "pipelines/config", "pipelines/policy", "pipelines/diagram"}},
	{"stacks", []string{"compose", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service", "constructs/ingress", "constructs/xresource", "gate", "stacks/layout"}},
	{"pipelines/shared", []string{"compose", "secretscan", "schema", "pipelines/config", "pipelines/policy"}},
	{"pipelines", []string{"compose", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service", "constructs/ingress", "constructs/xresource", "gate", "stacks", "stacks/layout", "schema", "pipelines/config", "pipelines/policy", "pipelines/buildspec", "pipelines/shared"}},
}

// References point down only, and compose stays free of the CDK, so that its
// tests need no Node.js.
func TestImportsPointDown(t *testing.T) {
	const module = "composecdk/"
	for _, layer := range layers {
		out, err := exec.Command("go", "list", "-deps", "../"+layer.name).CombinedOutput()
		if err != nil {
			t.Fatalf("go list %s: %v\n%s", layer.name, err, out)
		}
		for _, path := range strings.Fields(string(out)) {
			own, ours := strings.CutPrefix(path, module)
			if ours && own != layer.name && !slices.Contains(layer.before, own) {
				t.Errorf("%s imports %s", layer.name, own)
			}
			if layer.name == "compose" && strings.HasPrefix(path, "github.com/aws/") {
				t.Errorf("compose imports %s", path)
			}
			if strings.HasSuffix(path, "/awsecspatterns") {
				t.Errorf("%s imports %s, which doubles the time to compile", layer.name, path)
			}
		}
	}
}
