//go:build !race

package pipelines

import (
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/load"
	"composecdk/constructs/guard"
	"composecdk/gate"
	"composecdk/pipelines"
	"composecdk/pipelines/config"
	"composecdk/test/assembly"
	"composecdk/test/engine"
	"composecdk/test/fixture"
)

// delivered are the pipelines of a pipeline.yaml as other engines judge them.
type delivered struct {
	name   string
	config *config.Config
	dir    string
	stacks []deliveredStack
	// found is what the gate finds in all of it.
	found []gate.Finding
}

// deliveredStack is a stack of the assembly, or of one that is nested in it.
type deliveredStack struct {
	// path is that of its construct, as in Tooling/Shared.
	path, account, region, name string
	// application says that it belongs to the application, not to the pipelines.
	application bool
	template    template
	nag         []engine.Finding
}

// deliveredCases returns the example, and what it does not have. They are synthesised
// once, for all engines.
func deliveredCases(t *testing.T) []*delivered {
	t.Helper()
	deliverAll.Do(func() {
		for _, file := range []string{"../../examples/blog/pipeline.yaml", "testdata/varied.yaml"} {
			allDelivered = append(allDelivered, deliverPipelines(t, file))
		}
	})
	if len(allDelivered) < 2 {
		t.Fatal("the cases were not synthesised: another test tells why")
	}
	return allDelivered
}

var (
	deliverAll   sync.Once
	allDelivered []*delivered
)

// deliverPipelines synthesises a pipeline.yaml as the program does, and holds cdk-nag
// against all of it.
func deliverPipelines(t *testing.T, file string) *delivered {
	t.Helper()
	c, found := config.Load(config.Options{File: file})
	if c == nil {
		t.Fatalf("%s has errors:\n%s", file, fixture.Printed(t, found))
	}
	release, found := pipelines.Read(c, "", load.Options{})
	if release == nil {
		t.Fatalf("the compose files of %s have errors:\n%s", file, fixture.Printed(t, found))
	}
	d := &delivered{name: c.Name, config: c, dir: fixture.KeptDir(t)}
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &d.dir, AnalyticsReporting: jsii.Bool(false), PostCliContext: &engine.NoAnnotations})
	if err := pipelines.New(app, release.Props(nil)); err != nil {
		t.Fatal(err)
	}
	engine.AddNag(app)
	for _, child := range *app.Node().Children() {
		if stage, ok := child.(awscdk.Stage); ok {
			engine.AddNag(stage)
			stage.Synth(&awscdk.StageSynthesisOptions{Force: jsii.Bool(true)}) // the pipeline has synthesised it before
		}
	}
	if _, err := guard.Try("", func() (any, error) { return app.Synth(nil), nil }); err != nil {
		t.Fatal(err)
	}
	d.read(t)
	assembly, err := gate.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	d.found = assembly.Check()
	return d
}

// read reads the stacks of the assembly and of all that are nested in it.
func (d *delivered) read(t *testing.T) {
	t.Helper()
	for _, s := range assembly.Stacks(t, d.dir) {
		d.stack(t, s.File, s.Path, s.Environment, s.Name)
	}
}

func (d *delivered) stack(t *testing.T, file, path, environment, name string) {
	t.Helper()
	tm, err := assembly.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	tm.T = t
	where := strings.Split(strings.TrimPrefix(environment, "aws://"), "/")
	d.stacks = append(d.stacks, deliveredStack{
		path: path, account: where[0], region: where[1], name: name, template: tm,
		application: strings.Contains(path, "/") && !strings.HasPrefix(path, "Tooling/"),
		nag:         engine.NagFindings(t, strings.Replace(file, ".template.json", ".metadata.json", 1)),
	})
}
