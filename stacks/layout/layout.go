// Package layout decides into which stacks an application goes, and which of them
// wait for which, before any is made: it is pure Go, so that a pipeline of them can
// be planned without the CDK.
package layout

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"composecdk/compose"
)

// The ids of the stacks of all that has none of its own.
const (
	Network  = "Network"
	Data     = "Data"
	Services = "Services"
)

// MostResources is what CloudFormation takes in a stack.
const MostResources = 500

// WorthCounting is the least number of resources from which on they are counted,
// which takes a while: a family may be several times as many.
const WorthCounting = MostResources / 4

// leastOfFamily is how many resources every family is: two roles, the policy of
// one, a log group, a security group, a task definition and an ECS service.
const leastOfFamily = 7

// AtLeast returns how many resources the families of a model become, or less.
func AtLeast(m *compose.Model) int { return leastOfFamily*len(m.Families) + len(m.Connections) }

// Group returns the group of x-stacks of a family; "" is none.
func Group(m *compose.Model) func(*compose.Family) string {
	return func(f *compose.Family) string { return m.Stacks[f.Member()] }
}

// Spread divides families that are too many for a stack: into the groups of the
// model, else each gets its own.
func Spread(m *compose.Model) func(*compose.Family) string {
	return func(f *compose.Family) string { return cmp.Or(m.Groups[f.Name], f.Name) }
}

// Grouped reports whether a person has divided the families.
func Grouped(m *compose.Model) bool {
	group := Group(m)
	return slices.ContainsFunc(m.Families, func(f *compose.Family) bool { return group(f) != "" })
}

// Of returns the order of the stacks of a model. It is exact unless so many resources
// could be in one stack that only making them tells; then it is the order for one.
func Of(m *compose.Model) (stacks Order, exact bool) {
	group, exact := Group(m), true
	if !Grouped(m) {
		n := AtLeast(m)
		exact = n <= WorthCounting || n > MostResources
		if n > MostResources {
			group = Spread(m)
		}
	}
	stacks = DataOrder(m)
	for _, after := range stacks {
		after[Network] = true
	}
	stacks.Add(Network)
	home := map[string]string{}
	for _, f := range m.Families {
		home[f.Name] = ID(Services, group(f))
		if home[f.Name] != Services {
			stacks.DependOn(Peers(m, f.Name), Network)
		}
	}
	first := slices.Sorted(maps.Keys(stacks))
	needs, _ := ServiceOrder(m, home)
	maps.Copy(stacks, needs)
	for _, before := range first {
		stacks.DependOn(Services, before)
	}
	return stacks, exact
}

// DataOrder returns the order of the stacks of data: each is after those that its
// resources refer to.
func DataOrder(m *compose.Model) Order {
	home := func(member compose.Path) string { return ID(Data, m.Stacks[member]) }
	needs := Order{}
	for _, r := range m.Resources {
		needs.Add(home(r.Path))
		for _, other := range m.References(r.Path) {
			needs.DependOn(home(r.Path), home(other.Path))
		}
	}
	for _, s := range m.Secrets {
		needs.Add(home(s.Path))
	}
	for _, v := range m.Volumes {
		needs.Add(home(v.Path))
		for _, other := range m.References(v.Path) {
			needs.DependOn(home(v.Path), home(other.Path))
		}
	}
	return needs
}

// NotKept is a dependency between families that the order of their stacks does not
// keep: Family is not started after On.
type NotKept struct {
	Family *compose.Family
	On     string
}

// ServiceOrder says which stacks of services wait for which, given the stack of each
// family: all for that of the load balancers, and for those of the families that
// theirs wait for. Groups of families may wait for each other in a cycle; what
// cannot be kept of the order is returned.
func ServiceOrder(m *compose.Model, home map[string]string) (needs Order, lost []NotKept) {
	needs = Order{}
	needs.Add(Services)
	for _, f := range m.Families {
		needs.DependOn(home[f.Name], Services)
	}
	for _, f := range m.Families {
		for _, other := range f.DependsOn {
			if !needs.DependOn(home[f.Name], home[other]) {
				lost = append(lost, NotKept{f, other})
			}
		}
	}
	return needs.TransitiveReduction(), lost
}

// peerStacks is over how many stacks the security groups of families with stacks of
// their own are spread, by the hash of their names. It never changes, so that no
// group ever moves. Others refer to a group by an output, of which a stack has 200
// at most: eight take a thousand families. With groups of a pipeline, in which each
// stack is two actions, two take about 350.
const (
	peerStacks        = 8
	groupedPeerStacks = 2
)

// Peers returns the id of the stack of the security group of a family that has a stack of
// its own.
func Peers(m *compose.Model, family string) string {
	var n uint64 = peerStacks
	if len(m.Groups) > 0 && !Grouped(m) {
		n = groupedPeerStacks
	}
	sum := sha256.Sum256([]byte(family))
	return fmt.Sprintf("Peers-%d", binary.BigEndian.Uint64(sum[:])%n)
}

// NotInName is what no name of a stack may hold.
var NotInName = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// longestMember is how much of a name stands in the id of a stack, so that its name
// stays within the 128 characters that CloudFormation takes.
const longestMember = 48

// ID returns the id of the stack of a layer that holds a group of x-stacks, or one
// family; "" is the stack of all the others.
func ID(layer, group string) string {
	if group == "" {
		return layer
	}
	clean := NotInName.ReplaceAllString(group, "-")
	if clean != group || len(clean) > longestMember {
		// another name may become the same one
		const digits = 4
		sum := sha256.Sum256([]byte(group))
		clean = clean[:min(len(clean), longestMember)] + "-" + hex.EncodeToString(sum[:digits])
	}
	return layer + "-" + clean
}
