package diag

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"go.yaml.in/yaml/v4"
)

// Index knows where the paths of the merged model were written.
type Index struct {
	Places map[Path]Place
	Main   Pos // answers for the empty path
}

// Place is where one value stands; for a sequence also how many items the files
// so far have given it, because a later file's items follow them.
type Place struct {
	Key, Value Pos
	items      int
}

// Pos answers with the place of a scalar and with the key's place of a mapping
// or list; an unknown path answers with its nearest known ancestor.
func (x *Index) Pos(path Path) Pos {
	p, ok := x.find(path)
	if !ok {
		return x.Main
	}
	return p.Value
}

// KeyPos answers with the place of the key of a path.
func (x *Index) KeyPos(path Path) Pos {
	p, ok := x.find(path)
	if !ok {
		return x.Main
	}
	return p.Key
}

func (x *Index) find(path Path) (Place, bool) {
	for path != "" {
		if p, ok := x.Places[path]; ok {
			return p, true
		}
		path = path.Parent()
	}
	return Place{}, false
}

// Parent returns the path without its last key or item.
func (p Path) Parent() Path {
	i := strings.LastIndexAny(string(p), ".[")
	return p[:max(i, 0)]
}

// replaced are lists of which the last file's version counts as a whole.
var replaced = []string{".command", ".entrypoint", ".healthcheck.test"}

// Layer adds the places of one file to an index.
type Layer struct {
	*Index
	Pos func(n *yaml.Node) Pos
	// below says that mappings which other files have stay where they are.
	Below bool
}

// Put records a value and all below it.
func (x Layer) Put(path Path, key, value *yaml.Node) {
	p := Place{Key: x.Pos(key), Value: x.Pos(value)}
	before := x.Places[path]
	switch value.Kind {
	case yaml.MappingNode:
		p.Value = p.Key
		if _, known := x.Places[path]; !known || !x.Below {
			x.Places[path] = p
		}
		for k, v := range Entries(value) {
			x.Put(path.Key(k.Value), k, v)
		}
	case yaml.SequenceNode:
		p.Value = p.Key
		start := before.items
		if value.Tag == "!override" || slices.ContainsFunc(replaced, func(s string) bool { return strings.HasSuffix(string(path), s) }) {
			start = 0
		}
		p.items = start + len(value.Content)
		x.Places[path] = p
		for i, item := range value.Content {
			x.item(path, start+i, item)
		}
	default:
		x.Places[path] = p
	}
}

// item records a list's item by its number, and by its name where compose-go or
// ComposeX makes a mapping of the list.
func (x Layer) item(list Path, i int, item *yaml.Node) {
	x.Put(list.Index(i), item, item)
	if strings.HasSuffix(string(list), ".volumes") {
		if target := mountTarget(item); target != "" {
			x.Put(list.Key(target), item, item)
		}
		return
	}
	switch item.Kind {
	case yaml.ScalarNode:
		separator := "="
		if strings.HasSuffix(string(list), ".links") {
			separator = ":"
		}
		if name, _, _ := strings.Cut(item.Value, separator); name != "" {
			x.Put(list.Key(name), item, item)
		}
	case yaml.MappingNode:
		for _, key := range []string{"name", "Name", "source"} {
			if n := Entry(item, key); n != nil && n.Kind == yaml.ScalarNode && n.Value != "" {
				x.Put(list.Key(n.Value), n, item)
				return
			}
		}
	}
}

// mountTarget returns the path in the container that a volume is mounted on.
func mountTarget(volume *yaml.Node) string {
	if target := Entry(volume, "target"); target != nil {
		return path.Clean(target.Value)
	}
	parsed, err := format.ParseVolume(volume.Value)
	if err != nil {
		return ""
	}
	return path.Clean(parsed.Target)
}

// String lists the index, for tests.
func (x *Index) String() string {
	var b strings.Builder
	paths := make([]Path, 0, len(x.Places))
	for p := range x.Places {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		fmt.Fprintf(&b, "%s %s %s\n", p, x.Places[p].Key, x.Places[p].Value)
	}
	return b.String()
}
