package load

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
	"composecdk/test/folder"
)

// openDocument opens a.yaml of the given files.
func openDocument(t *testing.T, files map[string]string) *Document {
	t.Helper()
	dir := folder.New(t, files)
	return OpenDocument(DocumentOptions{File: filepath.Join(dir, "a.yaml"), Root: dir, What: "a test", Key: "Names"})
}

// What a document includes must come sorted by the names of the files, and every
// value must keep the place where it was written.
func TestDocumentInclude(t *testing.T) {
	d := openDocument(t, map[string]string{"a.yaml": "Files: parts/*.yaml\n", "parts/2.yaml": "b: two\n", "parts/1.yaml": "\na: one\n", "parts/3.json": "{}"})
	pattern := diag.Entry(d.Root, "Files")
	for _, root := range d.Include(pattern, "Files") {
		d.Root.Content = append(d.Root.Content, root.Content...)
	}
	d.Index()
	var out struct {
		Files, A, B string
	}
	var lower struct {
		Files string
		A     string `key:"a"`
		B     string `key:"b"`
	}
	if !d.Decode(&lower) || lower.A != "one" || lower.B != "two" {
		t.Errorf("got %+v: %v", lower, d.Found())
	}
	for path, want := range map[diag.Path]string{"a": "1.yaml:2:4", "b": "2.yaml:1:4", "Files": "a.yaml:1:8"} {
		if got := d.Pos(path).String(); !strings.HasSuffix(got, want) {
			t.Errorf("%s is at %s", path, got)
		}
	}
	if d.Decode(&out); len(d.Found()) != 2 { // old spellings
		t.Errorf("got %v", d.Found())
	}
}

// Files that are named very often, or grow by their aliases, must be refused before
// they cost much.
func TestDocumentLimits(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for _, step := range []string{"ab", "bc", "cd", "de"} {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", step[1], step[1], strings.TrimSuffix(strings.Repeat("*"+step[:1]+",", 9), ","))
	}
	for name, content := range map[string]string{"small": "a: b\n", "bomb": bomb} {
		times := 2 * maxIncluded
		if name == "bomb" {
			times = 500
		}
		d := openDocument(t, map[string]string{"a.yaml": "A: b\n", "b.yaml": content})
		opened := 0
		for range times {
			opened += len(d.Include(&yaml.Node{Kind: yaml.ScalarNode, Value: "b.yaml", Line: 1, Column: 1}, "A"))
		}
		if found := d.Found(); len(found) != 1 || found[0].Code != "limit-files" {
			t.Errorf("%s: got %v", name, found)
		}
		if opened > maxIncluded || name == "bomb" && opened > maxValues/10_000 {
			t.Errorf("%s: %d files were read", name, opened)
		}
	}
}

// One text that counts in many places of a document must be reported once.
func TestDocumentReportsOnce(t *testing.T) {
	d := openDocument(t, map[string]string{"a.yaml": "A: b\n"})
	d.Index()
	for _, path := range []diag.Path{"A", "A.x", "A.y"} {
		d.Report(diag.Error, path, "code", "", "message")
	}
	if found := d.Found(); len(found) != 1 || found[0].Path != "A" {
		t.Errorf("got %v", found)
	}
}

// A schema must be told with its own words, the keys that it has where, and what is
// missing only where it was not there to begin with.
func TestDocumentSchema(t *testing.T) {
	schema, err := NewDocumentSchema(`{
		"type": "object", "additionalProperties": false, "required": ["Id"],
		"properties": {
			"Id": {"$ref": "#/definitions/id"}, "List": {"type": "array"},
			"One": {"type": "object", "additionalProperties": false, "properties": {"Inner": {}, "Both": {}}},
			"Other": {"type": "object", "additionalProperties": false, "properties": {"Both": {}}},
			"Names": {"title": "a name of small letters", "type": "object", "patternProperties": {"^[a-z]+$": {"type": "object", "additionalProperties": false, "properties": {"Size": {"type": "integer"}}}}, "additionalProperties": false}
		},
		"definitions": {"id": {"title": "an id of digits", "type": "string", "pattern": "^[0-9]+$"}}
	}`, "code", "the schema")
	if err != nil {
		t.Fatal(err)
	}
	for content, want := range map[string]string{
		"Id: '1'\nNames: {a: {Size: 1}}\n": "",
		"Names: {}\n":                      "needs the key Id",
		"Id: x\n":                          `"x" is not an id of digits`,
		"Id: '1'\nNames: {A: {}}\n":        `"A" is not a name of small letters`,
		"Id: '1'\nNames: {a: {Sise: 1}}\n": `"Sise" is not a key that the schema knows here did you mean "Size"?`,
		"Id: '1'\nNaems: {}\n":             `"Naems" is not a key that the schema knows at the top level of the file did you mean "Names"?`,
		"Id: '1'\nInner: 1\n":              `"Inner" is not a key that the schema knows at the top level of the file it is a key of "One": write it below that`,
		"Id: '1'\nBoth: 1\n":               `"Both" is not a key that the schema knows at the top level of the file one of: Id, List, Names, One, Other`,
		"Id: '1'\nOne: {List: []}\n":       `"List" is not a key that the schema knows under One "List" stands higher up: check the indentation`,
		"Id: '1'\nList: {a: 1}\n":          `must be a list, not a mapping begin each item with "- "`,
	} {
		d := openDocument(t, map[string]string{"a.yaml": content})
		d.Validate(schema)
		got := ""
		for _, f := range d.Found() {
			got = strings.TrimSpace(got + f.Message + " " + f.Hint)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", content, got, want)
		}
	}
}
