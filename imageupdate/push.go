package imageupdate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Push holds the destination of a change.
type Push struct {
	// Checkout is a git working tree. Push reads from it only the URL of a named remote.
	Checkout string
	// Remote is the name of a remote of the checkout, a URL or a folder.
	Remote, Branch string
	// Message is the commit message. Default: the service and the image.
	Message string
	// Author and Email name the author and the committer.
	Author, Email string
	// Attempts limits the tries while others push, too. Default: 1.
	Attempts int
}

// attemptTimeout limits the time of git in one attempt.
const attemptTimeout = 5 * time.Minute

// Push makes the change on top of the remote branch and pushes it as one commit. If somebody
// else pushed meanwhile, it starts again from the new state: no change of others is lost,
// and history stays linear. The id of the commit is "" if there was nothing to change.
//
// All of it happens in a temporary repository. Push does not touch the checkout and ignores
// its hooks and configuration; credentials come from git's global configuration and from the
// environment.
func (c Change) Push(ctx context.Context, p Push) (commit string, err error) {
	dir, err := os.MkdirTemp("", "composer-")
	if err != nil {
		return "", fmt.Errorf("a temporary folder cannot be made: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a left-over temporary folder harms nobody
	r := &bare{dir: dir, env: environment(p)}
	if r.url, err = p.url(ctx, r); err != nil {
		return "", err
	}
	r.ref = "refs/heads/" + p.Branch
	if _, err := r.git(ctx, nil, "check-ref-format", r.ref); err != nil {
		return "", fmt.Errorf("%q is no name of a branch", p.Branch)
	}
	if _, err := r.git(ctx, nil, "init", "--quiet", "--bare", "--template="); err != nil {
		return "", err
	}
	err = try(ctx, p.Attempts, func() (err error) {
		commit, err = c.attempt(ctx, r, p)
		return err
	})
	return commit, err
}

// remoteError is an error of the remote, which the next attempt may not meet.
type remoteError struct{ error }

// try repeats do until it returns no error of the remote.
func try(ctx context.Context, attempts int, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		var again *remoteError
		if !errors.As(err, &again) {
			return err
		}
		if attempt >= attempts {
			return fmt.Errorf("given up after %d attempts: %w", attempt, err)
		}
		if err := wait(ctx, attempt); err != nil {
			return err
		}
	}
}

// wait waits longer after each attempt, for a random time, so that competing pushes do not
// collide again.
func wait(ctx context.Context, attempt int) error {
	const first, longest = 200 * time.Millisecond, 10 * time.Second
	most := min(first<<min(attempt, 10), longest)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(most)):
		return nil
	}
}

// attempt makes the commit on the current branch. A refusal of the remote is a *remoteError.
func (c Change) attempt(ctx context.Context, r *bare, p Push) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	const base = "refs/heads/base"
	if _, err := r.git(ctx, nil, "fetch", "--quiet", "--no-tags", "--depth=1", "--", r.url, "+"+r.ref+":"+base); err != nil {
		return "", err
	}
	mode, text, err := r.file(ctx, base, c.File)
	if err != nil {
		return "", err
	}
	changed, err := c.apply(p.Branch+":"+c.File, text)
	if err != nil || text != nil && bytes.Equal(changed, text) {
		return "", err
	}
	commit, err := r.commit(ctx, base, mode, c.File, changed, p.message(c))
	if err != nil {
		return "", err
	}
	_, err = r.git(ctx, nil, "push", "--quiet", "--no-verify", "--", r.url, commit+":"+r.ref)
	return commit, err
}

func (p Push) message(c Change) string {
	if p.Message != "" {
		return p.Message
	}
	return fmt.Sprintf("%s: %s\n\n%s\n", c.Service, c.Image.Digest, c.Image)
}

var remoteName = regexp.MustCompile(`^\w[\w.-]*$`)

