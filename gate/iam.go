package gate

import (
	"regexp"
	"slices"
	"strings"
)

// iamRules demand least privilege, of permissions and of trust.
var iamRules = []Rule{
	{
		ID: "wildcard-action", Summary: "a policy names the actions that it allows",
		Source: "Security Hub IAM.1 and IAM.21", check: wildcardAction,
	},
	{
		ID: "wildcard-resource", Summary: "an action that supports resources is allowed on particular ones, or a condition ties it to them",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege", check: wildcardResource,
	},
	{
		ID: "pass-role", Summary: "iam:PassRole names the roles",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html", check: passRole,
	},
	{
		ID: "allow-not", Summary: "a policy lists what it allows, not the exceptions",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html", check: allowNot,
	},
	{
		ID: "administrator", Summary: "no role is an administrator, of the account or of a service",
		Source: "Security Hub IAM.1 and IAM.21", check: administrator,
	},
	{
		ID: "trust-anyone", Summary: "a role trusts particular principals",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html", check: trustAnyone,
	},
	{
		ID: "trust-service", Summary: "a role trusts the service that assumes it",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html", check: trustService,
	},
	{
		ID: "trust-account", Summary: "a role trusts a role of another account, or its account root under a condition",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html", check: trustAccount,
	},
	{
		ID: "confused-deputy", Summary: "a service that acts for many accounts is trusted on behalf of this one only",
		Source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html", check: confusedDeputy,
	},
	{
		ID: "public-policy", Summary: "a resource allows actions to everyone only under a condition on the caller",
		Source: "Security Hub S3.2, SQS.3, SNS.4, KMS.5, Lambda.1", check: publicPolicy,
	},
	{
		ID: "foreign-account", Summary: "a key or a bucket trusts particular principals of another account, not the whole account",
		Source: "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html", check: foreignAccount,
	},
	{
		ID: "shared-role", Summary: "the application never holds the role of the ECS agent, and tasks with secrets do not share one",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html", check: sharedRole,
	},
	{
		ID: "execution-role-reads-less", Summary: "the execution role may read each secret of its containers, with its key",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html", check: executionRoleReadsLess,
	},
	{
		ID: "execution-role-reads-more", Summary: "the execution role may read only the secrets of its containers",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html", check: executionRoleReadsMore,
	},
}

func wildcardAction(a *Assembly, found *report) {
	for _, s := range a.allowing(identity, resource) {
		if s.delegatesToIAM() {
			continue
		}
		for _, action := range s.actions() {
			family := slices.Contains(families, action) && s.onSome()
			if strings.ContainsAny(variable.ReplaceAllString(action, ""), "*?") && !family {
				found.on(s.on, "%s allows %q: name each action", s.name(), action)
			}
		}
	}
}

// families lists the action patterns with which AWS documents a right of one kind, and with
// which the CDK grants it: on one bucket or key they allow no more than the full names.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
var families = []string{
	"kms:GenerateDataKey*", "kms:ReEncrypt*", "s3:Abort*", "s3:DeleteObject*", "s3:GetBucket*", "s3:GetObject*", "s3:List*",
}

// onSome reports whether a statement is for particular buckets or keys. The policy of a
// resource is for that resource.
func (s statement) onSome() bool {
	return s.use == resource || len(s.resources()) > 0 && !s.onEverything()
}

// delegatesToIAM reports whether a statement of a key policy delegates to the IAM policies
// of the own account: without it nobody could manage the key.
func (s statement) delegatesToIAM() bool {
	if s.on.Type != "AWS::KMS::Key" || s.everyone() || len(s.principals("Service")) > 0 {
		return false
	}
	return !slices.ContainsFunc(s.principals("AWS"), func(principal string) bool {
		account, root := accountRoot(principal)
		return !root || account != s.on.ownAccount()
	})
}

// name returns a statement's name in messages.
func (s statement) name() string {
	if sid := word(at(s.raw, "Sid")); sid != "" {
		return "statement " + sid
	}
	return "a statement"
}

