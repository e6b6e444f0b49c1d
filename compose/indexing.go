package compose

import "go.yaml.in/yaml/v4"

// buildIndex records the trees as they are now, in the order in which compose-go
// merges them: what is included, what is extended, then the file itself.
func (l *loading) buildIndex() *index {
	x := &index{places: map[Path]place{}}
	for _, s := range l.main {
		if x.main.File == "" {
			x.main = Pos{File: s.name}
		}
		for _, in := range s.all() {
			l.indexSource(x, in)
		}
	}
	for _, n := range l.lifted {
		l.layer(x, n.in).put(n.path, n.key, n.value)
	}
	return x
}

func (l *loading) indexSource(x *index, s *source) {
	for _, doc := range s.docs {
		for k := range entries(entry(doc, "services")) {
			l.indexExtended(x, s, k.Value, At("services", k.Value), 0)
		}
		for k, v := range entries(doc) {
			l.layer(x, s).put(Path(k.Value), k, v)
		}
	}
}

// indexExtended records the bases of a service under the service's own path,
// the farthest first.
func (l *loading) indexExtended(x *index, in *source, name string, path Path, depth int) {
	const deepest = 100 // circles are reported and cut before
	service, holder := in.service(name)
	extends := entry(service, "extends")
	if extends == nil || depth > deepest {
		return
	}
	base, baseName := holder, extends.Value
	if extends.Kind == yaml.MappingNode {
		if n := entry(extends, "service"); n != nil {
			baseName = n.Value
		}
		if n := entry(extends, "file"); n != nil {
			base = l.copies(n.Value)
		}
	}
	if base == nil {
		return
	}
	l.indexExtended(x, base, baseName, path, depth+1)
	node, from := base.service(baseName)
	for k, v := range entries(node) {
		l.layer(x, from).put(path.Key(k.Value), k, v)
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
func (l *loading) layer(x *index, s *source) layer {
	return layer{index: x, below: s.sections, pos: func(n *yaml.Node) Pos { return l.place(s, n) }}
}

// place returns where a node of a source stands.
func (l *loading) place(s *source, n *yaml.Node) Pos {
	if from := l.adoptedFrom[n]; from != nil {
		s = from
	}
	return s.pos(n)
}
