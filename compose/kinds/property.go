package kinds

import (
	"strings"

	"composecdk/compose"
)

// Place is a value below the Properties of a resource.
type Place struct {
	Path  compose.Path
	Value any
}

// Places returns the values that a path of a row leads to, in the order of the file;
// a key of which there is none leads nowhere.
func Places(r *compose.Resource, path string) []Place {
	places := []Place{{r.Path.Key("Properties"), map[string]any(r.Properties)}}
	for _, key := range strings.Split(path, ".") {
		name, every := strings.CutSuffix(key, "[]")
		var next []Place
		for _, p := range places {
			value, ok := mapping(p.Value)[name]
			if !ok {
				continue
			}
			at := p.Path.Key(name)
			items, list := value.([]any)
			if !every || !list {
				next = append(next, Place{at, value})
				continue
			}
			for i, item := range items {
				next = append(next, Place{at.Index(i), item})
			}
		}
		places = next
	}
	return places
}

func mapping(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}

// reference reads a whole value as a reference to a resource.
func reference(value any) (compose.Ref, bool) {
	text, ok := value.(string)
	if !ok {
		return compose.Ref{}, false
	}
	return compose.ParseRef(text)
}