// everything matches a resource that stands for all resources, for all of a service, or for
// all of a kind with its own names.
var everything = regexp.MustCompile(`^(\*+|arn:\*|arn:[^:]*:\*|arn:[^:]*:[^:]*:\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:\*(/\*)?|` +
	`arn:[^:]*:(dynamodb:[^:]*:[^:]*:table/|ecr:[^:]*:[^:]*:repository/|iam::[^:]*:role/|kinesis:[^:]*:[^:]*:stream/|kms:[^:]*:[^:]*:key/|` +
	`lambda:[^:]*:[^:]*:function:|secretsmanager:[^:]*:[^:]*:secret:|ssm:[^:]*:[^:]*:parameter/?)\*)$`)

func (s statement) onEverything() bool {
	return slices.ContainsFunc(s.resources(), everything.MatchString)
}

// ties lists the condition keys that tie an action on "*" to particular resources: by a tag,
// by the resource around them, by the service that uses a key. Keys about the caller do not.
var ties = []string{
	"aws:resourcetag/", "cloudwatch:namespace", "ec2:resourcetag/", "ec2:subnet", "ec2:vpc", "ecr:resourcetag/",
	"ecs:cluster", "ecs:resourcetag/", "ecs:service", "ecs:task-definition", "elasticfilesystem:accesspointarn",
	"iam:policyarn", "iam:resourcetag/", "kms:encryptioncontext:", "kms:resourcealiases", "kms:viaservice",
	"lambda:functionarn", "rds:db-tag/", "s3:existingobjecttag/", "secretsmanager:resourcetag/", "servicediscovery:namespacearn",
	"ssm:resourcetag/",
}

// unscoped maps an action to the reason why most of its uses cannot be scoped.
var unscoped = map[string]string{
	"cloudwatch:describealarms": "composite alarms are answered for everything only",
	"cloudwatch:getmetricdata":  "only a data set has an ARN, a metric has none",
	"cloudwatch:listmetrics":    "only a data set has an ARN, a metric has none",
	"cloudwatch:putmetricdata":  "only a data set has an ARN, a metric has none",
}

func wildcardResource(a *Assembly, found *report) {
	for _, s := range a.allowing(identity) {
		if !s.onEverything() || s.demandsOf(ties...) {
			continue
		}
		for _, action := range s.actions() {
			plain := strings.ToLower(action)
			if plain == "iam:passrole" || strings.ContainsAny(plain, "*?") || !known(plain) || wildcardOnly()[plain] || unscoped[plain] != "" {
				continue // another rule reports it, or it is right
			}
			found.on(s.on, "%s allows %s on everything, and it can be allowed on single resources", s.name(), action)
		}
	}
}

var everyRole = regexp.MustCompile(`^(\*|arn:[^:]*:iam::[^:]*:(\*|role/\*))$`)

func passRole(a *Assembly, found *report) {
	for _, s := range a.allowing(identity) {
		if slices.ContainsFunc(s.resources(), everyRole.MatchString) && slices.ContainsFunc(s.actions(), func(action string) bool {
			return strings.EqualFold(action, "iam:PassRole")
		}) {
			found.on(s.on, "%s allows iam:PassRole on every role: name the roles", s.name())
		}
	}
}

func allowNot(a *Assembly, found *report) {
	for _, s := range a.allowing(identity, trust, resource) {
		for _, key := range []string{"NotAction", "NotPrincipal", "NotResource"} {
			if at(s.raw, key) != nil {
				found.on(s.on, "%s allows by %s, which is everything but %s: list the allowed ones", s.name(), key, canonical(at(s.raw, key)))
			}
		}
	}
}

// powerful matches AWS managed policies that allow everything, or everything of a service,
// directly or by privilege escalation.
var powerful = regexp.MustCompile(`:policy/(AdministratorAccess|PowerUserAccess|\w*FullAccess(V2|_v2)?)$`)

func administrator(a *Assembly, found *report) {
	for _, r := range a.Of("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group") {
		for _, arn := range list(r.Properties["ManagedPolicyArns"]) {
			if policy := powerful.FindStringSubmatch(r.Stack.text(arn)); policy != nil {
				found.on(r, "it has AWS's policy %s: allow the needed actions only", policy[1])
			}
		}
	}
}

// narrowsNothing lists condition keys that anybody can meet.
var narrowsNothing = []string{
	"aws:currenttime", "aws:epochtime", "aws:referer", "aws:requestedregion", "aws:securetransport", "aws:useragent",
	"kms:viaservice", "s3:delimiter", "s3:max-keys", "s3:prefix", "s3:tlsversion", "s3:x-amz-acl", "sts:externalid", "sts:rolesessionname",
}

