package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"composecdk/templatediff"
)

// accounts reads deployed templates in several accounts, with the AWS CLI.
type accounts struct {
	lock sync.Mutex
	// roles maps the ARN of a role to the environment with its credentials.
	roles map[string]func() ([]string, error)
}

func newAccounts() *accounts { return &accounts{roles: map[string]func() ([]string, error){}} }

// Arguments of the AWS CLI come from an assembly, which may be untrusted.
var (
	stackName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)
	region    = regexp.MustCompile(`^([a-z]{2,4}(-[a-z]+)+-\d+)?$`)
	roleARN   = regexp.MustCompile(`^(arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+)?$`)
)

// template returns the deployed template of a stack, nil where there is no such stack.
func (a *accounts) template(ctx context.Context, s templatediff.Stack) (*templatediff.Template, error) {
	role := s.LookupRole
	if s.Account == "" {
		role = "" // the account of the caller
	}
	if !stackName.MatchString(s.Name) || !region.MatchString(s.Region) || !roleARN.MatchString(role) {
		return nil, fmt.Errorf("it is no stack that can be deployed: name %q, region %q, look-up role %q", s.Name, s.Region, role)
	}
	env, err := a.credentials(ctx, role)
	if err != nil {
		return nil, err
	}
	args := []string{"cloudformation", "get-template", "--stack-name=" + s.Name, "--template-stage=Original", "--output=json"}
	if s.Region != "" {
		args = append(args, "--region="+s.Region)
	}
	out, err := aws(ctx, env, args...)
	if err != nil && strings.Contains(err.Error(), "Stack with id "+s.Name+" does not exist") {
		return nil, nil //nolint:nilnil // the doc comment promises both
	}
	if err != nil {
		return nil, err
	}
	var answer struct{ TemplateBody json.RawMessage }
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, fmt.Errorf("aws cloudformation get-template: its answer is no JSON: %w", err)
	}
	body := []byte(answer.TemplateBody)
	var text string // the AWS CLI gives a template in YAML as a text
	if json.Unmarshal(body, &text) == nil {
		body = []byte(text)
	}
	deployed, err := templatediff.Parse(body)
	if err != nil {
		return nil, fmt.Errorf("the deployed template: %w", err)
	}
	if len(deployed.Resources) == 0 { // of a stack that has a change set only
		return nil, nil //nolint:nilnil // the doc comment promises both
	}
	return deployed, nil
}

// credentials returns the environment in which the AWS CLI acts with a role, or with the
// caller's own credentials if role is "". It assumes each role once.
func (a *accounts) credentials(ctx context.Context, role string) ([]string, error) {
	if role == "" {
		return os.Environ(), nil
	}
	a.lock.Lock()
	if a.roles[role] == nil {
		a.roles[role] = sync.OnceValues(func() ([]string, error) { return assume(ctx, role) })
	}
	get := a.roles[role]
	a.lock.Unlock()
	return get()
}

func assume(ctx context.Context, role string) ([]string, error) {
	out, err := aws(ctx, os.Environ(), "sts", "assume-role", "--role-arn="+role, "--role-session-name=composer-changes", "--duration-seconds=900", "--output=json")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, errors.New("aws sts assume-role: its answer is no JSON")
	}
	c := answer.Credentials
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_PROFILE=") || strings.HasPrefix(v, "AWS_DEFAULT_PROFILE=")
	})
	return append(env, "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken), nil
}

// callTimeout limits one call of the AWS CLI, with its own retries.
const callTimeout = 2 * time.Minute

// aws runs the AWS CLI and returns its output.
func aws(ctx context.Context, env []string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, "aws", args...)
	var out, problems bytes.Buffer
	command.Env, command.Stdout, command.Stderr = slices.Concat(env, []string{"AWS_PAGER=", "AWS_CLI_AUTO_PROMPT=off"}), &out, &problems
	command.WaitDelay = time.Second
	err := command.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	if missing := (*exec.Error)(nil); errors.As(err, &missing) {
		return nil, errors.New("the AWS CLI is needed: there is no program aws")
	}
	message := strings.Join(strings.Fields(problems.String()), " ")
	if message == "" {
		message = err.Error()
	}
	return nil, fmt.Errorf("aws %s %s: %s", args[0], args[1], message)
}
