package load

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// environment returns what the files may refer to as ${NAME}: the process's
// variables, but for those that are withheld, over those of the .env file in the
// project directory.
func (l *loading) environment(dir string, opts Options) types.Mapping {
	env := types.Mapping{}
	l.withheld = withheld{}
	for name, value := range opts.Environ {
		if reason := opts.withholds(name, value); reason != "" {
			l.withheld[name] = reason
			continue
		}
		env[name] = value
	}
	file := filepath.Join(dir, ".env")
	if !l.hasVariables(file) {
		return env
	}
	env, ok := l.withVariables(env, diag.Pos{File: l.display(file)}, "", file)
	l.unread = l.unread || !ok
	return env
}

// hasVariables reports whether there is a file of variables that need not be there.
// One that cannot be looked at is, so that reading it tells what is wrong.
func (l *loading) hasVariables(file string) bool {
	if !l.folder.Holds(file) {
		return false
	}
	info, err := l.folder.Stat(file)
	return !errors.Is(err, fs.ErrNotExist) && (err != nil || !info.IsDir())
}

// withVariables returns env with the variables of a file underneath; false when the
// file cannot be used.
func (l *loading) withVariables(env types.Mapping, at diag.Pos, path diag.Path, file string) (types.Mapping, bool) {
	vars := types.Mapping{}
	ok := l.variables(variableFile{path: file, lookup: env.Resolve, at: at, in: path}, vars)
	return env.Clone().Merge(vars), ok
}

// projectName follows the order of docker compose: the option, the variable
// COMPOSE_PROJECT_NAME, the `name:` of the last file that has one, the folder.
func (l *loading) projectName(explicit, dir string, main []*source, env types.Mapping) string {
	if explicit == "" {
		explicit = env[consts.ComposeProjectName]
	}
	if explicit != "" {
		name := loader.NormalizeProjectName(explicit)
		if name != explicit {
			l.errorAt(diag.Pos{}, "", "project-name", projectNameHint(name),
				"%q is not a project name: it takes lowercase letters, digits, - and _, and starts with a letter or digit", explicit)
		}
		return name
	}
	written, at := "", diag.Pos{}
	for _, s := range main {
		for _, doc := range s.docs {
			if n := diag.Entry(doc, "name"); n != nil && n.Value != "" && n.Tag == "!!str" {
				written, at = substitute(n.Value, env, false).text, diag.Pos{File: s.name, Line: n.Line, Column: n.Column}
			}
		}
	}
	if name := loader.NormalizeProjectName(written); name != "" {
		if name != written {
			l.add(diag.Note, at, "name", "project-name", "", fmt.Sprintf("the project is called %q: a name takes lowercase letters, digits, - and _", name))
		}
		return name
	}
	if name := loader.NormalizeProjectName(filepath.Base(dir)); name != "" {
		return name
	}
	return "default"
}

func projectNameHint(name string) string {
	if strings.TrimSpace(name) == "" {
		return ""
	}
	return `write "` + name + `"`
}
