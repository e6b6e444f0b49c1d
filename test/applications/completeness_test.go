//go:build !race

package applications

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/compose/kinds"
	"composecdk/constructs/xresource"
	"composecdk/test/fixture"
)

const kindsDir = "../../constructs/xresource"

// selectedKinds returns the kinds of x-resources, or the one that the tests are restricted to.
func selectedKinds(t *testing.T) []*kinds.Kind {
	t.Helper()
	all := slices.DeleteFunc(slices.Clone(kinds.All()), func(k *kinds.Kind) bool { return !fixture.Chosen(k.Key) })
	if len(all) == 0 {
		t.Fatalf("there is no kind %s", fixture.Kind())
	}
	return all
}

// Every kind of x-resource must have a golden case named after its key, a
// fixture with its mistakes, and a section in the documentation.
func TestEveryKindIsComplete(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(kindsDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, k := range kinds.All() {
		keys = append(keys, k.Key)
	}
	equal(t, "the kinds that can be built", xresource.Keys(), keys)
	for _, k := range selectedKinds(t) {
		name := strings.TrimPrefix(k.Key, "x-")
		for what, path := range map[string]string{
			"golden case": filepath.Join(goldenDir, k.Key, "compose.yaml"),
			"fixture":     filepath.Join("../../compose/kinds/testdata", name+".yml"),
			"pure half":   filepath.Join("../../compose/kinds", name+".go"),
			"CDK half":    filepath.Join(kindsDir, name+".go"),
		} {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s has no %s %s", k.Key, what, path)
			}
		}
		if !strings.Contains(string(readme), "\n## "+k.Key+"\n") {
			t.Errorf("%s has no section in README.md", k.Key)
		}
		for _, table := range []string{"properties", "access", "values"} {
			if !strings.Contains(string(readme), "<!-- "+table+" "+k.Key+" -->") {
				t.Errorf("README.md has no table of the %s of %s", table, k.Key)
			}
		}
		golden, err := os.ReadFile(filepath.Join(goldenDir, k.Key, "compose.yaml"))
		if err != nil {
			continue
		}
		for scope, profiles := range k.Profiles {
			for profile := range profiles {
				access := "Access: " + profile
				if scope != "" {
					access = "Access: {" + scope + ": " + profile + "}"
				}
				if !regexp.MustCompile(regexp.QuoteMeta(access) + `\b|` + regexp.QuoteMeta(access) + "[,}\n]").Match(golden) {
					t.Errorf("the golden case of %s has no %s", k.Key, access)
				}
			}
		}
	}
}

// generated is a part of the README that is made from the code, between two
// comments: <!-- access x-sqs --> and <!-- end -->.
var generated = regexp.MustCompile(`(?s)<!-- (properties|access|values|code) (\S+)(?: ([^>]*?))? -->\n.*?<!-- end -->`)

// The tables and excerpts in the documentation must be those of the code;
// -update rewrites them.
func TestDocumentedKinds(t *testing.T) {
	path := filepath.Join(kindsDir, "README.md")
	readme, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	made := generated.ReplaceAllStringFunc(string(readme), func(part string) string {
		m := generated.FindStringSubmatch(part)
		head, _, _ := strings.Cut(part, "\n")
		return head + "\n" + generate(t, m[1], m[2], m[3]) + "<!-- end -->"
	})
	fixture.Golden(t, path, made)
}

func generate(t *testing.T, what, of, arguments string) string {
	t.Helper()
	if what == "code" {
		return excerpt(t, of, arguments)
	}
	i := slices.IndexFunc(kinds.All(), func(k *kinds.Kind) bool { return k.Key == of })
	if i < 0 {
		t.Fatalf("README.md: there is no kind %s", of)
	}
	k := kinds.All()[i]
	return map[string]func(*kinds.Kind) string{
		"properties": propertiesTable, "access": accessTable, "values": valuesTable,
	}[what](k)
}

func propertiesTable(k *kinds.Kind) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| property | default |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(k.Defaults)) {
		value, _ := json.Marshal(k.Defaults[name])
		note := ""
		if other := k.Unless[name]; other != "" {
			note = fmt.Sprintf(", none if you give `%s`", other)
		}
		if disposable, ok := k.Ephemeral[name]; ok {
			note += fmt.Sprintf("; `%v` for what goes with its stack", disposable)
		}
		fmt.Fprintf(&b, "| `%s` | `%s`%s |\n", name, value, note)
	}
	fmt.Fprintf(&b, "| `DeletionPolicy`, `UpdateReplacePolicy` | `%s` |\n", k.Retention)
	return b.String()
}

func accessTable(k *kinds.Kind) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| `Access` | allows | on | and with the account's key |\n|---|---|---|---|\n")
	for _, scope := range slices.Sorted(maps.Keys(k.Profiles)) {
		for _, name := range slices.Sorted(maps.Keys(k.Profiles[scope])) {
			access := name
			if scope != "" {
				access = "{" + scope + ": " + name + "}"
			}
			for _, s := range k.Profiles[scope][name] {
				on := s.Resources
				if len(on) == 0 {
					on = []string{"${ARN}"}
				}
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", access, code(s.Actions), code(on), code(s.KeyActions))
			}
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(k.AccessAliases)) {
		grant := k.AccessAliases[alias]
		fmt.Fprintf(&b, "| `%s` (old) | as `%s` | | |\n", alias, strings.TrimSpace(grant.Scope+" "+grant.Profile))
	}
	return b.String()
}

func valuesTable(k *kinds.Kind) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| value | CloudFormation | variable |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(k.Values)) {
		from, variable := "`Fn::GetAtt "+k.Values[name]+"`", "as `ReturnValues` says"
		if k.Values[name] == kinds.Ref {
			from = "`Ref`"
		}
		if k.Values[name] == kinds.Derived {
			from = "derived"
		}
		if name == k.Main {
			variable = "the name of the resource, `ORDERS`, or as `ReturnValues` says"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, from, variable)
	}
	return b.String()
}

func code(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return "`" + strings.Join(names, "` `") + "`"
}

// excerpt returns the declaration in a file of the package that begins with the given
// text, to its closing brace.
func excerpt(t *testing.T, file, begin string) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut("\n"+string(source), "\n"+begin)
	if !ok {
		t.Fatalf("README.md: %s has no declaration %q", file, begin)
	}
	declaration := begin + rest
	if first, _, _ := strings.Cut(declaration, "\n"); !strings.HasSuffix(first, " }") {
		declaration, _, _ = strings.Cut(declaration, "\n}\n")
		declaration += "\n}"
	} else {
		declaration = first
	}
	return "```go\n" + declaration + "\n```\n"
}
