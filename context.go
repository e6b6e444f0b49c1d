package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose/diag"
	"composecdk/compose/load"
	"composecdk/stacks"
)

// cdkJSON holds the CDK feature flags, so that the built program behaves the same
// where there is no cdk.json. What the CDK CLI passes wins.
//
//go:embed cdk.json
var cdkJSON []byte

// example is synthesised where nothing else is given.
const example = "examples/blog/compose.yaml"

// output is where the assembly goes where CDK_OUTDIR does not say.
const output = "cdk.out"

// input is what the run is about: CDK context, Docker's variables and defaults.
type input struct {
	load            load.Options
	flags           map[string]any
	outdir          string
	account, region string
	env             string
	ephemeral       bool
	// pipeline is the pipeline.yaml where pipelines are asked for, and checkout the
	// folder with the compose repository that it is about.
	pipeline, checkout string
	// unreleased says that applications may have no image yet.
	unreleased bool
	// validator is nil where the templates are not to be validated.
	validator *stacks.Validator
}

// setting is a value of the CDK context that is ours.
type setting struct {
	name    string
	allowed *regexp.Regexp
	what    string
}

var (
	composeSetting    = setting{"compose", regexp.MustCompile(`^[^,]+(,[^,]+)*$`), "compose files, separated by commas"}
	accountSetting    = setting{"account", regexp.MustCompile(`^\d{12}$`), "an account id of 12 digits"}
	regionSetting     = setting{"region", regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d+$`), "an AWS region, such as eu-west-1"}
	envSetting        = setting{"env", regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`), "letters, digits and -"}
	ephemeralSetting  = setting{"ephemeral", regexp.MustCompile(`^(true|false)$`), "true or false"}
	untrustedSetting  = setting{"untrusted", regexp.MustCompile(`^(true|false)$`), "true or false"}
	allowSetting      = setting{"allow", regexp.MustCompile(`^[A-Za-z_]\w*(,[A-Za-z_]\w*)*$`), "names of environment variables, separated by commas"}
	pipelineSetting   = setting{"pipeline", regexp.MustCompile(`^[^\x00]+$`), "a pipeline.yaml, or a compose file with x-cicd"}
	checkoutSetting   = setting{"checkout", regexp.MustCompile(`^[^\x00]+$`), "the folder of a checkout of the compose repository"}
	unreleasedSetting = setting{"unreleased", regexp.MustCompile(`^(true|false)$`), "true or false"}
	rootSetting       = setting{"root", regexp.MustCompile(`^[^\x00]+$`), "a folder"}
)

// settings are all of them.
var settings = []setting{composeSetting, accountSetting, regionSetting, envSetting, ephemeralSetting, untrustedSetting, allowSetting, rootSetting, pipelineSetting, checkoutSetting, unreleasedSetting}

// readInput reads the contract of the CDK CLI, CDK_OUTDIR and CDK_CONTEXT_JSON,
// and finds the compose files: context, COMPOSE_FILE, the working directory, the
// example. Its errors are of usage, all of them at once.
func readInput(env map[string]string) (input, error) {
	in := input{outdir: cmp.Or(env["CDK_OUTDIR"], output)}
	var defaults struct{ Context map[string]any }
	if err := json.Unmarshal(cdkJSON, &defaults); err != nil {
		return in, fmt.Errorf("cdk.json: %w", err)
	}
	in.flags = defaults.Context
	given, err := cliContext(env)
	if err != nil {
		return in, &usageError{err}
	}
	problems := renamed(given)
	problems = errors.Join(problems, misspelt(given))
	value := func(s setting) string {
		text, err := s.read(given)
		problems = errors.Join(problems, err)
		return text
	}
	files := value(composeSetting)
	in.account, in.region = value(accountSetting), value(regionSetting)
	in.env = value(envSetting)
	in.ephemeral = value(ephemeralSetting) == "true"
	in.load = load.Options{Environ: env, Untrusted: value(untrustedSetting) == "true", Root: value(rootSetting)}
	if allow := value(allowSetting); allow != "" {
		in.load.Allow = strings.Split(allow, ",")
	}
	in.pipeline, in.checkout = value(pipelineSetting), value(checkoutSetting)
	in.unreleased = value(unreleasedSetting) == "true"
	problems = errors.Join(problems, trust(&in.load, given), onlyOne(given))
	if problems == nil && in.pipeline == "" {
		in.load.ProjectName = env[projectVariable]
		in.load.Files, problems = composeFiles(files, env)
	}
	if problems != nil {
		return in, &usageError{problems}
	}
	return in, nil
}

// earlierNames maps the names that settings had in earlier releases to their names of today.
var earlierNames = map[string]string{"throwaway": ephemeralSetting.name}

// renamed moves settings that were given under an earlier name to the name of today.
func renamed(given map[string]any) error {
	var problems []error
	for _, earlier := range slices.Sorted(maps.Keys(earlierNames)) {
		value, ok := given[earlier]
		if !ok {
			continue
		}
		name := earlierNames[earlier]
		if _, both := given[name]; both {
			problems = append(problems, fmt.Errorf("-c %s: it is the earlier name of -c %s; give one of them", earlier, name))
			continue
		}
		given[name] = value
		delete(given, earlier)
	}
	return errors.Join(problems...)
}

