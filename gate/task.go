package gate

import (
	"slices"
	"strings"
)

// task is a task definition with its containers.
type task struct {
	*Resource
	// containers holds the literal container definitions; complete is true if there are no
	// others.
	containers []map[string]any
	complete   bool
}

func newTask(r *Resource) task {
	t := task{Resource: r}
	definitions, isList := r.Properties["ContainerDefinitions"].([]any)
	t.complete = isList
	for _, d := range definitions {
		container, isMap := d.(map[string]any)
		if _, _, isFunction := function(d); !isMap || isFunction {
			t.complete = false
			continue
		}
		t.containers = append(t.containers, container)
	}
	return t
}

// named returns the container called name; certain is false if some names are known only
// when deployed.
func (t task) named(name string) (container map[string]any, certain bool) {
	certain = t.complete
	for _, c := range t.containers {
		known, isText := c["Name"].(string)
		if known == name && isText {
			return c, true
		}
		certain = certain && isText
	}
	return nil, certain
}

func (t task) names() string {
	var names []string
	for _, c := range t.containers {
		names = append(names, word(c["Name"]))
	}
	return strings.Join(names, ", ")
}

func eachTask(check func(t task, found *report)) func(*Assembly, *report) {
	return func(a *Assembly, found *report) {
		for _, r := range a.Of("AWS::ECS::TaskDefinition") {
			check(newTask(r), found)
		}
	}
}

// taskOf returns the task definition of a service, nil if the assembly does not have it.
func taskOf(service *Resource) *Resource {
	r, _ := service.Stack.Target(service.Properties["TaskDefinition"])
	if r == nil || r.Type != "AWS::ECS::TaskDefinition" {
		return nil
	}
	return r
}

// isFargate reports whether a service certainly runs on Fargate.
func isFargate(service *Resource) bool {
	if service.Properties["LaunchType"] == "FARGATE" {
		return true
	}
	strategy := list(service.Properties["CapacityProviderStrategy"])
	return len(strategy) > 0 && !slices.ContainsFunc(strategy, func(v any) bool {
		return !strings.HasPrefix(word(at(v, "CapacityProvider")), "FARGATE")
	})
}

// requiresFargate reports whether a task definition is for Fargate.
func (t task) requiresFargate() bool {
	return slices.Contains(list(t.Properties["RequiresCompatibilities"]), any("FARGATE"))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
