package gate

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// Rules must take any value at any place of a template: a property may be of any form until
// CloudFormation has seen it.
func TestAnyValueAnywhere(t *testing.T) {
	files := good(t)
	odd := []any{nil, true, 1.0, "", "x/y:z*", []any{}, []any{nil}, map[string]any{}, map[string]any{"Ref": 1.0}, map[string]any{"Fn::Sub": []any{"${a}", nil}}}
	for _, name := range []string{"delivery/Pipeline.template.json", "delivery/EdgeService.nested.template.json"} {
		template := parse(string(files[name].Data))
		n := 0
		places(template, func(put func(any), was any) {
			put(odd[n%len(odd)])
			n++
			text, err := json.Marshal(template)
			if err != nil {
				t.Fatal(err)
			}
			if a, err := Read(tree(map[string]string{"t.template.json": string(text)})); err == nil {
				a.Check()
			}
			put(was)
		})
	}
}

// places calls each for every value below a value, with a function that replaces it.
func places(v any, each func(put func(any), was any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			was := v[key]
			each(func(other any) { v[key] = other }, was)
			places(was, each)
		}
	case []any:
		for i, was := range v {
			each(func(other any) { v[i] = other }, was)
			places(was, each)
		}
	}
}

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
