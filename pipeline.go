package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/pipelines"
	"composecdk/pipelines/config"
	"composecdk/pipelines/plan"
)

// delivery is the synthesis of what a pipeline.yaml asks for.
type delivery struct {
	in      input
	release *pipelines.Release
	// patterns is a folder for the assemblies of patterns.
	patterns string
	found    compose.Diagnostics
}

// deliver reads a pipeline.yaml with the compose files of its applications, and
// synthesises the pipelines with all the stacks that they deploy.
func deliver(in input, env map[string]string) (compose.Diagnostics, error) {
	c, found := config.Load(config.Options{
		File: in.pipeline, Untrusted: in.load.Untrusted, Unreleased: in.unreleased,
	})
	if c == nil {
		return found, nil
	}
	release, more := pipelines.Read(c, in.checkout, in.load)
	found = append(found, more...)
	if release == nil {
		return found, nil
	}
	planned := plan.New(c, release.Model)
	if found = append(found, planned.Check()...); found.HasErrors() {
		return found, nil
	}
	if err := prepare(in.outdir, env); err != nil {
		return nil, err
	}
	d := &delivery{in: in, release: release, found: found}
	if err := withRuntime(d.synthesise); err != nil || d.found.HasErrors() {
		return d.found, err
	}
	exceeded, err := plan.CheckAssembly(c, in.outdir)
	return append(d.found, exceeded...), errors.Join(err, summarise(planned, in.outdir))
}

// summarise writes what the pipelines are, for people.
func summarise(p *plan.Plan, outdir string) error {
	file, err := os.Create(filepath.Join(outdir, summaryFile))
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return errors.Join(p.Text(file, plan.Assumed()), file.Close())
}

// synthesise writes the assembly. What the CDK and its validation have against the
// files is in found.
func (d *delivery) synthesise() (err error) {
	if d.patterns, err = os.MkdirTemp("", "composecdk-*"); err != nil {
		return fmt.Errorf("a folder for patterns: %w", err)
	}
	defer os.RemoveAll(d.patterns) //nolint:errcheck // a left-over temporary folder harms nobody
	err = d.synth(d.in.outdir, func(app constructs.Construct) error {
		return pipelines.New(app, d.release.Props(d.pattern))
	})
	if errors.Is(err, errReported) {
		return nil
	}
	return err
}

// pattern synthesises an app in a folder that nobody keeps.
func (d *delivery) pattern(build func(constructs.Construct) error) (string, error) {
	dir, err := os.MkdirTemp(d.patterns, "pattern-*")
	if err != nil {
		return "", fmt.Errorf("a folder for a pattern: %w", err)
	}
	return dir, d.synth(dir, build)
}

// errReported stops a synthesis whose diagnostics have all its problems.
var errReported = errors.New("reported")

// synth fills an app and writes its assembly.
func (d *delivery) synth(outdir string, build func(constructs.Construct) error) error {
	app := newApp(d.in, outdir)
	if err := build(app); err != nil {
		return d.tell(d.release.Exceptions(err), err)
	}
	err := synth(d.in, app, outdir, d.release.Copies())
	found, reportErr := d.release.Report(outdir)
	if found.HasErrors() || reportErr != nil {
		return d.tell(found, reportErr)
	}
	d.found = append(d.found, found...)
	if err != nil {
		return d.tell(d.release.TooMany(err), err)
	}
	return nil
}

// tell adds diagnostics that take the place of an error; without any it is the error
// itself that has to be reported.
func (d *delivery) tell(found compose.Diagnostics, err error) error {
	if len(found) == 0 {
		return err
	}
	d.found = append(d.found, found...)
	return errReported
}
