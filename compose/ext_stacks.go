package compose

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// ownStack is the group of x-stacks that gives each of its members a stack of its
// own, but for those that another group names.
const ownStack = "*"

var stackGroup = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,39}$`)

// stacks reads x-stacks: groups of families, x-resources, secrets and volumes that
// live in stacks of their own. Which group one belongs to follows from its own name
// and the patterns alone, never from what else the files hold: adding something
// moves nothing.
func (r *resolver) stacks() {
	r.model.Stacks = map[Path]string{}
	value, section, ok := r.extension("x-stacks")
	if !ok {
		return
	}
	groups := map[string][]string{}
	if !r.decode(section, value, &groups) {
		return
	}
	matched := map[Path]Path{} // the pattern of each member
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(groups)), func(group string) bool { return group == ownStack })
	for _, group := range append(names, ownStack) {
		at := section.Key(group)
		if group != ownStack && !stackGroup.MatchString(group) {
			r.Errorf(at, "name", "%q cannot name stacks: up to 40 letters, digits and - are allowed, a letter or digit first; or \"*\" for a stack each", group)
			continue
		}
		for i, pattern := range groups[group] {
			r.stackMembers(group, pattern, at.Index(i), matched)
		}
	}
	r.checkStackCycles(section)
}

// stackMembers puts what a pattern matches into a group.
func (r *resolver) stackMembers(group, pattern string, at Path, matched map[Path]Path) {
	members := r.model.Members()
	found := false
	for _, member := range members {
		ok, err := path.Match(pattern, string(member))
		if err != nil {
			r.Errorf(at, "stack-pattern", "%q is no pattern: *, ? and [a-z] are allowed, as in x-sqs.orders-*", pattern)
			return
		}
		if !ok {
			continue
		}
		found = true
		if before, twice := matched[member]; twice {
			if group == ownStack {
				continue
			}
			r.Errorf(at, "stack-conflict", "%s has a stack already, by %s", member, before)
			continue
		}
		matched[member] = at
		r.model.Stacks[member] = group
		if group == ownStack {
			r.model.Stacks[member] = ownName(member)
		}
	}
	if !found {
		r.noMember(at, pattern, members)
	}
}

// noMember reports what names nothing. A misspelt name would leave data in another
// stack, which it cannot leave again without being replaced; a pattern may be there
// for what is still to come.
func (r *resolver) noMember(at Path, pattern string, members []Path) {
	if strings.ContainsAny(pattern, `*?[\`) {
		r.Notef(at, "stack-empty", "%q matches nothing that is deployed", pattern)
		return
	}
	if name, ok := strings.CutPrefix(pattern, "services."); ok {
		r.unknownTarget(at, "stack-member-unknown", name)
		return
	}
	var names []string
	for _, member := range members {
		names = append(names, string(member))
	}
	r.Unknown(at, "stack-member-unknown", "anything that is deployed", pattern, names)
}

// ownName names the stack of a single member.
func ownName(member Path) string {
	section, name, _ := strings.Cut(string(member), ".")
	if section == "services" {
		return name
	}
	return strings.TrimPrefix(section, "x-") + "-" + name
}

// Members returns all that can be put into a group of x-stacks.
func (m *Model) Members() []Path {
	var all []Path
	for _, f := range m.Families {
		all = append(all, f.Member())
	}
	for _, res := range m.Resources {
		all = append(all, res.Path)
	}
	for _, s := range m.Secrets {
		all = append(all, s.Path)
	}
	for _, v := range m.Volumes {
		all = append(all, v.Path)
	}
	return all
}

// Member names the family in x-stacks.
func (f *Family) Member() Path { return At("services", f.Name) }

// checkStackCycles reports stacks of data that would have to wait for each other,
// because their resources refer to each other.
func (r *resolver) checkStackCycles(section Path) {
	type reference struct{ from, to Path }
	by := map[string]map[string]reference{} // of a stack to another one
	for _, res := range r.model.Resources {
		for _, other := range r.model.References(res.Path) {
			from, to := r.model.Stacks[res.Path], r.model.Stacks[other.Path]
			if from == to {
				continue
			}
			if by[from] == nil {
				by[from] = map[string]reference{}
			}
			by[from][to] = reference{res.Path, other.Path}
		}
	}
	done := map[string]bool{}
	var visit func(stack string, chain []string) bool
	visit = func(stack string, chain []string) bool {
		if i := slices.Index(chain, stack); i >= 0 {
			var cycle []string
			for j, from := range chain[i:] {
				to := append(chain[i:], stack)[j+1]
				cycle = append(cycle, fmt.Sprintf("%s refers to %s", by[from][to].from, by[from][to].to))
			}
			r.Add(Error, section, "stack-cycle", "put those that refer to each other into one group",
				"stacks would wait for each other: "+strings.Join(cycle, ", "))
			return true
		}
		if done[stack] {
			return false
		}
		done[stack] = true
		return slices.ContainsFunc(slices.Sorted(maps.Keys(by[stack])), func(next string) bool { return visit(next, append(chain, stack)) })
	}
	for _, stack := range slices.Sorted(maps.Keys(by)) {
		if visit(stack, nil) {
			return
		}
	}
}
