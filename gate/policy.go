package gate

import (
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// policyUse says whether a policy document grants permissions to an identity, on a resource,
// or trust.
type policyUse int

const (
	identity policyUse = iota // permissions of an identity
	trust                     // permission to assume a role
	resource                  // permissions on the resource that has it
)

// policies lists the properties that hold policy documents.
var policies = []struct {
	Type string
	Path []string
	Use  policyUse
}{
	{"AWS::IAM::Policy", []string{"PolicyDocument"}, identity},
	{"AWS::IAM::RolePolicy", []string{"PolicyDocument"}, identity},
	{"AWS::IAM::UserPolicy", []string{"PolicyDocument"}, identity},
	{"AWS::IAM::GroupPolicy", []string{"PolicyDocument"}, identity},
	{"AWS::IAM::ManagedPolicy", []string{"PolicyDocument"}, identity},
	{"AWS::IAM::Role", []string{"Policies", "PolicyDocument"}, identity},
	{"AWS::IAM::User", []string{"Policies", "PolicyDocument"}, identity},
	{"AWS::IAM::Group", []string{"Policies", "PolicyDocument"}, identity},
	{"AWS::IAM::Role", []string{"AssumeRolePolicyDocument"}, trust},
	{"AWS::Backup::BackupVault", []string{"AccessPolicy"}, resource},
	{"AWS::ECR::Repository", []string{"RepositoryPolicyText"}, resource},
	{"AWS::EFS::FileSystem", []string{"FileSystemPolicy"}, resource},
	{"AWS::Kinesis::ResourcePolicy", []string{"ResourcePolicy"}, resource},
	{"AWS::KMS::Key", []string{"KeyPolicy"}, resource},
	{"AWS::OpenSearchService::Domain", []string{"AccessPolicies"}, resource},
	{"AWS::S3::AccessPoint", []string{"Policy"}, resource},
	{"AWS::S3::BucketPolicy", []string{"PolicyDocument"}, resource},
	{"AWS::SecretsManager::ResourcePolicy", []string{"ResourcePolicy"}, resource},
	{"AWS::SNS::TopicPolicy", []string{"PolicyDocument"}, resource},
	{"AWS::SQS::QueuePolicy", []string{"PolicyDocument"}, resource},
}

// statement is a statement of a policy document.
type statement struct {
	on  *Resource
	use policyUse
	raw any
}

// statements returns the statements of all policies. It skips managed policies without a
// principal in the assembly: a permissions boundary allows nothing by itself.
func (a *Assembly) statements(uses ...policyUse) []statement {
	var found []statement
	for _, p := range policies {
		if !slices.Contains(uses, p.Use) {
			continue
		}
		for _, r := range a.Of(p.Type) {
			if r.Type == "AWS::IAM::ManagedPolicy" && !a.held(r) {
				continue
			}
			for _, raw := range each(r.Properties, append(slices.Clone(p.Path), "Statement")...) {
				found = append(found, statement{r, p.Use, raw})
			}
		}
	}
	return found
}

// allowing returns the statements with the effect Allow.
func (a *Assembly) allowing(uses ...policyUse) []statement {
	return slices.DeleteFunc(a.statements(uses...), func(s statement) bool { return at(s.raw, "Effect") != "Allow" })
}

// held reports whether a managed policy is attached to a principal of the assembly.
func (a *Assembly) held(policy *Resource) bool {
	for _, key := range []string{"Roles", "Users", "Groups"} {
		if len(list(policy.Properties[key])) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(a.Of("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"), func(r *Resource) bool {
		return slices.ContainsFunc(list(r.Properties["ManagedPolicyArns"]), func(arn any) bool {
			attached, _ := r.Stack.Target(arn)
			return attached == policy
		})
	})
}

func (s statement) texts(key string) []string {
	var found []string
	for _, v := range list(at(s.raw, key)) {
		found = append(found, s.on.Stack.text(v))
	}
	return found
}

func (s statement) actions() []string   { return s.texts("Action") }
func (s statement) resources() []string { return s.texts("Resource") }

// does reports whether a statement covers an action.
func (s statement) does(action string) bool {
	return slices.ContainsFunc(s.actions(), func(pattern string) bool {
		return matches(strings.ToLower(pattern), strings.ToLower(action))
	})
}

// principals returns the principals of a kind: "AWS", "Service", "Federated" or
// "CanonicalUser"; "*" stands for everyone.
func (s statement) principals(kind string) []string {
	principal := at(s.raw, "Principal")
	if text, ok := principal.(string); ok {
		if kind == "AWS" {
			return []string{text}
		}
		return nil
	}
	var found []string
	for _, v := range list(at(principal, kind)) {
		found = append(found, s.on.Stack.text(v))
	}
	return found
}

// everyone reports whether a statement applies to all principals.
func (s statement) everyone() bool { return slices.Contains(s.principals("AWS"), "*") }

// condition is one test in the Condition of a statement.
type condition struct {
	operator, key string
	values        []string
}

// conditions returns the conditions of a statement, all of which must hold.
func (s statement) conditions() []condition {
	var found []condition
	operators, _ := at(s.raw, "Condition").(map[string]any)
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		keys, _ := operators[operator].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			c := condition{operator: operator, key: strings.ToLower(key)}
			for _, v := range list(keys[key]) {
				c.values = append(c.values, s.on.Stack.text(v))
			}
			found = append(found, c)
		}
	}
	return found
}

// demands reports whether a condition requires the key to be present with one of some
// values.
func (c condition) demands() bool {
	if strings.HasSuffix(c.operator, "IfExists") || strings.HasPrefix(c.operator, "ForAllValues") {
		return false
	}
	if c.operator == "Null" || strings.Contains(c.operator, "Not") {
		return false
	}
	return !slices.Contains(c.values, "*")
}

// demandsOf reports whether a condition of a statement demands one of keys; a key with a
// final / or : is a prefix.
func (s statement) demandsOf(keys ...string) bool {
	return slices.ContainsFunc(s.conditions(), func(c condition) bool {
		return c.demands() && slices.ContainsFunc(keys, func(key string) bool {
			return c.key == key || strings.HasSuffix(key, "/") && strings.HasPrefix(c.key, key) ||
				strings.HasSuffix(key, ":") && strings.HasPrefix(c.key, key)
		})
	})
}

// matches reports whether a pattern with * and ? matches a text, as in IAM.
func matches(pattern, text string) bool {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(expression)
	matched, err := regexp.MatchString(`(?s)^`+expression+`$`, text)
	return err == nil && matched
}

//go:embed wildcardonly.txt
var wildcardOnlyText string

// wildcardOnly holds, in lower case, the actions for which IAM takes no resource but "*".
// The file names its source; `make wildcardonly` rewrites it.
var wildcardOnly = sync.OnceValue(func() map[string]bool {
	actions := map[string]bool{}
	for _, line := range strings.Split(wildcardOnlyText, "\n") {
		service, names, _ := strings.Cut(line, ": ")
		for _, name := range strings.Fields(names) {
			actions[strings.ToLower(service+":"+name)] = true
		}
	}
	return actions
})
