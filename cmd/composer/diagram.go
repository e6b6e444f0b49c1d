package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"composecdk/compose"
	"composecdk/pipelines/config"
	"composecdk/pipelines/diagram"
)

func diagramCommand() *cobra.Command {
	var file, out string
	command := &cobra.Command{
		Use:   "diagram --pipeline FILE [--out FILE]",
		Short: "Draw what a pipeline.yaml becomes: accounts, stages, and what goes between them",
		Long: `Diagram draws the accounts, pipelines and stages of a pipeline.yaml, and the
artifacts and deployments between them, as SVG. Of many applications and accounts it
draws a few and counts the others. Equal files give equal bytes.

The exit status is 0 on success, 1 if the file has errors, and 2 for wrong usage or
unreadable input.`,
		Example: "  composer diagram --pipeline pipeline.yaml --out docs/pipeline.svg",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := loadPipeline(command, file)
			if err != nil {
				return err
			}
			svg, err := diagram.SVG(command.Context(), c)
			if err != nil {
				return err
			}
			if out == "" {
				_, err = command.OutOrStdout().Write(svg)
				return err
			}
			if err := os.WriteFile(out, svg, 0o644); err != nil { //nolint:gosec // a picture is for everyone
				return fmt.Errorf("--out %s: the folder is not there, or cannot be written to", out)
			}
			return nil
		},
	}
	pipelineFlag(command, &file)
	command.Flags().StringVarP(&out, "out", "o", "", "where the picture goes; standard output if not given")
	return command
}

// pipelineFlag adds the flag for a pipeline.yaml.
func pipelineFlag(command *cobra.Command, file *string) {
	command.Flags().StringVarP(file, "pipeline", "c", "pipeline.yaml", "the pipeline.yaml, or a compose file with x-cicd")
}

// checkoutFlag adds the flag for the folder with the compose files.
func checkoutFlag(command *cobra.Command, checkout *string) {
	command.Flags().StringVar(checkout, "checkout", "", "the checkout of the compose repository; the folder of the pipeline.yaml if not given")
}

// loadPipeline reads a pipeline.yaml and prints its diagnostics.
func loadPipeline(command *cobra.Command, file string) (*config.Config, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("--pipeline %s: no such file, or it cannot be read", file)
	}
	c, found := config.Load(config.Options{File: file})
	return c, printDiagnostics(command, found)
}

// printDiagnostics prints diagnostics. It returns errFound if there are errors among them.
func printDiagnostics(command *cobra.Command, found compose.Diagnostics) error {
	if err := found.Print(command.ErrOrStderr()); err != nil {
		return errors.New("standard error cannot be written to")
	}
	if found.HasErrors() {
		return errFound
	}
	return nil
}
