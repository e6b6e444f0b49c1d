package pipelines

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/stacks"
)

// permanent adds the waves of an environment that stays: what changes is told and
// approved first, then the targets of a wave are deployed together, and tested.
func (d *cd) permanent(e *config.Environment) error {
	props := *d.Props
	if len(e.Tests) > 0 {
		props.Pattern = nil // tests read the outputs of each target
	}
	targets, err := targetStages(d.app, &props, e)
	if err != nil {
		return err
	}
	ask, entry := d.review(e)
	for i := range e.Waves {
		wave := d.engine.AddWave(jsii.String(waveName(e, i)), nil)
		var deployments []cdkpipelines.StageDeployment
		for _, t := range e.Waves[i] {
			stage := targets[d.Config.StageID(e, t)]
			tests, err := d.tests(e, stage.application)
			if err != nil {
				return err
			}
			deployments = append(deployments, wave.AddStage(stage.Stage, &cdkpipelines.AddStageOpts{Post: &tests}))
		}
		if e.TerminationProtection {
			wave.AddPost(d.protect(e, i, deployments))
		}
		asks := i == 0 && ask != nil
		if asks {
			approveChangeSets(deployments, ask)
		}
		d.settings[waveStage(d.Config, e, i)] = d.waveSettings(e, i, entry, asks)
	}
	return nil
}

// waveName returns the name of a wave.
func waveName(e *config.Environment, i int) string {
	if len(e.Waves) == 1 {
		return e.Name
	}
	return fmt.Sprintf("%s-%d", e.Name, i+1)
}

// waveStage returns the name of the stage of a wave: CDK Pipelines names it after the only
// target.
func waveStage(c *config.Config, e *config.Environment, i int) string {
	if len(e.Waves[i]) == 1 {
		return c.StageID(e, e.Waves[i][0])
	}
	return waveName(e, i)
}

// noEmptyStack gives a stack without resources one that does nothing: unlike the
// CDK CLI, CloudFormation refuses a template without any, and a stack that were left
// out would keep what it had (docs/decisions/cd-pipeline.md).
func noEmptyStack(application *stacks.Application) {
	for _, stack := range application.Stacks {
		empty := true
		for _, child := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
			_, resource := child.(awscdk.CfnResource)
			empty = empty && !resource
		}
		if empty {
			awscdk.NewCfnWaitConditionHandle(stack, jsii.String("Empty"), nil)
		}
	}
}
