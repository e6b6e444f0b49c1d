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
	{"compose/diag", nil},
	{"compose/load", []string{"secretscan", "compose/diag"}},
	{"compose", []string{"secretscan", "compose/diag", "compose/load"}},
	{"compose/kinds", []string{"compose", "compose/diag", "compose/load", "secretscan"}},
	{"gate", []string{"secretscan"}},
	{"constructs/guard", []string{"compose", "compose/diag", "compose/load", "secretscan"}},
	{"constructs/cfn", []string{"compose", "compose/diag", "compose/load", "secretscan", "constructs/guard"}},
	{"constructs/network", []string{"compose", "compose/diag", "compose/load", "secretscan", "constructs/guard", "constructs/cfn"}},
	{"constructs/service", []string{"compose", "compose/diag", "compose/load", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network"}},
	{"constructs/ingress", []string{"compose", "compose/diag", "compose/load", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service"}},
	{"constructs/xresource", []string{"compose", "compose/diag", "compose/load", "compose/kinds", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service"}},
	{"schema", nil},
	{"pipelines/config", []string{"compose", "compose/diag", "compose/load", "secretscan", "schema"}},
	{"pipelines/config/scale", nil},
	{"pipelines/policy", []string{"compose", "compose/diag", "compose/load", "secretscan", "schema", "pipelines/config"}},
	{"pipelines/buildspec", []string{"compose", "compose/diag", "compose/load", "secretscan", "schema", "pipelines/config"}},
	{"pipelines/diagram", []string{"compose", "compose/diag", "compose/load", "secretscan", "schema", "pipelines/config"}},
	{"stacks/layout", []string{"compose", "compose/diag", "compose/load", "secretscan"}},
	{"pipelines/plan", []string{"compose", "compose/diag", "compose/load", "compose/kinds", "secretscan", "schema", "stacks/layout", "pipelines/config", "pipelines/policy", "pipelines/diagram"}},
	{"stacks", []string{"compose", "compose/diag", "compose/load", "compose/kinds", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service", "constructs/ingress", "constructs/xresource", "gate", "stacks/layout"}},
	{"pipelines/shared", []string{"compose", "compose/diag", "compose/load", "secretscan", "schema", "pipelines/config", "pipelines/policy"}},
	{"pipelines", []string{"compose", "compose/diag", "compose/load", "compose/kinds", "secretscan", "constructs/guard", "constructs/cfn", "constructs/network", "constructs/service", "constructs/ingress", "constructs/xresource", "gate", "stacks", "stacks/layout", "schema", "pipelines/config", "pipelines/policy", "pipelines/buildspec", "pipelines/shared"}},
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
			if strings.HasPrefix(layer.name, "compose") && strings.HasPrefix(path, "github.com/aws/") {
				t.Errorf("compose imports %s", path)
			}
			if strings.HasSuffix(path, "/awsecspatterns") {
				t.Errorf("%s imports %s, which doubles the time to compile", layer.name, path)
			}
		}
	}
}
