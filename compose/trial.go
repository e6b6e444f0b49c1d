package compose

import (
	"maps"
	"slices"
	"strings"
)

// Trial is a model of the x-resources that are to be made, without the services
// and without what the errors found so far are about. It can be built although m
// must not be, so that what only the CDK knows about Properties is told together
// with those errors. It is nil where nothing is left.
func (m *Model) Trial(found Diagnostics) *Model {
	trial := &Model{Name: m.Name, Network: m.Network, Cluster: m.Cluster, Stacks: m.Stacks}
	for _, r := range m.Resources {
		if r.Mode != Create || r.Properties == nil {
			continue
		}
		if sound := r.without(found); sound != nil {
			trial.Resources = append(trial.Resources, sound)
		}
	}
	if len(trial.Resources) == 0 {
		return nil
	}
	return trial
}

// Told are those diagnostics of a trial that are true of the whole model too: they
// are about what the user wrote under Properties. What is said of a resource as a
// whole may come from what the trial left out.
func (m *Model) Told(trial, found Diagnostics) Diagnostics {
	var told Diagnostics
	for _, d := range trial {
		for _, r := range m.Resources {
			properties := string(r.Path.Key("Properties"))
			within := strings.HasPrefix(string(d.Path), properties+".")
			if within || string(d.Path) == properties && !r.mistaken(found) {
				told = append(told, d)
			}
		}
	}
	return told
}

// without is the resource without the properties in which there are errors, or
// nil where the error is the resource itself.
func (r *Resource) without(found Diagnostics) *Resource {
	sound := *r
	sound.Properties = maps.Clone(r.Properties)
	for key := range r.Properties {
		if found.within(r.Path.Key("Properties").Key(key)) {
			delete(sound.Properties, key)
		}
	}
	for _, d := range found {
		if d.Severity == Error && (d.Path == r.Path || d.Path == r.Path.Key("Properties")) {
			return nil
		}
	}
	return &sound
}

// mistaken tells whether there are errors in the properties of a resource.
func (r *Resource) mistaken(found Diagnostics) bool {
	return found.within(r.Path.Key("Properties"))
}

// within tells whether there is an error at a path or below it.
func (ds Diagnostics) within(path Path) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool {
		rest, below := strings.CutPrefix(string(d.Path), string(path))
		return d.Severity == Error && below && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}
