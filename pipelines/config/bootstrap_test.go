package config

import (
	"slices"
	"strings"
	"testing"
)

// TestBootstrap: the account of the tooling is first, a roles stack comes before the
// bootstrap stacks that name its policies, nobody is an administrator, and only the
// tooling account is trusted.
func TestBootstrap(t *testing.T) {
	shared := &Account{Name: "shared", ID: "111111111111", Roles: Roles{Type: Bootstrap, Qualifier: defaultQualifier}}
	dev := &Account{Name: "dev", ID: "222222222222", Roles: Roles{Type: Managed}}
	prod := &Account{Name: "prod", ID: "333333333333", Roles: Roles{Type: Bootstrap, Qualifier: "shop", PermissionsBoundary: "ours"}}
	given := &Account{Name: "partner", ID: "444444444444", Roles: Roles{Type: Given}}
	c := &Config{
		File: "my files/pipeline.yaml", Name: "shop", Tooling: Tooling{Account: shared, Region: "eu-west-1"},
		Environments: []*Environment{
			{Name: "try", Waves: [][]Target{{{Account: dev, Region: "eu-west-1"}}}},
			{Name: "production", Waves: [][]Target{{{Account: prod, Region: "us-east-1"}, {Account: prod, Region: "eu-west-1"}, {Account: given, Region: "eu-west-1"}}}},
		},
	}
	pipelines := "arn:aws:iam::111111111111:policy/shop-cloudformation-pipelines,arn:aws:iam::111111111111:policy/shop-cloudformation-roles"
	application := "arn:aws:iam::333333333333:policy/shop-cloudformation-services,arn:aws:iam::333333333333:policy/shop-cloudformation-data,arn:aws:iam::333333333333:policy/shop-cloudformation-roles"
	want := []string{
		"# with credentials of shared (111111111111)",
		"npx cdk deploy Roles-shared -c 'pipeline=my files/pipeline.yaml' -c 'checkout=../shop files'",
		"npx cdk bootstrap aws://111111111111/eu-west-1 --qualifier hnb659fds --cloudformation-execution-policies " + pipelines + " --custom-permissions-boundary shop-boundary",
		"npx cdk bootstrap aws://111111111111/us-east-1 --qualifier hnb659fds --cloudformation-execution-policies " + pipelines + " --custom-permissions-boundary shop-boundary",
		"# with credentials of dev (222222222222)",
		"npx cdk deploy Roles-dev -c 'pipeline=my files/pipeline.yaml' -c 'checkout=../shop files'",
		"# with credentials of prod (333333333333)",
		"npx cdk deploy Roles-prod -c 'pipeline=my files/pipeline.yaml' -c 'checkout=../shop files'",
		"npx cdk bootstrap aws://333333333333/eu-west-1 --qualifier shop --toolkit-stack-name CDKToolkit-shop --trust 111111111111 --cloudformation-execution-policies " + application + " --custom-permissions-boundary ours",
		"npx cdk bootstrap aws://333333333333/us-east-1 --qualifier shop --toolkit-stack-name CDKToolkit-shop --trust 111111111111 --cloudformation-execution-policies " + application + " --custom-permissions-boundary ours",
	}
	if got := c.Bootstrap("../shop files"); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
