package iam

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// Principal asks: an ARN, or an AWS service, with its identity policies.
type Principal struct {
	ARN      string `json:"arn"`
	Policies []any  `json:"policies"`
	Boundary any    `json:"boundary"`
}

// Question asks which actions a principal may do on a resource.
type Question struct {
	Principal int            `json:"principal"`
	Resource  string         `json:"resource"`
	Account   string         `json:"account"`
	Policy    any            `json:"policy"`
	Services  []string       `json:"services"`
	Context   map[string]any `json:"context"`
	// Matters is a regular expression for the actions that are asked; "" is all.
	Matters string `json:"matters"`

	// About names the question in messages.
	About string `json:"-"`
	// Want are the actions that must be allowed, which may end in *; all others
	// that the resource knows must be denied.
	Want []string `json:"-"`
}

// Answer has all actions that the resource knows, and the allowed ones.
type Answer struct{ Asked, Allowed []string }

// Inquiry collects the questions about one case.
type Inquiry struct {
	Resolver
	Principals []Principal
	Questions  []Question
}

// Decide asks the simulator everything at once.
func Decide(t *testing.T, all []*Inquiry) map[*Inquiry][]Answer {
	t.Helper()
	var input struct {
		Principals []Principal `json:"principals"`
		Questions  []Question  `json:"questions"`
	}
	for _, c := range all {
		for _, q := range c.Questions {
			q.Principal += len(input.Principals)
			input.Questions = append(input.Questions, q)
		}
		input.Principals = append(input.Principals, c.Principals...)
	}
	var answers []Answer
	fixture.Node(t, "../iam/closure.mjs", input, &answers)
	given := map[*Inquiry][]Answer{}
	for _, c := range all {
		given[c], answers = answers[:len(c.Questions)], answers[len(c.Questions):]
	}
	return given
}

// Problems lists the answers that differ from what the questions want.
func (c *Inquiry) Problems(answers []Answer) []string {
	var problems []string
	for i, q := range c.Questions {
		for _, action := range answers[i].Asked {
			want := slices.ContainsFunc(q.Want, func(w string) bool { return Wild(w, action) })
			if got := slices.Contains(answers[i].Allowed, action); got != want {
				problems = append(problems, fmt.Sprintf("%s: %s: %s on %s: allowed %v, declared %v", c.Name, q.About, action, q.Resource, got, want))
			}
		}
		if len(answers[i].Asked) == 0 {
			problems = append(problems, fmt.Sprintf("%s: %s: IAM knows no action of %v on %s", c.Name, q.About, q.Services, q.Resource))
		}
	}
	return problems
}

// Wild reports whether a pattern with * matches.
func Wild(pattern, s string) bool {
	return regexp.MustCompile(`^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`).MatchString(s)
}

// Contexts of a request, over TLS and over plain text.
var (
	Secure   = map[string]any{"aws:SecureTransport": "true"}
	Insecure = map[string]any{"aws:SecureTransport": "false"}
)

// Who adds a principal and returns its index.
func (c *Inquiry) Who(arn string, policies ...any) int {
	if policies == nil {
		policies = []any{}
	}
	c.Principals = append(c.Principals, Principal{ARN: arn, Policies: policies})
	return len(c.Principals) - 1
}

// Asks adds a question; a resource of another account without a policy gets Hospitable.
func (c *Inquiry) Asks(who int, about, resource string, policy any, services []string, context map[string]any, want []string) {
	account := strings.Split(resource, ":")[4]
	if account == "" {
		account = HomeAccount
	}
	if account != HomeAccount && policy == nil {
		policy = Hospitable
	}
	c.Questions = append(c.Questions, Question{
		Principal: who, Resource: resource, Account: account, Policy: policy, Services: services, Context: context, About: about, Want: want,
	})
}

// Hospitable is the policy of a resource of another account whose owner leaves the
// decision to this one.
var Hospitable = Document(map[string]any{
	"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + HomeAccount + ":root"}, "Action": "*", "Resource": "*",
})

// Everything is the policy of an administrator.
var Everything = Document(map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"})

// Document returns a policy document of statements.
func Document(statements ...any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}

// Principals that templates do not make: an administrator of an account that has nothing
// to do with the case, and one of the case's own account.
const (
	StrangerAccount = "999999999999"
	Stranger        = "arn:aws:iam::" + StrangerAccount + ":role/administrator"
	Administrator   = "arn:aws:iam::" + HomeAccount + ":role/administrator"
)

// Drop leaves out known questions. A key holds all that an answer depends on, so that a
// question that a change of a template leaves as it was has its answer already.
func (c *Inquiry) Drop(known func(key string) bool) {
	c.Questions = slices.DeleteFunc(c.Questions, func(q Question) bool {
		who := c.Principals[q.Principal]
		q.Principal = 0
		return known(assembly.Text(who) + assembly.Text(q) + assembly.Text(q.Want))
	})
}
