//go:build !race

package test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mutant is a case with a change that makes one policy too wide or too narrow.
type mutant struct {
	name, from string
	// resource is a regular expression for the logical id.
	resource string
	change   func(properties map[string]any)
}

// of applies the change to a copy of the case; it must change something.
func (m mutant) of(t *testing.T) judged {
	t.Helper()
	all := judgedCases(t)
	i := slices.IndexFunc(all, func(c judged) bool { return c.name == m.from })
	c := all[i]
	c.templates = map[string]template{}
	changed := false
	for stack, tm := range all[i].templates {
		var parsed struct {
			Resources map[string]map[string]any
			Outputs   any
		}
		if err := json.Unmarshal([]byte(tm.text), &parsed); err != nil {
			t.Fatal(err)
		}
		for id, r := range parsed.Resources {
			if before := text(r); regexp.MustCompile(`^(?:` + m.resource + `)[0-9A-F]{8}$`).MatchString(id) {
				m.change(r["Properties"].(map[string]any))
				changed = changed || text(r) != before
			}
		}
		c.templates[stack] = template{t: t, text: text(parsed)}
	}
	if !changed {
		t.Fatalf("%s: nothing is changed", m.name)
	}
	return c
}

// statement edits the first statement of a policy that names an action of a service.
func statement(service string, edit func(statement map[string]any)) func(map[string]any) {
	return func(properties map[string]any) {
		for _, s := range at(properties, "PolicyDocument", "Statement").([]any) {
			if strings.Contains(text(at(s, "Action")), `"`+service+`:`) {
				edit(s.(map[string]any))
				return
			}
		}
	}
}

// adding adds a statement to a policy.
func adding(statement map[string]any) func(map[string]any) {
	return func(properties map[string]any) {
		document := properties["PolicyDocument"].(map[string]any)
		document["Statement"] = append(document["Statement"].([]any), statement)
	}
}

// trusting edits the one statement of a trust policy.
func trusting(edit func(statement map[string]any)) func(map[string]any) {
	return func(properties map[string]any) {
		edit(at(properties, "AssumeRolePolicyDocument", "Statement", 0).(map[string]any))
	}
}

// object is one of JSON.
type object = map[string]any

// mutants are the mistakes that the closure must find.
var mutants = []mutant{
	{"an action that no profile has", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { s["Action"] = append(list(s["Action"]), "sqs:DeleteQueue") })},
	{"an action of another profile", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { s["Action"] = append(list(s["Action"]), "sqs:ReceiveMessage") })},
	{"all actions of the service", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { s["Action"] = "sqs:*" })},
	{"all actions but one", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { delete(s, "Action"); s["NotAction"] = "sqs:DeleteQueue" })},
	{"all queues", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { s["Resource"] = "*" })},
	{"everything", "rich", "apiTaskRoleDefaultPolicy", adding(object{"Effect": "Allow", "Action": "*", "Resource": "*"})},
	{"an action less", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { s["Action"] = "sqs:GetQueueUrl" })},
	{"a binding without effect", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { s["Effect"] = "Deny" })},
	{"a condition that no request meets", "rich", "apiTaskRoleDefaultPolicy", statement("sqs", func(s object) { s["Condition"] = object{"Bool": object{"aws:SecureTransport": "false"}} })},
	{"the access of a neighbour", "rich", "webTaskRoleDefaultPolicy", adding(object{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:*:*:table/*"})},
	{"the indexes only", "rich", "apiTaskRoleDefaultPolicy", statement("dynamodb", func(s object) { s["Resource"] = []any{at(s, "Resource", 1)} })},
	{"the application's access for the agent", "rich", "apiExecutionRoleDefaultPolicy", adding(object{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"})},
	{"all secrets for the agent", "services", "shopExecutionRoleDefaultPolicy", statement("secretsmanager", func(s object) { s["Resource"] = "*" })},
	{"all parameters for the agent", "services", "shopExecutionRoleDefaultPolicy", statement("ssm", func(s object) { s["Resource"] = "arn:aws:ssm:*:*:parameter/*" })},
	{"a secret that the agent cannot read", "services", "shopExecutionRoleDefaultPolicy", statement("secretsmanager", func(s object) { s["Resource"] = at(s, "Resource", 0) })},
	{"a secret for the application", "rich", "apiTaskRoleDefaultPolicy", adding(object{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"})},
	{"another's secret for the agent", "x-rds", "batchExecutionRoleDefaultPolicy", statement("secretsmanager", func(s object) { s["Resource"] = "arn:aws:secretsmanager:*:*:secret:*" })},
	{"a key without the service", "x-sqs", "webTaskRoleDefaultPolicy", statement("kms", func(s object) { delete(s, "Condition") })},
	{"a key through another service", "x-sqs", "webTaskRoleDefaultPolicy", statement("kms", func(s object) { s["Condition"] = object{"StringLike": object{"kms:ViaService": "*"}} })},
	{"all that a key can do", "x-dynamodb", "adminTaskRoleDefaultPolicy", statement("kms", func(s object) { s["Action"] = "kms:*" })},
	{"all keys", "x-dynamodb", "adminTaskRoleDefaultPolicy", statement("kms", func(s object) { s["Resource"] = "*" })},
	{"a file system without its access point", "rich", "webTaskRoleDefaultPolicy", statement("elasticfilesystem", func(s object) { delete(s, "Condition") })},
	{"a volume for a neighbour", "rich", "apiTaskRoleDefaultPolicy", adding(object{"Effect": "Allow", "Action": "elasticfilesystem:ClientMount", "Resource": "*"})},
	{"a volume that cannot be written", "rich", "webTaskRoleDefaultPolicy", statement("elasticfilesystem", func(s object) { s["Action"] = "elasticfilesystem:ClientMount" })},
	{"a role for anybody", "rich", "apiTaskRole", trusting(func(s object) { s["Principal"] = "*"; delete(s, "Condition") })},
	{"a role for the account", "rich", "apiTaskRole", trusting(func(s object) {
		s["Principal"] = object{"AWS": "arn:aws:iam::" + homeAccount + ":root"}
		delete(s, "Condition")
	})},
	{"a role for another service", "rich", "apiExecutionRole", trusting(func(s object) {
		s["Principal"] = object{"Service": []any{"ecs-tasks.amazonaws.com", "lambda.amazonaws.com"}}
	})},
	{"a role for tasks of other accounts", "rich", "apiExecutionRole", trusting(func(s object) { delete(s, "Condition") })},
	{"a queue for everybody", "x-sqs", "xsqsordersPolicy", adding(object{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"})},
	{"a queue over plain text", "x-sqs", "xsqsordersPolicy", statement("sqs", func(s object) { s["Condition"] = object{"Bool": object{"aws:SecureTransport": "maybe"}} })},
	{"a queue for a service of other accounts", "x-sqs", "xsqsordersPolicy", func(properties map[string]any) {
		for _, s := range at(properties, "PolicyDocument", "Statement").([]any) {
			if at(s, "Effect") == "Allow" {
				delete(s.(map[string]any), "Condition")
			}
		}
	}},
}
