package layout

import (
	"maps"
	"slices"
)

// Order holds, of each stack, which others are deployed before it. Stacks are
// named by their ids.
type Order map[string]map[string]bool

// Add adds a stack.
func (o Order) Add(stack string) {
	if o[stack] == nil {
		o[stack] = map[string]bool{}
	}
}

// DependOn lets a stack wait for another one, and reports whether it can: neither it nor
// what it waits for may wait for the stack.
func (o Order) DependOn(stack, before string) bool {
	o.Add(stack)
	o.Add(before)
	if stack == before || o[stack][before] {
		return true
	}
	if o.waits(before, stack, map[string]bool{}) {
		return false
	}
	o[stack][before] = true
	return true
}

// waits reports whether a stack waits for another one, maybe through others.
func (o Order) waits(stack, before string, seen map[string]bool) bool {
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

// Sorted lists the stacks by id, but each after those it waits for.
func (o Order) Sorted() []string {
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

// TransitiveReduction returns the same order in fewer words: a stack does not wait for what those it
// waits for wait for. Where that would still be too many ways, the stacks are
// deployed one after the other.
func (o Order) TransitiveReduction() Order {
	sorted := o.Sorted()
	least, ways := Order{}, map[string]int{}
	for _, stack := range sorted {
		least.Add(stack)
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

// line returns the order in which each stack waits for the one before it.
func line(sorted []string) Order {
	o := Order{}
	for i, stack := range sorted {
		o.Add(stack)
		if i > 0 {
			o[stack][sorted[i-1]] = true
		}
	}
	return o
}
