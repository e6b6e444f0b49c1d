package gate

import (
	"regexp"
	"slices"
	"strings"
)

// credential is what a container definition takes as a secret: one of Secrets
// Manager or a parameter, by what identifies it in every way of naming it.
type credential struct {
	name string
	// actions are those of which one reads it: of both services where a reference
	// does not tell which it is.
	actions []string
	// valid says that ECS can read from it at all.
	valid bool
	// of is the secret or parameter, where the assembly has it.
	of *Resource
}

const (
	readSecret    = "secretsmanager:GetSecretValue"
	readParameter = "ssm:GetParameters"
)

// reading are all the actions that read secrets or parameters.
var reading = []string{readSecret, "secretsmanager:BatchGetSecretValue", readParameter, "ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParametersByPath"}

// secrets returns what the ECS agent reads to start a task.
func (task *Resource) secrets() []credential {
	var values []any
	for _, c := range each(task.Properties, "ContainerDefinitions") {
		values = append(values, each(c, "Secrets", "ValueFrom")...)
		values = append(values, each(c, "RepositoryCredentials", "CredentialsParameter")...)
		values = append(values, each(c, "LogConfiguration", "SecretOptions", "ValueFrom")...)
	}
	values = append(values, each(task.Properties, "Volumes", "FSxWindowsFileServerVolumeConfiguration", "AuthorizationConfig", "CredentialsParameter")...)
	var found []credential
	for _, v := range values {
		found = append(found, task.Stack.credential(v))
	}
	return found
}

func (s *Stack) credential(v any) credential {
	text := s.text(v)
	c := credential{name: s.secretName(v), valid: s.namesSecret(v), actions: []string{readSecret, readParameter}}
	for _, r := range s.assembly.Of("AWS::SecretsManager::Secret", "AWS::SSM::Parameter") {
		if c.name == token(r) {
			c.of = r
		}
	}
	switch {
	case c.of != nil && c.of.Type == "AWS::SSM::Parameter", strings.Contains(text, ":parameter"), known(text) && !strings.Contains(text, ":"):
		c.actions = []string{readParameter}
	case c.of != nil, strings.Contains(text, ":secret:"):
		c.actions = []string{readSecret}
	}
	return c
}

// token returns how texts spell a resource, without an attribute.
func token(r *Resource) string { return "${" + r.Stack.Path + "/" + r.LogicalID + "}" }

var (
	attribute = regexp.MustCompile(`\$\{([^}.]*)\.[^}]*\}`)
	// untilField is what stands before the key, stage and version of a secret.
	untilField = regexp.MustCompile(`^(\$\{[^}]*\}|[^:$])*`)
)

// secretName identifies a secret or a parameter: by the name in its ARN, or by the
// resource. A pattern for ARNs has the name of what it is for, with its wildcards.
func (s *Stack) secretName(v any) string {
	text := attribute.ReplaceAllString(s.text(v), "${$1}")
	for _, r := range s.assembly.Of("AWS::SecretsManager::SecretTargetAttachment") {
		// Ref of an attachment is the ARN of the secret itself.
		text = strings.ReplaceAll(text, token(r), attribute.ReplaceAllString(r.Stack.text(r.Properties["SecretId"]), "${$1}"))
	}
	if _, name, ok := strings.Cut(text, ":parameter"); ok {
		return strings.TrimPrefix(name, "/")
	}
	if _, name, ok := strings.Cut(text, ":secret:"); ok {
		text = name
	}
	return strings.TrimPrefix(untilField.FindString(text), "/")
}

// endOfSecret are the six characters that Secrets Manager adds to a name in an ARN,
// or what stands for them in a pattern.
var endOfSecret = regexp.MustCompile(`-(\?{6}|\*|[A-Za-z0-9]{6})$`)

// sameSecret reports whether a pattern is for one secret, and no other.
func sameSecret(pattern, name string) bool {
	return pattern == name || endOfSecret.ReplaceAllString(pattern, "") == name || pattern == endOfSecret.ReplaceAllString(name, "") ||
		strings.HasSuffix(pattern, "-??????") && matches(pattern, name)
}

// holder is a role with what the assembly lets it do.
type holder struct {
	statements []statement
	// complete is false where it may have permissions that the assembly does not show.
	complete bool
}

// readsNothing is the policy of AWS for agents, which is for images and logs.
var readsNothing = regexp.MustCompile(`:policy/service-role/AmazonECSTaskExecutionRolePolicy$`)

