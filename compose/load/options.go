package load

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/consts"

	"composecdk/compose/diag"
)

// Options says what to load.
type Options struct {
	// Files are the compose files in merge order, relative to WorkingDir.
	Files []string
	// WorkingDir is the project directory, to which relative paths in the main
	// files belong. Empty means the folder of the first file.
	WorkingDir string
	// ProjectName is the project's name. Empty means COMPOSE_PROJECT_NAME, else
	// the files' `name:`, else the folder's name in its permitted characters.
	ProjectName string
	// Profiles are the active profiles. Empty means COMPOSE_PROFILES.
	Profiles []string
	// Environ holds the variables of the process. Those that look like a
	// credential are withheld. Load adds the .env file of the project directory
	// underneath.
	Environ map[string]string
	// Untrusted says that the files were written by others: of Environ only what
	// Allow names is used, and the files cannot give themselves wide permissions.
	Untrusted bool
	// Allow names variables of Environ that the files may use although they look
	// like a credential; with Untrusted it names all that they may use, of which
	// none may look like one.
	Allow []string
	// Root is the folder outside of which nothing is read that the files name.
	// Empty means the git working tree around the project directory, else the
	// project directory.
	Root string
	// Sections stand in place of what the files say.
	Sections []Section
}

// DiscoverFiles finds the compose files of a directory as docker compose does:
// those listed in COMPOSE_FILE, else compose.yaml, compose.yml,
// docker-compose.yml or docker-compose.yaml, with its override file. The result
// is relative to dir, and nil where there is none.
func DiscoverFiles(dir string, environ map[string]string) []string {
	if list := environ[consts.ComposeFilePath]; list != "" {
		separator := environ[consts.ComposePathSeparator]
		if separator == "" {
			separator = string(os.PathListSeparator)
		}
		return strings.Split(list, separator)
	}
	main := firstFile(dir, cli.DefaultFileNames)
	if main == "" {
		return nil
	}
	files := []string{main}
	if override := firstFile(dir, cli.DefaultOverrideFileNames); override != "" {
		files = append(files, override)
	}
	return files
}

func firstFile(dir string, names []string) string {
	for _, name := range names {
		if diag.IsFile(filepath.Join(dir, name)) {
			return name
		}
	}
	return ""
}

// Directory returns the project directory as an absolute path.
func (o Options) Directory() (string, error) {
	if o.WorkingDir == "" && len(o.Files) > 0 {
		return filepath.Abs(filepath.Dir(o.Files[0]))
	}
	return filepath.Abs(o.WorkingDir)
}
