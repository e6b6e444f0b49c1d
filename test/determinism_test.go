//go:build !race

package test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const manyShapes = "testdata/rich/compose.yaml"

// TestSameBytes: two runs must give the same assembly, byte for byte, wherever and
// with whatever locale, zone and number of threads they happen.
func TestSameBytes(t *testing.T) {
	for name, file := range map[string]string{"rich": manyShapes, "blog": "../examples/blog/compose.yaml"} {
		t.Run(name, func(t *testing.T) {
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			context := map[string]any{"compose": path}
			want := call{context: context}.run(t)
			got := call{context: context, environ: map[string]string{
				"TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "GOMAXPROCS": "1",
			}}.run(t)
			if want.status != 0 || got.status != 0 {
				t.Fatalf("exit status %d:\n%s", want.status, want.stderr)
			}
			// The summary names files as seen from the working directory.
			first, second := files(t, want.assembly, "summary.txt"), files(t, got.assembly, "summary.txt")
			if !slices.Equal(slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(second))) {
				t.Fatalf("the assemblies have other files: %v and %v", slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(second)))
			}
			for name, content := range first {
				if content != second[name] {
					t.Errorf("%s differs:\n%s", name, firstDifference(content, second[name]))
				}
			}
			for _, text := range []string{first["manifest.json"], first["tree.json"]} {
				if strings.Contains(text, filepath.Dir(path)) {
					t.Errorf("the assembly holds a path of this machine")
				}
			}
		})
	}
}

// files are the contents of a folder by their paths, but for one name.
func files(t *testing.T, dir, except string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == except {
			return err
		}
		content, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, dir+"/")] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestKeyOrder: the order of keys in a compose file must change nothing; that of
// lists may.
func TestKeyOrder(t *testing.T) {
	want := synthesise(t, target{}, manyShapes)
	content, err := os.ReadFile(manyShapes)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			var document yaml.Node
			if err := yaml.Unmarshal(content, &document); err != nil {
				t.Fatal(err)
			}
			shuffle(&document, rand.New(rand.NewPCG(seed, 1)))
			shuffled, err := yaml.Marshal(&document)
			if err != nil {
				t.Fatal(err)
			}
			got := synthesise(t, target{}, write(t, string(shuffled)))
			for stack, tm := range want.templates {
				if tm.text != got.templates[stack].text {
					t.Errorf("%s differs:\n%s\nfor the file\n%s", stack, firstDifference(tm.text, got.templates[stack].text), shuffled)
				}
			}
		})
	}
}

// shuffle changes the order of the keys of every mapping.
func shuffle(node *yaml.Node, random *rand.Rand) {
	for _, child := range node.Content {
		shuffle(child, random)
	}
	if node.Kind != yaml.MappingNode {
		return
	}
	pairs := slices.Collect(slices.Chunk(slices.Clone(node.Content), 2))
	random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	node.Content = slices.Concat(pairs...)
}

// TestNeighbours: to add something to a file, or to remove it again, must change
// no logical id and no property of the rest, but for what refers to it. Each case
// lists all that may change, and all of it must.
func TestNeighbours(t *testing.T) {
	base := synthesise(t, target{}, manyShapes)
	for name, test := range map[string]struct{ add, changes string }{
		"a service, first by name": {
			"services: {aaa: {image: 'a:1', ports: ['7000']}}",
			`\+ Services/aaa\w+`,
		},
		"a service, last by name, that calls another": {
			"services: {zzz: {image: 'z:1', depends_on: [api], x-xray: true}}",
			`\+ Services/zzz\w+`,
		},
		"a family of two": {
			"services: {m1: {image: 'm:1', deploy: {labels: {ecs.task.family: mmm}}}, m2: {image: 'm:2', deploy: {labels: {ecs.task.family: mmm}}}}",
			`\+ Services/mmm\w+`,
		},
		"a resource": {
			"x-sqs: {another: {Properties: {VisibilityTimeout: 10}}}",
			`\+ Data/xsqsanother\w+`,
		},
		"a resource that a service uses": {
			"x-sqs: {another: {Services: {web: {Access: Publish}}}}",
			`\+ Data/xsqsanother\w+
~ Services/webTask[0-9A-F]{8} Properties.ContainerDefinitions
~ Services/webTaskRoleDefaultPolicy\w+ Properties.PolicyDocument`,
		},
		"a secret that a service uses": {
			"services: {worker: {secrets: [more]}}\nsecrets: {more: {external: true, name: shop/more}}",
			`~ Services/workerTask[0-9A-F]{8} Properties.ContainerDefinitions
~ Services/workerExecutionRoleDefaultPolicy\w+ Properties.PolicyDocument`,
		},
		"a target of a load balancer": {
			`x-elbv2:
  public:
    Listeners: !override
      - Port: 80
        Protocol: HTTP
        Targets:
          - {name: "web:web", access: /}
          - {name: "worker:worker", access: /work}
    Services:
      "worker:worker": {port: 9100, protocol: HTTP, healthcheck: "9100:HTTP:/:200"}`,
			`\+ Services/xelbv2public\w*worker\w+
\+ Services/xelbv2publiclistener80pathwork\w+
~ Services/workerService[0-9A-F]{8} DependsOn Properties.HealthCheckGracePeriodSeconds Properties.LoadBalancers
~ Services/workerServiceTaskCountTarget\w+ DependsOn`,
		},
		"a load balancer": {
			"services: {worker: {x-ingress: internal, ports: ['9100:9100']}}",
			`\+ Services/xingress\w+
~ Services/workerService[0-9A-F]{8} .*
~ Services/workerServiceTaskCountTarget\w+ DependsOn`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			more := synthesise(t, target{}, manyShapes, write(t, test.add))
			patterns := strings.Split(test.changes, "\n")
			met := map[string]bool{}
			for _, change := range changes(base, more) {
				expected := false
				for _, pattern := range patterns {
					if regexp.MustCompile("^" + pattern + "$").MatchString(change) {
						met[pattern], expected = true, true
					}
				}
				if !expected {
					t.Errorf("this changes too: %s", change)
				}
			}
			for _, pattern := range patterns {
				if !met[pattern] {
					t.Errorf("this does not change: %s", pattern)
				}
			}
		})
	}
}

// changes lists what the second application has more (+), less (-) and otherwise
// (~, with the parts that differ), as "+ Stack/LogicalId".
func changes(before, after application) []string {
	var found []string
	for _, stack := range []string{"Network", "Data", "Services"} {
		a, b := before.templates[stack].resources, after.templates[stack].resources
		ids := maps.Clone(a)
		if ids == nil {
			ids = map[string]any{}
		}
		maps.Copy(ids, b)
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			switch name := stack + "/" + id; {
			case a[id] == nil:
				found = append(found, "+ "+name)
			case b[id] == nil:
				found = append(found, "- "+name)
			case !reflect.DeepEqual(a[id], b[id]):
				found = append(found, "~ "+name+" "+strings.Join(differing(a[id], b[id]), " "))
			}
		}
	}
	return found
}

// differing names the parts of two definitions of a resource that differ.
func differing(before, after any) []string {
	parts := func(resource any) map[string]any {
		flat := map[string]any{}
		for key, value := range resource.(map[string]any) {
			if properties, ok := value.(map[string]any); ok && key == "Properties" {
				for name, property := range properties {
					flat["Properties."+name] = property
				}
			} else {
				flat[key] = value
			}
		}
		return flat
	}
	a, b := parts(before), parts(after)
	all := maps.Clone(a)
	maps.Copy(all, b)
	var names []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(a[name], b[name]) {
			names = append(names, name)
		}
	}
	return names
}
