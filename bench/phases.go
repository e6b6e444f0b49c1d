package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/compose/load"
	"composecdk/stacks"
)

// phases holds the seconds that each part of a synthesis takes.
type phases struct {
	// Load reads the compose file into a model; Construct starts the CDK library and builds
	// the constructs; Synth writes the templates; Validation checks templates that were
	// never validated before.
	Load, Construct, Synth, Validation float64
}

// measurePhases prints the phases of a compose file as JSON.
func measurePhases(file string) error {
	var p phases
	last := time.Now()
	took := func(phase *float64) {
		now := time.Now()
		*phase, last = now.Sub(last).Seconds(), now
	}
	project, found := load.Files(context.Background(), load.Options{Files: []string{file}})
	if project == nil {
		return fmt.Errorf("%v", found)
	}
	model, more := compose.Resolve(project, kinds.Schemas())
	if model == nil || more.HasErrors() {
		return fmt.Errorf("%v", more)
	}
	took(&p.Load)
	outdir, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(outdir) //nolint:errcheck // a left-over temporary folder harms nobody
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &outdir, AnalyticsReporting: jsii.Bool(false)})
	scope := constructs.NewConstruct(app, jsii.String(stacks.Name(model.Name, "")))
	if _, err := stacks.NewApplication(scope, &stacks.ApplicationProps{Model: model}); err != nil {
		return err
	}
	took(&p.Construct)
	app.Synth(nil)
	took(&p.Synth)
	if err := stacks.NewValidator("").Validate(app, outdir, nil); err != nil {
		return err
	}
	took(&p.Validation)
	return json.NewEncoder(os.Stdout).Encode(p)
}
