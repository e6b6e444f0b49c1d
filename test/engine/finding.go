package engine

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"composecdk/test/fixture"
)

// WriteTemplate writes a template to <dir>/<name>/<stack>.template.json and returns the path.
func WriteTemplate(t *testing.T, dir, name, stack, text string) string {
	t.Helper()
	file := filepath.Join(dir, name, stack+".template.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Finding is an objection of an engine to a place: a construct path, or a resource and
// property of a template.
type Finding struct{ Rule, Place, Says string }

// Exception is a finding that is right as it is. Rule and Place are regular
// expressions for the whole of the finding's own.
type Exception struct{ Rule, Place, Reason string }

func (e Exception) matches(f Finding) bool {
	return regexp.MustCompile(`^(?:`+e.Rule+`)$`).MatchString(f.Rule) && regexp.MustCompile(`^(?:`+e.Place+`)$`).MatchString(f.Place)
}

// Explained fails for every finding without a written reason, and, unless the tests are
// restricted to a kind, for every reason without a finding.
func Explained(t *testing.T, found []Finding, exceptions []Exception) {
	t.Helper()
	if fixture.Kind() != "" {
		exceptions = slices.DeleteFunc(slices.Clone(exceptions), func(e Exception) bool { return !slices.ContainsFunc(found, e.matches) })
	}
	for _, problem := range Unexplained(found, exceptions) {
		t.Error(problem)
	}
	t.Logf("%d findings, %d exceptions", len(found), len(exceptions))
}

// Unexplained lists findings without an exception, and exceptions without a finding or a reason.
func Unexplained(found []Finding, exceptions []Exception) []string {
	var problems []string
	used := make([]bool, len(exceptions))
	for _, f := range found {
		i := slices.IndexFunc(exceptions, func(e Exception) bool { return e.matches(f) })
		if i < 0 {
			problems = append(problems, f.Rule+" at "+f.Place+": "+f.Says)
			continue
		}
		used[i] = true
	}
	for i, e := range exceptions {
		if !used[i] {
			problems = append(problems, "the exception "+e.Rule+" at "+e.Place+" matches nothing: take it away")
		}
		if e.Reason == "" {
			problems = append(problems, "the exception "+e.Rule+" at "+e.Place+" has no reason")
		}
	}
	return problems
}
