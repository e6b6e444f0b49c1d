package programs

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/gate"
	"composecdk/test/fixture"
)

// pages returns the text of every page of the repository, by its path there.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(fixture.Repository, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != fixture.Repository && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "cdk.out"):
			return filepath.SkipDir
		case !d.Type().IsRegular() || filepath.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		texts[strings.TrimPrefix(path, fixture.Repository+"/")] = string(text)
		return err
	})
	if err != nil || len(texts) < 10 {
		t.Fatalf("%d pages: %v", len(texts), err)
	}
	return texts
}

// The README must stay an introduction; everything else has a page.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	const most = 9000
	if n := len(pages(t)["README.md"]); n >= most {
		t.Errorf("README.md has %d bytes, at most %d fit: move a part to a page of docs", n, most-1)
	}
}

// quoted is a block of a page that quotes a file of the repository.
var quoted = regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```(\\w*)\n(.*?)```\n")

// The examples in the pages must equal the files that the tests run. -update copies the
// files into the pages.
func TestPagesQuoteFiles(t *testing.T) {
	blocks := 0
	for page, text := range pages(t) {
		fresh := quoted.ReplaceAllStringFunc(text, func(block string) string {
			blocks++
			m := quoted.FindStringSubmatch(block)
			file, err := os.ReadFile(filepath.Join(fixture.Repository, m[1]))
			if err != nil {
				t.Fatalf("%s quotes a file that is not there: %v", page, err)
			}
			return "<!-- file: " + m[1] + " -->\n```" + m[2] + "\n" + string(file) + "```\n"
		})
		if n := strings.Count(text, "<!-- file: "); n != len(quoted.FindAllString(text, -1)) && !strings.Contains(text, "`<!-- file: ") {
			t.Errorf("%s names a file without a block after it", page)
		}
		if fresh == text {
			continue
		}
		if !*fixture.Update {
			t.Errorf("%s does not show its files as they are: make golden copies them", page)
			continue
		}
		if err := os.WriteFile(filepath.Join(fixture.Repository, page), []byte(fresh), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if blocks == 0 {
		t.Error("no page quotes a file")
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	inLink  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors returns the anchors that GitHub gives to the headings of a page.
func anchors(text string) []string {
	var found []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		slug := noSlug.ReplaceAllString(strings.ToLower(inLink.ReplaceAllString(m[1], "$1")), "")
		found = append(found, strings.ReplaceAll(slug, " ", "-"))
	}
	return found
}

// Each link must lead to a file of the repository, and to a heading where it names one; a
// reader must reach every page from the README, and every decision from their index.
func TestLinks(t *testing.T) {
	t.Parallel()
	all := pages(t)
	linked := map[string][]string{}
	for page, text := range all {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, hasAnchor := strings.Cut(m[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}
			info, err := os.Stat(filepath.Join(fixture.Repository, target))
			if err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
				continue
			}
			if info.IsDir() {
				target = filepath.Join(target, "README.md")
			}
			linked[page] = append(linked[page], target)
			if hasAnchor && !slices.Contains(anchors(all[target]), anchor) {
				t.Errorf("%s links to %s: %s has the headings %s", page, m[1], target, strings.Join(anchors(all[target]), ", "))
			}
		}
	}
	reached := []string{"README.md"}
	for i := 0; i < len(reached); i++ {
		for _, target := range linked[reached[i]] {
			if all[target] != "" && !slices.Contains(reached, target) {
				reached = append(reached, target)
			}
		}
	}
	const decisions = "docs/decisions"
	for page := range all {
		if !slices.Contains(reached, page) {
			t.Errorf("no link leads from README.md to %s", page)
		}
		if filepath.Dir(page) == decisions && filepath.Base(page) != "README.md" && !slices.Contains(linked[decisions+"/README.md"], page) {
			t.Errorf("the index of decisions does not name %s", page)
		}
	}
}

var (
	shell  = regexp.MustCompile("(?ms)^ *```sh\\n(.*?)^ *```$")
	inline = regexp.MustCompile("`([^`]+)`")
)

// codeOf returns the code of a page: blocks of commands, and code within lines.
func codeOf(text string) []string {
	found := submatches(shell, text)
	for _, code := range submatches(inline, fenced.ReplaceAllString(text, "")) {
		found = append(found, strings.ReplaceAll(code, "\n", " "))
	}
	return found
}

// matches returns the first group of each match of a pattern.
func matches(pattern, text string) []string { return submatches(regexp.MustCompile(pattern), text) }

func submatches(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// repositoryFile returns the text of a file of the repository.
func repositoryFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixture.Repository, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each task of make, command and flag of composer, setting of the CDK context, test and
// file that a page names must exist.
func TestPagesNameWhatExists(t *testing.T) {
	t.Parallel()
	tasks := matches(`(?m)^([a-z0-9-]+):.*##`, repositoryFile(t, "Makefile"))
	settings := append(matches(`setting\{"(\w+)"`, repositoryFile(t, "context.go")), "throwaway")
	composer := fixture.Program(t, "composer")
	help := map[string]string{}
	for _, command := range matches(`(?m)^  ([a-z-]+)  +[A-Z]`, string(fixture.Output(t, exec.Command(composer, "help")))) {
		help[command] = string(fixture.Output(t, exec.Command(composer, "help", command)))
	}
	if len(tasks) < 10 || len(settings) < 10 || len(help) < 8 {
		t.Fatalf("tasks %v, settings %v, commands %d", tasks, settings, len(help))
	}
	tests := testNames(t)
	for page, text := range pages(t) {
		for _, code := range codeOf(text) {
			for _, task := range matches(`(?:^|[^\w-])make ([a-z][a-z0-9-]*)`, code) {
				if !slices.Contains(tasks, task) {
					t.Errorf("%s: make has no task %s", page, task)
				}
			}
			for line := range strings.Lines(strings.ReplaceAll(code, "\\\n", "")) {
				command := slices.Concat(matches(`(?:^|[ /])composer ([a-z][a-z-]*)`, line), []string{""})[0]
				if command != "" && help[command] == "" {
					t.Errorf("%s: composer has no command %s", page, command)
				}
				for _, flag := range matches(`(--[a-z][a-z-]*)`, line) {
					if command != "" && !regexp.MustCompile(flag+`\b`).MatchString(help[command]) {
						t.Errorf("%s: composer %s has no flag %s", page, command, flag)
					}
				}
			}
			for _, setting := range matches(`-c (\w+)=`, code) {
				if !slices.Contains(settings, setting) {
					t.Errorf("%s: there is no setting -c %s", page, setting)
				}
			}
			for _, name := range matches(`^((?:Test|Fuzz)[A-Z]\w*\*?)$`, code) {
				if !slices.ContainsFunc(tests, func(test string) bool {
					return test == name || strings.HasSuffix(name, "*") && strings.HasPrefix(test, strings.TrimSuffix(name, "*"))
				}) {
					t.Errorf("%s: there is no test %s", page, name)
				}
			}
			for _, path := range matches(`^((?:[\w.-]+/)+[\w.-]+\.(?:go|json|mjs|py|sh|tsv|txt))$`, code) {
				if !exists(path) && !exists(filepath.Join("test", path)) && !exists(filepath.Join(filepath.Dir(page), path)) {
					t.Errorf("%s: there is no file %s", page, path)
				}
			}
		}
	}
}

// exists reports whether the repository has a file.
func exists(path string) bool {
	_, err := os.Stat(filepath.Join(fixture.Repository, path))
	return err == nil
}

// goFiles returns the text of all Go files of the repository, by path.
func goFiles(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(fixture.Repository, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".venv" || d.Name() == ".git"):
			return filepath.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// testNames returns the names of all tests and fuzz targets of the repository.
func testNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for path, text := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") {
			names = append(names, matches(`(?m)^func ((?:Test|Fuzz)\w+)\(`, text)...)
		}
	}
	return names
}

// The table of supported x-resources must be right: each kind is deployed, and each
// section of ECS ComposeX without a kind is an error.
func TestSupportTable(t *testing.T) {
	t.Parallel()
	_, row, ok := strings.Cut(pages(t)["README.md"], "\n| x-resources |")
	if !ok {
		t.Fatal("README.md has no row of x-resources")
	}
	row, _, _ = strings.Cut(row, "\n")
	deployed, unsupported, _ := strings.Cut(row, " | ")
	var keys []string
	for _, k := range kinds.All() {
		keys = append(keys, k.Key)
	}
	if got := matches("`(x-[a-z0-9_]+)`", deployed); !slices.Equal(got, keys) {
		t.Errorf("README.md: deployed are %v, want %v", got, keys)
	}
	refused := matches("`(x-[a-z0-9_]+)`", unsupported)
	var sections strings.Builder
	for _, key := range refused {
		sections.WriteString(key + ": {}\n")
	}
	_, _, found := fixture.Model(fixture.Write(t, "services: {web: {image: nginx}}\n"+sections.String()))
	for _, key := range refused {
		if !slices.ContainsFunc(found, func(d compose.Diagnostic) bool { return d.Code == "unsupported-"+key }) {
			t.Errorf("README.md: %s is not reported as not supported", key)
		}
	}
}

// The number of rules of the gate must be right.
func TestNumberOfRules(t *testing.T) {
	t.Parallel()
	if want := fmt.Sprintf("of its %d rules", len(gate.Rules)); !strings.Contains(strings.ReplaceAll(pages(t)["docs/usage.md"], "\n", " "), want) {
		t.Errorf("docs/usage.md does not say %q", want)
	}
}

// Each page that a Go file names must exist.
func TestCommentsNamePages(t *testing.T) {
	t.Parallel()
	named := 0
	for path, text := range goFiles(t) {
		for _, page := range matches(`\b(docs/[\w/-]+\.md)\b`, text) {
			named++
			if !exists(page) {
				t.Errorf("%s: there is no page %s", path, page)
			}
		}
	}
	if named == 0 {
		t.Error("no comment names a page")
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
