package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const (
	uri  = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/myapps/app01"
	hash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func TestSetImage(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "compose.yml", "services:\n  app01: {image: a} # ours\n")
	write(t, "shared.yml", "services:\n  app01: &a {image: a}\n  b: *a\n")
	write(t, "build_info.yml", "service_name: app01\nrepo_name: myapps/app01\nimage_tag: "+hash+"\n")
	write(t, "latest.yml", "service_name: app01\nrepo_name: blog-app-01\nimage_tag: latest\n")
	write(t, "large.yml", strings.Repeat("#", maxSmallFile+1))
	image := []string{"--service", "app01", "--image", uri + "@" + hash}
	cases := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string
	}{
		{"an image", append(image, "--file", "compose.yml"), 0, "compose.yml: the image of app01 is now " + uri + "@" + hash + "\n", ""},
		{"again", append(image, "--file", "compose.yml"), 0, "compose.yml: the image of app01 is already " + uri + "@" + hash + "\n", ""},
		{"from a build", []string{"--service", "app01", "--build-info", "build_info.yml", "--repository", uri, "--file", "compose.yml"}, 0, "is already", ""},
		{"a file per service", append(image, "--overlay"), 0, "images/app01.yaml: the image of app01 is now", ""},
		{"another folder", append(image, "--overlay", "--images", "digests/"), 0, "digests/app01.yaml: the image", ""},
		{"a diagnostic", append(image, "--file", "shared.yml"), 1, "", "shared.yml:3:6: services.app01: the alias *a repeats the image of \"app01\" here, which would change with it [image-shared]\n     3 |   b: *a\n       |      ^~\n       = give each an image of its own\n"},
		{"no service of the file", []string{"--service", "app1", "--image", uri + "@" + hash, "--file", "compose.yml"}, 1, "", "did you mean \"app01\"?"},
		{"a tag", []string{"--service", "app01", "--image", uri + ":1", "--file", "compose.yml"}, 2, "", "app01:1\" has no digest"},
		{"another repository", append(image, "--file", "compose.yml", "--repository", "other"), 2, "", "--image: it is not of the repository other"},
		{"the original's tag", []string{"--service", "app01", "--build-info", "latest.yml", "--repository", uri, "--file", "compose.yml"}, 2, "", "latest.yml: image_tag is \"latest\""},
		{"a build of another", []string{"--service", "app02", "--build-info", "build_info.yml", "--file", "compose.yml"}, 2, "", "build_info.yml: service_name is \"app01\", and not \"app02\""},
		{"no build", []string{"--service", "app01", "--build-info", "nowhere", "--file", "compose.yml"}, 2, "", "nowhere: no such file"},
		{"a folder as a build", []string{"--service", "app01", "--build-info", ".", "--file", "compose.yml"}, 2, "", ".: it cannot be read"},
		{"a large build", []string{"--service", "app01", "--build-info", "large.yml", "--file", "compose.yml"}, 2, "", "large.yml: it is larger than 64 KiB"},
		{"no YAML as a build", []string{"--service", "app01", "--build-info", "setimage.go", "--file", "compose.yml"}, 2, "", "setimage.go: "},
		{"no file", append(image, "--file", "nowhere.yml"), 2, "", "nowhere.yml: no such file"},
		{"no author", append(image, "--file", "compose.yml", "--push", "--author", "nobody"), 2, "", "--author is \"nobody\""},
		{"no remote", append(image, "--file", "compose.yml", "--push"), 2, "", "no remote \"origin\""},
		{"neither", image, 2, "", "at least one of the flags in the group [file overlay] is required"},
		{"both", append(image, "--file", "nowhere.yml", "--overlay"), 0, "images/app01.yaml: the image of app01 is already", ""},
		{"no service", []string{"--image", uri + "@" + hash, "--file", "compose.yml"}, 2, "", "\"service\" not set"},
		{"no image", []string{"--service", "app01", "--file", "compose.yml"}, 2, "", "[image build-info] is required"},
		{"an argument", append(image, "compose.yml"), 2, "", "unknown command \"compose.yml\""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wantRun(t, append([]string{"set-image"}, c.args...), c.status, c.stdout, c.stderr)
		})
	}
	if text, err := os.ReadFile("compose.yml"); err != nil || string(text) != "services:\n  app01: {image: "+uri+"@"+hash+"} # ours\n" {
		t.Errorf("compose.yml became %q, %v", text, err)
	}
}

func wantRun(t *testing.T, args []string, status int, wantOut, wantErr string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(args, &stdout, &stderr); got != status {
		t.Errorf("want exit status %d, got %d", status, got)
	}
	if !strings.Contains(stdout.String(), wantOut) || (wantOut == "") != (stdout.Len() == 0) {
		t.Errorf("standard output must hold %q, got %s", wantOut, stdout.String())
	}
	if !strings.Contains(stderr.String(), wantErr) || (wantErr == "") != (stderr.Len() == 0) {
		t.Errorf("standard error must hold %q, got %s", wantErr, stderr.String())
	}
}

func TestSetImagePushes(t *testing.T) {
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	bare := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", bare, "-c", "user.name=a", "-c", "user.email=a@localhost"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet", "--bare", "--initial-branch=main")
	git("update-ref", "refs/heads/main", git("commit-tree", "-m", "first", git("write-tree")))
	args := []string{"set-image", "--overlay", "--service", "app01", "--image", uri + "@" + hash, "--push", "--remote", bare, "--message", "a release", "--author", "Ann Bee <a@b.example>"}
	wantRun(t, args, 0, "images/app01.yaml: the image of app01 is now (commit ", "")
	wantRun(t, args, 0, "images/app01.yaml: the image of app01 is already "+uri, "")
	if got, want := git("log", "-1", "--format=%an %ae %s", "--name-only", "main"), "Ann Bee a@b.example a release\n\nimages/app01.yaml"; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}
