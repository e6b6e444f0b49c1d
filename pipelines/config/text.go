package config

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"composecdk/compose"
)

// shellKeys are read by a shell or by Docker, in a buildspec, where CodePipeline
// replaces nothing.
var shellKeys = []string{"Test", "Commands", "Args"}

// proseKeys may have several lines.
var proseKeys = append([]string{"Env", "Comment"}, shellKeys...)

// texts refuses text that a template would not keep: a marker of the CDK, and a variable
// of CodePipeline. See
// https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
func (l *loading) texts(path compose.Path, n *yaml.Node, within []string) {
	for k, v := range entries(n) {
		if strings.HasPrefix(k.Value, "x-") {
			continue
		}
		l.text(path, k, within)
		l.texts(path.Key(k.Value), v, append(slices.Clone(within), k.Value))
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			l.texts(path.Index(i), item, within)
		}
	case yaml.ScalarNode:
		l.text(path, n, within)
	}
}

func (l *loading) text(path compose.Path, n *yaml.Node, within []string) {
	in := func(keys []string) bool {
		return slices.ContainsFunc(within, func(key string) bool { return slices.Contains(keys, key) })
	}
	control := func(r rune) bool {
		return unicode.IsControl(r) && (!strings.ContainsRune("\n\t", r) || !in(proseKeys))
	}
	switch {
	case strings.Contains(n.Value, "{Token["):
		l.errorAt(n, path, "text-token", "", "{Token[…] stands for a value of the CDK, and cannot be part of a text here")
	case strings.Contains(n.Value, "#{") && !in(shellKeys):
		l.errorAt(n, path, "text-variable", "", "#{…} is a variable of CodePipeline, and cannot be part of a text here")
	case strings.ContainsFunc(n.Value, control):
		l.errorAt(n, path, "text-control", "", "%q has a control character", n.Value)
	}
}
