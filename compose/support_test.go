package compose

import (
	"testing"

	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/tree"

	"composecdk/compose/load"
)

// Every attribute of the Compose Specification must be mapped, or have a verdict
// of its own or through what it stands under; so an attribute that the next
// version of compose-go adds fails here.
func TestEveryAttributeIsMappedOrJudged(t *testing.T) {
	known := map[tree.Path]bool{}
	for _, path := range schema.AttributePaths() {
		known[path] = true
		judged := false
		for p := path; p != "" && !judged; p = p.Parent() {
			judged = verdictOn(p).code != "unsupported-attribute"
		}
		switch {
		case load.Mapped[path] && judged:
			t.Errorf("%s is mapped and has a verdict", path)
		case !load.Mapped[path] && !judged:
			t.Errorf("%s is neither mapped nor judged", path)
		}
	}
	for path := range load.Mapped {
		// A list of mappings is no attribute of its own in the inventory.
		if !known[path] && path.Last() != tree.PathMatchList {
			t.Errorf("%s is mapped, but no attribute of the specification", path)
		}
	}
	for _, v := range verdicts {
		if !known[v.path] {
			t.Errorf("%s has a verdict, but is no attribute of the specification", v.path)
		}
	}
}
