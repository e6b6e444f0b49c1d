//go:build !race

package pipelines

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"

	"composecdk/test/iam"
)

// chainMutant is the pipelines of the example with a change that makes one policy too
// wide or too narrow.
type chainMutant struct {
	name string
	// stack is the path of the stack, resource a regular expression for the whole
	// logical id, but for the hash.
	stack, resource string
	change          func(properties map[string]any)
}

// of applies the change to a copy of the example; it must change something.
func (m chainMutant) of(t *testing.T) *delivered {
	t.Helper()
	mutated := *deliveredCases(t)[0]
	mutated.name += ", " + m.name
	mutated.stacks = slices.Clone(mutated.stacks)
	changed := false
	for i, s := range mutated.stacks {
		if s.path != m.stack {
			continue
		}
		var parsed map[string]any
		if err := json.Unmarshal([]byte(s.template.Text), &parsed); err != nil {
			t.Fatal(err)
		}
		resources := parsed["Resources"].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(resources)) {
			if regexp.MustCompile(`^(?:` + m.resource + `)([0-9A-F]{8})?$`).MatchString(id) {
				before := text(resources[id])
				m.change(at(resources[id], "Properties").(map[string]any))
				changed = changed || text(resources[id]) != before
			}
		}
		s.template = template{T: t, Text: text(parsed)}
		mutated.stacks[i] = s
	}
	if !changed {
		t.Fatalf("%s: nothing is changed", m.name)
	}
	return &mutated
}

// inlinePolicy edits the first statement of an inline policy that names an action of
// a service.
func inlinePolicy(service string, edit func(statement iam.Object)) func(iam.Object) {
	return func(properties iam.Object) {
		for _, p := range list(properties["Policies"]) {
			iam.Statement(service, edit)(p.(iam.Object))
		}
	}
}

// policyAt edits the statement of a Sid in a policy that a property holds.
func policyAt(property, sid string, edit func(statement iam.Object)) func(iam.Object) {
	return func(properties iam.Object) {
		for _, s := range list(at(properties, property, "Statement")) {
			if at(s, "Sid") == sid {
				edit(s.(iam.Object))
			}
		}
	}
}

func lacking(keys ...string) func(iam.Object) {
	return func(s iam.Object) {
		for _, key := range keys {
			delete(s, key)
		}
	}
}

// chainMutants are the mistakes that the closure must find.
var chainMutants = []chainMutant{
	{"a deploy role for all of the tooling account", "Roles-prod", "Deploy", iam.Trusting(lacking("Condition"))},
	{"a deploy role for other roles as well", "Roles-prod", "Deploy", iam.Trusting(func(s iam.Object) {
		s["Condition"] = iam.Object{"ArnLike": iam.Object{"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}}
	})},
	{"a deploy role for nobody", "Roles-prod", "Deploy", iam.Trusting(func(s iam.Object) {
		s["Condition"] = iam.Object{"ArnEquals": iam.Object{"aws:PrincipalArn": "arn:aws:iam::111111111111:role/none"}}
	})},
	{"a deploy role that passes every role", "Roles-prod", "Deploy", inlinePolicy("iam", func(s iam.Object) { s["Resource"] = "*" })},
	{"a deploy role that passes its role to any service", "Roles-prod", "Deploy", inlinePolicy("iam", lacking("Condition"))},
	{"a deploy role for stacks of others", "Roles-prod", "Deploy", inlinePolicy("cloudformation", func(s iam.Object) { s["Resource"] = "*" })},
	{"a CloudFormation role without a boundary", "Roles-prod", "Execution", func(p iam.Object) {
		p["PermissionsBoundary"] = "arn:aws:iam::aws:policy/AdministratorAccess"
		p["AssumeRolePolicyDocument"] = iam.Object{"Version": "2012-10-17", "Statement": []any{iam.Object{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": iam.Object{"AWS": "*"}}}}
	}},
	{"a review role for everybody", "Roles-prod", "Review", iam.Trusting(lacking("Condition"))},
	{"a CD pipeline that may assume nothing", "Cd", "RoleDefaultPolicy", iam.Statement("sts", func(s iam.Object) { s["Effect"] = "Deny" })},
	{"a build that may push everywhere", "Tooling/Ci-apps", "app01BuildRole", inlinePolicy("ecr", func(s iam.Object) {
		s["Action"] = "ecr:*"
		s["Resource"] = "*"
	})},
	{"a build that may commit", "Tooling/Ci-apps", "app01BuildRole", inlinePolicy("logs", func(s iam.Object) {
		s["Action"] = append(list(s["Action"]), "codecommit:GitPush")
		s["Resource"] = "*"
	})},
	{"a build that may deploy", "Tooling/Ci-apps", "app01BuildRole", inlinePolicy("logs", func(s iam.Object) {
		s["Action"] = append(list(s["Action"]), "sts:AssumeRole")
		s["Resource"] = "*"
	})},
	{"a merge to any branch", "Tooling/Merge", "Role", func(p iam.Object) {
		for _, policy := range list(p["Policies"]) {
			for _, s := range list(at(policy, "PolicyDocument", "Statement")) {
				delete(s.(iam.Object), "Condition")
			}
		}
	}},
	{"images for anybody", "Tooling/Shared", "Repositoryapp01", func(p iam.Object) {
		for _, s := range list(at(p, "RepositoryPolicyText", "Statement")) {
			s.(iam.Object)["Principal"] = "*"
			delete(s.(iam.Object), "Condition")
		}
	}},
	{"images that target accounts may change", "Tooling/Shared", "Repositoryapp01", func(p iam.Object) {
		for _, s := range list(at(p, "RepositoryPolicyText", "Statement")) {
			s.(iam.Object)["Action"] = "ecr:*"
		}
	}},
	{"a key without S3", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s iam.Object) {
		delete(at(s, "Condition").(iam.Object), "StringEquals")
	})},
	{"a key for all roles of the targets", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s iam.Object) {
		delete(at(s, "Condition").(iam.Object), "ArnLike")
	})},
	{"a key that targets encrypt with", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s iam.Object) {
		s["Action"] = append(list(s["Action"]), "kms:Encrypt")
	})},
	{"a key that no target can use", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s iam.Object) { s["Effect"] = "Deny" })},
	{"artifacts that targets may write", "Tooling/Shared", "ArtifactsPolicy", func(p iam.Object) {
		for _, s := range list(at(p, "PolicyDocument", "Statement")) {
			if at(s, "Effect") == "Allow" {
				s.(iam.Object)["Action"] = "s3:*"
			}
		}
	}},
	{"artifacts for all roles of the targets", "Tooling/Shared", "ArtifactsPolicy", func(p iam.Object) {
		for _, s := range list(at(p, "PolicyDocument", "Statement")) {
			if at(s, "Effect") == "Allow" {
				delete(s.(iam.Object), "Condition")
			}
		}
	}},
	{"a pipeline for other accounts", "Cd", "Role", iam.Trusting(lacking("Condition"))},
}
