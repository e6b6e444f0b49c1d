package imageupdate

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
)

// object is a store in memory, whose version is a number.
type object struct {
	lock    sync.Mutex
	archive []byte
	version int
	broken  error
}

func (o *object) Get(context.Context) ([]byte, string, error) {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.archive, fmt.Sprint(o.version), nil
}

func (o *object) Put(_ context.Context, archive []byte, version string) error {
	o.lock.Lock()
	defer o.lock.Unlock()
	if o.broken != nil {
		return o.broken
	}
	if version != fmt.Sprint(o.version) {
		return ErrOutdated
	}
	o.archive, o.version = archive, o.version+1
	return nil
}

// zipped returns a zip file with a file of a mode.
func zipped(t *testing.T, name, text string, mode fs.FileMode) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(mode)
	entry, err := w.CreateHeader(header)
	if err == nil {
		_, err = entry.Write([]byte(text))
	}
	if err := errors.Join(err, w.SetComment("ours"), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Concurrent replacements must all succeed without losing a change.
func TestConcurrentReplaces(t *testing.T) {
	const writers = 10
	o := &object{archive: zipped(t, "bin/run", "x", 0o755)}
	var wait sync.WaitGroup
	problems := make([]error, writers)
	for i := range writers {
		c := inFolder(t, "images", fmt.Sprintf("app%d", i), imageNumber(i))
		wait.Go(func() { _, problems[i] = c.Replace(context.Background(), o, 30) })
	}
	wait.Wait()
	if err := errors.Join(problems...); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(o.archive), int64(len(o.archive)))
	if err != nil || r.Comment != "ours" || len(r.File) != writers+1 {
		t.Fatalf("want %d files, got %v, %v", writers+1, r, err)
	}
	for i := range writers {
		if text, err := fs.ReadFile(r, fmt.Sprintf("images/app%d.yaml", i)); err != nil || !strings.Contains(string(text), imageNumber(i).String()) {
			t.Errorf("the change of writer %d is lost: %s, %v", i, text, err)
		}
	}
	if info, err := fs.Stat(r, "bin/run"); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("another file has changed: %v, %v", info, err)
	}
}

func TestReplace(t *testing.T) {
	o := &object{archive: zipped(t, "compose.yml", "services: {web: {image: a}} # c", 0o600)}
	c := inFile(t, "compose.yml", "web", image)
	for _, want := range []bool{true, false} {
		if changed, err := c.Replace(context.Background(), o, 1); err != nil || changed != want {
			t.Errorf("want %v, got %v, %v", want, changed, err)
		}
	}
	r, err := zip.NewReader(bytes.NewReader(o.archive), int64(len(o.archive)))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := fs.Stat(r, "compose.yml"); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file must keep its mode, got %v, %v", info, err)
	}
	if text, err := fs.ReadFile(r, "compose.yml"); err != nil || string(text) != "services: {web: {image: "+ref+"}} # c" || o.version != 1 {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestReplaceFails(t *testing.T) {
	var twice bytes.Buffer
	w := zip.NewWriter(&twice)
	for range 2 {
		if _, err := w.Create("compose.yml"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	large := "#" + strings.Repeat("x", maxFile)
	cases := []struct {
		name    string
		archive []byte
		broken  error
		want    string
	}{
		{"no zip file", []byte("x"), nil, "it is no zip file: "},
		{"no file", zipped(t, "a", "", 0o600), nil, "compose.yml: no such file"},
		{"twice", twice.Bytes(), nil, "it is in the zip file twice, or no file"},
		{"a link", zipped(t, "compose.yml", "a", 0o777|fs.ModeSymlink), nil, "it is in the zip file twice, or no file"},
		{"too large", zipped(t, "compose.yml", large, 0o600), nil, "a compose file is text in UTF-8 of at most"},
		{"always outdated", zipped(t, "compose.yml", "services: {web: {image: a}}", 0o600), ErrOutdated, "given up after 2 attempts: somebody else replaced the file meanwhile"},
		{"no right", zipped(t, "compose.yml", "services: {web: {image: a}}", 0o600), errors.New("no right"), "no right"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed, err := inFile(t, "compose.yml", "web", image).Replace(context.Background(), &object{archive: c.archive, broken: c.broken}, 2)
			wantError(t, err, c.want)
			if changed {
				t.Error("something was changed")
			}
		})
	}
}
