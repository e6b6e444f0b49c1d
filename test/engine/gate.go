package engine

import (
	"testing"

	"composecdk/gate"
	"composecdk/test/fixture"
)

// Unaccepted fails for every finding that is not accepted, and notes in used which
// acceptances were needed.
func Unaccepted(t *testing.T, found []gate.Finding, accepted []gate.Acceptance, used map[gate.Acceptance]bool) []gate.Finding {
	t.Helper()
	for _, row := range accepted {
		if gate.Accept(found, []gate.Acceptance{row}) == nil {
			used[row] = true
		}
	}
	for _, f := range found {
		if f.Accepted == "" {
			t.Errorf("the gate finds %s: %s/%s: %s", f.Rule, f.Stack, f.Resource, f.Message)
		}
	}
	return found
}

// AllUsed fails for an acceptance that accepted nothing: what it was for is gone, unless
// the tests are restricted to a kind.
func AllUsed(t *testing.T, accepted []gate.Acceptance, used map[gate.Acceptance]bool) {
	t.Helper()
	if fixture.Kind() != "" {
		return
	}
	for _, row := range accepted {
		if !used[row] {
			t.Errorf("nothing is found by %s at %s any more: take the acceptance away", row.Rule, row.At)
		}
	}
}
