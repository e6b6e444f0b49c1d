package imageupdate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Change sets the image of one service in one file of a checkout.
type Change struct {
	// File is relative to the root of the checkout, and clean.
	File    string
	Service string
	Image   Image
	// Overlay is true if the file holds the image only, and is written as a whole.
	Overlay bool
}

// serviceName is stricter than compose: no name can be taken for a file or an option.
var serviceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$`)

// InFile returns a change of a compose file that people edit.
func InFile(file, service string, image Image) (Change, error) {
	return newChange(Change{File: file, Service: service, Image: image})
}

// InFolder returns a change of the service's own file in a folder of overlays.
func InFolder(folder, service string, image Image) (Change, error) {
	return newChange(Change{File: path.Join(folder, service+".yaml"), Service: service, Image: image, Overlay: true})
}

func newChange(c Change) (Change, error) {
	if !serviceName.MatchString(c.Service) {
		return c, fmt.Errorf("%q is no name of a service: it has letters, digits, '.', '_' and '-', a letter or digit first", c.Service)
	}
	given := c.File
	c.File = path.Clean(c.File)
	if !filepath.IsLocal(c.File) || c.File == "." || strings.HasPrefix(c.File+"/", ".git/") {
		return c, fmt.Errorf("%q is no file of the checkout: give its path from there", given)
	}
	return c, nil
}

// apply returns the text of the file after the change; text is nil if the file does not
// exist. Errors use name.
func (c Change) apply(name string, text []byte) ([]byte, error) {
	switch {
	case c.Overlay:
		return c.overlay()
	case text == nil:
		return nil, fmt.Errorf("%s: no such file", name)
	default:
		return SetImage(name, text, c.Service, c.Image)
	}
}

// overlay returns a compose file that sets the image of the service only.
func (c Change) overlay() ([]byte, error) {
	text, err := yaml.Marshal(map[string]any{"services": map[string]any{c.Service: map[string]string{"image": c.Image.String()}}})
	if err != nil {
		return nil, err
	}
	return append([]byte("# Written by composer set-image: what is changed here does not last.\n"), text...), nil
}

// Write makes the change in a folder, and nothing outside of it. It follows no links, and
// returns false if there was nothing to change.
func (c Change) Write(dir string) (bool, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false, fmt.Errorf("%q: no such folder, or it cannot be read", dir)
	}
	defer root.Close() //nolint:errcheck // what was written is closed before
	name := filepath.Join(dir, c.File)
	text, mode, err := c.read(root)
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	changed, err := c.apply(name, text)
	if err != nil || text != nil && bytes.Equal(changed, text) {
		return false, err
	}
	if err := replace(root, c.File, changed, mode); err != nil {
		return false, fmt.Errorf("%s: it cannot be written: %w", name, err)
	}
	return true, nil
}

// read returns the content of the file, nil if it does not exist.
func (c Change) read(root *os.Root) ([]byte, fs.FileMode, error) {
	mode := fs.FileMode(0o644)
	for at := range prefixes(c.File) {
		info, err := root.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, mode, nil
		case err != nil:
			return nil, mode, err
		case info.Mode()&fs.ModeSymlink != 0:
			return nil, mode, errors.New("a link is not followed: name the file itself")
		case at == c.File && !info.Mode().IsRegular():
			return nil, mode, errors.New("it is no file")
		}
		mode = info.Mode().Perm()
	}
	file, err := root.Open(c.File)
	if err != nil {
		return nil, mode, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	return text, mode, errors.Join(err, file.Close())
}

// prefixes returns the folders on the way to a file, and the file.
func prefixes(file string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i, c := range file + "/" {
			if c == '/' && !yield(file[:i]) {
				return
			}
		}
	}
}

// replace writes a file atomically.
func replace(root *os.Root, file string, text []byte, mode fs.FileMode) error {
	if err := root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return err
	}
	temp := fmt.Sprintf("%s.%x", file, rand.Uint64())
	out, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	if err = errors.Join(err, out.Close()); err == nil {
		err = root.Rename(temp, file)
	}
	if err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	return nil
}
