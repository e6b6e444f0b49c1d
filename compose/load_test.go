package compose

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sirupsen/logrus"

	"composecdk/compose/load"
	"composecdk/test/folder"
)

const oneService = "services: {web: {image: nginx}}\n"

// The files must be found as docker compose finds them.
func TestDiscoverFiles(t *testing.T) {
	for name, c := range map[string]struct {
		have []string
		env  map[string]string
		want []string
	}{
		"none":        {},
		"preferred":   {have: []string{"docker-compose.yml", "compose.yml", "compose.yaml"}, want: []string{"compose.yaml"}},
		"override":    {have: []string{"docker-compose.yml", "docker-compose.override.yml"}, want: []string{"docker-compose.yml", "docker-compose.override.yml"}},
		"variable":    {have: []string{"compose.yml"}, env: map[string]string{"COMPOSE_FILE": "a.yml:b.yml"}, want: []string{"a.yml", "b.yml"}},
		"separator":   {env: map[string]string{"COMPOSE_FILE": "a.yml,b.yml", "COMPOSE_PATH_SEPARATOR": ","}, want: []string{"a.yml", "b.yml"}},
		"no override": {have: []string{"compose.override.yml"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for _, f := range c.have {
				files[f] = oneService
			}
			if got := load.DiscoverFiles(folder.New(t, files), c.env); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// The project's name must come from the option, the environment, the files or
// the folder, in this order.
func TestProjectName(t *testing.T) {
	for name, c := range map[string]struct {
		opts load.Options
		yaml string
		env  string
		want string
	}{
		"option":    {opts: load.Options{ProjectName: "given", Environ: map[string]string{"COMPOSE_PROJECT_NAME": "env"}}, yaml: "name: file\n", want: "given"},
		"process":   {opts: load.Options{Environ: map[string]string{"COMPOSE_PROJECT_NAME": "env"}}, yaml: "name: file\n", env: "COMPOSE_PROJECT_NAME=dot", want: "env"},
		"dotenv":    {yaml: "name: file\n", env: "COMPOSE_PROJECT_NAME=dot", want: "dot"},
		"file":      {yaml: "name: My-App\n", want: "my-app"},
		"variables": {yaml: "name: app-${STAGE:-dev}\n", want: "app-dev"},
		"folder":    {want: "folder"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder.New(t, map[string]string{
				"Fol.der/compose.yml": c.yaml + "services: {web: {image: '${COMPOSE_PROJECT_NAME}'}}\n",
				"Fol.der/.env":        c.env,
			})
			c.opts.Files, c.opts.WorkingDir = []string{"compose.yml"}, filepath.Join(dir, "Fol.der")
			p := mustLoad(t, c.opts)
			if p.Name != c.want || p.Services["web"].Image != c.want {
				t.Errorf("got %q and %q, want %q", p.Name, p.Services["web"].Image, c.want)
			}
		})
	}
}

// Variables must come from the process, and from .env where it has none.
func TestEnvironment(t *testing.T) {
	dir := folder.New(t, map[string]string{
		".env":        "A=dot\nB=dot-$A\nCOMPOSE_PROFILES=x\n",
		"compose.yml": "services:\n  web: {image: '$A/$B', profiles: [x]}\n  off: {image: n, profiles: [y]}\n",
	})
	p := mustLoad(t, load.Options{Files: []string{"compose.yml"}, WorkingDir: dir, Environ: map[string]string{"A": "process"}})
	if got, want := p.Services["web"].Image, "process/dot-process"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(p.DisabledServices) != 1 {
		t.Errorf("COMPOSE_PROFILES: got %v", p.DisabledServices)
	}
}

// An included file must see the .env beside it, under what the including file
// sees.
func TestIncludeEnvironment(t *testing.T) {
	dir := folder.New(t, map[string]string{
		".env":        "A=main\n",
		"compose.yml": "include: [sub/inc.yml]\nservices: {web: {image: '$A'}}\n",
		"sub/.env":    "A=sub\nB=sub\n",
		"sub/inc.yml": "services: {inc: {image: '$A-$B', environment: [B]}}\nx-sqs: {q: {Properties: {QueueName: $B}}}\n",
	})
	p := mustLoad(t, load.Options{Files: []string{"compose.yml"}, WorkingDir: dir})
	inc := p.Services["inc"]
	if inc.Image != "main-sub" || inc.Environment["B"] == nil || *inc.Environment["B"] != "sub" {
		t.Errorf("got %q, %v", inc.Image, inc.Environment)
	}
	if got := fmt.Sprint(p.Extensions["x-sqs"]); got != "map[q:map[Properties:map[QueueName:sub]]]" {
		t.Errorf("x-sqs: %s", got)
	}
}

// The settings of old files must be found, those of the service over those of
// the file.
func TestSettings(t *testing.T) {
	dir := folder.New(t, map[string]string{"compose.yml": `
configs:
  composex: {xray: {enabled: true}, use_ssm: false}
  globals: {network: {use_cloudmap: true}}
  spot_config: {bid_price: 0.42}
  web: {use_alb: true, is_public: true}
services:
  web:
    image: nginx
    configs: {use_alb: false, x-ray: {enabled: false}}
    labels: {healthcheck: {http: 80/}, mine: kept}
`})
	p := mustLoad(t, load.Options{Files: []string{"compose.yml"}, WorkingDir: dir})
	s := p.Settings
	web := s.Services["web"]
	if web["use_alb"] != false || web["is_public"] != true || web["healthcheck"] == nil {
		t.Errorf("services.web: %v", web)
	}
	if s.Tracing == nil || !*s.Tracing || s.ServiceTracing["web"] {
		t.Errorf("tracing: %v %v", s.Tracing, s.ServiceTracing)
	}
	if len(s.Global) != 3 {
		t.Errorf("global: %v", s.Global)
	}
	if got := p.Services["web"].Labels; len(got) != 1 || got["mine"] != "kept" {
		t.Errorf("labels: %v", got)
	}
}

// compose-go logs what it thinks of a file; a program that prints diagnostics
// must not print that as well.
func TestLoadIsSilent(t *testing.T) {
	var log bytes.Buffer
	before := logrus.StandardLogger().Out
	logrus.SetOutput(&log)
	defer logrus.SetOutput(before)
	dir := folder.New(t, map[string]string{"compose.yml": "version: '3'\n" + oneService + "networks: {n: {external: {name: x}}}\n"})
	mustLoad(t, load.Options{Files: []string{"compose.yml"}, WorkingDir: dir})
	if log.Len() > 0 {
		t.Errorf("logged: %s", log.String())
	}
	if logrus.StandardLogger().Out != &log {
		t.Error("the log's output is not restored")
	}
}

// Load must leave nothing behind in the temporary folder.
func TestLoadCleansUp(t *testing.T) {
	temp := t.TempDir()
	dir := folder.New(t, map[string]string{"compose.yml": "include: [inc.yml]\n" + oneService, "inc.yml": "services: {a: {image: b}}\n"})
	t.Setenv("TMPDIR", temp)
	mustLoad(t, load.Options{Files: []string{"compose.yml"}, WorkingDir: dir})
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// No files at all is an error of its own.
func TestLoadNothing(t *testing.T) {
	p, ds := load.Files(context.Background(), load.Options{WorkingDir: t.TempDir()})
	if p != nil || len(ds) != 1 || ds[0].Code != "file-missing" {
		t.Errorf("got %v %v", p, ds)
	}
}
