package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/pipelines/config"
	"composecdk/stacks"
)

// Props are the arguments of New.
type Props struct {
	Config *config.Config
	// Application makes the stacks of the application in the stage of a target.
	Application func(stage awscdk.Stage, e *config.Environment, t config.Target) (*stacks.Application, error)
	// Pattern synthesises an app of its own, which build fills, and returns the
	// folder of its assembly. If nil, every target is synthesised by itself.
	Pattern func(build func(app constructs.Construct) error) (dir string, err error)
}

// New adds everything that a pipeline.yaml asks for to an app: the platform
// pipeline, whose stage Tooling holds the shared resources and the CI pipelines, the
// roles of the accounts, and the CD pipeline with a stage per target. An error joins
// all the exceptions of the CDK; the app must then not be synthesised.
func New(app constructs.Construct, props *Props) error {
	newRoles(app, props.Config)
	newRegionalStacks(app, props.Config)
	newPlatform(app, props.Config)
	return newCD(app, props)
}
