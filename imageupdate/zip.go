package imageupdate

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Store holds a zip file of compose files, as an object in S3 does.
type Store interface {
	// Get returns the file and its version.
	Get(ctx context.Context) (archive []byte, version string, err error)
	// Put replaces the file of the version. If there is a newer one, the error is
	// ErrOutdated.
	Put(ctx context.Context, archive []byte, version string) error
}

// ErrOutdated is the error for a file that somebody else replaced meanwhile.
var ErrOutdated = errors.New("somebody else replaced the file meanwhile")

// Replace makes the change in a zip file, and tries again if somebody else replaced it
// meanwhile; changed is false if there was nothing to change.
func (c Change) Replace(ctx context.Context, store Store, attempts int) (changed bool, err error) {
	err = try(ctx, attempts, func() error {
		archive, version, err := store.Get(ctx)
		if err != nil {
			return err
		}
		next, err := c.inZip(archive)
		if changed = next != nil; err != nil || !changed {
			return err
		}
		err = store.Put(ctx, next, version)
		if errors.Is(err, ErrOutdated) {
			return &remoteError{err}
		}
		return err
	})
	return changed && err == nil, err
}

// inZip returns the zip file with the change and all other files as they are, nil if there
// is nothing to change.
func (c Change) inZip(archive []byte) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("it is no zip file: %w", err)
	}
	header := &zip.FileHeader{Name: c.File, Method: zip.Deflate}
	var text []byte
	for _, f := range r.File {
		if f.Name != c.File {
			continue
		}
		if text != nil || f.Mode()&fs.ModeType != 0 {
			return nil, fmt.Errorf("%s: it is in the zip file twice, or no file", c.File)
		}
		if text, err = readZipped(f); err != nil {
			return nil, fmt.Errorf("%s: it cannot be read: %w", c.File, err)
		}
		header.ExternalAttrs, header.CreatorVersion = f.ExternalAttrs, f.CreatorVersion
	}
	changed, err := c.apply(c.File, text)
	if err != nil || text != nil && bytes.Equal(changed, text) {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		if f.Name == c.File {
			continue
		}
		if err := w.Copy(f); err != nil {
			return nil, fmt.Errorf("%s: it cannot be copied: %w", f.Name, err)
		}
	}
	entry, err := w.CreateHeader(header)
	if err == nil {
		_, err = entry.Write(changed)
	}
	if err = errors.Join(err, w.SetComment(r.Comment), w.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func readZipped(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	return text, errors.Join(err, r.Close())
}
