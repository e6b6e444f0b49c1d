package service

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/network"
)

// FamilyProps are what a family needs from the stacks around it.
type FamilyProps struct {
	Family  *compose.Family
	Network *network.Network
	Cluster *network.Cluster
	// Namespaces hold the one of Service Connect if anything uses it; nil means
	// that there are none.
	Namespaces *network.Namespaces
	// Client says that the family calls others by name. A family that serves
	// ports can do so without.
	Client bool
	// Secrets by the name of the compose.Secret.
	Secrets map[string]Secret
	// Resolve resolves references and pseudo parameters in text of the file.
	Resolve cfn.Resolver
	// Volumes by the name of the compose.Volume.
	Volumes map[string]*Volume
	// Groups is where the security group of the tasks stands: in a stack that comes
	// before all of those whose families call each other. nil is beside the rest.
	Groups constructs.Construct
	// Ephemeral says that nothing in this environment is worth keeping.
	Ephemeral bool
}

// Family is a task definition and, unless others run it, its ECS service on Fargate.
type Family struct {
	construct  constructs.Construct
	model      *compose.Family
	props      *FamilyProps
	taskRole   *TaskRole
	execution  *ExecutionRole
	logs       *logs
	task       awsecs.FargateTaskDefinition
	containers []*Container
	group      awsec2.SecurityGroup
	groupID    cfn.Value
	opened     map[string]bool // rules of the group, by id
	service    awsecs.FargateService
	resource   awsecs.CfnService
	scaling    awsecs.ScalableTaskCount
}

