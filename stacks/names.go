package stacks

import (
	"strings"

	"composecdk/stacks/layout"
)

// Name returns the name of a project in an environment. Stacks are named after it, so
// it is made of what a stack name may hold.
func Name(project, env string) string {
	name := project
	if env != "" {
		name += "-" + env
	}
	name = strings.Trim(layout.NotInName.ReplaceAllString(name, "-"), "-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "app-" + name
	}
	return name
}

// stackID returns the id of the stack of a layer that holds a group.
func stackID(layer, group string) string { return layout.ID(layer, group) }

// description tells what is in a stack: the layer, and the group if it is not all
// of it.
func description(layer, id string) string {
	if _, group, ok := strings.Cut(id, "-"); ok {
		return layer + " " + group
	}
	return layer
}
