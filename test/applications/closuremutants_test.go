//go:build !race

package applications

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"composecdk/test/iam"
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
		if err := json.Unmarshal([]byte(tm.Text), &parsed); err != nil {
			t.Fatal(err)
		}
		for id, r := range parsed.Resources {
			if before := text(r); regexp.MustCompile(`^(?:` + m.resource + `)[0-9A-F]{8}$`).MatchString(id) {
				m.change(r["Properties"].(map[string]any))
				changed = changed || text(r) != before
			}
		}
		c.templates[stack] = template{T: t, Text: text(parsed)}
	}
	if !changed {
		t.Fatalf("%s: nothing is changed", m.name)
	}
	return c
}

// mutants are the mistakes that the closure must find.
var mutants = []mutant{
	{"an action that no profile has", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { s["Action"] = append(list(s["Action"]), "sqs:DeleteQueue") })},
	{"an action of another profile", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { s["Action"] = append(list(s["Action"]), "sqs:ReceiveMessage") })},
	{"all actions of the service", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { s["Action"] = "sqs:*" })},
	{"all actions but one", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { delete(s, "Action"); s["NotAction"] = "sqs:DeleteQueue" })},
	{"all queues", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { s["Resource"] = "*" })},
	{"everything", "rich", "apiTaskRoleDefaultPolicy", iam.Adding(iam.Object{"Effect": "Allow", "Action": "*", "Resource": "*"})},
	{"an action less", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { s["Action"] = "sqs:GetQueueUrl" })},
	{"a binding without effect", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { s["Effect"] = "Deny" })},
	{"a condition that no request meets", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("sqs", func(s iam.Object) { s["Condition"] = iam.Object{"Bool": iam.Object{"aws:SecureTransport": "false"}} })},
	{"the access of a neighbour", "rich", "webTaskRoleDefaultPolicy", iam.Adding(iam.Object{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:*:*:table/*"})},
	{"the indexes only", "rich", "apiTaskRoleDefaultPolicy", iam.Statement("dynamodb", func(s iam.Object) { s["Resource"] = []any{at(s, "Resource", 1)} })},
	{"the application's access for the agent", "rich", "apiExecutionRoleDefaultPolicy", iam.Adding(iam.Object{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"})},
	{"all secrets for the agent", "services", "shopExecutionRoleDefaultPolicy", iam.Statement("secretsmanager", func(s iam.Object) { s["Resource"] = "*" })},
	{"all parameters for the agent", "services", "shopExecutionRoleDefaultPolicy", iam.Statement("ssm", func(s iam.Object) { s["Resource"] = "arn:aws:ssm:*:*:parameter/*" })},
	{"a secret that the agent cannot read", "services", "shopExecutionRoleDefaultPolicy", iam.Statement("secretsmanager", func(s iam.Object) { s["Resource"] = at(s, "Resource", 0) })},
	{"a secret for the application", "rich", "apiTaskRoleDefaultPolicy", iam.Adding(iam.Object{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"})},
	{"another's secret for the agent", "x-rds", "batchExecutionRoleDefaultPolicy", iam.Statement("secretsmanager", func(s iam.Object) { s["Resource"] = "arn:aws:secretsmanager:*:*:secret:*" })},
	{"a key without the service", "x-sqs", "webTaskRoleDefaultPolicy", iam.Statement("kms", func(s iam.Object) { delete(s, "Condition") })},
	{"a key through another service", "x-sqs", "webTaskRoleDefaultPolicy", iam.Statement("kms", func(s iam.Object) { s["Condition"] = iam.Object{"StringLike": iam.Object{"kms:ViaService": "*"}} })},
	{"all that a key can do", "x-dynamodb", "adminTaskRoleDefaultPolicy", iam.Statement("kms", func(s iam.Object) { s["Action"] = "kms:*" })},
	{"all keys", "x-dynamodb", "adminTaskRoleDefaultPolicy", iam.Statement("kms", func(s iam.Object) { s["Resource"] = "*" })},
	{"a file system without its access point", "rich", "webTaskRoleDefaultPolicy", iam.Statement("elasticfilesystem", func(s iam.Object) { delete(s, "Condition") })},
	{"a volume for a neighbour", "rich", "apiTaskRoleDefaultPolicy", iam.Adding(iam.Object{"Effect": "Allow", "Action": "elasticfilesystem:ClientMount", "Resource": "*"})},
	{"a volume that cannot be written", "rich", "webTaskRoleDefaultPolicy", iam.Statement("elasticfilesystem", func(s iam.Object) { s["Action"] = "elasticfilesystem:ClientMount" })},
	{"a role for anybody", "rich", "apiTaskRole", iam.Trusting(func(s iam.Object) { s["Principal"] = "*"; delete(s, "Condition") })},
	{"a role for the account", "rich", "apiTaskRole", iam.Trusting(func(s iam.Object) {
		s["Principal"] = iam.Object{"AWS": "arn:aws:iam::" + iam.HomeAccount + ":root"}
		delete(s, "Condition")
	})},
	{"a role for another service", "rich", "apiExecutionRole", iam.Trusting(func(s iam.Object) {
		s["Principal"] = iam.Object{"Service": []any{"ecs-tasks.amazonaws.com", "lambda.amazonaws.com"}}
	})},
	{"a role for tasks of other accounts", "rich", "apiExecutionRole", iam.Trusting(func(s iam.Object) { delete(s, "Condition") })},
	{"a queue for everybody", "x-sqs", "xsqsordersPolicy", iam.Adding(iam.Object{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"})},
	{"a queue over plain text", "x-sqs", "xsqsordersPolicy", iam.Statement("sqs", func(s iam.Object) { s["Condition"] = iam.Object{"Bool": iam.Object{"aws:SecureTransport": "maybe"}} })},
	{"a queue for a service of other accounts", "x-sqs", "xsqsordersPolicy", func(properties map[string]any) {
		for _, s := range at(properties, "PolicyDocument", "Statement").([]any) {
			if at(s, "Effect") == "Allow" {
				delete(s.(map[string]any), "Condition")
			}
		}
	}},
}
