package compose

import (
	"cmp"
	"maps"
	"regexp"
	"slices"

	"composecdk/compose/diag"
)

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// returns reads ReturnValues: variable names by the name of the value.
func (r *resolver) returns(res *Resource, path Path, value any) []Return {
	if value == nil {
		return nil
	}
	values, ok := value.(map[string]any)
	if !ok {
		r.Errorf(path, "type", "expected a mapping of return values to variable names, found %s", diag.Describe(value))
		return nil
	}
	var returns []Return
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at, value := path.Key(name), values[name]
		if name == "Ref" {
			name = res.Schema.Main
		}
		if !r.checkReturnValue(at, res, name) {
			continue
		}
		variable := ""
		if long, ok := value.(map[string]any); ok {
			var form struct{ EnvVarName string }
			r.decode(at, long, &form)
			variable = form.EnvVarName
		} else {
			r.decode(at, value, &variable)
		}
		if !r.checkVariable(at, variable) {
			continue
		}
		returns = append(returns, Return{Value: name, Variable: variable, Path: at})
	}
	return returns
}

// checkVariable reports whether a name can be an environment variable's, and tells of one that cannot.
func (r *resolver) checkVariable(path Path, name string) bool {
	if variablePattern.MatchString(name) {
		return true
	}
	r.Errorf(path, "variable-name", "%q cannot name an environment variable: letters, digits and _ are allowed, no digit first", name)
	return false
}

// takeVariable removes what a variable of a container would be otherwise, for a
// secret of that name. A value that ReturnValues asks for stays, and conflicts.
func (r *resolver) takeVariable(b *Binding, path Path, name string) {
	c := b.Container
	own := len(c.Environment)
	c.Environment = slices.DeleteFunc(c.Environment, func(v Variable) bool { return v.Name == name })
	if len(c.Environment) < own {
		r.Notef(path, "variable-replaced", "service %s sets %s itself; the secret replaces it", c.Service, name)
	}
	b.Returns = slices.DeleteFunc(b.Returns, func(v Return) bool { return v.Variable == name && v.Path == b.Path })
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

// checkVariables reports variables that two resources would set to different
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
				r.Errorf(v.Path, "variable-conflict", "%s and %s both set %s of service %s; name one of them in ReturnValues",
					first.Path, b.Resource.Path, v.Variable, b.Container.Service)
			}
			setters[k] = b.Resource
		}
	}
}
