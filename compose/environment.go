package compose

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/consts"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// environment is what the files may refer to as ${NAME}: the process's
// variables over those of the .env file in the project directory.
func (l *loading) environment(dir string, environ map[string]string) types.Mapping {
	env := types.Mapping(maps.Clone(environ))
	if env == nil {
		env = types.Mapping{}
	}
	file := filepath.Join(dir, ".env")
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		return env
	}
	env, _ = l.withEnvFile(env, Pos{File: l.display(file)}, "", file)
	return env
}

// withEnvFile is env with the variables of a file underneath; false when a line
// of the file cannot be read.
func (l *loading) withEnvFile(env types.Mapping, at Pos, path Path, file string) (types.Mapping, bool) {
	below, err := dotenv.GetEnvFromFile(env, []string{file})
	if err != nil {
		l.badFile(at, path, err)
	}
	return env.Clone().Merge(below), err == nil
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
			l.errorAt(Pos{}, "", "project-name", projectNameHint(name),
				"%q is not a project name: it takes lowercase letters, digits, - and _, and starts with a letter or digit", explicit)
		}
		return name
	}
	written, at := "", Pos{}
	for _, s := range main {
		for _, doc := range s.docs {
			if n := entry(doc, "name"); n != nil && n.Value != "" && n.Tag == "!!str" {
				written, at = substitute(n.Value, env, false).text, Pos{File: s.name, Line: n.Line, Column: n.Column}
			}
		}
	}
	if name := loader.NormalizeProjectName(written); name != "" {
		if name != written {
			l.add(Note, at, "name", "project-name", "", fmt.Sprintf("the project is called %q: a name takes lowercase letters, digits, - and _", name))
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
