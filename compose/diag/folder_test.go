package diag

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"composecdk/test/folder"
)

// Whatever stands at a path, reading it must give the content of a file of the
// folder, or say why not; it must never wait, nor follow a link out of it.
func TestFolderRead(t *testing.T) {
	dir := folder.New(t, map[string]string{
		"outside": "secret", "in/file": "content", "in/sub/file": "content", "in/exact": strings.Repeat("x", MaxFile), "in/large": strings.Repeat("x", MaxFile+1),
	})
	in := filepath.Join(dir, "in")
	for name, target := range map[string]string{
		"relative": "sub/file", "up-and-down": "sub/../file", "folder": "sub",
		"absolute": filepath.Join(in, "file"), "out": "../outside", "out-absolute": filepath.Join(dir, "outside"),
		"chain": "out", "sub/up": "../../outside", "proc": "/proc/self/environ", "root": "/", "dangling": "none", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(in, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(in, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		"file": nil, "sub/../file": nil, "relative": nil, "up-and-down": nil, "folder/file": nil, "exact": nil,
		"absolute": ErrOutside, "out": ErrOutside, "out-absolute": ErrOutside, "chain": ErrOutside, "sub/up": ErrOutside, "proc": ErrOutside,
		"root/etc/passwd": ErrOutside, "../outside": ErrOutside, "../in-other": ErrOutside, "folder/../../outside": ErrOutside, "/etc/passwd": ErrOutside,
		"pipe": ErrKind, "sub": ErrKind, ".": ErrKind, "large": ErrLarge,
		"none": os.ErrNotExist, "dangling": os.ErrNotExist, "loop": syscall.ELOOP, "file\x00": syscall.EINVAL, "file/x": syscall.ENOTDIR,
		`C:\file`: os.ErrNotExist, "~/file": os.ErrNotExist,
	} {
		t.Run(fmt.Sprintf("%q", path), func(t *testing.T) {
			full := path
			if !filepath.IsAbs(path) {
				full = in + "/" + path
			}
			content, err := Folder{in}.Read(full)
			if !errors.Is(err, want) || (err == nil) != (len(content) > 0) {
				t.Errorf("got %.20q, %v; want %v", content, err, want)
			}
			if _, stat := (Folder{in}).Stat(full); errors.Is(want, ErrOutside) && !errors.Is(stat, ErrOutside) {
				t.Errorf("stat says %v", stat)
			}
		})
	}
	if _, err := (Folder{in}).Read("relative/path"); !errors.Is(err, ErrOutside) {
		t.Errorf("a path from nowhere: %v", err)
	}
}

// Nothing else of package compose or below it may open or look at a file.
func TestOnlyFolderReads(t *testing.T) {
	opens := regexp.MustCompile(`\b(os\.(Open|OpenFile|OpenRoot|OpenInRoot|ReadFile|ReadDir|Stat|Lstat|Readlink|DirFS|CopyFS)|filepath\.(Walk|WalkDir|Glob|EvalSymlinks)|dotenv\.(Load|Read|GetEnvFromFile))\b`)
	for _, pattern := range []string{"*.go", "../*.go", "../load/*.go", "../kinds/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s matches nothing: %v", pattern, err)
		}
		for _, file := range files {
			if file == "folder.go" || strings.HasSuffix(file, "_test.go") {
				continue
			}
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range opens.FindAllString(string(content), -1) {
				t.Errorf("%s calls %s; compose files are not trusted: read through diag.Folder", file, call)
			}
		}
	}
}

// A link that is swapped between looking and reading must not lead out either.
func TestFolderRace(t *testing.T) {
	dir := folder.New(t, map[string]string{"outside": "secret", "in/file": "content"})
	link, spare := filepath.Join(dir, "in/link"), filepath.Join(dir, "in/spare")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Symlink([]string{"file", "../outside"}[i%2], spare)
			_ = os.Rename(spare, link)
		}
	}()
	for range 2000 {
		if content, err := (Folder{filepath.Join(dir, "in")}).Read(link); err == nil && string(content) != "content" {
			t.Fatalf("read %q", content)
		}
	}
	close(stop)
	<-stopped
}

// The project's folder is what the user names, else the git working tree, else the
// project directory.
func TestProjectFolder(t *testing.T) {
	dir := folder.New(t, map[string]string{"tree/.git/HEAD": "", "tree/app/web/x": "", "module/.git": "gitdir: elsewhere", "module/x": "", "plain/x": "", "file": ""})
	for _, c := range []struct{ given, project, want string }{
		{"", "tree/app/web", "tree"},
		{"", "tree", "tree"},
		{"", "module", "module"},
		{"", "plain", "plain"},
		{"tree/app", "tree/app/web", "tree/app"},
		{".", "tree/app/web", "."},
	} {
		given := c.given
		if given != "" {
			given = filepath.Join(dir, given)
		}
		if got, err := ProjectFolder(given, filepath.Join(dir, c.project)); err != nil || got.dir != filepath.Join(dir, c.want) {
			t.Errorf("%+v: got %s, %v", c, got.dir, err)
		}
	}
	for _, given := range []string{"none", "file"} {
		if _, err := ProjectFolder(filepath.Join(dir, given), dir); err == nil {
			t.Errorf("%s is taken for a folder", given)
		}
	}
}

// A reader is shown as many problems as can be read, the errors first.
func TestPrintMany(t *testing.T) {
	var ds Diagnostics
	for i := range 3 * maxPrinted {
		ds = append(ds, Diagnostic{Pos: Pos{File: "a.yml"}, Severity: Severity(i % 3), Code: "x", Message: fmt.Sprint(i)})
	}
	var b strings.Builder
	if err := ds.Print(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != maxPrinted+1 || lines[maxPrinted] != "compose: 400 more problems are not shown" || strings.Contains(b.String(), "warning") {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

// What a file holds must not play tricks on a terminal.
func TestPrintable(t *testing.T) {
	d := Diagnostic{Pos: Pos{File: "a\x1b[2J.yml"}, Code: "x", Message: "two\nlines\u202e"}
	if got, want := d.String(), "a<U+001B>[2J.yml: two<U+000A>lines<U+202E> [x]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
