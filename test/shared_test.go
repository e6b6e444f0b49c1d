//go:build !race

package test

import (
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/stacks"
)

// sharedConfig is a product of two applications with a tooling account, and target
// accounts of each type of roles.
func sharedConfig() *config.Config {
	account := func(name, id string, roles config.Roles) *config.Account {
		return &config.Account{Name: name, ID: id, Roles: roles}
	}
	tooling := account("shared", "111111111111", config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fds"})
	dev := account("dev", "222222222222", config.Roles{Type: config.Managed})
	prod := account("prod", "333333333333", config.Roles{Type: config.Bootstrap, Qualifier: "hnb659fds"})
	partner := account("partner", "444444444444", config.Roles{
		Type:             config.Given,
		DeployRoleARN:    "arn:aws:iam::444444444444:role/theirs/deploy",
		ExecutionRoleARN: "arn:aws:iam::444444444444:role/theirs/cloudformation",
	})
	repository := config.Repository{TagMutability: "IMMUTABLE", ScanOnPush: true, KeepReleases: 10, ExpireUntaggedDays: 14}
	app := func(name string) *config.App {
		r := repository
		r.Name = "myapps/" + name
		return &config.App{Name: name, Service: name, Repository: r, Sign: true}
	}
	return &config.Config{
		Name:           "myapps",
		Tooling:        config.Tooling{Account: tooling, Region: "eu-west-1"},
		OrganizationID: "o-abc1234567",
		Accounts:       []*config.Account{dev, partner, prod, tooling},
		Apps:           []*config.App{app("app01"), app("app02")},
		Environments: []*config.Environment{
			{Name: "throwaway", Type: config.Ephemeral, Waves: [][]config.Target{{{Account: dev, Region: "eu-west-1"}}}},
			{Name: "production", Type: config.Permanent, Waves: [][]config.Target{
				{{Account: prod, Region: "eu-west-1"}}, {{Account: partner, Region: "eu-west-1"}},
			}},
		},
		Notifications: []config.Notification{{Email: "team@example.org", Events: []config.Event{config.ApprovalNeeded, config.Failed}}},
	}
}

// toolingApp synthesises stacks of pipelines, and returns their templates by id.
func toolingApp(t *testing.T, add func(app awscdk.App) []awscdk.Stack) map[string]template {
	t.Helper()
	outdir := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: &outdir, AnalyticsReporting: jsii.Bool(false)})
	added := add(app)
	app.Synth(nil)
	templates := map[string]template{}
	for _, stack := range added {
		tm, err := readTemplate(outdir + "/" + *stack.TemplateFile())
		if err != nil {
			t.Fatal(err)
		}
		tm.t = t
		templates[*stack.Node().Id()] = tm
	}
	return templates
}

func TestShared(t *testing.T) {
	c := sharedConfig()
	tm := toolingApp(t, func(app awscdk.App) []awscdk.Stack {
		return []awscdk.Stack{stacks.NewShared(app, "Shared", &stacks.SharedProps{Config: c}), stacks.NewSharedReplica(app, "Shared", "us-east-1", &stacks.SharedProps{Config: c})}
	})
	if os.Getenv("SHOW") != "" {
		fmt.Println(tm["Shared"].text, tm["Shared-us-east-1"].text)
	}
}
