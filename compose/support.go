package compose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// support is what becomes of an attribute of the Compose Specification that has
// no counterpart, or none yet, in the model.
type support struct {
	// path is a pattern of compose-go: * is any key, [] any item.
	path     tree.Path
	severity Severity
	code     string
	message  string
}

// Codes of verdicts.
const (
	impossible    = "fargate-impossible" // Fargate cannot do it
	notBuilt      = "unsupported"        // it could be done, but is not built
	withoutEffect = "no-effect"          // it means nothing on ECS
)

// verdicts are all attributes that the model does not hold. What is below one
// of them shares its verdict. Dropping a key may never make an application less
// safe, less durable or easier to reach without an error.
var verdicts = []support{
	// Of the whole project.
	{"configs.*", Note, "config-unused", "configs as files are not built yet"},
	{"jobs", Error, "unsupported-jobs", "jobs are not built yet"},
	{"models", Error, "unsupported-models", "models are not built yet"},
	{"networks.*.attachable", Note, withoutEffect, "a VPC has no containers to attach by hand"},
	{"networks.*.driver_opts", Warning, withoutEffect, "options of a network driver mean nothing in a VPC"},
	{"networks.*.enable_ipv4", Warning, withoutEffect, "the addresses of a VPC are set below x-vpc"},
	{"networks.*.enable_ipv6", Warning, withoutEffect, "the addresses of a VPC are set below x-vpc"},
	{"networks.*.internal", Warning, "network-internal", "the tasks can still reach the internet; x-vpc with DisableNat cuts that for all"},
	{"networks.*.ipam", Warning, withoutEffect, "the addresses of a VPC are set below x-vpc"},
	{"networks.*.labels", Note, withoutEffect, "no resource is made for a network that could have labels"},
	{"secrets.*.driver", Warning, withoutEffect, "secrets are kept in Secrets Manager"},
	{"secrets.*.driver_opts", Warning, withoutEffect, "secrets are kept in Secrets Manager"},
	{"secrets.*.labels", Warning, withoutEffect, "x-tags are put on secrets; labels are left out"},
	{"secrets.*.template_driver", Warning, withoutEffect, "the value of a secret is not a template"},
	{"volumes.*.labels", Warning, withoutEffect, "x-tags are put on volumes; labels are left out"},

	// Of a build.
	{"services.*.build.cache_to", Warning, notBuilt, "the cache of a build is not kept elsewhere yet"},
	{"services.*.build.entitlements", Error, notBuilt, "builds with entitlements are not possible yet"},
	{"services.*.build.extra_hosts", Error, notBuilt, "builds with extra hosts are not possible yet"},
	{"services.*.build.isolation", Warning, withoutEffect, "isolation is for Windows hosts"},
	{"services.*.build.labels", Warning, notBuilt, "labels of a built image are left out"},
	{"services.*.build.no_cache_filter", Warning, notBuilt, "single stages cannot be built without cache yet"},
	{"services.*.build.privileged", Error, notBuilt, "privileged builds are not possible yet"},
	{"services.*.build.provenance", Warning, notBuilt, "built images get no provenance attestation"},
	{"services.*.build.pull", Warning, notBuilt, "base images are pulled as the builder sees fit"},
	{"services.*.build.sbom", Warning, notBuilt, "built images get no SBOM attestation"},
	{"services.*.build.secrets", Error, notBuilt, "builds with secrets are not possible yet"},
	{"services.*.build.shm_size", Warning, notBuilt, "builds get the builder's own shared memory"},
	{"services.*.build.ssh", Error, notBuilt, "builds with SSH keys are not possible yet"},
	{"services.*.build.tags", Warning, withoutEffect, "CDK chooses the tags of built images"},
	{"services.*.build.ulimits", Warning, notBuilt, "builds get the builder's own limits"},

	// Of a service, on a laptop only.
	{"services.*.annotations", Note, withoutEffect, "ECS has no annotations"},
	{"services.*.attach", Note, withoutEffect, "logs go to CloudWatch"},
	{"services.*.develop", Note, withoutEffect, "develop is for docker compose watch"},
	{"services.*.pull_policy", Note, withoutEffect, "Fargate pulls the image for every task"},
	{"services.*.pull_refresh_after", Note, withoutEffect, "Fargate pulls the image for every task"},

	// Of a service, impossible on Fargate.
	{"services.*.cpuset", Warning, impossible, "containers on Fargate cannot choose their processors"},
	{"services.*.credential_spec", Error, notBuilt, "credential specs are not possible yet"},
	{"services.*.deploy.placement.constraints", Error, impossible, "Fargate has no hosts to choose from"},
	{"services.*.deploy.placement.max_replicas_per_node", Warning, impossible, "Fargate has no hosts to choose from"},
	{"services.*.deploy.placement.preferences", Note, withoutEffect, "Fargate spreads tasks over the availability zones"},
	{"services.*.deploy.resources.reservations.devices", Error, impossible, "Fargate has no devices or GPUs"},
	{"services.*.deploy.resources.reservations.generic_resources", Error, impossible, "Fargate has no devices or GPUs"},
	{"services.*.device_cgroup_rules", Error, impossible, "Fargate has no devices"},
	{"services.*.devices", Error, impossible, "Fargate has no devices"},
	{"services.*.dns", Error, impossible, "a task uses the resolver of its VPC"},
	{"services.*.dns_opt", Error, impossible, "a task uses the resolver of its VPC"},
	{"services.*.dns_search", Error, impossible, "a task uses the resolver of its VPC"},
	{"services.*.external_links", Error, impossible, "there are no containers outside the project"},
	{"services.*.extra_hosts", Error, impossible, "tasks on Fargate have no hosts file of their own"},
	{"services.*.gpus", Error, impossible, "Fargate has no GPUs"},
	{"services.*.mac_address", Warning, impossible, "Fargate chooses the address of a task"},
	{"services.*.networks.*.driver_opts", Warning, withoutEffect, "options of a network driver mean nothing in a VPC"},
	{"services.*.networks.*.gw_priority", Warning, withoutEffect, "a task has one network interface"},
	{"services.*.networks.*.interface_name", Warning, impossible, "Fargate names the network interface"},
	{"services.*.networks.*.ipv4_address", Warning, impossible, "Fargate chooses the address of a task"},
	{"services.*.networks.*.ipv6_address", Warning, impossible, "Fargate chooses the address of a task"},
	{"services.*.networks.*.link_local_ips", Warning, impossible, "Fargate chooses the address of a task"},
	{"services.*.networks.*.mac_address", Warning, impossible, "Fargate chooses the address of a task"},
	{"services.*.networks.*.priority", Note, withoutEffect, "a task has one network interface"},
	{"services.*.privileged", Error, impossible, "Fargate runs no privileged containers"},
	{"services.*.shm_size", Error, impossible, "shared memory on Fargate has a fixed size"},
	{"services.*.use_api_socket", Error, impossible, "Fargate has no Docker daemon to reach"},

	// Of a service, where ECS has no such setting.
	{"services.*.blkio_config", Warning, impossible, "Fargate does not limit block devices"},
	{"services.*.cgroup_parent", Warning, impossible, "Fargate chooses the cgroup"},
	{"services.*.cpu_count", Warning, withoutEffect, "cpu_count is for Windows hosts; cpus is what counts"},
	{"services.*.cpu_percent", Warning, withoutEffect, "cpu_percent is for Windows hosts; cpus is what counts"},
	{"services.*.cpu_period", Warning, withoutEffect, "cpus is what counts on Fargate"},
	{"services.*.cpu_quota", Warning, withoutEffect, "cpus is what counts on Fargate"},
	{"services.*.cpu_rt_period", Warning, impossible, "Fargate has no real-time scheduler"},
	{"services.*.cpu_rt_runtime", Warning, impossible, "Fargate has no real-time scheduler"},
	{"services.*.cpu_shares", Warning, withoutEffect, "cpus is what counts on Fargate"},
	{"services.*.depends_on.*.restart", Warning, withoutEffect, "ECS does not restart a service because another one restarts"},
	{"services.*.deploy.resources.limits.pids", Warning, impossible, "Fargate does not limit the number of processes"},
	{"services.*.deploy.restart_policy.delay", Warning, withoutEffect, "ECS has its own delay between restarts"},
	{"services.*.deploy.restart_policy.max_attempts", Warning, withoutEffect, "ECS does not count restarts"},
	{"services.*.deploy.restart_policy.window", Warning, withoutEffect, "ECS decides when a restart has worked"},
	{"services.*.deploy.rollback_config", Warning, withoutEffect, "a rollback replaces tasks as an update does"},
	{"services.*.deploy.update_config.delay", Warning, withoutEffect, "ECS does not wait between tasks"},
	{"services.*.deploy.update_config.max_failure_ratio", Warning, withoutEffect, "ECS has its own threshold for a failed update"},
	{"services.*.deploy.update_config.monitor", Warning, withoutEffect, "ECS decides when a task has started"},
	{"services.*.domainname", Warning, withoutEffect, "containers on Fargate have no domain name; x-elbv2 gives one to a service"},
	{"services.*.healthcheck.start_interval", Warning, withoutEffect, "ECS checks at one interval"},
	{"services.*.mem_swappiness", Warning, impossible, "Fargate does not swap"},
	{"services.*.memswap_limit", Warning, impossible, "Fargate does not swap"},
	{"services.*.oom_kill_disable", Warning, impossible, "Fargate ends a container that is out of memory"},
	{"services.*.oom_score_adj", Warning, impossible, "Fargate chooses what to end when out of memory"},
	{"services.*.pids_limit", Warning, impossible, "Fargate does not limit the number of processes"},
	{"services.*.stop_signal", Warning, withoutEffect, "ECS sends the signal that the image names; STOPSIGNAL sets it"},
	{"services.*.umask", Warning, withoutEffect, "ECS cannot set it; the image can"},
	{"services.*.volumes.[].consistency", Note, withoutEffect, "it is for Docker Desktop"},
	{"services.*.volumes.[].volume.labels", Note, withoutEffect, "volumes without a name have no labels"},
	{"services.*.volumes.[].volume.nocopy", Note, withoutEffect, "files of the image are never copied to a volume"},

	// Of a service, not built yet.
	{"services.*.configs", Error, "unsupported-configs", "configs as files are not built yet; copy them into the image, or use environment"},
	{"services.*.models", Error, "unsupported-models", "models are not built yet"},
	{"services.*.post_start", Error, "unsupported-hooks", "ECS runs no hook in a started container"},
	{"services.*.pre_start", Error, "unsupported-hooks", "hooks are not built yet; a service that others wait for with service_completed_successfully does the same"},
	{"services.*.pre_stop", Warning, "unsupported-hooks", "ECS runs no hook before it stops a container; it sends SIGTERM"},
	{"services.*.provider", Error, "unsupported-provider", "providers are not built yet; x-* resources are"},
	{"services.*.volumes_from", Error, "unsupported-volumes-from", "mount the same named volumes instead"},
}

