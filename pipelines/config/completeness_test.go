package config

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"composecdk/schema"
)

// codeArguments are the methods that report, and which of their arguments is the
// code.
var codeArguments = map[string]int{
	"errorf": 1, "hint": 1, "warn": 1, "Unknown": 1, "errorAt": 2, "Report": 2, "report": 2, "ReportAt": 3, "twice": 0,
}

// codes returns the codes of all diagnostics of this package.
func codes(t *testing.T) []string {
	t.Helper()
	notTests := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", notTests, 0) //nolint:staticcheck // one package, without build tags
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	add := func(e ast.Expr) {
		if literal, ok := e.(*ast.BasicLit); ok {
			found = append(found, strings.Trim(literal.Value, `"`))
		}
	}
	for _, p := range packages {
		ast.Inspect(p, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if method, ok := n.Fun.(*ast.SelectorExpr); ok {
					if i, ok := codeArguments[method.Sel.Name]; ok && i < len(n.Args) {
						add(n.Args[i])
					}
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Code" {
					add(n.Value)
				}
			}
			return true
		})
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Every diagnostic must have a fixture, or a test that names it.
func TestEveryCodeOccurs(t *testing.T) {
	var told strings.Builder
	for _, pattern := range []string{"testdata/*/*.out", "application_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			told.Write(content)
		}
	}
	all := codes(t)
	for _, code := range all {
		if !strings.Contains(told.String(), "["+code+"]") && !strings.Contains(told.String(), `"`+code) && code != "pipeline-internal" {
			t.Errorf("%s has no fixture", code)
		}
	}
	const enough = 60
	if len(all) < enough {
		t.Errorf("only %d codes were found: %v", len(all), all)
	}
}

// node is a part of the JSON schema.
type node map[string]any

// schemaOf follows references.
func (n node) schemaOf(root node) node {
	for {
		name, ok := n["$ref"].(string)
		if !ok {
			if all, ok := n["allOf"].([]any); ok {
				return node(all[0].(map[string]any)).schemaOf(root)
			}
			return n
		}
		n = root["definitions"].(map[string]any)[strings.TrimPrefix(name, "#/definitions/")].(map[string]any)
	}
}

// choices returns the forms that a value may have.
func (n node) choices(root node) []node {
	n = n.schemaOf(root)
	list, ok := n["oneOf"].([]any)
	if !ok {
		return []node{n}
	}
	var all []node
	for _, one := range list {
		all = append(all, node(one.(map[string]any)).choices(root)...)
	}
	return all
}

// The JSON schema must have the keys that are decoded, and no others: what it has
// beyond them would be lost, and what it lacks could not be written.
func TestSchemaIsWhatIsDecoded(t *testing.T) {
	var root node
	if err := json.Unmarshal([]byte(schema.Pipeline), &root); err != nil {
		t.Fatal(err)
	}
	// what is read before the file is decoded
	before := []string{".Accounts.Include", ".Defaults", ".Include"}
	compareKeys(t, root, root, reflect.TypeFor[file](), "", before)
}

func compareKeys(t *testing.T, root, n node, in reflect.Type, path string, before []string) {
	t.Helper()
	for in.Kind() == reflect.Pointer {
		in = in.Elem()
	}
	for _, choice := range n.choices(root) {
		switch in.Kind() {
		case reflect.Struct:
			if choice["type"] == "string" && path == ".Accounts.*.Roles" {
				continue // Roles: managed
			}
			compareStruct(t, root, choice, in, path, before)
		case reflect.Map:
			values, _ := choice["patternProperties"].(map[string]any)
			if values == nil { // any key
				values = map[string]any{"": choice["additionalProperties"]}
			}
			for _, value := range values {
				compareKeys(t, root, value.(map[string]any), in.Elem(), path+".*", before)
			}
			for key := range properties(choice) {
				if !slices.Contains(before, path+"."+key) {
					t.Errorf("%s.%s is not decoded", path, key)
				}
			}
		case reflect.Slice:
			if items, ok := choice["items"].(map[string]any); ok {
				compareKeys(t, root, items, in.Elem(), path+"[]", before)
			} else if in.Elem().Kind() == reflect.Struct {
				t.Errorf("%s is a list, and not in the schema", path)
			}
		default:
			compareScalar(t, choice, in, path)
		}
	}
}

func properties(n node) map[string]any {
	p, _ := n["properties"].(map[string]any)
	return p
}

func compareStruct(t *testing.T, root, n node, in reflect.Type, path string, before []string) {
	t.Helper()
	if n["additionalProperties"] != false || n["patternProperties"] == nil {
		t.Errorf("%s allows any key, or no x-", path)
	}
	left := properties(n)
	if left == nil {
		t.Fatalf("%s is no object in the schema", path)
	}
	seen := map[string]bool{}
	for i := range in.NumField() {
		f := in.Field(i)
		key := f.Name
		if tag := f.Tag.Get("key"); tag != "" {
			key = tag
		}
		seen[key] = true
		value, ok := left[key].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is not in the schema", path, key)
			continue
		}
		compareKeys(t, root, value, f.Type, path+"."+key, before)
	}
	for key := range left {
		if !seen[key] && !slices.Contains(before, path+"."+key) {
			t.Errorf("%s.%s is not decoded", path, key)
		}
	}
}

// compareScalar checks that what the schema lets pass fits the type.
func compareScalar(t *testing.T, n node, in reflect.Type, path string) {
	t.Helper()
	want := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer"}[in.Kind()]
	if got := fmt.Sprint(n["type"]); got != want && got != "[integer string]" {
		t.Errorf("%s is %s in the schema, and decoded as %s", path, got, in)
	}
}
