package compose

import (
	"maps"
	"slices"
	"testing"
)

// A trial keeps what can still be checked of a model with errors, and nothing that
// follows from what it left out is told.
func TestTrial(t *testing.T) {
	resource := func(name string, properties ...string) *Resource {
		r := &Resource{Key: "x-box", Name: name, Path: At("x-box", name), Properties: map[string]any{}}
		for _, p := range properties {
			r.Properties[p] = 1
		}
		return r
	}
	m := &Model{Name: "m", Families: []*Family{{Name: "web"}}, Resources: []*Resource{
		resource("good", "A"), resource("partly", "A", "B", "Bb"), resource("bad", "A"),
		{Key: "x-box", Name: "found", Path: "x-box.found", Mode: Import},
	}}
	found := Diagnostics{
		{Path: "services.web"},
		{Path: "x-box.good.Services.web.Access"},
		{Path: "x-box.good.Properties.A", Severity: Warning},
		{Path: "x-box.partly.Properties.B[0].C"},
		{Path: "x-box.bad"},
	}
	trial := m.Trial(found)
	got := map[string][]string{}
	for _, r := range trial.Resources {
		got[r.Name] = slices.Sorted(maps.Keys(r.Properties))
	}
	want := map[string][]string{"good": {"A"}, "partly": {"A", "Bb"}}
	if !maps.EqualFunc(got, want, slices.Equal) || len(trial.Families) != 0 {
		t.Errorf("got %v, want %v and no families", got, want)
	}
	if len(m.Resources[1].Properties) != 3 {
		t.Error("the trial changed the model")
	}
	told := m.Told(Diagnostics{
		{Path: "x-box.good.Properties"}, {Path: "x-box.partly.Properties"}, {Path: "x-box.partly.Properties.A"}, {Path: "x-vpc"},
	}, found)
	if len(told) != 2 || told[0].Path != "x-box.good.Properties" || told[1].Path != "x-box.partly.Properties.A" {
		t.Errorf("told %v", told)
	}
	if m.Trial(Diagnostics{{Path: "x-box.good"}, {Path: "x-box.partly"}, {Path: "x-box.bad.Properties"}}) != nil {
		t.Error("a trial of nothing")
	}
}
