//go:build !race

package applications

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// fleet is an application of many services, each with a queue: some are behind a
// load balancer, scale by x-scaling or by their queue, share a secret, a volume or
// a database, and neighbours call each other in both directions.
type fleet struct {
	services int
	// more are further services, stacks is the section x-stacks.
	more, stacks string
}

// queueStacks spreads the queues of a fleet by their names; each brings two outputs,
// and three where a service scales by it.
const queueStacks = `q0: ["x-sqs.*0", "x-sqs.*1"], q1: ["x-sqs.*2", "x-sqs.*3"], q2: ["x-sqs.*4", "x-sqs.*5"], q3: ["x-sqs.*6", "x-sqs.*7"], q4: ["x-sqs.*8", "x-sqs.*9"]`

// eachItsOwn gives every service a stack by word of the file.
const eachItsOwn = `{"*": ["services.*"], ` + queueStacks + `}`

func (f fleet) compose() string {
	var services, networks, queues strings.Builder
	for i := range f.services {
		name := fmt.Sprintf("s%03d", i)
		fmt.Fprintf(&services, "  %s:\n    image: nginx:1.27\n    expose: ['8000']\n", name)
		fmt.Fprintf(&services, "    networks: [n%03d, n%03d]\n", i/2, f.services+(i+1)/2)
		fmt.Fprintf(&networks, "  n%03d: {}\n  n%03d: {}\n", i, f.services+i)
		if i > 1 {
			fmt.Fprintf(&services, "    depends_on: [s%03d, s%03d]\n", i-1, i-2)
		}
		if i%10 == 0 {
			fmt.Fprintf(&services, "    ports: ['%d:8000']\n    x-ingress: public\n", 8000+i)
		}
		if i%7 == 0 {
			services.WriteString("    deploy: {replicas: 2}\n    x-scaling: {Range: 1-4, TargetScaling: {CpuTarget: 60}}\n")
		}
		if i%5 == 0 {
			services.WriteString("    secrets: [token]\n    volumes: ['shared:/shared']\n")
		}
		scaling := ""
		if i%9 == 0 {
			scaling = ", Scaling: {Steps: [{LowerBound: 0, UpperBound: 100, Count: 1}, {LowerBound: 100, Count: 5}]}"
		}
		fmt.Fprintf(&queues, "  q%03d: {Services: {%s: {Access: RWMessages%s}}}\n", i, name, scaling)
	}
	if f.more != "" {
		services.WriteString("  " + f.more + "\n")
	}
	text := "name: fleet\nservices:\n" + services.String() +
		"networks:\n" + networks.String() + "volumes: {shared: {}}\nsecrets: {token: {environment: TOKEN}}\n" +
		"x-sqs:\n" + queues.String()
	if f.stacks != "" {
		text += "x-stacks: " + f.stacks + "\n"
	}
	return text
}

// synthesise builds the fleet.
func (f fleet) synthesise(t *testing.T) application {
	t.Helper()
	return synthesise(t, target{}, fixture.Write(t, f.compose()))
}

// homes returns the stacks of all resources, by their logical ids: what CloudFormation
// knows them by.
func (a application) homes() map[string]string {
	all := map[string]string{}
	for _, stack := range slices.Sorted(maps.Keys(a.templates)) {
		for id := range a.templates[stack].Resources {
			all[id] += stack + " "
		}
	}
	return all
}

// withinLimits fails for stacks that CloudFormation would not take.
func withinLimits(t *testing.T, app application) {
	t.Helper()
	for id, tm := range app.templates {
		var sections struct {
			Resources, Outputs, Parameters map[string]json.RawMessage
		}
		if err := json.Unmarshal([]byte(tm.Text), &sections); err != nil {
			t.Fatal(err)
		}
		if len(sections.Resources) > 500 || len(sections.Outputs) > 200 || len(sections.Parameters) > 200 || len(tm.Text) > 1_000_000 {
			t.Errorf("%s has %d resources, %d outputs, %d parameters and %d bytes",
				id, len(sections.Resources), len(sections.Outputs), len(sections.Parameters), len(tm.Text))
		}
	}
}

// unmoved fails where something of one application is in another stack, or has
// another id, in the second.
func unmoved(t *testing.T, what string, before, after map[string]string, gone func(id string) bool) {
	t.Helper()
	for id, stack := range before {
		if after[id] != stack && !gone(id) {
			t.Errorf("%s: %s moves from %q to %q", what, id, stack, after[id])
		}
	}
}

func none(string) bool { return false }

