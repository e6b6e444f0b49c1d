//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"composecdk/examples/blog/local"
)

// TestDeployed is the whole story. Its steps build on each other, so that the first
// that fails ends it. The first account deploys the example to itself, and all else
// to the second, side by side.
func TestDeployed(t *testing.T) {
	root, err := local.Repository()
	if err != nil {
		t.Fatal(err)
	}
	endpoint := local.Serve(t, map[string]string{
		"PYTHONPATH": filepath.Join(root, "test", "e2e"), "PYTHONDONTWRITEBYTECODE": "1",
	}, "python", "-m", "emulator")
	// The CLI asks for templates at this name: moto takes any other for a bucket's.
	c := newCDK(t, emulator{strings.Replace(endpoint, "127.0.0.1", "localhost", 1)})

	step(t, "bootstrap two accounts, the second trusts the first", c.bootstrap)
	t.Run("applications", func(t *testing.T) {
		t.Run("the example", func(t *testing.T) {
			t.Parallel() //nolint:forbidigo // no kernel here: the CDK runs in processes of its own
			c.example(t)
		})
		t.Run("across accounts", func(t *testing.T) {
			t.Parallel() //nolint:forbidigo // no kernel here: the CDK runs in processes of its own
			step(t, "deploy the example across accounts", func(t *testing.T) {
				c.deploy(t, c.at(t, there, blogFile))
				c.images(t, there)
			})
			c.goldenCases(t)
			step(t, "a type that the emulator does not know fails", c.unknownType)
		})
	})
	t.Run("types", c.census)
}

// started is when the tests began.
var started = time.Now()

// step runs a subtest without which the next ones make no sense; it tells its time.
func step(t *testing.T, name string, do func(t *testing.T)) {
	t.Helper()
	begun := time.Now()
	passed := t.Run(name, do)
	fmt.Printf("  %5.1f s  %-60s %5.1f s\n", time.Since(started).Seconds(), name, time.Since(begun).Seconds())
	if !passed {
		t.FailNow()
	}
}

func (c cdk) bootstrap(t *testing.T) {
	admin, other := c.admin(t, there), c
	other.as = admin
	policies := []string{"--no-notices", "--cloudformation-execution-policies", "arn:aws:iam::aws:policy/AdministratorAccess"}
	errs := make([]error, 2)
	var both sync.WaitGroup
	both.Go(func() {
		_, errs[0] = c.run(append(policies, "bootstrap", "aws://"+here+"/"+region)...)
	})
	both.Go(func() {
		_, errs[1] = other.run(append(policies, "bootstrap", "aws://"+there+"/"+region, "--trust", here)...)
	})
	both.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, account := range []string{here, there} {
		roles := c.account(t, account).Roles
		for _, role := range []string{"deploy", "cfn-exec", "file-publishing", "image-publishing", "lookup"} {
			if name := bootstrapped(role, account); roles[name] == nil {
				t.Errorf("account %s has no role %s", account, name)
			}
		}
	}
	for _, role := range []string{"deploy", "file-publishing", "image-publishing"} {
		if _, err := c.assume(c.as, arn(role, there)); err != nil {
			t.Errorf("the first account may not use the second: %v", err)
		}
		if _, err := c.assume(admin, arn(role, here)); err == nil {
			t.Errorf("the second account may assume the role %s of the first, which does not trust it", role)
		}
	}
}

func bootstrapped(role, account string) string {
	return "cdk-hnb659fds-" + role + "-role-" + account + "-" + region
}

func arn(role, account string) string {
	return "arn:aws:iam::" + account + ":role/" + bootstrapped(role, account)
}

