package diagram

import (
	"fmt"
	"html"
	"strings"
)

// dot writes a graph in Graphviz' language. Every text of a configuration passes
// through text or quote.
type dot struct {
	strings.Builder
	// edges follow all nodes: one within a cluster would draw its nodes into it.
	edges []string
}

func (d *dot) line(format string, args ...any) { d.WriteString(fmt.Sprintf(format, args...) + "\n") }

// cluster draws a box around the nodes of body.
func (d *dot) cluster(id, title, subtitle string, colors palette, body func()) {
	d.line("subgraph %s {", quote("cluster "+id))
	d.line(`style="rounded,filled" fillcolor=%q color=%q penwidth=1 margin=14 labeljust=l`, colors.fill, colors.line)
	d.line("label=<%s>", twoLines(title, subtitle, colors.ink, `<br align="left"/>`))
	body()
	d.line("}")
}

// node draws a box with a title, and a subtitle in small letters.
func (d *dot) node(id, title, subtitle string, colors palette) {
	d.line(`%s [shape=box style="rounded,filled" fillcolor=%q color=%q label=<%s>]`,
		quote(id), colors.fill, colors.line, twoLines(title, subtitle, colors.ink, "<br/>"))
}

// edge draws an arrow with a label; a place is the id of a node, or node and cell.
func (d *dot) edge(from, to fmt.Stringer, label, attributes string) {
	if label != "" {
		attributes += fmt.Sprintf(` label=<<font point-size="11" color="#374151">&nbsp;%s</font>>`, text(label))
	}
	d.edges = append(d.edges, fmt.Sprintf("%s -> %s [%s]", from, to, attributes))
}

// row puts nodes beside each other, in this order.
func (d *dot) row(ids ...string) {
	for i := 1; i < len(ids); i++ {
		d.edges = append(d.edges, fmt.Sprintf("%s -> %s [style=invis constraint=false]", quote(ids[i-1]), quote(ids[i])))
	}
}

// place is an end of an arrow: the lower side of a cell of a node, or, without a cell,
// any side of the node.
type place struct{ node, cell string }

func (p place) String() string {
	if p.cell == "" {
		return quote(p.node)
	}
	return quote(p.node) + ":" + port(p.cell) + ":s"
}

// port names a cell within its node, whatever the title.
func port(title string) string { return fmt.Sprintf("c%x", title) }

// above is an end of an arrow at the upper side of a node.
type above string

func (a above) String() string { return quote(string(a)) + ":n" }

// cell is a part of a box, such as a stage of a pipeline, with its title and its
// actions.
type cell struct {
	title, what string
	colors      palette
}

// box draws a node with a title and cells from left to right, divided by separator.
func (d *dot) box(id, title, subtitle, separator, fill string, cells []cell) {
	var b strings.Builder
	fmt.Fprintf(&b, `<table border="1" cellborder="0" cellspacing="5" cellpadding="0" style="rounded" bgcolor="%s" color="%s">`, fill, account.line)
	fmt.Fprintf(&b, `<tr><td colspan="%d">%s</td></tr><tr>`, 2*len(cells)-1, twoLines(title, subtitle, account.ink, "<br/>"))
	for i, c := range cells {
		if i > 0 {
			fmt.Fprintf(&b, `<td><font color="%s">%s</font></td>`, flowColor, separator)
		}
		fmt.Fprintf(&b, `<td port="%s"><table border="1" cellborder="0" cellspacing="0" cellpadding="6" style="rounded" bgcolor="%s" color="%s"><tr><td width="48">%s</td></tr></table></td>`,
			port(c.title), c.colors.fill, c.colors.line, twoLines(c.title, c.what, c.colors.ink, "<br/>"))
	}
	b.WriteString(`</tr></table>`)
	d.line("%s [shape=plain label=<%s>]", quote(id), b.String())
}

func (d *dot) pipeline(id, title string, stages []cell) {
	d.box(id, title, "", "&#8594;", "#ffffff", stages)
}

func twoLines(title, subtitle, ink, end string) string {
	label := fmt.Sprintf(`<font color="%s"><b>%s</b></font>`, ink, text(title))
	if subtitle != "" {
		label += fmt.Sprintf(`%s<font point-size="11" color="%s">%s</font>`, end, ink, text(subtitle))
	}
	return label + end
}

// text escapes a label, in which Graphviz replaces \N by the name of the node.
func text(s string) string { return html.EscapeString(strings.ReplaceAll(s, `\`, `\\`)) }

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
}
