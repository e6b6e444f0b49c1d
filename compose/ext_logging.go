package compose

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// loggingExtension is x-logging of a service.
type loggingExtension struct {
	RetentionInDays *int
	FireLens        any
}

const defaultRetention = 30 // days

// retentions are the numbers of days for which CloudWatch Logs keeps events.
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
	1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// localDrivers keep logs on the host, where they can be read with docker logs.
var localDrivers = []string{"json-file", "local", "default", ""}

// logging joins what the services of a family say about its log group.
func (r *resolver) logging(f *Family, services []types.ServiceConfig) {
	for _, s := range services {
		f.Logging.RetentionDays = max(f.Logging.RetentionDays, r.retention(s))
		if s.Logging == nil {
			continue
		}
		group := s.Logging.Options["awslogs-group"]
		if group == "" || s.Logging.Driver != "awslogs" {
			continue
		}
		if old := f.Logging.Group; old != "" && old != group {
			r.Errorf(servicePath(s.Name).Key("logging").Key("options").Key("awslogs-group"), "log-group-conflict",
				"family %q has one log group, but its services name two, %s and %s", f.Name, old, group)
		}
		f.Logging.Group = group
	}
	f.Logging.RetentionDays = cmp.Or(f.Logging.RetentionDays, defaultRetention)
}

// logGroups reports a log group that two families name: each makes its own.
func (r *resolver) logGroups() {
	owner := map[string]*Family{}
	for _, f := range r.model.Families {
		group := f.Logging.Group
		if other := owner[group]; other != nil && group != "" {
			r.Errorf(f.Path.Key("logging").Key("options").Key("awslogs-group"), "log-group-conflict",
				"families %q and %q both make a log group %s", other.Name, f.Name, group)
		}
		owner[group] = f
	}
}

// retention reads for how long logs are kept; 0 where the service does not say.
func (r *resolver) retention(s types.ServiceConfig) int {
	path := servicePath(s.Name)
	days := 0
	at := path.Key("x-aws-logs_retention")
	r.decode(at, s.Extensions["x-aws-logs_retention"], &days)
	var ext loggingExtension
	if r.decode(path.Key("x-logging"), s.Extensions["x-logging"], &ext) && ext.RetentionInDays != nil {
		if days != 0 {
			r.Warnf(at, "log-retention", "RetentionInDays of x-logging says how long logs are kept; x-aws-logs_retention is left out")
		}
		days, at = *ext.RetentionInDays, path.Key("x-logging").Key("RetentionInDays")
	}
	if ext.FireLens != nil {
		r.Errorf(path.Key("x-logging").Key("FireLens"), "unsupported-firelens", "FireLens is not built yet; logs go to CloudWatch")
	}
	if days == 0 {
		return 0
	}
	return r.retentionDays(at, days)
}

// retentionDays returns the shortest time of CloudWatch that keeps logs for so many
// days; 0 is a mistake, which is reported.
func (r *resolver) retentionDays(at Path, days int) int {
	longest := retentions[len(retentions)-1]
	if days < 0 || days > longest {
		r.Errorf(at, "log-retention", "CloudWatch keeps logs for 1 to %d days, not %d", longest, days)
		return 0
	}
	i, exact := slices.BinarySearch(retentions, days)
	if !exact {
		r.Warnf(at, "log-retention", "CloudWatch cannot keep logs for %d days; they are kept for %d", days, retentions[i])
	}
	return retentions[i]
}

// logOptions reads logging: the awslogs options of a container.
func (r *resolver) logOptions(path Path, s types.ServiceConfig) map[string]string {
	if s.Logging == nil {
		return nil
	}
	path = path.Key("logging")
	driver := s.Logging.Driver
	if driver != "awslogs" {
		r.otherLogDriver(path, s.Logging)
		return nil
	}
	options := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Logging.Options)) {
		value := s.Logging.Options[name]
		at := path.Key("options").Key(name)
		switch {
		case name == "awslogs-group" || name == "awslogs-create-group": // the stack makes the group
		case name == "awslogs-region":
			if literalText(value) {
				r.Warnf(at, "log-region", "logs stay in the region of the stack; %s is left out", value)
			}
		case strings.HasPrefix(name, "awslogs-") || name == "mode" || name == "max-buffer-size":
			options[name] = value
		default:
			r.Warnf(at, "log-option", "%q is not an option of awslogs and is left out", name)
		}
	}
	return options
}

func literalText(value string) bool {
	text := ParseText(value)
	return len(text) == 1 && text[0].Literal != ""
}

func (r *resolver) otherLogDriver(path Path, logging *types.LoggingConfig) {
	switch {
	case logging.Driver == "none":
		r.Warnf(path.Key("driver"), "log-driver", "the logs go to CloudWatch, for ECS cannot switch them off")
	case slices.Contains(localDrivers, logging.Driver):
		if len(logging.Options) > 0 {
			r.Notef(path.Key("options"), "log-driver", "the logs go to CloudWatch, where the options of driver %q mean nothing",
				cmp.Or(logging.Driver, "json-file"))
		}
	case logging.Driver == "awsfirelens":
		r.Errorf(path.Key("driver"), "unsupported-firelens", "FireLens is not built yet; the driver awslogs is")
	default:
		r.Errorf(path.Key("driver"), "log-driver", "log driver %q is not supported; awslogs is", logging.Driver)
	}
}
