//go:build !race

package pipelines

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines"
	"composecdk/pipelines/config"
	"composecdk/stacks"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// shop is a small application with a load balancer.
const shop = `
name: shop
services:
  web:
    image: nginx:1.27
    ports: ["80"]
x-elbv2:
  public:
    Properties: {Type: application, Scheme: internet-facing}
    MacroParameters:
      Ingress: {ExtSources: [{IPv4: 0.0.0.0/0, Name: any}]}
    Listeners: [{Port: 80, Protocol: HTTP, Targets: [{name: "web:web", access: /}]}]
    Services: [{name: "web:web", port: 80, protocol: HTTP, healthcheck: "80:HTTP:7:2:15:5:/:200"}]
`

// delivery is the pipelines of an application, synthesised.
type delivery struct {
	config   *config.Config
	dir      string
	cd       template
	assembly map[string]template // by file name without .template.json
}

// threeAccounts returns the configuration of the blueprint: an ephemeral environment in
// dev, then production.
func threeAccounts() *config.Config {
	account := func(name, id string) *config.Account {
		return &config.Account{
			Name: name, ID: id, Roles: config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fds"},
			Regions: map[string]config.Region{"eu-west-1": {AvailabilityZones: []string{"eu-west-1a", "eu-west-1b"}}},
		}
	}
	shared, dev, prod := account("shared", "111111111111"), account("dev", "222222222222"), account("prod", "333333333333")
	return &config.Config{
		Name: "shop", OrganizationID: "o-abc1234567",
		Tooling: config.Tooling{
			Account: shared, Region: "eu-west-1", File: "pipeline.yaml",
			Source: config.Source{Provider: config.CodeCommit, Repository: "shop-platform", Branch: "main"},
		},
		Accounts: []*config.Account{dev, prod, shared},
		Compose: config.Compose{
			Source: config.Source{Provider: config.CodeCommit, Repository: "shop-compose", Branch: "main"},
			Files:  []string{"compose.yml"}, Images: "images",
		},
		Environments: []*config.Environment{
			{
				Name: "throwaway", Type: config.Ephemeral, Path: "Environments[0]",
				Waves:    [][]config.Target{{{Account: dev, Region: "eu-west-1"}}},
				NewVPC:   &config.NewVPC{CIDR: "10.99.0.0/16", NATGateways: 1},
				Teardown: &config.Teardown{KeepFor: 4 * time.Hour, MaxLifetime: 12 * time.Hour},
				Tests: []config.Test{{
					Name: "smoke", Spec: "tests/smoke.yml", Timeout: 30 * time.Minute,
					Env: map[string]string{"API_URL": "${Outputs.AlbEndpoint}", "HEALTH": "${Outputs.PublicEndpoint80}/health", "MODE": "fast"},
				}},
			},
			{
				Name: "production", Type: config.Permanent, Path: "Environments[1]",
				Waves:    [][]config.Target{{{Account: prod, Region: "eu-west-1"}}},
				Approval: &config.Approval{Comment: "Ship it?", URL: "https://example.org/review", Timeout: 72 * time.Hour, SkipWhenUnchanged: true},
				Review:   true, OnFailure: "rollback", TerminationProtection: true, Isolation: "stage",
			},
		},
		Notifications: []config.Notification{{Email: "team@example.org", Events: []config.Event{config.ApprovalNeeded, config.Failed}}},
		Logs:          config.Logs{RetentionDays: 90},
	}
}

// deliver synthesises the pipelines of a configuration.
func deliver(t *testing.T, c *config.Config) delivery {
	t.Helper()
	d, err := tryDeliver(t, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// tryDeliver returns deliver for what may be wrong, and with other flags of the CDK.
func tryDeliver(t *testing.T, c *config.Config, flags map[string]any) (delivery, error) {
	t.Helper()
	return deliverFile(t, c, flags, fixture.Write(t, shop))
}

// deliverFile returns tryDeliver for a compose file.
func deliverFile(t *testing.T, c *config.Config, flags map[string]any, file string) (delivery, error) {
	t.Helper()
	dir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &dir, AnalyticsReporting: jsii.Bool(false), Context: &flags})
	err := pipelines.New(app, &pipelines.Props{
		Config: c,
		Application: func(stage awscdk.Stage, e *config.Environment, to config.Target) (*stacks.Application, error) {
			_, model, found := fixture.Model(file)
			if model == nil {
				t.Fatal(fixture.Printed(t, found))
			}
			if model.Network.New != nil {
				model.Network.New.AvailabilityZones = to.Account.Zones(to.Region)
			}
			return stacks.NewApplication(stage, &stacks.ApplicationProps{
				Model: model, Account: to.Account.ID, Region: to.Region,
				Ephemeral: e.Type == config.Ephemeral, TerminationProtection: e.TerminationProtection,
			})
		},
	})
	if err != nil {
		return delivery{}, err
	}
	app.Synth(nil)
	d := delivery{config: c, dir: dir, assembly: map[string]template{}}
	files, err := filepath.Glob(filepath.Join(dir, "assembly-*", "*.template.json"))
	if err != nil {
		return d, err
	}
	for _, file := range append(files, filepath.Join(dir, "Cd.template.json")) {
		tm, err := assembly.Read(file)
		if err != nil {
			return d, err
		}
		tm.T = t
		d.assembly[filepath.Base(file)] = tm
	}
	d.cd = d.assembly["Cd.template.json"]
	return d, nil
}