// verdictOn finds what becomes of an attribute that is not mapped.
func verdictOn(path tree.Path) support {
	for _, v := range verdicts {
		if path.Matches(v.path) {
			return v
		}
	}
	return support{path: path, severity: Error, code: "unsupported-attribute", message: "nothing here reads this attribute"}
}

// judge reports the attributes that compose-go found not to be mapped. Values
// that switch nothing on are passed over, and services that are left out too.
func (r *resolver) judge() {
	for _, attribute := range r.project.Unmapped {
		parts := attribute.Path.Parts()
		if len(parts) > 1 && parts[0] == "services" {
			if _, left := r.project.DisabledServices[parts[1]]; left {
				continue
			}
		}
		if off(attribute.Value) {
			continue
		}
		v := verdictOn(attribute.Path)
		path, _, _ := strings.Cut(string(attribute.Path), ".[]")
		r.Add(v.severity, Path(path), v.code, "", v.message)
	}
}

// off reports whether a value means the same as none.
func off(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	n, isNumber := diag.Number(value)
	return isNumber && n == 0
}

// Extensions of a service that this package reads.
var serviceExtensions = []string{
	"x-aws-logs_retention", "x-aws-max_percent", "x-aws-min_percent", "x-aws-policies",
	"x-aws-pull_credentials", "x-aws-role", "x-ecs", "x-iam", "x-ingress", "x-logging",
	"x-network", "x-ray", "x-scaling", "x-xray",
}

