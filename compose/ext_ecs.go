package compose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// ecsExtension is x-ecs of a service.
type ecsExtension struct {
	EnableExecuteCommand     *bool
	CpuArchitecture          string //nolint:revive // the key's own spelling
	OperatingSystemFamily    string
	CapacityProviderStrategy []capacityProvider
	// NotSecret names variables, build arguments and labels that look like secrets
	// and are none.
	NotSecret []string
}

type capacityProvider struct {
	CapacityProvider string
	Base, Weight     int
}

func (r *resolver) ecs(s types.ServiceConfig) (ext ecsExtension) {
	r.decode(servicePath(s.Name).Key("x-ecs"), s.Extensions["x-ecs"], &ext)
	return ext
}

// Capacity providers of Fargate.
const (
	providerFargate = "FARGATE"
	providerSpot    = "FARGATE_SPOT"
)

// capacity joins the capacity providers that the services of a family name.
func (r *resolver) capacity(f *Family, services []types.ServiceConfig) {
	asked := "" // the service that named them first
	for _, s := range services {
		path := servicePath(s.Name).Key("x-ecs").Key("CapacityProviderStrategy")
		strategy := r.ecs(s).CapacityProviderStrategy
		if len(strategy) == 0 {
			continue
		}
		var own []CapacityProvider
		for i, p := range strategy {
			at := path.Index(i)
			if known := []string{providerFargate, providerSpot}; !slices.Contains(known, p.CapacityProvider) {
				r.Unknown(at.Key("CapacityProvider"), "capacity-provider-unknown", "a capacity provider of Fargate", p.CapacityProvider, known)
				continue
			}
			if p.Base < 0 || p.Weight < 0 || p.Weight > 1000 {
				r.Errorf(at, "capacity-provider-range", "Base is 0 or more, and Weight 0 to 1000")
			}
			own = append(own, CapacityProvider{Name: p.CapacityProvider, Base: p.Base, Weight: p.Weight})
		}
		if asked != "" && !slices.Equal(own, f.CapacityProviders) {
			r.Warnf(path, "capacity-provider-joined",
				"services %q and %q of family %q name different capacity providers; the highest base and weight of each holds",
				asked, s.Name, f.Name)
		}
		asked = cmp.Or(asked, s.Name)
		f.CapacityProviders = joinProviders(f.CapacityProviders, own)
	}
	r.providerBase(f)
	if len(f.CapacityProviders) == 0 {
		f.CapacityProviders = []CapacityProvider{{Name: providerFargate, Weight: 1}}
	}
}

