package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// Project is a loaded file set: what compose-go made of it, and where everything
// was written.
type Project struct {
	// Project is the typed model; x-* sections are in Extensions, also per
	// service, as plain maps, lists and scalars.
	*types.Project
	// Settings come from the entries of `configs` in which old files keep them.
	Settings Settings

	Report *diag.Reporter
	index  *diag.Index
	Folder diag.Folder
	// dockerfiles caches the Dockerfiles that were read, by path.
	dockerfiles map[string]dockerfile
	// Untrusted says that the files may be written by somebody else than the user.
	Untrusted bool
	// Unmapped lists the attributes of the files that the model may have no place for.
	Unmapped []loader.UnsupportedAttribute
}

// Pos returns where the value of a path was written: a scalar's own place, the key of
// a mapping or list. The last file that sets the path wins, and an unknown path
// answers with its nearest known ancestor.
func (p *Project) Pos(path diag.Path) diag.Pos { return p.index.Pos(path) }

// KeyPos returns where the key of a path was written.
func (p *Project) KeyPos(path diag.Path) diag.Pos { return p.index.KeyPos(path) }

// Files reads the compose files with everything they include and extend. The
// diagnostics are all that was found so far, in no promised order; Resolve
// continues the same list. The project is nil only where no file could be read
// as a compose file; a project that comes with errors lacks what they are about.
func Files(ctx context.Context, opts Options) (*Project, diag.Diagnostics) {
	l := newLoading(opts)
	var cancel context.CancelFunc
	l.ctx, cancel = context.WithTimeout(ctx, maxTime)
	defer cancel()
	defer silence()()
	p := l.load(opts)
	if p == nil {
		return nil, l.found
	}
	p.Report.Found = l.found
	return p, l.found
}

func newLoading(opts Options) *loading {
	return &loading{
		what: composeFile, untrusted: opts.Untrusted, said: map[diag.Diagnostic]bool{}, files: map[string]*file{}, bases: map[baseKey]*source{},
		services: map[serviceKey]bool{}, adoptedFrom: map[*yaml.Node]*source{}, given: map[string]bool{}, inherits: map[serviceKey]int{},
	}
}

// fileKind says what is read: the words for it, a key that it has, and whether ids
// that are written as numbers stay numbers.
type fileKind struct {
	file, key string
	numbers   bool
}

var composeFile = fileKind{file: "a compose file", key: "services"}

// loading is the state of one Load.
type loading struct {
	ctx      context.Context
	what     fileKind
	found    diag.Diagnostics
	said     map[diag.Diagnostic]bool // what was found, without the paths
	dir      string                   // project directory, absolute
	folder   diag.Folder              // the project's folder, outside of which nothing is read
	given    map[string]bool          // the files that the user of the program named
	files    map[string]*file         // by absolute path
	unread   bool                     // a file could not be read at all
	main     []*source
	bases    map[baseKey]*source
	services map[serviceKey]bool // whose extends was followed
	settings Settings
	// inherits counts what each service takes from others, inherited all of it.
	inherits  map[serviceKey]int
	inherited int
	lifted    []extracted
	pruned    []diag.Path // what was found wrong and cut out
	index     *diag.Index

	// adoptedFrom tells which included file a node of an x-* section is from.
	adoptedFrom map[*yaml.Node]*source
	order       []*source // the files that services extend, as they were opened
	untrusted   bool      // the files may be written by somebody else
	verbatim    bool      // variables stay as they are written
	withheld    withheld  // variables of the process that the files must not use
	uses        int       // how often files were opened
	bytes, text int       // how much was read, and how much variables brought
	values      int       // how many values the files have with their aliases
	timedOut    bool      // already reported
	temp        string    // folder of the prepared copies
	copied      int
	unmapped    []loader.UnsupportedAttribute
}

