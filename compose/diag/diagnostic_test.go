package diag

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A place must be written as file:line:column, as far as it is known.
func TestPosString(t *testing.T) {
	for want, pos := range map[string]Pos{
		"compose": {}, "a.yml": {File: "a.yml"}, "a.yml:2:1": {File: "a.yml", Line: 2, Column: 1},
	} {
		if got := pos.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The line of a diagnostic must be shown with a caret below its column, also the
// first and the last one; a place that the file does not have shows none.
func TestPrintSource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yml")
	long := strings.Repeat("x", maxLine)
	if err := os.WriteFile(file, []byte("first\n\ttab: é b\r\n"+long+"\n"+long+"x\nlast"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown := func(line, column int) string {
		var b strings.Builder
		found := Diagnostics{{Pos: Pos{File: file, Line: line, Column: column}, Severity: Error, Code: "c", Message: "m"}}
		if err := found.Print(&b); err != nil {
			t.Fatal(err)
		}
		_, source, _ := strings.Cut(b.String(), "[c]\n")
		return source
	}
	for _, c := range []struct {
		line, column int
		want         string
	}{
		{1, 1, "     1 | first\n       | ^~~~~\n"},
		{2, 9, "     2 | \ttab: é b\n       | \t       ^\n"},
		{5, 2, "     5 | last\n       |  ^~~\n"},
		{4, 1, ""},
		{6, 1, ""},
		{0, 0, ""},
	} {
		if got := shown(c.line, c.column); got != c.want {
			t.Errorf("%d:%d: got\n%q\nwant\n%q", c.line, c.column, got, c.want)
		}
	}
	if got := shown(3, 1); !strings.Contains(got, long) {
		t.Errorf("a line of %d letters is not shown: %q", maxLine, got)
	}
}

// Errors must be shown before warnings and notes where there are too many, in the
// order of the list, and what is left out must be counted.
func TestFirstDiagnostics(t *testing.T) {
	list := Diagnostics{{Severity: Note, Code: "a"}, {Severity: Error, Code: "b"}, {Severity: Warning, Code: "c"}, {Severity: Error, Code: "d"}, {Severity: Warning, Code: "e"}}
	for most, want := range map[int]string{0: "", 1: "b", 2: "bd", 3: "bcd", 4: "bcde", 5: "abcde", 6: "abcde"} {
		shown, hidden := list.first(most)
		got := ""
		for _, d := range shown {
			got += d.Code
		}
		if got != want || hidden != len(list)-len(want) {
			t.Errorf("%d of them: got %s and %d more, want %s", most, got, hidden, want)
		}
	}
}

// A wrong name must be told the nearest one, or all that are possible while they
// are few.
func TestDidYouMean(t *testing.T) {
	twelve := strings.Split("aaaaaa bbbbbb cccccc dddddd eeeeee ffffff gggggg hhhhhh iiiiii jjjjjj kkkkkk llllll", " ")
	for _, c := range []struct {
		got     string
		allowed []string
		want    string
	}{
		{"x", nil, ""},
		{"prots", []string{"ports", "posts"}, `did you mean "ports"?`},
		{"zzzz", []string{"b", "a", "b"}, "one of: a, b"},
		{"zzzz", twelve, "one of: " + strings.Join(twelve, ", ")},
		{"zzzz", append(twelve, "mmmmmm"), ""},
	} {
		if got := DidYouMean(c.got, c.allowed); got != c.want {
			t.Errorf("%s of %v: got %q, want %q", c.got, c.allowed, got, c.want)
		}
	}
}

// A caret must stand under its word, also behind characters that take two columns.
func TestCaretBehindWideCharacters(t *testing.T) {
	file := filepath.Join(t.TempDir(), "compose.yaml")
	if err := os.WriteFile(file, []byte("web: {名前: 値, keyy: 値値}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	found := Diagnostics{
		{Pos: Pos{file, 1, 14}, Message: "one", Code: "a"}, {Pos: Pos{file, 1, 20}, Message: "two", Code: "b"},
	}
	if err := found.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"       |                 ^~~~\n", "       |                       ^~~~\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line %q in\n%s", want, out.String())
		}
	}
}
