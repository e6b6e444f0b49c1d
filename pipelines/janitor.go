package pipelines

import (
	cdkpipelines "github.com/aws/aws-cdk-go/awscdk/v2/pipelines"

	"composecdk/pipelines/config"
)

func (d *cd) newJanitor(e *config.Environment, stage string, stacks []cdkpipelines.StackDeployment) {}
