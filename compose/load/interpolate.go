package load

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// interpolator replaces the variables in a tree of nodes, each problem at the
// place that uses the variable.
type interpolator struct {
	l    *loading
	file string
	env  types.Mapping
}

// apply replaces the variables below n; entries that cannot be used are taken
// out.
func (f interpolator) apply(n *yaml.Node, path diag.Path) { f.node(n, path, false) }

// node interpolates a node, and reports whether n itself can be used.
func (f interpolator) node(n *yaml.Node, path diag.Path, inSub bool) bool {
	switch n.Kind {
	case yaml.MappingNode:
		kept := n.Content[:0]
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if !f.l.checkName(key.Value, f.at(key), path) {
				f.l.prune(path.Key(key.Value))
				continue
			}
			sub := inSub || (key.Value == "Fn::Sub" && inExtension(path))
			if f.node(value, path.Key(key.Value), sub) && f.function(key, value, path) {
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
		switch n.Tag {
		case "!!str":
			return f.scalar(n, path, inSub)
		case "!!int", "!!float":
			return f.number(n, path)
		}
	}
	return true
}

func (f interpolator) scalar(n *yaml.Node, path diag.Path, inSub bool) bool {
	out := substitute(n.Value, f.env, inSub)
	at := f.at(n)
	if !f.l.countText(&out, at, path) {
		return false
	}
	if f.l.refused(slices.Compact(slices.Sorted(slices.Values(out.names))), f.env, at, path) {
		f.l.prune(path)
		return false
	}
	ok := true
	if out.invalid != "" {
		f.l.errorAt(at, path, "interpolation", invalidHint(out.invalid, path), "%q is not a variable", diag.Shorten(out.invalid))
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
	if ok && !f.l.checkText(n.Value, at, path) {
		f.l.prune(path)
		return false
	}
	return ok
}

func (f interpolator) at(n *yaml.Node) diag.Pos {
	return diag.Pos{File: f.file, Line: n.Line, Column: n.Column}
}

// maxNumber is the largest number that a file may hold: beyond, the CDK keeps
// references of its own.
const maxNumber = 1e18

func (f interpolator) number(n *yaml.Node, path diag.Path) bool {
	if value, err := strconv.ParseFloat(n.Value, 64); err == nil && math.Abs(value) <= maxNumber || err != nil && len(n.Value) < 20 {
		return true
	}
	f.l.errorAt(f.at(n), path, "text-number", "", "%s is larger than any number that a template can hold", diag.Shorten(n.Value))
	f.l.prune(path)
	return false
}

// function reports whether the argument of an intrinsic function is right. What it joins must not
// become a dynamic reference, and a macro must not run.
func (f interpolator) function(key, value *yaml.Node, path diag.Path) bool {
	if !inExtension(path) || !strings.HasPrefix(key.Value, "Fn::") {
		return true
	}
	code, message := "", ""
	switch {
	case key.Value == "Fn::Transform":
		code, message = "intrinsic", "a macro of CloudFormation runs code in the account, and is not possible"
	case strings.Contains(spelled(key.Value, value), "{{"):
		code, message = "text-dynamic", "the function joins texts that hold {{, by which CloudFormation would read a value of the account"
	case f.l.untrusted && key.Value == "Fn::ImportValue":
		code, message = "untrusted", "a value that another stack exports must not be imported by untrusted files"
	default:
		return true
	}
	f.l.errorAt(f.at(key), path.Key(key.Value), code, "", "%s", message)
	f.l.prune(path.Key(key.Value))
	return false
}

// spelled returns the text that a function may make of its argument: what it joins, in
// order. A function that takes texts apart may make any of them.
func spelled(name string, n *yaml.Node) string {
	var texts []string
	for _, item := range n.Content {
		texts = append(texts, spelled("", item))
	}
	switch {
	case n.Kind == yaml.ScalarNode:
		return SubVariable.ReplaceAllString(n.Value, "")
	case n.Kind == yaml.MappingNode:
		return spelledMapping(n)
	case name == "Fn::Join" && len(n.Content) == 2 && n.Content[1].Kind == yaml.SequenceNode:
		var joined []string
		for _, item := range n.Content[1].Content {
			joined = append(joined, spelled("", item))
		}
		return strings.Join(joined, texts[0])
	}
	return strings.Join(texts, "")
}

// spelledMapping returns the text of a mapping, as a function where it is one.
func spelledMapping(n *yaml.Node) string {
	var b strings.Builder
	for k, v := range diag.Entries(n) {
		said := spelled(k.Value, v)
		if slices.Contains([]string{"Fn::Select", "Fn::Split"}, k.Value) && strings.Contains(said, "{") {
			said += "{{"
		}
		b.WriteString(said)
	}
	return b.String()
}

// invalidHint says how to keep a $ or a placeholder of CloudFormation.
func invalidHint(piece string, path diag.Path) string {
	if attribute.MatchString(piece) && inExtension(path) {
		return "write ${!" + piece[2:] + " for a name of the CloudFormation template"
	}
	return "write $$ for a dollar sign"
}

// SubVariable matches a variable of Fn::Sub.
var SubVariable = regexp.MustCompile(`\$\{([^!][^}]*)\}`)
