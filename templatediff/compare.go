package templatediff

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"composecdk/secretscan"
)

// Kind is the kind of a change.
type Kind int

// The kinds in the order of printing.
const (
	Added Kind = iota
	Changed
	Removed
)

// Replacement tells whether a change replaces the resource.
type Replacement int

// Perhaps is for values that are known only when deployed.
const (
	Never Replacement = iota
	Perhaps
	Always
)

// Difference holds the changes of a stack.
type Difference struct {
	Stack
	// New is true if the stack is not deployed yet.
	New bool
	// Resources are sorted by kind, type and id.
	Resources []ResourceChange
	// Images are sorted by container.
	Images []ImageChange
	// Sections lists the other changed sections of the template, sorted.
	Sections []string
}

// Changes reports whether the release does anything to the stack.
func (d Difference) Changes() bool { return d.New || len(d.Resources) > 0 || len(d.Sections) > 0 }

// Count returns the number of changed resources of a kind.
func (d Difference) Count(k Kind) int {
	n := 0
	for _, r := range d.Resources {
		if r.Kind == k {
			n++
		}
	}
	return n
}

// ResourceChange is the change of one resource.
type ResourceChange struct {
	Kind     Kind
	ID, Type string
	// Name is the path in the construct tree, or the logical id if there is none.
	Name string
	// Properties lists the changed properties, sorted, with their values where these are
	// safe to print.
	Properties []string
	Replaced   Replacement
	// Holds is true if the resource holds data or others depend on it. Kept is true if
	// CloudFormation retains it, outside of the stack, on removal or replacement.
	Holds, Kept bool
}

// Loses reports whether data is, or may be, lost.
func (r ResourceChange) Loses() bool {
	return r.Holds && !r.Kept && (r.Kind == Removed || r.Replaced != Never)
}

// ImageChange is a container with another image; Old or New is "" for an added or a removed
// container.
type ImageChange struct{ Container, Old, New string }

// Compare compares a stack with its deployed template, nil if it is not deployed.
//
// It sees templates only: neither the tags and the protection of the stack, nor values from
// other stacks or parameters. A change of a nested stack is a change of its URL.
func Compare(s Stack, deployed *Template) Difference {
	d := Difference{Stack: s, New: deployed == nil}
	if deployed == nil {
		deployed = &Template{}
	}
	for _, id := range keys(deployed.Resources, s.Template.Resources) {
		before, after := deployed.Resources[id], s.Template.Resources[id]
		if c, changed := compare(id, before, after); changed {
			d.Resources = append(d.Resources, c)
			d.Images = append(d.Images, compareImages(before, after)...)
		}
	}
	slices.SortStableFunc(d.Resources, func(a, b ResourceChange) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(d.Images, func(a, b ImageChange) int { return cmp.Compare(a.Container, b.Container) })
	for _, name := range keys(deployed.Sections, s.Template.Sections) {
		if !reflect.DeepEqual(deployed.Sections[name], s.Template.Sections[name]) {
			d.Sections = append(d.Sections, name)
		}
	}
	return d
}

// keys returns the keys of two maps, sorted.
func keys[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

func compare(id string, before, after *Resource) (c ResourceChange, changed bool) {
	described := after
	switch {
	case before == nil:
		c.Kind = Added
	case after == nil:
		c.Kind, described = Removed, before
		c.Kept = keeps(before, "DeletionPolicy")
	default:
		c.Kind = Changed
		c.Kept = keeps(before, "UpdateReplacePolicy")
	}
	c.ID, c.Type, c.Name = id, described.Type, cmp.Or(described.Path, id)
	_, c.Holds = createOnly[c.Type]
	if c.Kind != Changed {
		return c, true
	}
	if before.Type != after.Type {
		c.Properties, c.Replaced = []string{"Type"}, Always
		_, c.Holds = createOnly[before.Type]
		return c, true
	}
	found := differ(nil, before.Properties, after.Properties)
	for _, f := range found {
		c.Replaced = max(c.Replaced, f.replaces(c.Type))
		c.Properties = append(c.Properties, f.String())
	}
	for _, name := range keys(before.Attributes, after.Attributes) {
		if !reflect.DeepEqual(before.Attributes[name], after.Attributes[name]) {
			c.Properties = append(c.Properties, name)
		}
	}
	return c, len(c.Properties) > 0
}

// keeps reports whether a policy of a resource retains it, or takes a snapshot.
func keeps(r *Resource, policy string) bool {
	return slices.Contains([]any{"Retain", "Snapshot", "RetainExceptOnCreate"}, r.Attributes[policy])
}

// property is a changed property.
type property struct {
	path     []string
	old, new any
}

// maxDepth limits the path of a property in the output.
const maxDepth = 4

// differ returns the properties that differ.
func differ(at []string, old, new any) []property {
	if reflect.DeepEqual(old, new) {
		return nil
	}
	before, after := children(old), children(new)
	if len(at) >= maxDepth || before == nil || after == nil {
		return []property{{at, old, new}}
	}
	var found []property
	for _, key := range keys(before, after) {
		found = append(found, differ(append(slices.Clone(at), key), before[key], after[key])...)
	}
	if len(found) == 0 { // a list in another order
		return []property{{at, old, new}}
	}
	return found
}

// children returns the fields of a mapping, or the items of a list by name; nil for a value
// that is compared as a whole.
func children(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			if len(v) == 1 && (key == "Ref" || strings.HasPrefix(key, "Fn::")) {
				return nil
			}
		}
		return v
	case []any:
		named := map[string]any{}
		for _, item := range v {
			fields, _ := item.(map[string]any)
			name, ok := fields["Name"].(string)
			if _, twice := named["["+name+"]"]; !ok || twice {
				return nil
			}
			named["["+name+"]"] = fields
		}
		return named
	}
	return nil
}

