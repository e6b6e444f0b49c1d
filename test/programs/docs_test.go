package programs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// quoted is a block of a page that quotes a file of the repository.
var quoted = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```(\\w*)\n(.*?)```\n")

// TestPagesQuoteFiles holds the examples in the documentation equal to
// the files that the tests run. -update copies the files into the pages.
func TestPagesQuoteFiles(t *testing.T) {
	pages := 0
	for _, page := range []string{"../../README.md", "../../constructs/xresource/README.md", "../../examples/blog/README.md", "../../docs/pipelines.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		fresh := quoted.ReplaceAllStringFunc(string(text), func(block string) string {
			pages++
			m := quoted.FindStringSubmatch(block)
			file, err := os.ReadFile(filepath.Join("../..", m[1]))
			if err != nil {
				t.Fatalf("%s quotes a file that is not there: %v", page, err)
			}
			return "<!-- file: " + m[1] + " -->\n```" + m[2] + "\n" + string(file) + "```\n"
		})
		if fresh == string(text) {
			continue
		}
		if !*fixture.Update {
			t.Errorf("%s does not show its files as they are: make golden copies them", page)
			continue
		}
		if err := os.WriteFile(page, []byte(fresh), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if pages == 0 {
		t.Error("no page quotes a file")
	}
}

// link is a link of a page to a file of the repository.
var link = regexp.MustCompile(`\]\(([^)#:]+)\)`)

// TestLinks finds links to files that are not there, and pages of decisions that the
// index does not name.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/decisions/*.md")
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile("../../docs/decisions/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if name := filepath.Base(page); name != "README.md" && !strings.Contains(string(index), "]("+name+")") {
			t.Errorf("the index of decisions does not name %s", name)
		}
	}
	for _, page := range append(pages, "../../README.md", "../../docs/pipelines.md", "../../constructs/xresource/README.md", "../../examples/blog/README.md", "../../test/e2e/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

// offline is a block of commands of a page that need no credentials.
var offline = regexp.MustCompile("(?s)<!-- offline -->\n```sh\n(.*?)```\n")

// TestCommandsOfThePages runs the commands of docs/pipelines.md that need no
// credentials, beside a copy of the example.
func TestCommandsOfThePages(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/pipelines.md")
	if err != nil {
		t.Fatal(err)
	}
	program := fixture.Program(t, "composecdk")
	dir := fixture.Folder(t, map[string]string{"cdk.json": `{"app": "` + program + `"}`})
	if err := os.CopyFS(filepath.Join(dir, "examples/blog"), os.DirFS("../../examples/blog")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fixture.Program(t, "composer"), filepath.Join(dir, "bin/composer")); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, block := range offline.FindAllStringSubmatch(string(page), -1) {
		commands := exec.Command("bash", "-euc", strings.ReplaceAll(block[1], "npx cdk ", "cdk "))
		commands.Dir = dir
		if out, err := commands.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s\n%s", err, block[1], out)
		}
		ran++
	}
	for _, made := range []string{"cdk.out/Cd.template.json", "blog.svg", "examples/blog/images/app01.yaml"} {
		if _, err := os.Stat(filepath.Join(dir, made)); err != nil {
			t.Error(err)
		}
	}
	if ran == 0 {
		t.Error("the page has no command that works offline")
	}
}
