package load

import (
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// buildIndex records the trees as they are now, in the order in which compose-go
// merges them: what is included, what is extended, then the file itself.
func (l *loading) buildIndex() *diag.Index {
	x := &diag.Index{Places: map[diag.Path]diag.Place{}}
	for _, s := range l.main {
		if x.Main.File == "" {
			x.Main = diag.Pos{File: s.name}
		}
		for _, in := range s.all() {
			l.indexSource(x, in)
		}
	}
	for _, n := range l.lifted {
		l.layer(x, n.in).Put(n.path, n.key, n.value)
	}
	return x
}

func (l *loading) indexSource(x *diag.Index, s *source) {
	for _, doc := range s.docs {
		for k := range diag.Entries(diag.Entry(doc, "services")) {
			l.indexExtended(x, s, k.Value, diag.At("services", k.Value), 0)
		}
		for k, v := range diag.Entries(doc) {
			l.layer(x, s).Put(diag.Path(k.Value), k, v)
		}
	}
}

// indexExtended records the bases of a service under the service's own path,
// the farthest first.
func (l *loading) indexExtended(x *diag.Index, in *source, name string, path diag.Path, depth int) {
	const deepest = 100 // circles are reported and cut before
	service, holder := in.service(name)
	extends := diag.Entry(service, "extends")
	if extends == nil || depth > deepest {
		return
	}
	base, baseName := holder, extends.Value
	if extends.Kind == yaml.MappingNode {
		if n := diag.Entry(extends, "service"); n != nil {
			baseName = n.Value
		}
		if n := diag.Entry(extends, "file"); n != nil {
			base = l.copies(n.Value)
		}
	}
	if base == nil {
		return
	}
	l.indexExtended(x, base, baseName, path, depth+1)
	node, from := base.service(baseName)
	for k, v := range diag.Entries(node) {
		l.layer(x, from).Put(path.Key(k.Value), k, v)
	}
}

// copies returns the base whose prepared copy lies at a path.
func (l *loading) copies(path string) *source {
	for _, s := range l.order {
		if s.copy == path {
			return s
		}
	}
	return nil
}

// layer reads the nodes of a source, some of which come from another file.
func (l *loading) layer(x *diag.Index, s *source) diag.Layer {
	return diag.Layer{Index: x, Below: s.sections, Pos: func(n *yaml.Node) diag.Pos { return l.place(s, n) }}
}

// place returns where a node of a source stands.
func (l *loading) place(s *source, n *yaml.Node) diag.Pos {
	if from := l.adoptedFrom[n]; from != nil {
		s = from
	}
	return s.pos(n)
}
