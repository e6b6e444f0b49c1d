package stacks

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// notInName is what no name of a stack may hold.
var notInName = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// Name is the name of a project in an environment. Stacks are named after it, so
// it is made of what a stack name may hold.
func Name(project, env string) string {
	name := project
	if env != "" {
		name += "-" + env
	}
	name = strings.Trim(notInName.ReplaceAllString(name, "-"), "-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "app-" + name
	}
	return name
}

// longestMember is how much of a name stands in the id of a stack, so that its name
// stays within the 128 characters that CloudFormation takes.
const longestMember = 48

// stackID is the id of the stack of a layer that holds a group of x-stacks, or one
// family; "" is the stack of all the others.
func stackID(layer, group string) string {
	if group == "" {
		return layer
	}
	clean := notInName.ReplaceAllString(group, "-")
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