func joinProviders(all, more []CapacityProvider) []CapacityProvider {
	for _, p := range more {
		i := slices.IndexFunc(all, func(q CapacityProvider) bool { return q.Name == p.Name })
		if i < 0 {
			all = append(all, p)
			continue
		}
		all[i].Base, all[i].Weight = max(all[i].Base, p.Base), max(all[i].Weight, p.Weight)
	}
	slices.SortFunc(all, func(a, b CapacityProvider) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// providerBase keeps the base of one provider, for ECS accepts no more, and
// reports strategies that place no task.
func (r *resolver) providerBase(f *Family) {
	path := f.Path.Key("x-ecs").Key("CapacityProviderStrategy")
	based, weight := false, 0
	for i := range f.CapacityProviders {
		p := &f.CapacityProviders[i]
		weight += p.Weight
		if p.Base > 0 && based {
			r.Warnf(path, "capacity-provider-base", "only one capacity provider can have a Base: the Base of %s is ignored", p.Name)
			p.Base = 0
		}
		based = based || p.Base > 0
	}
	if len(f.CapacityProviders) > 0 && weight == 0 {
		r.Errorf(path, "capacity-provider-range", "one capacity provider of family %q must have a Weight above 0", f.Name)
	}
	spot := slices.ContainsFunc(f.CapacityProviders, func(p CapacityProvider) bool { return p.Name == providerSpot })
	if spot && f.OperatingSystem != "LINUX" {
		r.Errorf(path, "capacity-provider-unknown", "%s runs no %s tasks", providerSpot, f.OperatingSystem)
	}
}

// execute switches ECS Exec on where a service asks for it.
func (r *resolver) execute(f *Family, services []types.ServiceConfig) {
	for _, s := range services {
		if on := r.ecs(s).EnableExecuteCommand; on != nil && *on {
			f.Exec = true
		}
	}
	if !f.Exec {
		return
	}
	for _, c := range f.Containers {
		if c.ReadOnlyRoot {
			r.Warnf(c.Path.Key("read_only"), "exec-read-only", "ECS Exec needs to write to the root file system of %q, which is read-only", c.Name)
		}
	}
}

// Operating system families of Fargate.
var operatingSystems = []string{
	"LINUX", "WINDOWS_SERVER_2019_CORE", "WINDOWS_SERVER_2019_FULL",
	"WINDOWS_SERVER_2022_CORE", "WINDOWS_SERVER_2022_FULL",
}

// Architectures as ECS names them, by the names of Docker platforms.
var architectures = map[string]string{"amd64": "X86_64", "x86_64": "X86_64", "arm64": "ARM64", "aarch64": "ARM64"}

// dockerPlatforms are what images are built for.
var dockerPlatforms = map[string]string{"X86_64": "linux/amd64", "ARM64": "linux/arm64"}

// setting is a value that a service wants its whole family to have.
type setting struct {
	service, value string
	path           Path
}

// requireSame returns the value that all services of a family want, and reports code where
// they differ.
func (r *resolver) requireSame(f *Family, given []setting, fallback, code, what string) string {
	if len(given) == 0 {
		return fallback
	}
	first := given[0]
	for _, o := range given[1:] {
		if o.value != first.value {
			r.Errorf(o.path, code, "services %q and %q of family %q want two %s, %s and %s, but run in one task",
				first.service, o.service, f.Name, what, first.value, o.value)
		}
	}
	return first.value
}

// runtimePlatform reads x-ecs and platform: what the family runs on.
func (r *resolver) runtimePlatform(f *Family, services []types.ServiceConfig) {
	var cpu, system []setting
	for _, s := range services {
		path := servicePath(s.Name)
		ext := r.ecs(s)
		if arch := ext.CpuArchitecture; arch != "" {
			at := path.Key("x-ecs").Key("CpuArchitecture")
			if _, ok := dockerPlatforms[arch]; !ok {
				r.Unknown(at, "architecture-unknown", "an architecture of Fargate", arch, []string{"X86_64", "ARM64"})
			} else {
				cpu = append(cpu, setting{s.Name, arch, at})
			}
		}
		if system1 := ext.OperatingSystemFamily; system1 != "" {
			at := path.Key("x-ecs").Key("OperatingSystemFamily")
			if !slices.Contains(operatingSystems, system1) {
				r.Unknown(at, "operating-system-unknown", "an operating system of Fargate", system1, operatingSystems)
			} else {
				system = append(system, setting{s.Name, system1, at})
			}
		}
		if arch := r.dockerPlatform(path.Key("platform"), s.Platform); arch != "" {
			cpu = append(cpu, setting{s.Name, arch, path.Key("platform")})
		}
		if s.Build != nil && len(s.Build.Platforms) == 1 && s.Platform == "" {
			at := path.Key("build").Key("platforms")
			if arch := r.dockerPlatform(at, s.Build.Platforms[0]); arch != "" {
				cpu = append(cpu, setting{s.Name, arch, at})
			}
		}
	}
	f.Architecture = r.requireSame(f, cpu, "X86_64", "architecture-conflict", "architectures")
	f.OperatingSystem = r.requireSame(f, system, "LINUX", "operating-system-conflict", "operating systems")
	for i, c := range f.Containers {
		if c.Image.Build == nil {
			continue
		}
		c.Image.Build.Platform = dockerPlatforms[f.Architecture]
		r.buildPlatforms(services[i], c.Image.Build.Platform)
	}
}

// buildPlatforms reports platforms that an image is not built for.
func (r *resolver) buildPlatforms(s types.ServiceConfig, platform string) {
	if len(s.Build.Platforms) < 2 {
		return
	}
	path := servicePath(s.Name).Key("build").Key("platforms")
	if !slices.Contains(s.Build.Platforms, platform) {
		r.Errorf(path, "architecture-conflict", "the tasks run on %s, which is not among the platforms", platform)
		return
	}
	r.Notef(path, "build-platforms", "the image is built for %s alone, on which the tasks run", platform)
}

// dockerPlatform reads linux/arm64 and the like; "" is none.
func (r *resolver) dockerPlatform(path Path, platform string) string {
	if platform == "" {
		return ""
	}
	system, arch, found := strings.Cut(platform, "/")
	if !found {
		arch = system
		system = "linux"
	}
	arch = strings.TrimSuffix(arch, "/v8")
	known, ok := architectures[arch]
	if system != "linux" || !ok {
		r.Add(Error, path, "platform", "one of: linux/amd64, linux/arm64",
			fmt.Sprintf("Fargate runs no containers of platform %q", platform))
		return ""
	}
	return known
}
