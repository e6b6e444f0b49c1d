package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// Document is a YAML or JSON file beside the compose files, with those that it
// names. It is read with the same care: nothing outside of its project's folder,
// nothing that is too large, and everything keeps the place where it was written.
type Document struct {
	// Root is the file's mapping, with aliases and merge keys written out; nil where
	// it could not be read. It may be changed until Index.
	Root *yaml.Node
	// Name is the file as a person would type it, Dir its folder, absolute.
	Name, Dir string

	l     *loading
	main  *source
	model any
	r     *diag.Reporter
}

// DocumentOptions say which file to read.
type DocumentOptions struct {
	File string
	// Root is the folder outside of which nothing is read. Empty means that the user
	// of the program named the file: it may lie anywhere, and what it names, in the
	// git working tree around it, else in its own folder.
	Root string
	// What is the word for such files, Key one that they have.
	What, Key string
}

// OpenDocument reads a file.
func OpenDocument(opts DocumentOptions) *Document {
	d := &Document{l: &loading{
		ctx: context.Background(), what: fileKind{file: opts.What, key: opts.Key, numbers: true}, said: map[diag.Diagnostic]bool{},
		given: map[string]bool{}, adoptedFrom: map[*yaml.Node]*source{},
	}}
	path, err := filepath.Abs(opts.File)
	if err == nil {
		d.Dir = filepath.Dir(path)
		d.l.folder, err = diag.ProjectFolder(opts.Root, d.Dir)
	}
	if err != nil {
		d.l.errorAt(diag.Pos{File: opts.File}, "", "working-dir", "", "the folder of the file cannot be found: %s", err)
		return d
	}
	d.Name = d.l.display(path)
	d.l.given[path] = opts.Root == ""
	d.main = &source{file: &file{path: path, name: d.Name}}
	d.Root = d.open(d.main, diag.Pos{File: d.Name}, "")
	d.l.index = &diag.Index{Places: map[diag.Path]diag.Place{}, Main: diag.Pos{File: d.Name}}
	d.r = &diag.Reporter{Positions: d.l.index}
	return d
}

// open reads the one document of a file.
func (d *Document) open(s *source, at diag.Pos, in diag.Path) *yaml.Node {
	if d.l.values > maxValues {
		d.l.errorAt(at, in, "limit-files", "", "all files together have more than %d values", maxValues)
		return nil
	}
	content, err := d.l.read(s.path)
	if err != nil {
		d.unreadable(at, in, "the file "+s.name, err)
		return nil
	}
	if !d.l.parse(s.file, content) {
		return nil
	}
	switch len(s.file.docs) {
	case 0:
		d.l.errorAt(diag.Pos{File: s.name}, "", "file-empty", "", "the file is empty")
		return nil
	case 1:
		return s.file.docs[0]
	}
	d.l.errorAt(s.pos(s.file.docs[1]), "", "yaml-documents", "", "%s is one YAML document: a second one begins above this line", d.l.what.file)
	return nil
}

// unreadable reports a file at the place that names it.
func (d *Document) unreadable(at diag.Pos, in diag.Path, name string, err error) {
	code, problem, hint := FileFault(err)
	if errors.Is(err, diag.ErrOutside) {
		hint = "copy it into the repository"
	}
	d.l.errorAt(at, in, code, hint, "%s %s", name, problem)
}

// maxIncluded is how many files a document may name, maxValues how many values all of
// them may have with their aliases written out.
const (
	maxIncluded = 1000
	maxValues   = 10 * maxNodes
)

// Include reads the files that a scalar of the document names by a path or a
// pattern, relative to the folder of the document, sorted by name; their entries
// keep their places. Each is a mapping; one that is not, or cannot be read, is
// reported and left out.
func (d *Document) Include(pattern *yaml.Node, in diag.Path) []*yaml.Node {
	at := d.Place(pattern)
	files, err := d.glob(pattern.Value)
	switch {
	case err != nil:
		d.unreadable(at, in, "the path "+diag.Shorten(pattern.Value), err)
		return nil
	case len(files) == 0:
		d.l.errorAt(at, in, "file-missing", "", "no file matches %s", diag.Shorten(pattern.Value))
		return nil
	}
	var roots []*yaml.Node
	for _, path := range files {
		if d.l.uses++; d.l.uses > maxIncluded {
			d.l.errorAt(at, in, "limit-files", "", "at most %d files are included", maxIncluded)
			return roots
		}
		s := &source{file: &file{path: path, name: d.l.display(path)}}
		if root := d.open(s, at, in); root != nil {
			d.l.adopted(s, root)
			roots = append(roots, root)
		}
	}
	return roots
}

