package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// newRoles adds the roles stack of each account whose roles are not given
// (docs/decisions/roles.md): the policies that limit CloudFormation, which `cdk
// bootstrap` takes, the roles that read and protect the deployed stacks, and with
// managed roles the roles that deploy. A person deploys it with rights of his own,
// before anything else is in the account.
func newRoles(app constructs.Construct, c *config.Config) []awscdk.Stack {
	var made []awscdk.Stack
	for _, a := range c.RolesAccounts() {
		made = append(made, newRolesOf(app, c, a))
	}
	return made
}

func newRolesOf(app constructs.Construct, c *config.Config, a *config.Account) awscdk.Stack {
	stack := awscdk.NewStack(app, jsii.String("Roles-"+a.Name), &awscdk.StackProps{
		Env:         &awscdk.Environment{Account: &a.ID, Region: &c.Tooling.Region},
		StackName:   jsii.String(c.Name + "-roles"),
		Description: jsii.String(c.Name + ": what pipelines may do in account " + a.Name),
		Synthesizer: awscdk.NewBootstraplessSynthesizer(nil),

		TerminationProtection: jsii.Bool(true),
	})
	if a.Roles.PermissionsBoundary == "" {
		managedPolicy(stack, "Boundary", c.Boundary(a), "how far CloudFormation and the roles that it makes can go", policy.Boundary(c, a))
		awscdk.Validations_Of(stack).Acknowledge(&awscdk.Acknowledgment{
			Id:     jsii.String("CloudFormation-Validate::W2512"),
			Reason: jsii.String("a boundary allows nothing by itself, and all that it does not name is denied"),
		})
	}
	var attached []*string
	documents := policy.Execution(c, a)
	for _, name := range c.ExecutionPolicies(a) {
		attached = append(attached, managedPolicy(stack, "Execution "+name, c.ExecutionPolicy(name), "what CloudFormation may do: "+name, documents[name]))
	}
	if len(c.StageIDs(a)) > 0 {
		role(stack, "Review", c.ReviewRole(), "tells what a release of "+c.Name+" changes", policy.ReviewTrust(c, a)).SetPolicies(inline(policy.Review(c, a)))
	}
	if len(c.Protected(a)) > 0 {
		role(stack, "Protect", c.ProtectRole(), "keeps the stacks of "+c.Name+" from being deleted", policy.ProtectTrust(c)).SetPolicies(inline(policy.Protect(c, a)))
	}
	if a.Roles.Type == config.Managed {
		execution := role(stack, "Execution", c.ExecutionRole(), "CloudFormation, for the stacks of "+c.Name, policy.ExecutionTrust(a))
		execution.SetManagedPolicyArns(&attached)
		execution.SetPermissionsBoundary(jsii.String(c.ARN("iam", "", a, "policy/"+c.Boundary(a))))
		if boundary := stack.Node().TryFindChild(jsii.String("Boundary")); boundary != nil {
			execution.Node().AddDependency(boundary)
		}
		role(stack, "Deploy", c.DeployRole(), "the CD pipeline of "+c.Name, policy.DeployTrust(c, a)).SetPolicies(inline(policy.Deploy(c, a)))
	}
	return stack
}

// managedPolicy adds a policy and returns its ARN.
func managedPolicy(stack awscdk.Stack, id, name, description string, document policy.Document) *string {
	return awsiam.NewCfnManagedPolicy(stack, &id, &awsiam.CfnManagedPolicyProps{
		ManagedPolicyName: &name, Description: &description, PolicyDocument: document.Map(),
	}).AttrPolicyArn()
}

func role(stack awscdk.Stack, id, name, description string, trust policy.Document) awsiam.CfnRole {
	return awsiam.NewCfnRole(stack, &id, &awsiam.CfnRoleProps{
		RoleName: &name, Description: &description, AssumeRolePolicyDocument: trust.Map(),
	})
}

func inline(document policy.Document) *[]any {
	return &[]any{&awsiam.CfnRole_PolicyProperty{PolicyName: jsii.String("work"), PolicyDocument: document.Map()}}
}

// synthesizer names the roles that act in an account. Only a bootstrap stack has roles
// and a bucket for assets: other roles cannot deploy an application with assets.
func synthesizer(c *config.Config, account *config.Account) awscdk.IStackSynthesizer {
	if account.Roles.Type == config.Bootstrap {
		return awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			Qualifier: &account.Roles.Qualifier, LookupRoleArn: jsii.String(c.ReviewRoleARN(account)),
		})
	}
	return awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
		DeployRoleArn:                jsii.String(c.DeployRoleARN(account, "")),
		CloudFormationExecutionRole:  jsii.String(c.ExecutionRoleARN(account, "")),
		LookupRoleArn:                jsii.String(c.ReviewRoleARN(account)), // which composer changes reads in the assembly
		GenerateBootstrapVersionRule: jsii.Bool(false),
	})
}

// permissionsBoundary returns the boundary of all roles that a stage or a stack makes in
// an account, or nil.
func permissionsBoundary(c *config.Config, account *config.Account) awscdk.PermissionsBoundary {
	name := c.Boundary(account)
	if name == "" {
		return nil
	}
	return awscdk.PermissionsBoundary_FromName(&name)
}
