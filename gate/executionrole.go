package gate

import (
	"regexp"
	"slices"
	"strings"
)

// credential is a secret of Secrets Manager or a parameter that a container definition
// refers to. Its name is the same however the template spells the reference.
type credential struct {
	name string
	// actions lists the actions that read it: of both services if the reference fits both.
	actions []string
	// valid is true if ECS accepts the reference.
	valid bool
	// of is the secret or parameter, nil if the assembly does not have it.
	of *Resource
}

const (
	readSecret    = "secretsmanager:GetSecretValue"
	readParameter = "ssm:GetParameters"
)

// reading lists all actions that read secrets or parameters.
var reading = []string{readSecret, "secretsmanager:BatchGetSecretValue", readParameter, "ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParametersByPath"}

// secrets returns the credentials that the ECS agent reads to start a task.
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

// token spells a resource as Stack.text does, without an attribute.
func token(r *Resource) string { return "${" + r.Stack.Path + "/" + r.LogicalID + "}" }

var (
	attribute = regexp.MustCompile(`\$\{([^}.]*)\.[^}]*\}`)
	// untilField matches the part before the key, stage and version of a secret.
	untilField = regexp.MustCompile(`^(\$\{[^}]*\}|[^:$])*`)
)

// secretName identifies a secret or a parameter, by the name in its ARN or by the resource.
// In a pattern for ARNs, the wildcards of the name remain.
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

// endOfSecret matches the six characters that Secrets Manager adds to the name in an ARN, or
// a wildcard in their place.
var endOfSecret = regexp.MustCompile(`-(\?{6}|\*|[A-Za-z0-9]{6})$`)

// sameSecret reports whether a pattern matches one secret, and no other.
func sameSecret(pattern, name string) bool {
	return pattern == name || endOfSecret.ReplaceAllString(pattern, "") == name || pattern == endOfSecret.ReplaceAllString(name, "") ||
		strings.HasSuffix(pattern, "-??????") && matches(pattern, name)
}

// principal is a role with its permissions in the assembly.
type principal struct {
	statements []statement
	// complete is false if the role may have permissions outside of the assembly.
	complete bool
}

// readsNothing matches AWS's managed policy for agents, which covers images and logs only.
var readsNothing = regexp.MustCompile(`:policy/service-role/AmazonECSTaskExecutionRolePolicy$`)

// executionRole returns the execution role of a task; ok is false if the assembly does not
// have it.
func (a *Assembly) executionRole(task *Resource) (role *Resource, p principal, ok bool) {
	role, _ = task.Stack.Target(task.Properties["ExecutionRoleArn"])
	if role == nil || role.Type != "AWS::IAM::Role" {
		return nil, principal{}, false
	}
	p.complete = true
	for _, s := range a.allowing(identity) {
		if s.on == role || attached(s.on, role) {
			p.statements = append(p.statements, s)
		}
	}
	for _, arn := range list(role.Properties["ManagedPolicyArns"]) {
		if policy, _ := role.Stack.Target(arn); policy == nil && !readsNothing.MatchString(role.Stack.text(arn)) {
			p.complete = false
		}
	}
	return role, p, true
}

// attached reports whether a policy is attached to a role, from either side.
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

// reads reports whether the principal may read a secret.
func (p principal) reads(c credential) bool {
	return slices.ContainsFunc(p.statements, func(s statement) bool {
		return slices.ContainsFunc(c.actions, s.does) && slices.ContainsFunc(list(at(s.raw, "Resource")), func(v any) bool {
			pattern := s.on.Stack.secretName(v)
			return sameSecret(pattern, c.name) || matches(pattern, c.name) || undecided(pattern)
		})
	})
}

// undecided reports whether a name is unknown before deployment: a parameter of the
// template, or the output of a stack outside of the assembly.
func undecided(name string) bool {
	return strings.HasPrefix(name, "${") && !strings.Contains(untilField.FindString(name), "/")
}

// decrypts reports whether the principal may decrypt with a key, by its own policies or by
// the key policy.
func (p principal) decrypts(key, role *Resource) bool {
	const action = "kms:Decrypt"
	own := slices.ContainsFunc(p.statements, func(s statement) bool {
		return s.does(action) && slices.ContainsFunc(s.resources(), func(pattern string) bool {
			pattern = attribute.ReplaceAllString(pattern, "${$1}")
			return strings.HasSuffix(pattern, token(key)) || strings.HasSuffix(pattern, "*") || undecided(pattern)
		})
	})
	return own || slices.ContainsFunc(role.Stack.assembly.allowing(resource), func(s statement) bool {
		return s.on == key && s.does(action) && slices.ContainsFunc(s.principals("AWS"), func(trusted string) bool {
			return attribute.ReplaceAllString(trusted, "${$1}") == token(role)
		})
	})
}

// key returns the customer managed key of a secret, nil if the assembly does not have it.
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
		role, p, ok := a.executionRole(task)
		if !ok || !p.complete {
			continue
		}
		for _, c := range task.secrets() {
			if !c.valid {
				continue // another rule reports it
			}
			if !p.reads(c) {
				found.on(task, "the execution role %s may not do %s on %s, so that no task starts", role.LogicalID, strings.Join(c.actions, " or "), c.name)
			} else if key := c.key(); key != nil && !p.decrypts(key, role) {
				found.on(task, "the execution role %s may not do kms:Decrypt with key %s of %s, so that no task starts", role.LogicalID, key.LogicalID, c.name)
			}
		}
	}
}

func executionRoleReadsMore(a *Assembly, found *report) {
	for _, task := range a.Of("AWS::ECS::TaskDefinition") {
		role, p, ok := a.executionRole(task)
		if !ok {
			continue
		}
		secrets := task.secrets()
		for _, s := range p.statements {
			if !slices.ContainsFunc(reading, s.does) {
				continue
			}
			for _, v := range list(at(s.raw, "Resource")) {
				pattern := s.on.Stack.secretName(v)
				used := slices.ContainsFunc(secrets, func(c credential) bool { return sameSecret(pattern, c.name) })
				if !used && !undecided(pattern) {
					found.on(task, "the execution role %s may read %s, which no container has: allow only the secrets that Secrets names", role.LogicalID, s.on.Stack.text(v))
				}
			}
		}
	}
}