// agent returns the execution role of a task; ok is false where the assembly has none.
func (a *Assembly) agent(task *Resource) (role *Resource, h holder, ok bool) {
	role, _ = task.Stack.Target(task.Properties["ExecutionRoleArn"])
	if role == nil || role.Type != "AWS::IAM::Role" {
		return nil, holder{}, false
	}
	h.complete = true
	for _, s := range a.allowing(identity) {
		if s.on == role || attached(s.on, role) {
			h.statements = append(h.statements, s)
		}
	}
	for _, arn := range list(role.Properties["ManagedPolicyArns"]) {
		if policy, _ := role.Stack.Target(arn); policy == nil && !readsNothing.MatchString(role.Stack.text(arn)) {
			h.complete = false
		}
	}
	return role, h, true
}

// attached reports whether a policy is one of a role's, from either side.
func attached(policy, role *Resource) bool {
	leads := func(from *Resource, to *Resource, values []any) bool {
		return slices.ContainsFunc(values, func(v any) bool {
			r, _ := from.Stack.Target(v)
			return r == to
		})
	}
	return leads(policy, role, list(policy.Properties["Roles"])) || leads(policy, role, list(policy.Properties["RoleName"])) ||
		leads(role, policy, list(role.Properties["ManagedPolicyArns"]))
}

// reads reports whether the holder may read a secret.
func (h holder) reads(c credential) bool {
	return slices.ContainsFunc(h.statements, func(s statement) bool {
		return slices.ContainsFunc(c.actions, s.does) && slices.ContainsFunc(list(at(s.raw, "Resource")), func(v any) bool {
			pattern := s.on.Stack.secretName(v)
			return sameSecret(pattern, c.name) || matches(pattern, c.name) || undecided(pattern)
		})
	})
}

// undecided reports whether a name is one that the assembly cannot tell: a parameter
// of the template, or the output of a stack that is not there.
func undecided(name string) bool {
	return strings.HasPrefix(name, "${") && !strings.Contains(untilField.FindString(name), "/")
}

// decrypts reports whether the holder may decrypt with a key, by its own policies or
// by that of the key.
func (h holder) decrypts(key, role *Resource) bool {
	const action = "kms:Decrypt"
	own := slices.ContainsFunc(h.statements, func(s statement) bool {
		return s.does(action) && slices.ContainsFunc(s.resources(), func(pattern string) bool {
			pattern = attribute.ReplaceAllString(pattern, "${$1}")
			return strings.HasSuffix(pattern, token(key)) || strings.HasSuffix(pattern, "*") || undecided(pattern)
		})
	})
	return own || slices.ContainsFunc(role.Stack.assembly.allowing(resource), func(s statement) bool {
		return s.on == key && s.does(action) && slices.ContainsFunc(s.principals("AWS"), func(principal string) bool {
			return attribute.ReplaceAllString(principal, "${$1}") == token(role)
		})
	})
}

// key returns the customer's key of a secret, where the assembly has both.
func (c credential) key() *Resource {
	if c.of == nil {
		return nil
	}
	key, _ := c.of.Stack.Target(c.of.Properties["KmsKeyId"])
	if key != nil && key.Type == "AWS::KMS::Alias" {
		key, _ = key.Stack.Target(key.Properties["TargetKeyId"])
	}
	return key
}

func executionRoleReadsLess(a *Assembly, found *report) {
	for _, task := range a.Of("AWS::ECS::TaskDefinition") {
		role, h, ok := a.agent(task)
		if !ok || !h.complete {
			continue
		}
		for _, c := range task.secrets() {
			if !c.valid {
				continue // said by another rule
			}
			if !h.reads(c) {
				found.on(task, "the execution role %s may not do %s on %s, so that no task starts", role.LogicalID, strings.Join(c.actions, " or "), c.name)
			} else if key := c.key(); key != nil && !h.decrypts(key, role) {
				found.on(task, "the execution role %s may not do kms:Decrypt with key %s of %s, so that no task starts", role.LogicalID, key.LogicalID, c.name)
			}
		}
	}
}

func executionRoleReadsMore(a *Assembly, found *report) {
	for _, task := range a.Of("AWS::ECS::TaskDefinition") {
		role, h, ok := a.agent(task)
		if !ok {
			continue
		}
		secrets := task.secrets()
		for _, s := range h.statements {
			if !slices.ContainsFunc(reading, s.does) {
				continue
			}
			for _, v := range list(at(s.raw, "Resource")) {
				pattern := s.on.Stack.secretName(v)
				used := slices.ContainsFunc(secrets, func(c credential) bool { return sameSecret(pattern, c.name) })
				if !used && !undecided(pattern) {
					found.on(task, "the execution role %s may read %s, which no container has: allow what Secrets names", role.LogicalID, s.on.Stack.text(v))
				}
			}
		}
	}
}
