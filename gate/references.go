package gate

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// reference is one use of a resource or a parameter of the template.
type reference struct {
	// how is the referring function, as in Fn::GetAtt.
	how string
	// id is the name; attribute is "" for Ref.
	id, attribute string
}

var subVariable = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// references returns all references in a value, in the order of the sorted keys.
func references(v any) []reference {
	var found []reference
	walk(v, func(name string, argument any) {
		switch name {
		case "Ref":
			if id, ok := argument.(string); ok {
				found = append(found, reference{how: name, id: id})
			}
		case "Fn::GetAtt":
			if id, attribute := referred(name, argument); id != "" {
				found = append(found, reference{how: name, id: id, attribute: attribute})
			}
		case "Fn::Sub":
			text, own := word(argument), map[string]any(nil)
			if parts, ok := argument.([]any); ok {
				text = word(at(parts, 0))
				own, _ = at(parts, 1).(map[string]any)
			}
			for _, variable := range subVariable.FindAllStringSubmatch(text, -1) {
				if _, ok := own[variable[1]]; ok {
					continue
				}
				id, attribute, _ := strings.Cut(strings.TrimSpace(variable[1]), ".")
				found = append(found, reference{how: name, id: id, attribute: attribute})
			}
		}
	})
	return found
}

// walk calls visit for each intrinsic function of a value, outer ones first.
func walk(v any, visit func(name string, argument any)) {
	if name, argument, ok := function(v); ok {
		visit(name, argument)
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			walk(item, visit)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(v[key], visit)
		}
	}
}

// needs returns the resources of the same stack that a resource refers to or depends on:
// CloudFormation creates them first.
func (r *Resource) needs() []*Resource {
	if r.needed != nil {
		return r.needed
	}
	found := []*Resource{}
	add := func(id string) {
		if other := r.Stack.byLogical[id]; other != nil && !slices.Contains(found, other) {
			found = append(found, other)
		}
	}
	for _, id := range r.DependsOn {
		add(id)
	}
	for _, ref := range references(r.Properties) {
		add(ref.id)
	}
	r.needed = found
	return found
}

// uses returns the root stacks whose outputs a stack or its nested stacks read.
func (s *Stack) uses() []*Stack {
	var found []*Stack
	for _, part := range s.assembly.Stacks {
		if part.root() != s {
			continue
		}
		read := func(v any) {
			walk(v, func(name string, argument any) {
				var from *Stack
				switch name {
				case "Fn::GetStackOutput":
					from, _ = part.output(argument)
				case "Fn::ImportValue":
					from, _ = part.export(argument)
				}
				if from != nil && !slices.Contains(found, from.root()) {
					found = append(found, from.root())
				}
			})
		}
		for _, r := range part.Resources {
			read(r.Properties)
		}
		for _, name := range slices.Sorted(maps.Keys(part.Outputs)) {
			read(part.Outputs[name])
		}
	}
	return found
}

// root returns the outermost stack around s.
func (s *Stack) root() *Stack {
	for s.parent != nil {
		s = s.parent
	}
	return s
}

// createdAfter reports whether a resource waits for another, directly or transitively, in
// its own stack, a nested one or the stacks around it.
func (r *Resource) createdAfter(other *Resource) bool {
	seen := map[*Resource]bool{}
	var waits func(r *Resource) bool
	waits = func(r *Resource) bool {
		if r == other {
			return true
		}
		if seen[r] {
			return false
		}
		seen[r] = true
		next := r.needs()
		if nested := r.Stack.nested(r.LogicalID); nested != nil {
			next = append(next, nested.Resources...)
		}
		return slices.ContainsFunc(next, waits)
	}
	for s := r.Stack; ; s = s.parent {
		if slices.ContainsFunc(r.needs(), waits) {
			return true
		}
		if s.parent == nil || s.parent.byLogical[s.Name] == nil {
			return false
		}
		r = s.parent.byLogical[s.Name]
	}
}

// cycles returns cycles of a graph without a node in common, as the nodes of each in order.
// Of cycles with common nodes one is enough to see what to cut.
func cycles[T comparable](nodes []T, next func(T) []T) [][]T {
	var found [][]T
	const (
		open   = 1
		closed = 2
	)
	state, looped := map[T]int{}, map[T]bool{}
	var path []T
	var visit func(T)
	visit = func(n T) {
		state[n] = open
		path = append(path, n)
		for _, to := range next(n) {
			switch state[to] {
			case open:
				loop := path[slices.Index(path, to):]
				if !slices.ContainsFunc(loop, func(n T) bool { return looped[n] }) {
					found = append(found, slices.Clone(loop))
				}
				for _, n := range loop {
					looped[n] = true
				}
			case closed:
			default:
				visit(to)
			}
		}
		path = path[:len(path)-1]
		state[n] = closed
	}
	for _, n := range nodes {
		if state[n] == 0 {
			visit(n)
		}
	}
	return found
}