// String names the property, with the values where they are numbers or switches.
func (p property) String() string {
	name := strings.ReplaceAll(strings.Join(p.path, "."), ".[", "[")
	old, told := safeValue(p.last(), p.old)
	new, also := safeValue(p.last(), p.new)
	if !told || !also {
		return name
	}
	return fmt.Sprintf("%s %s -> %s", name, old, new)
}

func (p property) last() string { return p.path[len(p.path)-1] }

// safeValue returns a value that is safe to print: a number or a switch without a secret's
// name.
func safeValue(name string, v any) (string, bool) {
	text := ""
	switch v := v.(type) {
	case nil:
		return "none", true
	case bool, json.Number:
		text = fmt.Sprint(v)
	default:
		return "", false
	}
	return text, secretscan.Named(name, text+"x") == ""
}

// replaces tells whether a change of the property makes CloudFormation replace a resource of
// a type.
func (p property) replaces(kind string) Replacement {
	at := strings.Join(p.path, "/") + "/"
	for _, only := range createOnly[kind] {
		only += "/"
		if !strings.HasPrefix(at, only) && !strings.HasPrefix(only, at) {
			continue
		}
		if literal(p.old) && literal(p.new) && strings.HasPrefix(at, only) {
			return Always
		}
		return Perhaps
	}
	return Never
}

// literal reports whether a value is known before deployment.
func literal(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return children(v) != nil && !slices.ContainsFunc(slices.Collect(maps.Values(v)), func(v any) bool { return !literal(v) })
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !literal(v) })
	}
	return true
}

// createOnlyText lists the create-only properties of types that hold data, or that other
// resources depend on. A test of the CDK rewrites it from CloudFormation's schemas.
//
//go:embed createonly.tsv
var createOnlyText string

// createOnly maps a type to its properties whose change makes CloudFormation replace the
// resource. Nested properties are written a/b.
var createOnly = func() map[string][]string {
	table := map[string][]string{}
	for line := range strings.Lines(createOnlyText) {
		if kind, properties, ok := strings.Cut(line, "\t"); ok {
			table[kind] = strings.Fields(properties)
		}
	}
	return table
}()
