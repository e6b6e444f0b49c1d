//go:build !race

package applications

import (
	"crypto/md5"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"composecdk/compose"
	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// TestNeighboursKeepTheirData adds, removes and renames every element of the
// examples, one at a time: what is removed in one direction is added in the other.
// No other element may lose or replace a resource that holds data or that others
// stand on, and none of its logical ids may change.
func TestNeighboursKeepTheirData(t *testing.T) {
	var folders []string
	if fixture.Kind() == "" {
		folders = append(folders, fixture.Blog, filepath.Dir(fixture.Rich))
		for _, name := range []string{"readme", "services", "x-elbv2", "x-ingress"} {
			folders = append(folders, filepath.Join(goldenDir, name))
		}
	}
	for _, k := range selectedKinds(t) {
		folders = append(folders, filepath.Join(goldenDir, k.Key))
	}
	pairs, edits := 0, 0
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			file := fixture.ProjectCopy(t, folder)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before := deployedFrom(t, file, string(text))
			for _, e := range before.elements {
				for edit, edited := range map[string]string{
					"without": without(t, file, string(text), e), "renamed": renamed(t, file, string(text), e),
				} {
					t.Run(edit+" "+e.String(), func(t *testing.T) {
						after := deployedFrom(t, file, edited)
						if slices.Contains(after.elements, e) {
							t.Fatalf("it is still there:\n%s", edited)
						}
						edits++
						pairs += compareNeighbours(t, before, after)
					})
				}
			}
		})
	}
	fmt.Printf("%d pairs of elements in %d edits of %d applications\n", pairs, edits, len(folders))
	if pairs < 500 && fixture.Kind() == "" {
		t.Errorf("only %d pairs were compared", pairs)
	}
}

// The comparison must find what it is there for.
func TestReplacementsAreFound(t *testing.T) {
	queue := func(properties map[string]any) any {
		return map[string]any{"Type": "AWS::SQS::Queue", "Properties": properties}
	}
	policy := map[string]any{"Type": "AWS::IAM::Policy"}
	role := map[string]any{"Type": "AWS::IAM::Role"}
	for name, test := range map[string]struct {
		before, after map[string]any
		want          []string
	}{
		"an id that counts": {
			map[string]any{"queue1": queue(nil)},
			map[string]any{"queue2": queue(nil)},
			[]string{"queue1 (AWS::SQS::Queue) is removed", "queue2 (AWS::SQS::Queue) is made"},
		},
		"a name": {
			map[string]any{"q": queue(map[string]any{"QueueName": "a", "DelaySeconds": 1.0})},
			map[string]any{"q": queue(map[string]any{"QueueName": "b", "DelaySeconds": 2.0})},
			[]string{"q (AWS::SQS::Queue) is replaced: QueueName changes"},
		},
		"a name that goes": {
			map[string]any{"q": queue(map[string]any{"QueueName": "a"})},
			map[string]any{"q": queue(nil)},
			[]string{"q (AWS::SQS::Queue) is replaced: QueueName changes"},
		},
		"another type": {
			map[string]any{"q": queue(nil)},
			map[string]any{"q": role},
			[]string{"q (AWS::SQS::Queue) is replaced by AWS::IAM::Role"},
		},
		"a role":                    {map[string]any{"r": role}, nil, []string{"r (AWS::IAM::Role) is removed"}},
		"what may change":           {map[string]any{"q": queue(map[string]any{"DelaySeconds": 1.0})}, map[string]any{"q": queue(nil)}, nil},
		"what connects two of them": {map[string]any{"p1": policy}, map[string]any{"p2": policy}, nil},
	} {
		if got := disturbed(test.before, test.after); !slices.Equal(got, test.want) {
			t.Errorf("%s: want %q, got %q", name, test.want, got)
		}
	}
}

// element is an entry of the file that becomes resources of its own.
type element struct{ section, name string }

func (e element) String() string { return e.section + "." + e.name }

// elements returns the elements of a compose file, sorted.
func elements(document map[string]any) []element {
	sections := []string{"services", "volumes", "secrets", "x-elbv2"}
	for _, schema := range schemas {
		sections = append(sections, schema.Key)
	}
	var found []element
	for _, section := range sections {
		entries, _ := document[section].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			found = append(found, element{section, name})
		}
	}
	return found
}

// deployment is a synthesised file: its elements, and the resources that each owns.
// Services own what their family has; "network" stands for what all share. Volumes
// and secrets that no service uses are not made.
type deployment struct {
	elements []element
	families map[string][]string // by service
	owned    map[string]map[string]any
}