// serviceOf returns the logical id of the ECS service of a family.
func serviceOf(t *testing.T, homes map[string]string, family string) string {
	t.Helper()
	for id := range homes {
		if strings.HasPrefix(id, family+"Service") && len(id) == len(family+"Service")+8 {
			return id
		}
	}
	t.Fatalf("no service of %s", family)
	return ""
}

// newcomers are services that are added to a fleet: names that look like others, or
// like stacks, and all shapes.
var newcomers = []string{
	"a: {image: nginx}",
	"zz: {image: nginx, expose: ['1'], depends_on: [s005, s000]}",
	"s005a: {image: nginx, ports: ['7999:80'], x-ingress: public}",
	"S005: {image: nginx, networks: [n001, n002]}",
	"s_005: {image: nginx, deploy: {replicas: 2}, x-scaling: {Range: 1-9, TargetScaling: {CpuTarget: 50}}}",
	"s-005: {image: nginx, secrets: [token]}",
	"s005_: {image: nginx, volumes: ['shared:/x']}",
	"Services: {image: nginx}",
	"Network: {image: nginx}",
	"Data: {image: nginx, networks: [default, n003]}",
	"Peers-1: {image: nginx, expose: [80/udp]}",
	"q: {image: nginx, environment: {QUEUE: 'x-sqs::q003::Arn'}}",
	"Services-s001: {image: nginx}",
	"'001': {image: nginx}",
	"left: {image: nginx, deploy: {labels: {ecs.task.family: pair}}}\n  right: {image: nginx, deploy: {labels: {ecs.task.family: pair}}}",
	strings.Repeat("long", 15) + ": {image: nginx}",
	"x: {image: nginx, x-xray: true}",
	"y: {image: nginx, links: [s001, s002]}",
	"z: {image: nginx, expose: ['5'], x-network: {Ingress: {Services: [{Name: s004}]}}}",
	"m: {image: nginx, x-iam: {ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess']}}",
}

// Over the limit of CloudFormation every service must have a stack of its own, and
// all stacks be such that CloudFormation takes them. Neither another service,
// whatever it is called and looks like, nor the removal of one, may move any other
// or change an id of it; nor may the word for it in the file.
func TestSpread(t *testing.T) {
	app := fleet{services: 150, stacks: "{" + queueStacks + "}"}.synthesise(t)
	withinLimits(t, app)
	checkGate(t, app)
	for _, f := range app.model.Families {
		if _, ok := app.templates["Services-"+f.Name]; !ok {
			t.Errorf("%s has no stack of its own", f.Name)
		}
	}
	// Where something lives depends on its name only: fewer services show whether it moves.
	before := fleet{services: 60, stacks: "{" + queueStacks + "}"}.synthesise(t).homes()
	if !strings.HasPrefix(before[serviceOf(t, before, "s000")], "Services-s000 ") {
		t.Fatal("60 services are not spread")
	}
	for what, other := range map[string]fleet{
		"one more":             {services: 60, more: newcomers[1], stacks: "{" + queueStacks + "}"},
		"twenty more":          {services: 60, more: strings.Join(newcomers, "\n  "), stacks: eachItsOwn},
		"the last one removed": {services: 59, stacks: eachItsOwn},
	} {
		app := other.synthesise(t)
		withinLimits(t, app)
		after := app.homes()
		unmoved(t, what, before, after, func(id string) bool { return other.services == 59 && strings.Contains(id+before[id], "059") })
	}
}

// Whether services fit in a stack must be counted, not guessed: these are few enough
// to fit by the least that a service is, and too many by what they are.
func TestSpreadIsCounted(t *testing.T) {
	for services, spread := range map[int]bool{30: false, 50: true} {
		app := fleet{services: services}.synthesise(t)
		withinLimits(t, app)
		if _, own := app.templates["Services-s000"]; own != spread {
			t.Errorf("%d services: spread over stacks of their own: %t", services, own)
		}
	}
}

// What holds for all newcomers together must hold for each alone, by the word of the file.
func TestSpreadStays(t *testing.T) {
	before := fleet{services: 8, stacks: eachItsOwn}.synthesise(t).homes()
	for _, newcomer := range newcomers {
		name, _, _ := strings.Cut(newcomer, ":")
		app := fleet{services: 8, more: newcomer, stacks: eachItsOwn}.synthesise(t)
		unmoved(t, name, before, app.homes(), none)
	}
}

