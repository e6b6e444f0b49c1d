package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/pipelines/config"
)

// newRoles adds the roles stack of each account whose roles are managed.
func newRoles(app constructs.Construct, c *config.Config) []awscdk.Stack { return nil }

// synthesizer names the roles that act in an account.
func synthesizer(c *config.Config, account *config.Account) awscdk.IStackSynthesizer { return nil }
