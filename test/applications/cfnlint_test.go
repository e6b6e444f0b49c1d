//go:build !race

package applications

import (
	"testing"

	"composecdk/test/engine"
)

// TestCfnLint runs cfn-lint over the templates of all cases.
func TestCfnLint(t *testing.T) {
	dir := t.TempDir()
	engine.Explained(t, engine.Lint(t, dir, writeTemplates(t, dir)), nil)
}