// Five hundred services with a queue each must be taken.
func TestSpreadFiveHundred(t *testing.T) {
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range 500 {
		fmt.Fprintf(&text, "  s%03d: {image: nginx:1.27}\n", i)
	}
	text.WriteString("x-sqs:\n")
	for i := range 500 {
		fmt.Fprintf(&text, "  q%03d: {Services: {s%03d: {Access: RWMessages}}}\n", i, i)
	}
	text.WriteString("x-stacks: {" + queueStacks + "}\n")
	app := synthesise(t, target{}, fixture.Write(t, text.String()))
	withinLimits(t, app)
	if n := len(app.resources("AWS::ECS::Service")) + len(app.resources("AWS::SQS::Queue")); n != 1000 {
		t.Errorf("%d services and queues, want 1000", n)
	}
}

// An application must be made of the same resources wherever they live, and be as
// safe.
func TestSpreadIsTheSame(t *testing.T) {
	text, err := os.ReadFile(fixture.Rich)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(fixture.Rich))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "compose.yaml")
	if err := os.WriteFile(file, append(text, "\nx-stacks: {'*': ['*']}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	together, apart := synthesise(t, target{}, fixture.Rich), synthesise(t, target{}, file)
	checkInvariants(t, apart)
	checkGate(t, apart)
	want, got := together.homes(), apart.homes()
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] == "" {
			t.Errorf("%s is not made", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		if want[id] == "" {
			t.Errorf("%s in %sis made only apart", id, got[id])
		}
	}
}

// A group of x-stacks must leave what no group names where it was, also where both
// call each other; what cannot be kept of the order must be told.
func TestSpreadByGroup(t *testing.T) {
	const (
		before = "services:\n  api: {image: nginx, expose: ['80']%s}\n  web: {image: nginx, ports: ['80:80'], x-ingress: public, depends_on: [api], networks: [both]}\n"
		after  = "  late: {image: nginx, expose: ['81'], networks: [both]}\n  later: {image: nginx, depends_on: [late]}\nx-sqs: {jobs: {}, more: {}}\n" +
			"x-stacks: {more: [services.late, services.later, x-sqs.more]}\nnetworks: {both: {}}\n"
	)
	was := synthesise(t, target{}, fixture.Write(t, fmt.Sprintf(before, "")+"x-sqs: {jobs: {}}\nnetworks: {both: {}}\n"))
	is := synthesise(t, target{}, fixture.Write(t, fmt.Sprintf(before, ", depends_on: [late]")+after))
	unmoved(t, "with a group", was.homes(), is.homes(), none)
	checkInvariants(t, is)
	checkGate(t, is)
	for _, stack := range []string{"Services-more", "Data-more"} {
		if _, ok := is.templates[stack]; !ok {
			t.Errorf("there is no stack %s", stack)
		}
	}
	var told []string
	for _, d := range is.found {
		if d.Code == "order-not-kept" {
			told = append(told, string(d.Path)+": "+d.Message)
		}
	}
	want := []string{`services.api.depends_on.late: "late" is not started before "api": stack Services-more is deployed after Services`}
	if !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}

// Services must wait for each other across stacks, however many ways there are
// from one to another: the CDK walks them all.
func TestSpreadOrder(t *testing.T) {
	var text strings.Builder
	text.WriteString("services:\n")
	for level := range 14 {
		for _, side := range []string{"a", "b"} {
			fmt.Fprintf(&text, "  %s%02d: {image: nginx, expose: ['80']", side, level)
			if level > 0 {
				fmt.Fprintf(&text, ", depends_on: [a%02d, b%02d]", level-1, level-1)
			}
			text.WriteString("}\n")
		}
	}
	text.WriteString("x-stacks: {'*': ['services.*']}\n")
	app := synthesise(t, target{}, fixture.Write(t, text.String()))
	manifest, err := os.ReadFile(filepath.Join(app.dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var assembly struct {
		Artifacts map[string]struct {
			DisplayName  string
			Dependencies []string
		}
	}
	if err := json.Unmarshal(manifest, &assembly); err != nil {
		t.Fatal(err)
	}
	waits := map[string]map[string]bool{} // by stack, for others, also through others
	var collect func(artifact string) map[string]bool
	collect = func(artifact string) map[string]bool {
		a := assembly.Artifacts[artifact]
		if found := waits[a.DisplayName]; found != nil {
			return found
		}
		found := map[string]bool{}
		for _, other := range a.Dependencies {
			found[assembly.Artifacts[other].DisplayName] = true
			maps.Copy(found, collect(other))
		}
		waits[a.DisplayName] = found
		return found
	}
	for artifact := range assembly.Artifacts {
		collect(artifact)
	}
	for _, f := range app.model.Families {
		for _, other := range append(f.DependsOn, "") {
			stack, before := "app/Services-"+f.Name, strings.TrimSuffix("app/Services-"+other, "-")
			if !waits[stack][before] {
				t.Errorf("%s does not wait for %s", stack, before)
			}
		}
	}
}
