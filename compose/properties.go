package compose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// functions are the intrinsic functions that Properties may hold. Those that
// point to other parts of a template are not among them: a compose file has no
// conditions or mappings, and names resources by x-key::name::value.
// Fn::ToJsonString is missing: the CDK cannot include it.
var functions = []string{
	"Fn::Base64", "Fn::Cidr", "Fn::GetAZs", "Fn::ImportValue", "Fn::Join",
	"Fn::Select", "Fn::Split", "Fn::Sub",
}

var subVariable = regexp.MustCompile(`\$\{([^!][^}]*)\}`)

// checkProperties checks the intrinsic functions and references in Properties,
// and spells bare references of earlier releases out.
func (r *resolver) checkProperties(res *Resource) {
	path := res.Path.Key("Properties")
	for _, bare := range res.Schema.BareReferences {
		r.spellOut(res, path, strings.Split(bare, "."))
	}
	r.checkValue(path, res.Properties)
}

// spellOut replaces the bare name of a resource of the same section by its
// reference.
func (r *resolver) spellOut(res *Resource, path Path, keys []string) {
	properties := res.Properties
	for _, key := range keys[:len(keys)-1] {
		next, ok := properties[key].(map[string]any)
		if !ok {
			return
		}
		properties, path = next, path.Key(key)
	}
	last := keys[len(keys)-1]
	name, ok := properties[last].(string)
	if !ok || strings.Contains(name, ":") {
		return
	}
	path = path.Key(last)
	if _, ok := r.model.Resource(Ref{Key: res.Key, Name: name}); !ok {
		r.unknown(path, "reference-unknown", "a resource of "+res.Key, name, r.resourceNames(res.Key))
		return
	}
	ref := Ref{Key: res.Key, Name: name, Attribute: "Arn"}
	r.deprecated(path, name, ref.String())
	properties[last] = ref.String()
}

func (r *resolver) resourceNames(key string) []string {
	var names []string
	for _, res := range r.model.Resources {
		if res.Key == key {
			names = append(names, res.Name)
		}
	}
	return names
}

func (r *resolver) checkValue(path Path, value any) {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 1 {
			for key, argument := range v {
				if key == "Ref" || key == "Condition" || strings.HasPrefix(key, "Fn::") {
					r.checkFunction(path.Key(key), key, argument)
					return
				}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			r.checkValue(path.Key(key), v[key])
		}
	case []any:
		for i, item := range v {
			r.checkValue(path.Index(i), item)
		}
	case string:
		r.checkReferences(path, v)
	}
}

func (r *resolver) checkFunction(path Path, name string, argument any) {
	switch {
	case name == "Ref":
		if text, ok := argument.(string); !ok || !slices.Contains(PseudoParameters, text) && text != "AWS::NoValue" {
			r.unknown(path, "intrinsic", "a pseudo parameter; a resource is named as x-key::name::value", fmt.Sprint(argument), PseudoParameters)
		}
	case name == "Fn::Sub":
		r.checkSub(path, argument)
	case !slices.Contains(functions, name):
		r.unknown(path, "intrinsic", "an intrinsic function that a compose file can use", name, functions)
	default:
		r.checkValue(path, argument)
	}
}

// checkSub checks Fn::Sub: its text, or a list of its text and its variables.
func (r *resolver) checkSub(path Path, argument any) {
	variables := map[string]any{}
	if list, ok := argument.([]any); ok && len(list) == 2 {
		variables, _ = list[1].(map[string]any)
		r.checkValue(path.Index(1), variables)
		argument = list[0]
	}
	text, ok := argument.(string)
	if !ok {
		r.errorf(path, "intrinsic", "Fn::Sub takes a string, or a list of a string and a mapping; found %s", describe(argument))
		return
	}
	for _, m := range subVariable.FindAllStringSubmatch(text, -1) {
		if _, ok := variables[m[1]]; !ok && !slices.Contains(PseudoParameters, m[1]) {
			r.unknown(path, "intrinsic", "a variable of this Fn::Sub; a resource is named as x-key::name::value",
				m[1], slices.Concat(PseudoParameters, slices.Collect(maps.Keys(variables))))
		}
	}
	r.checkReferences(path, subVariable.ReplaceAllString(text, ""))
}

