package diag

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Folder is the project's folder: everything that compose files name is read
// through it, and nothing outside of it can be reached, whatever links lie on
// the way. It is the only place of the package that opens files.
type Folder struct{ dir string }

// ProjectFolder returns the folder around a project directory: the one given, else
// the git working tree that holds it, else the directory itself.
func ProjectFolder(given, dir string) (Folder, error) {
	if given != "" {
		abs, err := filepath.Abs(given)
		if err != nil {
			return Folder{}, err
		}
		if info, err := os.Stat(abs); err != nil || !info.IsDir() {
			return Folder{}, fmt.Errorf("there is no folder %s", given)
		}
		return Folder{abs}, nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return Folder{at}, nil
		}
		if at == filepath.Dir(at) {
			return Folder{dir}, nil
		}
	}
}

// MaxFile is the size of the largest file that is read.
const MaxFile = 1 << 20

// The reasons why a file is not read, besides the operating system's errors.
var (
	ErrOutside = errors.New("lies outside the project's folder")
	ErrKind    = errors.New("is a folder, a device or a pipe, not a file")
	ErrLarge   = fmt.Errorf("is larger than %d KiB", MaxFile>>10)
)

// relative returns a path as seen from the folder.
func (f Folder) relative(path string) (string, error) {
	below, err := filepath.Rel(f.dir, path)
	if err != nil || !filepath.IsLocal(below) {
		return "", ErrOutside
	}
	return below, nil
}

// Holds reports whether a path is written as one in the folder; a link on its way
// may still lead elsewhere.
func (f Folder) Holds(path string) bool {
	_, err := f.relative(path)
	return err == nil
}

// open returns the folder, and a path relative to it.
func (f Folder) open(path string) (root *os.Root, below string, err error) {
	if below, err = f.relative(path); err != nil {
		return nil, "", err
	}
	root, err = os.OpenRoot(f.dir)
	return root, below, err
}

// Read returns the content of a file. Opening never waits, so that a pipe cannot stop
// the run, and what was opened is what is checked.
func (f Folder) Read(path string) ([]byte, error) {
	root, below, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing was written
	file, err := root.OpenFile(below, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, escaped(err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, ErrKind
	}
	content, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err == nil && len(content) > MaxFile {
		return nil, ErrLarge
	}
	return content, err
}

// Stat tells what a path is, with all links followed.
func (f Folder) Stat(path string) (fs.FileInfo, error) {
	root, below, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing was written
	info, err := root.Stat(below)
	return info, escaped(err)
}

// Glob lists the files that a pattern matches, sorted.
func (f Folder) Glob(pattern string) ([]string, error) {
	root, below, err := f.open(pattern)
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing was written
	names, err := fs.Glob(root.FS(), filepath.ToSlash(below))
	for i, name := range names {
		names[i] = filepath.Join(f.dir, name)
	}
	return slices.Sorted(slices.Values(names)), err
}

// escaped makes errOutside of what os.Root says of a link that leads out of it,
// for which it has no value to compare with.
func escaped(err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) && strings.Contains(pathErr.Err.Error(), "escapes") {
		return ErrOutside
	}
	return err
}

// ReadFile reads a file that the user of the program named: it may lie anywhere,
// but a link in its place leads nowhere outside of its own folder.
func ReadFile(path string) ([]byte, error) {
	return Folder{filepath.Dir(path)}.Read(path)
}

// IsFile reports whether there is something that may be read as a file.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
