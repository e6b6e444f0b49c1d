package compose

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"composecdk/compose/diag"
)

// lookup reads Lookup: one target, or one for each of the schema's Lookups.
func (r *resolver) lookup(res *Resource, path Path, value any) map[string]LookupTarget {
	schema := res.Schema
	if schema.Lookups == nil {
		return map[string]LookupTarget{"": r.lookupTarget(path, r.finder(res, path, value), schema.Finder != nil)}
	}
	targets := map[string]LookupTarget{}
	parts, ok := value.(map[string]any)
	if !ok {
		r.Errorf(path, "type", "expected a mapping with %s, found %s", strings.Join(schema.Lookups, ", "), diag.Describe(value))
		return targets
	}
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		switch {
		case slices.Contains(schema.Lookups, key):
			targets[key] = r.lookupTarget(path.Key(key), parts[key], false)
		case key == "RoleArn":
			r.Warnf(path.Key(key), "lookup-role", "RoleArn is not used: the CDK looks up with its own role for the target account")
		default:
			r.Add(Error, path.Key(key), "key-unknown", diag.DidYouMean(key, schema.Lookups),
				fmt.Sprintf("%q is not a key of %s", key, path))
		}
	}
	return targets
}

// lookupTarget reads how one existing resource is found: by ARN, identifier,
// name, or tags, given as a mapping or as a list of mappings. found says that the kind
// finds it without any of them.
func (r *resolver) lookupTarget(path Path, value any, found bool) LookupTarget {
	target := LookupTarget{Path: path}
	keys, ok := value.(map[string]any)
	if !ok {
		r.Errorf(path, "type", "expected a mapping with Arn, Identifier or Tags, found %s", diag.Describe(value))
		return target
	}
	keys = maps.Clone(keys)
	target.Tags = r.lookupTags(path.Key("Tags"), keys["Tags"])
	delete(keys, "Tags")
	var fields struct{ Arn, Identifier, Name, RoleArn, Region string }
	r.decode(path, keys, &fields)
	target.Arn, target.Identifier, target.Name = fields.Arn, fields.Identifier, fields.Name
	target.RoleArn, target.Region = fields.RoleArn, fields.Region
	if fields.RoleArn != "" {
		r.Warnf(path.Key("RoleArn"), "lookup-role", "RoleArn is not used: the CDK looks up with its own role for the target account")
	}
	switch {
	case found: // by the kind's own keys
	case target.Arn == "" && target.Identifier == "" && target.Name == "" && len(target.Tags) == 0:
		r.Errorf(path, "lookup-empty", "a look-up needs Arn, Identifier, Name or Tags")
	case target.Arn == "" && target.Identifier == "" && target.Name == "":
		r.Add(Warning, path.Key("Tags"), "lookup-tags", "give Arn or Identifier",
			"the CDK cannot search this resource by tags alone; deploying asks for the value in cdk.context.json")
	}
	return target
}

// finder decodes the kind's own keys of Lookup and returns the others.
func (r *resolver) finder(res *Resource, path Path, value any) any {
	if res.Finder == nil {
		return value
	}
	if value == true {
		return map[string]any{}
	}
	keys, ok := value.(map[string]any)
	if !ok {
		return value
	}
	own, others := map[string]any{}, map[string]any{}
	names := diag.StructKeys(reflect.TypeOf(res.Schema.Finder))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if slices.Contains(names, key) {
			own[key] = keys[key]
		} else {
			others[key] = keys[key]
		}
	}
	r.decode(path, own, res.Finder)
	return others
}

func (r *resolver) lookupTags(path Path, value any) map[string]string {
	tags := map[string]string{}
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	for i, item := range items {
		at := path
		if ok {
			at = path.Index(i)
		}
		var some map[string]string
		r.decode(at, item, &some)
		maps.Copy(tags, some)
	}
	return tags
}
