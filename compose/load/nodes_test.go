package load

import (
	"slices"
	"testing"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

func nodeOf(t *testing.T, text string) *yaml.Node {
	t.Helper()
	l := &loading{said: map[diag.Diagnostic]bool{}}
	f := &file{name: "x"}
	if !l.parse(f, []byte(text)) || len(f.docs) != 1 {
		t.Fatal(l.found)
	}
	return f.docs[0]
}

// A place of the schema's validator must lead to the value there, and to its key,
// or to nothing where the file has none.
func TestLocate(t *testing.T) {
	doc := nodeOf(t, "a: {b: [x, {c: y}]}\n")
	for _, c := range []struct {
		place            []string
		path, key, value string
	}{
		{[]string{"a", "b", "0"}, "a.b[0]", "x", "x"},
		{[]string{"a", "b", "1", "c"}, "a.b[1].c", "c", "y"},
		{[]string{"a", "b", "2"}, "a.b", "", ""},
		{[]string{"a", "b", "word"}, "a.b", "", ""},
		{[]string{"a", "z"}, "a.z", "", ""},
		{[]string{"a", "b", "0", "deeper"}, "a.b[0]", "", ""},
	} {
		key, value, parent, path := locate(doc, c.place)
		if path != diag.Path(c.path) || (value == nil) != (c.value == "") || (parent == nil) != (c.value == "") {
			t.Errorf("%v: got %s, %v in %v", c.place, path, value, parent)
			continue
		}
		if value != nil && (value.Value != c.value || key.Value != c.key) {
			t.Errorf("%v: got %s: %s", c.place, key.Value, value.Value)
		}
	}
}

// What is taken out of a mapping or a list must leave everything else.
func TestRemoveNode(t *testing.T) {
	doc := nodeOf(t, "a: 1\nb: [x, y, z]\nc: 2\n")
	list := diag.Entry(doc, "b")
	removeNode(list, list.Content[0])
	removeNode(list, diag.Entry(doc, "c"))
	removeNode(nil, list)
	removeNode(doc, diag.Entry(doc, "a"))
	var got []string
	for k, v := range diag.Entries(doc) {
		got = append(got, k.Value+v.Value)
		for _, item := range v.Content {
			got = append(got, item.Value)
		}
	}
	if want := []string{"b", "y", "z", "c2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A path must be cut where it is written, and nothing beside it.
func TestCutNode(t *testing.T) {
	for path, want := range map[diag.Path]bool{"a": true, "a.b": true, "a.b[1]": true, "a.b[2]": false, "a.bb": true, "a.b[1].c": false, "ab": false, "a.b[0].c": true} {
		doc := nodeOf(t, "a: {bb: 1, b: [{c: 1}, x]}\n")
		before := countNodes(doc)
		if got := cutNode(doc, "", path); got != want || got == (countNodes(doc) == before) {
			t.Errorf("%s: got %t", path, got)
		}
		if _, value, _, _ := locate(doc, []string{"a", "bb"}); path != "a" && path != "a.bb" && value == nil {
			t.Errorf("%s: a.bb is cut too", path)
		}
	}
}

// Dates, account ids and numbers that JSON does not know must stay the text that
// they are, and keys must be text.
func TestScalarsThatAreText(t *testing.T) {
	doc := nodeOf(t, "x-a: {date: 2001-01-01, account: 012345678912, infinite: .inf, not: .nan, number: 1.5, id: 12}\n8080: true\ntrue: 012345678912\n&k key: 1\n*k : 2\n")
	got := map[string]string{}
	for k, v := range diag.Entries(doc) {
		got[k.Value] = k.Tag + " " + v.Tag
		for k, v := range diag.Entries(v) {
			got[k.Value] = v.Tag + " " + v.Value
		}
	}
	for key, want := range map[string]string{
		"date": "!!str 2001-01-01", "account": "!!str 012345678912", "infinite": "!!str .inf", "not": "!!str .nan",
		"number": "!!float 1.5", "id": "!!int 12", "8080": "!!str !!bool", "true": "!!str !!float",
	} {
		if got[key] != want {
			t.Errorf("%s: got %s, want %s", key, got[key], want)
		}
	}
}