// Extensions of a service that ComposeX or Docker's ECS integration have, and
// this program has not yet.
var unbuiltExtensions = []string{
	"x-alarms", "x-environment", "x-monitoring", "x-prometheus",
}

// Extensions of a service about the digest of its image, which ECS itself finds
// once for each deployment and keeps for all its tasks.
var digestExtensions = []string{"x-docker_opts", "x-ecr"}

// Extensions of a service that ComposeX accepts without any effect.
var deadExtensions = []string{"x-codeguru-profiler", "x-configs"}

// unreadExtensions reports what stands under x- in a service and is not read.
func (r *resolver) unreadExtensions(path Path, s types.ServiceConfig) {
	for _, key := range slices.Sorted(maps.Keys(s.Extensions)) {
		switch at := path.Key(key); {
		case slices.Contains(serviceExtensions, key):
		case slices.Contains(unbuiltExtensions, key):
			r.Errorf(at, "unsupported-"+key, "%s of a service is not built yet", key)
		case slices.Contains(digestExtensions, key):
			r.digestExtension(at, key, s.Extensions[key])
		case slices.Contains(deadExtensions, key):
			r.Warnf(at, "extension-unknown", "%s of a service has no effect", key)
		default:
			r.Add(Warning, at, "extension-unknown", diag.DidYouMean(key, serviceExtensions),
				fmt.Sprintf("%q is not an extension of a service and is left out", key))
		}
	}
	if s.Deploy == nil {
		return
	}
	known := []string{"x-aws-autoscaling", "x-aws-max_percent", "x-aws-min_percent"}
	for _, key := range slices.Sorted(maps.Keys(s.Deploy.Extensions)) {
		if !slices.Contains(known, key) {
			r.Add(Warning, path.Key("deploy").Key(key), "extension-unknown", diag.DidYouMean(key, known),
				fmt.Sprintf("%q is not an extension of deploy and is left out", key))
		}
	}
}