func (p Push) url(ctx context.Context, r *bare) (string, error) {
	if info, err := os.Stat(p.Remote); err == nil && info.IsDir() {
		return filepath.Abs(p.Remote)
	}
	if !remoteName.MatchString(p.Remote) {
		return p.Remote, nil
	}
	out, err := r.git(ctx, nil, "-C", p.Checkout, "remote", "get-url", "--", p.Remote)
	if err != nil {
		return "", fmt.Errorf("%s: it has no remote %q: %w", p.Checkout, p.Remote, err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// bare is the temporary repository of the commit.
type bare struct {
	dir, url, ref string
	env           []string
}

// environment returns the environment of git: no variables that name another repository, no
// prompts, messages in English, no transports that run a command of a URL, and no hooks.
func environment(p Push) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(repositoryVariables, name)
	})
	return append(env,
		"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=file:https:ssh:codecommit", "LC_ALL=C",
		"GIT_AUTHOR_NAME="+p.Author, "GIT_AUTHOR_EMAIL="+p.Email, "GIT_COMMITTER_NAME="+p.Author, "GIT_COMMITTER_EMAIL="+p.Email,
	)
}

// repositoryVariables lists the variables of git rev-parse --local-env-vars that name
// another repository.
var repositoryVariables = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NAMESPACE",
	"GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
}

// git runs a git command and returns its output.
func (r *bare) git(ctx context.Context, input []byte, args ...string) ([]byte, error) {
	options := []string{"--literal-pathspecs", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"}
	command := exec.CommandContext(ctx, "git", append(options, args...)...)
	var out, problems bytes.Buffer
	command.Dir, command.Env, command.Stdin, command.Stdout, command.Stderr = r.dir, r.env, bytes.NewReader(input), &out, &problems
	command.WaitDelay = time.Second
	err := command.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	if missing := (*exec.Error)(nil); errors.As(err, &missing) {
		return nil, fmt.Errorf("git is needed: %w", err)
	}
	err = fmt.Errorf("git %s: %s", args[0], gitMessage(problems.String(), err))
	if args[0] == "fetch" && !strings.Contains(problems.String(), "couldn't find remote ref") || args[0] == "push" {
		return nil, &remoteError{err}
	}
	return nil, err
}

var (
	userInfo    = regexp.MustCompile(`://[^/@\s]*@`)
	unprintable = regexp.MustCompile(`[^\PC\n]`)
)

// gitMessage returns git's message for an error, in one line, without the credentials of
// URLs.
func gitMessage(text string, err error) string {
	const longest = 2000
	text = userInfo.ReplaceAllString(unprintable.ReplaceAllString(text, " "), "://")
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" && !strings.HasPrefix(line, "hint:") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return err.Error()
	}
	text = strings.Join(lines, "; ")
	return text[:min(len(text), longest)]
}

// file returns the mode and the text of a file in a commit, "" and nil if it does not exist.
func (r *bare) file(ctx context.Context, commit, file string) (mode string, text []byte, err error) {
	out, err := r.git(ctx, nil, "ls-tree", "-z", "-l", "--full-tree", commit, "--", file)
	if err != nil {
		return "", nil, err
	}
	entry, _, _ := strings.Cut(string(out), "\t")
	fields := strings.Fields(entry) // mode, type, id, size
	if len(fields) == 0 {
		return "100644", nil, nil
	}
	if len(fields) != 4 || fields[1] != "blob" || !strings.HasPrefix(fields[0], "100") {
		return "", nil, fmt.Errorf("%s: it is no file, but a link or a folder", file)
	}
	text, err = r.git(ctx, nil, "cat-file", "blob", fields[2])
	if text == nil {
		text = []byte{}
	}
	return fields[0], text, err
}

// commit makes a commit that changes one file of its parent.
func (r *bare) commit(ctx context.Context, parent, mode, file string, text []byte, message string) (string, error) {
	if _, err := r.git(ctx, nil, "read-tree", parent); err != nil {
		return "", err
	}
	blob, err := r.id(ctx, string(text), "hash-object", "-w", "--stdin")
	if err != nil {
		return "", err
	}
	if _, err := r.git(ctx, nil, "update-index", "--add", "--cacheinfo", mode+","+blob+","+file); err != nil {
		return "", err
	}
	tree, err := r.id(ctx, "", "write-tree")
	if err != nil {
		return "", err
	}
	return r.id(ctx, message, "commit-tree", tree, "-p", parent, "-F", "-")
}

// id runs a git command whose output is the id of an object.
func (r *bare) id(ctx context.Context, input string, args ...string) (string, error) {
	out, err := r.git(ctx, []byte(input), args...)
	return strings.TrimSpace(string(out)), err
}
