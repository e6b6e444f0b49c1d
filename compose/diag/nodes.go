package diag

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// Entry returns the value of a mapping's key, or nil.
func Entry(n *yaml.Node, key string) *yaml.Node {
	_, v := EntryNodes(n, key)
	return v
}

// EntryNodes returns the nodes of a mapping's key and of its value, or nil.
func EntryNodes(n *yaml.Node, key string) (k, v *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// Entries iterates over the keys and values of a mapping; over nothing when n
// is no mapping.
func Entries(n *yaml.Node) func(yield func(k, v *yaml.Node) bool) {
	return func(yield func(k, v *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		content := slices.Clone(n.Content)
		for i := 0; i+1 < len(content); i += 2 {
			if !yield(content[i], content[i+1]) {
				return
			}
		}
	}
}
