//go:build !race

package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// template is a synthesised stack.
type template struct {
	t         *testing.T
	resources map[string]any
	dir       string
	text      string
}

// readTemplate reads the template of a stack.
func readTemplate(path string) (template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return template{}, err
	}
	var parsed struct{ Resources map[string]any }
	if err := json.Unmarshal(text, &parsed); err != nil {
		return template{}, fmt.Errorf("%s: %w", path, err)
	}
	return template{resources: parsed.Resources, dir: filepath.Dir(path), text: string(text)}, nil
}

// of lists the resources of a type, sorted by logical id.
func (tm template) of(kind string) []map[string]any {
	var found []map[string]any
	for _, id := range slices.Sorted(maps.Keys(tm.resources)) {
		if r := tm.resources[id].(map[string]any); r["Type"] == kind {
			found = append(found, r)
		}
	}
	return found
}

// one is the properties of the only resource of a type.
func (tm template) one(kind string) map[string]any {
	tm.t.Helper()
	found := tm.of(kind)
	if len(found) != 1 {
		tm.t.Fatalf("got %d of %s, want 1", len(found), kind)
	}
	return found[0]["Properties"].(map[string]any)
}

func (tm template) count(kind string, want int) {
	tm.t.Helper()
	if got := len(tm.of(kind)); got != want {
		tm.t.Errorf("got %d of %s, want %d", got, kind, want)
	}
}

// at follows keys and indexes into a value.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// list is a property that is a list, or one item that stands for it.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// text is a value as JSON.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// equal compares two values as JSON.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if text(got) != text(want) {
		t.Errorf("%s: got %s, want %s", what, text(got), text(want))
	}
}

func contains(t *testing.T, what string, got any, want string) {
	t.Helper()
	if !strings.Contains(text(got), want) {
		t.Errorf("%s: %s does not contain %s", what, text(got), want)
	}
}

// readJSON reads a file of JSON.
func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
