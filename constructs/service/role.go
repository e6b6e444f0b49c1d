package service

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// Statement allows actions on resources. Exactly one of Actions and NotActions
// is set.
type Statement struct {
	Actions, NotActions []string
	Resources           []cfn.Value
	Conditions          map[string]any
}

func (s Statement) policy(sid string) awsiam.PolicyStatement {
	var resources []*string
	for _, r := range s.Resources {
		resources = append(resources, r.Token())
	}
	props := &awsiam.PolicyStatementProps{Sid: cfn.Optional(sid), Resources: &resources}
	if len(s.NotActions) > 0 {
		props.NotActions = jsii.Strings(s.NotActions...)
	} else {
		props.Actions = jsii.Strings(s.Actions...)
	}
	if len(s.Conditions) > 0 {
		props.Conditions = &s.Conditions
	}
	return awsiam.NewPolicyStatement(props)
}

// TaskRole is what the application's own code may do.
type TaskRole struct {
	role awsiam.Role
	sids map[string]int
}

// Allow adds statements to the role. The sid tells a reader of the policy where
// they come from; what is no letter or digit is left out of it.
func (r *TaskRole) Allow(sid string, statements ...Statement) {
	for _, s := range statements {
		r.role.AddToPolicy(s.policy(r.unique(sid)))
	}
}

// Read lets the application read a secret, which the sid names; twice is once.
func (r *TaskRole) Read(sid string, s Secret) {
	if r.sids[notInSID.ReplaceAllString(sid, "")] == 0 {
		r.Allow(sid, s.access()...)
	}
}

var notInSID = regexp.MustCompile(`[^0-9A-Za-z]`)

func (r *TaskRole) unique(sid string) string {
	sid = notInSID.ReplaceAllString(sid, "")
	r.sids[sid]++
	if n := r.sids[sid]; n > 1 {
		return fmt.Sprintf("%s%d", sid, n)
	}
	return sid
}

// ExecutionRole is what the agent of ECS may do to start the containers: pull
// their images, read their secrets and write their logs. The application never
// holds it.
type ExecutionRole struct {
	role    awsiam.Role
	granted map[string]bool
}

// read lets the agent read a secret, once.
func (r *ExecutionRole) read(s Secret) {
	for _, statement := range s.access() {
		r.allow(statement)
	}
}

func (r *ExecutionRole) allow(s Statement) {
	key := fmt.Sprint(s.Actions, s.Resources, s.Conditions != nil)
	if r.granted[key] {
		return
	}
	r.granted[key] = true
	r.role.AddToPolicy(s.policy(""))
}

func (f *Family) newTaskRole(this constructs.Construct, boundary awsiam.IManagedPolicy) (*TaskRole, error) {
	props := roleProps(f.model.Name+": what the application may do", boundary)
	iam := f.model.IAM
	var managed []awsiam.IManagedPolicy
	for _, arn := range iam.ManagedPolicies {
		policy, err := f.managedPolicy(this, "policy "+arn, arn)
		if err != nil {
			return nil, err
		}
		managed = append(managed, policy)
	}
	if len(managed) > 0 {
		props.ManagedPolicies = &managed
	}
	role := awsiam.NewRole(this, jsii.String("TaskRole"), props)
	for _, p := range iam.Policies {
		document, err := f.props.Resolve.Tokens(p.Document)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Path, err)
		}
		awsiam.NewCfnPolicy(role, jsii.String("x-iam "+p.Name), &awsiam.CfnPolicyProps{
			PolicyName:     jsii.String(p.Name),
			PolicyDocument: document,
			Roles:          &[]*string{role.RoleName()},
		})
	}
	return &TaskRole{role: role, sids: map[string]int{}}, nil
}

// managedPolicy returns one that exists, by its ARN, which may hold pseudo
// parameters.
func (f *Family) managedPolicy(this constructs.Construct, id, arn string) (awsiam.IManagedPolicy, error) {
	resolved, err := f.props.Resolve.Text(compose.ParseText(arn))
	if err != nil {
		return nil, err
	}
	return awsiam.ManagedPolicy_FromManagedPolicyArn(this, &id, resolved.Token()), nil
}

func newExecutionRole(this constructs.Construct, family string, boundary awsiam.IManagedPolicy) *ExecutionRole {
	role := awsiam.NewRole(this, jsii.String("ExecutionRole"), roleProps(family+": what ECS may do to start the containers", boundary))
	return &ExecutionRole{role: role, granted: map[string]bool{}}
}

// roleProps trusts ECS, and only on behalf of tasks of this account and region.
func roleProps(description string, boundary awsiam.IManagedPolicy) *awsiam.RoleProps {
	return &awsiam.RoleProps{Description: jsii.String(description), AssumedBy: ecsTasks(), PermissionsBoundary: boundary}
}

// ecsTasks is the principal of all tasks, which is the same for all roles.
var ecsTasks = sync.OnceValue(func() awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String("ecs-tasks.amazonaws.com"), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": cfn.Pseudo("AWS::AccountId").Token()},
			"ArnLike":      map[string]any{"aws:SourceArn": cfn.Arn(cfn.Literal("ecs"), cfn.Literal("*")).Token()},
		},
	})
})
