package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// readFamilies loads files and runs the part of Resolve that this step is.
func readFamilies(t *testing.T, opts load.Options) (*Model, Diagnostics) {
	t.Helper()
	p, found := load.Files(context.Background(), opts)
	if p == nil {
		t.Fatalf("no project: %v", found)
	}
	r := &resolver{Reporter: &diag.Reporter{Positions: p}, project: p, model: &Model{Name: p.Name}}
	r.tags()
	r.families()
	r.connections()
	return r.model, append(found, r.Found...).Sort()
}

// familiesOf reads one file given as text; errors fail the test.
func familiesOf(t *testing.T, text string) (*Model, Diagnostics) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "compose.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, found := readFamilies(t, load.Options{Files: []string{file}, ProjectName: "fixture"})
	return m, found
}

func mustFamilies(t *testing.T, text string) *Model {
	t.Helper()
	m, found := familiesOf(t, text)
	if found.HasErrors() {
		var b strings.Builder
		_ = found.Print(&b)
		t.Fatal(b.String())
	}
	return m
}

// Every file under testdata/family must give exactly the diagnostics of the .out
// file beside it: those under err at least one error, those under ok none.
func TestFamilyFixtures(t *testing.T) {
	for _, kind := range []string{"err", "ok"} {
		files, err := filepath.Glob(filepath.Join("testdata/family", kind, "*.yml"))
		if err != nil || len(files) == 0 {
			t.Fatal("no fixtures: ", err)
		}
		for _, file := range files {
			t.Run(kind+"/"+filepath.Base(file), func(t *testing.T) {
				_, found := readFamilies(t, fixtureOptions(t, file))
				if found.HasErrors() != (kind == "err") {
					t.Errorf("errors: %v", found.HasErrors())
				}
				var b bytes.Buffer
				if err := found.Print(&b); err != nil {
					t.Fatal(err)
				}
				compareOut(t, strings.TrimSuffix(file, ".yml")+".out", b.String())
			})
		}
	}
}

