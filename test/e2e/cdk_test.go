//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"composecdk/examples/blog/local"
)

const (
	region     = "eu-west-1"
	here       = "111111111111" // the account that deploys
	there      = "222222222222" // the account that trusts it
	cliTimeout = 10 * time.Minute
)

// cdk runs the CDK CLI of package.json, with the program of `make build`.
type cdk struct {
	emulator
	root string // of the repository
	home string // instead of ~/.cdk and ~/.aws
	log  string // of the stand-in for docker
	as   credentials
}

func newCDK(t testing.TB, aws emulator) cdk {
	t.Helper()
	root, err := local.Repository()
	if err != nil {
		t.Fatal(err)
	}
	for file, task := range map[string]string{"bin/composecdk": "build", "node_modules/.bin/cdk": "setup"} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Fatalf("%s is missing: run `make %s`", file, task)
		}
	}
	home := t.TempDir()
	return cdk{aws, root, home, filepath.Join(home, "docker.log"), aws.admin(t, here)}
}

// run runs the CLI in an empty folder, with nothing of the user's configuration.
func (c cdk) run(args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), cliTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.root, "node_modules", ".bin", "cdk"), args...)
	cmd.Dir = c.home
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Join(c.root, "node_modules", ".bin")+":"+os.Getenv("PATH"),
		"CI=1",
		"CDK_HOME="+c.home,
		"AWS_CONFIG_FILE="+filepath.Join(c.home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(c.home, "credentials"),
		"AWS_PROFILE=", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL="+c.endpoint, "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region,
		"CDK_DISABLE_CLI_TELEMETRY=true",
		"CDK_VALIDATION=false", // the tests beside this one validate; here it would only take time
		"CDK_DOCKER="+filepath.Join(c.root, "test", "e2e", "docker"), "E2E_DOCKER_LOG="+c.log,
	)
	for name, value := range c.as {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	// The CLI starts the program, which starts Node.js: all of them end together.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	printed, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("cdk %s: %w\n%s", strings.Join(args, " "), err, printed)
	}
	return string(printed), err
}

// application is a compose file, or several that are merged, and where it goes.
type application struct {
	files   []string // from the root of the repository
	context map[string]string
	out     string // the assembly
}

// blogFile is the example that the README deploys.
const blogFile = "examples/blog/compose.yaml"

// at returns the application in an account; more files are merged over the first.
func (c cdk) at(t testing.TB, account string, files ...string) application {
	t.Helper()
	return application{files, map[string]string{"account": account, "region": region}, t.TempDir()}
}

// with returns the application with one more value of context.
func (a application) with(name, value string) application {
	a.context = maps.Clone(a.context)
	a.context[name] = value
	return a
}

func (c cdk) on(a application, verb string, flags ...string) (output string, err error) {
	args := append([]string{verb, "--all", "--no-notices", "--app", filepath.Join(c.root, "bin", "composecdk"), "--output", a.out}, flags...)
	files := make([]string, len(a.files))
	for i, file := range a.files {
		files[i] = filepath.Join(c.root, file)
	}
	args = append(args, "-c", "compose="+strings.Join(files, ","))
	for name, value := range a.context {
		args = append(args, "-c", name+"="+value)
	}
	return c.run(args...)
}

// deploy deploys, and checks that all that the templates declare was made.
func (c cdk) deploy(t testing.TB, a application) (output string, templates map[string]template) {
	t.Helper()
	output, err := c.on(a, "deploy", "--require-approval", "never")
	if err != nil {
		t.Fatal(err)
	}
	templates = assembly(t, a.out)
	resources := complete(t, c.account(t, a.context["account"]), templates)
	t.Logf("%d stacks with %d resources: every logical id has a physical id", len(templates), resources)
	return output, templates
}

// destroy destroys what the last deployment of the application synthesised.
func (c cdk) destroy(a application) (output string, err error) {
	return c.run("destroy", "--all", "--force", "--no-notices", "--app", a.out)
}
