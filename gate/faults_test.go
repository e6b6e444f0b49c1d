package gate

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// fault is one mistake, injected into a copy of the good assembly.
type fault struct {
	name string
	// known is the number in the list of faults that the CDK's engine, cfn-lint and an
	// emulator all let through; 0 if it is not in the list.
	known int
	// rule is the id of the rule that must find the fault.
	rule string
	// in is the path of the damaged stack.
	in string
	// on is the logical id of the resource that the finding must name, without the hash that
	// the CDK adds; "" for the stack itself. With slashes it begins with the path of another
	// stack.
	on string
	// also lists rules that must find the same mistake, on any resource.
	also   []string
	inject func(t *template)
}

// template wraps a template that a fault damages. Its methods fail the test if the good
// assembly lacks the thing they name.
type template struct {
	*testing.T
	root map[string]any
}

// id returns the whole logical id of a resource.
func (t *template) id(name string) string {
	resources, _ := t.root["Resources"].(map[string]any)
	var found []string
	for id := range resources {
		if isNamed(id, name) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the good assembly must have one resource %s, it has %d", name, len(found))
	}
	return found[0]
}

var hash = regexp.MustCompile(`^[0-9A-F]{8}$`)

func isNamed(id, name string) bool {
	rest, ok := strings.CutPrefix(id, name)
	return ok && (rest == "" || hash.MatchString(rest))
}

// resource returns the body of a resource.
func (t *template) resource(name string) map[string]any {
	return t.root["Resources"].(map[string]any)[t.id(name)].(map[string]any)
}

// set writes a property, given by keys and indices; an index one past the end of a
// list appends.
func (t *template) set(name string, value any, steps ...any) {
	t.write(t.resource(name), value, append([]any{"Properties"}, steps...))
}

// setBody sets an attribute of a resource beside its properties.
func (t *template) setBody(name string, value any, steps ...any) {
	t.write(t.resource(name), value, steps)
}

// setRoot writes outside of the resources.
func (t *template) setRoot(value any, steps ...any) {
	t.write(t.root, value, steps)
}

// removed as a value removes the field.
type removed struct{}

func (t *template) write(from any, value any, steps []any) {
	t.Helper()
	if text, ok := value.(string); ok && strings.HasPrefix(text, "{") && json.Valid([]byte(text)) {
		value = parse(text)
	}
	last := len(steps) - 1
	switch parent := at(from, steps[:last]...).(type) {
	case map[string]any:
		key := steps[last].(string)
		if value == (removed{}) {
			if _, ok := parent[key]; !ok {
				t.Fatalf("the good assembly has nothing at %v", steps)
			}
			delete(parent, key)
			return
		}
		parent[key] = value
	case []any:
		index := steps[last].(int)
		switch {
		case value == (removed{}):
			t.write(from, slices.Delete(slices.Clone(parent), index, index+1), steps[:last])
		case index == len(parent):
			t.write(from, append(slices.Clone(parent), value), steps[:last])
		default:
			parent[index] = value
		}
	default:
		t.Fatalf("the good assembly has nothing at %v", steps[:last])
	}
}

func (t *template) remove(name string, steps ...any) {
	t.Helper()
	t.set(name, removed{}, steps...)
}

func (t *template) get(name string, steps ...any) any {
	t.Helper()
	v := at(t.resource(name)["Properties"], steps...)
	if v == nil {
		t.Fatalf("the good assembly has nothing at %s %v", name, steps)
	}
	return v
}

// add adds a resource, given as JSON.
func (t *template) add(id, body string) {
	t.root["Resources"].(map[string]any)[id] = parse(body)
}

// parse returns JSON as the gate reads it.
func parse(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(fmt.Sprintf("%s: %v", text, err))
	}
	return v
}

