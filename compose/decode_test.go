package compose

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"composecdk/compose/diag"
)

// A value of the file must be taken where it fits, also one in quotes, and what
// does not fit must be named.
func TestDecode(t *testing.T) {
	type inner struct {
		Name string
		Old  *int `key:"old_name"`
	}
	type all struct {
		Text  string
		Flag  bool
		Whole int
		Real  float64
		List  []string
		Parts []inner
		Table map[string]int
		Any   any
	}
	for _, c := range []struct {
		in         any
		want, told string
	}{
		{map[string]any{"Text": 5, "Flag": "true", "Whole": "7", "Real": "1.5", "List": "one", "Any": nil}, "{5 true 7 1.5 [one] [] map[] <nil>}", ""},
		{map[string]any{"Text": true, "Whole": 3.0, "Real": uint8(2), "List": []any{"a", 1}, "Table": map[string]any{"b": 2}}, "{true false 3 2 [a 1] [] map[b:2] <nil>}", ""},
		{map[string]any{"Parts": map[string]any{"Name": "n"}}, "{ false 0 0 [] [{n <nil>}] map[] <nil>}", ""},
		{map[string]any{"Whole": math.MaxInt32 - 1}, fmt.Sprintf("{ false %d 0 [] [] map[] <nil>}", math.MaxInt32-1), ""},
		{map[string]any{"Whole": math.MaxInt32}, "", "x.Whole: expected a whole number, found 2147483647"},
		{map[string]any{"Whole": 1.5}, "", "x.Whole: expected a whole number, found 1.5"},
		{map[string]any{"Whole": "many"}, "", `x.Whole: expected a whole number, found "many"`},
		{map[string]any{"Real": "Inf"}, "", `x.Real: expected a number, found "Inf"`},
		{map[string]any{"Real": []any{}}, "", "x.Real: expected a number, found a list"},
		{map[string]any{"Flag": "perhaps"}, "", `x.Flag: expected true or false, found "perhaps"`},
		{map[string]any{"Text": map[string]any{}}, "", "x.Text: expected a string, found a mapping"},
		{map[string]any{"List": map[string]any{}}, "", "x.List: expected a list, found a mapping"},
		{map[string]any{"Table": "a"}, "", `x.Table: expected a mapping, found "a"`},
		{map[string]any{"Parts": []any{"a"}}, "", `x.Parts[0]: expected a mapping with Name, old_name, found "a"`},
		{map[string]any{"Txet": "a"}, "", `x.Txet: "Txet" is not a key of x`},
		{map[string]any{"Parts": []any{map[string]any{"old_name": "a"}}}, "", `x.Parts[0].old_name: expected a whole number, found "a"`},
		{strings.Repeat("é", 60), "", `x: expected a mapping with Any, Flag, List, Parts, Real, Table, Text, Whole, found "` + strings.Repeat("é", 60) + `"`},
		{strings.Repeat("é", 61), "", `x: expected a mapping with Any, Flag, List, Parts, Real, Table, Text, Whole, found "` + strings.Repeat("é", 60) + `…"`},
	} {
		r := &resolver{Reporter: &diag.Reporter{Positions: &diag.Index{}}}
		var out all
		fits := r.decode("x", c.in, &out)
		told := ""
		if len(r.Found) > 0 {
			told = string(r.Found[0].Path) + ": " + r.Found[0].Message
		}
		if told != c.told {
			t.Errorf("%v: told %s, want %s", c.in, told, c.told)
		}
		if got := fmt.Sprint(out); c.told == "" && (got != c.want || !fits) {
			t.Errorf("%v: got %s, want %s", c.in, got, c.want)
		}
	}
}
