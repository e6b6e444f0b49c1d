package xresource

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// The capabilities are what only some kinds can do. Bind finds them by type
// assertion, so that no kind is named outside its own file.

// Connectable resources are reached over the network.
type Connectable interface {
	// Endpoint is the security group in front of the resource, and its TCP port.
	Endpoint() (securityGroup cfn.Value, port int)
}

// SecretHolder resources hand secrets to containers.
type SecretHolder interface {
	// Secrets are the secrets of a binding by variable name.
	Secrets(b *compose.Binding) (map[string]service.Secret, error)
}

// Encrypted resources use a key of the account, which services need as well.
type Encrypted interface {
	// Key is that key; nil where AWS owns it.
	Key() *Key
}

// Scalable resources have a backlog that the number of tasks can follow.
type Scalable interface {
	Backlog() awscloudwatch.IMetric
}

// Granter resources give a task more than a profile says.
type Granter interface {
	Grant(b *compose.Binding, role *service.TaskRole, c *service.Container) error
}

// OutputSaver resources can be used from other stacks by one output instead of several:
// a stack has at most 200 outputs.
type OutputSaver interface {
	// DeriveFromRef derives all values from Ref, the value of one output, from now on.
	DeriveFromRef()
}
