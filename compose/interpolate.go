package compose

import (
	"fmt"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// filler replaces the variables in a tree of nodes, each problem at the
// place that uses the variable.
type filler struct {
	l    *loading
	file string
	env  types.Mapping
}

// apply replaces the variables below n; entries that cannot be used are taken
// out.
func (f filler) apply(n *yaml.Node, path Path) { f.node(n, path, false) }

// node answers false when n itself cannot be used.
func (f filler) node(n *yaml.Node, path Path, inSub bool) bool {
	switch n.Kind {
	case yaml.MappingNode:
		kept := n.Content[:0]
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			sub := inSub || (key.Value == "Fn::Sub" && inExtension(path))
			if f.node(value, path.Key(key.Value), sub) {
				kept = append(kept, key, value)
			}
		}
		n.Content = kept
	case yaml.SequenceNode:
		kept := n.Content[:0]
		for i, item := range n.Content {
			if f.node(item, path.Index(i), inSub) {
				kept = append(kept, item)
			}
		}
		n.Content = kept
	case yaml.ScalarNode:
		if n.Tag == "!!str" {
			return f.scalar(n, path, inSub)
		}
	}
	return true
}

func (f filler) scalar(n *yaml.Node, path Path, inSub bool) bool {
	out := substitute(n.Value, f.env, inSub)
	at := Pos{File: f.file, Line: n.Line, Column: n.Column}
	ok := true
	if out.invalid != "" {
		f.l.errorAt(at, path, "interpolation", invalidHint(out.invalid, path), "%q is not a variable", shorten(out.invalid))
		ok = false
	}
	for _, message := range out.required {
		f.l.errorAt(at, path, "variable-required", "", "%s", message)
		ok = false
	}
	reported := map[string]bool{}
	for _, name := range out.unset {
		if reported[name] {
			continue
		}
		reported[name] = true
		hint := fmt.Sprintf("set it, or write ${%s:-} if nothing is meant", name)
		if inSub {
			hint = fmt.Sprintf("write ${!%s} for a name of the CloudFormation template", name)
		}
		f.l.warnAt(at, path, "variable-unset", hint, "variable %s is not set, so nothing is put in its place", name)
	}
	if out.text != n.Value {
		n.Value = out.text
		if n.Style == 0 {
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	return ok
}

// invalidHint says how to keep a $ or a placeholder of CloudFormation.
func invalidHint(piece string, path Path) string {
	if attribute.MatchString(piece) && inExtension(path) {
		return "write ${!" + piece[2:] + " for a name of the CloudFormation template"
	}
	return "write $$ for a dollar sign"
}
