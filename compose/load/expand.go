package load

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// maxNodes caps how many values a file may have when its aliases are written out.
const maxNodes = 100_000

// maxDepth is how deep values may stand within others: what compose-go does with one
// takes time by the square of it.
const maxDepth = 100

// cloudFormationTags are the short forms of intrinsic functions; the long form
// of each is Fn::Name, but for those in plainFunctions.
var (
	cloudFormationTags = []string{
		"And", "Base64", "Cidr", "Condition", "Contains", "EachMemberEquals", "EachMemberIn", "Equals",
		"FindInMap", "ForEach", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Length", "Not", "Or", "Ref",
		"RefAll", "Select", "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
	}
	plainFunctions = []string{"Ref", "Condition"}
	standardTags   = []string{"!!bool", "!!float", "!!int", "!!map", "!!merge", "!!null", "!!seq", "!!str", "!!timestamp"}
)

// accountID is a number that must keep its leading zero.
var accountID = regexp.MustCompile(`^0[0-9]{11,}$`)

// expander writes out one YAML document: aliases and merge keys are replaced by
// what they stand for, every key becomes text, and CloudFormation's tags become
// the maps they abbreviate. The nodes keep the line they were written on.
type expander struct {
	l      *loading
	file   string
	count  int  // values so far
	length int  // of their texts
	full   bool // too much of either
	active map[*yaml.Node]bool
}

func (e *expander) at(n *yaml.Node) diag.Pos {
	return diag.Pos{File: e.file, Line: n.Line, Column: n.Column}
}

func (e *expander) errorf(n *yaml.Node, path diag.Path, code, hint, format string, args ...any) {
	e.l.errorAt(e.at(n), path, code, hint, format, args...)
}

// node returns the expanded copy of n, or nil where n cannot be used.
func (e *expander) node(n *yaml.Node, path diag.Path) *yaml.Node {
	if !e.countNode(n) {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		if e.active[n.Alias] {
			e.errorf(n, path, "yaml-alias", "", "the alias *%s stands within what it names", n.Value)
			return nil
		}
		return e.node(n.Alias, path)
	}
	if len(e.active) > maxDepth {
		if !e.full {
			e.full = true
			e.errorf(n, "", "yaml-too-deep", "", "values stand at most %d deep within others", maxDepth)
		}
		return nil
	}
	e.active[n] = true
	defer delete(e.active, n)
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style &^ yaml.TaggedStyle, Line: n.Line, Column: n.Column}
	tag := e.tag(c, path)
	switch n.Kind {
	case yaml.ScalarNode:
		e.plainScalar(c, path)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if x := e.node(item, path.Index(i)); x != nil {
				c.Content = append(c.Content, x)
			}
		}
	case yaml.MappingNode:
		c.Style = 0
		e.mapping(n, c, path)
	default:
		return nil
	}
	return intrinsic(tag, c)
}

// tag gives c the standard tag of its kind and answers with the name of the
// CloudFormation function that it stood for.
func (e *expander) tag(c *yaml.Node, path diag.Path) string {
	tag := c.Tag
	switch {
	case tag == "!reset" || tag == "!override":
		return ""
	case slices.Contains(standardTags, tag):
		return ""
	}
	name := strings.TrimPrefix(tag, "!")
	if tag != "" && tag != "!" && !slices.Contains(cloudFormationTags, name) {
		e.errorf(c, path, "yaml-tag", diag.DidYouMean(name, cloudFormationTags), "the tag %s has no meaning in %s", tag, e.l.what.file)
		name = ""
	}
	switch c.Kind {
	case yaml.MappingNode:
		c.Tag = "!!map"
	case yaml.SequenceNode:
		c.Tag = "!!seq"
	default:
		c.Tag = "!!str"
		c.Style = yaml.DoubleQuotedStyle
	}
	return name
}

