package stacks

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
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

// stacksOf are stacks by their ids, in the order of these.
func stacksOf(made map[string]awscdk.Stack, ids map[string]bool) []awscdk.Stack {
	var stacks []awscdk.Stack
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		stacks = append(stacks, made[id])
	}
	return stacks
}

var notInStackName = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// longestMember is how much of a name stands in the id of a stack, so that its name
// stays within the 128 characters that CloudFormation takes.
const longestMember = 48

// stackID is the id of the stack of a layer that holds a group of x-stacks, or one
// family; "" is the stack of all the others.
func stackID(layer, group string) string {
	if group == "" {
		return layer
	}
	clean := notInStackName.ReplaceAllString(group, "-")
	if clean != group || len(clean) > longestMember {
		// another name may become the same one
		const digits = 4
		sum := sha256.Sum256([]byte(group))
		clean = clean[:min(len(clean), longestMember)] + "-" + hex.EncodeToString(sum[:digits])
	}
	return layer + "-" + clean
}

// description tells what is in a stack: the layer, and the group if it is not all
// of it.
func description(layer, id string) string {
	if _, group, ok := strings.Cut(id, "-"); ok {
		return layer + " " + group
	}
	return layer
}
