package compose

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose/diag"
)

// resourceName is what may name an x-resource: references of the form
// x-key::name::value must be able to hold it.
var resourceName = regexp.MustCompile(`^[A-Za-z0-9][\w-]*$`)

// maxResources is how many x-resources a project may have.
const maxResources = 1000

// commonKeys are the keys of every x-resource.
var commonKeys = []string{"Lookup", "MacroParameters", "Properties", "Services", "Settings"}

// commonSettings are the keys of Settings that every kind has.
var commonSettings = []string{"EnvNames", "Subnets"}

// resources decodes the sections of all kinds into the model.
func (r *resolver) resources() {
	count := 0
	for _, schema := range r.schemas {
		section, path, ok := r.extension(schema.Key)
		if !ok || section == nil {
			continue
		}
		entries, ok := section.(map[string]any)
		if !ok {
			r.Errorf(path, "type", "expected a mapping of resources by name, found %s", diag.Describe(section))
			continue
		}
		if count += len(entries); count > maxResources {
			r.Add(Error, path, "limit-resources", "divide the project into several", fmt.Sprintf("a project has at most %d x-resources", maxResources))
			return
		}
		policy := r.sectionPolicy(schema, path, entries)
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			if name == "DeletionPolicy" {
				continue
			}
			if res := r.resource(schema, name, path.Key(name), entries[name]); res != nil {
				res.DeletionPolicy = policy
				r.model.Resources = append(r.model.Resources, res)
			}
		}
	}
	for _, res := range r.model.Resources {
		r.readProperties(res)
	}
}

// checkKinds applies the rules that only single kinds have.
func (r *resolver) checkKinds() {
	for _, res := range r.model.Resources {
		if res.Schema.Check != nil {
			res.Schema.Check(&Checker{r: r, Model: r.model}, res)
		}
	}
}

// sectionPolicy reads the DeletionPolicy that ComposeX allows beside the
// resources of a section.
func (r *resolver) sectionPolicy(schema *Schema, path Path, entries map[string]any) string {
	value, ok := entries["DeletionPolicy"]
	if !ok {
		return ""
	}
	policy, _ := value.(string)
	if allowed := schema.deletionPolicies(); !slices.Contains(allowed, policy) {
		r.Unknown(path.Key("DeletionPolicy"), "deletion-policy", "a deletion policy of "+schema.Key, fmt.Sprint(value), allowed)
		return ""
	}
	return policy
}

func (r *resolver) resource(schema *Schema, name string, path Path, value any) *Resource {
	if !resourceName.MatchString(name) {
		r.Errorf(path, "name", "%q cannot name a resource: letters, digits, - and _ are allowed, a letter or digit first", name)
		return nil
	}
	definition, ok := value.(map[string]any)
	if !ok && value != nil {
		r.Errorf(path, "type", "expected a mapping with %s, found %s", strings.Join(r.resourceKeys(schema), ", "), diag.Describe(value))
		return nil
	}
	definition = maps.Clone(definition)
	if use, ok := definition["Use"]; ok && definition["Lookup"] == nil {
		r.Deprecated(path.Key("Use"), "Use", "Lookup")
		definition["Lookup"] = use
	}
	delete(definition, "Use")

	res := &Resource{
		Schema: schema, Key: schema.Key, Name: name, Path: path,
		Properties: Fragment{}, Sections: map[string]any{},
		Parameters: zero(schema.Parameters), Settings: zero(schema.Settings), Finder: zero(schema.Finder),
	}
	for _, key := range slices.Sorted(maps.Keys(definition)) {
		r.resourceKey(res, key, definition[key])
	}
	r.checkRequired(res, definition)
	if res.Lookup != nil {
		res.Mode = Import
		for _, key := range []string{"Properties", "MacroParameters"} {
			if given, _ := definition[key].(map[string]any); len(given) > 0 {
				r.Warnf(path.Key(key), "lookup-wins", "%s is not used: Lookup finds a resource that exists", key)
			}
		}
	}
	return res
}

