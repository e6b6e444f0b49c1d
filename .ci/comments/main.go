// Command comments checks that the comments of functions say what they do, and that all
// texts use the terms of the field. See CONTRIBUTING.md.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	files, err := exec.Command("git", "ls-files", "*.go", "*.md").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "comments: git ls-files:", err)
		os.Exit(2)
	}
	found := 0
	for _, file := range strings.Fields(string(files)) {
		for _, problem := range check(file) {
			fmt.Println(problem)
			found++
		}
	}
	if found > 0 {
		fmt.Fprintf(os.Stderr, "comments: %d to mend; CONTRIBUTING.md says how\n", found)
		os.Exit(1)
	}
}

// check returns the problems of one file as file:line: message.
func check(file string) []string {
	text, err := os.ReadFile(filepath.Clean(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed, and not committed yet
	}
	if err != nil {
		return []string{err.Error()}
	}
	if !strings.HasSuffix(file, ".go") {
		return foreignTerms(file, text)
	}
	return append(functions(file, text), foreignTerms(file, text)...)
}

// instead maps own words to the terms of the field.
var instead = []struct {
	own  *regexp.Regexp
	term string
}{
	{regexp.MustCompile(`(?i)\bmade anew\b`), "replaced"},
	{regexp.MustCompile(`(?i)\bthrow-away\b`), "ephemeral"},
	{regexp.MustCompile(`(?i)\b(?:in|a|of) circles?\b`), "cycle"},
	{regexp.MustCompile(`(?i)\bfiles? of others\b`), "untrusted files"},
}

// foreignTerms reports own words where the field has a term.
func foreignTerms(file string, text []byte) []string {
	var problems []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		for _, word := range instead {
			if own := word.own.FindString(lines.Text()); own != "" && !strings.HasPrefix(file, ".ci/comments/") {
				problems = append(problems, fmt.Sprintf("%s:%d: %q: the term is %q", file, n, own, word.term))
			}
		}
	}
	return problems
}

// functions reports the comments of functions that do not begin with what they do.
func functions(file string, text []byte) []string {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, text, parser.ParseComments)
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, declaration := range parsed.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || f.Doc == nil || isTest(file, f.Name.Name) {
			continue
		}
		if message := judge(f.Name.Name, predicate(f), strings.Join(strings.Fields(f.Doc.Text()), " ")); message != "" {
			problems = append(problems, fmt.Sprintf("%s:%d: %s: %s", file, set.Position(f.Pos()).Line, f.Name.Name, message))
		}
	}
	return problems
}

// isTest reports whether a function is a test, whose comment states an obligation.
func isTest(file, name string) bool {
	return strings.HasSuffix(file, "_test.go") && regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)`).MatchString(name)
}

// predicate reports whether a function returns one bool and nothing else.
func predicate(f *ast.FuncDecl) bool {
	results := f.Type.Results
	if results == nil || len(results.List) != 1 || len(results.List[0].Names) > 1 {
		return false
	}
	name, ok := results.List[0].Type.(*ast.Ident)
	return ok && name.Name == "bool"
}

var (
	// verb is a verb in the third person.
	verb = regexp.MustCompile(`^(?:[a-z]+s|can|may|must),?$`)
	// noVerb are words in -s that are no verbs, or define instead of telling.
	noVerb = regexp.MustCompile(`^(?:is|was|its|this|thus|plus|as|has|always|means|stands)$`)
	// headless is a pronoun without a noun at the start of a definition.
	headless = regexp.MustCompile(`\b(?:is|are|was|were|returns|lists) (?:that|those|the one|the ones)\b`)
)

// judge returns what is wrong with the comment of a function, or "".
func judge(name string, predicate bool, comment string) string {
	first, rest, _ := strings.Cut(comment, " ")
	second, after, _ := strings.Cut(rest, " ")
	sentence, _, _ := strings.Cut(comment, ". ")
	switch {
	case first != name:
		return "the comment begins with the name of the function"
	case predicate && !reportsWhether(second, after):
		return `the comment of a predicate says "reports whether"`
	case !verb.MatchString(second) || noVerb.MatchString(second):
		return fmt.Sprintf("the comment says what the function does, a verb first, not %q", second)
	case headless.MatchString(sentence):
		return fmt.Sprintf("%q has no subject: name it", headless.FindString(sentence))
	default:
		return ""
	}
}

// reportsWhether reports whether a comment goes on as that of a predicate: what else the
// function does may come first.
func reportsWhether(second, after string) bool {
	return second == "reports" && strings.HasPrefix(after, "whether") || strings.Contains(after, "reports whether")
}