// onlyOne refuses settings that say what the file of the pipelines says, and the other
// way round.
func onlyOne(given map[string]any) error {
	var problems []error
	if given[pipelineSetting.name] == nil {
		for _, s := range []setting{checkoutSetting, unreleasedSetting} {
			if given[s.name] != nil {
				problems = append(problems, fmt.Errorf("-c %s: it goes with -c pipeline=FILE", s.name))
			}
		}
		return errors.Join(problems...)
	}
	for _, s := range []setting{composeSetting, accountSetting, regionSetting, envSetting, ephemeralSetting, rootSetting} {
		if given[s.name] != nil {
			problems = append(problems, fmt.Errorf("-c %s: with -c pipeline the file says that", s.name))
		}
	}
	return errors.Join(problems...)
}

// pipelineVariable is set in every build of CodeBuild.
const pipelineVariable = "CODEBUILD_BUILD_ID"

// projectVariable names the project, as with Docker.
const projectVariable = "COMPOSE_PROJECT_NAME"

// choosing are Docker's variables that choose what is deployed.
var choosing = []string{"COMPOSE_FILE", "COMPOSE_PROFILES", projectVariable}

// trust settles how far the compose files are trusted. In a pipeline others have
// written them, and what lets them reach further is refused there.
func trust(opts *load.Options, given map[string]any) error {
	pipeline := opts.Environ[pipelineVariable] != ""
	if pipeline && given[untrustedSetting.name] != nil && !opts.Untrusted {
		return fmt.Errorf("-c untrusted=false: this is a pipeline (%s is set), where the compose files are never trusted", pipelineVariable)
	}
	if opts.Untrusted = opts.Untrusted || pipeline; !opts.Untrusted {
		return nil
	}
	var problems []error
	for _, name := range opts.Allow {
		if load.Credential(name) {
			problems = append(problems, fmt.Errorf("-c allow=%s: it looks like a credential, which untrusted compose files must not use", name))
		}
	}
	if opts.Root != "" && !below(opts.Root) {
		problems = append(problems, fmt.Errorf("-c root=%s: for untrusted compose files it must be the working directory or a folder in it", opts.Root))
	}
	for _, name := range choosing {
		if _, set := opts.Environ[name]; set && !slices.Contains(opts.Allow, name) {
			problems = append(problems, fmt.Errorf("%s is set, but untrusted compose files use only what -c allow names", name))
		}
	}
	return errors.Join(problems...)
}

// below reports whether a folder is the working directory or in it.
func below(folder string) bool {
	here, err := os.Getwd()
	if err != nil {
		return false
	}
	if here, err = filepath.EvalSymlinks(here); err != nil {
		return false
	}
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return false
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return false
	}
	relative, err := filepath.Rel(here, folder)
	return err == nil && filepath.IsLocal(relative)
}

// read returns the text of a setting, "" where it is not given.
func (s setting) read(given map[string]any) (string, error) {
	value, ok := given[s.name]
	if !ok {
		return "", nil
	}
	text := fmt.Sprint(value)
	switch value := value.(type) {
	case string, bool, json.Number:
		ok = s.allowed.MatchString(text)
	case []any: // a cdk.json can list files and names
		var items []string
		for _, item := range value {
			items = append(items, fmt.Sprint(item))
		}
		text = strings.Join(items, ",")
		ok = (s == composeSetting || s == allowSetting) && s.allowed.MatchString(text)
	default:
		ok = false
	}
	if !ok {
		return "", fmt.Errorf("-c %s=%s: expected %s", s.name, text, s.what)
	}
	return text, nil
}

// misspelt finds context that was meant to be one of our settings: without it
// another application would be deployed than was asked for. It ignores the context
// of other tools: CDK keys contain a colon, and -c gives text.
func misspelt(given map[string]any) error {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.name
	}
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if _, text := given[key].(string); !text || strings.ContainsAny(key, ":/") || slices.Contains(names, key) {
			continue
		}
		if name := diag.Nearest(key, names); name != "" {
			problems = append(problems, fmt.Errorf("-c %s: did you mean %q?", key, name))
		}
	}
	return errors.Join(problems...)
}

// cliContext returns the context of the CDK CLI: in a variable, and in a file for
// what does not fit there.
func cliContext(env map[string]string) (map[string]any, error) {
	given := map[string]any{}
	add := func(name string, content []byte) error {
		decoder := json.NewDecoder(bytes.NewReader(content))
		decoder.UseNumber() // an account id is no floating-point number
		if err := decoder.Decode(&given); err != nil {
			return fmt.Errorf("%s is not a JSON object", name)
		}
		return nil
	}
	if overflow := env["CONTEXT_OVERFLOW_LOCATION_ENV"]; overflow != "" {
		content, err := os.ReadFile(overflow)
		if err != nil {
			return nil, fmt.Errorf("the context of the CDK CLI: %w", err)
		}
		if err := add(overflow, content); err != nil {
			return nil, err
		}
	}
	if text := env["CDK_CONTEXT_JSON"]; text != "" {
		if err := add("CDK_CONTEXT_JSON", []byte(text)); err != nil {
			return nil, err
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
	if files := load.DiscoverFiles(dir, env); files != nil {
		return files, nil
	}
	if _, err := os.Stat(filepath.Join(dir, example)); err == nil {
		return []string{example}, nil
	}
	return nil, errors.New("no compose file: give -c compose=FILE, set COMPOSE_FILE, or run in a folder with a compose.yaml")
}
