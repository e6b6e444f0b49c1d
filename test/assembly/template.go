package assembly

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

// Template is a synthesised stack.
type Template struct {
	T         *testing.T
	Resources map[string]any
	Dir       string
	Text      string
}

// Read reads the template of a stack.
func Read(path string) (Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Template{}, err
	}
	var parsed struct{ Resources map[string]any }
	if err := json.Unmarshal(text, &parsed); err != nil {
		return Template{}, fmt.Errorf("%s: %w", path, err)
	}
	return Template{Resources: parsed.Resources, Dir: filepath.Dir(path), Text: string(text)}, nil
}

// Of lists the resources of a type, sorted by logical id.
func (tm Template) Of(kind string) []map[string]any {
	var found []map[string]any
	for _, id := range slices.Sorted(maps.Keys(tm.Resources)) {
		if r := tm.Resources[id].(map[string]any); r["Type"] == kind {
			found = append(found, r)
		}
	}
	return found
}

// One returns the properties of the only resource of a type.
func (tm Template) One(kind string) map[string]any {
	tm.T.Helper()
	found := tm.Of(kind)
	if len(found) != 1 {
		tm.T.Fatalf("got %d of %s, want 1", len(found), kind)
	}
	return found[0]["Properties"].(map[string]any)
}

// Count fails unless there are so many resources of a type.
func (tm Template) Count(kind string, want int) {
	tm.T.Helper()
	if got := len(tm.Of(kind)); got != want {
		tm.T.Errorf("got %d of %s, want %d", got, kind, want)
	}
}

// At follows keys and indexes into a value.
func At(v any, path ...any) any {
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

// List returns a property that is a list, or one item that stands for it.
func List(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// Text returns a value as JSON.
func Text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Equal fails unless two values are the same as JSON.
func Equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if Text(got) != Text(want) {
		t.Errorf("%s: got %s, want %s", what, Text(got), Text(want))
	}
}

// Contains fails unless a value as JSON contains a text.
func Contains(t *testing.T, what string, got any, want string) {
	t.Helper()
	if !strings.Contains(Text(got), want) {
		t.Errorf("%s: %s does not contain %s", what, Text(got), want)
	}
}

// ReadJSON reads a file of JSON.
func ReadJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
