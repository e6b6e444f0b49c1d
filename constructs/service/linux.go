package service

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
)

// linuxParameters returns nil where the container needs none. ECS Exec leaves
// processes behind, which an init process collects.
func (f *Family) linuxParameters(this constructs.Construct, m *compose.Container) awsecs.LinuxParameters {
	init := m.Init || f.model.Exec
	if !init && len(m.Tmpfs)+len(m.CapAdd)+len(m.CapDrop) == 0 {
		return nil
	}
	linux := awsecs.NewLinuxParameters(this, jsii.String("linux "+m.Name), &awsecs.LinuxParametersProps{InitProcessEnabled: when(init)})
	if len(m.CapAdd) > 0 {
		linux.AddCapabilities(capabilities(m.CapAdd)...)
	}
	if len(m.CapDrop) > 0 {
		linux.DropCapabilities(capabilities(m.CapDrop)...)
	}
	for _, t := range m.Tmpfs {
		linux.AddTmpfs(&awsecs.Tmpfs{ContainerPath: jsii.String(t.Target), Size: jsii.Number(t.Size)})
	}
	return linux
}

// setTmpfsOptions adds the mount options, of which the CDK knows only those
// without a value. The containers of the application come first in the task.
func (f *Family) setTmpfsOptions() {
	var task awscdk.CfnResource // asked for where it is needed, which is rare
	for i, c := range f.containers {
		for j, t := range c.model.Tmpfs {
			if len(t.Options) > 0 {
				if task == nil {
					task = f.task.Node().DefaultChild().(awscdk.CfnResource)
				}
				task.AddPropertyOverride(jsii.String(fmt.Sprintf("ContainerDefinitions.%d.LinuxParameters.Tmpfs.%d.MountOptions", i, j)), t.Options)
			}
		}
	}
}

func capabilities(names []string) []awsecs.Capability {
	var out []awsecs.Capability
	for _, n := range names {
		out = append(out, awsecs.Capability(n))
	}
	return out
}

func systemControls(sysctls map[string]string) *[]*awsecs.SystemControl {
	if len(sysctls) == 0 {
		return nil
	}
	var out []*awsecs.SystemControl
	for _, name := range slices.Sorted(maps.Keys(sysctls)) {
		out = append(out, &awsecs.SystemControl{Namespace: jsii.String(name), Value: jsii.String(sysctls[name])})
	}
	return &out
}

// The default platform is asked for once: nearly every family runs on it.
var (
	x86   = sync.OnceValue(awsecs.CpuArchitecture_X86_64)
	linux = sync.OnceValue(awsecs.OperatingSystemFamily_LINUX)
)

// runtimePlatform returns Linux on x86-64 unless the family says otherwise.
func runtimePlatform(m *compose.Family) *awsecs.RuntimePlatform {
	platform := &awsecs.RuntimePlatform{
		CpuArchitecture:       x86(),
		OperatingSystemFamily: linux(),
	}
	if m.Architecture == "ARM64" {
		platform.CpuArchitecture = awsecs.CpuArchitecture_ARM64()
	}
	if m.OperatingSystem != "" && m.OperatingSystem != "LINUX" {
		platform.OperatingSystemFamily = awsecs.OperatingSystemFamily_Of(jsii.String(m.OperatingSystem))
	}
	return platform
}

func removal(ephemeral bool) awscdk.RemovalPolicy {
	if ephemeral {
		return awscdk.RemovalPolicy_DESTROY
	}
	return awscdk.RemovalPolicy_RETAIN
}