// glob lists the files of a pattern, absolute and sorted. A path without any
// pattern stands for itself.
func (d *Document) glob(pattern string) ([]string, error) {
	path := absolute(pattern, d.Dir)
	if !strings.ContainsAny(pattern, `*?[\`) {
		return []string{path}, nil
	}
	return d.l.folder.Glob(path)
}

// Place returns where a node was written.
func (d *Document) Place(n *yaml.Node) diag.Pos { return d.l.place(d.main, n) }

// ReportAt adds a problem at a place, for use before Index.
func (d *Document) ReportAt(at diag.Pos, path diag.Path, severity diag.Severity, code, hint, message string) {
	d.l.add(severity, at, path, code, hint, message)
}

// Validate holds the document against a schema; what fails is reported and cut out.
func (d *Document) Validate(schema *DocumentSchema) {
	d.l.checkDocument(&schema.dialect, d.main, d.Root)
}

// Cut reports whether something at or below a path failed and was cut out.
func (d *Document) Cut(path diag.Path) bool { return d.l.prunedBelow(path) }

// Index ends the changes of Root: from now on paths have their places.
func (d *Document) Index() {
	x := diag.Layer{Index: d.l.index, Pos: d.Place}
	for k, v := range diag.Entries(d.Root) {
		x.Put(diag.Path(k.Value), k, v)
	}
	d.model = plain(d.Root)
}

// Decode reports whether the document fits out, a pointer to a struct, which it fills.
// Every key and value that does not fit is reported; unknown keys that start with x- are
// ignored.
func (d *Document) Decode(out any) bool {
	return (&diag.Decoder{R: d.r, Fits: true, Extensible: true}).Document(d.model, out)
}

// DecodeFile fills out like Decode and reports whether it fits, with another file that the value at a path names.
func (d *Document) DecodeFile(path diag.Path, name string, out any) bool {
	s := &source{file: &file{path: absolute(name, d.Dir)}}
	s.name = d.l.display(s.path)
	root := d.open(s, d.Pos(path), path)
	if root == nil {
		return false
	}
	r := &diag.Reporter{Positions: newIndex(s, root)}
	fits := (&diag.Decoder{R: r, Fits: true, Extensible: true}).Document(plain(root), out)
	d.l.found = append(d.l.found, r.Found...)
	return fits
}

// newIndex knows where everything in a file is written.
func newIndex(s *source, root *yaml.Node) *diag.Index {
	x := diag.Layer{Index: &diag.Index{Places: map[diag.Path]diag.Place{}, Main: diag.Pos{File: s.name}}, Pos: s.pos}
	for k, v := range diag.Entries(root) {
		x.Put(diag.Path(k.Value), k, v)
	}
	return x.Index
}

// Report adds a problem at the place of a path; at its key where the code is one of
// keys.
func (d *Document) Report(severity diag.Severity, path diag.Path, code, hint, format string, args ...any) {
	d.r.Add(severity, path, code, hint, fmt.Sprintf(format, args...))
}

// Unknown reports a name that is not one of allowed, with the nearest one.
func (d *Document) Unknown(path diag.Path, code, what, got string, allowed []string) {
	d.r.Unknown(path, code, what, got, allowed)
}

// Pos returns where the value of a path was written.
func (d *Document) Pos(path diag.Path) diag.Pos { return d.l.index.Pos(path) }

// Found returns all that was reported, sorted. A text that counts in many places of the
// document is reported once.
func (d *Document) Found() diag.Diagnostics {
	found := d.l.found
	if d.r != nil {
		found = slices.Concat(found, d.r.Found)
	}
	said := map[diag.Diagnostic]bool{}
	return slices.DeleteFunc(found.Sort(), func(f diag.Diagnostic) bool {
		f.Path = ""
		if f.Pos.Line == 0 {
			return false
		}
		twice := said[f]
		said[f] = true
		return twice
	})
}