// The base file of the reference's use-cases must become three families.
func TestBlogFeatures(t *testing.T) {
	file := corpus + "/composex/use-cases/blog.features.yml"
	if _, err := os.Stat(file); err != nil {
		t.Skip("the corpus, ../shared/corpus, is not beside the repository")
	}
	m, found := readFamilies(t, load.Options{Files: []string{file}, ProjectName: "blog"})
	if found.HasErrors() {
		t.Error(found)
	}
	var names []string
	for _, f := range m.Families {
		names = append(names, fmt.Sprintf("%s %d/%d after %v", f.Name, f.CPU, f.Memory, f.DependsOn))
	}
	want := []string{"app03 256/512 after []", "bignicefamily 1024/2048 after [app03]", "youtoo 512/1024 after [bignicefamily]"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func familyNamed(t *testing.T, m *Model, name string) *Family {
	t.Helper()
	for _, f := range m.Families {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no family %q", name)
	return nil
}

// A service must be in every family that its label names, and in one of its own
// without a label; a service that shares another's network is in its family.
func TestFamilies(t *testing.T) {
	m := mustFamilies(t, `
services:
  proxy: {image: nginx, deploy: {labels: {ecs.task.family: "b, a,b"}}}
  app: {image: nginx, deploy: {labels: {ecs.task.family: a}}}
  side: {image: nginx, network_mode: "service:app"}
  aside: {image: nginx, network_mode: "service:side", pid: "service:app"}
  own: {image: nginx}
`)
	var got []string
	for _, f := range m.Families {
		names := ""
		for _, c := range f.Containers {
			names += " " + c.Name
		}
		got = append(got, f.Name+":"+names)
	}
	want := []string{"a: app aside proxy side", "b: proxy", "own: own"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if mode := familyNamed(t, m, "a").PidMode; mode != "task" {
		t.Errorf("PidMode %q", mode)
	}
}

// The same files must give the same model, whatever order their keys are in.
func TestFamiliesDoNotDependOnOrder(t *testing.T) {
	a := mustFamilies(t, `
services:
  b: {image: nginx, expose: [80, 81], environment: {B: "1", A: "2"}, depends_on: [a, c], volumes: ["v:/v", "/w"]}
  a: {image: nginx, expose: [80]}
  c: {image: nginx, expose: ["82/udp"], volumes: ["v:/v"]}
volumes: {v: {}}
`)
	b := mustFamilies(t, `
volumes: {v: {}}
services:
  c: {image: nginx, expose: ["82/udp"], volumes: ["v:/v"]}
  a: {image: nginx, expose: [80]}
  b: {image: nginx, volumes: ["/w", "v:/v"], depends_on: [c, a], environment: {A: "2", B: "1"}, expose: [81, 80]}
`)
	if x, y := printed(t, a), printed(t, b); x != y {
		t.Errorf("got\n%s\nand\n%s", x, y)
	}
}

// printed returns a model as text, without the paths of list items, which follow the
// file.
func printed(t *testing.T, m *Model) string {
	t.Helper()
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`\[\d+\]`).ReplaceAllString(string(text), "[]")
}

// Containers wait for each other by the condition that the file declares, or by
// the label of the one waited for; one that must end is not essential.
func TestContainerDependencies(t *testing.T) {
	m := mustFamilies(t, `
x-labels: &f {labels: {ecs.task.family: f}}
services:
  app:
    image: nginx
    deploy: *f
    depends_on:
      init: {condition: service_completed_successfully}
      db: {condition: service_healthy}
      cache: {condition: service_started}
      job: {condition: service_started}
  init: {image: busybox, deploy: *f}
  db: {image: postgres, deploy: *f, healthcheck: {test: pg_isready}}
  cache: {image: redis, deploy: *f, restart: on-failure}
  job: {image: busybox, deploy: {labels: {ecs.task.family: f, ecs.depends.condition: COMPLETE}}}
`)
	f := familyNamed(t, m, "f")
	want := []ContainerDependency{{"cache", "START"}, {"db", "HEALTHY"}, {"init", "SUCCESS"}, {"job", "COMPLETE"}}
	if got := f.container("app").DependsOn; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, essential := range map[string]bool{"app": true, "init": false, "db": true, "cache": false, "job": false} {
		if f.container(name).Essential != essential {
			t.Errorf("%s: essential %v", name, !essential)
		}
	}
	if !f.container("cache").RestartOnFailure || f.container("init").RestartOnFailure {
		t.Error("only the cache restarts by itself")
	}
	if len(f.DependsOn) != 0 {
		t.Errorf("the family waits for %v", f.DependsOn)
	}
}

// A family waits for the families of what its services depend on, but not for a
// service that runs beside a copy of its own.
func TestFamilyDependencies(t *testing.T) {
	m := mustFamilies(t, `
services:
  web: {image: nginx, depends_on: [api, pair, proxy]}
  api: {image: nginx, expose: [80]}
  proxy: {image: nginx, expose: [80], depends_on: [app], deploy: {labels: {ecs.task.family: "pair,other"}}}
  app: {image: nginx, deploy: {labels: {ecs.task.family: pair}}}
`)
	for name, want := range map[string][]string{"web": {"api", "other", "pair"}, "other": nil, "pair": nil} {
		if got := familyNamed(t, m, name).DependsOn; !slices.Equal(got, want) {
			t.Errorf("%s waits for %v, want %v", name, got, want)
		}
	}
}

// X-Ray is switched by the service, then by old settings for it, then by those
// for all.
func TestTracing(t *testing.T) {
	m := mustFamilies(t, `
configs:
  composex: {x-ray: {enabled: true}}
services:
  all: {image: nginx}
  off: {image: nginx, x-xray: false}
  old: {image: nginx, configs: {x-ray: {enabled: false}}}
  own: {image: nginx, x-xray: {OverrideImage: "xray:3"}}
  both1: {image: nginx, x-xray: true, deploy: {labels: {ecs.task.family: both}}}
  both2: {image: nginx, x-xray: false, deploy: {labels: {ecs.task.family: both}}}
`)
	want := map[string]string{"all": "[all] ", "off": "", "old": "", "own": "[own] xray:3", "both": "[both1] "}
	for _, f := range m.Families {
		got := ""
		if f.Tracing != nil {
			got = fmt.Sprint(f.Tracing.Services, " ", f.Tracing.Image)
		}
		if got != want[f.Name] {
			t.Errorf("%s: %q, want %q", f.Name, got, want[f.Name])
		}
	}
}

// How an update replaces tasks follows order and parallelism, or the percentages
// of Docker's ECS integration.
func TestDeployment(t *testing.T) {
	safe := Deployment{MinHealthyPercent: 100, MaxPercent: 200, CircuitBreaker: true, Rollback: true}
	for _, c := range []struct {
		name, update string
		want         Deployment
	}{
		{"nothing", "{}", safe},
		{"pause", "{failure_action: pause}", Deployment{100, 200, true, false}},
		{"continue", "{failure_action: continue}", Deployment{100, 200, false, false}},
		{"parallelism", "{parallelism: 2}", Deployment{50, 150, true, true}},
		{"start first", "{order: start-first, parallelism: 1}", Deployment{100, 125, true, true}},
		{"stop first", "{order: stop-first}", Deployment{75, 100, true, true}},
		{"all at once", "{order: stop-first, parallelism: 0}", Deployment{0, 100, true, true}},
		{"percent", "{parallelism: 2, x-aws-min_percent: 25, x-aws-max_percent: 125}", Deployment{25, 125, true, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mustFamilies(t, "services: {app: {image: nginx, deploy: {replicas: 4, update_config: "+c.update+"}}}")
			if got := familyNamed(t, m, "app").Deployment; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// A secret becomes variables by its x-secrets, and its value never enters the
// model.
func TestSecrets(t *testing.T) {
	m := mustFamilies(t, `
services:
  app:
    image: nginx
    secrets: [plain-one, named, pair, ssm, found, file]
secrets:
  plain-one: {external: true}
  named: {x-secrets: {Name: /shared/token, VarName: TOKEN, LinksTo: [EcsExecutionRole, EcsTaskRole]}}
  pair: {x-secrets: {Name: pair, JsonKeys: [{SecretKey: user_name, Transform: java_properties}, {SecretKey: pass, VarName: PASS}]}}
  ssm: {external: true, name: "arn:aws:ssm:eu-west-1:012345678912:parameter/x"}
  found: {x-secrets: {Lookup: {Tags: [{team: a}, {Key: env, Value: dev}]}}}
  file: {file: ./never-read.txt}
`)
	var variables []string
	for _, v := range familyNamed(t, m, "app").Containers[0].Secrets {
		variables = append(variables, v.Name+"="+v.Secret+":"+v.JSONKey)
	}
	want := []string{"FILE=file:", "FOUND=found:", "PASS=pair:pass", "PLAIN_ONE=plain-one:", "SSM=ssm:", "TOKEN=named:", "user.name=pair:user_name"}
	if !slices.Equal(variables, want) {
		t.Errorf("got %q, want %q", variables, want)
	}
	secrets := map[string]*Secret{}
	for _, s := range m.Secrets {
		secrets[s.Name] = s
	}
	if s := secrets["named"]; s.External != "/shared/token" || s.Parameter || !s.TaskRole {
		t.Errorf("named: %+v", s)
	}
	if s := secrets["ssm"]; !s.Parameter {
		t.Errorf("ssm: %+v", s)
	}
	if s := secrets["found"]; s.Lookup == nil || s.Lookup.Tags["team"] != "a" || s.Lookup.Tags["env"] != "dev" {
		t.Errorf("found: %+v", s)
	}
	if s := secrets["file"]; !s.Create || s.External != "" {
		t.Errorf("file: %+v", s)
	}
	if s := secrets["plain-one"]; s.External != "plain-one" || s.Create {
		t.Errorf("plain-one: %+v", s)
	}
}

// Named volumes are shared by the families that mount them; who only reads them
// may not write.
func TestVolumes(t *testing.T) {
	m := mustFamilies(t, `
services:
  writer: {image: nginx, volumes: ["data:/data"]}
  reader: {image: nginx, volumes: ["data:/data:ro", "/scratch"]}
volumes:
  data: {driver_opts: {backup_policy: ENABLED, lifecycle_policy: AFTER_30_DAYS, provisioned_throughput: 1024, uid: 1002, gid: 1002}}
`)
	v := m.Volumes[0]
	if want := []VolumeUser{{"reader", false}, {"writer", true}}; !slices.Equal(v.Users, want) {
		t.Errorf("users %v, want %v", v.Users, want)
	}
	if v.UID != "1002" || v.GID != "1002" || v.Properties["ProvisionedThroughputInMibps"] != 1024.0 {
		t.Errorf("%+v", v)
	}
	mounts := familyNamed(t, m, "reader").Containers[0].Mounts
	if want := (Mount{Volume: "reader-scratch", Target: "/scratch", Task: true}); mounts[1] != want {
		t.Errorf("got %+v, want %+v", mounts[1], want)
	}
}

// Service Connect serves no UDP, so a family with such a port is registered in
// Cloud Map.
func TestRecords(t *testing.T) {
	m := mustFamilies(t, `
services:
  dns: {image: nginx, expose: ["53/udp", 80]}
  web: {image: nginx, expose: [80]}
`)
	want := []Record{{Namespace: DefaultNamespace, Name: "dns", Type: "A", Container: "dns", Port: 53}}
	if got := familyNamed(t, m, "dns").Records; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := familyNamed(t, m, "web").Records; len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

// Log groups keep events for a time that CloudWatch knows, the longest that a
// service of the family asks for.
func TestLogging(t *testing.T) {
	m := mustFamilies(t, `
services:
  a:
    image: nginx
    x-logging: {RetentionInDays: 42}
    deploy: {labels: {ecs.task.family: f}}
    logging: {driver: awslogs, options: {awslogs-group: mine, awslogs-create-group: "true", awslogs-datetime-format: "%Y"}}
  b: {image: nginx, x-aws-logs_retention: 14, deploy: {labels: {ecs.task.family: f}}}
  c: {image: nginx}
`)
	f := familyNamed(t, m, "f")
	if want := (Logging{RetentionDays: 60, Group: "mine"}); f.Logging != want {
		t.Errorf("got %+v, want %+v", f.Logging, want)
	}
	if got := f.container("a").LogOptions; len(got) != 1 || got["awslogs-datetime-format"] != "%Y" {
		t.Errorf("options %v", got)
	}
	if got := familyNamed(t, m, "c").Logging.RetentionDays; got != 30 {
		t.Errorf("default %d", got)
	}
}
