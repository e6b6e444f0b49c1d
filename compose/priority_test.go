package compose

import (
	"fmt"
	"strings"
	"testing"

	"composecdk/compose/diag"
)

// The bands of priorities must follow each other without a gap or an overlap, and
// all of them must fit below the last priority.
func TestPriorityBands(t *testing.T) {
	for literal := longestPath; literal > 0; literal-- {
		if got, want := bandStart(literal-1), bandStart(literal)+places(literal); got != want {
			t.Errorf("the places for %d letters start at %d, want %d", literal-1, got, want)
		}
	}
	if size := bandStart(-1); size != bandStart(0)+places(0) || 3*size > lastRule {
		t.Errorf("three bands of %d do not fit into %d", size, lastRule)
	}
	for literal, want := range map[int]int{0: 1500, 2: 1500, 3: 400, 24: 400, 25: 30, longestPath: 30} {
		if got := places(literal); got != want {
			t.Errorf("%d letters: got %d places, want %d", literal, got, want)
		}
	}
	if bandStart(longestPath) != 0 {
		t.Error("the longest paths do not come first")
	}
}

// A rule must want a priority of its band, and of the length of its path.
func TestWantedPriority(t *testing.T) {
	size := bandStart(-1)
	for _, c := range []struct {
		rule          Rule
		band, literal int
	}{
		{Rule{Hosts: []string{"a.example.com"}}, 0, 0},
		{Rule{Hosts: []string{"*.example.com"}, Paths: []string{"/a*"}}, 1, 2},
		{Rule{Hosts: []string{"a.example.com", "?.example.com"}}, 1, 0},
		{Rule{Paths: []string{"/abc"}}, 2, 5},
		{Rule{Paths: []string{"/abc", "/a?c"}}, 2, 2},
		{Rule{Paths: []string{"/" + strings.Repeat("x", longestPath)}}, 2, longestPath},
		{Rule{Conditions: []map[string]any{{"Field": "x"}}}, 2, 0},
	} {
		from := c.band*size + bandStart(c.literal)
		if got := c.rule.wanted(); got <= from || got > from+places(c.literal) {
			t.Errorf("%s: got %d, want %d to %d", c.rule.Name(), got, from+1, from+places(c.literal))
		}
	}
}

// A rule whose place is taken must get the next free one, from the last on the
// first; two rules that want the same place must both get one.
func TestPriorityTaken(t *testing.T) {
	r := &resolver{Reporter: &diag.Reporter{}}
	path := &Rule{Paths: []string{"/a"}}
	wanted := path.wanted()
	holder := &Rule{Hosts: []string{"h"}, Priority: wanted, Pinned: true}
	next := &Rule{Hosts: []string{"i"}, Priority: wanted + 1, Pinned: true}
	rules := []*Rule{path, next, holder}
	r.prioritise(rules)
	if path.Priority != wanted+2 || rules[0] != holder || rules[2] != path || len(r.Found) > 0 {
		t.Errorf("got %d of %v, %v", path.Priority, rules, r.Found)
	}
}

// The name of a rule must be the same however its words are ordered.
func TestRuleName(t *testing.T) {
	condition := map[string]any{"b": []any{"x", 1, map[string]any{"z": true, "a": nil}}, "a": 2.5}
	rule := Rule{Hosts: []string{"b", "a"}, Paths: []string{"/2", "/1"}, Conditions: []map[string]any{{"f": "y"}, condition}}
	want := "host a or b and path /1 or /2 and {a: 2.5, b: [x, 1, {a: <nil>, z: true}]} and {f: y}"
	if got := fmt.Sprint(rule.Name()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
