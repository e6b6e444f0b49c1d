package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// functions are the intrinsic functions that Properties may hold. Those that
// point to other parts of a template are not among them: a compose file has no
// conditions or mappings, and names resources by x-key::name::value.
// Fn::ToJsonString is missing: the CDK cannot include it.
var functions = []string{
	"Fn::Base64", "Fn::Cidr", "Fn::GetAZs", "Fn::ImportValue", "Fn::Join",
	"Fn::Select", "Fn::Split", "Fn::Sub",
}

// readProperties checks the intrinsic functions in Properties, records their
// references, and spells bare references of earlier releases out.
func (r *resolver) readProperties(res *Resource) {
	path := res.Path.Key("Properties")
	for _, bare := range res.Schema.BareReferences {
		r.spellOut(res, path, strings.Split(bare, "."))
	}
	r.readValue(path, map[string]any(res.Properties))
}

// spellOut replaces the bare name of a resource of the same section by its
// reference.
func (r *resolver) spellOut(res *Resource, path Path, keys []string) {
	properties := map[string]any(res.Properties)
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
		r.Unknown(path, "reference-unknown", "a resource of "+res.Key, name, r.resourceNames(res.Key))
		return
	}
	ref := Ref{Key: res.Key, Name: name, Attribute: "Arn"}
	r.Deprecated(path, name, ref.String())
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

// readValue checks the intrinsic functions in a value in CloudFormation's words, and
// records its references.
func (r *resolver) readValue(path Path, value any) {
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
			r.readValue(path.Key(key), v[key])
		}
	case []any:
		for i, item := range v {
			r.readValue(path.Index(i), item)
		}
	case string:
		r.refer(path, v)
	}
}

func (r *resolver) checkFunction(path Path, name string, argument any) {
	switch {
	case name == "Ref":
		if text, ok := argument.(string); !ok || !slices.Contains(PseudoParameters, text) && text != "AWS::NoValue" {
			r.Unknown(path, "intrinsic", "a pseudo parameter; a resource is named as x-key::name::value", fmt.Sprint(argument), PseudoParameters)
		}
	case name == "Fn::Sub":
		r.checkSub(path, argument)
	case !slices.Contains(functions, name):
		r.Unknown(path, "intrinsic", "an intrinsic function that a compose file can use", name, functions)
	default:
		r.readValue(path, argument)
	}
}

// checkSub checks Fn::Sub: its text, or a list of its text and its variables.
func (r *resolver) checkSub(path Path, argument any) {
	variables := map[string]any{}
	at := path
	if list, ok := argument.([]any); ok && len(list) == 2 {
		variables, _ = list[1].(map[string]any)
		r.readValue(path.Index(1), variables)
		argument, at = list[0], path.Index(0)
	}
	text, ok := argument.(string)
	if !ok {
		r.Errorf(path, "intrinsic", "Fn::Sub takes a string, or a list of a string and a mapping; found %s", diag.Describe(argument))
		return
	}
	for _, m := range load.SubVariable.FindAllStringSubmatch(text, -1) {
		if _, ok := variables[m[1]]; !ok && !slices.Contains(PseudoParameters, m[1]) {
			r.Unknown(path, "intrinsic", "a variable of this Fn::Sub; a resource is named as x-key::name::value",
				m[1], slices.Concat(PseudoParameters, slices.Collect(maps.Keys(variables))))
		}
	}
	r.refer(at, load.SubVariable.ReplaceAllString(text, ""))
}
