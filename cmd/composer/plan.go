package main

import (
	"cmp"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"composecdk/pipelines/plan"
)

func planCommand() *cobra.Command {
	var file, checkout string
	var asJSON bool
	assumed := plan.Assumed()
	command := &cobra.Command{
		Use:   "plan --pipeline FILE",
		Short: "Show the stages, actions, roles, policies, quotas and cost of a pipeline.yaml",
		Long: `Plan shows the outcome of a pipeline.yaml without the CDK and before any deployment:
pipelines with their stages and actions, the roles of every account, the size of growing
policies, the distance to the quotas of AWS, and the cost of the pipelines as V1 and V2.

The number of stacks comes from the compose files. If only a synthesis can count them, the
plan says so.

The exit status is 0 if everything fits, 1 if not or if a file has errors, and 2 for wrong
usage or unreadable input.`,
		Example: "  composer plan --pipeline pipeline.yaml --checkout ../compose --releases 60",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := loadPipeline(command, file)
			if err != nil {
				return err
			}
			models, found := plan.Load(c, cmp.Or(checkout, c.Dir), environ())
			p := plan.New(c, models)
			print := p.Text
			if asJSON {
				print = p.JSON
			}
			if err := print(command.OutOrStdout(), assumed); err != nil {
				return err
			}
			return printDiagnostics(command, append(found, p.Check()...).Sort())
		},
	}
	pipelineFlag(command, &file)
	checkoutFlag(command, &checkout)
	flags := command.Flags()
	flags.BoolVar(&asJSON, "json", false, "print all of it as JSON")
	flags.IntVar(&assumed.Runs, "runs", assumed.Runs, "how often the pipeline of each application runs in a month")
	flags.IntVar(&assumed.Releases, "releases", assumed.Releases, "how often the CD pipeline runs in a month")
	flags.IntVar(&assumed.Updates, "updates", assumed.Updates, "how often the platform pipeline runs in a month")
	minutes := map[plan.Kind]*int{}
	for _, kind := range []plan.Kind{plan.Fetch, plan.Build, plan.Scan, plan.Deploy} {
		minutes[kind] = flags.Int(string(kind)+"-minutes", assumed.Minutes[kind], "how many minutes an action takes: "+string(kind))
	}
	command.PreRun = func(*cobra.Command, []string) {
		for kind, n := range minutes {
			assumed.Minutes[kind] = *n
		}
	}
	return command
}

func environ() map[string]string {
	env := map[string]string{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}
