package pipelines

import "composecdk/pipelines/config"

// ephemeral adds an environment that is created, tested and removed in one stage:
// CodePipeline lets one execution at a time into a stage, so that two cannot meet in
// the same stacks. Its region is the tooling's (docs/decisions/cd-pipeline.md).
func (d *cd) ephemeral(e *config.Environment) error {
	c := d.config
	target := e.Targets()[0]
	made, err := d.targets.stages(e, true)
	if err != nil {
		return err
	}
	name := c.StageID(e, target)
	tests, err := d.tests.steps(e, made[name].application)
	if err != nil {
		return err
	}
	deployment := d.engine.AddStage(made[name].Stage, nil)
	remove := newTeardown(deployment)
	for _, test := range tests {
		remove.AddStepDependency(test)
	}
	deployment.AddPost(append(tests, remove)...)
	d.settings[name] = &stageSettings{entry: triggerRules(c, e)}
	if e.Teardown != nil {
		d.janitors.later(e, name, remove.stacks)
	}
	return nil
}
