package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckGo(t *testing.T) {
	cases := []struct {
		name, source, want string
	}{
		{"a verb passes", "// Load reads the file.\nfunc Load() {}", ""},
		{"no comment passes", "func Load() {}", ""},
		{"an unexported reason passes", "// CDK keys contain a colon.\nfunc load() {}", ""},
		{"a directive is no comment", "//go:noinline\nfunc Load() {}", ""},
		{"a definition", "// Load is the file.\nfunc Load() {}", `a.go:2: the word after "Load" is no verb`},
		{"an unexported definition", "// loads are the files.\nfunc loads() {}", `a.go:2: the word after "loads" is no verb`},
		{"a noun after the name", "// Load of the file.\nfunc Load() {}", `a.go:2: the word after "Load" is no verb`},
		{"the name alone", "// Load\nfunc Load() {}", `a.go:2: the word after "Load" is no verb`},
		{"a colon", "// load: the file.\nfunc load() {}", `a.go:2: load does something`},
		{"an article", "// The file as it is.\nfunc load() {}", `a.go:2: "The" starts a definition`},
		{"an exported name that is not named", "// Reads the file.\nfunc Load() {}", `a.go:2: the comment of an exported function starts with "Load"`},
		{"a method", "type t int\n// Load is a file.\nfunc (t) Load() {}", `a.go:3: the word after "Load" is no verb`},
		{"a predicate passes", "// Ready reports whether it runs.\nfunc Ready() bool { return true }", ""},
		{"a predicate", "// Ready tells if it runs.\nfunc Ready() bool { return true }", `a.go:2: Ready returns a bool`},
		{"a bool beside a value passes", "// Find finds it.\nfunc Find() (int, bool) { return 0, true }", ""},
		{"no noun", "// The names\n// are those\n// that count.\nvar names int", `a.go:3: "are those that" has no noun`},
		{"no noun in a function", "func f() {\n\t_ = 1 // it is what AWS says\n}", `a.go:3: "is what" has no noun`},
		{"a term in a comment", "// All files of\n// oth" + "ers.\nvar names int", `a.go:2: "files of oth` + `ers": say "untrusted files"`},
		{"a term in a message", "const text = \"it is made " + "anew\"", `a.go:2: "made ` + `anew": say "replaced"`},
	}
	for _, each := range cases {
		t.Run(each.name, func(t *testing.T) {
			requireProblem(t, "a.go", each.source, each.want)
		})
	}
}

func TestTheCommentOfATestIsASentence(t *testing.T) {
	source := "// The file must be read.\nfunc TestLoad() {}"
	requireProblem(t, "a_test.go", source, "")
	requireProblem(t, "a.go", source, "a.go:2: the comment of an exported function")
}

// requireProblem requires a problem that starts with want, or none where want is "".
func requireProblem(t *testing.T, path, source, want string) {
	t.Helper()
	problems, err := checkGo(path, []byte("package a\n"+source+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want == "" && len(problems) == 0 {
		return
	}
	if len(problems) != 1 || want == "" || !strings.HasPrefix(problems[0].String(), want) {
		t.Errorf("got %v, want %q", problems, want)
	}
}

func TestCheckBelowLeavesOutWhatIsNotYetClean(t *testing.T) {
	root := t.TempDir()
	bad := "package a\n\n// F is a function.\nfunc F() {}\n"
	for name, content := range map[string]string{
		"root.go":           bad,
		"README.md":         "It is\nmade " + "anew.\n",
		"clean/a.go":        bad,
		"other/a.go":        bad,
		"other/sub/a.go":    bad,
		"testdata/a.go":     bad,
		"node_modules/a.go": bad,
		"notes.txt":         "made " + "anew",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		except, want []string
	}{
		{nil, []string{"README.md:2", "clean/a.go:3", "other/a.go:3", "other/sub/a.go:3", "root.go:3"}},
		{[]string{"."}, []string{"README.md:2", "clean/a.go:3", "other/a.go:3", "other/sub/a.go:3"}},
		{[]string{"README.md", "other"}, []string{"clean/a.go:3", "root.go:3"}},
	}
	for _, each := range cases {
		problems, err := checkBelow(root, each.except)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, problem := range problems {
			name, err := filepath.Rel(root, problem.file)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s:%d", name, problem.line))
		}
		if strings.Join(got, " ") != strings.Join(each.want, " ") {
			t.Errorf("except %v: got %v, want %v", each.except, got, each.want)
		}
	}
}
