package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func bootstrapCommand() *cobra.Command {
	var file, checkout string
	command := &cobra.Command{
		Use:   "bootstrap --pipeline FILE [--checkout DIR]",
		Short: "Print the commands that make the accounts of a pipeline.yaml ready",
		Long: `Bootstrap prints a shell script. For each account it deploys the roles stack and, where
the roles of cdk bootstrap are used, bootstraps the regions, with policies and a
permissions boundary instead of AdministratorAccess. Bootstrap executes nothing; comments
in the script name the credentials that the lines below need.`,
		Example: "  composer bootstrap --pipeline pipeline.yaml --checkout ../blog-compose",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := loadPipeline(command, file)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), strings.Join(c.Bootstrap(checkout), "\n"))
			return err
		},
	}
	pipelineFlag(command, &file)
	checkoutFlag(command, &checkout)
	return command
}
