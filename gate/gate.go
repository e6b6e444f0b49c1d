package gate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Finding is one mistake in a template.
type Finding struct {
	// Rule is the id of the rule, as in "container-port".
	Rule string `json:"rule"`
	// Stack is the path of the stack; Resource is the logical id, "" for the stack itself.
	Stack    string `json:"stack"`
	Resource string `json:"resource,omitempty"`
	// Construct is the path in the construct tree.
	Construct string `json:"construct,omitempty"`
	// File is the path of the template, relative to the folder of the assembly; Line is the
	// line of the resource, 0 for the stack itself.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// Message says what is wrong, what was found and what is allowed.
	Message string `json:"message"`
	// Accepted is the reason of the acceptance, "" if the finding is not accepted.
	Accepted string `json:"accepted,omitempty"`
}

// Rule is a condition that each assembly must meet.
type Rule struct {
	// ID is stable: the name in reports, documentation and exceptions.
	ID string
	// Summary states the rule in one sentence.
	Summary string
	// Source is an AWS document or a Security Hub control that demands the rule.
	Source string

	check func(*Assembly, *report)
}

// Check applies all rules to the assembly, under each outcome of its conditions. The
// findings are sorted by stack, resource, rule and message.
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

// report collects the findings of one rule.
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

// stack reports a mistake in a whole template.
func (p *report) stack(s *Stack, format string, args ...any) {
	*p.found = append(*p.found, Finding{Rule: p.rule, Stack: s.Path, File: s.File, Message: fmt.Sprintf(format, args...)})
}

// image reports a container image, in its asset manifest.
func (p *report) image(i image, format string, args ...any) {
	stack := strings.TrimSuffix(path.Base(i.file), ".assets.json")
	*p.found = append(*p.found, Finding{Rule: p.rule, Stack: stack, Construct: i.name, File: i.file, Message: fmt.Sprintf(format, args...)})
}
