package imageupdate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"composecdk/compose"
	"composecdk/compose/diag"
	"composecdk/compose/load"
)

// maxFile is the maximum size of a compose file, the same as for loading.
const maxFile = 1 << 20

// Refusal is the error for a file that cannot be edited: it tells the place and the reason.
type Refusal compose.Diagnostic

// Error returns the diagnostic in one line.
func (r *Refusal) Error() string { return compose.Diagnostic(*r).String() }

// SetImage sets the image of a service in a compose file. It changes only the value of
// services.<service>.image and keeps every other byte; a service without an image gets the
// key, before its others. It reads the result again: if anything but this value differs, it
// returns an error instead.
//
// Of several documents in a file the last one counts, as when they are loaded. Errors are a
// *Refusal and use file as the name.
func SetImage(file string, text []byte, service string, image Image) ([]byte, error) {
	e := &editor{file: file, text: text, service: service, image: image.String()}
	if len(text) > maxFile || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, e.refuse(nil, "file-form", "", "a compose file is text in UTF-8 of at most %d KiB", maxFile>>10)
	}
	docs, err := documents(text)
	if err != nil {
		at, message, hint := load.SyntaxProblem(err, file, text)
		return nil, &Refusal{Pos: at, Code: "yaml-syntax", Message: message, Hint: hint}
	}
	e.lines = lineStarts(text)
	if err := e.find(docs); err != nil {
		return nil, err
	}
	changed, err := e.edit()
	if err != nil {
		return nil, err
	}
	again, err := documents(changed)
	if err != nil || !slices.EqualFunc(docs, again, same) {
		return nil, e.refuse(e.name, "edit-unsafe", "write the service in another way", "the image cannot be set without changing something else")
	}
	return changed, nil
}

// documents returns the documents of a YAML file.
func documents(text []byte) ([]*yaml.Node, error) {
	var docs []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		doc := new(yaml.Node)
		err := decoder.Decode(doc)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
}

// same reports whether two values are written alike, apart from comments and positions.
func same(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Style == b.Style && a.Tag == b.Tag && a.Value == b.Value && a.Anchor == b.Anchor &&
		slices.EqualFunc(a.Content, b.Content, same)
}

// editor makes one edit.
type editor struct {
	file           string
	text           []byte
	lines          []int // the offset of each line
	service, image string

	// path holds the nodes from the document to the mapping of the service.
	path []*yaml.Node
	// name is the key of the service; key and value are its image, nil if there is none.
	name, key, value *yaml.Node
}

func (e *editor) refuse(at *yaml.Node, code, hint, format string, args ...any) error {
	pos := compose.Pos{File: e.file}
	if at != nil {
		pos.Line, pos.Column = at.Line, at.Column
	}
	return &Refusal{Pos: pos, Path: compose.At("services", e.service), Code: code, Hint: hint, Message: fmt.Sprintf(format, args...)}
}

// find finds the service in the last document that gives it an image, else in the
// last one that has it.
func (e *editor) find(docs []*yaml.Node) error {
	var names []string
	for _, doc := range slices.Backward(docs) {
		if len(doc.Content) == 0 {
			continue
		}
		root := doc.Content[0]
		_, services, err := e.entry(root, "services")
		if err != nil {
			return err
		}
		if services == nil || services.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i < len(services.Content); i += 2 {
			names = append(names, services.Content[i].Value)
		}
		name, service, err := e.entry(services, e.service)
		if err != nil {
			return err
		}
		if service == nil {
			continue
		}
		key, value, err := e.entry(service, "image")
		if err != nil {
			return err
		}
		if e.path == nil || e.key == nil && key != nil {
			e.path, e.name, e.key, e.value = []*yaml.Node{doc, root, services, service}, name, key, value
		}
	}
	if e.path == nil {
		return e.missing(names)
	}
	return nil
}

