package config

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// entry returns the value of a mapping's key, or nil.
func entry(n *yaml.Node, key string) *yaml.Node {
	_, value := entryNodes(n, key)
	return value
}

func entryNodes(n *yaml.Node, key string) (k, v *yaml.Node) {
	for k, v := range entries(n) {
		if k.Value == key {
			return k, v
		}
	}
	return nil, nil
}

// entries iterates over the keys and values of a mapping; none if n is no mapping.
func entries(n *yaml.Node) func(yield func(k, v *yaml.Node) bool) {
	return func(yield func(k, v *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for pair := range slices.Chunk(slices.Clone(n.Content), 2) {
			if !yield(pair[0], pair[1]) {
				return
			}
		}
	}
}

// items returns the items of a list, or a scalar alone.
func items(n *yaml.Node) []*yaml.Node {
	if n.Kind == yaml.ScalarNode {
		return []*yaml.Node{n}
	}
	return n.Content
}

// textual reports whether a node is text or a list of texts.
func textual(n *yaml.Node) bool {
	return n.Kind != yaml.MappingNode && !slices.ContainsFunc(items(n), func(item *yaml.Node) bool { return item.Kind != yaml.ScalarNode || item.Tag != "!!str" })
}

// mapping returns an empty mapping, and label a key, at the place of a node.
func mapping(at *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: at.Line, Column: at.Column}
}

func label(at *yaml.Node, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: at.Line, Column: at.Column}
}

func removeEntry(n *yaml.Node, key string) {
	for i := 0; n != nil && i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}