// good returns the good assembly as files.
func good(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	from := os.DirFS("testdata/good")
	err := fs.WalkDir(from, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, path)
		files[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func mustRead(t testing.TB, files fs.FS) *Assembly {
	t.Helper()
	a, err := Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// damage returns one application of the good assembly with a fault in it.
func damage(t *testing.T, files fstest.MapFS, f fault) *Assembly {
	t.Helper()
	damaged := fstest.MapFS{}
	app, _, _ := strings.Cut(f.in, "/")
	for path, file := range files {
		if inside, ok := strings.CutPrefix(path, app+"/"); ok {
			damaged[inside] = file
		}
	}
	for _, s := range mustRead(t, damaged).Stacks {
		if s.Path != f.in {
			continue
		}
		f.inject(&template{T: t, root: s.template})
		text, err := json.MarshalIndent(s.template, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		damaged[s.File] = &fstest.MapFile{Data: text}
		return mustRead(t, damaged)
	}
	t.Fatalf("the good assembly has no stack %s", f.in)
	return nil
}

func TestGoodAssemblyHasNoFinding(t *testing.T) {
	for _, f := range mustRead(t, good(t)).Check() {
		t.Errorf("%s/%s: %s [%s]", f.Stack, f.Resource, f.Message, f.Rule)
	}
}

// A rule that no injected fault has shown to find anything proves nothing.
func TestEachRuleIsProvenByAFault(t *testing.T) {
	for _, rule := range Rules {
		if !slices.ContainsFunc(slices.Concat(faults, securityFaults, deliveryFaults), func(f fault) bool { return f.rule == rule.ID }) {
			t.Errorf("no fault is injected that the rule %q must name", rule.ID)
		}
	}
}

// The faults that CDK's engine, cfn-lint and an emulator let through
// (spec/reliability.md, 2.3) are all injected.
func TestKnownFaultsAreInjected(t *testing.T) {
	for _, number := range []int{12, 14, 15, 16, 18, 19, 21, 22, 23, 24, 26, 27, 30, 31, 34, 37, 38, 40} {
		if !slices.ContainsFunc(slices.Concat(faults, securityFaults, deliveryFaults), func(f fault) bool { return f.known == number }) {
			t.Errorf("fault %d of the list is not injected", number)
		}
	}
}

// Acceptances name rules by their ids: ids must be well-formed and documented.
func TestRulesAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, rule := range Rules {
		if seen[rule.ID] {
			t.Errorf("two rules have the id %q", rule.ID)
		}
		seen[rule.ID] = true
		if !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(rule.ID) || rule.Summary == "" || rule.Source == "" {
			t.Errorf("rule %q must have an id of words, a sentence and a source", rule.ID)
		}
	}
}

// Each injected fault must be named by its rule, on its resource, and nothing else
// may be found.
func TestInjectedFaults(t *testing.T) {
	files := good(t)
	faults := slices.Concat(faults, securityFaults, deliveryFaults)
	caught := 0
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			stack, on := f.in, f.on
			if i := strings.LastIndex(on, "/"); i >= 0 {
				stack, on = on[:i], on[i+1:]
			}
			named := false
			missing := slices.Clone(f.also)
			for _, found := range damage(t, files, f).Check() {
				switch {
				case found.Rule == f.rule && found.Stack == stack && isNamed(found.Resource, on):
					named = true
				case slices.Contains(f.also, found.Rule):
					missing = slices.DeleteFunc(missing, func(rule string) bool { return rule == found.Rule })
				default:
					t.Errorf("found besides: %s/%s: %s [%s]", found.Stack, found.Resource, found.Message, found.Rule)
				}
			}
			if !named {
				t.Errorf("the gate did not name it: want [%s] on %s/%s", f.rule, stack, on)
			}
			if len(missing) > 0 {
				t.Errorf("these rules must find it too: %v", missing)
			}
			if !t.Failed() {
				caught++
			}
		})
	}
	fmt.Printf("caught %d/%d injected faults\n", caught, len(faults))
	if caught != len(faults) {
		t.Errorf("caught %d/%d injected faults", caught, len(faults))
	}
	if len(faults) < 60 {
		t.Errorf("at least 60 faults must be injected, there are %d", len(faults))
	}
}
