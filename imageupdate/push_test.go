package imageupdate

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.Command("git", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// remote makes a bare repository whose branch main has the files, and a checkout of
// it.
func remote(t *testing.T, files map[string]string) (bare, checkout string) {
	t.Helper()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	dir := t.TempDir()
	bare, checkout = filepath.Join(dir, "compose.git"), filepath.Join(dir, "checkout")
	git(t, dir, "init", "--quiet", "--bare", "--initial-branch=main", bare)
	git(t, dir, "clone", "--quiet", bare, checkout)
	git(t, checkout, "checkout", "--quiet", "-B", "main")
	for name, text := range files {
		file := filepath.Join(checkout, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git(t, checkout, "add", "-A")
	git(t, checkout, "commit", "--quiet", "--allow-empty", "-m", "first")
	git(t, checkout, "push", "--quiet", "origin", "main")
	return bare, checkout
}

func to(checkout string) Push {
	return Push{Checkout: checkout, Remote: "origin", Branch: "main", Author: "composer", Email: "composer@localhost", Attempts: 30}
}

func inFile(t *testing.T, file, service string, i Image) Change {
	t.Helper()
	return must(t)(InFile(file, service, i))
}

func inFolder(t *testing.T, folder, service string, i Image) Change {
	t.Helper()
	return must(t)(InFolder(folder, service, i))
}

func must(t *testing.T) func(Change, error) Change {
	return func(c Change, err error) Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func imageNumber(i int) Image { return Image{registry, fmt.Sprintf("sha256:%064x", i)} }

// Concurrent pushes must all succeed without losing a change: one commit each, in a linear
// history, that changes one line.
func TestConcurrentPushes(t *testing.T) {
	for _, writers := range []int{2, 10} {
		for _, overlay := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d writers, overlay %v", writers, overlay), func(t *testing.T) {
				text := "# by hand\nservices:\n"
				for i := range writers {
					text += fmt.Sprintf("  app%d: {image: \"a\"} # %d\n", i, i)
				}
				bare, checkout := remote(t, map[string]string{"compose.yml": text, "other.txt": "stays"})
				var wait sync.WaitGroup
				problems := make([]error, writers)
				for i := range writers {
					c := inFile(t, "compose.yml", fmt.Sprintf("app%d", i), imageNumber(i))
					if overlay {
						c = inFolder(t, "images", c.Service, c.Image)
					}
					wait.Go(func() { _, problems[i] = c.Push(context.Background(), to(checkout)) })
				}
				wait.Wait()
				for i, err := range problems {
					if err != nil {
						t.Errorf("writer %d: %v", i, err)
					}
				}
				if merges, commits := git(t, bare, "rev-list", "--merges", "main"), git(t, bare, "rev-list", "--count", "main"); merges != "" || commits != fmt.Sprint(writers+1) {
					t.Errorf("want a line of %d commits, got %s and the merges %q", writers+1, commits, merges)
				}
				if stat := git(t, bare, "log", "--format=", "--numstat", "main~"+fmt.Sprint(writers)+"..main", "--", "compose.yml"); !overlay && strings.ReplaceAll(stat, "1\t1\tcompose.yml", "") != strings.Repeat("\n", writers-1) {
					t.Errorf("each commit must change a line, got\n%s", stat)
				}
				for i := range writers {
					file, want := "compose.yml", fmt.Sprintf("  app%d: {image: \"%s\"} # %d\n", i, imageNumber(i), i)
					if overlay {
						file, want = fmt.Sprintf("images/app%d.yaml", i), imageNumber(i).String()
					}
					if got := git(t, bare, "show", "main:"+file) + "\n"; !strings.Contains(got, want) {
						t.Errorf("the change of writer %d is lost: want %q in\n%s", i, want, got)
					}
				}
				if got := git(t, bare, "show", "main:other.txt"); got != "stays" {
					t.Errorf("another file became %q", got)
				}
				if status := git(t, checkout, "status", "--porcelain"); status != "" {
					t.Errorf("the working tree must stay as it is, got %s", status)
				}
			})
		}
	}
}

// A change of nothing must make no commit.
func TestPushOfNothing(t *testing.T) {
	bare, checkout := remote(t, map[string]string{"compose.yml": "services: {web: {image: " + ref + "}}\n"})
	before := git(t, bare, "rev-parse", "main")
	commit, err := inFile(t, "compose.yml", "web", image).Push(context.Background(), to(checkout))
	if err != nil || commit != "" || git(t, bare, "rev-parse", "main") != before {
		t.Errorf("want no commit, got %q, %v", commit, err)
	}
}

// The commit must be on top of the remote branch and name author and image; hooks and
// configuration of the checkout must not matter.
func TestPushIsOfTheRemote(t *testing.T) {
	bare, checkout := remote(t, map[string]string{"a b/compose.yml": "services: {web: {image: a}}\r\n"})
	hook := filepath.Join(checkout, ".git", "hooks", "pre-push")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\ntouch "+checkout+"/hooked\nexit 1\n"), 0o700); err != nil { //nolint:gosec // a hook must be executable
		t.Fatal(err)
	}
	git(t, checkout, "config", "core.fsmonitor", "touch "+checkout+"/hooked; false")
	git(t, checkout, "config", "core.autocrlf", "true")
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, checkout, "clone", "--quiet", bare, clone)
	if err := os.WriteFile(filepath.Join(clone, "a b", "compose.yml"), []byte("services: {web: {image: b}} # newer\r\n# end"), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, clone, "commit", "--quiet", "-a", "-m", "newer")
	git(t, clone, "push", "--quiet", "origin", "HEAD:main")
	commit, err := inFile(t, "a b/compose.yml", "web", image).Push(context.Background(), to(checkout))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := git(t, bare, "show", "main:a b/compose.yml"), "services: {web: {image: "+ref+"}} # newer\r\n# end"; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
	if got, want := git(t, bare, "log", "-1", "--format=%H %an <%ae> %cn <%ce>%n%B", "main"), commit+" composer <composer@localhost> composer <composer@localhost>\nweb: "+hash+"\n\n"+ref; got != want {
		t.Errorf("want the commit\n%s\ngot\n%s", want, got)
	}
	if _, err := os.Stat(filepath.Join(checkout, "hooked")); err == nil {
		t.Error("the configuration of the checkout was run")
	}
}

