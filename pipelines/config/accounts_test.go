package config

import (
	"slices"
	"testing"
)

// Roles that review are those of the accounts that somebody approves for, once each.
func TestReviewRoleARNs(t *testing.T) {
	target := func(id string, roles Roles) Target { return Target{Account: &Account{ID: id, Roles: roles}} }
	prod, dev := target("333333333333", Roles{Type: Managed}), target("222222222222", Roles{Type: Bootstrap})
	given := target("444444444444", Roles{Type: Given, DeployRoleARN: "arn:aws:iam::444444444444:role/deploy"})
	c := &Config{Name: "shop", Environments: []*Environment{
		{Waves: [][]Target{{dev}}},
		{Waves: [][]Target{{given, prod}, {prod}}, Approval: &Approval{}},
	}}
	want := []string{"arn:aws:iam::333333333333:role/shop-review", "arn:aws:iam::444444444444:role/deploy"}
	if got := c.ReviewRoleARNs(); !slices.Equal(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
}
