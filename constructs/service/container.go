package service

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// EnvValue is the value of an environment variable: text that anybody may read
// who may read the task definition.
type EnvValue struct{ value cfn.Value }

// Text returns a value that CloudFormation may still have to resolve.
func Text(v cfn.Value) EnvValue { return EnvValue{v} }

// Literal returns the text s.
func Literal(s string) EnvValue { return EnvValue{cfn.Literal(s)} }

// Container is one service of the compose file, running in its family.
type Container struct {
	model      *compose.Container
	definition awsecs.ContainerDefinition
	execution  *ExecutionRole
	taskRole   *TaskRole
	env        map[string]string
	secrets    map[string]Secret
}

// Name returns the name of the container in the task definition.
func (c *Container) Name() string { return c.model.Name }

// AddEnv sets an environment variable. The same value again changes nothing;
// another value, or a secret of that name, is an error.
func (c *Container) AddEnv(name string, v EnvValue) error {
	if _, ok := c.secrets[name]; ok {
		return fmt.Errorf("the variable %s of %s is a secret already", name, c.model.Name)
	}
	text := *v.value.Token()
	if old, ok := c.env[name]; ok {
		if old == text {
			return nil
		}
		return fmt.Errorf("the variable %s of %s has another value already", name, c.model.Name)
	}
	c.env[name] = text
	c.definition.AddEnvironment(jsii.String(name), jsii.String(text))
	return nil
}

// AddSecret sets an environment variable from a secret when the container
// starts, and lets the execution role read that secret. The task role may read it
// only if the secret is one for the application.
func (c *Container) AddSecret(name string, s Secret) error {
	if _, ok := c.env[name]; ok {
		return fmt.Errorf("the variable %s of %s has a plain value already", name, c.model.Name)
	}
	if old, ok := c.secrets[name]; ok {
		if old == s {
			return nil
		}
		return fmt.Errorf("the variable %s of %s is another secret already", name, c.model.Name)
	}
	if s.parameter != nil && s.field != "" {
		return fmt.Errorf("the variable %s of %s: a parameter has no keys, found %q", name, c.model.Name, s.field)
	}
	c.secrets[name] = s
	c.execution.read(s)
	if s.application {
		c.taskRole.Allow("Secret"+name, s.access()...)
	}
	c.definition.AddSecret(jsii.String(name), s.ecs())
	return nil
}

// addContainer puts a container into the task definition of the family, with
// its own variables and secrets.
func (f *Family) addContainer(this constructs.Construct, m *compose.Container) (*Container, error) {
	image, err := f.image(this, m)
	if err != nil {
		return nil, err
	}
	command, err := f.texts(m.Command)
	if err != nil {
		return nil, err
	}
	entryPoint, err := f.texts(m.EntryPoint)
	if err != nil {
		return nil, err
	}
	options := &awsecs.ContainerDefinitionOptions{
		ContainerName:          jsii.String(m.Name),
		Image:                  image,
		Essential:              jsii.Bool(m.Essential),
		Command:                command,
		EntryPoint:             entryPoint,
		Cpu:                    positive(m.CPU),
		MemoryLimitMiB:         positive(m.MemoryLimit),
		MemoryReservationMiB:   positive(m.MemoryReservation),
		User:                   cfn.Optional(m.User),
		WorkingDirectory:       cfn.Optional(m.WorkingDir),
		ReadonlyRootFilesystem: jsii.Bool(m.ReadOnlyRoot),
		PseudoTerminal:         when(m.TTY),
		Interactive:            when(m.Stdin),
		Privileged:             when(m.Privileged),
		StopTimeout:            seconds(m.StopTimeout),
		HealthCheck:            healthCheck(m.HealthCheck),
		PortMappings:           portMappings(m.Ports),
		LinuxParameters:        f.linuxParameters(this, m),
		SystemControls:         systemControls(m.Sysctls),
		Logging:                f.logs.driver(m.Name, m.LogOptions),
	}
	if len(m.Labels) > 0 {
		options.DockerLabels = stringMap(m.Labels)
	}
	if m.NoFile != nil {
		options.Ulimits = &[]*awsecs.Ulimit{{
			Name: awsecs.UlimitName_NOFILE, SoftLimit: jsii.Number(m.NoFile.Soft), HardLimit: jsii.Number(m.NoFile.Hard),
		}}
	}
	if m.RestartOnFailure {
		options.EnableRestartPolicy = jsii.Bool(true)
		options.RestartIgnoredExitCodes = &[]*float64{jsii.Number(0)}
	}
	c := &Container{
		model:      m,
		definition: f.task.AddContainer(jsii.String(m.Name), options),
		execution:  f.execution,
		taskRole:   f.taskRole,
		env:        map[string]string{},
		secrets:    map[string]Secret{},
	}
	return c, f.addVariables(c)
}

func (f *Family) addVariables(c *Container) error {
	for _, v := range c.model.Environment {
		value, err := f.props.Resolve.Text(v.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Path, err)
		}
		if err := c.AddEnv(v.Name, Text(value)); err != nil {
			return err
		}
	}
	for _, v := range c.model.Secrets {
		secret, ok := f.props.Secrets[v.Secret]
		if !ok || secret == (Secret{}) {
			return fmt.Errorf("%s: there is no secret %q", v.Path, v.Secret)
		}
		if v.JSONKey != "" {
			secret = secret.Field(v.JSONKey)
		}
		if err := c.AddSecret(v.Name, secret); err != nil {
			return err
		}
	}
	return nil
}

func (f *Family) texts(list []compose.Text) (*[]*string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var out []*string
	for _, t := range list {
		v, err := f.props.Resolve.Text(t)
		if err != nil {
			return nil, err
		}
		out = append(out, v.Token())
	}
	return &out, nil
}

func healthCheck(h *compose.HealthCheck) *awsecs.HealthCheck {
	if h == nil {
		return nil
	}
	return &awsecs.HealthCheck{
		Command:     jsii.Strings(h.Command...),
		Interval:    seconds(h.Interval),
		Timeout:     seconds(h.Timeout),
		Retries:     positive(h.Retries),
		StartPeriod: seconds(h.StartPeriod),
	}
}

// portMappings names the TCP ports, for Service Connect, which knows no UDP.
func portMappings(ports []compose.Port) *[]*awsecs.PortMapping {
	if len(ports) == 0 {
		return nil
	}
	var mappings []*awsecs.PortMapping
	for _, p := range ports {
		m := &awsecs.PortMapping{ContainerPort: jsii.Number(p.Number), Protocol: awsecs.Protocol_TCP}
		if p.Protocol == "udp" {
			m.Protocol = awsecs.Protocol_UDP
		} else {
			m.Name = jsii.String(p.Name)
			m.AppProtocol = appProtocol(p.AppProtocol)
		}
		mappings = append(mappings, m)
	}
	return &mappings
}

// appProtocol returns one that Service Connect understands; anything else is plain
// TCP.
func appProtocol(name string) awsecs.AppProtocol {
	switch name {
	case "http":
		return awsecs.AppProtocol_Http()
	case "http2":
		return awsecs.AppProtocol_Http2()
	case "grpc":
		return awsecs.AppProtocol_Grpc()
	}
	return nil
}

func seconds(n int) awscdk.Duration {
	if n == 0 {
		return nil
	}
	return awscdk.Duration_Seconds(jsii.Number(n))
}

func positive(n int) *float64 {
	if n == 0 {
		return nil
	}
	return jsii.Number(n)
}

func when(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

func stringMap(m map[string]string) *map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = jsii.String(v)
	}
	return &out
}