// A failing push must tell the reason, and leave the remote as it is.
func TestPushFails(t *testing.T) {
	bare, checkout := remote(t, map[string]string{"compose.yml": "services: {web: {image: a}, other: {image: a}}\n", "folder/x": "x"})
	if err := os.Symlink("compose.yml", filepath.Join(checkout, "link.yml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("folder", filepath.Join(checkout, "linked")); err != nil {
		t.Fatal(err)
	}
	git(t, checkout, "add", "-A")
	git(t, checkout, "commit", "--quiet", "-m", "links")
	git(t, checkout, "push", "--quiet", "origin", "main")
	before := git(t, bare, "rev-parse", "main")
	web := inFile(t, "compose.yml", "web", image)
	cases := []struct {
		name   string
		change Change
		push   func(*Push)
		want   string
	}{
		{"no service", inFile(t, "compose.yml", "wep", image), nil, `main:compose.yml: services.wep: there is no service "wep" in the file [service-missing]`},
		{"no file", inFile(t, "compose.yaml", "web", image), nil, "main:compose.yaml: no such file"},
		{"a link", inFile(t, "link.yml", "web", image), nil, "link.yml: it is no file, but a link or a folder"},
		{"a folder", inFile(t, "folder", "web", image), nil, "folder: it is no file, but a link or a folder"},
		{"below a link", inFolder(t, "linked", "web", image), nil, "git update-index:"},
		{"no branch", web, func(p *Push) { p.Branch = "other" }, "git fetch: fatal: couldn't find remote ref refs/heads/other"},
		{"no name of a branch", web, func(p *Push) { p.Branch = "main:refs/heads/prod" }, `"main:refs/heads/prod" is no name of a branch`},
		{"an option", web, func(p *Push) { p.Branch = "--all" }, "git fetch: fatal: couldn't find remote ref refs/heads/--all"},
		{"no remote", web, func(p *Push) { p.Remote = "upstream" }, `it has no remote "upstream"`},
		{"an option as a remote", web, func(p *Push) { p.Remote = "--upload-pack=touch hooked" }, "given up after 2 attempts: git fetch: "},
		{"a remote that is a command", web, func(p *Push) { p.Remote = "ext::sh -c true" }, "given up after 2 attempts: git fetch: fatal: transport 'ext' not allowed"},
		{"no server", web, func(p *Push) { p.Remote = "https://user:hidden@localhost:1/x.git" }, "given up after 2 attempts: git fetch: fatal: unable to access 'https://localhost:1/x.git/'"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := to(checkout)
			p.Attempts = 2
			if c.push != nil {
				c.push(&p)
			}
			commit, err := c.change.Push(context.Background(), p)
			if err == nil || commit != "" || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("want %q, got %q, %v", c.want, commit, err)
			}
			if got := git(t, bare, "rev-parse", "main"); got != before {
				t.Errorf("the branch has moved to %s", got)
			}
		})
	}
}

// A push to a remote that always refuses must end after the attempts, with the remote's
// message.
func TestPushIsRejected(t *testing.T) {
	bare, checkout := remote(t, map[string]string{"compose.yml": "services: {web: {image: a}}\n"})
	log := filepath.Join(t.TempDir(), "log")
	hook := "#!/bin/sh\necho x >> " + log + "\nprintf 'the branch is \\033[31mprotected\\n' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bare, "hooks", "pre-receive"), []byte(hook), 0o700); err != nil { //nolint:gosec // a hook must be executable
		t.Fatal(err)
	}
	p := to(checkout)
	p.Attempts = 3
	_, err := inFile(t, "compose.yml", "web", image).Push(context.Background(), p)
	for _, want := range []string{"given up after 3 attempts: git push: ", "protected", "pre-receive hook declined"} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("want %q in one line, got %v", want, err)
		}
	}
	if tried, _ := os.ReadFile(log); bytes.Count(tried, []byte("\n")) != 3 {
		t.Errorf("want 3 attempts, got %q", tried)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := inFile(t, "compose.yml", "web", image).Push(ctx, p); err == nil {
		t.Error("what is cancelled must not go on")
	}
}
