package load

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// baseKey tells apart the uses of files that services extend.
type baseKey struct {
	path string
	root *source // the main or included file whose variables apply
}

type serviceKey struct {
	in      *source
	service string
}

// extend opens the files that the services of s and of its includes extend, and
// makes the entries name the prepared copies.
func (l *loading) extend(s *source) {
	for _, in := range s.all() {
		for _, doc := range in.docs {
			for k := range diag.Entries(diag.Entry(doc, "services")) {
				l.extendService(in, in, k.Value, nil)
			}
		}
	}
}

// extendService follows the extends of one service; chain are the services that
// led here, so that a cycle is seen.
func (l *loading) extendService(root, in *source, name string, chain []serviceKey) {
	service, holder := in.service(name)
	if service == nil {
		return
	}
	in = holder
	key := serviceKey{in, name}
	extends := diag.Entry(service, "extends")
	for _, before := range chain {
		if before == key {
			l.extendsCycle(in, extends, name, append(chain, key))
			removeEntry(service, "extends")
			return
		}
	}
	if _, seen := l.services[key]; seen {
		return
	}
	l.services[key] = true
	l.fillBase(in, name)
	base, baseName, nameNode := l.extendsBase(root, in, service, diag.At("services", name, "extends"))
	if base == nil {
		return
	}
	if n, _ := base.service(baseName); n == nil {
		if l.unread {
			return // it may be in a file that could not be read
		}
		l.errorAt(in.pos(nameNode), diag.At("services", name, "extends"), "extends-unknown", diag.DidYouMean(baseName, base.serviceNames()),
			"%q is not a service of %s", baseName, base.name)
		l.prune(diag.At("services", name, "extends"))
		removeEntry(service, "extends")
		return
	}
	delete(l.services, key) // so that a cycle is seen, not taken for done
	l.extendService(root, base, baseName, append(chain, key))
	l.services[key] = true
	l.countInherited(key, base, baseName, in.pos(nameNode))
}

// countInherited counts what a service takes from another one, and from those that
// this one extends: compose-go makes a copy for each.
func (l *loading) countInherited(key serviceKey, base *source, baseName string, at diag.Pos) {
	if l.inherited > maxInherited {
		return // it is reported
	}
	n, holder := base.service(baseName)
	size := countNodes(n) + l.inherits[serviceKey{holder, baseName}]
	l.inherits[key] = size
	if base != key.in {
		size += countNodes(base.docs...) // which is read again for each
	}
	l.inherited += size
	if l.inherited > maxInherited {
		l.unread = true
		l.errorAt(at, diag.At("services", key.service, "extends"), "limit-extends", "",
			"the services take more than %d values from those that they extend", maxInherited)
	}
}

func countNodes(nodes ...*yaml.Node) int {
	count := 0
	for _, n := range nodes {
		if n != nil {
			count += 1 + countNodes(n.Content...)
		}
	}
	return count
}

// extendsBase returns the file, the name and the name's node of what a service
// extends; nil when it extends nothing, or nothing usable.
func (l *loading) extendsBase(root, in *source, service *yaml.Node, path diag.Path) (*source, string, *yaml.Node) {
	_, n := diag.EntryNodes(service, "extends")
	if n == nil {
		return nil, "", nil
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		return in, n.Value, n
	}
	name, fileNode := diag.Entry(n, "service"), diag.Entry(n, "file")
	if name == nil || name.Tag != "!!str" {
		return nil, "", nil // the schema check reports it
	}
	if fileNode == nil || fileNode.Tag != "!!str" {
		return in, name.Value, name
	}
	base := l.openBase(root, in, fileNode, path)
	if base == nil {
		l.prune(path)
		removeEntry(service, "extends")
		return nil, "", nil
	}
	fileNode.Value = base.copy
	return base, name.Value, name
}

// openBase opens a file that a service extends, once for each file whose variables
// apply in it. What cannot be read is missing from that service only.
func (l *loading) openBase(root, in *source, fileNode *yaml.Node, path diag.Path) *source {
	file := absolute(fileNode.Value, in.dir)
	key := baseKey{file, root}
	if base := l.bases[key]; base != nil {
		return base
	}
	unread := l.unread
	defer func() { l.unread = unread || l.timedOut || l.bases[key] != nil && l.unread }()
	if l.remote(fileNode.Value, in.pos(fileNode), path.Key("file")) {
		return nil
	}
	base := l.open(file, filepath.Dir(file), nil, in.pos(fileNode), path.Key("file"))
	if base == nil {
		return nil
	}
	l.bases[key] = base
	base.env = root.env
	base.copy = l.copyPath()
	l.order = append(l.order, base)
	return base
}

// fillBase fills in the variables of a service in a file that is only extended:
// the others in that file may have problems that are nobody's concern here.
func (l *loading) fillBase(base *source, name string) {
	if !slices.Contains(l.order, base) {
		return
	}
	f := interpolator{l: l, file: base.name, env: base.env}
	for _, doc := range base.docs {
		if n := diag.Entry(diag.Entry(doc, "services"), name); n != nil {
			f.apply(n, diag.At("services", name))
		}
	}
}

// onlyExtended cuts the files that are only extended down to those services
// that are.
func (l *loading) onlyExtended() {
	for _, base := range l.order {
		for _, doc := range base.docs {
			key, services := diag.EntryNodes(doc, "services")
			doc.Content = nil
			if services == nil {
				continue
			}
			doc.Content = append(doc.Content, key, services)
			for k := range diag.Entries(services) {
				if !l.services[serviceKey{base, k.Value}] {
					removeEntry(services, k.Value)
				}
			}
		}
	}
}

func (l *loading) extendsCycle(in *source, extends *yaml.Node, name string, chain []serviceKey) {
	var names []string
	started := false
	for _, key := range chain {
		started = started || (key.in == in && key.service == name)
		if started {
			l.prune(diag.At("services", key.service, "extends"))
			shown := key.service
			if key.in != in {
				shown = fmt.Sprintf("%s (%s)", key.service, key.in.name)
			}
			names = append(names, shown)
		}
	}
	l.errorAt(in.pos(extends), diag.At("services", name, "extends"), "extends-cycle", "",
		"the service extends itself: %s", strings.Join(names, " -> "))
}
