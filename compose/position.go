package compose

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"go.yaml.in/yaml/v4"
)

// index knows where the paths of the merged model were written.
type index struct {
	places map[Path]place
	main   Pos // answers for the empty path
}

// place is where one value stands; for a sequence also how many items the files
// so far have given it, because a later file's items follow them.
type place struct {
	key, value Pos
	items      int
}

// Pos answers with the place of a scalar and with that of the key of a mapping
// or list; an unknown path answers with its nearest known ancestor.
func (x *index) Pos(path Path) Pos {
	p, ok := x.find(path)
	if !ok {
		return x.main
	}
	return p.value
}

// KeyPos answers with the place of the key of a path.
func (x *index) KeyPos(path Path) Pos {
	p, ok := x.find(path)
	if !ok {
		return x.main
	}
	return p.key
}

func (x *index) find(path Path) (place, bool) {
	for path != "" {
		if p, ok := x.places[path]; ok {
			return p, true
		}
		path = path.parent()
	}
	return place{}, false
}

// parent returns the path without its last key or item.
func (p Path) parent() Path {
	i := strings.LastIndexAny(string(p), ".[")
	return p[:max(i, 0)]
}

// replaced are lists of which the last file's version counts as a whole.
var replaced = []string{".command", ".entrypoint", ".healthcheck.test"}

// layer adds the places of one file to an index.
type layer struct {
	*index
	pos func(n *yaml.Node) Pos
	// below says that mappings which other files have stay where they are.
	below bool
}

// put records a value and all below it.
func (x layer) put(path Path, key, value *yaml.Node) {
	p := place{key: x.pos(key), value: x.pos(value)}
	before := x.places[path]
	switch value.Kind {
	case yaml.MappingNode:
		p.value = p.key
		if _, known := x.places[path]; !known || !x.below {
			x.places[path] = p
		}
		for k, v := range entries(value) {
			x.put(path.Key(k.Value), k, v)
		}
	case yaml.SequenceNode:
		p.value = p.key
		start := before.items
		if value.Tag == "!override" || slices.ContainsFunc(replaced, func(s string) bool { return strings.HasSuffix(string(path), s) }) {
			start = 0
		}
		p.items = start + len(value.Content)
		x.places[path] = p
		for i, item := range value.Content {
			x.item(path, start+i, item)
		}
	default:
		x.places[path] = p
	}
}

// item records a list's item by its number, and by its name where compose-go or
// ComposeX makes a mapping of the list.
func (x layer) item(list Path, i int, item *yaml.Node) {
	x.put(list.Index(i), item, item)
	if strings.HasSuffix(string(list), ".volumes") {
		if target := mountTarget(item); target != "" {
			x.put(list.Key(target), item, item)
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
			x.put(list.Key(name), item, item)
		}
	case yaml.MappingNode:
		for _, key := range []string{"name", "Name", "source"} {
			if n := entry(item, key); n != nil && n.Kind == yaml.ScalarNode && n.Value != "" {
				x.put(list.Key(n.Value), n, item)
				return
			}
		}
	}
}

// mountTarget returns the path in the container that a volume is mounted on.
func mountTarget(volume *yaml.Node) string {
	if target := entry(volume, "target"); target != nil {
		return path.Clean(target.Value)
	}
	parsed, err := format.ParseVolume(volume.Value)
	if err != nil {
		return ""
	}
	return path.Clean(parsed.Target)
}

// String lists the index, for tests.
func (x *index) String() string {
	var b strings.Builder
	paths := make([]Path, 0, len(x.places))
	for p := range x.places {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		fmt.Fprintf(&b, "%s %s %s\n", p, x.places[p].key, x.places[p].value)
	}
	return b.String()
}
