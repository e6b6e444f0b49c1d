package load

import (
	"encoding/json"
	"path"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// dockerfile is what a Dockerfile says that matters outside the build.
type dockerfile struct {
	// exposed are the words after EXPOSE in the last stage.
	Exposed []string
	// copies are what any stage takes from the build context.
	copies []copied
}

// copied is one source of a COPY or ADD, relative to the context, and where it
// goes in the image.
type copied struct{ source, target string }

// Dockerfile reads the Dockerfile of a service; a service without one, or
// whose file cannot be read, which is reported with its image, has an empty one. Each
// file is read once.
func (p *Project) Dockerfile(build *types.BuildConfig) dockerfile {
	if build == nil {
		return dockerfile{}
	}
	if build.DockerfileInline != "" {
		return parseDockerfile(build.DockerfileInline)
	}
	file := build.Dockerfile
	if !filepath.IsAbs(file) {
		file = filepath.Join(build.Context, file)
	}
	d, known := p.dockerfiles[file]
	if !known {
		if content, err := p.Folder.Read(file); err == nil {
			d = parseDockerfile(string(content))
		}
		p.dockerfiles[file] = d
	}
	return d
}

// parseDockerfile reads the few instructions that matter. See
// https://docs.docker.com/reference/dockerfile/
func parseDockerfile(text string) dockerfile {
	var d dockerfile
	workdir := "/"
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) < 2 || strings.HasPrefix(words[0], "#") {
			continue
		}
		switch strings.ToUpper(words[0]) {
		case "FROM":
			d.Exposed = nil
		case "EXPOSE":
			d.Exposed = append(d.Exposed, words[1:]...)
		case "WORKDIR":
			workdir = under(workdir, words[1])
		case "COPY", "ADD":
			d.copies = append(d.copies, copies(workdir, words[1:])...)
		}
	}
	return d
}

// copies reads the words of a COPY or ADD. What comes from another stage or
// image, from elsewhere, or by a variable, is not of the context.
func copies(workdir string, words []string) []copied {
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		if strings.HasPrefix(words[0], "--from=") {
			return nil
		}
		words = words[1:]
	}
	if line := strings.Join(words, " "); strings.HasPrefix(line, "[") {
		if json.Unmarshal([]byte(line), &words) != nil {
			return nil
		}
	}
	if len(words) < 2 || strings.ContainsAny(strings.Join(words, ""), "$*?:") {
		return nil
	}
	var all []copied
	target := words[len(words)-1]
	for _, source := range words[:len(words)-1] {
		all = append(all, copied{source: path.Join(".", source), target: under(workdir, target)})
	}
	return all
}

func under(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(dir, name)
}

// Holds reports whether the image has at target what the context has at source,
// both a file or both a folder.
func (d dockerfile) Holds(source, target string) bool {
	source, target = path.Clean(filepath.ToSlash(source)), path.Clean(target)
	for _, c := range d.copies {
		below, err := filepath.Rel(c.source, source)
		if err != nil || !filepath.IsLocal(below) {
			continue
		}
		// A file goes to the target's name, or into it where that is a folder.
		if path.Join(c.target, below) == target || below == "." && path.Join(c.target, path.Base(source)) == target {
			return true
		}
	}
	return false
}
