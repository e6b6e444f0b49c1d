package imageupdate

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"composecdk/compose/load"
)

func writeFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil { //nolint:gosec // the mode is what the test is about
		t.Fatal(err)
	}
}

func readFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A file must keep its mode, and not be written if nothing changes.
func TestWriteInFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a", "compose.yml")
	writeFile(t, file, "services: {web: {image: a}}\n")
	c := inFile(t, "./a//compose.yml", "web", image)
	if changed, err := c.Write(dir); err != nil || !changed {
		t.Fatalf("want a change, got %v, %v", changed, err)
	}
	if got, want := readFile(t, file), "services: {web: {image: "+ref+"}}\n"; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
	before, err := os.Stat(file)
	if err != nil || before.Mode().Perm() != 0o640 {
		t.Errorf("the file must keep its mode, got %v, %v", before.Mode(), err)
	}
	if changed, err := c.Write(dir); err != nil || changed {
		t.Errorf("want no change, got %v, %v", changed, err)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file must not be written again: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("nothing else must be left in the folder, got %v", left)
	}
}

// The overlay must be a valid compose file with the image, whatever the name of the service.
func TestWriteInFolder(t *testing.T) {
	for _, service := range []string{"web", "123", "true", "null", "1e3", "0x1", "_a.b-c", "yes"} {
		t.Run(service, func(t *testing.T) {
			dir := t.TempDir()
			c := inFolder(t, "images/", service, image)
			for _, want := range []bool{true, false} {
				if changed, err := c.Write(dir); err != nil || changed != want {
					t.Fatalf("want %v, got %v, %v", want, changed, err)
				}
			}
			project, found := load.Files(context.Background(), load.Options{Files: []string{filepath.Join(dir, "images", service+".yaml")}})
			if found.HasErrors() || project.Services[service].Image != ref || len(project.Services) != 1 {
				t.Errorf("want a file with the image, got %v of\n%s", found, readFile(t, filepath.Join(dir, c.File)))
			}
		})
	}
	dir := t.TempDir()
	if _, err := inFolder(t, "images", "web", image).Write(dir); err != nil {
		t.Fatal(err)
	}
	want := "# Written by composer set-image: what is changed here does not last.\nservices:\n    web:\n        image: " + ref + "\n"
	if got := readFile(t, filepath.Join(dir, "images/web.yaml")); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestChangeIsOfTheCheckout(t *testing.T) {
	cases := []struct{ file, service, want string }{
		{"compose.yml", "", `"" is no name of a service`},
		{"compose.yml", "a/b", `"a/b" is no name of a service`},
		{"compose.yml", "..", `".." is no name of a service`},
		{"compose.yml", "-a", `"-a" is no name of a service`},
		{"compose.yml", "a\nb", "is no name of a service"},
		{"../compose.yml", "web", `"../compose.yml" is no file of the checkout`},
		{"a/../../compose.yml", "web", "is no file of the checkout"},
		{"/compose.yml", "web", "is no file of the checkout"},
		{"", "web", "is no file of the checkout"},
		{".", "web", "is no file of the checkout"},
		{".git/config", "web", "is no file of the checkout"},
		{"./.git/config", "web", "is no file of the checkout"},
		{".github/compose.yml", "web", ""},
	}
	for _, c := range cases {
		t.Run(c.file+" "+c.service, func(t *testing.T) {
			wantError(t, second(InFile(c.file, c.service, image)), c.want)
		})
	}
	for _, folder := range []string{"..", "/tmp", ".git"} {
		wantError(t, second(InFolder(folder, "web", image)), "is no file of the checkout")
	}
}

// A link must not redirect a change, inside or outside of the checkout.
func TestWriteFollowsNoLink(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(dir, "images/other.yaml"), "other")
	writeFile(t, filepath.Join(outside, "compose.yml"), "services: {web: {image: a}}")
	for link, target := range map[string]string{
		"images/web.yaml": "other.yaml", "linked": "images", "out": outside, "compose.yml": filepath.Join(outside, "compose.yml"),
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []Change{
		inFolder(t, "images", "web", image), inFolder(t, "linked", "web", image), inFolder(t, "out", "web", image), inFile(t, "compose.yml", "web", image),
		inFile(t, "linked/other.yaml", "web", image), inFile(t, "out/compose.yml", "web", image),
	} {
		changed, err := c.Write(dir)
		wantError(t, err, filepath.Join(dir, c.File)+": a link is not followed: name the file itself")
		if changed {
			t.Errorf("%s was changed", c.File)
		}
	}
	if readFile(t, filepath.Join(dir, "images/other.yaml")) != "other" || readFile(t, filepath.Join(outside, "compose.yml")) != "services: {web: {image: a}}" {
		t.Error("a link was followed")
	}
}

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "large.yml"), "#"+string(bytes.Repeat([]byte("x"), maxFile)))
	writeFile(t, filepath.Join(dir, "file"), "")
	cases := []struct {
		name, dir string
		change    Change
		want      string
	}{
		{"no file", dir, inFile(t, "compose.yml", "web", image), "compose.yml: no such file"},
		{"a folder", dir, inFolder(t, "file", "web", image), "file/web.yaml: "},
		{"too large", dir, inFile(t, "large.yml", "web", image), "large.yml: services.web: a compose file is text"},
		{"no checkout", filepath.Join(dir, "nowhere"), inFile(t, "compose.yml", "web", image), "nowhere\": no such folder"},
		{"a folder in place of a file", filepath.Dir(dir), inFile(t, filepath.Base(dir), "web", image), "it is no file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed, err := c.change.Write(c.dir)
			wantError(t, err, c.want)
			if changed {
				t.Error("something was changed")
			}
		})
	}
}