func (r *resolver) digestExtension(path Path, key string, value any) {
	options, ok := value.(map[string]any)
	if !ok && !off(value) {
		r.Errorf(path, "unsupported-"+key, "%s has keys, such as InterpolateWithDigest", key)
	}
	for _, option := range slices.Sorted(maps.Keys(options)) {
		switch at := path.Key(option); option {
		case "InterpolateWithDigest":
			r.Notef(at, "image-digest", "ECS finds the digest of the image once for each deployment and keeps it for all tasks")
		case "VulnerabilitiesScan":
			r.Add(Error, at, "unsupported-"+key, "limit the findings by Scan of the application in pipeline.yaml", "a compose file is no gate for its own images")
		default:
			r.Errorf(at, "unsupported-"+key, "%s of %s is not built yet", option, key)
		}
	}
}

// mode is a key whose verdict depends on its value.
type mode struct {
	key string
	of  func(s types.ServiceConfig) string
	// fine lists values that need no word; noted and warned those that change
	// nothing that matters. All others are errors.
	fine, noted, warned []string
	code, message       string
}

// modes are keys of a service that are judged by their values.
var modes = []mode{
	{
		key: "network_mode", of: func(s types.ServiceConfig) string { return s.NetworkMode },
		fine: []string{"awsvpc", "service:"}, code: impossible,
		message: "a task on Fargate has a network interface of its own",
	},
	{
		key: "ipc", of: func(s types.ServiceConfig) string { return s.Ipc },
		noted: []string{"private", "none"}, code: impossible,
		message: "containers on Fargate share no memory",
	},
	{
		key: "uts", of: func(s types.ServiceConfig) string { return s.Uts },
		code: impossible, message: "there is no host whose names a container could see",
	},
	{
		key: "userns_mode", of: func(s types.ServiceConfig) string { return s.UserNSMode },
		code: impossible, message: "there is no host whose users a container could be",
	},
	{
		key: "cgroup", of: func(s types.ServiceConfig) string { return s.Cgroup },
		noted: []string{"private"}, code: impossible,
		message: "there is no host whose cgroups a container could see",
	},
	{
		key: "isolation", of: func(s types.ServiceConfig) string { return s.Isolation },
		fine: []string{"default"}, code: impossible, message: "Fargate isolates every task",
	},
	{
		key: "runtime", of: func(s types.ServiceConfig) string { return s.Runtime },
		fine: []string{"runc"}, code: impossible, message: "Fargate chooses the runtime",
	},
	{
		key: "deploy.mode", of: func(s types.ServiceConfig) string { return deployOf(s).Mode },
		fine: []string{"replicated", jobMode}, code: "unsupported-mode",
		message: "services run replicated; Fargate has no hosts for global ones",
	},
	{
		key: "deploy.endpoint_mode", of: func(s types.ServiceConfig) string { return deployOf(s).EndpointMode },
		fine: []string{"vip"}, warned: []string{"dnsrr"}, code: withoutEffect,
		message: "Service Connect shares connections out among the tasks",
	},
}

