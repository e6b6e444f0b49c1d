package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Pattern is a target to synthesise for several. Targets of an environment that differ
// only in identifiers share one, in which markers replace these: a large application in
// many accounts is synthesised once.
type Pattern struct {
	Target Target
	// Of has the targets of the pattern; if there is only one, Target is it.
	Of []Target
}

// Patterns returns the patterns of an environment, in the order of its targets.
func (e *Environment) Patterns() []Pattern {
	var patterns []Pattern
	index := map[string]int{}
	for _, t := range e.Targets() {
		key := t.shape()
		i, ok := index[key]
		if !ok {
			i = len(patterns)
			index[key] = i
			patterns = append(patterns, Pattern{})
		}
		patterns[i].Of = append(patterns[i].Of, t)
	}
	for i, p := range patterns {
		patterns[i].Target = p.Of[0]
		if len(p.Of) > 1 {
			patterns[i].Target = p.Of[0].marked()
		}
	}
	return patterns
}

// shape returns everything about a target except identifiers.
func (t Target) shape() string {
	subnets := ""
	if t.VPC != nil {
		subnets = fmt.Sprint(len(t.VPC.AppSubnets), len(t.VPC.PublicSubnets), len(t.VPC.StorageSubnets))
	}
	r := t.Account.Roles
	return fmt.Sprintf("%s %q %s %t %t %s %q %q", t.Region, t.Account.Zones(t.Region), subnets, t.Cluster != "", t.Namespace != "",
		r.Type, r.Qualifier, r.PermissionsBoundary)
}

// identifiers may differ among targets of one shape.
func (t Target) identifiers() []string {
	ids := []string{t.Account.ID, t.Account.Name, t.Cluster, t.Namespace, t.Account.Roles.DeployRoleARN, t.Account.Roles.ExecutionRoleARN}
	if t.VPC != nil {
		ids = append(ids, t.VPC.ID)
		ids = slices.Concat(ids, t.VPC.AppSubnets, t.VPC.PublicSubnets, t.VPC.StorageSubnets)
	}
	return ids
}

// The markers have the form of the identifiers that they replace. None is part of
// another.
const (
	markedAccount   = "990000000099"
	markedName      = "pattern-of-accounts"
	markedCluster   = "pattern-of-clusters"
	markedNamespace = "ns-patternofnamespace"
	markedVPC       = "vpc-0feedfacefeedf00d"
	markedSubnet    = "subnet-0feedface%08x"
	markedRole      = "arn:aws:iam::990000000099:role/pattern-of-%s"
)

// marked replaces each identifier of a target by its marker.
func (t Target) marked() Target {
	account := *t.Account
	account.ID, account.Name = markedAccount, markedName
	if account.Roles.DeployRoleARN != "" {
		account.Roles.DeployRoleARN = fmt.Sprintf(markedRole, "deploy-roles")
		account.Roles.ExecutionRoleARN = fmt.Sprintf(markedRole, "execution-roles")
	}
	t.Account = &account
	if t.Cluster != "" {
		t.Cluster = markedCluster
	}
	if t.Namespace != "" {
		t.Namespace = markedNamespace
	}
	if t.VPC == nil {
		return t
	}
	vpc := *t.VPC
	vpc.ID = markedVPC
	n := 0
	for _, subnets := range []*[]string{&vpc.AppSubnets, &vpc.PublicSubnets, &vpc.StorageSubnets} {
		marked := make([]string, len(*subnets))
		for i := range marked {
			marked[i] = fmt.Sprintf(markedSubnet, n)
			n++
		}
		*subnets = marked
	}
	t.VPC = &vpc
	return t
}

// Fill puts the identifiers of one of its targets in the place of the markers of a
// text that was made for the pattern.
func (p Pattern) Fill(t Target) *strings.Replacer {
	var pairs []string
	values := t.identifiers()
	for i, marker := range p.Target.identifiers() {
		if marker != "" {
			pairs = append(pairs, marker, values[i])
		}
	}
	return strings.NewReplacer(pairs...)
}

var anyMarker = regexp.MustCompile(`990000000099|pattern-?of|feedface`)

// Marked reports whether a text holds a marker, or the rest of one in a name derived
// from it.
func Marked(text string) bool { return anyMarker.MatchString(text) }
