package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Bootstrap returns the lines of a shell script that prepares the accounts, the tooling
// account first: the roles stack of each, whose policies `cdk bootstrap` takes instead
// of AdministratorAccess, then the bootstrap stacks where their roles are used. A
// comment names the account whose credentials the lines below it need. The checkout is
// the folder of the compose repository; "" means the folder of the file.
func (c *Config) Bootstrap(checkout string) []string {
	accounts := c.RolesAccounts()
	slices.SortStableFunc(accounts, func(a, b *Account) int {
		return strings.Compare(c.rank(a), c.rank(b))
	})
	settings := " -c " + quoted("pipeline="+c.File)
	if checkout != "" {
		settings += " -c " + quoted("checkout="+checkout)
	}
	var lines []string
	for _, a := range accounts {
		lines = append(lines, fmt.Sprintf("# with credentials of %s (%s)", a.Name, a.ID),
			"npx cdk deploy "+quoted("Roles-"+a.Name)+settings)
		if a.Roles.Type != Bootstrap {
			continue
		}
		for _, region := range c.bootstrapped(a) {
			lines = append(lines, c.bootstrap(a, region))
		}
	}
	return lines
}

func (c *Config) rank(a *Account) string {
	if a == c.Tooling.Account {
		return ""
	}
	return a.Name
}

// bootstrapped returns the regions of an account that need a bootstrap stack.
func (c *Config) bootstrapped(a *Account) []string {
	regions := c.Regions(a)
	if a == c.Tooling.Account {
		regions = append(c.OtherRegions(), c.Tooling.Region)
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}

// bootstrap returns the command for one region. The CDK's default stack name fits one
// qualifier only. See
// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
func (c *Config) bootstrap(a *Account, region string) string {
	words := []string{"npx cdk bootstrap", fmt.Sprintf("aws://%s/%s", a.ID, region), "--qualifier " + a.Roles.Qualifier}
	if a.Roles.Qualifier != defaultQualifier {
		words = append(words, "--toolkit-stack-name CDKToolkit-"+a.Roles.Qualifier)
	}
	if a != c.Tooling.Account {
		words = append(words, "--trust "+c.Tooling.Account.ID)
	}
	var policies []string
	for _, name := range c.ExecutionPolicies(a) {
		policies = append(policies, c.ARN("iam", "", a, "policy/"+c.ExecutionPolicy(name)))
	}
	words = append(words, "--cloudformation-execution-policies "+strings.Join(policies, ","), "--custom-permissions-boundary "+c.Boundary(a))
	return strings.Join(words, " ")
}

var plain = regexp.MustCompile(`^[\w./=:@%+,-]+$`)

// quoted quotes one word for a shell.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
