package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"composecdk/compose"
)

// template is what counts of one for the limits of CloudFormation.
type template struct {
	Outputs map[string]json.RawMessage
	size    int
}

// limits lists CloudFormation's limits of a stack that the CDK does not check. See
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
var limits = []struct {
	code, what string
	most       int
	of         func(template) int
}{
	{"too-many-outputs", "outputs", 200, func(t template) int { return len(t.Outputs) }},
	{"template-too-large", "bytes", 1_000_000, func(t template) int { return t.size }},
}

// Limits reports the stacks of an assembly that CloudFormation would not take. One
// that the CDK did not get to is not there.
func (a *Application) Limits(assembly string, at Places) (compose.Diagnostics, error) {
	var found compose.Diagnostics
	for _, stack := range a.Stacks {
		text, err := os.ReadFile(filepath.Join(assembly, *stack.TemplateFile()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("a template: %w", err)
		}
		t := template{size: len(text)}
		if err := json.Unmarshal(text, &t); err != nil {
			return nil, fmt.Errorf("the template of %s: %w", *stack.Node().Path(), err)
		}
		for _, limit := range limits {
			if n := limit.of(t); n > limit.most {
				found = append(found, a.exceeded(*stack.Node().Path(), limit.code, limit.what, n, limit.most, at))
			}
		}
	}
	return found, nil
}

var tooMany = regexp.MustCompile(`Number of resources in stack '([^']*)': (\d+) is greater than allowed maximum of (\d+)`)

// TooMany returns the exception of the CDK about a stack of more resources than
// CloudFormation takes, as a diagnostic; ok is false for any other.
func (a *Application) TooMany(err error, at Places) (found compose.Diagnostics, ok bool) {
	m := tooMany.FindStringSubmatch(err.Error())
	if m == nil {
		return nil, false
	}
	n, _ := strconv.Atoi(m[2])
	most, _ := strconv.Atoi(m[3])
	return compose.Diagnostics{a.exceeded(m[1], "too-many-resources", "resources", n, most, at)}, true
}

// exceeded says that a stack is too large, and how to divide it.
func (a *Application) exceeded(stack, code, what string, n, most int, at Places) compose.Diagnostic {
	path, hint := a.dividing(stack[strings.LastIndex(stack, "/")+1:])
	return compose.Diagnostic{
		Pos: at.KeyPos(path), Path: path, Code: code, Hint: hint,
		Message: fmt.Sprintf("stack %s would have %d %s, and CloudFormation takes %d", stack, n, what, most),
	}
}

// dividing tells how to divide a stack, and what part of the files it is of.
func (a *Application) dividing(id string) (path compose.Path, hint string) {
	if layer, _, _ := strings.Cut(id, "-"); layer == dataStack {
		path = a.largestSection(id)
		return path, fmt.Sprintf(`give new ones a stack of their own, x-stacks: {more: ["%s.<name>"]}; `+
			"what has been deployed already must stay in its stack, for in another one it is replaced by an empty one", path)
	}
	var families []*compose.Family
	for _, f := range a.model.Families {
		if a.homes[f.Name] == id {
			families = append(families, f)
		}
	}
	switch len(families) {
	case 0:
		return "services", "divide the application into several compose files, each deployed by itself"
	case 1:
		return families[0].Path, "this service alone is too much for a stack"
	default:
		return "services", `give new services a stack of their own, x-stacks: {more: ["services.<name>"]}; what has been deployed in another stack is replaced`
	}
}

// largestSection returns the section of the files that gives a stack of data most of
// its members.
func (a *Application) largestSection(stack string) compose.Path {
	count, largest := map[string]int{}, ""
	for _, member := range a.model.Members() {
		section, _, _ := strings.Cut(string(member), ".")
		if section == "services" || stackID(dataStack, a.model.Stacks[member]) != stack {
			continue
		}
		if count[section]++; count[section] > count[largest] {
			largest = section
		}
	}
	return compose.Path(largest)
}
