package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"composecdk/compose/load"
)

func mergeCommand() *cobra.Command {
	var out string
	command := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Make one compose file of several",
		Long: `Merge merges several compose files, with their includes, extends and x- sections, into
one file in the canonical form of docker compose. Of two files the later wins, as with
docker compose -f.

Variables are not interpolated. Comments are lost: use set-image to change an image in a
file that people edit.

The exit status is 0 on success, 1 if the files have errors, and 2 for wrong usage or an
output that cannot be written.`,
		Example: `  composer merge compose.yml images/*.yaml -o merged.yml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("merge needs compose files, as in: composer merge compose.yml images/app01.yaml")
			}
			return nil
		},
		RunE: func(command *cobra.Command, files []string) error {
			text, found := load.Merge(command.Context(), load.Options{Files: files})
			if err := found.Print(command.ErrOrStderr()); err != nil {
				return err
			}
			if text == nil {
				return errFound
			}
			if out == "" {
				_, err := command.OutOrStdout().Write(text)
				return err
			}
			if err := os.WriteFile(out, text, 0o644); err != nil { //nolint:gosec // a compose file is for all to read
				return fmt.Errorf("-o %s: it cannot be written", out)
			}
			return nil
		},
	}
	command.Flags().StringVarP(&out, "output", "o", "", "the file to write (default standard output)")
	return command
}
