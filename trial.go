package main

import (
	"fmt"
	"os"

	"composecdk/compose"
	"composecdk/constructs/guard"
	"composecdk/stacks"
)

// trials is how often the x-resources are tried at most: what the CDK throws is
// left out of the next try, until the templates can be validated.
const trials = 3

// trial finds what the CDK has to say about the Properties of x-resources in a
// model with errors, which cannot be synthesised: a user wants to hear of all
// mistakes at once. It says nothing where the CDK cannot run.
func trial(in input, project *compose.Project, model *compose.Model, found compose.Diagnostics, env map[string]string) (more compose.Diagnostics) {
	if !hasNode(env) {
		return nil
	}
	for range trials {
		part := model.Trial(found)
		if part == nil {
			break
		}
		var said compose.Diagnostics
		err := guard.Contain(func() (err error) {
			said, err = try(in, project, part)
			return err
		})
		if err != nil {
			break // whoever corrects the errors will see it
		}
		more = append(more, model.Told(said, found)...)
		if !said.HasErrors() {
			break
		}
		found = append(found, said...)
	}
	return more
}

// try builds the x-resources of a trial in a folder that nobody keeps.
func try(in input, project *compose.Project, part *compose.Model) (compose.Diagnostics, error) {
	outdir, err := os.MkdirTemp("", "composecdk-*")
	if err != nil {
		return nil, fmt.Errorf("a folder for a trial: %w", err)
	}
	defer os.RemoveAll(outdir) //nolint:errcheck // a left-over temporary folder harms nobody
	app, _, err := build(in, part, outdir)
	if err != nil {
		return stacks.Exceptions(err, project), nil
	}
	err = synth(in, app, outdir, nil)
	found, reportErr := stacks.Report(outdir, part, project)
	if reportErr != nil || found.HasErrors() {
		return found, reportErr
	}
	return found, err
}