func (e *editor) missing(names []string) error {
	hint := ""
	if near := diag.Nearest(e.service, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return e.refuse(nil, "service-missing", hint, "there is no service %q in the file", e.service)
}

// entry returns a key of a mapping and its value. A repeated key is an error.
func (e *editor) entry(n *yaml.Node, name string) (key, value *yaml.Node, err error) {
	if n.Kind != yaml.MappingNode {
		return nil, nil, nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value != name || n.Content[i].Kind != yaml.ScalarNode {
			continue
		}
		if key != nil {
			return nil, nil, e.refuse(n.Content[i], "key-twice", "", "%q is written twice", name)
		}
		key, value = n.Content[i], n.Content[i+1]
	}
	return key, value, nil
}

// edit changes the text, and the nodes in the same way.
func (e *editor) edit() ([]byte, error) {
	service := e.path[len(e.path)-1]
	if service.Kind != yaml.MappingNode {
		what, hint := "no mapping", ""
		if service.Kind == yaml.AliasNode {
			what, hint = "an alias", fmt.Sprintf("write it as {<<: *%s, image: …}", service.Value)
		}
		return nil, e.refuse(e.name, "service-form", hint, "the service is %s that an image could be set in", what)
	}
	if err := e.unshared(); err != nil {
		return nil, err
	}
	if e.key == nil {
		return e.insert(service)
	}
	return e.replace()
}

// unshared refuses to change an image that an alias repeats elsewhere.
func (e *editor) unshared() error {
	anchored := slices.Clone(e.path)
	if e.value != nil {
		anchored = append(anchored, e.value)
	}
	var found error
	var walk func(n, within *yaml.Node)
	walk = func(n, within *yaml.Node) {
		if n.Kind == yaml.AliasNode && n != e.value && slices.Contains(anchored, n.Alias) && !e.overrides(n, within) {
			found = e.refuse(n, "image-shared", "give each an image of its own", "the alias *%s repeats the image of %q here, which would change with it", n.Value, e.service)
		}
		for i, child := range n.Content {
			if found == nil {
				if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Tag == "!!merge" {
					walk(child, n)
				} else {
					walk(child, nil)
				}
			}
		}
	}
	walk(e.path[0], nil)
	return found
}

// overrides reports whether a mapping merges the service and sets an image of its own.
func (e *editor) overrides(alias, mapping *yaml.Node) bool {
	if mapping == nil || alias.Alias != e.path[len(e.path)-1] {
		return false
	}
	key, _, err := e.entry(mapping, "image")
	return key != nil && err == nil
}

// replace replaces the value by the image.
func (e *editor) replace() ([]byte, error) {
	v := e.value
	if v.Kind != yaml.ScalarNode && v.Kind != yaml.AliasNode || v.Style&yaml.TaggedStyle != 0 && v.Tag != "!!str" {
		return nil, e.refuse(v, "image-form", "", "the image is no plain text")
	}
	if v.Value == "" && v.Style&^yaml.TaggedStyle == 0 {
		at, ok := e.afterColon()
		if !ok || v.Anchor != "" || v.Style != 0 {
			return nil, e.refuse(e.key, "image-form", "write image: and the image on one line", "the image is empty")
		}
		v.Tag, v.Value = "!!str", e.image
		return e.splice(at, at, " "+e.image), nil
	}
	start, end, ok := e.span(v)
	if !ok {
		return nil, e.refuse(v, "image-form", "write it on one line", "the image is written over several lines")
	}
	quote := ""
	switch {
	case v.Style&yaml.DoubleQuotedStyle != 0:
		quote = `"`
	case v.Style&yaml.SingleQuotedStyle != 0:
		quote = `'`
	}
	*v = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: e.image, Style: v.Style, Anchor: v.Anchor}
	return e.splice(start, end, quote+e.image+quote), nil
}

// insert adds the key to the service, before the other keys and their comments.
func (e *editor) insert(service *yaml.Node) ([]byte, error) {
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "image"}
	value := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: e.image}
	var at int
	var entry string
	if service.Style&yaml.FlowStyle != 0 {
		quote, comma := "", ", "
		if len(service.Content) == 0 {
			comma = ""
		} else if service.Content[0].Style&yaml.DoubleQuotedStyle != 0 { // JSON
			quote, key.Style, value.Style = `"`, yaml.DoubleQuotedStyle, yaml.DoubleQuotedStyle
		}
		at = e.afterProperties(e.offset(service)) + len("{")
		entry = quote + "image" + quote + ": " + quote + e.image + quote + comma
	} else {
		first := service.Content[0]
		line := first.Line - 1
		indent := string(e.text[e.lines[line]:e.offset(first)])
		if strings.Trim(indent, " ") != "" {
			return nil, e.refuse(first, "service-form", "write its keys on lines of their own", "the service has no image, and no place for one")
		}
		for e.isComment(line - 1) {
			line--
		}
		at = e.lines[line]
		entry = indent + "image: " + e.image + e.lineBreak(line-1)
	}
	service.Content = slices.Insert(service.Content, 0, key, value)
	return e.splice(at, at, entry), nil
}

