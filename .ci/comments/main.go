// Command comments keeps comments readable. It reads the Go files and the *.md files below
// the folders of its arguments and prints, as file:line: message:
//
//   - a function's comment that defines a noun instead of starting with a verb;
//   - a predicate's comment that does not say "reports whether";
//   - a pronoun without a noun, as in "the names are those" with a relative clause;
//   - a word of our own for something that the field has a term for.
//
// It exits with 1 where it found something.
//
//	go run .ci/comments/main.go ./...
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// notYetClean lists the files and folders that are left out until somebody has mended them.
// The entry "." leaves out the files of the root package, not its folders.
var notYetClean = []string{
	".",
	"README.md",
	"compose",
	"constructs",
	"docs",
	"pipelines",
	"stacks",
	"test",
}

// generated lists the folders whose files nobody writes here.
var generated = []string{".git", ".venv", "bin", "cdk.out", "node_modules", "testdata"}

// terms maps a word of our own to the field's.
var terms = []struct {
	pattern *regexp.Regexp
	message string
}{
	{regexp.MustCompile(`(?i)\bmade\s+anew\b`), `say "replaced"`},
	{regexp.MustCompile(`(?i)\bthrow-aways?\b`), `say "ephemeral"`},
	{regexp.MustCompile(`(?i)\bfiles\s+of\s+others\b`), `say "untrusted files"`},
	{regexp.MustCompile(`(?i)\bin\s+a\s+circle\b`), `say "cycle"`},
	{regexp.MustCompile(`(?i)\ba\s+circle\s+of\b`), `say "a cycle of"`},
}

// headless matches a pronoun that stands where the reader needs a noun.
var headless = regexp.MustCompile(`(?i)\b(?:is|are|be|being)\s+(?:what\s|that\s+of\b|the\s+ones?\s+(?:of|that|which)\b|those\s+(?:of|that|which|who|whose|with|in)\b)` +
	`|\bthose\s+of\s+(?:which|whom)\b`)

// notVerbs lists words that end in -s and are no verb, or a verb that only defines.
var notVerbs = []string{"is", "was", "this", "its", "as", "thus", "always", "does", "us"}

// otherVerbs lists verbs that do not end in -s.
var otherVerbs = []string{"must", "may", "can"}

func main() {
	flag.Parse()
	found := 0
	for _, root := range flag.Args() {
		problems, err := checkBelow(strings.TrimSuffix(root, "/..."), notYetClean)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, each := range problems {
			fmt.Println(each)
		}
		found += len(problems)
	}
	if found > 0 {
		os.Exit(1)
	}
}

// A problem prints as file:line: message.
type problem struct {
	file    string
	line    int
	message string
}

func (p problem) String() string { return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.message) }

// checkBelow checks the files below root in the order of their names. It leaves out each path of
// except, relative to root, and all below it.
func checkBelow(root string, except []string) ([]problem, error) {
	var problems []problem
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(generated, entry.Name()) || name != "." && slices.Contains(except, name) {
				return filepath.SkipDir
			}
			return nil
		}
		goFile, text := strings.HasSuffix(name, ".go"), strings.HasSuffix(name, ".md")
		inRoot := goFile && filepath.Dir(name) == "." && slices.Contains(except, ".")
		if !goFile && !text || inRoot || slices.Contains(except, name) {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if text {
			problems = append(problems, checkTerms(path, string(content), 1)...)
			return nil
		}
		more, err := checkGo(path, content)
		problems = append(problems, more...)
		return err
	})
	return problems, err
}

func checkGo(path string, content []byte) ([]problem, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, content, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	line := func(node ast.Node) int { return files.Position(node.Pos()).Line }
	var problems []problem
	for _, group := range file.Comments {
		text := group.Text()
		problems = append(problems, checkTerms(path, text, line(group))...)
		for _, at := range headless.FindAllStringIndex(text, -1) {
			problems = append(problems, problem{path, line(group) + newlines(text[:at[0]]),
				fmt.Sprintf("%q has no noun: name the thing", oneLine(text[at[0]:at[1]]))})
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.BasicLit:
			if text, err := strconv.Unquote(node.Value); err == nil && node.Kind == token.STRING {
				problems = append(problems, checkTerms(path, text, line(node))...)
			}
		case *ast.FuncDecl:
			// A test's comment is an obligation, a whole sentence ("a rule must …").
			if message := checkFunction(node); message != "" && !isTest(path, node.Name.Name) {
				problems = append(problems, problem{path, line(node.Doc), message})
			}
		}
		return true
	})
	slices.SortStableFunc(problems, func(a, b problem) int { return a.line - b.line })
	return problems, nil
}

func checkTerms(path, text string, line int) []problem {
	var problems []problem
	for _, term := range terms {
		for _, at := range term.pattern.FindAllStringIndex(text, -1) {
			problems = append(problems, problem{path, line + newlines(text[:at[0]]),
				fmt.Sprintf("%q: %s", oneLine(text[at[0]:at[1]]), term.message)})
		}
	}
	return problems
}

func newlines(text string) int { return strings.Count(text, "\n") }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// isTest reports whether go test runs the function called name.
func isTest(path, name string) bool {
	return strings.HasSuffix(path, "_test.go") &&
		slices.ContainsFunc([]string{"Test", "Fuzz", "Benchmark", "Example"}, func(prefix string) bool {
			return strings.HasPrefix(name, prefix)
		})
}

// checkFunction returns the reason why the comment of function reads badly, "" where it
// does not or where there is none.
func checkFunction(function *ast.FuncDecl) string {
	name := function.Name.Name
	words := strings.Fields(function.Doc.Text())
	if len(words) == 0 {
		return ""
	}
	switch {
	case words[0] == name+":":
		return fmt.Sprintf("%s does something: write \"%s\" and a verb", name, name)
	case words[0] == name && (len(words) == 1 || !isVerb(words[1])):
		return fmt.Sprintf("the word after %q is no verb that tells what the function does", name)
	case words[0] != name && function.Name.IsExported():
		return fmt.Sprintf("the comment of an exported function starts with %q and a verb", name)
	case slices.Contains([]string{"the", "those", "that"}, strings.ToLower(words[0])):
		return fmt.Sprintf("%q starts a definition: start with a verb or say why", words[0])
	case returnsOnlyBool(function.Type) && !strings.Contains(strings.Join(words, " "), "reports whether"):
		return fmt.Sprintf("%s returns a bool: it \"reports whether\"", name)
	}
	return ""
}

// isVerb reports whether word looks like a verb in the third person.
func isVerb(word string) bool {
	word = strings.TrimRight(word, ",;:.")
	return slices.Contains(otherVerbs, word) || strings.HasSuffix(word, "s") && !slices.Contains(notVerbs, word) &&
		word == strings.ToLower(word) && !strings.HasSuffix(word, "'s")
}

// returnsOnlyBool reports whether a function has one result, a bool.
func returnsOnlyBool(function *ast.FuncType) bool {
	if function.Results == nil || function.Results.NumFields() != 1 {
		return false
	}
	result, ok := function.Results.List[0].Type.(*ast.Ident)
	return ok && result.Name == "bool"
}
