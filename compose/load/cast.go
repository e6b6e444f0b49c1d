package load

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// casts are the attributes that compose-go turns into numbers and switches when
// they are written as text, as "${REPLICAS}" is.
var casts = sync.OnceValue(func() map[tree.Path]interpolation.Cast {
	return loader.ToOptions(&types.ConfigDetails{}, nil).Interpolate.TypeCastMapping
})

// cast gives text its type where the attribute has one, and cuts out what
// cannot be read so.
func (l *loading) cast(s *source, n *yaml.Node, path diag.Path, at tree.Path) {
	kept := n.Content[:0]
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			below := path.Key(k.Value)
			if inExtension(below) || l.castNode(s, v, below, at.Next(k.Value)) {
				kept = append(kept, k, v)
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if l.castNode(s, item, path.Index(i), at.Next(tree.PathMatchList)) {
				kept = append(kept, item)
			}
		}
	}
	n.Content = kept
}

func (l *loading) castNode(s *source, n *yaml.Node, path diag.Path, at tree.Path) bool {
	if n.Kind != yaml.ScalarNode {
		l.cast(s, n, path, at)
		return true
	}
	if n.Tag != "!!str" || l.holdsVariable(n) {
		return true
	}
	to := castFor(at)
	if to == nil {
		return true
	}
	value, err := to(n.Value)
	if err != nil {
		what := "a whole number"
		example, _ := to("1")
		switch example.(type) {
		case nil:
			what = "true or false"
		case float64, float32:
			what = "a number"
		}
		l.errorAt(l.place(s, n), path, "compose-schema", "", "%q is not %s", diag.Shorten(n.Value), what)
		l.prune(path)
		return false
	}
	n.Tag = map[bool]string{true: "!!bool", false: "!!int"}[value == true || value == false]
	if _, float := value.(float64); float {
		n.Tag = "!!float"
	}
	if _, float := value.(float32); float {
		n.Tag = "!!float"
	}
	n.Value, n.Style = fmt.Sprint(value), 0
	return true
}

// castPatterns are the patterns of casts by their last part, sorted.
var castPatterns = sync.OnceValue(func() map[string][]tree.Path {
	byLast := map[string][]tree.Path{}
	for _, pattern := range slices.Sorted(maps.Keys(casts())) {
		byLast[pattern.Last()] = append(byLast[pattern.Last()], pattern)
	}
	return byLast
})

func castFor(at tree.Path) interpolation.Cast {
	for _, last := range []string{at.Last(), tree.PathMatchAll} {
		for _, pattern := range castPatterns()[last] {
			if at.Matches(pattern) {
				return casts()[pattern]
			}
		}
	}
	return nil
}
