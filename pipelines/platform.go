package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/pipelines/config"
)

// newPlatform adds the pipeline that deploys the shared resources and the CI
// pipelines.
func newPlatform(app constructs.Construct, c *config.Config) awscdk.Stack { return nil }
