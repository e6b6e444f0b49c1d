package compose

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"composecdk/compose/diag"
)

// The priorities of rules are in three bands: rules for whole host names come
// first, then those for host patterns, then those without a host. In a band, the
// longer the literal start of the path, the earlier. Rules that are equal in
// both get a place by a hash of their words. See docs/decisions/rule-priorities.md.
const (
	longestPath = 128 // of a path pattern
	lastRule    = 50000
)

// places returns how many priorities the rules of one band and one literal length
// share: many where many rules are expected, so that two seldom want the same.
func places(literal int) int {
	switch {
	case literal <= 2: // no path, "/" and "/*"
		return 1500
	case literal <= 24:
		return 400
	default:
		return 30
	}
}

// bandStart returns how many priorities of a band come before the priorities of one literal
// length; a negative length asks for the size of the band.
func bandStart(literal int) int {
	n := 0
	for longer := longestPath; longer > literal; longer-- {
		n += places(longer)
	}
	return n
}

// prioritise gives each rule of a listener its priority, and sorts by it. Rules
// with a priority of their own keep it.
func (r *resolver) prioritise(rules []*Rule) {
	taken := map[int]*Rule{}
	for _, rule := range rules {
		if rule.Priority == 0 {
			continue
		}
		if other := taken[rule.Priority]; other != nil {
			r.Errorf(rule.Path.Key("Priority"), "rule-priority", "another rule of the listener has priority %d", rule.Priority)
		}
		taken[rule.Priority] = rule
	}
	slices.SortStableFunc(rules, func(a, b *Rule) int { return strings.Compare(a.Name(), b.Name()) })
	for i, rule := range rules {
		if i > 0 && rule.Name() == rules[i-1].Name() {
			r.Errorf(rule.Path, "rule-duplicate", "another rule of the listener has the same conditions, %s", rule.Name())
		}
		if rule.Priority != 0 {
			continue
		}
		rule.Priority = rule.wanted()
		for taken[rule.Priority] != nil {
			rule.Priority = rule.Priority%lastRule + 1
		}
		taken[rule.Priority] = rule
	}
	slices.SortFunc(rules, func(a, b *Rule) int { return a.Priority - b.Priority })
}

// wanted returns the priority that follows from the rule's words alone.
func (r *Rule) wanted() int {
	band := 2
	if len(r.Hosts) > 0 {
		band = 0
		if slices.ContainsFunc(r.Hosts, isPattern) {
			band = 1
		}
	}
	literal := longestPath
	for _, path := range r.Paths {
		literal = min(literal, literalLength(path))
	}
	if len(r.Paths) == 0 {
		literal = 0
	}
	hash := fnv.New32a()
	hash.Write([]byte(r.Name()))
	return band*bandStart(-1) + bandStart(literal) + int(hash.Sum32()%uint32(places(literal))) + 1
}

func isPattern(s string) bool { return strings.ContainsAny(s, "*?") }

// literalLength returns the length of a path pattern up to its first wildcard; a path
// without any counts its end too, so that it precedes the pattern "<path>*".
func literalLength(path string) int {
	n := strings.IndexAny(path, "*?")
	if n < 0 {
		n = len(path) + 1
	}
	return min(n, longestPath)
}

// Name returns the conditions of a rule as text, the same however they are ordered; ""
// is a rule without any.
func (r *Rule) Name() string {
	var names []string
	if len(r.Hosts) > 0 {
		names = append(names, "host "+strings.Join(slices.Sorted(slices.Values(r.Hosts)), " or "))
	}
	if len(r.Paths) > 0 {
		names = append(names, "path "+strings.Join(slices.Sorted(slices.Values(r.Paths)), " or "))
	}
	var others []string
	for _, c := range r.Conditions {
		others = append(others, flat(c))
	}
	slices.Sort(others)
	return strings.Join(append(names, others...), " and ")
}

// flat writes any value of the file as text, mappings in the order of their keys.
func flat(value any) string {
	switch v := value.(type) {
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, key+": "+flat(v[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, flat(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if text, ok := diag.ScalarText(value); ok {
		return text
	}
	return fmt.Sprint(value)
}
