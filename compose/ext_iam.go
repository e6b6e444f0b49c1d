package compose

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// iamExtension is x-iam of a service.
type iamExtension struct {
	Policies []struct {
		PolicyName     string
		PolicyDocument map[string]any
	}
	ManagedPolicyArns   []string
	PermissionsBoundary string
}

// broadPolicies allow nearly everything.
var broadPolicies = []string{"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"}

var policyARN = regexp.MustCompile(`^arn:(aws[a-z-]*|\$\{AWS::Partition\}|x-aws::AWS::Partition):iam::[^:]*(::[A-Za-z]+\})?:policy/.+`)

// iam joins what the services of a family add to its roles.
func (r *resolver) iam(f *Family, services []types.ServiceConfig) {
	for _, s := range services {
		path := servicePath(s.Name)
		var ext iamExtension
		r.decode(path.Key("x-iam"), s.Extensions["x-iam"], &ext)
		r.iamExtension(f, path.Key("x-iam"), ext)
		var managed []string
		r.decode(path.Key("x-aws-policies"), s.Extensions["x-aws-policies"], &managed)
		for i, arn := range managed {
			r.managedPolicy(f, path.Key("x-aws-policies").Index(i), arn)
		}
		var document map[string]any
		if r.decode(path.Key("x-aws-role"), s.Extensions["x-aws-role"], &document) && document != nil {
			r.inlinePolicy(f, InlinePolicy{Name: s.Name + "-x-aws-role", Document: document, Path: path.Key("x-aws-role")})
		}
	}
	slices.SortFunc(f.IAM.Policies, func(a, b InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(f.IAM.ManagedPolicies)
}

func (r *resolver) iamExtension(f *Family, path Path, ext iamExtension) {
	for i, p := range ext.Policies {
		at := path.Key("Policies").Index(i)
		if len(p.PolicyDocument) == 0 {
			r.Errorf(at, "policy", "a policy needs a PolicyDocument")
			continue
		}
		document := maps.Clone(p.PolicyDocument)
		if name, inside := document["PolicyName"].(string); inside && p.PolicyName == "" {
			p.PolicyName = name
			delete(document, "PolicyName")
			r.Warnf(at.Key("PolicyDocument").Key("PolicyName"), "policy-name", "PolicyName belongs beside PolicyDocument, not into it")
		}
		if p.PolicyName == "" {
			r.Errorf(at, "policy", "a policy needs a PolicyName")
			continue
		}
		r.inlinePolicy(f, InlinePolicy{Name: p.PolicyName, Document: document, Path: at.Key("PolicyDocument")})
	}
	for i, arn := range ext.ManagedPolicyArns {
		r.managedPolicy(f, path.Key("ManagedPolicyArns").Index(i), arn)
	}
	if boundary := ext.PermissionsBoundary; boundary != "" {
		at := path.Key("PermissionsBoundary")
		r.policyARN(at, boundary)
		r.refer(at, boundary)
		if r.project.Untrusted {
			r.Errorf(at, "untrusted", "untrusted files must not choose the permissions boundary of its roles")
		}
		if old := f.IAM.PermissionsBoundary; old != "" && old != boundary {
			r.Errorf(at, "boundary-conflict", "services of family %q want two permissions boundaries, %s and %s", f.Name, old, boundary)
		}
		f.IAM.PermissionsBoundary = boundary
	}
}

func (r *resolver) managedPolicy(f *Family, path Path, arn string) {
	r.policyARN(path, arn)
	r.refer(path, arn)
	if name := arn[strings.LastIndexByte(arn, '/')+1:]; slices.Contains(broadPolicies, name) {
		r.Add(r.unlessTrusted(), path, "iam-broad", "name the actions and resources in Policies",
			fmt.Sprintf("%s lets everyone who breaks into a container of family %q do nearly anything in the account", name, f.Name))
	}
	if !slices.Contains(f.IAM.ManagedPolicies, arn) {
		f.IAM.ManagedPolicies = append(f.IAM.ManagedPolicies, arn)
	}
}

func (r *resolver) policyARN(path Path, arn string) {
	if !policyARN.MatchString(arn) {
		r.Add(Error, path, "policy-arn", "such as arn:aws:iam::aws:policy/ReadOnlyAccess", fmt.Sprintf("%q is not the ARN of a policy", arn))
	}
}

// statementKeys are what a statement of a policy of a role may have.
var statementKeys = []string{"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}

func (r *resolver) inlinePolicy(f *Family, p InlinePolicy) {
	named := p.Name
	taken := func(o InlinePolicy) bool { return o.Name == p.Name }
	for n := 2; slices.ContainsFunc(f.IAM.Policies, taken); n++ {
		p.Name = fmt.Sprintf("%s-%d", named, n)
	}
	if p.Name != named {
		r.Warnf(p.Path, "policy-name", "family %q has a policy named %q already; this one is named %q", f.Name, named, p.Name)
	}
	f.IAM.Policies = append(f.IAM.Policies, p)
	defer r.readValue(p.Path, p.Document)
	statements, list := p.Document["Statement"].([]any)
	at := p.Path.Key("Statement")
	if !list {
		if _, one := p.Document["Statement"].(map[string]any); !one {
			r.Errorf(at, "policy", "a policy document needs a Statement")
			return
		}
		r.statement(at, p.Document["Statement"])
		return
	}
	for i, s := range statements {
		r.statement(at.Index(i), s)
	}
}

func (r *resolver) statement(path Path, value any) {
	s, ok := value.(map[string]any)
	if !ok {
		r.Errorf(path, "policy", "a statement is a mapping with %s", strings.Join(statementKeys, ", "))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		unquoted := strings.Trim(key, `"'`)
		switch {
		case slices.Contains(statementKeys, key):
		case slices.Contains(statementKeys, unquoted) && s[unquoted] == nil:
			r.Warnf(path.Key(key), "policy-key", "%q is read as %s", key, unquoted)
			s[unquoted] = s[key]
			delete(s, key)
		default:
			r.Add(Warning, path.Key(key), "policy-key", diag.DidYouMean(key, statementKeys),
				fmt.Sprintf("IAM does not know %q in a statement of a role and may refuse it", key))
		}
	}
	if effect, _ := s["Effect"].(string); effect != "Allow" && effect != "Deny" {
		r.Errorf(path.Key("Effect"), "policy", "the Effect of a statement is Allow or Deny, not %s", diag.Describe(s["Effect"]))
		return
	}
	if s["Effect"] != "Allow" {
		return
	}
	if everything(s["Action"]) && everything(s["Resource"]) {
		r.Add(r.unlessTrusted(), path, "iam-broad", "", "the statement allows every action on every resource")
		return
	}
	if r.project.Untrusted {
		r.untrustedStatement(path, s)
	}
}

// unlessTrusted returns the severity with which a file gives itself wide permissions.
func (r *resolver) unlessTrusted() Severity {
	if r.project.Untrusted {
		return Error
	}
	return Warning
}

// escalating are actions by which a role can give itself, or take on, what the
// file does not give it; actions that only read are allowed.
var (
	escalating   = regexp.MustCompile(`(?i)^(?:iam|sts|organizations|account|sso|cloudformation):`)
	onlyReading  = regexp.MustCompile(`(?i)^(?:iam|organizations|account|cloudformation):(?:Get|List|Describe)|^sts:GetCallerIdentity$`)
	wideService  = regexp.MustCompile(`^[^:]*[*?][^:]*(?::|$)`)
	wholeService = regexp.MustCompile(`^[^:]+:[*?]+$`)
	keepsSecrets = regexp.MustCompile(`(?i)^(?:secretsmanager|ssm|kms):`)
	// everySecret is a resource that stands for all secrets, parameters or keys.
	everySecret = regexp.MustCompile(`^\*$|(?:^|:)(?:secret|parameter|key)[:/]?\*|:\*$`)
)

// untrustedStatement refuses what untrusted files must not give to their services:
// what it does not name, and what leads to more.
func (r *resolver) untrustedStatement(path Path, s map[string]any) {
	for _, key := range []string{"NotAction", "NotResource"} {
		if s[key] != nil {
			r.Errorf(path.Key(key), "untrusted", "untrusted files may use Action and Resource only, not %s", key)
		}
	}
	at := path.Key("Action")
	for i, action := range many(s["Action"]) {
		if _, list := s["Action"].([]any); list {
			at = path.Key("Action").Index(i)
		}
		text, ok := action.(string)
		switch {
		case !ok:
			r.Errorf(at, "untrusted", "untrusted files name actions as text, not by %s", diag.Describe(action))
		case wideService.MatchString(text), wholeService.MatchString(text) && everything(s["Resource"]):
			r.Errorf(at, "untrusted", "%q is more than untrusted files may allow: name the actions or the resources", diag.Shorten(text))
		case keepsSecrets.MatchString(text) && slices.ContainsFunc(many(s["Resource"]), everySecretOf):
			r.Errorf(at, "untrusted", "%q on every resource reaches the secrets of others: name the resources", diag.Shorten(text))
		case escalating.MatchString(text) && !onlyReading.MatchString(text):
			r.Errorf(at, "untrusted", "%q lets a service reach more than its file says, which untrusted files must not allow", diag.Shorten(text))
		}
	}
}

// everySecretOf reports whether a resource is, or with an intrinsic function could
// become, all of a kind.
func everySecretOf(resource any) bool {
	switch v := resource.(type) {
	case string:
		return everySecret.MatchString(v)
	case []any:
		return slices.ContainsFunc(v, everySecretOf)
	case map[string]any:
		for _, argument := range v {
			if everySecretOf(argument) {
				return true
			}
		}
	}
	return false
}

// many returns a value as a list, which one alone may stand for.
func many(value any) []any {
	if items, list := value.([]any); list || value == nil {
		return items
	}
	return []any{value}
}

func everything(value any) bool {
	return slices.ContainsFunc(many(value), func(v any) bool { return v == "*" || v == "*:*" })
}