func deployedFrom(t *testing.T, file, text string) deployment {
	t.Helper()
	var document map[string]any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	app, err := attempt(target{}, t.TempDir(), file)
	if err != nil {
		t.Fatal(err)
	}
	if app.templates == nil { // only the CDK misses something, as a property that goes with another
		return deployedFrom(t, file, mended(t, file, withoutFirst(t, text, app.found)))
	}
	d := deployment{families: map[string][]string{}, owned: map[string]map[string]any{}}
	for _, f := range app.model.Families {
		for _, c := range f.Containers {
			d.families[c.Service] = append(d.families[c.Service], f.Name)
		}
	}
	made := map[string]bool{}
	for _, v := range app.model.Volumes {
		made["volumes."+v.Name] = true
	}
	for _, s := range app.model.Secrets {
		made["secrets."+s.Name] = true
	}
	for _, e := range elements(document) {
		if made[e.String()] || e.section != "volumes" && e.section != "secrets" {
			d.elements = append(d.elements, e)
		}
	}
	paths := constructPaths(t, app.dir)
	for stack, tm := range app.templates {
		for id, resource := range tm.Resources {
			parts := strings.Split(paths[stack+"/"+id[max(len(id)-8, 0):]], "/")
			owner := "family " + parts[0]
			switch {
			case stack == "Network":
				owner = "network"
			case len(parts) < 2:
				t.Fatalf("no construct makes %s", id)
			case stack == "Data" || strings.HasPrefix(parts[0], "x-"):
				owner = parts[0] + "." + parts[1]
			}
			if d.owned[owner] == nil {
				d.owned[owner] = map[string]any{}
			}
			d.owned[owner][stack+"/"+id] = resource
		}
	}
	return d
}

