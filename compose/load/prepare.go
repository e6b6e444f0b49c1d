package load

import (
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// prepare fills in the variables of a file and opens what it includes.
func (l *loading) prepare(s *source, env types.Mapping) {
	s.env = env
	f := interpolator{l: l, file: s.name, env: env}
	for _, doc := range s.docs {
		if !l.verbatim {
			l.dropPipelines(s, doc)
			f.apply(doc, "")
		}
		externalSecrets(doc)
		l.include(s, doc)
	}
}

// pipelines is the section that package pipelines/config reads, whose ${…} are no
// variables.
const pipelines = "x-cicd"

func (l *loading) dropPipelines(s *source, doc *yaml.Node) {
	if key, _ := diag.EntryNodes(doc, pipelines); key != nil {
		l.add(diag.Note, s.pos(key), pipelines, "section-pipelines", "", pipelines+" is for -c pipeline=FILE; no part of the application is made of it")
		removeEntry(doc, pipelines)
	}
}

// externalSecrets marks the top-level secrets that say nothing of where their
// value is as external: ComposeX finds or makes those by x-secrets.
func externalSecrets(doc *yaml.Node) {
	_, secrets := diag.EntryNodes(doc, "secrets")
	for k, v := range diag.Entries(secrets) {
		if v.Kind == yaml.ScalarNode && v.Tag == "!!null" {
			*v = *mapping(v)
		}
		if v.Kind != yaml.MappingNode || v.Tag == "!reset" {
			continue
		}
		said := false
		for _, source := range []string{"file", "environment", "external", "content", "driver"} {
			said = said || diag.Entry(v, source) != nil
		}
		if !said {
			external := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true", Line: k.Line, Column: k.Column}
			v.Content = append(v.Content, text(k, "external"), external)
		}
	}
}

// include opens the files that a document includes.
func (l *loading) include(s *source, doc *yaml.Node) {
	_, list := diag.EntryNodes(doc, "include")
	if list == nil || list.Kind != yaml.SequenceNode {
		return // the schema check reports any other kind
	}
	for i, item := range list.Content {
		path := diag.Path("include").Index(i)
		paths := item
		switch item.Kind {
		case yaml.MappingNode:
			paths = diag.Entry(item, "path")
		case yaml.SequenceNode:
			continue // the schema check reports it
		}
		names := scalars(paths)
		if len(names) == 0 {
			if item.Kind == yaml.MappingNode && paths == nil && !misspelt(item, "path") {
				l.unread = true
				l.errorAt(s.pos(item), path, "compose-schema", "", `needs the key "path"`)
			}
			continue
		}
		l.includeOne(s, item, names, path)
	}
}

// includeOne opens the files of one include entry, of which the second and later
// override the first, and rewrites the entry to what compose-go is to read.
func (l *loading) includeOne(s *source, item *yaml.Node, names []*yaml.Node, path diag.Path) {
	dir := filepath.Dir(absolute(names[0].Value, s.dir))
	if n := diag.Entry(item, "project_directory"); n != nil && n.Value != "" {
		dir = absolute(n.Value, s.dir)
		if !l.folder.Holds(dir) {
			l.unreadable(s.pos(n), path.Key("project_directory"), "the folder "+l.display(dir), diag.ErrOutside)
			return
		}
	}
	env, variables := l.includeEnvironment(s, item, dir, path)
	var opened []*source
	for _, name := range names {
		file := absolute(name.Value, s.dir)
		if l.remote(name.Value, s.pos(name), path) {
			continue
		}
		if l.includeCycle(s, file, s.pos(name), path) {
			continue
		}
		in := l.open(file, dir, s, s.pos(name), path)
		if in == nil {
			continue
		}
		l.prepare(in, env)
		s.includes = append(s.includes, in)
		opened = append(opened, in)
	}
	if err := l.rewriteInclude(item, opened, dir, variables); err != nil {
		l.unreadable(s.pos(item), path, "what is included", err)
	}
}

// misspelt reports whether a mapping has a key that was meant to be another.
func misspelt(n *yaml.Node, key string) bool {
	for k := range diag.Entries(n) {
		if diag.Nearest(k.Value, []string{key}) == key {
			return true
		}
	}
	return false
}

// scalars returns the text nodes of a scalar or of a list of scalars.
func scalars(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		return []*yaml.Node{n}
	}
	var list []*yaml.Node
	for _, item := range n.Content {
		if n.Kind == yaml.SequenceNode && item.Kind == yaml.ScalarNode && item.Tag == "!!str" {
			list = append(list, item)
		}
	}
	return list
}
