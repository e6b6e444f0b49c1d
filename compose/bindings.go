package compose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"composecdk/compose/diag"
)

// bindings decodes the Services of every resource: one binding for each
// container that a name stands for.
func (r *resolver) bindings() {
	for _, res := range r.model.Resources {
		path := res.Path.Key("Services")
		for _, entry := range r.serviceEntries(res, path) {
			r.bind(res, entry)
		}
	}
	slices.SortStableFunc(r.model.Bindings, func(a, b *Binding) int {
		return cmp.Or(
			cmp.Compare(r.rank(a.Resource), r.rank(b.Resource)),
			cmp.Compare(a.Family.Name, b.Family.Name),
			cmp.Compare(a.Container.Name, b.Container.Name),
		)
	})
	r.checkVariables()
}

func (r *resolver) rank(res *Resource) int { return slices.Index(r.model.Resources, res) }

// serviceEntry is one entry of Services, by the name of a service or family.
type serviceEntry struct {
	name   string
	path   Path
	fields map[string]any
}

// serviceEntries reads Services as a mapping by name, or as the list of
// mappings with a name of earlier releases.
func (r *resolver) serviceEntries(res *Resource, path Path) []serviceEntry {
	section := r.project.Extensions[res.Key].(map[string]any)
	definition, _ := section[res.Name].(map[string]any)
	var entries []serviceEntry
	switch services := definition["Services"].(type) {
	case nil:
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(services)) {
			fields, ok := services[name].(map[string]any)
			if !ok && services[name] != nil {
				r.Errorf(path.Key(name), "type", "expected a mapping with Access, ReturnValues or Scaling, found %s", diag.Describe(services[name]))
				continue
			}
			entries = append(entries, serviceEntry{name, path.Key(name), fields})
		}
	case []any:
		r.Deprecated(path, "a list of Services", "a mapping: Services: {<service>: {Access: …}}")
		for i, item := range services {
			fields, _ := item.(map[string]any)
			name, ok := fields["name"].(string)
			if !ok {
				r.Errorf(path.Index(i), "type", "expected a mapping with name, found %s", diag.Describe(item))
				continue
			}
			fields = maps.Clone(fields)
			delete(fields, "name")
			for old, current := range map[string]string{"access": "Access", "scaling": "Scaling"} {
				if value, ok := fields[old]; ok {
					fields[current] = value
					delete(fields, old)
				}
			}
			entries = append(entries, serviceEntry{name, path.Index(i), fields})
		}
	default:
		r.Errorf(path, "type", "expected a mapping by service or family, found %s", diag.Describe(services))
	}
	return entries
}

// commonServiceKeys are the keys of a Services entry that every kind has.
var commonServiceKeys = []string{"Access", "ReturnValues", "Scaling"}

func (r *resolver) bind(res *Resource, entry serviceEntry) {
	targets := r.targets(entry.name)
	if len(targets) == 0 {
		r.unknownTarget(entry.path, "service-unknown", entry.name)
		return
	}
	binding := Binding{Resource: res, Path: entry.path, Options: zero(res.Schema.Service)}
	own, asked := map[string]any{}, false
	for _, key := range slices.Sorted(maps.Keys(entry.fields)) {
		path, value := entry.path.Key(key), entry.fields[key]
		name := key
		if folded := foldedName(key, commonServiceKeys); folded != "" && folded != key {
			r.Deprecated(path, key, folded)
			name = folded
		}
		switch name {
		case "Access":
			asked = true
			binding.Grants = r.grants(res, path, value)
		case "ReturnValues":
			binding.Returns = r.returns(res, path, value)
		case "Scaling":
			binding.Scaling = r.stepScaling(res, path, value)
		default:
			own[key] = value
		}
	}
	r.serviceOptions(res, entry.path, own, binding.Options)
	if words := res.Schema.accessWords(); !asked && len(words) > 0 {
		r.Add(Warning, entry.path, "access-none", "one of: "+strings.Join(words, ", "),
			fmt.Sprintf("no Access: %s gets the environment variables, but no permission on %s", entry.name, res.Path))
	}
	r.mainReturn(res, &binding)
	binding.given = len(own) > 0
	for _, t := range targets {
		r.addBinding(binding, t)
	}
}

func foldedName(key string, names []string) string {
	for _, name := range names {
		if strings.EqualFold(key, name) {
			return name
		}
	}
	return ""
}

func (r *resolver) serviceOptions(res *Resource, path Path, own map[string]any, options any) {
	if len(own) == 0 {
		return
	}
	if options != nil {
		r.decode(path, own, options)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(own)) {
		r.Add(Error, path.Key(key), "key-unknown", diag.DidYouMean(key, commonServiceKeys),
			fmt.Sprintf("%q is not a key of a Services entry of %s", key, res.Key))
	}
}

// addBinding puts a binding for one container into the model. Two entries that
// reach the same container, by service and by family, become one. The family
// scales by one of its bindings only.
func (r *resolver) addBinding(b Binding, t target) {
	b.Family, b.Container = t.family, t.container
	if i := slices.IndexFunc(r.model.Bindings, func(other *Binding) bool {
		return other.Resource == b.Resource && other.Family == b.Family && other.Scaling != nil
	}); i >= 0 && b.Scaling != nil {
		if first := r.model.Bindings[i]; first.Scaling != b.Scaling {
			r.Errorf(b.Path.Key("Scaling"), "binding-twice", "%s scales %s already; give Scaling once", first.Path, b.Family.Name)
		}
		b.Scaling = nil
	}
	b.Returns = slices.Clone(b.Returns)
	b.Returns = slices.DeleteFunc(b.Returns, func(v Return) bool {
		own := slices.ContainsFunc(t.container.Environment, func(e Variable) bool { return e.Name == v.Variable }) ||
			slices.ContainsFunc(t.container.Secrets, func(s SecretVariable) bool { return s.Name == v.Variable })
		if own {
			r.Notef(v.Path, "variable-kept", "service %s sets %s itself; it is kept", t.container.Service, v.Variable)
		}
		return own
	})
	for _, other := range r.model.Bindings {
		if other.Resource != b.Resource || other.Family != b.Family || other.Container != b.Container {
			continue
		}
		other.Grants = appendNew(other.Grants, b.Grants, func(a, c Grant) bool { return a.Scope == c.Scope && a.Profile == c.Profile })
		other.Returns = appendNew(other.Returns, b.Returns, func(a, c Return) bool { return a.Variable == c.Variable })
		if other.Scaling == nil {
			other.Scaling = b.Scaling
		}
		switch {
		case !b.given:
		case other.given:
			r.Errorf(b.Path, "binding-twice", "%s binds %s to %s already; give its keys once", other.Path, b.Container.Service, b.Resource.Path)
		default:
			other.Options, other.given = b.Options, true
		}
		return
	}
	r.model.Bindings = append(r.model.Bindings, &b)
}

func appendNew[T any](list, more []T, equal func(a, b T) bool) []T {
	for _, item := range more {
		if !slices.ContainsFunc(list, func(other T) bool { return equal(other, item) }) {
			list = append(list, item)
		}
	}
	return list
}
