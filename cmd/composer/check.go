package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"composecdk/gate"
)

type format struct {
	name  string
	print func(*gate.Report, io.Writer) error
}

// formats lists all formats, the default first.
var formats = []format{
	{"text", (*gate.Report).Text},
	{"json", (*gate.Report).JSON},
	{"sarif", (*gate.Report).SARIF},
}

func formatNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

func checkCommand() *cobra.Command {
	var as, accept string
	command := &cobra.Command{
		Use:   "check DIR...",
		Short: "Check synthesised cloud assemblies for mistakes that show only when deployed",
		Long: `Check reads cloud assemblies of any CDK application, with their stages and nested
stacks. In a folder without a manifest.json it reads all *.template.json. It applies every
rule of "composer rules" to the templates.

A file accepts findings, each with a reason:

  - rule: host-namespace
    at: shop/Services/agent*     # a stack and a logical id, or a path of constructs
    reason: the agent reads the processes of its host

An acceptance without a finding is an error.

The exit status is 0 without a finding, 1 with findings, and 2 for wrong usage or
unreadable input.`,
		Example: `  composer check cdk.out
  composer check --format sarif --accept accepted.yaml cdk.out > findings.sarif`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("check needs the folder of a cloud assembly, as in: composer check cdk.out")
			}
			return nil
		},
		RunE: func(command *cobra.Command, dirs []string) error {
			return check(command.OutOrStdout(), as, accept, dirs)
		},
	}
	command.Flags().StringVar(&as, "format", formats[0].name, "the format of the report: "+formatNames())
	command.Flags().StringVar(&accept, "accept", "", "a YAML file of accepted findings: rule, at, reason")
	return command
}

func check(out io.Writer, as, accept string, dirs []string) error {
	i := slices.IndexFunc(formats, func(f format) bool { return f.name == as })
	if i < 0 {
		return fmt.Errorf("--format is %q, and can be %s", as, formatNames())
	}
	report := &gate.Report{}
	for _, dir := range dirs {
		assembly, err := gate.Open(dir)
		if err != nil {
			return err
		}
		report.Add(dir, assembly)
	}
	if accept != "" {
		if err := acceptFrom(accept, report.Findings); err != nil {
			return fmt.Errorf("%s: %w", accept, err)
		}
	}
	if err := formats[i].print(report, out); err != nil {
		return err
	}
	if report.Open() > 0 {
		return errFound
	}
	return nil
}

func acceptFrom(file string, findings []gate.Finding) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return errors.New("no such file, or it cannot be read")
	}
	accepted, err := gate.Acceptances(text)
	if err != nil {
		return err
	}
	return gate.Accept(findings, accepted)
}

func rulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rules",
		Short: "List the rules of check, with their sources",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			for _, rule := range gate.Rules {
				if _, err := fmt.Fprintf(command.OutOrStdout(), "%s\n    %s\n    %s\n", rule.ID, rule.Summary, rule.Source); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
