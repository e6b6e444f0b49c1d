package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"composecdk/compose"
)

// cdkJSON holds the CDK feature flags, so that the built program behaves the same
// where there is no cdk.json. What the CDK CLI passes wins.
//
//go:embed cdk.json
var cdkJSON []byte

// example is synthesised where nothing else is given.
const example = "examples/blog/compose.yaml"

// input is what the run is about: CDK context, Docker's variables and defaults.
type input struct {
	load            compose.Options
	flags           map[string]any
	outdir          string
	account, region string
	env             string
	throwaway       bool
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d+$`)
	envPattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`)
)

// readInput reads the contract of the CDK CLI, CDK_OUTDIR and CDK_CONTEXT_JSON,
// and finds the compose files: context, COMPOSE_FILE, the working directory, the
// example.
func readInput(env map[string]string) (input, error) {
	in := input{outdir: env["CDK_OUTDIR"]}
	var defaults struct{ Context map[string]any }
	if err := json.Unmarshal(cdkJSON, &defaults); err != nil {
		return in, fmt.Errorf("cdk.json: %w", err)
	}
	in.flags = defaults.Context
	given, err := cliContext(env)
	if err != nil {
		return in, err
	}
	setting := func(name string, allowed *regexp.Regexp, what string) string {
		value, ok := given[name]
		if !ok {
			return ""
		}
		text := fmt.Sprint(value)
		if !allowed.MatchString(text) {
			err = errors.Join(err, fmt.Errorf("-c %s=%s: expected %s", name, text, what))
		}
		return text
	}
	in.account = setting("account", accountPattern, "an account id of 12 digits")
	in.region = setting("region", regionPattern, "an AWS region, such as eu-west-1")
	in.env = setting("env", envPattern, "letters, digits and -")
	in.throwaway = setting("throwaway", regexp.MustCompile(`^(true|false)$`), "true or false") == "true"
	files := setting("compose", regexp.MustCompile(`.`), "compose files, separated by commas")
	if err != nil {
		return in, err
	}
	if in.account == "" && in.region != "" || in.account != "" && in.region == "" {
		return in, errors.New("-c account and -c region belong together")
	}
	in.load = compose.Options{Environ: env, ProjectName: env["COMPOSE_PROJECT_NAME"]}
	in.load.Files, err = composeFiles(files, env)
	return in, err
}

// cliContext is the context of the CDK CLI: in a variable, and in a file for
// what does not fit there.
func cliContext(env map[string]string) (map[string]any, error) {
	given := map[string]any{}
	if overflow := env["CONTEXT_OVERFLOW_LOCATION_ENV"]; overflow != "" {
		content, err := os.ReadFile(overflow)
		if err != nil {
			return nil, fmt.Errorf("the context of the CDK CLI: %w", err)
		}
		if err := json.Unmarshal(content, &given); err != nil {
			return nil, fmt.Errorf("the context of the CDK CLI: %w", err)
		}
	}
	if text := env["CDK_CONTEXT_JSON"]; text != "" {
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			return nil, fmt.Errorf("CDK_CONTEXT_JSON: %w", err)
		}
	}
	return given, nil
}

func composeFiles(given string, env map[string]string) ([]string, error) {
	if given != "" {
		return strings.Split(given, ","), nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("the working directory: %w", err)
	}
	if files := compose.DiscoverFiles(dir, env); files != nil {
		return files, nil
	}
	if _, err := os.Stat(filepath.Join(dir, example)); err == nil {
		return []string{example}, nil
	}
	return nil, errors.New("no compose file: give -c compose=FILE, set COMPOSE_FILE, or run in a folder with a compose.yaml")
}