func (l *loading) load(opts Options) *Project {
	if !l.openMain(opts) {
		return nil
	}
	defer os.RemoveAll(l.temp) //nolint:errcheck // a left-over temporary folder harms nobody
	env := l.environment(l.dir, opts)
	name := l.projectName(opts.ProjectName, l.dir, l.main, env)
	env[consts.ComposeProjectName] = name
	for _, s := range l.main {
		l.prepare(s, env)
	}
	for _, s := range l.main {
		l.extend(s)
	}
	l.onlyExtended()
	l.liftSettings()
	l.mergeExtensions()
	l.setSections(opts.Sections)
	l.checkArguments()
	l.checkSchema()
	if l.unread || !l.countServices() {
		return nil
	}
	project := l.compose(name, env, profiles(opts.Profiles, env))
	if project == nil {
		return nil
	}
	l.resolveEnvironment(project)
	p := &Project{Project: project, Settings: l.settings, index: l.index, Report: &diag.Reporter{Positions: l.index}, Folder: l.folder, dockerfiles: map[string]dockerfile{}, Untrusted: l.untrusted, Unmapped: l.unmapped}
	l.checkConsistency(p.Project)
	return p
}

// openMain finds the folders, opens the files that were named, and reports whether that
// cannot be. The folder of prepared copies is for the caller to remove.
func (l *loading) openMain(opts Options) bool {
	dir, err := opts.Directory()
	if err != nil {
		l.errorAt(diag.Pos{}, "", "working-dir", "", "the project directory cannot be found: %s", err)
		return false
	}
	l.dir = dir
	l.folder, err = diag.ProjectFolder(opts.Root, dir)
	if err != nil {
		l.errorAt(diag.Pos{}, "", "working-dir", "", "the project's folder cannot be found: %s", err)
		return false
	}
	if len(opts.Files) == 0 {
		l.errorAt(diag.Pos{File: l.display(dir)}, "", "file-missing", "", "no compose file was named, and the folder holds none")
		return false
	}
	l.temp, err = os.MkdirTemp("", "composecdk-")
	if err != nil {
		l.errorAt(diag.Pos{}, "", "working-dir", "", "a temporary folder cannot be made: %s", err)
		return false
	}
	for _, name := range opts.Files {
		path := absolute(name, dir)
		if opts.WorkingDir == "" {
			path, _ = filepath.Abs(name)
		}
		l.given[path] = true
		if s := l.open(path, dir, nil, diag.Pos{File: l.display(path)}, ""); s != nil {
			l.main = append(l.main, s)
		}
	}
	return true
}

// profiles returns Options.Profiles, or COMPOSE_PROFILES if empty.
func profiles(active []string, env types.Mapping) []string {
	if len(active) == 0 && env[consts.ComposeProfiles] != "" {
		return strings.Split(env[consts.ComposeProfiles], ",")
	}
	return active
}

func absolute(path, dir string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// display returns a file's name as a person would type it: relative to the current
// folder when it lies below.
func (l *loading) display(path string) string {
	current, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(current, path)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return path
	}
	return relative
}

func (l *loading) errorAt(at diag.Pos, path diag.Path, code, hint, format string, args ...any) {
	l.add(diag.Error, at, path, code, hint, fmt.Sprintf(format, args...))
}

func (l *loading) warnAt(at diag.Pos, path diag.Path, code, hint, format string, args ...any) {
	l.add(diag.Warning, at, path, code, hint, fmt.Sprintf(format, args...))
}

func (l *loading) add(severity diag.Severity, at diag.Pos, path diag.Path, code, hint, message string) {
	if at.Line > 0 {
		// an anchor's text stands in many places of the model, but a reader
		// corrects it once
		said := diag.Diagnostic{Pos: at, Code: code, Message: message}
		if l.said[said] {
			return
		}
		l.said[said] = true
	}
	l.found = append(l.found, diag.Diagnostic{
		Pos: at, Path: path, Severity: severity, Code: code, Hint: hint, Message: message,
	})
}
