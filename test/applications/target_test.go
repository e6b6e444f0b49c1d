//go:build !race

package applications

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// standIn is what the CDK puts where a look-up has no answer yet.
var standIn = regexp.MustCompile(`dummy|vpc-12345|p-12345|DUMMY`)

// Two targets must differ only where their account and region stand, and no stand-in
// of a look-up may be in any template, nor in one of the golden cases.
func TestTargetsDifferOnlyByName(t *testing.T) {
	// No file names these regions, and the CDK, which sorts the resources of a policy
	// as text, sorts both alike.
	here := target{Account: "111111111111", Region: "eu-north-1"}
	there := target{Account: "222222222222", Region: "eu-south-1"}
	rename := strings.NewReplacer(here.Account, there.Account, here.Region, there.Region)
	named := 0
	for _, file := range []string{
		fixture.Rich, filepath.Join(fixture.Blog, "compose.yaml"), filepath.Join(goldenDir, "readme/compose.yaml"),
		filepath.Join(goldenDir, "services/compose.yaml"), filepath.Join(goldenDir, "x-elbv2/compose.yaml"),
	} {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			first, second := synthesise(t, here, file), synthesise(t, there, file)
			if len(first.templates) != len(second.templates) {
				t.Fatalf("one has %d stacks, the other %d", len(first.templates), len(second.templates))
			}
			for _, stack := range slices.Sorted(maps.Keys(first.templates)) {
				a, b := first.templates[stack].Text, second.templates[stack].Text
				named += strings.Count(a, here.Account) + strings.Count(a, here.Region)
				if want := rename.Replace(a); want != b {
					t.Errorf("%s differs in more:\n%s", stack, assembly.FirstDifference(want, b))
				}
				if found := standIn.FindString(a + b); found != "" {
					t.Errorf("%s holds %q", stack, found)
				}
			}
		})
	}
	for _, c := range goldenCases(t) {
		for stack, tm := range c.synthesised(t).templates {
			if found := standIn.FindString(tm.Text); found != "" {
				t.Errorf("%s: %s holds %q", c.name, stack, found)
			}
		}
	}
	if named == 0 {
		t.Error("no template names its account or region: nothing was compared")
	}
}
