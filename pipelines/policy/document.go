package policy

import (
	"encoding/json"
	"slices"

	"composecdk/pipelines/config"
)

// Document holds the statements of a policy.
type Document []Statement

// Statement holds one statement of a policy. Exactly one of Action and NotAction is set.
type Statement struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Principal map[string][]string `json:",omitempty"`
	Action    []string            `json:",omitempty"`
	NotAction []string            `json:",omitempty"`
	Resource  []string            `json:",omitempty"`
	Condition Condition           `json:",omitempty"`
}

// Condition maps an operator and a key to values.
type Condition map[string]map[string][]string

const (
	allow = "Allow"
	deny  = "Deny"
)

// MarshalJSON writes the document as IAM reads it.
func (d Document) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []Statement(d)})
}

// Map returns the document as values of JSON.
func (d Document) Map() map[string]any {
	var document map[string]any
	fill(d, &document)
	return document
}

// Map returns the statement as values of JSON.
func (s Statement) Map() map[string]any {
	var statement map[string]any
	fill(s, &statement)
	return statement
}

func fill(from, into any) {
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		panic(err) // texts and lists have JSON
	}
}

// Size returns the number of bytes that count against a quota of AWS: all but white
// space.
func (d Document) Size() int {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // texts and lists have JSON
	}
	return len(text)
}

// within requires a principal of the organisation.
func within(c *config.Config, condition Condition) Condition {
	if c.OrganizationID == "" {
		return condition
	}
	if condition == nil {
		condition = Condition{}
	}
	if condition["StringEquals"] == nil {
		condition["StringEquals"] = map[string][]string{}
	}
	condition["StringEquals"]["aws:PrincipalOrgID"] = []string{c.OrganizationID}
	return condition
}

// others returns the target accounts except the tooling account.
func others(c *config.Config) []*config.Account {
	return slices.DeleteFunc(c.TargetAccounts(), func(a *config.Account) bool { return a == c.Tooling.Account })
}

func roots(c *config.Config, accounts ...*config.Account) map[string][]string {
	var arns []string
	for _, a := range accounts {
		arns = append(arns, c.ARN("iam", "", a, "root"))
	}
	return map[string][]string{"AWS": arns}
}
