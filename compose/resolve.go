package compose

import (
	"maps"
	"slices"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// resolver turns a loaded project into a model, part by part. Each part reads
// what the parts before it have put into the model.
type resolver struct {
	*diag.Reporter
	project *load.Project
	model   *Model
	schemas []*Schema
	// aliased are the load balancers that were read for their DNS names so far.
	aliased []*LoadBalancer
}

// Resolve checks a loaded project against the schemas of the x-resources and
// returns the model. The diagnostics do not repeat the diagnostics of loading; with an
// error among them the model must not be built.
func Resolve(p *load.Project, schemas []*Schema) (*Model, Diagnostics) {
	r := &resolver{
		Reporter: &diag.Reporter{Positions: p},
		project:  p,
		model:    &Model{Name: p.Name},
		schemas:  schemas,
	}
	for _, part := range []func(){
		r.sections,
		r.tags,
		r.families,
		r.literals,
		r.network,
		r.resources,
		r.bindings,
		r.loadBalancers,
		r.connections,
		r.checkJobs,
		r.checkKinds,
		r.referTexts,
		r.checkReferences,
		r.stacks,
	} {
		part()
	}
	return r.model, r.Found.Sort()
}

// target is a container that a name in the file stands for.
type target struct {
	family    *Family
	container *Container
}

// targets finds what a name stands for: a family is all its containers, a
// service is its container in every family it belongs to.
func (r *resolver) targets(name string) []target {
	var found []target
	for _, f := range r.model.Families {
		for _, c := range f.Containers {
			if f.Name == name || c.Service == name {
				found = append(found, target{f, c})
			}
		}
	}
	return found
}

// targetNames lists the names that targets knows, for hints.
func (r *resolver) targetNames() []string {
	names := map[string]bool{}
	for _, f := range r.model.Families {
		names[f.Name] = true
		for _, c := range f.Containers {
			names[c.Service] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// unknownTarget reports a name that stands for no container. A service whose
// profiles are all inactive is no mistake: it is left out, and so is what it
// would get.
func (r *resolver) unknownTarget(path Path, code, name string) {
	if _, disabled := r.project.DisabledServices[name]; disabled {
		r.Notef(path, "service-disabled", "%q is left out: none of its profiles is active", name)
		return
	}
	r.Unknown(path, code, "a service or family", name, r.targetNames())
}

// extension returns a section of the project, such as "x-vpc", and its path; ok is
// false where the file has none.
func (r *resolver) extension(key string) (value any, path Path, ok bool) {
	value, ok = r.project.Extensions[key]
	return value, Path(key), ok
}
