package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// TestValidatedOnce: a template that was validated before must not be validated
// again, a changed one must.
func TestValidatedOnce(t *testing.T) {
	t.Parallel()
	dir, cache := t.TempDir(), t.TempDir()
	run := func(delay string) outcome {
		t.Helper()
		content := fmt.Sprintf("services: {web: {image: 'web:1'}}\nx-sqs:\n  jobs:\n    Properties: {%s: 5}\n", delay)
		if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return call{dir: dir, environ: withCache(t, cache)}.run(t)
	}
	first := run("DelaySeconds")
	first.clean()
	var report struct{ Version string }
	assembly.ReadJSON(t, filepath.Join(first.assembly, "validation-report.json"), &report)
	if report.Version == "" {
		t.Error("the report has no version, without which the CDK CLI stops")
	}
	verdicts, err := filepath.Glob(filepath.Join(cache, "composecdk", "validation", "*.json"))
	if err != nil || len(verdicts) != 3 {
		t.Fatalf("%d verdicts are remembered (%v), want one for each stack", len(verdicts), err)
	}
	// A verdict that the engine would not give shows whether it was asked.
	for _, verdict := range verdicts {
		said := `[{"ruleName":"E0000","description":"as remembered","severity":"error","violatingResources":[{"locations":[]}]}]`
		if err := os.WriteFile(verdict, []byte(said), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if again := run("DelaySeconds"); again.status != 1 || !strings.Contains(again.stderr, "as remembered [template-E0000]") {
		t.Errorf("an unchanged template is validated again: exit status %d\n%s", again.status, again.stderr)
	}
	changed := run("DelayTheseSeconds")
	if changed.status != 1 || !strings.Contains(changed.stderr, "compose.yaml:4:18: x-sqs.jobs.Properties.DelayTheseSeconds: ") {
		t.Errorf("a changed template is not validated: exit status %d\n%s", changed.status, changed.stderr)
	}
	if repeated := run("DelayTheseSeconds"); repeated.stderr != changed.stderr {
		t.Errorf("what was found is told in another way the second time:\n%s\nbefore:\n%s", repeated.stderr, changed.stderr)
	}
}

// TestValidatedWithoutMemory: where nothing can be remembered, all is validated.
func TestValidatedWithoutMemory(t *testing.T) {
	t.Parallel()
	dir := fixture.Folder(t, map[string]string{"compose.yaml": "services: {web: {image: 'web:1'}}\nx-sqs: {jobs: {Properties: {DelayTheseSeconds: 5}}}\n"})
	cache := withCache(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(cache["XDG_CACHE_HOME"], "composecdk"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := (call{dir: dir, environ: cache}).run(t); got.status != 1 || !strings.Contains(got.stderr, "[template-F3002]") {
		t.Errorf("exit status %d:\n%s", got.status, got.stderr)
	}
}

// withCache returns the environment of a program that validates and has its cache in a
// folder, but the CDK library where it always is.
func withCache(t *testing.T, dir string) map[string]string {
	t.Helper()
	home, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"CDK_VALIDATION": "true", "XDG_CACHE_HOME": dir,
		"JSII_RUNTIME_PACKAGE_CACHE_ROOT": filepath.Join(home, "aws", "jsii", "package-cache"),
	}
}
