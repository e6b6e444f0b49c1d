package load

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// Section is a value that stands in place of what the files say.
type Section struct {
	// Keys lead to it, such as x-vpc, or services, web and image. A key * stands for
	// every entry that the files have there, and a service of no file is left out.
	Keys []string
	// Value is nil where there is to be nothing.
	Value any
	// Pos is where the section is written.
	Pos diag.Pos
}

// otherNames are the sections that mean the same as another one.
var otherNames = map[string]string{"x-vpc": "x-aws-vpc", "x-cluster": "x-aws-cluster"}

// setSections makes sections the last file, and removes from the files what they
// replace.
func (l *loading) setSections(sections []Section) {
	if len(sections) == 0 || len(l.main) == 0 {
		return
	}
	doc := mapping(&yaml.Node{})
	for _, s := range sections {
		for _, keys := range l.sectionKeys(s.Keys) {
			for _, from := range l.main {
				for _, own := range from.docs {
					removeEntry(own, otherNames[keys[0]])
					removeAt(own, keys)
				}
			}
			if s.Value != nil {
				l.setAt(doc, keys, s)
			}
		}
	}
	first := l.main[0]
	l.main = append(l.main, &source{file: &file{path: first.path, name: first.name}, dir: first.dir, env: first.env, docs: []*yaml.Node{doc}, sections: true})
}

// sectionKeys writes out the key * by what the files have there; none where a
// service is meant that no file has.
func (l *loading) sectionKeys(keys []string) [][]string {
	star := slices.Index(keys, "*")
	if keys[0] == "services" {
		star = 1
	}
	if star < 0 {
		return [][]string{keys}
	}
	var all [][]string
	for _, name := range l.entryNames(keys[:star]) {
		if keys[star] == "*" || keys[star] == name {
			all = append(all, slices.Replace(slices.Clone(keys), star, star+1, name))
		}
	}
	return all
}

// entryNames returns the keys of a mapping in all files, sorted.
func (l *loading) entryNames(keys []string) []string {
	var names []string
	for _, s := range l.sources() {
		for _, n := range s.docs {
			for _, key := range keys {
				n = diag.Entry(n, key)
			}
			for k := range diag.Entries(n) {
				names = append(names, k.Value)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// removeAt takes out what keys lead to.
func removeAt(n *yaml.Node, keys []string) {
	last := len(keys) - 1
	for _, key := range keys[:last] {
		n = diag.Entry(n, key)
	}
	removeEntry(n, keys[last])
}

// setAt adds a section to a document, every node of it at the section's place.
func (l *loading) setAt(doc *yaml.Node, keys []string, s Section) {
	at := &yaml.Node{Line: s.Pos.Line, Column: s.Pos.Column}
	var value yaml.Node
	if err := value.Encode(s.Value); err != nil {
		l.errorAt(s.Pos, diag.At(keys...), "compose-internal", "", "%s", err)
		return
	}
	placeAll(&value, at)
	n := doc
	for _, key := range keys[:len(keys)-1] {
		below := diag.Entry(n, key)
		if below == nil {
			below = mapping(at)
			n.Content = append(n.Content, text(at, key), below)
		}
		n = below
	}
	n.Content = append(n.Content, text(at, keys[len(keys)-1]), &value)
	l.adopted(&source{file: &file{name: s.Pos.File}}, doc.Content...)
}

// placeAll puts a node and all below it at the place of another one.
func placeAll(n, at *yaml.Node) {
	n.Line, n.Column = at.Line, at.Column
	for _, below := range n.Content {
		placeAll(below, at)
	}
}
