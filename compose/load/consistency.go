package load

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// familyLabel is the deploy label by which ComposeX groups services into
// families; depends_on may name a family.
const familyLabel = "ecs.task.family"

// consistency checks what no schema can: that the names in the merged model
// exist, and that values do not exclude each other. compose-go's own check is
// off, because it knows no families and stops at the first problem.
type consistency struct {
	*loading
	p *types.Project
}

func (l *loading) checkConsistency(p *types.Project) {
	c := consistency{l, p}
	for _, name := range slices.Sorted(maps.Keys(p.DisabledServices)) {
		c.addTo(diag.Note, diag.At("services", name), "service-disabled", "",
			"the service is left out: none of its profiles (%s) is active", strings.Join(p.DisabledServices[name].Profiles, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		s := p.Services[name]
		path := diag.At("services", name)
		c.image(s, path)
		c.build(s, path)
		c.names(s, path)
		c.dependencies(s, path)
		c.amounts(s, path)
		c.mounts(s, path)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Secrets)) {
		c.file(diag.At("secrets", name, "file"), p.Secrets[name].File)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Configs)) {
		c.file(diag.At("configs", name, "file"), p.Configs[name].File)
	}
	c.cycles()
}

// file checks that a file lies in the project's folder, although nothing reads it:
// on the machine of somebody else it would be another one.
func (c consistency) file(path diag.Path, file string) {
	if file == "" {
		return
	}
	if _, err := c.folder.Stat(file); errors.Is(err, diag.ErrOutside) {
		code, problem, hint := FileFault(err)
		c.errorf(path, code, hint, "the file %s %s", c.display(file), problem)
	}
}

func (c consistency) addTo(severity diag.Severity, path diag.Path, code, hint, format string, args ...any) {
	c.add(severity, c.index.Pos(path), path, code, hint, fmt.Sprintf(format, args...))
}

func (c consistency) errorf(path diag.Path, code, hint, format string, args ...any) {
	c.addTo(diag.Error, path, code, hint, format, args...)
}

func (c consistency) image(s types.ServiceConfig, path diag.Path) {
	if s.Build == nil && s.Image == "" && s.Provider == nil && !c.imagePruned(path) {
		c.errorf(path, "image-missing", "", "the service has neither image nor build")
	}
	if s.HealthCheck == nil || len(s.HealthCheck.Test) == 0 {
		return
	}
	kinds := []string{"CMD", "CMD-SHELL", "NONE"}
	if first := s.HealthCheck.Test[0]; !slices.Contains(kinds, first) {
		c.errorf(path.Key("healthcheck").Key("test"), "compose-invalid", "one of: "+strings.Join(kinds, ", "),
			"the list starts with %q, which is not a kind of test", diag.Shorten(first))
	}
}

// imagePruned reports whether a service has no image because what says so was
// reported and cut out: image, build or extends, or a key meant to be one.
func (c consistency) imagePruned(path diag.Path) bool {
	if slices.Contains(c.pruned, path) {
		return true
	}
	for _, key := range []string{"image", "build", "extends"} {
		if c.prunedBelow(path.Key(key)) || slices.ContainsFunc(c.pruned, func(p diag.Path) bool {
			below, ok := strings.CutPrefix(string(p), string(path)+".")
			return ok && diag.Nearest(below, []string{key}) == key
		}) {
			return true
		}
	}
	return false
}

func (c consistency) build(s types.ServiceConfig, path diag.Path) {
	if s.Build == nil {
		return
	}
	path = path.Key("build")
	// Normalize sets the default Dockerfile only where there is no inline one.
	if s.Build.DockerfileInline != "" && s.Build.Dockerfile != "" {
		c.exclusive(path.Key("dockerfile_inline"), "dockerfile_inline", "dockerfile")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Build.AdditionalContexts)) {
		if target, ok := strings.CutPrefix(s.Build.AdditionalContexts[name], types.ServicePrefix); ok {
			c.defined(path.Key("additional_contexts").Key(name), "services", target, c.allServices())
		}
	}
	for _, secret := range s.Build.Secrets {
		c.defined(path.Key("secrets").Key(secret.Source), "secrets", secret.Source, keys(c.p.Secrets))
	}
	if s.Platform != "" && len(s.Build.Platforms) > 0 && !slices.Contains(s.Build.Platforms, s.Platform) {
		c.errorf(path.Key("platforms"), "compose-invalid", "", "the list lacks %s, the service's own platform", s.Platform)
	}
}

// names checks what a service refers to at the top level of the files.
func (c consistency) names(s types.ServiceConfig, path diag.Path) {
	if s.NetworkMode != "" && len(s.Networks) > 0 {
		c.exclusive(path.Key("network_mode"), "network_mode", "networks")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		c.defined(path.Key("networks").Key(name), "networks", name, keys(c.p.Networks))
	}
	for i, volume := range s.Volumes {
		if volume.Type == types.VolumeTypeVolume && volume.Source != "" {
			c.defined(c.volumePath(path, i, volume), "volumes", volume.Source, keys(c.p.Volumes))
		}
	}
	for i, config := range s.Configs {
		if config.Source == "" {
			c.needsSource(path.Key("configs").Index(i))
			continue
		}
		c.defined(path.Key("configs").Key(config.Source), "configs", config.Source, keys(c.p.Configs))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Models)) {
		c.defined(path.Key("models").Key(name), "models", name, keys(c.p.Models))
	}
	c.secrets(s, path)
}

