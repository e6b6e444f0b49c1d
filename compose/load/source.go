package load

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// file is one file as it was read.
type file struct {
	path string // absolute
	name string // as shown to people
	docs []*yaml.Node
}

// source is one use of a file: the main model, an include or the base of an
// extends. Each use has trees of its own, because its variables and folder are.
type source struct {
	*file
	// docs are the expanded documents of this use.
	docs []*yaml.Node
	// dir is the folder that relative paths in the file belong to.
	dir      string
	env      types.Mapping
	parent   *source // what includes this one
	includes []*source
	// sections says that these are the sections of the options.
	sections bool
	// copy is where the prepared text lies while compose-go runs; "" for a main file.
	copy string
}

// open reads a file for one use of it. Problems are reported at the place that
// names the file, and nil is returned.
func (l *loading) open(path, dir string, parent *source, at diag.Pos, in diag.Path) *source {
	if l.late(at) {
		return nil
	}
	f := l.files[path]
	if err := l.countUse(path); err != nil {
		l.unreadable(at, in, "the file "+l.display(path), err)
		return nil
	}
	if f == nil {
		f = &file{path: path, name: l.display(path)}
		content, err := l.read(path)
		if err != nil {
			l.unreadable(at, in, "the file "+f.name, err)
			return nil
		}
		if !l.parse(f, content) {
			l.unread = true
			f.docs = nil
		}
		l.files[path] = f
	}
	s := &source{file: f, dir: dir, parent: parent}
	for _, doc := range f.docs {
		s.docs = append(s.docs, cloneNode(doc))
	}
	return s
}

// unreadable reports a file that cannot be read at the place that names it;
// without it nothing can be said of the project.
func (l *loading) unreadable(at diag.Pos, in diag.Path, name string, err error) {
	l.unread = true
	code, problem, hint := FileFault(err)
	l.errorAt(at, in, code, hint, "%s %s", name, problem)
}

var remoteFile = regexp.MustCompile(`^(?:[a-z+]+://|git@|oci:|github\.com/)`)

// remote reports whether a file lies elsewhere, and tells of it: a deployment must not depend on
// what another server answers.
func (l *loading) remote(name string, at diag.Pos, path diag.Path) bool {
	if !remoteFile.MatchString(name) {
		return false
	}
	l.unread = true
	l.errorAt(at, path, "file-remote", "copy it into the project", "%s is not a local file", diag.Shorten(name))
	return true
}

// parse reports whether it could read and expand the documents of a file; false when it is no compose
// file at all.
func (l *loading) parse(f *file, content []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	ok := true
	for {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			at, message, hint := yamlProblem(err, f.name, content)
			l.errorAt(at, "", "yaml-syntax", hint, "%s", message)
			return false
		}
		if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
			continue
		}
		root := doc.Content[0]
		if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
			continue
		}
		e := &expander{l: l, file: f.name, active: map[*yaml.Node]bool{}}
		if root.Kind != yaml.MappingNode {
			e.errorf(root, "", "yaml-root", "", "%s is a mapping with keys such as %s, not %s", l.what.file, l.what.key, describeNode(root))
			ok = false
			continue
		}
		x := e.node(root, "")
		l.values += e.count
		if e.full {
			return false
		}
		if x != nil && x.Kind == yaml.MappingNode {
			x.Tag = "!!map"
			f.docs = append(f.docs, x)
		}
	}
	return ok
}

var (
	yamlMark = regexp.MustCompile(`(?:line (\d+)(?:, column (\d+))?|<unknown position>): `)
	// yamlOffset is how the reader names a place, in bytes.
	yamlOffset = regexp.MustCompile(`^offset (\d+): `)
	// parserMark tells the parser's messages from the scanner's: the parser
	// counts lines from 0, the scanner from 1.
	parserMark = regexp.MustCompile(`while parsing|did not find expected <`)
)

// syntaxHints are what most often is behind a message of the parser.
var syntaxHints = []struct{ message, hint string }{
	{"did not find expected key", "check the indentation, and that the quotes and brackets before are closed"},
	{"did not find expected '-' indicator", `check the indentation: items of a list begin with "- ", and their keys stand in one column`},
	{"could not find expected ':'", "check the indentation, and that the line before is no text of its own"},
	{"mapping values are not allowed", `text that holds ": " needs quotes`},
	{"tab character", "YAML is indented with spaces"},
	{"cannot start any token", `YAML is indented with spaces, not tabs; text that starts with @ or a backtick needs quotes`},
	{"unexpected end of stream", "a quote is not closed"},
	{"unknown escape character", "a backslash needs to be doubled, or write the text in single quotes"},
}

// yamlProblem cuts the parser's message into the place and what is wrong there.
func yamlProblem(err error, file string, content []byte) (at diag.Pos, message, hint string) {
	at = diag.Pos{File: file}
	text := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
	message = text
	if m := yamlOffset.FindStringSubmatch(text); m != nil {
		offset, _ := strconv.Atoi(m[1])
		at.Line = 1 + bytes.Count(content[:min(offset, len(content))], []byte("\n"))
		at.Column = 1
		return at, "the file is not text: " + strings.TrimPrefix(text, m[0]), "save it as UTF-8"
	}
	if marks := yamlMark.FindAllStringSubmatch(text, -1); marks != nil {
		last := marks[len(marks)-1]
		at.Line, _ = strconv.Atoi(last[1])
		at.Column, _ = strconv.Atoi(last[2])
		at.Column = max(at.Column, 1)
		if parserMark.MatchString(text) {
			at.Line++
		}
		message = text[strings.LastIndex(text, last[0])+len(last[0]):]
	}
	for _, h := range syntaxHints {
		if strings.Contains(message, h.message) {
			hint = h.hint
		}
	}
	return at, message, hint
}

func cloneNode(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = cloneNode(child)
	}
	return &c
}

// all lists s and what it includes, those included first.
func (s *source) all() []*source {
	var list []*source
	for _, included := range s.includes {
		list = append(list, included.all()...)
	}
	return append(list, s)
}

// pos returns where a node of the file stands.
func (s *source) pos(n *yaml.Node) diag.Pos {
	return diag.Pos{File: s.name, Line: n.Line, Column: n.Column}
}

// service returns the node of a service in the file itself or in what it includes,
// and the source that holds it.
func (s *source) service(name string) (*yaml.Node, *source) {
	for i := len(s.docs) - 1; i >= 0; i-- {
		if n := diag.Entry(diag.Entry(s.docs[i], "services"), name); n != nil {
			return n, s
		}
	}
	for i := len(s.includes) - 1; i >= 0; i-- {
		if n, in := s.includes[i].service(name); n != nil {
			return n, in
		}
	}
	return nil, nil
}

// serviceNames lists the services of the file and of what it includes.
func (s *source) serviceNames() []string {
	var names []string
	for _, in := range s.all() {
		for _, doc := range in.docs {
			for k := range diag.Entries(diag.Entry(doc, "services")) {
				names = append(names, k.Value)
			}
		}
	}
	return names
}
