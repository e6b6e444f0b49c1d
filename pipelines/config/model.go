package config

import (
	"maps"
	"slices"
	"strings"

	"composecdk/compose"
	"composecdk/compose/diag"
)

// Check compares a configuration with the model of one target of an environment, and
// with the outputs of its stacks.
func Check(c *Config, e *Environment, t Target, m *compose.Model, outputs []string) compose.Diagnostics {
	k := &checking{config: c, model: m}
	k.services()
	if e.Type == Permanent {
		k.images()
	}
	k.outputs(e, outputs)
	k.namespace(e, t)
	return k.found.Sort()
}

type checking struct {
	config *Config
	model  *compose.Model
	found  compose.Diagnostics
}

func (k *checking) report(severity compose.Severity, path compose.Path, code, hint, message string) {
	k.found = append(k.found, compose.Diagnostic{
		Pos: k.config.Pos(path), Path: path, Severity: severity, Code: code, Message: message, Hint: hint,
	})
}

// containers returns the containers of the model by their services.
func (k *checking) containers() map[string]*compose.Container {
	all := map[string]*compose.Container{}
	for _, f := range k.model.Families {
		for _, c := range f.Containers {
			all[c.Service] = c
		}
	}
	return all
}

// services checks that the compose files have the service of each application.
func (k *checking) services() {
	all := k.containers()
	for _, a := range k.config.Apps {
		if all[a.Service] != nil {
			continue
		}
		hint := ""
		if nearest := diag.Nearest(a.Service, slices.Collect(maps.Keys(all))); nearest != "" {
			hint = "did you mean " + nearest + "?"
		}
		path := a.Path
		if a.Service != a.Name {
			path = path.Key("Service")
		}
		k.report(compose.Error, path, "service-unknown", hint, "no compose file has a service "+a.Service)
	}
}

// images checks that permanent environments have immutable images.
func (k *checking) images() {
	all := k.containers()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		image := all[name].Image
		owned := slices.ContainsFunc(k.config.Apps, func(a *App) bool { return a.Service == name })
		switch {
		case owned:
		case image.Build != nil:
			k.report(compose.Error, "Apps", "service-unbuilt", "add an application for it, or name an image by its digest",
				"service "+name+" is built from source, and no application builds it")
		case !strings.Contains(image.Reference, "@sha256:"):
			k.report(compose.Error, "Apps", "image-tag", "write NAME@sha256:… in the compose file, or add the service to Apps, which builds it", "the image of service "+name+" is "+image.Reference+
				": a tag can become another image after it was tested")
		}
	}
}

// outputs checks that the outputs that tests refer to exist.
func (k *checking) outputs(e *Environment, outputs []string) {
	for _, t := range e.Tests {
		for _, name := range slices.Sorted(maps.Keys(t.Env)) {
			for _, m := range outputReference.FindAllStringSubmatch(t.Env[name], -1) {
				if slices.Contains(outputs, m[1]) {
					continue
				}
				hint := "there are " + strings.Join(slices.Sorted(slices.Values(outputs)), ", ")
				if nearest := diag.Nearest(m[1], outputs); nearest != "" {
					hint = "did you mean " + nearest + "?"
				}
				k.report(compose.Error, t.Path.Key("Env").Key(name), "output-unknown", hint, "the stacks have no output "+m[1])
			}
		}
	}
}

// namespace checks that the namespace in the file is used.
func (k *checking) namespace(e *Environment, t Target) {
	if t.Namespace == "" {
		return
	}
	used := 0
	for _, n := range k.model.Namespaces {
		if n.Existing == t.Namespace {
			used++
		}
	}
	path := e.Path.Key("Namespace")
	switch {
	case used == 0:
		k.report(compose.Warning, path, "namespace-unused", "add x-cloudmap", t.Namespace+" is not used: the compose files have no namespace in x-cloudmap")
	case used > 1:
		k.report(compose.Error, path, "namespace-several", "", "the compose files have several namespaces in x-cloudmap, and "+t.Namespace+" cannot be all of them")
	}
}
