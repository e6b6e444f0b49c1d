package gate

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Acceptance accepts the findings of one rule at one place.
type Acceptance struct {
	// Rule is the id of the rule.
	Rule string `yaml:"rule"`
	// At is the resource: the path of its stack and its logical id, or its path in the
	// construct tree. A * stands for any part of a name between two slashes.
	At string `yaml:"at"`
	// Reason says why the finding is acceptable.
	Reason string `yaml:"reason"`

	line int
}

// Acceptances reads a list of acceptances, in YAML or JSON. Each needs the id of a rule, a
// place and a reason.
func Acceptances(text []byte) ([]Acceptance, error) {
	var rows []yaml.Node
	if err := yaml.Unmarshal(text, &rows); err != nil {
		return nil, errors.New("it must be a list of {rule, at, reason}")
	}
	accepted := make([]Acceptance, 0, len(rows))
	for _, row := range rows {
		a := Acceptance{line: row.Line}
		if err := row.Load(&a, yaml.WithKnownFields()); err != nil {
			return nil, fmt.Errorf("line %d: it must have rule, at and reason, and nothing else: %w", row.Line, err)
		}
		if !slices.ContainsFunc(Rules, func(r Rule) bool { return r.ID == a.Rule }) {
			return nil, fmt.Errorf("line %d: %q is not the id of a rule", a.line, a.Rule)
		}
		if strings.TrimSpace(a.Reason) == "" {
			return nil, fmt.Errorf("line %d: a reason is missing", a.line)
		}
		if _, err := path.Match(a.At, ""); a.At == "" || err != nil {
			return nil, fmt.Errorf("line %d: at must be the path of a stack and a logical id, or a path in the construct tree, it is %q", a.line, a.At)
		}
		accepted = append(accepted, a)
	}
	return accepted, nil
}

func (a Acceptance) matches(f Finding) bool {
	if f.Rule != a.Rule {
		return false
	}
	return slices.ContainsFunc([]string{f.logical(), f.Construct}, func(place string) bool {
		ok, err := path.Match(a.At, place)
		return ok && err == nil
	})
}

// Accept adds to each accepted finding the reason of its acceptance. An acceptance that
// matches no finding is an error: the resource was removed, or the acceptance never matched.
func Accept(findings []Finding, accepted []Acceptance) error {
	for _, a := range accepted {
		used := false
		for i, f := range findings {
			if a.matches(f) {
				findings[i].Accepted = a.Reason
				used = true
			}
		}
		if !used {
			return fmt.Errorf("line %d: %s at %s accepts nothing: there is no such finding", a.line, a.Rule, a.At)
		}
	}
	return nil
}
