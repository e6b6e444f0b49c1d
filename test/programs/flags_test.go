package programs

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// ownFlags are the feature flags of cdk.json that differ from what the library
// recommends, each with the reason.
var ownFlags = map[string]string{}

// TestFeatureFlags: cdk.json must have the flags that exactly this version of the
// library recommends, so that an upgrade shows every new behaviour as a diff.
func TestFeatureFlags(t *testing.T) {
	t.Parallel()
	var recommended map[string]any
	if err := json.Unmarshal(fixture.LibraryFile(t, "package/recommended-feature-flags.json"), &recommended); err != nil {
		t.Fatal(err)
	}
	if len(recommended) == 0 {
		t.Fatal("the library recommends no flag")
	}
	var ours struct{ Context map[string]any }
	assembly.ReadJSON(t, "../../cdk.json", &ours)
	for name, value := range recommended {
		switch own, ok := ours.Context[name]; {
		case ownFlags[name] != "" && ok && reflect.DeepEqual(own, value):
			t.Errorf("%s is as recommended: take it out of ownFlags", name)
		case ownFlags[name] == "" && !ok:
			t.Errorf("cdk.json lacks the recommended flag %q: %v", name, value)
		case ownFlags[name] == "" && !reflect.DeepEqual(own, value):
			t.Errorf("cdk.json has %q: %v, recommended is %v; a difference needs its reason in ownFlags", name, own, value)
		}
	}
	for name := range ours.Context {
		if _, ok := recommended[name]; !ok && ownFlags[name] == "" {
			t.Errorf("cdk.json has the flag %q, which this version of the library does not know", name)
		}
	}
}

// TestPins: the CDK CLI, Node.js and all else from npm must be of one exact version,
// and come from the public registry.
func TestPins(t *testing.T) {
	t.Parallel()
	var manifest struct{ DevDependencies map[string]string }
	assembly.ReadJSON(t, "../../package.json", &manifest)
	for _, name := range []string{"aws-cdk", "node"} {
		if manifest.DevDependencies[name] == "" {
			t.Errorf("package.json has no %s", name)
		}
	}
	var lock struct {
		Packages map[string]struct{ Version, Resolved, Integrity string }
	}
	assembly.ReadJSON(t, "../../package-lock.json", &lock)
	for path, p := range lock.Packages {
		if path == "" {
			continue
		}
		if p.Resolved != "" && !strings.HasPrefix(p.Resolved, "https://registry.npmjs.org/") {
			t.Errorf("package-lock.json has %s from %s", path, p.Resolved)
		}
		if p.Integrity == "" {
			t.Errorf("package-lock.json has no checksum of %s", path)
		}
	}
	for name, pin := range manifest.DevDependencies {
		if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(pin) {
			t.Errorf("package.json pins %s to %q, want an exact version", name, pin)
		}
		if got := lock.Packages["node_modules/"+name].Version; got != pin {
			t.Errorf("package-lock.json has %s %s, package.json %s", name, got, pin)
		}
	}
}
