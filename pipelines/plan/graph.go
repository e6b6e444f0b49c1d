package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// node is an action that has no name and no run order yet.
type node struct {
	Action
	// path is the place of the action within its stage in CDK Pipelines: target, stack,
	// step.
	path  []string
	after []*node
}

// graph collects the actions of a stage.
type graph struct{ nodes []*node }

func (g *graph) add(kind Kind, account string, path []string, after ...*node) *node {
	n := &node{Action: Action{Kind: kind, Account: account}, path: path, after: after}
	g.nodes = append(g.nodes, n)
	return n
}

// stage gives every action its name and run order, as CDK Pipelines does: an action
// runs as soon as all that it waits for is over.
func (g *graph) stage(name string) Stage {
	orders := map[*node]int{}
	var order func(*node) int
	order = func(n *node) int {
		if orders[n] == 0 {
			last := 0
			for _, before := range n.after {
				last = max(last, order(before))
			}
			orders[n] = last + 1
		}
		return orders[n]
	}
	shared := g.shared()
	stage := Stage{Name: name}
	for _, n := range g.nodes {
		n.RunOrder = order(n)
		if n.Name == "" {
			n.Name = actionName(n.path[shared:])
		}
		stage.Actions = append(stage.Actions, n.Action)
	}
	return stage
}

// shared returns the length of the common prefix of all paths.
func (g *graph) shared() int {
	first := g.nodes[0].path
	n := len(first) - 1
	for _, other := range g.nodes[1:] {
		n = min(n, len(other.path)-1)
		for i := range n {
			if other.path[i] != first[i] {
				n = i
				break
			}
		}
	}
	return n
}

var notInActionName = regexp.MustCompile(`[^A-Za-z0-9.@_-]+`)

// Lengths of the names of actions in CDK Pipelines.
const (
	longestName = 100
	leastOfName = 15
)

// actionName names an action as CDK Pipelines does, with a hash in the middle of a long
// name.
func actionName(path []string) string {
	parts := slices.Clone(path)
	for i := range parts {
		parts[i] = notInActionName.ReplaceAllString(parts[i], "_")
	}
	if name := strings.Join(parts, "."); len(name) <= longestName {
		return name
	}
	most := max(leastOfName, (longestName-len(parts)+1)/len(parts))
	for i := range parts {
		parts[i] = shorten(parts[i], most)
	}
	return shorten(strings.Join(parts, "."), longestName-2)
}

func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a text has JSON
	}
	sum := sha256.Sum256(text)
	const digits = 8
	half := (most - digits) / 2
	return s[:half] + hex.EncodeToString(sum[:])[:digits] + s[len(s)-half:]
}
