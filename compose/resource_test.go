package compose

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/compose/load"
)

// boxes and rooms are kinds of the tests: this package knows none of the real
// ones.
var boxes = &Schema{
	Key: "x-box", Type: "Test::Box::Box", Main: "BoxName", Bare: []string{"Arn"}, Returns: []string{"Arn", "Lid"}, Scalable: true,
	Parameters: struct {
		Depth int
		Names []string
	}{},
	Sections:       map[string]any{"Rules": struct{ Strict bool }{}},
	Access:         map[string][]string{"": {"Open", "Close"}},
	AccessAliases:  map[string]Grant{"RO": {Profile: "Open"}},
	BareReferences: []string{"Overflow.Target"},
	Without: func(r *Resource) []string {
		if r.Properties["Lid"] == nil {
			return []string{"Lid"}
		}
		return nil
	},
}

var rooms = &Schema{
	Key: "x-room", Type: "Test::Room::Room", Main: "RoomId", Bare: []string{"Arn"}, Returns: []string{"Arn"},
	Required: []string{"Lookup", "Properties"}, Lookups: []string{"room", "door"},
	Settings: struct{ Light bool }{}, Service: struct{ Knock bool }{},
	Access: map[string][]string{"Door": {"Enter"}}, Networked: true, Snapshots: true,
}

func readResources(t *testing.T, opts load.Options) (*Model, Diagnostics) {
	t.Helper()
	p, found := load.Files(context.Background(), opts)
	if p == nil {
		t.Fatalf("no project: %v", found)
	}
	m, more := Resolve(p, []*Schema{boxes, rooms})
	return m, append(found, more...).Sort()
}

func resourcesOf(t *testing.T, text string) *Model {
	t.Helper()
	file := filepath.Join(t.TempDir(), "compose.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, found := readResources(t, load.Options{Files: []string{file}, ProjectName: "fixture"})
	if found.HasErrors() {
		var b strings.Builder
		_ = found.Print(&b)
		t.Fatal(b.String())
	}
	return m
}

// Every file under testdata/resource/err must give exactly the diagnostics of
// the .out file beside it, at least one of them an error.
func TestResourceErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/resource/err/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures: ", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, found := readResources(t, fixtureOptions(t, file))
			if !found.HasErrors() {
				t.Error("no error")
			}
			var b bytes.Buffer
			if err := found.Print(&b); err != nil {
				t.Fatal(err)
			}
			compareOut(t, strings.TrimSuffix(file, ".yml")+".out", b.String())
		})
	}
}

// A resource must be made after those it refers to, wherever the reference
// stands, and otherwise in the order of names; not in that of the file.
func TestCreationOrder(t *testing.T) {
	m := resourcesOf(t, `
services: {a: {image: nginx}}
x-box:
  a: {Properties: {List: [{"Fn::Sub": "in x-box::z::Arn"}]}}
  z: {Properties: {Overflow: {Target: x-box::m}}}
  m: {}
  b: {}
`)
	var names []string
	for _, r := range m.CreationOrder() {
		names = append(names, r.Name)
	}
	if want := []string{"b", "m", "z", "a"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

// A service bound by its own name and by that of its family must get what both
// entries say, once; a family scales once, whoever of it is bound.
func TestBindingByServiceAndFamily(t *testing.T) {
	m := resourcesOf(t, `
services:
  one: {image: nginx, deploy: {labels: {ecs.task.family: both}}}
  two: {image: nginx, deploy: {labels: {ecs.task.family: both}}}
x-box:
  crate:
    Services:
      both: {Access: Open, Scaling: {Steps: [{LowerBound: 0, Count: 2}]}}
      one: {Access: Close, ReturnValues: {Arn: CRATE_ARN, Ref: CRATE_NAME}}
x-room:
  hall:
    Properties: {}
    Services:
      both: {Access: {Door: Enter}}
      two: {Knock: true}
`)
	var got []string
	for _, b := range m.Bindings {
		line := b.Container.Name + " " + b.Resource.Name
		for _, g := range b.Grants {
			line += " " + g.Scope + g.Profile
		}
		for _, v := range b.Returns {
			line += " " + v.Variable + "=" + v.Value
		}
		if b.Scaling != nil {
			line += " scales"
		}
		if o, ok := b.Options.(*struct{ Knock bool }); ok && o.Knock {
			line += " knocks"
		}
		got = append(got, line)
	}
	want := []string{
		"one crate Open Close CRATE=BoxName CRATE_ARN=Arn CRATE_NAME=BoxName scales",
		"two crate Open CRATE=BoxName",
		"one hall DoorEnter HALL=RoomId",
		"two hall DoorEnter HALL=RoomId knocks",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
