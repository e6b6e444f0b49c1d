package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"composecdk/templatediff"
)

func changesCommand() *cobra.Command {
	var assemblies, stacks []string
	var out string
	command := &cobra.Command{
		Use:   "changes --assembly DIR... [--stack NAME]... [--out FILE]",
		Short: "Show what a deployment of a cloud assembly changes",
		Long: `Changes compares the stacks of cloud assemblies with the deployed stacks. It prints the
added, removed, changed and replaced resources, and the containers with another image.
It prints no values but numbers, switches and images.

It reads deployed templates with the AWS CLI, in the look-up role that the assembly names
for a stack, if any. A stack that does not exist is new. Tags and protection of stacks, and
values from other stacks, are not compared.

--out writes two lines for later steps of a build: CHANGED=true or CHANGED=false, and
SUMMARY= with one line of up to 700 characters without a meaning in shells.

The exit status is 0, with or without changes, and 2 for wrong usage or unreadable input.`,
		Example: `  composer changes --assembly cdk.out/assembly-production-myapps --out changes.txt`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			all, err := compareAll(command.Context(), assemblies, stacks)
			if err != nil {
				return err
			}
			if err := templatediff.Text(command.OutOrStdout(), all); err != nil {
				return err
			}
			return writeSummary(out, all)
		},
	}
	flags := command.Flags()
	flags.StringArrayVar(&assemblies, "assembly", nil, "the folder of a cloud assembly; may be repeated")
	flags.StringArrayVar(&stacks, "stack", nil, "the name of a stack to compare (default all); may be repeated")
	flags.StringVar(&out, "out", "", "a file for CHANGED and SUMMARY")
	command.MarkFlagsOneRequired("assembly")
	return command
}

func compareAll(ctx context.Context, assemblies, names []string) ([]templatediff.Difference, error) {
	var stacks []templatediff.Stack
	for _, dir := range assemblies {
		found, err := templatediff.Read(dir)
		if err != nil {
			return nil, err
		}
		stacks = append(stacks, found...)
	}
	for _, name := range names {
		if !slices.ContainsFunc(stacks, func(s templatediff.Stack) bool { return s.Name == name }) {
			return nil, fmt.Errorf("--stack %s: there is no such stack in the assembly", name)
		}
	}
	if len(names) > 0 {
		stacks = slices.DeleteFunc(stacks, func(s templatediff.Stack) bool { return !slices.Contains(names, s.Name) })
	}
	return compareEach(ctx, stacks)
}

// maxCalls limits parallel calls of the AWS CLI, each of which takes nearly a second.
const maxCalls = 8

func compareEach(ctx context.Context, stacks []templatediff.Stack) ([]templatediff.Difference, error) {
	all, problems := make([]templatediff.Difference, len(stacks)), make([]error, len(stacks))
	accounts := newAccounts()
	var wait sync.WaitGroup
	free := make(chan struct{}, maxCalls)
	for i, s := range stacks {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			deployed, err := accounts.template(ctx, s)
			if err != nil {
				problems[i] = fmt.Errorf("%s: %w", s.Name, err)
				return
			}
			all[i] = templatediff.Compare(s, deployed)
		})
	}
	wait.Wait()
	return all, errors.Join(problems...)
}

func writeSummary(file string, all []templatediff.Difference) error {
	if file == "" {
		return nil
	}
	changed := slices.ContainsFunc(all, templatediff.Difference.Changes)
	text := fmt.Sprintf("CHANGED=%t\nSUMMARY=%s\n", changed, templatediff.Summary(all))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("--out %s: it cannot be written", file)
	}
	return nil
}
