package compose

import (
	"maps"
	"slices"
)

// subnetGroups checks the groups of subnets that the file's networks name, and
// that tasks there reach what they need to start.
func (r *resolver) subnetGroups() {
	known := []string{AppSubnets, PublicSubnets, StorageSubnets}
	if existing := r.model.Network.Existing; existing != nil {
		known = slices.Concat(known, slices.Sorted(maps.Keys(existing.Subnets)))
		slices.Sort(known)
		known = slices.Compact(known)
	}
	for _, name := range slices.Sorted(maps.Keys(r.project.Networks)) {
		if group := r.networkSubnets(name); group != "" && !slices.Contains(known, group) {
			r.Unknown(At("networks", name, "x-vpc"), "subnets-unknown", "a group of subnets of x-vpc", group, known)
		}
	}
	vpc := r.model.Network.New
	if vpc == nil {
		return
	}
	for _, f := range r.model.Families {
		switch {
		case f.SubnetGroup == PublicSubnets && !f.AssignPublicIP:
			r.Warnf(f.Path, "subnets-egress", "tasks in %s without x-network.AssignPublicIp reach nothing outside of the VPC: "+
				"they cannot pull images", f.SubnetGroup)
		case f.SubnetGroup == StorageSubnets && len(vpc.Endpoints) == 0:
			r.Warnf(f.Path, "subnets-egress", "tasks in %s reach nothing outside of the VPC: they cannot pull images", f.SubnetGroup)
		}
	}
}