func deployOf(s types.ServiceConfig) types.DeployConfig {
	if s.Deploy == nil {
		return types.DeployConfig{}
	}
	return *s.Deploy
}

// serviceModes judges the keys whose verdict depends on their value.
func (r *resolver) serviceModes(path Path, s types.ServiceConfig) {
	for _, m := range modes {
		value := m.of(s)
		at, is := path.Key(m.key), func(known string) bool {
			return value == known || strings.HasSuffix(known, ":") && strings.HasPrefix(value, known)
		}
		message := fmt.Sprintf("%q is not possible: %s", value, m.message)
		switch {
		case value == "" || slices.ContainsFunc(m.fine, is):
		case slices.ContainsFunc(m.noted, is):
			r.Notef(at, withoutEffect, "%s", m.message)
		case slices.ContainsFunc(m.warned, is):
			r.Warnf(at, withoutEffect, "%s", m.message)
		default:
			r.Errorf(at, m.code, "%s", message)
		}
	}
	if s.Hostname != "" && s.Hostname != s.Name {
		r.Warnf(path.Key("hostname"), "hostname", "containers on Fargate have no host name of their own; others find this one as %q", s.Name)
	}
	if s.ContainerName != "" && s.ContainerName != s.Name {
		r.Notef(path.Key("container_name"), "container-name", "the container is named after its service, %q", s.Name)
	}
	r.securityOptions(path.Key("security_opt"), s)
	r.networkNames(path.Key("networks"), s)
	r.groups(path.Key("group_add"), s)
	for _, name := range slices.Sorted(maps.Keys(s.StorageOpt)) {
		if name != "size" {
			r.Warnf(path.Key("storage_opt").Key(name), withoutEffect, "only the size of a task's storage can be chosen")
		}
	}
}

// securityOptions reports options: one that makes a container safer and cannot be had is an error,
// except for no-new-privileges, which so many files have.
func (r *resolver) securityOptions(path Path, s types.ServiceConfig) {
	for i, option := range s.SecurityOpt {
		if strings.HasPrefix(option, "no-new-privileges") {
			r.Warnf(path.Index(i), "security-option", "Fargate cannot keep a container from gaining privileges; %s is left out", option)
			continue
		}
		r.Errorf(path.Index(i), impossible, "Fargate has its own profile; %q cannot be set", option)
	}
}

func (r *resolver) networkNames(path Path, s types.ServiceConfig) {
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		n := s.Networks[name]
		if n == nil {
			continue
		}
		for i, alias := range n.Aliases {
			if alias != s.Name {
				r.Warnf(path.Key(name).Key("aliases").Index(i), "alias",
					"others find it as %q; the further name %q is not made", s.Name, alias)
			}
		}
		if !n.ServiceNameAliasEnabled() {
			r.Warnf(path.Key(name).Key("use_service_name_alias"), "alias", "others find it as %q all the same", s.Name)
		}
	}
}

// groups reports further groups: a group decides what a process may do with the files of a volume.
func (r *resolver) groups(path Path, s types.ServiceConfig) {
	const message = "ECS adds no groups to the user of a container; user takes <user>:<group>"
	switch {
	case len(s.GroupAdd) == 0:
	case len(s.Volumes) > 0:
		r.Errorf(path, impossible, message)
	default:
		r.Warnf(path, withoutEffect, message)
	}
}

// networkDrivers lists the drivers of networks that only connect services.
var networkDrivers = []string{"", "bridge", "overlay", "default"}

// projectNetworks judges the top-level networks.
func (r *resolver) projectNetworks() {
	for _, name := range slices.Sorted(maps.Keys(r.project.Networks)) {
		n, path := r.project.Networks[name], At("networks", name)
		if !slices.Contains(networkDrivers, n.Driver) {
			r.Errorf(path.Key("driver"), impossible, "driver %q reaches into a host, and Fargate has none", n.Driver)
		}
		if bool(n.External) && n.Extensions["x-vpc"] == nil {
			r.Warnf(path, "network-external", "there is no Docker network %q on AWS; x-vpc names a VPC to use", cmp.Or(n.Name, name))
		}
	}
}
