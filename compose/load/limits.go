package load

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// The limits of what is loaded. They are far above what people write, and keep a
// file that was written to do harm from costing much time or memory; MaxFile and
// maxNodes are others.
const (
	// maxFiles is how many compose files there may be, with those that are
	// included and extended.
	maxFiles = 64
	// maxUses is how often files may be included and extended.
	maxUses = 256
	// maxRead is how much all files may hold together, a file counting each time
	// it is used.
	maxRead = 16 << 20
	// maxText is how long texts may become by their variables and aliases: all
	// texts of a file by its aliases, one text by its variables, and what is put
	// in the place of all variables.
	maxText = 4 << 20
	// maxInherited is how many values services may take from those that they
	// extend, together.
	maxInherited = 100_000
	// maxServices is how many services a project may have.
	maxServices = 1000
	// maxTime is how long loading may take. It only ends a run that none of the other
	// limits ends, so it is long enough for a machine that is busy with other work: the
	// other limits let through a second or two of computing.
	maxTime = time.Minute
)

var (
	errFiles = fmt.Errorf("is one too many: a project has at most %d compose files, used %d times", maxFiles, maxUses)
	errTotal = fmt.Errorf("is too much: the files of a project have at most %d MiB together", maxRead>>20)
)

// read reads a file of the project, or one that the user of the program named.
func (l *loading) read(path string) ([]byte, error) {
	from := l.folder
	if l.given[path] && !from.Holds(path) {
		return diag.ReadFile(path)
	}
	content, err := from.Read(path)
	if l.bytes += len(content); err == nil && l.bytes > maxRead {
		return nil, errTotal
	}
	return content, err
}

// countUse counts one use of a compose file.
func (l *loading) countUse(path string) error {
	l.uses++
	if l.uses > maxUses || l.files[path] == nil && len(l.files) >= maxFiles {
		return errFiles
	}
	return nil
}

// countServices reports whether the services are few enough, and the first one too many.
func (l *loading) countServices() bool {
	names := map[string]bool{}
	for _, s := range l.sources() {
		for _, doc := range s.docs {
			for k := range diag.Entries(diag.Entry(doc, "services")) {
				if names[k.Value] = true; len(names) > maxServices {
					l.errorAt(s.pos(k), diag.At("services", k.Value), "limit-services", "divide the project into several",
						"a project has at most %d services", maxServices)
					return false
				}
			}
		}
	}
	return true
}

// late reports whether loading takes too long, at the place that it has come to.
func (l *loading) late(at diag.Pos) bool {
	if l.ctx.Err() == nil {
		return false
	}
	if !l.timedOut {
		l.timedOut = true
		l.errorAt(at, "", "limit-time", "", "reading the files takes longer than %s", maxTime)
	}
	l.unread = true
	return true
}

// countText reports whether it could count the text that variables have put into the files; false when
// it is too much.
func (l *loading) countText(s *substituted, at diag.Pos, path diag.Path) bool {
	if len(s.names) == 0 {
		return true
	}
	l.text += len(s.text)
	if l.text <= maxText && !s.tooLong {
		return true
	}
	if !l.unread {
		l.errorAt(at, path, "limit-text", "", "the variables make the text of the project longer than %d MiB", maxText>>20)
	}
	l.unread = true
	return false
}

// countNode reports whether it could count a value of a file with its aliases written out; false when
// there are too many, or they are too long.
func (e *expander) countNode(n *yaml.Node) bool {
	e.count++
	e.length += len(n.Value)
	if e.count < maxNodes && e.length <= maxText {
		return true
	}
	if !e.full {
		e.full = true
		e.errorf(n, "", "yaml-too-large", "", "with its aliases written out the file has more than %d values, or more than %d MiB of text", maxNodes-1, maxText>>20)
	}
	return false
}

// FileFault returns what is wrong with a file that could not be read: the code of the
// diagnostic, its message, and a hint.
func FileFault(err error) (code, problem, hint string) {
	switch {
	case errors.Is(err, diag.ErrOutside):
		return "path-outside", diag.ErrOutside.Error(), "copy it into the folder, or let -c root=FOLDER name a folder that holds both"
	case errors.Is(err, diag.ErrLarge):
		return "limit-size", diag.ErrLarge.Error(), ""
	case errors.Is(err, errTotal):
		return "limit-size", errTotal.Error(), ""
	case errors.Is(err, errFiles):
		return "limit-files", errFiles.Error(), "divide the project into several"
	case errors.Is(err, diag.ErrKind):
		return "file-kind", diag.ErrKind.Error(), ""
	case errors.Is(err, fs.ErrNotExist):
		return "file-missing", "does not exist", ""
	case errors.Is(err, fs.ErrPermission):
		return "file-missing", "must not be read by this user", ""
	}
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return "file-missing", "cannot be read: " + err.Error(), ""
}
