package stacks

import (
	"maps"
	"slices"
)

// order holds, of each stack, which others are deployed before it. Stacks are
// named by their ids.
type order map[string]map[string]bool

// have adds a stack.
func (o order) have(stack string) {
	if o[stack] == nil {
		o[stack] = map[string]bool{}
	}
}

// after lets a stack wait for another one, and tells whether it can: neither it nor
// what it waits for may wait for the stack.
func (o order) after(stack, before string) bool {
	o.have(stack)
	o.have(before)
	if stack == before || o[stack][before] {
		return true
	}
	if o.waits(before, stack, map[string]bool{}) {
		return false
	}
	o[stack][before] = true
	return true
}

// waits tells whether a stack waits for another one, maybe through others.
func (o order) waits(stack, before string, seen map[string]bool) bool {
	if stack == before {
		return true
	}
	if seen[stack] {
		return false
	}
	seen[stack] = true
	for next := range o[stack] {
		if o.waits(next, before, seen) {
			return true
		}
	}
	return false
}

// sorted lists the stacks by id, but each after those it waits for.
func (o order) sorted() []string {
	var list []string
	placed := map[string]bool{}
	var place func(stack string)
	place = func(stack string) {
		if placed[stack] {
			return
		}
		placed[stack] = true
		for _, before := range slices.Sorted(maps.Keys(o[stack])) {
			place(before)
		}
		list = append(list, stack)
	}
	for _, stack := range slices.Sorted(maps.Keys(o)) {
		place(stack)
	}
	return list
}

// mostWays bounds how many ways there may be from a stack down to the first: the CDK
// walks all of them whenever one stack is to wait for another.
const mostWays = 1000

// reduced is the same order in fewer words: a stack does not wait for what those it
// waits for wait for. Where that would still be too many ways, the stacks are
// deployed one after the other.
func (o order) reduced() order {
	sorted := o.sorted()
	least, ways := order{}, map[string]int{}
	for _, stack := range sorted {
		least.have(stack)
		ways[stack] = 1
		for _, before := range slices.Backward(sorted) {
			if o[stack][before] && !least.waits(stack, before, map[string]bool{}) {
				least[stack][before] = true
				ways[stack] += ways[before]
			}
		}
		if ways[stack] > mostWays {
			return line(sorted)
		}
	}
	return least
}

// line is the order in which each stack waits for the one before it.
func line(sorted []string) order {
	o := order{}
	for i, stack := range sorted {
		o.have(stack)
		if i > 0 {
			o[stack][sorted[i-1]] = true
		}
	}
	return o
}