// constructPaths returns the paths of all constructs within their stack, by the stack and
// the hash that ends their logical ids.
func constructPaths(t *testing.T, dir string) map[string]string {
	t.Helper()
	type node struct {
		Path     string
		Children map[string]node
	}
	var tree struct{ Tree node }
	assembly.ReadJSON(t, filepath.Join(dir, "tree.json"), &tree)
	paths := map[string]string{}
	var walk func(node)
	walk = func(n node) {
		if parts := strings.SplitN(n.Path, "/", 3); len(parts) == 3 {
			path := strings.Join(slices.DeleteFunc(strings.Split(parts[2], "/"), func(id string) bool { return id == "Default" }), "/")
			paths[fmt.Sprintf("%s/%.4X", parts[1], md5.Sum([]byte(path)))] = path
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(tree.Tree)
	return paths
}

// owners returns the names under which an element has resources.
func (d deployment) owners(e element) []string {
	if e.section != "services" {
		return []string{e.String()}
	}
	var owners []string
	for _, family := range d.families[e.name] {
		owners = append(owners, "family "+family)
	}
	return owners
}

// compareNeighbours compares the elements that two deployments share, and returns
// how many they are.
func compareNeighbours(t *testing.T, before, after deployment) int {
	t.Helper()
	shared := map[string]bool{"network": true}
	compared := 0
	for _, e := range before.elements {
		if !slices.Contains(after.elements, e) {
			continue
		}
		compared++
		for _, owner := range before.owners(e) {
			shared[owner] = true
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(shared)) {
		for _, change := range disturbed(before.owned[owner], after.owned[owner]) {
			t.Errorf("%s: %s", owner, change)
		}
	}
	return compared
}

// connecting are the types of what stands between two elements, and comes and goes
// with either of them.
var connecting = []string{
	"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::CloudWatch::Alarm",
	"AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress",
	"AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerCertificate", "AWS::ElasticLoadBalancingV2::ListenerRule",
	"AWS::ElasticLoadBalancingV2::TargetGroup",
	"AWS::IAM::Policy", "AWS::Route53::RecordSet", "AWS::ServiceDiscovery::PrivateDnsNamespace", "AWS::ServiceDiscovery::Service",
}

// disturbed lists what happens to the resources of an element that has not changed:
// any that is made or removed, but for those that connect it with others, and those
// that CloudFormation replaces.
func disturbed(before, after map[string]any) []string {
	var found []string
	all := map[string]any{}
	maps.Copy(all, before)
	maps.Copy(all, after)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		kind, _ := at(all[id], "Type").(string)
		if before[id] != nil {
			kind, _ = at(before[id], "Type").(string)
		}
		switch {
		case slices.Contains(connecting, kind):
		case at(all[id], "Properties", "SecretString") != nil: // made of another secret, for a service
		case after[id] == nil:
			found = append(found, fmt.Sprintf("%s (%s) is removed", id, kind))
		case before[id] == nil:
			found = append(found, fmt.Sprintf("%s (%s) is made", id, kind))
		case at(after[id], "Type") != kind:
			found = append(found, fmt.Sprintf("%s (%s) is replaced by %s", id, kind, at(after[id], "Type")))
		}
		for _, property := range createOnly[kind] {
			steps := []any{"Properties"}
			for _, key := range strings.Split(property, "/") {
				steps = append(steps, key)
			}
			if before[id] != nil && after[id] != nil && !reflect.DeepEqual(at(before[id], steps...), at(after[id], steps...)) {
				found = append(found, fmt.Sprintf("%s (%s) is replaced: %s changes", id, kind, property))
			}
		}
	}
	return found
}

// without returns a file without an element and without all that refers to it: what the
// diagnostics then complain about goes too, until they are content.
func without(t *testing.T, file, text string, e element) string {
	t.Helper()
	return mended(t, file, edit(t, text, func(section, entries *yaml.Node) {
		for i := 0; i < len(entries.Content); i += 2 {
			if section.Value == e.section && entries.Content[i].Value == e.name {
				entries.Content = slices.Delete(entries.Content, i, i+2)
			}
		}
	}))
}

// renamed returns a file in which an element, and all that refers to it, has another
// name, which sorts last where it was not.
func renamed(t *testing.T, file, text string, e element) string {
	t.Helper()
	name := regexp.QuoteMeta(e.name)
	refers := regexp.MustCompile(`^()` + name + `()$`)
	switch e.section {
	case "services":
		refers = regexp.MustCompile(`^(|.*//|[^/]*:)` + name + `(|:.*)$`)
	case "volumes":
		refers = regexp.MustCompile(`^()` + name + `(|:.*)$`)
	case "secrets":
	default:
		refers = regexp.MustCompile(`^(` + e.section + `::)` + name + `(|::.*)$`)
	}
	return mended(t, file, edit(t, text, func(section, entries *yaml.Node) {
		for i := 0; i < len(entries.Content); i += 2 {
			if key := entries.Content[i]; section.Value == e.section && key.Value == e.name {
				key.Value = "zz" + e.name
			}
		}
		replaceText(entries, refers, "${1}zz"+strings.ReplaceAll(e.name, "$", "$$")+"${2}")
	}))
}

// replaceText rewrites keys and values below a node, but for images and the like.
func replaceText(node *yaml.Node, pattern *regexp.Regexp, with string) {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 && slices.Contains([]string{"image", "build", "labels"}, node.Content[i-1].Value) {
			continue
		}
		if child.Kind == yaml.ScalarNode {
			child.Value = pattern.ReplaceAllString(child.Value, with)
		}
		replaceText(child, pattern, with)
	}
}

// edit changes the sections of a file.
func edit(t *testing.T, text string, change func(section, entries *yaml.Node)) string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	root := document.Content[0]
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i+1].Kind == yaml.MappingNode {
			change(root.Content[i], root.Content[i+1])
		}
	}
	edited, err := yaml.Marshal(&document)
	if err != nil {
		t.Fatal(err)
	}
	return string(edited)
}

// mended takes out of a file what has an error, until it has none.
func mended(t *testing.T, file, text string) string {
	t.Helper()
	for range 30 {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, model, found := fixture.Model(file)
		if model != nil {
			return text
		}
		text = withoutFirst(t, text, found)
	}
	t.Fatalf("cannot be mended:\n%s", text)
	return ""
}

// withoutFirst returns a file without what the first error is about.
func withoutFirst(t *testing.T, text string, found compose.Diagnostics) string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found, func(d compose.Diagnostic) bool { return d.Severity == compose.Error })
	if i < 0 || !take(&document, found[i].Pos) {
		t.Fatalf("nothing stands at any of %v\n%s", found, text)
	}
	edited, err := yaml.Marshal(&document)
	if err != nil {
		t.Fatal(err)
	}
	return string(edited)
}

// take removes the entry or the item at a place, and reports whether there was one.
func take(node *yaml.Node, pos compose.Pos) bool {
	for i, child := range node.Content {
		if child.Line == pos.Line && child.Column == pos.Column && node.Kind != yaml.DocumentNode {
			first, last := i, i+1
			if node.Kind == yaml.MappingNode {
				first, last = i-i%2, i-i%2+2
			}
			node.Content = slices.Delete(node.Content, first, last)
			return true
		}
		if take(child, pos) {
			return true
		}
	}
	return false
}