// plainScalar makes text of what would not survive as it is written: dates,
// account ids with a leading zero below the x-* keys of compose files, and numbers
// that JSON cannot hold.
func (e *expander) plainScalar(c *yaml.Node, path diag.Path) {
	number := c.Tag == "!!int" || c.Tag == "!!float"
	switch {
	case c.Tag == "!!timestamp",
		number && strings.ContainsAny(c.Value, "nN") && c.Tag == "!!float",
		number && accountID.MatchString(c.Value) && inExtension(path) && !e.l.what.numbers:
		asText(c)
	}
}

func asText(c *yaml.Node) {
	c.Tag = "!!str"
	c.Style = yaml.DoubleQuotedStyle
}

// inExtension reports whether a path is below an x-* key.
func inExtension(path diag.Path) bool {
	return strings.HasPrefix(string(path), "x-") || strings.Contains(string(path), ".x-")
}

// intrinsic wraps c as the argument of a CloudFormation function.
func intrinsic(name string, c *yaml.Node) *yaml.Node {
	if name == "" {
		return c
	}
	if name == "GetAtt" && c.Kind == yaml.ScalarNode {
		resource, attribute, _ := strings.Cut(c.Value, ".")
		c = sequence(c, text(c, resource), text(c, attribute))
	}
	if !slices.Contains(plainFunctions, name) {
		name = "Fn::" + name
	}
	return mapping(c, text(c, name), c)
}

// text builds a scalar, as sequence and mapping build nodes that stand where at stands.
func text(at *yaml.Node, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value, Line: at.Line, Column: at.Column}
}

func sequence(at *yaml.Node, items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: items, Line: at.Line, Column: at.Column}
}

func mapping(at *yaml.Node, keysAndValues ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: keysAndValues, Line: at.Line, Column: at.Column}
}

func (e *expander) mapping(n, c *yaml.Node, path diag.Path) {
	lines := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" {
			merged = append(merged, value)
			continue
		}
		k := e.key(key, path)
		if k == nil {
			continue
		}
		if line, twice := lines[k.Value]; twice {
			e.errorf(k, path.Key(k.Value), "yaml-duplicate-key", "", "%q is already set on line %d", k.Value, line)
			continue
		}
		lines[k.Value] = k.Line
		if v := e.node(value, path.Key(k.Value)); v != nil {
			c.Content = append(c.Content, k, v)
		}
	}
	for _, value := range merged {
		e.merge(value, c, path, lines)
	}
}

// key returns the text of a mapping key: 8080: and true: become "8080" and "true".
func (e *expander) key(n *yaml.Node, path diag.Path) *yaml.Node {
	source := n
	for source.Kind == yaml.AliasNode {
		source = source.Alias
	}
	if source.Kind != yaml.ScalarNode {
		e.errorf(n, path, "yaml-key", "", "a key must be text, not a mapping or a list")
		return nil
	}
	k := text(n, source.Value)
	if source.Tag == "!!str" {
		k.Style = source.Style
	}
	return k
}

// merge adds the entries that a merge key (<<) brings and c does not have.
func (e *expander) merge(value, c *yaml.Node, path diag.Path, have map[string]int) {
	target := value
	for target.Kind == yaml.AliasNode {
		target = target.Alias
	}
	if target.Kind == yaml.SequenceNode {
		if !e.countNode(target) {
			return
		}
		for _, item := range target.Content {
			e.merge(item, c, path, have)
		}
		return
	}
	x := e.node(value, path)
	if x == nil {
		return
	}
	if x.Kind != yaml.MappingNode {
		e.errorf(value, path, "yaml-merge", "", "a merge key (<<) takes a mapping or a list of mappings, not %s", describeNode(x))
		return
	}
	for i := 0; i < len(x.Content); i += 2 {
		if _, set := have[x.Content[i].Value]; set {
			continue
		}
		have[x.Content[i].Value] = x.Content[i].Line
		c.Content = append(c.Content, x.Content[i], x.Content[i+1])
	}
}

func describeNode(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return fmt.Sprintf("%q", n.Value)
}

// removeEntry takes a key out of a mapping.
func removeEntry(n *yaml.Node, key string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}