// checkReferences checks every reference in a string of the file.
func (r *resolver) checkReferences(path Path, text string) {
	if ref, ok := ParseRef(text); ok {
		r.checkRef(path, ref)
		return
	}
	parsed := ParseText(text)
	if len(parsed) == 1 && parsed[0].Pseudo == "AWS::NoValue" {
		return // which leaves the property out
	}
	r.checkText(path, parsed)
}

// checkRef reports a reference to a resource, or a value of one, that does not
// exist.
func (r *resolver) checkRef(path Path, ref Ref) {
	res, ok := r.model.Resource(ref)
	switch {
	case ok && ref.Attribute != "":
		r.checkReturnValue(path, res, ref.Attribute)
	case ok:
	case slices.Contains(r.schemaKeys(), ref.Key):
		r.unknown(path, "reference-unknown", "a resource of "+ref.Key, ref.Name, r.resourceNames(ref.Key))
	case slices.Contains(unsupportedSections, ref.Key):
		r.errorf(path, "unsupported-"+ref.Key, "section %s is not supported yet", ref.Key)
	default:
		r.unknown(path, "reference-unknown", "a section of x-resources", ref.Key, r.schemaKeys())
	}
}

// checkReturnValue reports the name of a value that a resource does not have.
func (r *resolver) checkReturnValue(path Path, res *Resource, name string) bool {
	values := res.Values()
	switch {
	case slices.Contains(values, name):
		return true
	case slices.Contains(res.Schema.values(), name):
		r.add(Error, path, "return-value-unknown", "one of: "+strings.Join(values, ", "),
			fmt.Sprintf("%s has no %s, as it is defined", res.Path, name))
	default:
		r.unknown(path, "return-value-unknown", "a return value of "+res.Key, name, values)
	}
	return false
}

// References lists the resources that the Properties of res name, each once,
// sorted.
func (m *Model) References(res *Resource) []*Resource {
	found := map[*Resource]bool{}
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case string:
			refs := ParseText(v).Refs()
			if ref, ok := ParseRef(v); ok {
				refs = []Ref{ref}
			}
			for _, ref := range refs {
				if other, ok := m.Resource(ref); ok {
					found[other] = true
				}
			}
		}
	}
	walk(res.Properties)
	var others []*Resource
	for _, other := range m.Resources {
		if found[other] {
			others = append(others, other)
		}
	}
	return others
}

// reaches tells whether a resource refers to another one, maybe through others.
func (m *Model) reaches(from, to *Resource, seen map[*Resource]bool) bool {
	for _, next := range m.References(from) {
		if next == to {
			return true
		}
		if !seen[next] {
			seen[next] = true
			if m.reaches(next, to, seen) {
				return true
			}
		}
	}
	return false
}

// CreationOrder lists the resources so that each comes after those it refers
// to, otherwise in the order of the model. Resources of a reference cycle, which
// Resolve reports, are left out.
func (m *Model) CreationOrder() []*Resource {
	var order []*Resource
	placed := map[*Resource]bool{}
	for progress := true; progress; {
		progress = false
		for _, res := range m.Resources {
			ready := !slices.ContainsFunc(m.References(res), func(other *Resource) bool { return !placed[other] })
			if !placed[res] && ready {
				placed[res], progress = true, true
				order = append(order, res)
			}
		}
	}
	return order
}

func (r *resolver) checkReferenceCycles() {
	for _, res := range r.model.Resources {
		if r.model.reaches(res, res, map[*Resource]bool{}) {
			r.errorf(res.Path.Key("Properties"), "reference-cycle", "%s refers to itself, directly or through other resources", res.Path)
		}
	}
}
