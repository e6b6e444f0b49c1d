package pipelines

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/compose/load"
	"composecdk/pipelines/config"
	"composecdk/stacks"
)

// Release holds the application of every target of a pipeline.yaml.
type Release struct {
	Config *config.Config
	// checkout is the folder with the compose files, which are loaded as given.
	checkout string
	given    load.Options
	// workloads are by the stage id of a target, or of the pattern of several.
	workloads map[string]*workload
}

type workload struct {
	project     *load.Project
	model       *compose.Model
	application *stacks.Application
	// assembly is the folder of its templates.
	assembly string
}

// Read reads the compose files of every target in a checkout of the compose
// repository; "" is the folder of the pipeline.yaml. The release is nil where the
// diagnostics have errors.
func Read(c *config.Config, checkout string, options load.Options) (*Release, compose.Diagnostics) {
	checkout = cmp.Or(checkout, c.Dir)
	if found := c.MissingFiles(checkout); found.HasErrors() {
		return nil, found
	}
	r := &Release{Config: c, checkout: checkout, given: options, workloads: map[string]*workload{}}
	var found compose.Diagnostics
	for _, e := range c.Environments {
		for _, p := range e.Patterns() {
			w, more := r.read(e, p.Target)
			found = append(found, more...)
			r.workloads[c.StageID(e, p.Target)] = w
		}
	}
	if found = found.Sort(); found.HasErrors() {
		return nil, found
	}
	return r, found
}

func (r *Release) read(e *config.Environment, t config.Target) (*workload, compose.Diagnostics) {
	options, found := r.Config.Application(e, t, r.checkout, r.given.Untrusted)
	options.Environ, options.Allow = r.given.Environ, r.given.Allow
	project, more := load.Files(context.Background(), options)
	found = append(found, more...)
	if project == nil {
		return nil, found
	}
	model, more := compose.Resolve(project, kinds.Schemas())
	found = append(found, more...)
	if model == nil {
		return nil, found
	}
	model.Groups = r.Config.Groups(model)
	model.Tags = merged(model.Tags, e.Tags)
	return &workload{project: project, model: model}, append(found, config.Check(r.Config, e, t, model, model.Outputs())...)
}

// merged adds an environment's own tags, which win.
func merged(tags, own map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, tags)
	maps.Copy(all, own)
	return all
}

// Model returns the model of the application in an environment.
func (r *Release) Model(e *config.Environment) *compose.Model {
	return r.workloads[r.Config.StageID(e, e.Patterns()[0].Target)].model
}

// Props returns the arguments of New; pattern becomes Props.Pattern.
func (r *Release) Props(pattern func(func(constructs.Construct) error) (string, error)) *Props {
	return &Props{Config: r.Config, Application: r.application, Pattern: pattern}
}

// application makes the stacks of the application in the stage of a target.
func (r *Release) application(stage awscdk.Stage, e *config.Environment, t config.Target) (*stacks.Application, error) {
	id := *stage.Node().Id()
	w := r.workloads[id]
	if w == nil { // a target whose pattern could not be copied
		var found compose.Diagnostics
		if w, found = r.read(e, t); w == nil {
			return nil, fmt.Errorf("%v", found)
		}
		r.workloads[id] = w
	}
	w.assembly = *stage.Outdir()
	var err error
	w.application, err = stacks.NewApplication(stage, &stacks.ApplicationProps{
		Model: w.model, Account: t.Account.ID, Region: t.Region,
		Ephemeral:             e.Type == config.Ephemeral,
		TerminationProtection: e.TerminationProtection,
		Synthesizer:           func() awscdk.IStackSynthesizer { return synthesizer(r.Config, t.Account) },
	})
	if err != nil {
		return nil, &applicationError{err, w}
	}
	return w.application, nil
}

// applicationError wraps an error of the CDK that is about an application.
type applicationError struct {
	error
	workload *workload
}

// Exceptions returns the exceptions of the CDK in an error of New that are about an
// application, at their places in the compose files; none if the error is another.
func (r *Release) Exceptions(err error) compose.Diagnostics {
	var of *applicationError
	if !errors.As(err, &of) {
		return nil
	}
	return stacks.Exceptions(of.error, of.workload.project)
}

// Report returns the findings of the CDK's validation in an assembly, the limits of
// CloudFormation that it exceeds, and the diagnostics of its stacks.
func (r *Release) Report(assembly string) (compose.Diagnostics, error) {
	found, err := stacks.ReportAll(assembly, func(stage string) (*compose.Model, stacks.Places) {
		if w := r.workloads[stage]; w != nil {
			return w.model, w.project
		}
		return nil, nil
	})
	errs := []error{err}
	for _, w := range r.built(assembly) {
		large, err := w.application.Limits(w.assembly, w.project)
		found = slices.Concat(found, large, w.application.Diagnostics(w.project))
		errs = append(errs, err)
	}
	return found.Sort(), errors.Join(errs...)
}

// Copies reports by the id of each target's stage whether it is copied from a pattern.
func (r *Release) Copies() map[string]bool {
	copies := map[string]bool{}
	for _, e := range r.Config.Environments {
		for _, t := range e.Targets() {
			id := r.Config.StageID(e, t)
			copies[id] = r.workloads[id] == nil
		}
	}
	return copies
}

// built returns the applications in an assembly.
func (r *Release) built(assembly string) []*workload {
	var built []*workload
	for _, stage := range slices.Sorted(maps.Keys(r.workloads)) {
		if w := r.workloads[stage]; w.application != nil && filepath.Dir(w.assembly) == assembly {
			built = append(built, w)
		}
	}
	return built
}

// TooMany turns the exception of the CDK about a stack with more resources than
// CloudFormation's limit into a diagnostic; none if the error is another.
func (r *Release) TooMany(err error) compose.Diagnostics {
	for _, w := range r.workloads {
		if w.application == nil {
			continue
		}
		if found, ok := w.application.TooMany(err, w.project); ok {
			return found
		}
	}
	return nil
}