func (r *resolver) resourceKeys(schema *Schema) []string {
	return slices.Sorted(slices.Values(slices.Concat(commonKeys, slices.Collect(maps.Keys(schema.Sections)))))
}

func (r *resolver) resourceKey(res *Resource, key string, value any) {
	path := res.Path.Key(key)
	switch key {
	case "Properties":
		var properties map[string]any
		r.decode(path, value, &properties)
		res.Properties = maps.Clone(properties)
	case "MacroParameters":
		if res.Parameters == nil {
			r.Errorf(path, "key-unknown", "%s has no MacroParameters", res.Key)
			return
		}
		r.decode(path, value, res.Parameters)
	case "Lookup":
		res.Lookup = r.lookup(res, path, value)
	case "Settings":
		r.resourceSettings(res, path, value)
	case "Services": // read with the bindings
	default:
		section, ok := res.Schema.Sections[key]
		if !ok {
			r.Add(Error, path, "key-unknown", diag.DidYouMean(key, r.resourceKeys(res.Schema)),
				fmt.Sprintf("%q is not a key of an %s resource", key, res.Key))
			return
		}
		decoded := zero(section)
		r.decode(path, value, decoded)
		res.Sections[key] = decoded
	}
}

func (r *resolver) resourceSettings(res *Resource, path Path, value any) {
	settings, ok := value.(map[string]any)
	if !ok {
		if value != nil {
			r.Errorf(path, "type", "expected a mapping, found %s", diag.Describe(value))
		}
		return
	}
	own := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		switch key {
		case "Subnets":
			r.resourceSubnets(res, path.Key(key), settings[key])
		case "EnvNames":
			r.Deprecated(path.Key(key), "Settings.EnvNames", "ReturnValues in the Services entry")
			r.decode(path.Key(key), settings[key], &res.EnvNames)
		case "x-cloudmap":
			r.Errorf(path.Key(key), "unsupported-settings-x-cloudmap", "a Cloud Map record for %s is not supported yet", res.Key)
		default:
			own[key] = settings[key]
		}
	}
	switch {
	case len(own) == 0:
	case res.Settings != nil:
		r.decode(path, own, res.Settings)
	default:
		for _, key := range slices.Sorted(maps.Keys(own)) {
			r.Add(Error, path.Key(key), "key-unknown", diag.DidYouMean(key, commonSettings),
				fmt.Sprintf("%q is not a key of Settings", key))
		}
	}
}

// resourceSubnets reads the group of subnets that a resource stands in.
func (r *resolver) resourceSubnets(res *Resource, path Path, value any) {
	if !res.Schema.Networked {
		r.Warnf(path, "subnets-unused", "Subnets is not used: %s is not in a VPC", res.Path)
		return
	}
	r.decode(path, value, &res.SubnetGroup)
	if known := r.subnetGroupNames(); res.SubnetGroup != "" && !slices.Contains(known, res.SubnetGroup) {
		r.Unknown(path, "subnets-unknown", "a group of subnets of x-vpc", res.SubnetGroup, known)
	}
}

func (r *resolver) checkRequired(res *Resource, definition map[string]any) {
	if len(res.Schema.Required) == 0 {
		return
	}
	for _, key := range res.Schema.Required {
		if definition[key] != nil {
			return
		}
	}
	r.Errorf(res.Path, "resource-empty", "%s needs one of %s", res.Path, strings.Join(res.Schema.Required, ", "))
}

// zero makes a pointer to a new value of the type of example, nil for nil.
func zero(example any) any {
	if example == nil {
		return nil
	}
	return reflect.New(reflect.TypeOf(example)).Interface()
}

// Values lists the names of the values that the resource has.
func (r *Resource) Values() []string {
	values := r.Schema.values()
	if r.Schema.Without == nil {
		return values
	}
	without := r.Schema.Without(r)
	return slices.DeleteFunc(values, func(name string) bool { return slices.Contains(without, name) })
}

// Resource finds the x-resource that a reference names.
func (m *Model) Resource(ref Ref) (*Resource, bool) {
	for _, res := range m.Resources {
		if res.Key == ref.Key && res.Name == ref.Name {
			return res, true
		}
	}
	return nil, false
}
