package load

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/compose-spec/compose-go/v2/tree"
)

// Mapped lists the attributes, by what they stand under, that loading or this
// package's reading of services understands in every value, or judges by value.
// What stands above one of them is Mapped too.
var Mapped = mappedAttributes(map[string][]string{
	"": {
		"configs", // its entries have a verdict
		"include.[].env_file", "include.[].path", "include.[].project_directory", "name", "version",
	},
	"networks.*": {"driver", "external.name", "name"},
	"secrets.*":  {"environment", "external.name", "file", "name"},
	"volumes.*":  {"driver", "driver_opts.*", "external.name", "name"},
	"services.*": {
		"cap_add", "cap_drop", "cgroup", "command", "container_name", "cpus", "entrypoint",
		"depends_on.*.condition", "depends_on.*.required",
		"env_file.[].format", "env_file.[].path", "env_file.[].required", "environment.*", "expose",
		"extends.file", "extends.service", "group_add", "hostname", "image", "init", "ipc", "isolation",
		"label_file", "labels.*", "links", "mem_limit", "mem_reservation", "network_mode", "pid", "platform",
		"profiles", "read_only", "restart", "runtime", "scale", "security_opt", "stdin_open",
		"stop_grace_period", "storage_opt", "sysctls.*", "tmpfs", "tty", "ulimits.*.hard", "ulimits.*.soft",
		"user", "userns_mode", "uts", "working_dir",
	},
	"services.*.build": {
		"additional_contexts.*", "args.*", "cache_from", "context", "dockerfile",
		"dockerfile_inline", "network", "no_cache", "platforms", "target",
	},
	"services.*.deploy": {
		"endpoint_mode", "labels.*", "mode", "placement", "replicas", "restart_policy.condition",
		"resources.limits.cpus", "resources.limits.memory",
		"resources.reservations.cpus", "resources.reservations.memory",
		"update_config.failure_action", "update_config.order", "update_config.parallelism",
	},
	"services.*.healthcheck": {"disable", "interval", "retries", "start_period", "test", "timeout"},
	"services.*.logging":     {"driver", "options.*"},
	"services.*.networks.*":  {"aliases", "use_service_name_alias"},
	"services.*.ports.[]":    {"app_protocol", "host_ip", "mode", "name", "protocol", "published", "target"},
	"services.*.secrets.[]":  {"gid", "mode", "source", "target", "uid"},
	"services.*.volumes.[]": {
		"bind.create_host_path", "bind.propagation", "bind.recursive", "bind.selinux",
		"image.subpath", "read_only", "source", "target", "tmpfs.mode", "tmpfs.size", "type", "volume.subpath",
	},
})

func mappedAttributes(under map[string][]string) map[tree.Path]bool {
	all := map[tree.Path]bool{}
	for prefix, keys := range under {
		for _, key := range keys {
			for path := strings.TrimPrefix(prefix+"."+key, "."); path != ""; {
				all[tree.Path(path)] = true
				path = path[:max(strings.LastIndexByte(path, '.'), 0)]
			}
		}
	}
	return all
}

// supportedAttributes makes compose-go report every attribute that is not
// Mapped, also those that a newer specification adds.
func supportedAttributes(report func([]loader.UnsupportedAttribute)) func(*loader.Options) {
	// The specification does not list the keys of storage_opt; they are judged
	// by value.
	supported := []tree.Path{"services.*.storage_opt.*"}
	for _, path := range schema.AttributePaths() {
		if Mapped[path] {
			supported = append(supported, path)
		}
	}
	return loader.WithSupportedAttributes(supported, report)
}
