package pipelines

import "composecdk/pipelines/config"

// ephemeral adds an environment that is made from scratch, tested and removed, in one
// stage: CodePipeline lets one execution at a time into a stage, so that two cannot
// meet in the same stacks. It is in the region of the tooling (docs/decisions/cd-pipeline.md).
func (d *cd) ephemeral(e *config.Environment) error {
	c := d.Config
	target := e.Targets()[0]
	made, err := targetStages(d.app, d.Props, e)
	if err != nil {
		return err
	}
	name := c.StageID(e, target)
	tests, err := d.tests(e, made[name].application)
	if err != nil {
		return err
	}
	deployment := d.engine.AddStage(made[name].Stage, nil)
	remove := newTeardown(deployment)
	for _, test := range tests {
		remove.AddStepDependency(test)
	}
	deployment.AddPost(append(tests, remove)...)
	d.settings[name] = &stageSettings{entry: d.admitted(e)}
	if e.Teardown != nil {
		d.janitors = append(d.janitors, func() { d.newJanitor(e, name, remove.stacks) })
	}
	return nil
}
