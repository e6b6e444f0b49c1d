package service

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/jsii-runtime-go"
)

// Sidecar is a container beside the containers of the application. It has no way to take
// a variable or a secret, and no role of its own: a task has one task role.
type Sidecar struct {
	definition awsecs.ContainerDefinition
}

// before lets a container of the application start after the sidecar.
func (s *Sidecar) before(c *Container) {
	c.definition.AddContainerDependencies(&awsecs.ContainerDependency{
		Container: s.definition, Condition: awsecs.ContainerDependencyCondition_START,
	})
}

// sidecar is all that one can be given.
type sidecar struct {
	name, image            string
	cpu, memoryReservation int
	udp                    int
}

func (f *Family) addSidecar(s sidecar) *Sidecar {
	return &Sidecar{f.task.AddContainer(jsii.String(s.name), &awsecs.ContainerDefinitionOptions{
		ContainerName:        jsii.String(s.name),
		Image:                awsecs.ContainerImage_FromRegistry(jsii.String(s.image), nil),
		Essential:            jsii.Bool(false),
		Cpu:                  jsii.Number(s.cpu),
		MemoryReservationMiB: jsii.Number(s.memoryReservation),
		PortMappings: &[]*awsecs.PortMapping{
			{ContainerPort: jsii.Number(s.udp), Protocol: awsecs.Protocol_UDP},
		},
		ReadonlyRootFilesystem: jsii.Bool(true),
		Logging:                f.logs.driver(s.name, nil),
	})}
}
