package gate

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzCheck holds that no JSON, as a template or as a manifest, makes the gate panic.
func FuzzCheck(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{"t.template.json", "manifest.json"} {
			a, err := Read(tree(map[string]string{name: string(text)}))
			if err != nil {
				continue
			}
			var before, after bytes.Buffer
			if json.NewEncoder(&before).Encode(a.Check()) != nil || json.NewEncoder(&after).Encode(a.Check()) != nil || before.String() != after.String() {
				t.Error("the same template must give the same findings")
			}
		}
	})
}