// anyone reports whether a statement applies to everyone without a narrowing condition.
func (s statement) anyone() bool { return s.everyone() && !s.narrowed() }

// narrowed reports whether a condition of a statement excludes anybody.
func (s statement) narrowed() bool {
	return slices.ContainsFunc(s.conditions(), func(c condition) bool {
		return c.demands() && !slices.Contains(narrowsNothing, c.key) && !slices.ContainsFunc(c.values, anybody.MatchString)
	})
}

// anybody matches condition values that everybody meets: any address, a principal of any
// account.
var anybody = regexp.MustCompile(`^(\*+|0\.0\.0\.0/0|::/0|arn:[^:]*:(iam|sts)::\*:.*)$`)

func trustAnyone(a *Assembly, found *report) {
	for _, s := range a.allowing(trust) {
		if s.anyone() {
			found.on(s.on, "every AWS account may assume the role: name the principals, or require aws:PrincipalOrgID")
		}
		for _, principal := range s.principals("AWS") {
			if everyRole.MatchString(principal) && principal != "*" && !s.narrowed() {
				found.on(s.on, "every role of an account, %s, may assume the role: name the principals", principal)
			}
		}
		if slices.Contains(s.principals("Service"), "*") {
			found.on(s.on, "every service of AWS may assume the role: name the service")
		}
		for _, provider := range s.principals("Federated") {
			if !strings.EqualFold(strings.Join(s.actions(), ","), "sts:AssumeRoleWithWebIdentity") || s.identified() {
				continue
			}
			found.on(s.on, "every identity of %s may assume the role: add a condition on the identity, such as its sub", provider)
		}
	}
}

// identified reports whether a statement about an identity provider restricts the identity,
// not only the audience of its token.
func (s statement) identified() bool {
	return slices.ContainsFunc(s.conditions(), func(c condition) bool {
		return c.demands() && (!strings.HasSuffix(c.key, ":aud") || strings.HasPrefix(c.key, "cognito-identity.")) && !slices.ContainsFunc(c.values, func(value string) bool {
			return strings.HasPrefix(value, "repo:*")
		})
	})
}

// taking lists the properties that give a role to a service.
var taking = []struct{ Type, Property, Service string }{
	{"AWS::CodeBuild::Project", "ServiceRole", "codebuild.amazonaws.com"},
	{"AWS::CodePipeline::Pipeline", "RoleArn", "codepipeline.amazonaws.com"},
	{"AWS::ECS::TaskDefinition", "ExecutionRoleArn", "ecs-tasks.amazonaws.com"},
	{"AWS::ECS::TaskDefinition", "TaskRoleArn", "ecs-tasks.amazonaws.com"},
	{"AWS::Lambda::Function", "Role", "lambda.amazonaws.com"},
	{"AWS::Scheduler::Schedule", "Target.RoleArn", "scheduler.amazonaws.com"},
}

func trustService(a *Assembly, found *report) {
	trusted := map[*Resource][]string{}
	for _, s := range a.allowing(trust) {
		trusted[s.on] = append(trusted[s.on], append(s.principals("Service"), s.principals("AWS")...)...)
	}
	for _, row := range taking {
		for _, r := range a.Of(row.Type) {
			for _, v := range each(r.Properties, strings.Split(row.Property, ".")...) {
				role, _ := r.Stack.Target(v)
				if role == nil || role.Type != "AWS::IAM::Role" || role.Stack.generates {
					continue
				}
				who := trusted[role]
				if !slices.ContainsFunc(who, func(name string) bool { return name == row.Service || name == "*" || !known(name) }) {
					found.on(r, "its %s is role %s, which trusts %s: it must trust %s", row.Property, role.LogicalID, orNone(who), row.Service)
				}
			}
		}
	}
}

// accountRootPattern matches a principal that stands for a whole account.
var accountRootPattern = regexp.MustCompile(`^(?:arn:[^:]*:iam::([^:]+):root|(\d{12}))$`)

func accountRoot(principal string) (account string, ok bool) {
	m := accountRootPattern.FindStringSubmatch(principal)
	if m == nil {
		return "", false
	}
	return m[1] + m[2], true
}

