package kinds

import (
	"maps"
	"slices"

	"composecdk/compose"
)

// TableScaling is the section Scaling: the capacity of a table and its indexes
// follows their use.
type TableScaling struct {
	Table CapacityScaling
	// Indexes is by index name; CopyToIndexes gives all of them Table's.
	Indexes       map[string]CapacityScaling
	CopyToIndexes bool
}

// CapacityScaling is the range of each kind of capacity; nil does not scale.
type CapacityScaling struct{ ReadCapacityUnits, WriteCapacityUnits *CapacityRange }

// CapacityRange is in capacity units; TargetValue is the used percentage, 70 by
// default, and the cooldowns are seconds.
type CapacityRange struct {
	MinCapacity, MaxCapacity          int
	TargetValue                       float64
	ScaleInCooldown, ScaleOutCooldown int
}

func checkScaling(c *compose.Checker, r *compose.Resource) {
	scaling, ok := r.Sections["Scaling"].(*TableScaling)
	if !ok {
		return
	}
	path := r.Path.Key("Scaling")
	if r.Properties["ProvisionedThroughput"] == nil {
		c.Errorf(path, "scaling-on-demand", "capacity cannot scale on a table without ProvisionedThroughput")
	}
	checkCapacity(c, path.Key("Table"), scaling.Table)
	indexes := IndexNames(r)
	for _, name := range slices.Sorted(maps.Keys(scaling.Indexes)) {
		at := path.Key("Indexes").Key(name)
		if !slices.Contains(indexes, name) {
			c.Unknown(at, "index-unknown", "a global secondary index of "+r.Name, name, indexes)
		}
		checkCapacity(c, at, scaling.Indexes[name])
	}
}

func checkCapacity(c *compose.Checker, path compose.Path, s CapacityScaling) {
	for _, part := range []struct {
		name string
		at   *CapacityRange
	}{{"ReadCapacityUnits", s.ReadCapacityUnits}, {"WriteCapacityUnits", s.WriteCapacityUnits}} {
		if part.at != nil && (part.at.MinCapacity < 1 || part.at.MaxCapacity < part.at.MinCapacity) {
			c.Errorf(path.Key(part.name), "scaling-range", "needs 1 <= MinCapacity <= MaxCapacity, found %d and %d", part.at.MinCapacity, part.at.MaxCapacity)
		}
	}
}

// IndexNames lists the global secondary indexes of a table, sorted.
func IndexNames(r *compose.Resource) []string {
	var names []string
	indexes, _ := r.Properties["GlobalSecondaryIndexes"].([]any)
	for _, index := range indexes {
		fields, _ := index.(map[string]any)
		if name, ok := fields["IndexName"].(string); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
