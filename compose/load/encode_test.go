package load

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// What compose-go reads must be what was written: block texts, odd scalars and
// long lines must survive being written out again.
func TestEncodeKeepsValues(t *testing.T) {
	texts := map[string]string{"odd": `
literal: |
  first
    indented

  last: "x"
keep: |+
  text

strip: |-
  #!/bin/sh
  echo "$HOME" # not a comment
folded: >
  a long
  line

  and another
spaces: "  leading and trailing  "
tabs: "a\tb\n\nc"
quotes: 'it''s "so"'
looks: ["yes", "null", "1.0", "0x1", "~", "- a", "# b", "a: b", "*x", "&y", "!z", "", " ", "2001-01-01", "<<", "=", "@a", "%b", "|", ">"]
numbers: [0o17, 017, 1e3, .5, -0, 1_000, 0x1F]
unicode: "é \u2028 \U0001F600 \x07"
windows: "a\r\nb"
plain: a long plain text that is longer than eighty characters so that a writer could think of folding it: it must not
multi: one
  two

  three
`}
	for _, pattern := range []string{"../testdata/load/ok/*.yml", "../testdata/load/parts/*.yml", filepath.Join(corpus, "composex/use-cases/*/*.yml"), filepath.Join(corpus, "awesome-compose/*/*.yaml")} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(content)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		l := &loading{said: map[diag.Diagnostic]bool{}}
		f := &file{name: name}
		if !l.parse(f, []byte(texts[name])) {
			continue // not a compose file
		}
		encoded, err := encode(f.docs)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		decoder := yaml.NewDecoder(strings.NewReader(string(encoded)))
		for _, doc := range f.docs {
			var again yaml.Node
			if err := decoder.Decode(&again); err != nil {
				t.Errorf("%s: %v\n%s", name, err, encoded)
				break
			}
			if got, want := plain(again.Content[0]), plain(doc); !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\ngot  %#v\nwant %#v\n%s", name, got, want, encoded)
			}
		}
	}
}

// The odd scalars must mean to us what they mean to the YAML library.
func TestPlainAgreesWithYAML(t *testing.T) {
	content := []byte("a: {b: [1, 1.5, true, ~, x, \"1\", 0x1F, 017, 1e3, .5, 'q', yes, off, !!str 5, !!int \"5\"]}\n")
	var want any
	if err := yaml.Unmarshal(content, &want); err != nil {
		t.Fatal(err)
	}
	l := &loading{said: map[diag.Diagnostic]bool{}}
	f := &file{name: "x"}
	if !l.parse(f, content) {
		t.Fatal(l.found)
	}
	if got := plain(f.docs[0]); !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
}