// volumePath returns where a volume was written. Files are merged by the target, so
// the number in the merged list may belong to another line.
func (c consistency) volumePath(path diag.Path, i int, volume types.ServiceVolumeConfig) diag.Path {
	byTarget := path.Key("volumes").Key(strings.TrimSuffix(volume.Target, "/"))
	if _, written := c.index.Places[byTarget]; written {
		return byTarget
	}
	return path.Key("volumes").Index(i)
}

// secrets drops a secret that is not declared, as ComposeX does, but says so.
func (c consistency) secrets(s types.ServiceConfig, path diag.Path) {
	var declared []types.ServiceSecretConfig
	for i, secret := range s.Secrets {
		if secret.Source == "" {
			c.needsSource(path.Key("secrets").Index(i))
			continue
		}
		if _, ok := c.p.Secrets[secret.Source]; ok {
			declared = append(declared, secret)
			continue
		}
		if !c.follows("secrets", secret.Source) {
			c.addTo(diag.Warning, path.Key("secrets").Key(secret.Source), "secret-undeclared", diag.DidYouMean(secret.Source, keys(c.p.Secrets)),
				"%q is not declared under secrets, so the service does not get it", secret.Source)
		}
	}
	if len(declared) < len(s.Secrets) {
		s.Secrets = declared
		c.p.Services[s.Name] = s
	}
}

func (c consistency) needsSource(path diag.Path) {
	if !c.prunedBelow(path) {
		c.errorf(path, "compose-schema", "", `needs the key "source"`)
	}
}

// defined reports a name that the section does not hold.
func (c consistency) defined(path diag.Path, section, name string, have []string) {
	if slices.Contains(have, name) || c.follows(section, name) {
		return
	}
	hint := diag.DidYouMean(name, have)
	if hint == "" {
		hint = fmt.Sprintf("declare it: %s: {%s: {}}", section, name)
	}
	c.errorf(path, "name-undefined", hint, "%q is not defined under %s", name, section)
}

// follows reports whether a name is missing only because it, or a misspelt section
// that may hold it, was reported and cut out.
func (c consistency) follows(section, name string) bool {
	return slices.ContainsFunc(c.pruned, func(p diag.Path) bool {
		return p == diag.At(section, name) || p == diag.Path(section) || diag.Nearest(string(p), []string{section}) == section
	})
}

func (c consistency) exclusive(path diag.Path, a, b string) {
	c.errorf(path, "compose-exclusive", "", "%s and %s exclude each other", a, b)
}

func (c consistency) dependencies(s types.ServiceConfig, path diag.Path) {
	families := c.families()
	for _, name := range slices.Sorted(maps.Keys(s.DependsOn)) {
		at := c.dependencyPath(path, name)
		if _, active := c.p.Services[name]; active || slices.Contains(families, name) {
			continue
		}
		if disabled, ok := c.p.DisabledServices[name]; ok {
			if s.DependsOn[name].Required {
				c.errorf(at, "dependency-disabled", "activate one of its profiles, or write required: false",
					"%q is left out: none of its profiles (%s) is active", name, strings.Join(disabled.Profiles, ", "))
			}
			continue
		}
		if !s.DependsOn[name].Required {
			c.addTo(diag.Warning, at, "name-undefined", diag.DidYouMean(name, append(c.allServices(), families...)),
				"%q is neither a service nor a family; nothing waits for it", name)
			continue
		}
		if !c.follows("services", name) {
			c.errorf(at, "name-undefined", diag.DidYouMean(name, append(c.allServices(), families...)),
				"%q is neither a service nor a family", name)
		}
	}
}

// dependencyPath returns where a dependency was written: compose-go also makes
// dependencies of links and shared namespaces.
func (c consistency) dependencyPath(path diag.Path, name string) diag.Path {
	at := path.Key("depends_on").Key(name)
	if _, written := c.index.Places[at]; written {
		return at
	}
	for _, key := range []string{"links", "network_mode", "ipc", "pid", "volumes_from"} {
		for _, below := range []diag.Path{path.Key(key).Key(name), path.Key(key)} {
			if _, written := c.index.Places[below]; written {
				return below
			}
		}
	}
	return at
}

// families lists the families that the services' labels name.
func (c consistency) families() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.p.Services)) {
		deploy := c.p.Services[name].Deploy
		if deploy == nil {
			continue
		}
		for _, family := range strings.Split(deploy.Labels[familyLabel], ",") {
			names = append(names, strings.TrimSpace(family))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func (c consistency) allServices() []string {
	return append(keys(c.p.Services), keys(c.p.DisabledServices)...)
}

func keys[M ~map[string]V, V any](m M) []string { return slices.Sorted(maps.Keys(m)) }

// cycles reports each cycle of dependencies once, at its first service in
// alphabetical order.
func (c consistency) cycles() {
	done := map[string]bool{}
	var visit func(name string, chain []string)
	visit = func(name string, chain []string) {
		if i := slices.Index(chain, name); i >= 0 {
			c.reportCycle(chain[i:])
			return
		}
		if done[name] {
			return
		}
		for _, next := range slices.Sorted(maps.Keys(c.p.Services[name].DependsOn)) {
			if _, ok := c.p.Services[next]; ok {
				visit(next, append(chain, name))
			}
		}
		done[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(c.p.Services)) {
		visit(name, nil)
	}
}

func (c consistency) reportCycle(names []string) {
	next := names[1%len(names)]
	c.errorf(c.dependencyPath(diag.At("services", names[0]), next), "dependency-cycle", "",
		"the services wait for each other: %s", strings.Join(append(slices.Clone(names), names[0]), " -> "))
}