// example deploys the example of the README, uses it, changes and destroys it.
func (c cdk) example(t *testing.T) {
	blog := c.at(t, here, blogFile)
	var templates map[string]template
	step(t, "deploy the example", func(t *testing.T) {
		_, templates = c.deploy(t, blog)
		c.images(t, here)
	})
	step(t, "its programs run with the deployed environment", func(t *testing.T) { c.programs(t, blog.out, templates) })
	step(t, "deploy again: no change", func(t *testing.T) {
		before := c.account(t, here).Stacks
		output, _ := c.deploy(t, blog)
		if got := strings.Count(output, "(no changes)"); got != len(templates) {
			t.Errorf("%d of %d stacks say that nothing changed:\n%s", got, len(templates), output)
		}
		if after := c.account(t, here).Stacks; !maps.EqualFunc(before, after, sameStack) {
			t.Error("the second deployment changed a resource")
		}
	})
	before, after := c.at(t, here, blogFile, "test/e2e/testdata/before.yaml"), c.at(t, here, blogFile, "test/e2e/testdata/after.yaml")
	v1 := c.account(t, here)
	step(t, "change: a service, a queue and a table come", func(t *testing.T) {
		c.deploy(t, before)
		v2 := c.account(t, here)
		came, went := compare(t, v1, v2)
		expect(t, "came", came, "audit", "Audit", "Entries")
		expect(t, "went", went)
		v1 = v2
	})
	step(t, "change: they go, a service and two queues come", func(t *testing.T) {
		c.deploy(t, after)
		v2 := c.account(t, here)
		came, went := compare(t, v1, v2)
		expect(t, "came", came, "report", "Reports", "Failed")
		expect(t, "went", went, "audit", "Audit", "Entries")
	})
	step(t, "change back: the same resources as before", func(t *testing.T) {
		_, templates = c.deploy(t, before)
		v3 := c.account(t, here)
		for name := range templates {
			want, got := slices.Sorted(maps.Keys(v1.Stacks[name].Resources)), slices.Sorted(maps.Keys(v3.Stacks[name].Resources))
			if !slices.Equal(want, got) {
				t.Errorf("stack %s has %v, not %v", name, got, want)
			}
		}
		if len(v3.Resources["AWS::DynamoDB::Table"]) != 2 {
			t.Errorf("beside the new table, the one that left the file must be retained: %v", v3.Resources["AWS::DynamoDB::Table"])
		}
	})
	step(t, "destroy it", func(t *testing.T) {
		full := c.account(t, here)
		if output, err := c.destroy(before); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		retained, looked := destroyed(t, full, c.account(t, here), templates)
		t.Logf("%d resources looked for; retained: %v", looked, retained)
		if want := []string{"AWS::DynamoDB::Table", "AWS::Logs::LogGroup"}; !slices.Equal(retained, want) {
			t.Errorf("retained are %v, not %v", retained, want)
		}
	})
}

func sameStack(a, b stack) bool { return maps.Equal(a.Resources, b.Resources) }

// images checks that the two images of the example are in the registry of the account.
func (c cdk) images(t *testing.T, account string) {
	t.Helper()
	text, err := os.ReadFile(c.log)
	if err != nil {
		t.Fatal(err)
	}
	pushed := 0
	for line := range strings.Lines(string(text)) {
		var call struct{ Args []string }
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			t.Fatal(err)
		}
		if call.Args[0] == "push" && strings.HasPrefix(call.Args[len(call.Args)-1], account+".dkr.ecr."+region+".amazonaws.com/cdk-hnb659fds-container-assets-") {
			pushed++
		}
	}
	if pushed != 2 {
		t.Errorf("%d images were pushed to account %s, not 2:\n%s", pushed, account, text)
	}
}

// programs starts the two programs of the example with exactly the environment of
// the deployed task definitions, calls the first, and follows the message.
func (c cdk) programs(t *testing.T, out string, templates map[string]template) {
	bin := t.TempDir()
	deployed := c.account(t, here)
	environment := map[string]map[string]string{}
	for _, name := range []string{"app01", "app02"} {
		if err := local.Build(filepath.Join(c.root, "examples", "blog", name), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
		environment[name] = taskEnvironment(t, deployed, name)
	}
	app02 := local.Start(t, filepath.Join(bin, "app02"), environment["app02"])
	app01 := local.Start(t, filepath.Join(bin, "app01"), environment["app01"],
		local.Platform(c.endpoint), c.as,
		local.Discovery(t, map[string]string{serviceConnect(t, templates, "app02"): app02.Address}))

	var answer struct {
		Message string
		Time    time.Time
	}
	asked := time.Now()
	response, err := http.Get(app01.URL + "/a/page")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("app01: %s: %v", response.Status, err)
	}
	if !local.Between(answer.Time, asked, time.Now()) {
		t.Errorf("app02 says it is %s", answer.Time)
	}

	queue, dead := environment["app01"]["QUEUE01"], queueOf(t, deployed, "xsqsDLQ")
	const maxReceiveCount = 3
	for i := range maxReceiveCount {
		if got := local.ReceiveInVain(t, c.endpoint, queue); len(got) != 1 || got[0].ID != answer.Message {
			t.Fatalf("receive %d of %s gave %+v, not message %s", i+1, queue, got, answer.Message)
		}
		if got := local.ReceiveMessages(t, c.endpoint, dead); len(got) != 0 {
			t.Fatalf("after %d receives the message is in the dead-letter queue: %+v", i+1, got)
		}
	}
	if got := local.ReceiveInVain(t, c.endpoint, queue); len(got) != 0 {
		t.Errorf("after %d receives the message is still in %s", maxReceiveCount, queue)
	}
	if got := local.ReceiveMessages(t, c.endpoint, dead); len(got) != 1 || got[0].ID != answer.Message {
		t.Errorf("the dead-letter queue has %+v, not message %s", got, answer.Message)
	}
}

