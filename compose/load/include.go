package load

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// includeEnvironment returns the environment of an included file: the environment of the
// file which includes it over the entry's env_file, or over the .env file beside it.
// The variables come from files.
func (l *loading) includeEnvironment(s *source, item *yaml.Node, dir string, path diag.Path) (env types.Mapping, files []string) {
	env = s.env
	add := func(file string, at diag.Pos, path diag.Path) {
		var ok bool
		if env, ok = l.withVariables(env, at, path, file); ok {
			files = append(files, file)
		}
		l.unread = l.unread || !ok
	}
	written := scalars(diag.Entry(item, "env_file"))
	beside := len(written) == 0 && l.hasVariables(filepath.Join(dir, ".env"))
	if l.verbatim {
		if beside || len(written) > 0 {
			l.warnAt(s.pos(item), path, "include-env", "", "the included file has variables of its own, which are not in the merged file")
		}
		return env, nil
	}
	if beside {
		add(filepath.Join(dir, ".env"), s.pos(item), path)
	}
	for _, n := range written {
		if n.Value != os.DevNull {
			add(absolute(n.Value, s.dir), s.pos(n), path)
		}
	}
	return env, files
}

// includeCycle reports whether a file includes itself, and tells of it, directly or through others.
func (l *loading) includeCycle(s *source, file string, at diag.Pos, path diag.Path) bool {
	var chain []string
	for in := s; in != nil; in = in.parent {
		chain = append(chain, in.name)
		if in.path == file {
			slices.Reverse(chain)
			l.errorAt(at, path, "include-cycle", "", "the file includes itself: %s", strings.Join(append(chain, l.display(file)), " -> "))
			return true
		}
	}
	return false
}

// rewriteInclude makes an include entry name the prepared copies, and copies of
// its files of variables: compose-go would follow links.
func (l *loading) rewriteInclude(item *yaml.Node, opened []*source, dir string, variables []string) error {
	if item.Kind == yaml.ScalarNode {
		*item = *mapping(item)
	}
	copies := sequence(item)
	for _, in := range opened {
		in.copy = l.copyPath()
		copies.Content = append(copies.Content, text(item, in.copy))
	}
	files := sequence(item, text(item, os.DevNull)) // so that compose-go looks for none
	for _, file := range variables {
		content, err := l.read(file)
		if err != nil {
			return err
		}
		name := l.copyPath()
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return err
		}
		files.Content = append(files.Content, text(item, name))
	}
	setEntry(item, "path", copies)
	setEntry(item, "project_directory", text(item, dir))
	setEntry(item, "env_file", files)
	return nil
}

// setEntry replaces or adds a mapping's entry.
func setEntry(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, text(n, key), value)
}

// extensionEntry is one entry of an x-* section: where it was written, and what.
type extensionEntry struct {
	in         *source
	key, value *yaml.Node
}

// mergeExtensions adds to each main file the x-* sections of the files that it
// includes, which compose-go drops: entries are united, the entries of the including
// file win, and two included files must not differ about one.
func (l *loading) mergeExtensions() {
	for _, s := range l.main {
		l.adoptExtensions(s)
	}
}

func (l *loading) adoptExtensions(s *source) {
	if len(s.docs) == 0 {
		return
	}
	adopted := map[diag.Path]extensionEntry{}
	for _, in := range s.includes {
		l.adoptExtensions(in)
		for _, doc := range in.docs {
			for k, v := range diag.Entries(doc) {
				if strings.HasPrefix(k.Value, "x-") {
					l.adopt(s, in, k, v, adopted)
				}
			}
		}
	}
}

// adopt adds one section of an included file to the file that includes it.
func (l *loading) adopt(s, in *source, key, section *yaml.Node, adopted map[diag.Path]extensionEntry) {
	own := s.docs[0]
	target := ownEntry(s, key.Value)
	path := diag.Path(key.Value)
	if target == nil || (adopted[path].value == target && section.Kind != yaml.MappingNode) {
		if target != nil && !sameNode(target, section) {
			l.includeConflict(in, key, path, adopted[path])
			return
		}
		if target == nil && section.Kind != yaml.MappingNode {
			own.Content = append(own.Content, key, section)
			adopted[path] = extensionEntry{in, key, section}
			l.adopted(in, key, section)
			return
		}
		if target == nil {
			target = mapping(key)
			own.Content = append(own.Content, key, target)
			l.adopted(in, key, target)
		}
	}
	if section.Kind != yaml.MappingNode || target.Kind != yaml.MappingNode {
		return
	}
	for k, v := range diag.Entries(section) {
		at := path.Key(k.Value)
		before, twice := adopted[at]
		switch {
		case twice && !sameNode(before.value, v):
			l.includeConflict(in, k, at, before)
		case !twice && diag.Entry(target, k.Value) == nil:
			target.Content = append(target.Content, k, v)
			adopted[at] = extensionEntry{in, k, v}
			l.adopted(in, k, v)
		}
	}
}

// ownEntry returns a top-level section of a file, whichever document holds it.
func ownEntry(s *source, key string) *yaml.Node {
	for _, doc := range s.docs {
		if n := diag.Entry(doc, key); n != nil {
			return n
		}
	}
	return nil
}

func (l *loading) includeConflict(in *source, key *yaml.Node, path diag.Path, before extensionEntry) {
	l.errorAt(in.pos(key), path, "include-conflict",
		"write it in the including file, which wins over both", "another included file sets this differently: %s", before.in.pos(before.key))
}

// sameNode reports whether two trees say the same.
func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, sameNode)
}

// adopted remembers the file of nodes that joined another file's tree.
func (l *loading) adopted(in *source, nodes ...*yaml.Node) {
	for _, n := range nodes {
		if l.adoptedFrom[n] == nil {
			l.adoptedFrom[n] = in
		}
		l.adopted(in, n.Content...)
	}
}
