package load

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// amounts checks the numbers that can be written in two places.
func (c consistency) amounts(s types.ServiceConfig, path diag.Path) {
	deploy := path.Key("deploy")
	if s.Scale != nil && *s.Scale < 0 {
		c.errorf(path.Key("scale"), "compose-invalid", "", "must be at least 0")
	}
	if s.Deploy != nil && s.Deploy.Replicas != nil {
		if *s.Deploy.Replicas < 0 {
			c.errorf(deploy.Key("replicas"), "compose-invalid", "", "must be at least 0")
		}
		if s.Scale != nil && *s.Scale != *s.Deploy.Replicas {
			c.differ(path.Key("scale"), "scale", "deploy.replicas")
		}
	}
	if s.ContainerName != "" && s.GetScale() > 1 {
		c.errorf(path.Key("container_name"), "compose-exclusive", "",
			"a container name must be unique, but %d containers are asked for", s.GetScale())
	}
	if s.Deploy == nil {
		return
	}
	if limits := s.Deploy.Resources.Limits; limits != nil {
		if s.CPUS != 0 && limits.NanoCPUs != 0 && limits.NanoCPUs.Value() != s.CPUS {
			c.differ(path.Key("cpus"), "cpus", "deploy.resources.limits.cpus")
		}
		if s.MemLimit != 0 && limits.MemoryBytes != 0 && limits.MemoryBytes != s.MemLimit {
			c.differ(path.Key("mem_limit"), "mem_limit", "deploy.resources.limits.memory")
		}
		if s.PidsLimit != 0 && limits.Pids != 0 && limits.Pids != s.PidsLimit {
			c.differ(path.Key("pids_limit"), "pids_limit", "deploy.resources.limits.pids")
		}
	}
	if reserved := s.Deploy.Resources.Reservations; reserved != nil {
		if s.MemReservation != 0 && reserved.MemoryBytes != 0 && reserved.MemoryBytes != s.MemReservation {
			c.differ(path.Key("mem_reservation"), "mem_reservation", "deploy.resources.reservations.memory")
		}
	}
}

func (c consistency) differ(path diag.Path, a, b string) {
	c.errorf(path, "compose-exclusive", "write only one of them", "%s and %s say different things", a, b)
}

// mounts reports two things mounted on one path of a container.
func (c consistency) mounts(s types.ServiceConfig, path diag.Path) {
	mounted := map[string]diag.Path{}
	mount := func(target string, at diag.Path) {
		if before, taken := mounted[target]; taken {
			c.errorf(at, "mount-duplicate", "", "%s is already mounted by %s", target, before)
			return
		}
		mounted[target] = at
	}
	for i, tmpfs := range s.Tmpfs {
		target, _, _ := strings.Cut(tmpfs, ":")
		mount(target, path.Key("tmpfs").Index(i))
	}
	for i, volume := range s.Volumes {
		mount(volume.Target, c.volumePath(path, i, volume))
	}
}
