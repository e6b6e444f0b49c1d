package compose

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
)

// resolveEnvironment reads the env_file and label_file of the active services
// into their environment and labels. A file that is missing or unreadable is
// reported at its entry and left out; `required: false` lets it be missing.
func (l *loading) resolveEnvironment(p *types.Project) *types.Project {
	registerRaw()
	for _, name := range p.ServiceNames() {
		service := p.Services[name]
		path := At("services", name, "env_file")
		files := slices.Clone(service.EnvFiles)
		service.EnvFiles = nil
		for i, file := range files {
			if !l.readable(path, i, len(files), file.Path, bool(file.Required)) {
				continue
			}
			service.EnvFiles = append(service.EnvFiles, file)
		}
		labels := service.LabelFiles
		service.LabelFiles = nil
		for i, file := range labels {
			if l.readable(At("services", name, "label_file"), i, len(labels), file, true) {
				service.LabelFiles = append(service.LabelFiles, file)
			}
		}
		p.Services[name] = service
	}
	for _, name := range p.ServiceNames() {
		p = l.resolveService(p, name)
	}
	return p
}

// resolveService reads the files of one service alone, so that a bad file of
// one service does not stop the others.
func (l *loading) resolveService(p *types.Project, name string) *types.Project {
	alone := *p
	alone.Services = types.Services{name: p.Services[name]}
	alone.DisabledServices, alone.Jobs, alone.DisabledJobs = nil, nil, nil
	resolved, err := alone.WithServicesEnvironmentResolved(false)
	if err != nil {
		path := At("services", name, "env_file")
		l.badFile(l.index.Pos(path), path, err)
		return p
	}
	if resolved, err = resolved.WithServicesLabelsResolved(false); err != nil {
		path := At("services", name, "label_file")
		l.badFile(l.index.Pos(path), path, err)
		return p
	}
	p.Services[name] = resolved.Services[name]
	return p
}

// registerRaw makes compose-go read an env_file of `format: raw`, which the
// program docker compose adds to it, too.
var registerRaw = sync.OnceFunc(func() { dotenv.RegisterFormat("raw", rawVariables) })

// rawVariables reads variables as docker run --env-file does: what follows the
// equals sign is the value, with its quotes and dollar signs.
func rawVariables(r io.Reader, file string, vars map[string]string, lookup func(string) (string, bool)) error {
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimLeft(lines.Text(), " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, given := strings.Cut(line, "=")
		if name == "" || strings.ContainsAny(name, " \t") {
			return fmt.Errorf("failed to read %s: line %d: %q is not a name of a variable", file, number, name)
		}
		if !given {
			if value, given = lookup(name); !given {
				continue
			}
		}
		vars[name] = value
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("failed to read %s: %w", file, err)
	}
	return nil
}

var envFileLine = regexp.MustCompile(`^failed to read (.+): line (\d+): (.*)$`)

// badFile reports a file of variables in which a line cannot be read, at that
// line, or at the place that names the file.
func (l *loading) badFile(at Pos, path Path, err error) {
	text := l.cleanText(err.Error())
	if m := envFileLine.FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[2])
		at, text = Pos{File: m[1], Line: line, Column: 1}, m[3]
	}
	l.add(Error, at, path, "env-file", "", text)
}

// readable reports a file that a service names and that cannot be read.
func (l *loading) readable(path Path, i, of int, file string, required bool) bool {
	info, err := os.Stat(file)
	if err == nil && !info.IsDir() {
		return true
	}
	if !required && errors.Is(err, os.ErrNotExist) {
		return false
	}
	if of > 1 {
		path = path.Index(i)
	}
	problem := "is a folder"
	if err != nil {
		problem = readProblem(err)
	}
	l.add(Error, l.index.Pos(path), path, "file-missing", "", "the file "+l.display(file)+" "+problem)
	return false
}
