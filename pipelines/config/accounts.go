package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// SharedStack returns the name of the stack of shared resources.
func (c *Config) SharedStack() string { return c.Name + "-shared" }

// ArtifactBucketIn returns the name of the tooling account's bucket for artifacts in a
// region.
func (c *Config) ArtifactBucketIn(region string) string {
	return c.Name + "-artifacts-" + c.Tooling.Account.ID + "-" + region
}

// SigningProfile returns the name of the profile that signs images in ECR; it has no -.
func (c *Config) SigningProfile() string { return strings.ReplaceAll(c.Name, "-", "_") + "_images" }

// ARN returns the ARN of a resource in an account; region is empty for global services.
func (c *Config) ARN(service, region string, a *Account, resource string) string {
	return "arn:" + c.Partition() + ":" + service + ":" + region + ":" + a.ID + ":" + resource
}

// TargetAccounts returns the accounts with targets, sorted by name.
func (c *Config) TargetAccounts() []*Account {
	found := map[string]*Account{}
	for _, e := range c.Environments {
		for _, t := range e.Targets() {
			found[t.Account.Name] = t.Account
		}
	}
	return sorted(found)
}

// Regions returns the regions with targets in an account, or in all accounts if it is
// nil, sorted.
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

// OtherRegions returns the target regions except the tooling's, sorted: each needs a
// copy of the artifacts.
func (c *Config) OtherRegions() []string {
	return slices.DeleteFunc(c.Regions(nil), func(region string) bool { return region == c.Tooling.Region })
}

// StageIDs returns the prefixes of the names of the application's stacks in an account,
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

// Start returns the index of an environment's trigger among the triggers of the CD
// pipeline, or -1.
func (c *Config) Start(t Trigger) int {
	return slices.IndexFunc(c.Triggers, func(one Trigger) bool {
		return slices.Equal(one.Branches, t.Branches) && slices.Equal(one.Paths, t.Paths) && slices.Equal(one.Tags, t.Tags)
	})
}

// Protected returns the stage ids of an account whose stacks have termination
// protection, sorted.
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

// HasEphemeral reports whether an account has an ephemeral environment.
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

// DeployRoleARN returns the ARN of the role that deploys in an account and region.
// Bootstrap roles have one per region: region * makes a pattern of all.
func (c *Config) DeployRoleARN(a *Account, region string) string {
	return c.roleARN(a, region, a.Roles.DeployRoleARN, c.DeployRole(), "deploy-role")
}

// ExecutionRoleARN returns the ARN of the role that CloudFormation uses there.
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

// ReviewRoleARN returns the ARN of the role that reads the deployed stacks of an
// account; for given roles the one that deploys. The look-up role of the bootstrap stack
// is not used: it reads everything.
func (c *Config) ReviewRoleARN(a *Account) string {
	if a.Roles.Type == Given {
		return a.Roles.DeployRoleARN
	}
	return c.ARN("iam", "", a, "role/"+c.ReviewRole())
}

// ReviewRoleARNs returns the review roles of the accounts with an approval, sorted.
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

// ProtectRoleARN returns the ARN of the role that keeps the stacks of an account from
// being deleted; for given roles the one that deploys.
func (c *Config) ProtectRoleARN(a *Account) string {
	if a.Roles.Type == Given {
		return a.Roles.DeployRoleARN
	}
	return c.ARN("iam", "", a, "role/"+c.ProtectRole())
}

// Boundary returns the name of the permissions boundary of every role that is made in an
// account: from the file, or from the roles stack; empty for given roles without a
// boundary.
func (c *Config) Boundary(a *Account) string {
	if a.Roles.Type == Given {
		return a.Roles.PermissionsBoundary
	}
	return cmp.Or(a.Roles.PermissionsBoundary, c.Name+"-boundary")
}

// The policies of CloudFormation in an account, several as one would be too long:
// services that run the application, its data, pipelines, and roles.
const (
	ServicesPolicy  = "services"
	DataPolicy      = "data"
	PipelinesPolicy = "pipelines"
	RolesPolicy     = "roles"
)

// ExecutionPolicies returns the names of the policies of an account, which has an
// application, pipelines or both.
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

// ExecutionPolicy returns the full name of a policy.
func (c *Config) ExecutionPolicy(name string) string { return c.ExecutionRole() + "-" + name }

// RolesAccounts returns the accounts with a roles stack, sorted by name: the target
// accounts and the tooling account, except those with given roles.
func (c *Config) RolesAccounts() []*Account {
	found := map[string]*Account{c.Tooling.Account.Name: c.Tooling.Account}
	for _, a := range c.TargetAccounts() {
		found[a.Name] = a
	}
	maps.DeleteFunc(found, func(_ string, a *Account) bool { return a.Roles.Type == Given })
	return sorted(found)
}
