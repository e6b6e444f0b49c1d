package compose

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// bindings decodes the Services of every resource: one binding for each
// container that a name stands for.
func (r *resolver) bindings() {
	for _, res := range r.model.Resources {
		path := res.Path.Key("Services")
		for _, entry := range r.serviceEntries(res, path) {
			r.bind(res, entry)
		}
	}
	r.checkTexts()
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
				r.errorf(path.Key(name), "type", "expected a mapping with Access, ReturnValues or Scaling, found %s", describe(services[name]))
				continue
			}
			entries = append(entries, serviceEntry{name, path.Key(name), fields})
		}
	case []any:
		r.deprecated(path, "a list of Services", "a mapping: Services: {<service>: {Access: …}}")
		for i, item := range services {
			fields, _ := item.(map[string]any)
			name, ok := fields["name"].(string)
			if !ok {
				r.errorf(path.Index(i), "type", "expected a mapping with name, found %s", describe(item))
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
		r.errorf(path, "type", "expected a mapping by service or family, found %s", describe(services))
	}
	return entries
}

// commonServiceKeys are the keys of a Services entry that every kind has.
var commonServiceKeys = []string{"Access", "ReturnValues", "Scaling"}

func (r *resolver) bind(res *Resource, entry serviceEntry) {
	targets := r.targets(entry.name)
	if len(targets) == 0 {
		r.unknown(entry.path, "service-unknown", "a service or family", entry.name, r.targetNames())
		return
	}
	binding := Binding{Resource: res, Path: entry.path, Options: zero(res.Schema.Service)}
	own, asked := map[string]any{}, false
	for _, key := range slices.Sorted(maps.Keys(entry.fields)) {
		path, value := entry.path.Key(key), entry.fields[key]
		name := key
		if folded := foldedName(key, commonServiceKeys); folded != "" && folded != key {
			r.deprecated(path, key, folded)
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
	if !asked && len(res.Schema.Access[""]) > 0 {
		r.add(Warning, entry.path, "access-none", "one of: "+strings.Join(res.Schema.Access[""], ", "),
			fmt.Sprintf("no Access: %s gets the environment variables, but no permission on %s", entry.name, res.Path))
	}
	r.mainReturn(res, &binding)
	scaled := map[*Family]bool{}
	for _, t := range targets {
		r.addBinding(binding, t, scaled)
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
		r.add(Error, path.Key(key), "key-unknown", didYouMean(key, commonServiceKeys),
			fmt.Sprintf("%q is not a key of a Services entry of %s", key, res.Key))
	}
}

// grants reads Access: the name of a profile, or names by scope.
func (r *resolver) grants(res *Resource, path Path, value any) []Grant {
	switch access := value.(type) {
	case nil:
		return nil
	case string:
		return r.grant(res, "", access, path)
	case map[string]any:
		var grants []Grant
		for _, scope := range slices.Sorted(maps.Keys(access)) {
			at := path.Key(scope)
			if _, ok := res.Schema.Access[scope]; !ok || scope == "" {
				r.unknown(at, "access-unknown", "an access scope of "+res.Key, scope, res.Schema.scopes())
				continue
			}
			profile, ok := access[scope].(string)
			if !ok {
				r.errorf(at, "type", "expected the name of an access profile, found %s", describe(access[scope]))
				continue
			}
			grants = append(grants, r.grant(res, scope, profile, at)...)
		}
		return grants
	default:
		r.errorf(path, "type", "expected the name of an access profile, found %s", describe(value))
		return nil
	}
}

func (r *resolver) grant(res *Resource, scope, profile string, path Path) []Grant {
	profiles := res.Schema.Access[scope]
	if slices.Contains(profiles, profile) {
		return []Grant{{Scope: scope, Profile: profile, Path: path}}
	}
	if alias, ok := res.Schema.AccessAliases[profile]; ok && scope == "" {
		current := "Access: " + alias.Profile
		if alias.Scope != "" {
			current = fmt.Sprintf("Access: {%s: %s}", alias.Scope, alias.Profile)
		}
		r.deprecated(path, "Access: "+profile, current)
		alias.Path = path
		return []Grant{alias}
	}
	if len(profiles) == 0 {
		profiles = res.Schema.scopes()
	}
	r.unknown(path, "access-unknown", "an access profile of "+res.Key, profile, profiles)
	return nil
}

// returns reads ReturnValues: variable names by the name of the value.
func (r *resolver) returns(res *Resource, path Path, value any) []Return {
	if value == nil {
		return nil
	}
	values, ok := value.(map[string]any)
	if !ok {
		r.errorf(path, "type", "expected a mapping of return values to variable names, found %s", describe(value))
		return nil
	}
	var returns []Return
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at := path.Key(name)
		if name == "Ref" {
			name = res.Schema.Main
		}
		if !slices.Contains(res.Schema.values(), name) {
			r.unknown(at, "return-value-unknown", "a return value of "+res.Key, name, res.Schema.values())
			continue
		}
		variable := ""
		if long, ok := values[name].(map[string]any); ok {
			var form struct{ EnvVarName string }
			r.decode(at, long, &form)
			variable = form.EnvVarName
		} else {
			r.decode(at, values[name], &variable)
		}
		if !variablePattern.MatchString(variable) {
			r.errorf(at, "variable-name", "%q cannot name an environment variable: letters, digits and _ are allowed, no digit first", variable)
			continue
		}
		returns = append(returns, Return{Value: name, Variable: variable, Path: at})
	}
	return returns
}

// mainReturn adds the main value under the name of the resource, unless
// ReturnValues names it, and under the names of Settings.EnvNames.
func (r *resolver) mainReturn(res *Resource, b *Binding) {
	main := res.Schema.Main
	if !slices.ContainsFunc(b.Returns, func(v Return) bool { return v.Value == main }) {
		b.Returns = append(b.Returns, Return{Value: main, Variable: variableNameOf(res.Name), Path: b.Path})
	}
	for i, name := range res.EnvNames {
		if name != variableNameOf(res.Name) {
			b.Returns = append(b.Returns, Return{Value: main, Variable: name, Path: res.Path.Key("Settings").Key("EnvNames").Index(i)})
		}
	}
	slices.SortFunc(b.Returns, func(a, c Return) int { return cmp.Compare(a.Variable, c.Variable) })
}

// addBinding puts a binding for one container into the model. Two entries that
// reach the same container, by service and by family, become one.
func (r *resolver) addBinding(b Binding, t target, scaled map[*Family]bool) {
	b.Family, b.Container = t.family, t.container
	if scaled[t.family] {
		b.Scaling = nil
	}
	scaled[t.family] = true
	b.Returns = slices.Clone(b.Returns)
	b.Returns = slices.DeleteFunc(b.Returns, func(v Return) bool {
		own := slices.ContainsFunc(t.container.Environment, func(e Variable) bool { return e.Name == v.Variable }) ||
			slices.ContainsFunc(t.container.Secrets, func(s SecretVariable) bool { return s.Name == v.Variable })
		if own {
			r.notef(v.Path, "variable-kept", "service %s sets %s itself; it is kept", t.container.Service, v.Variable)
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

// stepScaling reads Scaling of a Services entry.
func (r *resolver) stepScaling(res *Resource, path Path, value any) *StepScaling {
	if !res.Schema.Scalable {
		r.errorf(path, "key-unknown", "a service cannot scale on %s", res.Key)
		return nil
	}
	var form struct {
		Steps []struct {
			LowerBound, Count int
			UpperBound        *int
		}
		ScaleInCooldown, ScaleOutCooldown int
	}
	form.ScaleInCooldown, form.ScaleOutCooldown = scaleInCooldown, scaleOutCooldown
	if !r.decode(path, value, &form) {
		return nil
	}
	if len(form.Steps) == 0 {
		r.errorf(path, "scaling-steps", "Scaling needs at least one step: {LowerBound, UpperBound, Count}")
		return nil
	}
	s := &StepScaling{ScaleInCooldown: form.ScaleInCooldown, ScaleOutCooldown: form.ScaleOutCooldown}
	for i, step := range form.Steps {
		at := path.Key("Steps").Index(i)
		last := i == len(form.Steps)-1
		switch {
		case step.UpperBound != nil && *step.UpperBound <= step.LowerBound:
			r.errorf(at, "scaling-steps", "UpperBound %d must be above LowerBound %d", *step.UpperBound, step.LowerBound)
		case !last && (step.UpperBound == nil || *step.UpperBound != form.Steps[i+1].LowerBound):
			r.errorf(at, "scaling-steps", "steps must follow one another: UpperBound must be the next LowerBound, %d", form.Steps[i+1].LowerBound)
		}
		s.Steps = append(s.Steps, Step{Lower: step.LowerBound, Upper: step.UpperBound, Count: step.Count})
	}
	return s
}

// checkTexts checks the references in environment values, commands and entry
// points.
func (r *resolver) checkTexts() {
	for _, f := range r.model.Families {
		for _, c := range f.Containers {
			for _, v := range c.Environment {
				r.checkText(v.Path, v.Value)
			}
			for _, item := range c.Command {
				r.checkText(c.Path.Key("command"), item)
			}
			for _, item := range c.EntryPoint {
				r.checkText(c.Path.Key("entrypoint"), item)
			}
		}
	}
}

func (r *resolver) checkText(path Path, text Text) {
	for _, part := range text {
		switch {
		case part.Ref != nil:
			r.checkRef(path, *part.Ref)
		case part.Pseudo != "" && !slices.Contains(PseudoParameters, part.Pseudo):
			r.unknown(path, "pseudo-parameter", "a pseudo parameter", part.Pseudo, PseudoParameters)
		}
	}
}

// checkVariables reports variables that two resources would set to different
// values in one container.
func (r *resolver) checkVariables() {
	type key struct {
		container *Container
		variable  string
	}
	setters := map[key]*Resource{}
	for _, b := range r.model.Bindings {
		for _, v := range b.Returns {
			k := key{b.Container, v.Variable}
			if first, taken := setters[k]; taken && first != b.Resource {
				r.errorf(v.Path, "variable-conflict", "%s and %s both set %s of service %s; name one of them in ReturnValues",
					first.Path, b.Resource.Path, v.Variable, b.Container.Service)
			}
			setters[k] = b.Resource
		}
	}
}
