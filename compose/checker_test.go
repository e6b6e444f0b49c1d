package compose

import (
	"fmt"
	"testing"

	"composecdk/compose/diag"
)

// A secret that takes the name of a variable must replace the service's own value,
// which is told, and the value that the resource sets without being asked; not
// one that is asked for.
func TestTakeVariable(t *testing.T) {
	r := &resolver{Reporter: &diag.Reporter{Positions: &diag.Index{}}}
	c := &Container{Service: "web", Environment: []Variable{{Name: "A"}, {Name: "B"}}}
	b := &Binding{Container: c, Path: "x-box.b.Services.web", Returns: []Return{
		{Variable: "A", Path: "x-box.b.Services.web"}, {Variable: "A", Path: "asked"}, {Variable: "C", Path: "x-box.b.Services.web"},
	}}
	(&Checker{r: r}).TakeVariable(b, "at", "A")
	(&Checker{r: r}).TakeVariable(b, "at", "Z")
	if fmt.Sprint(c.Environment) != fmt.Sprint([]Variable{{Name: "B"}}) || len(b.Returns) != 2 || b.Returns[0].Path != "asked" || b.Returns[1].Variable != "C" {
		t.Errorf("got %v and %v", c.Environment, b.Returns)
	}
	if len(r.Found) != 1 || r.Found[0].Code != "variable-replaced" {
		t.Errorf("told %v", r.Found)
	}
}
