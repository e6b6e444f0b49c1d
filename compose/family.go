package compose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// Labels below deploy that are settings, not tags.
const (
	labelFamily    = "ecs.task.family"
	labelHostname  = "ecs.task.family.hostname"
	labelCondition = "ecs.depends.condition"
	labelEssential = "ecs.essential"
	labelStorage   = "ecs.ephemeral.storage"
	labelPlatform  = "ecs.compute.platform"
)

var settingLabels = []string{
	labelFamily, labelHostname, labelCondition, labelEssential, labelStorage, labelPlatform,
}

// familyName is what ECS accepts as the name of a task definition.
var familyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$`)

// servicePath returns where a service stands in the file.
func servicePath(name string) Path { return At("services", name) }

// families groups the services into families and reads all of them.
func (r *resolver) families() {
	r.judge()
	r.projectNetworks()
	members := r.members()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		r.model.Families = append(r.model.Families, r.family(name, members[name]))
	}
	r.dependencies()
	for _, f := range r.model.Families {
		r.essentials(f)
		r.size(f)
	}
	r.logGroups()
	slices.SortFunc(r.model.Secrets, func(a, b *Secret) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(r.model.Volumes, func(a, b *Volume) int { return strings.Compare(a.Name, b.Name) })
	r.unusedVolumes()
	r.unusedSecrets()
}

// reservedFamilies are names beside which no family can stand in its stack.
var reservedFamilies = []string{"x-elbv2", "x-ingress"}

// members lists the services of each family, sorted by name.
func (r *resolver) members() map[string][]types.ServiceConfig {
	members := map[string][]types.ServiceConfig{}
	for _, name := range slices.Sorted(maps.Keys(r.project.Services)) {
		if strings.Contains(name, ".") {
			r.Add(Error, servicePath(name), "service-name", "write "+strings.ReplaceAll(name, ".", "-"),
				fmt.Sprintf("ECS takes no dot in the name of a container, as in %q", name))
		}
		for _, family := range r.familiesOf(name, nil) {
			if slices.Contains(reservedFamilies, family) {
				r.Errorf(servicePath(name), "service-name", "%q is the place of the load balancers in the stack of the services; choose another name", family)
			}
			members[family] = append(members[family], r.project.Services[name])
		}
	}
	return members
}

// familiesOf names the families of a service, from the label, from the
// service whose network it shares, or one of its own.
func (r *resolver) familiesOf(service string, seen []string) []string {
	s := r.project.Services[service]
	path := servicePath(service)
	names := labelledFamilies(s)
	for _, name := range names {
		if !familyName.MatchString(name) {
			r.Errorf(path.Key("deploy").Key("labels").Key(labelFamily), "family-name",
				"%q is not a family name: it takes letters, digits, - and _", name)
		}
	}
	host, shares := strings.CutPrefix(s.NetworkMode, types.ServicePrefix)
	if !shares {
		if len(names) > 0 {
			return names
		}
		return []string{service}
	}
	at := path.Key("network_mode")
	switch _, known := r.project.Services[host]; {
	case !known:
		return []string{service} // Load has reported it
	case slices.Contains(seen, host) || host == service:
		return []string{service} // Load has reported the cycle
	}
	shared := r.familiesOf(host, append(seen, service))
	if len(names) > 0 && !slices.Equal(names, shared) {
		r.Warnf(at, "network-mode", "service %q shares the network of %q and so belongs to its family, not to %s",
			service, host, strings.Join(names, ", "))
	}
	return shared
}

func labelledFamilies(s types.ServiceConfig) []string {
	if s.Deploy == nil {
		return nil
	}
	var names []string
	for name := range strings.SplitSeq(s.Deploy.Labels[labelFamily], ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// family reads the services of one family.
func (r *resolver) family(name string, services []types.ServiceConfig) *Family {
	f := &Family{
		Name:        name,
		Path:        servicePath(services[0].Name),
		SubnetGroup: AppSubnets,
		Tags:        map[string]string{},
	}
	for _, s := range services {
		f.Containers = append(f.Containers, r.container(f, s))
	}
	for _, s := range services {
		r.deployLabels(f, s)
		if size, ok := s.StorageOpt["size"]; ok {
			f.EphemeralStorage = max(f.EphemeralStorage, r.ephemeralStorage(servicePath(s.Name).Key("storage_opt").Key("size"), size))
		}
		r.xray(f, s)
		r.pid(f, s)
	}
	r.gracePeriod(f)
	r.runtimePlatform(f, services)
	r.capacity(f, services)
	r.execute(f, services)
	r.replicas(f, services)
	r.job(f, services)
	r.deployment(f, services)
	r.scaling(f, services)
	r.logging(f, services)
	r.iam(f, services)
	r.placement(f, services)
	r.portConflicts(f)
	r.sysctlConflicts(f)
	return f
}

// deployLabels reads the labels below deploy: settings, and tags for the rest.
func (r *resolver) deployLabels(f *Family, s types.ServiceConfig) {
	if s.Deploy == nil {
		return
	}
	path := servicePath(s.Name).Key("deploy").Key("labels")
	for _, label := range slices.Sorted(maps.Keys(s.Deploy.Labels)) {
		value := s.Deploy.Labels[label]
		at := path.Key(label)
		switch label {
		case labelFamily, labelEssential, labelCondition: // read with what they are about
		case labelStorage:
			f.EphemeralStorage = max(f.EphemeralStorage, r.ephemeralStorage(at, value))
		case labelPlatform:
			if !strings.EqualFold(value, "FARGATE") {
				r.Errorf(at, "unsupported-compute", "compute platform %q is not supported: all families run on FARGATE", value)
			}
		case labelHostname:
			r.Warnf(at, "hostname", "containers on Fargate have no host name of their own; other services find %q by its name", s.Name)
		default:
			if strings.HasPrefix(strings.ToLower(label), "aws:") {
				r.Errorf(at, "tag-key", "tags that start with aws: belong to AWS")
			}
			if strings.HasPrefix(label, "ecs.") {
				r.Add(Warning, at, "label-unknown", diag.DidYouMean(label, settingLabels),
					fmt.Sprintf("%q is not a setting; it becomes a tag", label))
			}
			if old, ok := f.Tags[label]; ok && old != value {
				r.Warnf(at, "tag-conflict", "the services of family %q give the tag %q two values, %q and %q; the last one holds",
					f.Name, label, old, value)
			}
			f.Tags[label] = value
		}
	}
}

var storageSize = regexp.MustCompile(`^\s*(\d{1,9})\s*(?i:GB?|GiB)?\s*$`)

// ephemeralStorage reads the GiB of scratch space that a task has.
func (r *resolver) ephemeralStorage(path Path, value string) int {
	const free, least, most = 20, 21, 200
	m := storageSize.FindStringSubmatch(value)
	if m == nil {
		r.Errorf(path, "type", "expected a number of GiB, found %q", value)
		return 0
	}
	size, _ := diag.Number(m[1])
	switch n := int(size); {
	case n <= least:
		if n < free {
			r.Notef(path, "ephemeral-storage", "a task has %d GiB of storage at least", free)
		}
		if n == least {
			return least
		}
		return 0
	case n > most:
		r.Warnf(path, "clamped", "a task has %d GiB of storage at most; %d becomes %d", most, n, most)
		return most
	default:
		return n
	}
}

// gracePeriod gives a load balancer the patience of the containers' own health
// checks.
func (r *resolver) gracePeriod(f *Family) {
	for _, c := range f.Containers {
		if c.HealthCheck != nil {
			f.HealthCheckGracePeriod = max(f.HealthCheckGracePeriod, c.HealthCheck.StartPeriod)
		}
	}
}

// pid reads whose processes the service sees.
func (r *resolver) pid(f *Family, s types.ServiceConfig) {
	path := servicePath(s.Name).Key("pid")
	host, shares := strings.CutPrefix(s.Pid, types.ServicePrefix)
	switch {
	case s.Pid == "":
	case s.Pid == "task":
		f.PidMode = "task"
	case shares && f.container(host) != nil:
		f.PidMode = "task"
	case shares:
		r.Errorf(path, "pid", "service %q is not in family %q; only containers of one task can share processes", host, f.Name)
	default:
		r.Errorf(path, "fargate-impossible", "pid %q is impossible on Fargate; it takes task or service:<name>", s.Pid)
	}
}

// container finds a container of the family by its name.
func (f *Family) container(name string) *Container {
	i := slices.IndexFunc(f.Containers, func(c *Container) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return f.Containers[i]
}

// tags reads x-tags: a mapping, or a list of keys and values.
func (r *resolver) tags() {
	r.model.Tags = map[string]string{}
	value, path, ok := r.extension("x-tags")
	if !ok {
		return
	}
	items, list := value.([]any)
	if !list {
		r.decode(path, value, &r.model.Tags)
		return
	}
	for i, item := range items {
		at := path.Index(i)
		var tag struct{ Key, Value, Name string }
		if m, ok := item.(map[string]any); ok {
			item = r.oldTag(at, m)
		}
		if !r.decode(at, item, &tag) {
			continue
		}
		if tag.Key == "" {
			r.Errorf(at, "tag-key", "a tag needs a Key")
			continue
		}
		r.model.Tags[tag.Key] = tag.Value
	}
}

// oldTag turns {name, value} into {Key, Value}.
func (r *resolver) oldTag(path Path, tag map[string]any) map[string]any {
	current := map[string]any{}
	for key, value := range tag {
		switch strings.ToLower(key) {
		case "name":
			r.Deprecated(path.Key(key), "{name, value}", "x-tags as a mapping, <name>: <value>")
			key = "Key"
		case "value":
			key = "Value"
		}
		current[key] = value
	}
	return current
}
