package diag

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/width"
)

// Pos is a place in a file: a line and a column, both counted from 1. A zero
// Line means that the problem belongs to the file, or to no file at all.
type Pos struct {
	File         string
	Line, Column int
}

// String renders the position as file:line:column.
func (p Pos) String() string {
	switch {
	case p.File == "":
		return "compose"
	case p.Line == 0:
		return p.File
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Path names a value in the merged compose model, written as in
// "x-sqs.orders.Services.web.Access" or "services.web.ports[0].target".
type Path string

// At builds a path from mapping keys.
func At(keys ...string) Path { return Path(strings.Join(keys, ".")) }

// Key returns the path of the mapping entry k below p.
func (p Path) Key(k string) Path {
	if p == "" {
		return Path(k)
	}
	return p + Path("."+k)
}

// Index returns the path of the sequence item i, counted from 0, below p.
func (p Path) Index(i int) Path { return p + Path(fmt.Sprintf("[%d]", i)) }

// Severity says what a diagnostic means for the run.
type Severity int

const (
	// Error stops before anything is synthesised.
	Error Severity = iota
	// Warning marks what is deployed differently from what the file says, or
	// an old spelling.
	Warning
	// Note tells what a reader may not expect; nothing is lost.
	Note
)

// String returns the word that precedes the message; errors have none.
func (s Severity) String() string {
	return [...]string{"", "warning: ", "note: "}[s]
}

// Diagnostic is one problem of the input, made for a person: where it is, what
// is wrong, what was found and what is allowed.
type Diagnostic struct {
	Pos      Pos
	Path     Path
	Severity Severity
	// Code is the stable name of the rule, such as "access-unknown".
	Code    string
	Message string
	// Hint is the nearest valid name, or what to write instead; may be empty.
	Hint string
}

// String returns the first line of the printed form:
// file:line:column: path: message [code].
func (d Diagnostic) String() string {
	path := ""
	if d.Path != "" {
		path = string(d.Path) + ": "
	}
	return printable(fmt.Sprintf("%s: %s%s%s [%s]", d.Pos, path, d.Severity, d.Message, d.Code))
}

// printable writes out what a terminal would not show as it is: text of a file
// must not look like a diagnostic, or be taken for a command.
func printable(text string) string {
	return Invisible.ReplaceAllStringFunc(text, func(s string) string {
		if s == "\t" {
			return s
		}
		return fmt.Sprintf("<U+%04X>", []rune(s)[0])
	})
}

// Diagnostics is a list of problems; Sort orders it as it is printed.
type Diagnostics []Diagnostic

// Sort orders by file, line, column, path, code and message, and removes
// repetitions.
func (ds Diagnostics) Sort() Diagnostics {
	sorted := slices.Clone(ds)
	slices.SortFunc(sorted, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(sorted)
}

// HasErrors reports whether any diagnostic is an Error.
func (ds Diagnostics) HasErrors() bool { return ds.Count(Error) > 0 }

// Count returns the number of diagnostics of one severity.
func (ds Diagnostics) Count(s Severity) int {
	n := 0
	for _, d := range ds {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Print writes every diagnostic with its source line, a caret under the value
// and the hint, errors before others where there are very many. Lines that cannot
// be read are left out.
func (ds Diagnostics) Print(w io.Writer) error {
	files := map[string][]string{}
	shown, hidden := ds.Sort().first(maxPrinted)
	for _, d := range shown {
		var b strings.Builder
		b.WriteString(d.String() + "\n")
		line, ok := sourceLine(files, d.Pos)
		if ok && d.Code != PlainSecret {
			fmt.Fprintf(&b, "%6d | %s\n", d.Pos.Line, printable(line))
			fmt.Fprintf(&b, "       | %s%s\n", indentTo(line, d.Pos.Column), underline(line, d.Pos.Column))
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "       = %s\n", d.Hint)
		}
		if _, err := io.WriteString(w, b.String()); err != nil {
			return fmt.Errorf("print diagnostics: %w", err)
		}
	}
	if hidden > 0 {
		if _, err := fmt.Fprintf(w, "compose: %d more problems are not shown\n", hidden); err != nil {
			return fmt.Errorf("print diagnostics: %w", err)
		}
	}
	return nil
}

// maxPrinted is how many problems are printed: nobody reads more.
const maxPrinted = 200

// first returns as many problems of a sorted list as are to be shown, in its order,
// the most serious rather than others, and how many they leave out.
func (ds Diagnostics) first(most int) (shown Diagnostics, hidden int) {
	left := most
	var limit [Note + 1]int
	for s := range limit {
		limit[s] = min(ds.Count(Severity(s)), left)
		left -= limit[s]
	}
	for _, d := range ds {
		if limit[d.Severity] > 0 {
			limit[d.Severity]--
			shown = append(shown, d)
		}
	}
	return shown, len(ds) - len(shown)
}

func sourceLine(files map[string][]string, p Pos) (string, bool) {
	if p.Line == 0 {
		return "", false
	}
	lines, read := files[p.File]
	if !read {
		content, err := ReadFile(p.File)
		if err == nil {
			lines = strings.Split(string(content), "\n")
		}
		files[p.File] = lines
	}
	if p.Line > len(lines) {
		return "", false
	}
	line := strings.TrimRight(lines[p.Line-1], "\r")
	return line, len(line) <= maxLine
}

// maxLine is the longest line that is shown: another helps nobody.
const maxLine = 1000

// indentTo returns the white space that puts a caret under a column; tabs are kept
// so that the caret lines up however wide they are shown. Columns count runes,
// as the YAML parser does.
func indentTo(line string, column int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= column-1 {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
		} else {
			b.WriteString(strings.Repeat(" ", cells(r)))
		}
	}
	return b.String()
}

// cells returns how many columns of a terminal a character takes.
// See https://www.unicode.org/reports/tr11/
func cells(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

func underline(line string, column int) string {
	runes := []rune(line)
	end := column
	for end < len(runes) && !strings.ContainsRune(" \t,:]}#", runes[end]) {
		end++
	}
	n := 0
	for _, r := range runes[min(column-1, len(runes)):max(end, min(column, len(runes)))] {
		n += cells(r)
	}
	return "^" + strings.Repeat("~", max(0, n-1))
}

// Invisible matches characters that no name may hold: two names that look alike would
// differ.
var Invisible = regexp.MustCompile(`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]`)

// PlainSecret is the code of a secret in clear text. Its line is not shown: what is
// printed ends up in logs.
const PlainSecret = "plain-secret"

// Last returns the last key of a path.
func (p Path) Last() string {
	return string(p[strings.LastIndex(string(p), ".")+1:])
}
