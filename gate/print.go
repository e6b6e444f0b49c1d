package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"
)

// Report holds the findings in the assemblies of a run.
type Report struct {
	Stacks    int `json:"stacks"`
	Resources int `json:"resources"`
	Rules     int `json:"rules"`
	// Findings includes accepted findings.
	Findings []Finding `json:"findings"`
}

// Add checks an assembly and adds its findings; folder is prepended to their file names.
func (r *Report) Add(folder string, a *Assembly) {
	r.Rules = len(Rules)
	r.Stacks += len(a.Stacks)
	for _, s := range a.Stacks {
		r.Resources += len(s.Resources)
	}
	for _, f := range a.Check() {
		f.File = path.Join(folder, f.File)
		r.Findings = append(r.Findings, f)
	}
}

// Accepted counts the accepted findings.
func (r *Report) Accepted() int {
	n := 0
	for _, f := range r.Findings {
		if f.Accepted != "" {
			n++
		}
	}
	return n
}

// Open counts the findings that are not accepted.
func (r *Report) Open() int { return len(r.Findings) - r.Accepted() }

// Text prints a report for people: a line for each open finding, with place, message and
// rule, and a line of counts.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		if f.Accepted != "" {
			continue
		}
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
		}
		fmt.Fprintf(&b, ": %s: %s [%s]\n", f.place(), f.Message, f.Rule)
	}
	fmt.Fprintf(&b, "%s, %s, %s: %s", count(r.Stacks, "stack"), count(r.Resources, "resource"), count(r.Rules, "rule"), count(r.Open(), "finding"))
	if n := r.Accepted(); n > 0 {
		fmt.Fprintf(&b, ", %d accepted", n)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (f Finding) logical() string {
	if f.Resource == "" {
		return f.Stack
	}
	return f.Stack + "/" + f.Resource
}

// place returns where a finding is: people write constructs, so the construct path comes
// before the logical id.
func (f Finding) place() string {
	if strings.Contains(f.Construct, "/") {
		return f.Construct
	}
	return f.logical()
}

// JSON prints a report for programs.
func (r *Report) JSON(w io.Writer) error {
	report := *r
	if report.Findings == nil {
		report.Findings = []Finding{}
	}
	return indented(w, report)
}

func indented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
