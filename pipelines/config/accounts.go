package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// SharedStack returns the name of the stack of what is shared.
func (c *Config) SharedStack() string { return c.Name + "-shared" }

// ArtifactBucketIn returns the tooling account's bucket for artifacts in a region.
func (c *Config) ArtifactBucketIn(region string) string {
	return c.Name + "-artifacts-" + c.Tooling.Account.ID + "-" + region
}

// SigningProfile returns the name of the profile that ECR signs images with; it has no -.
func (c *Config) SigningProfile() string { return strings.ReplaceAll(c.Name, "-", "_") + "_images" }

// ARN returns the ARN of something in an account; region is empty where the service has
// none.
func (c *Config) ARN(service, region string, a *Account, resource string) string {
	return "arn:" + c.Partition() + ":" + service + ":" + region + ":" + a.ID + ":" + resource
}

// TargetAccounts returns the accounts that something is deployed to, sorted by name.
func (c *Config) TargetAccounts() []*Account {
	found := map[string]*Account{}
	for _, e := range c.Environments {
		for _, t := range e.Targets() {
			found[t.Account.Name] = t.Account
		}
	}
	return sorted(found)
}

// Regions returns the regions that something is deployed to in an account, or in any where
// the account is nil, sorted.
func (c *Config) Regions(a *Account) []string {
	found := map[string]string{}
	for _, e := range c.Environments {
		for _, t := range e.Targets() {
			if a == nil || t.Account == a {
				found[t.Region] = t.Region
			}
		}
	}
	return sorted(found)
}

// OtherRegions returns the target regions besides that of the tooling, sorted: each
// needs a copy of the artifacts.
func (c *Config) OtherRegions() []string {
	return slices.DeleteFunc(c.Regions(nil), func(region string) bool { return region == c.Tooling.Region })
}

// StageIDs returns the names that the application's stacks in an account begin with,
// sorted.
func (c *Config) StageIDs(a *Account) []string {
	found := map[string]string{}
	for _, e := range c.Environments {
		for _, t := range e.Targets() {
			if t.Account == a {
				id := c.StageID(e, t)
				found[id] = id
			}
		}
	}
	return sorted(found)
}

// Start returns which of the triggers of the CD pipeline one of an environment is; -1 if none.
func (c *Config) Start(t Trigger) int {
	return slices.IndexFunc(c.Triggers, func(one Trigger) bool {
		return slices.Equal(one.Branches, t.Branches) && slices.Equal(one.Paths, t.Paths) && slices.Equal(one.Tags, t.Tags)
	})
}

// Protected returns the stage ids of an account whose stacks have termination protection,
// sorted.
func (c *Config) Protected(a *Account) []string {
	var found []string
	for _, e := range c.Environments {
		for _, t := range e.Targets() {
			if t.Account == a && e.TerminationProtection {
				found = append(found, c.StageID(e, t))
			}
		}
	}
	slices.Sort(found)
	return found
}

// HasEphemeral reports whether an account holds an environment that is removed again.
func (c *Config) HasEphemeral(a *Account) bool {
	return slices.ContainsFunc(c.Environments, func(e *Environment) bool {
		return e.Type == Ephemeral && slices.ContainsFunc(e.Targets(), func(t Target) bool { return t.Account == a })
	})
}

// Bakes reports whether alarms of an account hold waves back.
func (c *Config) Bakes(a *Account) bool {
	return slices.ContainsFunc(c.Environments, func(e *Environment) bool {
		return e.Bake != nil && slices.ContainsFunc(e.Targets(), func(t Target) bool { return t.Account == a })
	})
}

func sorted[V any](found map[string]V) []V {
	var values []V
	for _, key := range slices.Sorted(maps.Keys(found)) {
		values = append(values, found[key])
	}
	return values
}

// DeployRoleARN returns the role that deploys in an account and region. A region of *
// makes the pattern of all regions, as bootstrap roles have one each.
func (c *Config) DeployRoleARN(a *Account, region string) string {
	return c.roleARN(a, region, a.Roles.DeployRoleARN, c.DeployRole(), "deploy-role")
}

// ExecutionRoleARN returns the role that CloudFormation works with there.
func (c *Config) ExecutionRoleARN(a *Account, region string) string {
	return c.roleARN(a, region, a.Roles.ExecutionRoleARN, c.ExecutionRole(), "cfn-exec-role")
}

func (c *Config) roleARN(a *Account, region, given, managed, bootstrap string) string {
	switch a.Roles.Type {
	case Given:
		return given
	case Managed:
		return c.ARN("iam", "", a, "role/"+managed)
	default:
		return c.ARN("iam", "", a, "role/cdk-"+a.Roles.Qualifier+"-"+bootstrap+"-"+a.ID+"-"+region)
	}
}

// ReviewRoleARN returns the role that reads what is deployed in an account: where the roles
// are given, the one that deploys. The bootstrap stack's own, for look-ups, reads
// everything.
func (c *Config) ReviewRoleARN(a *Account) string {
	if a.Roles.Type == Given {
		return a.Roles.DeployRoleARN
	}
	return c.ARN("iam", "", a, "role/"+c.ReviewRole())
}

// ReviewRoleARNs returns the review roles of the accounts where somebody approves what a release
// changes, sorted.
func (c *Config) ReviewRoleARNs() []string {
	var roles []string
	for _, e := range c.Environments {
		if e.Approval == nil {
			continue
		}
		for _, t := range e.Targets() {
			roles = append(roles, c.ReviewRoleARN(t.Account))
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// ProtectRoleARN returns the role that keeps the stacks of an account from being deleted:
// where the roles are given, the one that deploys.
func (c *Config) ProtectRoleARN(a *Account) string {
	if a.Roles.Type == Given {
		return a.Roles.DeployRoleARN
	}
	return c.ARN("iam", "", a, "role/"+c.ProtectRole())
}

// Boundary returns the name of the permissions boundary of every role that is made in an
// account: the file's, or that of the roles stack; empty for given roles without.
func (c *Config) Boundary(a *Account) string {
	if a.Roles.Type == Given {
		return a.Roles.PermissionsBoundary
	}
	return cmp.Or(a.Roles.PermissionsBoundary, c.Name+"-boundary")
}

// What CloudFormation may do in an account is said by several policies, as one would
// be too long: with services that run the application, with its data, with pipelines
// and with roles.
const (
	ServicesPolicy  = "services"
	DataPolicy      = "data"
	PipelinesPolicy = "pipelines"
	RolesPolicy     = "roles"
)

// ExecutionPolicies returns the policies of an account, which has an application, pipelines or
// both.
func (c *Config) ExecutionPolicies(a *Account) []string {
	var names []string
	if len(c.Regions(a)) > 0 {
		names = append(names, ServicesPolicy, DataPolicy)
	}
	if a == c.Tooling.Account {
		names = append(names, PipelinesPolicy)
	}
	return append(names, RolesPolicy)
}

// ExecutionPolicy returns the full name of one.
func (c *Config) ExecutionPolicy(name string) string { return c.ExecutionRole() + "-" + name }

// RolesAccounts returns the accounts with a roles stack: the target accounts and that of
// the tooling, but those whose roles are given, sorted by name.
func (c *Config) RolesAccounts() []*Account {
	found := map[string]*Account{c.Tooling.Account.Name: c.Tooling.Account}
	for _, a := range c.TargetAccounts() {
		found[a.Name] = a
	}
	maps.DeleteFunc(found, func(_ string, a *Account) bool { return a.Roles.Type == Given })
	return sorted(found)
}