// ownAccount returns the account of a resource, as Stack.text spells it.
func (r *Resource) ownAccount() string {
	return r.Stack.text(map[string]any{"Ref": "AWS::AccountId"})
}

func trustAccount(a *Assembly, found *report) {
	for _, s := range a.allowing(trust) {
		for _, principal := range s.principals("AWS") {
			account, root := accountRoot(principal)
			if !root || !known(account) || !known(s.on.ownAccount()) || account == s.on.ownAccount() || len(s.conditions()) > 0 {
				continue
			}
			found.on(s.on, "any principal that the administrators of account %s allow may assume the role: name a role of the account, or add a condition", account)
		}
	}
}

// deputies lists the services whose documentation asks for a condition in the trust policy
// of their roles (confused deputy). Other services take a role only from its own account,
// which iam:PassRole guards.
var deputies = map[string]string{
	"ecs-tasks.amazonaws.com":     "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html",
	"pipes.amazonaws.com":         "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html",
	"scheduler.amazonaws.com":     "https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html",
	"vpc-flow-logs.amazonaws.com": "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html",
}

// onBehalf lists the condition keys that name the account or resource for which a service
// acts.
var onBehalf = []string{
	"aws:principalorgid", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner",
	"kms:calleraccount", "kms:encryptioncontext:", "kms:viaservice", "s3:dataaccesspointaccount",
}

// ownPaths lists services that write only below a path with the account in it.
var ownPaths = []string{"logdelivery.elasticloadbalancing.amazonaws.com"}

func confusedDeputy(a *Assembly, found *report) {
	for _, s := range a.allowing(trust, resource) {
		if s.demandsOf(onBehalf...) {
			continue
		}
		for _, service := range s.principals("Service") {
			if s.use == trust && deputies[service] == "" || slices.Contains(ownPaths, service) {
				continue
			}
			found.on(s.on, "%s lets %s act for any account: add a condition on aws:SourceAccount or aws:SourceArn", s.name(), service)
		}
	}
}

func publicPolicy(a *Assembly, found *report) {
	for _, s := range a.allowing(resource) {
		if s.anyone() {
			found.on(s.on, "%s allows %s to everyone: name the principals, or add a condition such as aws:PrincipalOrgID", s.name(), strings.Join(s.actions(), ", "))
		}
	}
	for _, r := range a.Of("AWS::Lambda::Permission") {
		p := r.Properties
		if p["Principal"] == "*" && p["SourceAccount"] == nil && p["SourceArn"] == nil && p["PrincipalOrgID"] == nil && p["FunctionUrlAuthType"] == nil {
			found.on(r, "everyone may call the function: name the principals, or give PrincipalOrgID")
		}
	}
}

func foreignAccount(a *Assembly, found *report) {
	for _, s := range a.allowing(resource) {
		if s.on.Type != "AWS::KMS::Key" && s.on.Type != "AWS::S3::BucketPolicy" || s.narrowed() {
			continue
		}
		for _, principal := range s.principals("AWS") {
			account, root := accountRoot(principal)
			if root && known(account) && known(s.on.ownAccount()) && account != s.on.ownAccount() {
				found.on(s.on, "%s lets any principal that the administrators of account %s allow do %s: add a condition on aws:PrincipalArn", s.name(), account, strings.Join(s.actions(), ", "))
			}
		}
	}
}

func sharedRole(a *Assembly, found *report) {
	tasks := a.Of("AWS::ECS::TaskDefinition")
	agents := map[*Resource][]*Resource{}
	for _, task := range tasks {
		if role, _ := task.Stack.Target(task.Properties["ExecutionRoleArn"]); role != nil {
			agents[role] = append(agents[role], task)
		}
	}
	for _, task := range tasks {
		if role, _ := task.Stack.Target(task.Properties["TaskRoleArn"]); role != nil && agents[role] != nil {
			found.on(task, "the application holds role %s, which is the execution role of %s: give each a role of its own", role.LogicalID, agents[role][0].LogicalID)
		}
		role, _ := task.Stack.Target(task.Properties["ExecutionRoleArn"])
		if role == nil || len(task.secrets()) == 0 {
			continue
		}
		for _, other := range agents[role] {
			if other != task {
				found.on(task, "its execution role %s, which reads its secrets, is shared with %s: give each a role of its own", role.LogicalID, other.LogicalID)
			}
		}
	}
}
