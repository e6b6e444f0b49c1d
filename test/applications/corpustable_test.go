//go:build !race

package applications

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"composecdk/compose"
	"composecdk/gate"
)

// corpusTable is what became of the corpus: String is the table that is kept, a row
// a case, and summary the counts of each section.
type corpusTable []corpusRow

// corpusRow is what became of one case.
type corpusRow struct {
	corpusCase
	found       compose.Diagnostics
	synthesised bool
	failure     error
	findings    []gate.Finding
}

// outcomes of a case, in the order of the summary's columns.
const (
	synthesised = "synthesised"
	notBuilt    = "not built" // refused for nothing but what is not built yet
	refused     = "refused"   // refused as wrong, unsafe or impossible
	failed      = "failed"    // a fault of the program
)

// notBuiltYet reports whether a code is about something that could be deployed, and is not built.
func notBuiltYet(code string) bool { return strings.HasPrefix(code, "unsupported-") }

func (r corpusRow) outcome() string {
	switch {
	case r.failure != nil:
		return failed
	case r.synthesised:
		return synthesised
	}
	for _, d := range r.found {
		if d.Severity == compose.Error && !notBuiltYet(d.Code) {
			return refused
		}
	}
	return notBuilt
}

// errors returns the codes of what stops the case, each with its places:
// "bind-mount compose.yaml:7,9".
func (r corpusRow) errors() string {
	places := map[string][]string{}
	for _, d := range r.found {
		if d.Severity != compose.Error {
			continue
		}
		file, err := filepath.Rel(r.root, d.Pos.File)
		if err != nil {
			file = d.Pos.File
		}
		places[d.Code] = append(places[d.Code], fmt.Sprintf("%s:%d", strings.TrimPrefix(file, "use-cases/"), d.Pos.Line))
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(places)) {
		parts = append(parts, code+" "+strings.Join(slices.Compact(places[code]), ","))
	}
	return strings.Join(parts, "; ")
}

// told returns the codes of the warnings and notes: what is deployed in another way
// than it is written, or left out.
func (r corpusRow) told() string {
	var codes []string
	for _, d := range r.found {
		if d.Severity != compose.Error {
			codes = append(codes, d.Code)
		}
	}
	slices.Sort(codes)
	return strings.Join(slices.Compact(codes), " ")
}

func (r corpusRow) gate() string {
	var rules []string
	for _, f := range r.findings {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	return strings.Join(slices.Compact(rules), " ")
}

// String returns a line of the progress.
func (r corpusRow) String() string {
	line := fmt.Sprintf("%-19s %-11s %s", r.section, r.outcome(), r.name)
	if stopped := r.errors(); stopped != "" {
		line += "\n         " + stopped
	}
	if r.failure != nil {
		line += "\n         " + r.failure.Error()
	}
	return line
}

func (t corpusTable) String() string {
	var b strings.Builder
	b.WriteString("section\tfiles\treference\toutcome\terrors\twarnings and notes\taccepted by the gate\n")
	for _, r := range t {
		b.WriteString(strings.Join([]string{r.section, r.name, r.reference, r.outcome(), r.errors(), r.told(), r.gate()}, "\t") + "\n")
	}
	return b.String()
}

func (t corpusTable) summary() string {
	columns := []string{synthesised, notBuilt, refused, failed}
	counts, all := map[string]map[string]int{}, map[string]int{}
	findings, allFindings := map[string]int{}, 0
	for _, r := range t {
		if counts[r.section] == nil {
			counts[r.section] = map[string]int{}
		}
		counts[r.section][r.outcome()]++
		all[r.outcome()]++
		findings[r.section] += len(r.findings)
		allFindings += len(r.findings)
	}
	var b strings.Builder
	line := func(section string, cells ...any) {
		fmt.Fprintf(&b, "%-20s%12v%12v%12v%12v%12v%12v\n", append([]any{section}, cells...)...)
	}
	row := func(section string, n map[string]int, findings int) {
		total, cells := 0, []any{}
		for _, column := range columns {
			total += n[column]
			cells = append(cells, n[column])
		}
		line(section, append(append([]any{total}, cells...), findings)...)
	}
	line("section", "cases", synthesised, notBuilt, refused, failed, "accepted")
	for _, section := range slices.Sorted(maps.Keys(counts)) {
		row(section, counts[section], findings[section])
	}
	row("all", all, allFindings)
	return b.String()
}
