package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/pipelines/config"
)

// newMerge adds the stack with the one project that writes to the compose
// repository.
func newMerge(scope constructs.Construct, c *config.Config) awscdk.Stack { return nil }
