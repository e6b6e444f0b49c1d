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

	"composecdk/compose"
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
	load            compose.Options
	flags           map[string]any
	outdir          string
	account, region string
	env             string
	throwaway       bool
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
	composeSetting   = setting{"compose", regexp.MustCompile(`^[^,]+(,[^,]+)*$`), "compose files, separated by commas"}
	accountSetting   = setting{"account", regexp.MustCompile(`^\d{12}$`), "an account id of 12 digits"}
	regionSetting    = setting{"region", regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d+$`), "an AWS region, such as eu-west-1"}
	envSetting       = setting{"env", regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*$`), "letters, digits and -"}
	throwawaySetting = setting{"throwaway", regexp.MustCompile(`^(true|false)$`), "true or false"}
)

// settings are all of them.
var settings = []setting{composeSetting, accountSetting, regionSetting, envSetting, throwawaySetting}

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
	problems := misspelt(given)
	value := func(s setting) string {
		text, err := s.read(given)
		problems = errors.Join(problems, err)
		return text
	}
	files := value(composeSetting)
	in.account, in.region = value(accountSetting), value(regionSetting)
	in.env = value(envSetting)
	in.throwaway = value(throwawaySetting) == "true"
	in.load = compose.Options{Environ: withoutCredentials(env), ProjectName: env["COMPOSE_PROJECT_NAME"]}
	if problems == nil {
		in.load.Files, problems = composeFiles(files, env)
	}
	if problems != nil {
		return in, &usageError{problems}
	}
	return in, nil
}

// credentials are variables that a template must never hold: on AWS a task has a
// role, and these are of the person or the pipeline that synthesises.
var credentials = regexp.MustCompile(`^(AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|CONTAINER_.*|WEB_IDENTITY_.*)|GITHUB_TOKEN|ACTIONS_.*TOKEN)$`)

// withoutCredentials are the variables that compose files may use.
func withoutCredentials(env map[string]string) map[string]string {
	visible := maps.Clone(env)
	maps.DeleteFunc(visible, func(name, _ string) bool { return credentials.MatchString(name) })
	return visible
}

// read is the text of a setting, "" where it is not given.
func (s setting) read(given map[string]any) (string, error) {
	value, ok := given[s.name]
	if !ok {
		return "", nil
	}
	text := fmt.Sprint(value)
	switch value := value.(type) {
	case string, bool, json.Number:
		ok = s.allowed.MatchString(text)
	case []any: // a cdk.json can list the files
		var files []string
		for _, file := range value {
			files = append(files, fmt.Sprint(file))
		}
		text = strings.Join(files, ",")
		ok = s == composeSetting && s.allowed.MatchString(text)
	default:
		ok = false
	}
	if !ok {
		return "", fmt.Errorf("-c %s=%s: expected %s", s.name, text, s.what)
	}
	return text, nil
}

// misspelt finds context that was meant to be one of our settings: without it
// another application would be deployed than was asked for. The context of others
// is let be: the CDK's own has a colon, and what -c gives is text.
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
		if name := compose.Nearest(key, names); name != "" {
			problems = append(problems, fmt.Errorf("-c %s: did you mean %q?", key, name))
		}
	}
	return errors.Join(problems...)
}

// cliContext is the context of the CDK CLI: in a variable, and in a file for
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
	if files := compose.DiscoverFiles(dir, env); files != nil {
		return files, nil
	}
	if _, err := os.Stat(filepath.Join(dir, example)); err == nil {
		return []string{example}, nil
	}
	return nil, errors.New("no compose file: give -c compose=FILE, set COMPOSE_FILE, or run in a folder with a compose.yaml")
}
