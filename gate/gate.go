package gate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Finding is one thing that is wrong in a template.
type Finding struct {
	// Rule is the id of the rule, as in "container-port".
	Rule string `json:"rule"`
	// Stack is its path, Resource the logical id, "" for the stack itself.
	Stack    string `json:"stack"`
	Resource string `json:"resource,omitempty"`
	// Construct is the path in the construct tree.
	Construct string `json:"construct,omitempty"`
	// File is the template, as seen from the folder of the assembly, and Line where
	// it has the resource, 0 for the stack itself.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// Message says what is wrong, what was found and what is allowed.
	Message string `json:"message"`
	// Accepted is the reason for which it is accepted, "" where it is not.
	Accepted string `json:"accepted,omitempty"`
}

// Rule is what must hold for an assembly.
type Rule struct {
	// ID is stable: the name in reports, documentation and exceptions.
	ID string
	// Says is the rule in one sentence.
	Says string
	// Source is where the rule comes from: an AWS document or a Security Hub control.
	Source string

	check func(*Assembly, *report)
}

// Check holds all rules against the assembly, under each outcome of its conditions.
// The findings are sorted by stack, resource, rule and message.
func (a *Assembly) Check() []Finding {
	var found []Finding
	for _, variant := range a.variants() {
		for _, rule := range Rules {
			rule.check(variant, &report{rule: rule.ID, found: &found})
		}
	}
	slices.SortFunc(found, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.Stack, y.Stack), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Message, y.Message))
	})
	return slices.Compact(found)
}

// report collects what one rule finds.
type report struct {
	rule  string
	found *[]Finding
}

// on reports a resource. The message follows the house style: lowercase, no final
// period, with what was found and what is allowed.
func (p *report) on(r *Resource, format string, args ...any) {
	*p.found = append(*p.found, Finding{
		Rule: p.rule, Stack: r.Stack.Path, Resource: r.LogicalID,
		Construct: r.Path(), File: r.Stack.File, Line: r.Line,
		Message: fmt.Sprintf(format, args...),
	})
}

// stack reports something of a whole template.
func (p *report) stack(s *Stack, format string, args ...any) {
	*p.found = append(*p.found, Finding{Rule: p.rule, Stack: s.Path, File: s.File, Message: fmt.Sprintf(format, args...)})
}

// image reports an image that is built, in the asset manifest that has it.
func (p *report) image(i image, format string, args ...any) {
	stack := strings.TrimSuffix(path.Base(i.file), ".assets.json")
	*p.found = append(*p.found, Finding{Rule: p.rule, Stack: stack, Construct: i.name, File: i.file, Message: fmt.Sprintf(format, args...)})
}
