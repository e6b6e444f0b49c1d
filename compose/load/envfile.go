package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// resolveEnvironment reads the env_file and label_file of the active services
// into their environment and labels. A file that is missing or unreadable is
// reported at its entry and left out; `required: false` lets it be missing.
func (l *loading) resolveEnvironment(p *types.Project) {
	registerRaw()
	for _, name := range p.ServiceNames() {
		if l.late(l.index.Pos(diag.At("services", name))) {
			return
		}
		service := p.Services[name]
		l.resolveVariables(p, &service)
		l.resolveLabels(&service)
		p.Services[name] = service
	}
}

// resolveVariables gives a service its variables: its own override its
// files, of which the last wins. A variable without a value has that of the
// project.
func (l *loading) resolveVariables(p *types.Project, service *types.ServiceConfig) {
	path := diag.At("services", service.Name)
	own := service.Environment.Resolve(p.Environment.Resolve)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		at := path.Key("environment").Key(name)
		if own[name] == nil && l.refused([]string{name}, p.Environment, l.index.Pos(at), at) {
			delete(own, name)
		}
	}
	vars := own.ToMapping()
	found := func(name string, at diag.Pos) {
		if _, wins := own[name]; !wins {
			l.index.Places[path.Key("environment").Key(name)] = diag.Place{Key: at, Value: at}
		}
	}
	for i, file := range service.EnvFiles {
		at := item(path.Key("env_file"), i, len(service.EnvFiles))
		l.variables(variableFile{
			path: file.Path, format: file.Format, optional: !bool(file.Required), at: l.index.Pos(at), in: at,
			lookup: func(name string) (string, bool) {
				if value, ok := p.Environment[name]; ok {
					return value, true
				}
				value, ok := vars[name]
				return value, ok
			},
			found: found,
		}, vars)
	}
	service.Environment = vars.ToMappingWithEquals().OverrideBy(own)
}

// resolveLabels gives a service its labels: its own override its files.
func (l *loading) resolveLabels(service *types.ServiceConfig) {
	labels := types.Mapping{}
	for i, file := range service.LabelFiles {
		at := item(diag.At("services", service.Name, "label_file"), i, len(service.LabelFiles))
		l.variables(variableFile{path: file, at: l.index.Pos(at), in: at, lookup: labels.Resolve}, labels)
	}
	maps.Copy(labels, service.Labels)
	if len(labels) > 0 {
		service.Labels = types.Labels(labels)
	}
}

// item returns the path of an entry that may be written alone or in a list.
func item(path diag.Path, i, of int) diag.Path {
	if of > 1 {
		return path.Index(i)
	}
	return path
}

// variableFile is a file of variables, and the place that names it.
type variableFile struct {
	path     string
	format   string
	optional bool // it need not be there
	at       diag.Pos
	in       diag.Path
	// lookup finds the variables that the values may refer to.
	lookup func(name string) (string, bool)
	// found, where there is one, hears where each variable stands.
	found func(name string, at diag.Pos)
}

// variables reports whether it could read a file of variables over those in vars; false when it cannot
// be used. Where a value refers to a withheld variable, or must not get into a
// template, that is reported at its line.
func (l *loading) variables(f variableFile, vars types.Mapping) bool {
	content, err := l.read(f.path)
	if err != nil {
		if f.optional && errors.Is(err, fs.ErrNotExist) {
			return true
		}
		code, problem, hint := FileFault(err)
		l.errorAt(f.at, f.in, code, hint, "the file %s %s", l.display(f.path), problem)
		return false
	}
	var missing []string
	length, read := 0, types.Mapping{}
	lookup := func(name string) (string, bool) {
		value, ok := f.lookup(name)
		if !ok {
			value, ok = read[name]
		}
		if !ok {
			missing = append(missing, name)
		}
		if length += len(value); length > maxText {
			return "", true
		}
		return value, ok
	}
	name := l.display(f.path)
	if err := dotenv.ParseWithFormat(bytes.NewReader(content), name, read, lookup, f.format); err != nil {
		l.badFile(f.at, f.in, err)
		return false
	}
	if length > maxText {
		l.errorAt(f.at, f.in, "limit-text", "", "the variables of %s make its text longer than %d MiB", name, maxText>>20)
		return false
	}
	at := func(variable string) diag.Pos {
		return diag.Pos{File: name, Line: lineOf(content, variable), Column: 1}
	}
	ok := true
	for _, variable := range slices.Compact(slices.Sorted(slices.Values(missing))) {
		ok = !l.refused([]string{variable}, nil, at(variable), f.in) && ok
	}
	for _, variable := range slices.Sorted(maps.Keys(read)) {
		if l.checkName(variable, at(variable), f.in) && l.checkText(read[variable], at(variable), f.in) {
			vars[variable] = read[variable]
			if f.found != nil {
				f.found(variable, at(variable))
			}
		}
	}
	return ok
}

// lineOf returns the first line that speaks of a variable.
func lineOf(content []byte, variable string) int {
	whole := regexp.MustCompile(`(?:^|[^A-Za-z0-9_])` + regexp.QuoteMeta(variable) + `(?:[^A-Za-z0-9_]|$)`)
	for number, line := range bytes.Split(content, []byte("\n")) {
		if whole.Match(line) {
			return number + 1
		}
	}
	return 1
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
func (l *loading) badFile(at diag.Pos, path diag.Path, err error) {
	text := l.cleanText(err.Error())
	if m := envFileLine.FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[2])
		at, text = diag.Pos{File: m[1], Line: line, Column: 1}, m[3]
	}
	l.add(diag.Error, at, path, "env-file", "", text)
}
