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

// permanent adds the waves of an environment that is kept: its changes are reported and
// approved first, then the targets of a wave are deployed together, and tested.
func (d *cd) permanent(e *config.Environment) error {
	copies := len(e.Tests) == 0 // tests read the outputs of each target
	stages, err := d.targets.stages(e, copies)
	if err != nil {
		return err
	}
	ask, entry := d.addReview(e)
	for i := range e.Waves {
		wave := d.engine.AddWave(jsii.String(waveName(e, i)), nil)
		var deployments []cdkpipelines.StageDeployment
		for _, t := range e.Waves[i] {
			stage := stages[d.config.StageID(e, t)]
			tests, err := d.tests.steps(e, stage.application)
			if err != nil {
				return err
			}
			deployments = append(deployments, wave.AddStage(stage.Stage, &cdkpipelines.AddStageOpts{Post: &tests}))
		}
		if e.TerminationProtection {
			wave.AddPost(d.protection.protect(e, i, deployments))
		}
		asks := i == 0 && ask != nil
		if asks {
			approveChangeSets(deployments, ask)
		}
		d.settings[waveStage(d.config, e, i)] = d.waveSettings(e, i, entry, asks)
	}
	return nil
}

func waveName(e *config.Environment, i int) string {
	if len(e.Waves) == 1 {
		return e.Name
	}
	return fmt.Sprintf("%s-%d", e.Name, i+1)
}

// waveStage names the stage of a wave: CDK Pipelines names it after a single target.
func waveStage(c *config.Config, e *config.Environment, i int) string {
	if len(e.Waves[i]) == 1 {
		return c.StageID(e, e.Waves[i][0])
	}
	return waveName(e, i)
}

// noEmptyStack gives a stack without resources one that does nothing: unlike the
// CDK CLI, CloudFormation rejects a template without any, and a stack that is left
// out would keep its resources (docs/decisions/cd-pipeline.md).
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
