package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// maxAttempts bounds how often the files are loaded again without what the last
// attempt refused.
const maxAttempts = 200

// compose hands the prepared files to compose-go. It stops at the first problem,
// so each one is reported, cut out, and the rest loaded again.
func (l *loading) compose(name string, env types.Mapping, profiles []string) *types.Project {
	seen := map[diag.Path]bool{}
	l.index = l.buildIndex()
	for range maxAttempts {
		if l.late(l.index.Main) {
			return nil
		}
		if err := l.writeCopies(); err != nil {
			l.errorAt(diag.Pos{}, "", "compose-internal", "", "%s", l.cleanText(err.Error()))
			return nil
		}
		project, err := l.attempt(name, env, profiles)
		if err == nil {
			return project
		}
		problem := l.explain(err)
		if problem.follows {
			if !l.cut(problem.path) {
				return nil
			}
			l.index = l.buildIndex()
			continue
		}
		if problem.path != "" && seen[problem.path] {
			return nil
		}
		seen[problem.path] = true
		if !l.prunedBelow(problem.path) && (problem.code != "file-empty" || !l.found.HasErrors()) {
			at := l.index.Pos(problem.path)
			if at.File != "" && at.Line == 0 {
				at.Line, at.Column = 1, 1
			}
			l.add(diag.Error, at, problem.path, problem.code, problem.hint, problem.message)
		}
		if problem.path == "" || !l.cut(problem.path) {
			return nil
		}
		l.index = l.buildIndex()
	}
	return nil
}

// attempt runs compose-go once. compose-go asserts types without checking them
// in places, so a file it did not foresee can make it panic; that is an input
// error like any other, and this is the only recover of the package.
func (l *loading) attempt(name string, env types.Mapping, profiles []string) (p *types.Project, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, panicError{r}
		}
	}()
	details, err := l.details(env)
	if err != nil {
		return nil, err
	}
	return loader.LoadWithContext(l.ctx, details, l.setLoader(name), func(o *loader.Options) {
		o.Profiles = profiles
		o.SkipConsistencyCheck = true
		o.SkipResolveEnvironment = true
		o.SkipResolveLabels = true
		supportedAttributes(func(found []loader.UnsupportedAttribute) { l.unmapped = found })(o)
	})
}

// details returns the prepared files for compose-go.
func (l *loading) details(env types.Mapping) (types.ConfigDetails, error) {
	details := types.ConfigDetails{WorkingDir: l.dir, Environment: env.Clone()}
	for _, s := range l.main {
		content, err := encode(s.docs)
		if err != nil {
			return details, err
		}
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: s.path, Content: content})
	}
	return details, nil
}

// setLoader keeps compose-go to the prepared files.
func (l *loading) setLoader(name string) func(*loader.Options) {
	return func(o *loader.Options) {
		o.SetProjectName(name, true)
		o.SkipInterpolation = true // done, with the place of each variable
		o.ResourceLoaders = append([]loader.ResourceLoader{preparedFiles{l}}, o.ResourceLoaders...)
	}
}

// panicError is what compose-go panicked with.
type panicError struct{ value any }

func (e panicError) Error() string {
	return fmt.Sprintf("compose-go cannot read the file: %v", e.value)
}

// preparedFiles makes compose-go read the prepared copies, and resolve relative
// paths in them from where the originals lie.
type preparedFiles struct{ l *loading }

var _ loader.ResourceLoader = preparedFiles{}

// Accept reports whether it takes a path: it takes every one, so that compose-go opens no other file.
func (p preparedFiles) Accept(string) bool { return true }

// Load returns the path itself, with nothing to fetch: the copy is a local file.
func (p preparedFiles) Load(_ context.Context, path string) (string, error) {
	if filepath.Dir(path) != p.l.temp {
		return "", fmt.Errorf("%s was not prepared", path)
	}
	return path, nil
}

// Dir returns the folder of the original.
func (p preparedFiles) Dir(path string) string {
	if s := p.l.copies(path); s != nil {
		return s.dir
	}
	return filepath.Dir(path)
}

// logging is held while the log is off: it is one for the whole program.
var logging sync.Mutex

// silence keeps compose-go's log lines out of the program's output, and returns
// what undoes it. What matters of them is a diagnostic.
func silence() func() {
	logging.Lock()
	before := logrus.StandardLogger().Out
	logrus.SetOutput(io.Discard)
	return func() {
		logrus.SetOutput(before)
		logging.Unlock()
	}
}

// copyPath returns a new name in the folder of prepared copies.
func (l *loading) copyPath() string {
	l.copied++
	return filepath.Join(l.temp, fmt.Sprintf("%d.yml", l.copied))
}

// writeCopies writes the included and extended files as they are now.
func (l *loading) writeCopies() error {
	for _, s := range slices.Concat(l.order, l.sources()) {
		if s.copy == "" {
			continue
		}
		content, err := encode(s.docs)
		if err != nil {
			return err
		}
		if err := os.WriteFile(s.copy, content, 0o600); err != nil {
			return fmt.Errorf("write a prepared copy: %w", err)
		}
	}
	return nil
}

// encode writes documents for compose-go.
func encode(docs []*yaml.Node) ([]byte, error) {
	if len(docs) == 0 {
		return []byte("{}\n"), nil // without content, compose-go would read the original
	}
	var out bytes.Buffer
	for _, doc := range docs {
		out.WriteString("---\n")
		text, err := yaml.Marshal(doc)
		if err != nil {
			return nil, fmt.Errorf("write the prepared file: %w", err)
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// cut removes the value at a path from every tree, and reports whether there was one.
func (l *loading) cut(path diag.Path) bool {
	l.prune(path)
	removed := false
	for _, s := range slices.Concat(l.order, l.sources()) {
		for _, doc := range s.docs {
			removed = cutNode(doc, "", path) || removed
		}
	}
	return removed
}

// cutNode removes the node at path, and reports whether there was one.
func cutNode(n *yaml.Node, at, path diag.Path) bool {
	removed := false
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(n.Content); {
		below := at.Index(i)
		if step == 2 {
			below = at.Key(n.Content[i].Value)
		}
		value := n.Content[i+step-1]
		switch {
		case below == path:
			n.Content = slices.Delete(n.Content, i, i+step)
			return true
		case strings.HasPrefix(string(path), string(below)) && strings.ContainsAny(string(path[len(below)]), ".["):
			removed = cutNode(value, below, path) || removed
		}
		i += step
	}
	return removed
}

// prune remembers that a path was cut out, so that nothing is reported of what
// follows from that.
func (l *loading) prune(path diag.Path) { l.pruned = append(l.pruned, path) }

// prunedBelow reports whether something at or below a path was cut out.
func (l *loading) prunedBelow(path diag.Path) bool {
	return slices.ContainsFunc(l.pruned, func(p diag.Path) bool {
		return p == path || strings.HasPrefix(string(p), string(path)+".") || strings.HasPrefix(string(p), string(path)+"[")
	})
}
