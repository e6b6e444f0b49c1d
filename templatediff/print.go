package templatediff

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Text prints the differences for people, one stack after the other.
func Text(w io.Writer, all []Difference) error {
	var b strings.Builder
	for _, d := range all {
		d.text(&b)
	}
	fmt.Fprintf(&b, "%s\n", totals(all))
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Difference) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s%s: ", printable(d.Name), d.target())
	switch {
	case !d.Changes():
		b.WriteString("no changes\n")
	case d.New:
		fmt.Fprintf(b, "new, %s\n", count(len(d.Resources), "resource"))
	default:
		fmt.Fprintf(b, "%d added, %d changed, %d removed\n", d.Count(Added), d.Count(Changed), d.Count(Removed))
	}
	for _, r := range d.Resources {
		if d.New {
			break
		}
		fmt.Fprintf(b, "  %s %s %s%s\n", [...]string{"+", "~", "-"}[r.Kind], printable(r.Type), printable(r.Name), r.fate())
		for _, p := range r.Properties {
			fmt.Fprintf(b, "      %s\n", printable(p))
		}
	}
	for _, name := range d.Sections {
		if !d.New {
			fmt.Fprintf(b, "  ~ %s\n", printable(name))
		}
	}
	for _, i := range d.Images {
		fmt.Fprintf(b, "  image %s: %s -> %s\n", printable(i.Container), printable(cmp.Or(i.Old, "none")), printable(cmp.Or(i.New, "none")))
	}
}

func (d Difference) target() string {
	if d.Account == "" && d.Region == "" {
		return ""
	}
	return printable(fmt.Sprintf(" (%s, %s)", cmp.Or(d.Account, "any account"), cmp.Or(d.Region, "any region")))
}

// fate tells whether a removed or replaced resource is kept or lost.
func (r ResourceChange) fate() string {
	text := ""
	switch {
	case r.Replaced == Always:
		text = "is replaced"
	case r.Replaced == Perhaps:
		text = "may be replaced"
	case r.Kind != Removed || !r.Holds && !r.Kept:
		return ""
	}
	switch {
	case r.Kept && text == "":
		text = "is kept outside of the stack"
	case r.Kept:
		text += ", the old one is kept"
	case r.Holds && text == "":
		text = "is lost"
	case r.Holds:
		text += ", the old one is lost"
	}
	return " (" + text + ")"
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func totals(all []Difference) string {
	var changed, added []string
	kinds := [3]int{}
	for _, d := range all {
		switch {
		case d.New:
			added = append(added, d.Name)
		case d.Changes():
			changed = append(changed, d.Name)
		}
		for k := range kinds {
			kinds[k] += d.Count(Kind(k))
		}
	}
	if len(added)+len(changed) == 0 {
		return count(len(all), "stack") + ", no changes"
	}
	return fmt.Sprintf("%s, %d new, %d changed; %s added, %d changed, %d removed",
		count(len(all), "stack"), len(added), len(changed), count(kinds[Added], "resource"), kinds[Changed], kinds[Removed])
}

// maxSummary leaves room for a comment beside the summary: a value of a pipeline's
// configuration has 1,000 characters.
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
const maxSummary = 700

// Summary returns one line for the comment of an approval: numbers, losses and images. It
// uses letters, digits and marks without a meaning in shells and pipelines.
func Summary(all []Difference) string {
	var lost, shown []string
	for _, d := range all {
		for _, r := range d.Resources {
			if r.Loses() {
				lost = append(lost, "AT RISK: "+r.Type+" "+r.Name+r.fate())
			}
		}
		for _, i := range d.Images {
			shown = append(shown, fmt.Sprintf("image %s %s to %s", i.Container, short(i.Old), short(i.New)))
		}
	}
	slices.Sort(lost)
	slices.Sort(shown)
	parts := slices.Compact(slices.Concat(lost, shown))
	line := safe(totals(all))
	for i, part := range parts {
		more := fmt.Sprintf("; and %d more", len(parts)-i)
		if len(line)+len("; ")+len(safe(part))+len(more) > maxSummary {
			return line + more
		}
		line += "; " + safe(part)
	}
	return line
}

var hash = regexp.MustCompile(`(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}\b`)

// short returns an image without its registry, and with an abbreviated digest.
func short(image string) string {
	return hash.ReplaceAllString(path.Base(cmp.Or(image, "none")), "$1")
}

var unsafe = regexp.MustCompile(`[^A-Za-z0-9 .,:;/_@()+-]+`)

func safe(text string) string { return unsafe.ReplaceAllString(text, "_") }

// printable drops control characters, which could confuse a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