// taskEnvironment reads the environment of a container from the ECS API.
func taskEnvironment(t *testing.T, deployed account, container string) map[string]string {
	t.Helper()
	for _, task := range deployed.TaskDefinitions {
		for _, definition := range task.ContainerDefinitions {
			if definition.Name != container {
				continue
			}
			if task.Cpu == "" || task.Memory == "" || task.NetworkMode != "awsvpc" || task.ExecutionRoleArn == "" || task.TaskRoleArn == "" {
				t.Errorf("the task definition of %s is incomplete: %+v", container, task)
			}
			if len(definition.Secrets) > 0 {
				t.Errorf("%s has secrets", container)
			}
			environment := map[string]string{}
			for _, variable := range definition.Environment {
				environment[variable.Name] = variable.Value
			}
			return environment
		}
	}
	t.Fatalf("no deployed task definition has a container %s", container)
	return nil
}

// serviceConnect returns the name and port by which others find a service. moto's ECS
// does not keep it, so it is read from the template.
func serviceConnect(t *testing.T, templates map[string]template, service string) string {
	t.Helper()
	for id, r := range templates["blog-Services"].Resources {
		if r.Type != "AWS::ECS::Service" || !strings.HasPrefix(id, service) {
			continue
		}
		text, _ := json.Marshal(r.Properties["ServiceConnectConfiguration"])
		var configuration struct {
			Services []struct {
				ClientAliases []struct {
					DNSName string `json:"DnsName"`
					Port    int
				}
			}
		}
		if err := json.Unmarshal(text, &configuration); err != nil {
			t.Fatal(err)
		}
		for _, s := range configuration.Services {
			for _, alias := range s.ClientAliases {
				return fmt.Sprintf("%s:%d", alias.DNSName, alias.Port)
			}
		}
	}
	t.Fatalf("%s cannot be found by a name", service)
	return ""
}

func queueOf(t *testing.T, deployed account, prefix string) (url string) {
	t.Helper()
	for id, r := range deployed.Stacks["blog-Data"].Resources {
		if r.Type == "AWS::SQS::Queue" && strings.HasPrefix(id, prefix) {
			return r.ID
		}
	}
	t.Fatalf("no queue %s", prefix)
	return ""
}

// compare returns the logical ids that came and went between two states of the
// example. What stayed must be the same resource: a new physical id would mean that
// it was replaced because of a change that has nothing to do with it.
func compare(t *testing.T, before, after account) (came, went []string) {
	t.Helper()
	for _, name := range []string{"blog-Network", "blog-Data", "blog-Services"} {
		old, now := before.Stacks[name].Resources, after.Stacks[name].Resources
		for id := range now {
			if _, there := old[id]; !there {
				came = append(came, id)
			}
		}
		for id, r := range old {
			switch new, there := now[id]; {
			case !there:
				went = append(went, id)
			case new.ID != r.ID:
				t.Errorf("%s (%s) was replaced: %s became %s", id, r.Type, r.ID, new.ID)
			}
		}
	}
	return came, went
}

// expect checks that every logical id is of one of the names, and every name has one.
func expect(t *testing.T, what string, ids []string, names ...string) {
	t.Helper()
	for _, id := range ids {
		if !slices.ContainsFunc(names, func(name string) bool { return belongs(id, name) }) {
			t.Errorf("%s %s, which belongs to none of %v", id, what, names)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(ids, func(id string) bool { return belongs(id, name) }) {
			t.Errorf("nothing of %s %s: %v", name, what, ids)
		}
	}
}

// belongs reports whether a logical id is of a service or a resource: it begins with
// the path of constructs.
func belongs(id, name string) bool {
	for _, section := range []string{"", "xsqs", "xdynamodb"} {
		if strings.HasPrefix(id, section+name) {
			return true
		}
	}
	return false
}

// census prints how the types of resources were made, and what got lost. Every type
// that the golden templates have must be among them.
func (c cdk) census(t *testing.T) {
	deployed := c.types(t)
	byKind := map[string][]string{}
	var lost []string
	for name, made := range deployed {
		byKind[made.By] = append(byKind[made.By], name)
		for _, property := range made.Lacking {
			lost = append(lost, name+"."+property)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		slices.Sort(byKind[kind])
		fmt.Printf("  %d types made by %s: %s\n", len(byKind[kind]), kind, strings.Join(byKind[kind], " "))
	}
	slices.Sort(lost)
	fmt.Printf("  properties that no operation of moto takes: %s\n", strings.Join(lost, " "))
	emitted := c.emitted(t)
	for _, name := range emitted {
		if _, made := deployed[name]; !made {
			t.Errorf("no step deploys a resource of type %s", name)
		}
	}
	fmt.Printf("  the golden templates have %d types, and each was deployed: %t\n", len(emitted), !t.Failed())
}

// emitted returns the types of resources in the golden templates.
func (c cdk) emitted(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.root, "test", "applications", "testdata", "golden", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range resourceType.FindAllStringSubmatch(string(text), -1) {
			found[match[1]] = true
		}
	}
	if len(found) == 0 {
		t.Fatalf("no resource in %v", files)
	}
	return slices.Sorted(maps.Keys(found))
}

// resourceType is where a golden template tells the type of a resource.
var resourceType = regexp.MustCompile(`(?m)^ +Type: (AWS::\w+::\w+)$`)
