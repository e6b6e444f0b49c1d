package load

import (
	"context"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// Merge makes one compose file of several, with all they include and extend, in
// compose-go's canonical form. Variables stay as they are written, as do the names of
// secrets and of environment variables that the process is to hand over: nothing of
// Options but Files, WorkingDir and Root is used. Paths are relative to the project
// directory. The text is nil where there are errors.
func Merge(ctx context.Context, opts Options) ([]byte, diag.Diagnostics) {
	l := newLoading(opts)
	l.verbatim = true
	var cancel context.CancelFunc
	l.ctx, cancel = context.WithTimeout(ctx, maxTime)
	defer cancel()
	defer silence()()
	model := l.merge(opts)
	if model == nil || l.found.HasErrors() {
		return nil, l.found
	}
	text, err := yaml.Marshal(model)
	if err != nil {
		l.errorAt(diag.Pos{}, "", "compose-internal", "", "%s", err)
		return nil, l.found
	}
	return text, l.found
}

func (l *loading) merge(opts Options) any {
	if !l.openMain(opts) {
		return nil
	}
	defer os.RemoveAll(l.temp) //nolint:errcheck // a left-over temporary folder harms nobody
	for _, s := range l.main {
		l.prepare(s, types.Mapping{})
	}
	for _, s := range l.main {
		l.extend(s)
	}
	l.onlyExtended()
	l.mergeExtensions()
	l.checkSchema()
	if l.unread || len(l.main) == 0 || l.found.HasErrors() || !l.countServices() {
		return nil
	}
	l.index = l.buildIndex()
	if err := l.writeCopies(); err != nil {
		l.errorAt(diag.Pos{}, "", "compose-internal", "", "%s", l.cleanText(err.Error()))
		return nil
	}
	model, err := l.model()
	if err != nil {
		p := l.explain(err)
		l.add(diag.Error, l.index.Pos(p.path), p.path, p.code, p.hint, p.message)
		return nil
	}
	return l.relative(model)
}

// holdsVariable reports whether a text is known only when its variables are.
func (l *loading) holdsVariable(n *yaml.Node) bool {
	return l.verbatim && strings.Contains(n.Value, "$")
}

// model runs compose-go without its types.
func (l *loading) model() (model map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			model, err = nil, panicError{r}
		}
	}()
	details, err := l.details(types.Mapping{})
	if err != nil {
		return nil, err
	}
	return loader.LoadModelWithContext(l.ctx, details, l.setLoader("merged"), func(o *loader.Options) {
		o.SkipNormalization, o.SkipDefaultValues = true, true
	})
}

// relative takes the project directory out of the paths below it, into which
// compose-go has put it.
func (l *loading) relative(v any) any {
	switch v := v.(type) {
	case string:
		if v == l.dir {
			return "."
		}
		if below, ok := strings.CutPrefix(v, l.dir+string(os.PathSeparator)); ok {
			return "./" + below
		}
	case map[string]any:
		for key, value := range v {
			v[key] = l.relative(value)
		}
	case []any:
		for i, item := range v {
			v[i] = l.relative(item)
		}
	}
	return v
}