// isComment reports whether a line holds only a comment.
func (e *editor) isComment(line int) bool {
	return bytes.HasPrefix(bytes.TrimLeft(e.text[e.lines[line]:], " \t"), []byte("#"))
}

// lineBreak returns the line break of a line that is not the last one.
func (e *editor) lineBreak(line int) string {
	end := e.lines[line+1]
	for _, b := range breaks {
		if bytes.HasSuffix(e.text[:end], []byte(b)) {
			return b
		}
	}
	return ""
}

func (e *editor) splice(start, end int, text string) []byte {
	return slices.Concat(e.text[:start], []byte(text), e.text[end:])
}

// span returns the range of a scalar or an alias in the text, without its anchor and tag; ok
// is false if it takes more than one line.
func (e *editor) span(n *yaml.Node) (start, end int, ok bool) {
	start = e.offset(n)
	if n.Kind == yaml.AliasNode {
		return start, start + len("*"+n.Value), true
	}
	start = e.afterProperties(start)
	rest := e.text[start:]
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return start, start, false
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		length := quoted(rest)
		return start, start + length, length > 0
	default:
		return start, start + len(n.Value), bytes.HasPrefix(rest, []byte(n.Value))
	}
}

// quoted returns the length of the quoted scalar at the beginning of a text, 0 if it does
// not end on the line.
func quoted(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case breakAt(text[i:]) != "":
			return 0
		case c == '\\' && text[0] == '"':
			i++
		case text[0] == '\'' && c == '\'' && bytes.HasPrefix(text[i:], []byte("''")):
			i++
		case c == text[0]:
			return i + 1
		}
	}
	return 0
}

// afterProperties returns the offset after the anchor and the tag of a value.
func (e *editor) afterProperties(at int) int {
	for at < len(e.text) && (e.text[at] == '&' || e.text[at] == '!') {
		rest := e.text[at:]
		end := bytes.IndexAny(rest, " \t\r\n")
		if end < 0 {
			return at
		}
		at += end + len(rest[end:]) - len(bytes.TrimLeft(rest[end:], " \t"))
	}
	return at
}

// afterColon returns the offset after the colon of the image's key.
func (e *editor) afterColon() (int, bool) {
	_, end, ok := e.span(e.key)
	if !ok {
		return 0, false
	}
	rest := e.text[end:]
	colon := len(rest) - len(bytes.TrimLeft(rest, " \t"))
	return end + colon + 1, colon < len(rest) && rest[colon] == ':'
}

// offset returns the offset of a node in the text. The YAML reader counts columns in
// characters.
func (e *editor) offset(n *yaml.Node) int {
	at := e.lines[n.Line-1]
	for column := 1; column < n.Column && at < len(e.text); column++ {
		_, size := utf8.DecodeRune(e.text[at:])
		at += size
	}
	return at
}

// breaks lists the line breaks of YAML 1.1, which the reader follows.
var breaks = []string{"\r\n", "\r", "\n", "\u0085", "\u2028", "\u2029"}

// breakAt returns the line break at the beginning of a text, or "".
func breakAt(text []byte) string {
	for _, b := range breaks {
		if bytes.HasPrefix(text, []byte(b)) {
			return b
		}
	}
	return ""
}

// lineStarts returns the offsets of all lines. The first line begins after the byte order
// mark, which has no column.
func lineStarts(text []byte) []int {
	at := len(text) - len(bytes.TrimPrefix(text, []byte("\uFEFF")))
	starts := []int{at}
	for at < len(text) {
		if b := breakAt(text[at:]); b != "" {
			at += len(b)
			starts = append(starts, at)
		} else {
			at++
		}
	}
	return starts
}
