//go:build !race

package test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"
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
		if err := json.Unmarshal([]byte(s.template.text), &parsed); err != nil {
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
		s.template = template{t: t, text: text(parsed)}
		mutated.stacks[i] = s
	}
	if !changed {
		t.Fatalf("%s: nothing is changed", m.name)
	}
	return &mutated
}

// inlinePolicy edits the first statement of an inline policy that names an action of
// a service.
func inlinePolicy(service string, edit func(statement object)) func(object) {
	return func(properties object) {
		for _, p := range list(properties["Policies"]) {
			statement(service, edit)(p.(object))
		}
	}
}

// policyAt edits the statement of a Sid in a policy that a property holds.
func policyAt(property, sid string, edit func(statement object)) func(object) {
	return func(properties object) {
		for _, s := range list(at(properties, property, "Statement")) {
			if at(s, "Sid") == sid {
				edit(s.(object))
			}
		}
	}
}

func lacking(keys ...string) func(object) {
	return func(s object) {
		for _, key := range keys {
			delete(s, key)
		}
	}
}

// chainMutants are the mistakes that the closure must find.
var chainMutants = []chainMutant{
	{"a deploy role for all of the tooling account", "Roles-prod", "Deploy", trusting(lacking("Condition"))},
	{"a deploy role for other roles as well", "Roles-prod", "Deploy", trusting(func(s object) {
		s["Condition"] = object{"ArnLike": object{"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}}
	})},
	{"a deploy role for nobody", "Roles-prod", "Deploy", trusting(func(s object) {
		s["Condition"] = object{"ArnEquals": object{"aws:PrincipalArn": "arn:aws:iam::111111111111:role/none"}}
	})},
	{"a deploy role that passes every role", "Roles-prod", "Deploy", inlinePolicy("iam", func(s object) { s["Resource"] = "*" })},
	{"a deploy role that passes its role to any service", "Roles-prod", "Deploy", inlinePolicy("iam", lacking("Condition"))},
	{"a deploy role for stacks of others", "Roles-prod", "Deploy", inlinePolicy("cloudformation", func(s object) { s["Resource"] = "*" })},
	{"a CloudFormation role without a boundary", "Roles-prod", "Execution", func(p object) {
		p["PermissionsBoundary"] = "arn:aws:iam::aws:policy/AdministratorAccess"
		p["AssumeRolePolicyDocument"] = object{"Version": "2012-10-17", "Statement": []any{object{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"AWS": "*"}}}}
	}},
	{"a review role for everybody", "Roles-prod", "Review", trusting(lacking("Condition"))},
	{"a CD pipeline that may assume nothing", "Cd", "RoleDefaultPolicy", statement("sts", func(s object) { s["Effect"] = "Deny" })},
	{"a build that may push everywhere", "Tooling/Ci-apps", "app01BuildRole", inlinePolicy("ecr", func(s object) {
		s["Action"] = "ecr:*"
		s["Resource"] = "*"
	})},
	{"a build that may commit", "Tooling/Ci-apps", "app01BuildRole", inlinePolicy("logs", func(s object) {
		s["Action"] = append(list(s["Action"]), "codecommit:GitPush")
		s["Resource"] = "*"
	})},
	{"a build that may deploy", "Tooling/Ci-apps", "app01BuildRole", inlinePolicy("logs", func(s object) {
		s["Action"] = append(list(s["Action"]), "sts:AssumeRole")
		s["Resource"] = "*"
	})},
	{"a merge to any branch", "Tooling/Merge", "Role", func(p object) {
		for _, policy := range list(p["Policies"]) {
			for _, s := range list(at(policy, "PolicyDocument", "Statement")) {
				delete(s.(object), "Condition")
			}
		}
	}},
	{"images for anybody", "Tooling/Shared", "Repositoryapp01", func(p object) {
		for _, s := range list(at(p, "RepositoryPolicyText", "Statement")) {
			s.(object)["Principal"] = "*"
			delete(s.(object), "Condition")
		}
	}},
	{"images that target accounts may change", "Tooling/Shared", "Repositoryapp01", func(p object) {
		for _, s := range list(at(p, "RepositoryPolicyText", "Statement")) {
			s.(object)["Action"] = "ecr:*"
		}
	}},
	{"a key without S3", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s object) {
		delete(at(s, "Condition").(object), "StringEquals")
	})},
	{"a key for all roles of the targets", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s object) {
		delete(at(s, "Condition").(object), "ArnLike")
	})},
	{"a key that targets encrypt with", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s object) {
		s["Action"] = append(list(s["Action"]), "kms:Encrypt")
	})},
	{"a key that no target can use", "Tooling/Shared", "Key", policyAt("KeyPolicy", "ReadArtifacts", func(s object) { s["Effect"] = "Deny" })},
	{"artifacts that targets may write", "Tooling/Shared", "ArtifactsPolicy", func(p object) {
		for _, s := range list(at(p, "PolicyDocument", "Statement")) {
			if at(s, "Effect") == "Allow" {
				s.(object)["Action"] = "s3:*"
			}
		}
	}},
	{"artifacts for all roles of the targets", "Tooling/Shared", "ArtifactsPolicy", func(p object) {
		for _, s := range list(at(p, "PolicyDocument", "Statement")) {
			if at(s, "Effect") == "Allow" {
				delete(s.(object), "Condition")
			}
		}
	}},
	{"a pipeline for other accounts", "Cd", "Role", trusting(lacking("Condition"))},
}