// NewFamily builds a family with all its containers. The ingress of the file is
// open; what else may reach it, or what it may do, is added by those who know.
func NewFamily(scope constructs.Construct, id string, props *FamilyProps) (*Family, error) {
	this := constructs.NewConstruct(scope, &id)
	m := props.Family
	f := &Family{construct: this, model: m, props: props, opened: map[string]bool{}}
	if err := f.addRoles(this); err != nil {
		return nil, err
	}
	f.logs = newLogs(this, m.Logging, f.execution, props.Ephemeral)
	f.task = f.newTask(this)
	for _, part := range []func(constructs.Construct) error{
		f.addContainers, f.addVolumes, f.addSecurityGroup, f.addService, f.addRecords, f.addScaling, f.addIngress, f.openVolumes,
	} {
		if err := part(this); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Model returns what the family was built from.
func (f *Family) Model() *compose.Family { return f.model }

// Value returns a value of the family by its name in compose.Node.
func (f *Family) Value(name string) (cfn.Value, bool) {
	switch name {
	case "LogGroupName":
		return f.logs.group, true
	case "SecurityGroupId":
		return f.groupID, true
	case "ServiceArn", "ServiceName":
		if f.service == nil {
			return cfn.Value{}, false
		}
		if name == "ServiceArn" {
			return cfn.FromToken(f.service.ServiceArn()), true
		}
		return cfn.FromToken(f.service.ServiceName()), true
	case "TaskDefinitionArn":
		return cfn.FromToken(f.task.TaskDefinitionArn()), true
	case "TaskRoleArn":
		return cfn.FromToken(f.taskRole.role.RoleArn()), true
	default:
		return cfn.Value{}, false
	}
}

// Container returns the container with the given name, or nil.
func (f *Family) Container(name string) *Container {
	for _, c := range f.containers {
		if c.model.Name == name {
			return c
		}
	}
	return nil
}

// TaskRole returns what the application may do.
func (f *Family) TaskRole() *TaskRole { return f.taskRole }

// SecurityGroupID identifies the security group of the tasks.
func (f *Family) SecurityGroupID() cfn.Value { return f.groupID }

// Service returns the ECS service.
func (f *Family) Service() awsecs.FargateService { return f.service }

// LoadBalancerTarget returns a port of a container for a target group. It is also when
// the grace period counts: ECS refuses one for a service without load balancer.
func (f *Family) LoadBalancerTarget(options *awsecs.LoadBalancerTargetOptions) awsecs.IEcsLoadBalancerTarget {
	if f.model.HealthCheckGracePeriod > 0 {
		f.resource.SetHealthCheckGracePeriodSeconds(jsii.Number(f.model.HealthCheckGracePeriod))
	}
	return f.service.LoadBalancerTarget(options)
}

// DependOn lets CloudFormation wait until the other family's service is stable.
func (f *Family) DependOn(other *Family) { f.resource.AddResourceDependency(other.resource, nil) }

func (f *Family) addRoles(this constructs.Construct) (err error) {
	var boundary awsiam.IManagedPolicy
	if arn := f.model.IAM.PermissionsBoundary; arn != "" {
		if boundary, err = f.managedPolicy(this, "Boundary", arn); err != nil {
			return err
		}
	}
	f.execution = newExecutionRole(this, f.model.Name, boundary)
	f.taskRole, err = f.newTaskRole(this, boundary)
	return err
}

func (f *Family) newTask(this constructs.Construct) awsecs.FargateTaskDefinition {
	m := f.model
	props := &awsecs.FargateTaskDefinitionProps{
		Cpu:                 jsii.Number(m.CPU),
		MemoryLimitMiB:      jsii.Number(m.Memory),
		EphemeralStorageGiB: positive(m.EphemeralStorage),
		RuntimePlatform:     runtimePlatform(m),
		TaskRole:            f.taskRole.role,
		// The CDK would add more than the agent needs, such as describing
		// secrets: it gets a role that it cannot change.
		ExecutionRole: f.execution.role.WithoutPolicyUpdates(nil),
	}
	if m.PidMode == "task" {
		props.PidMode = awsecs.PidMode_TASK
	}
	return awsecs.NewFargateTaskDefinition(this, jsii.String("Task"), props)
}

func (f *Family) addContainers(this constructs.Construct) error {
	for _, m := range f.model.Containers {
		c, err := f.addContainer(this, m)
		if err != nil {
			return err
		}
		f.containers = append(f.containers, c)
	}
	for _, c := range f.containers {
		for _, d := range c.model.DependsOn {
			other := f.Container(d.Container)
			if other == nil {
				return fmt.Errorf("%s depends on %q, which is no container of the family", c.model.Name, d.Container)
			}
			c.definition.AddContainerDependencies(&awsecs.ContainerDependency{
				Container: other.definition, Condition: awsecs.ContainerDependencyCondition(d.Condition),
			})
		}
	}
	f.makeDefault()
	f.setTmpfsOptions()
	if f.model.Tracing != nil {
		return f.addXRay(this, f.model.Tracing)
	}
	return nil
}

// makeDefault picks the container that load balancers and Service Connect take
// where none is named: the first essential one that has a port.
func (f *Family) makeDefault() {
	for _, c := range f.containers {
		if c.model.Essential && len(c.model.Ports) > 0 {
			f.task.SetDefaultContainer(c.definition)
			return
		}
	}
}

func (f *Family) addSecurityGroup(this constructs.Construct) error {
	groups := f.props.Groups
	if groups == nil {
		groups = this
	}
	f.group = awsec2.NewSecurityGroup(groups, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc:              f.props.Network.VPC(),
		Description:      jsii.String(cfn.Description("tasks of " + f.model.Name)),
		AllowAllOutbound: jsii.Bool(true),
	})
	f.groupID = cfn.FromToken(f.group.SecurityGroupId())
	return nil
}

func (f *Family) addService(this constructs.Construct) error {
	m := f.model
	if m.Exec {
		f.allowExec()
	}
	if m.Run == compose.RunTask {
		f.tellCommand(this)
		return nil
	}
	connect, err := f.serviceConnect()
	if err != nil {
		return err
	}
	props := &awsecs.FargateServiceProps{
		Cluster:                     f.props.Cluster.ICluster(),
		TaskDefinition:              f.task,
		AssignPublicIp:              jsii.Bool(m.AssignPublicIP),
		VpcSubnets:                  f.props.Network.Subnets(m.SubnetGroup),
		SecurityGroups:              &[]awsec2.ISecurityGroup{f.group},
		CapacityProviderStrategies:  capacityProviders(m.CapacityProviders),
		MinHealthyPercent:           jsii.Number(m.Deployment.MinHealthyPercent),
		MaxHealthyPercent:           jsii.Number(m.Deployment.MaxPercent),
		PlatformVersion:             awsecs.FargatePlatformVersion_LATEST,
		PropagateTags:               awsecs.PropagatedTagSource_SERVICE,
		EnableECSManagedTags:        jsii.Bool(true),
		ServiceConnectConfiguration: connect,
	}
	if m.Deployment.CircuitBreaker {
		props.CircuitBreaker = &awsecs.DeploymentCircuitBreaker{
			Enable: jsii.Bool(true), Rollback: jsii.Bool(m.Deployment.Rollback),
		}
	}
	// With autoscaling a count here would be set back by every deployment.
	if m.Scaling == nil {
		props.DesiredCount = jsii.Number(m.Replicas)
	}
	f.service = awsecs.NewFargateService(this, jsii.String("Service"), props)
	node := f.service.Node()
	f.resource = node.DefaultChild().(awsecs.CfnService)
	// Without its policies the agent can start nothing, and the circuit breaker
	// would open.
	node.AddDependency(f.execution.role)
	for _, name := range sortedKeys(m.Tags) {
		awscdk.Tags_Of(f.service).Add(jsii.String(name), jsii.String(m.Tags[name]), nil)
	}
	if m.Exec {
		f.resource.SetEnableExecuteCommand(jsii.Bool(true))
	}
	return nil
}

func capacityProviders(providers []compose.CapacityProvider) *[]*awsecs.CapacityProviderStrategy {
	var strategies []*awsecs.CapacityProviderStrategy
	for _, p := range providers {
		strategies = append(strategies, &awsecs.CapacityProviderStrategy{
			CapacityProvider: jsii.String(p.Name), Base: positive(p.Base), Weight: jsii.Number(p.Weight),
		})
	}
	return &strategies
}
