//go:build !race

package applications

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Every field of the model must be read by what builds the stacks: a value that only
// gets as far as the model is dropped all the same. Fields are told by their names.
func TestEveryFieldOfTheModelIsBuilt(t *testing.T) {
	read := map[string]bool{}
	for _, folder := range []string{"../../constructs", "../../stacks"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			ast.Inspect(parsed(t, path), func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok {
					read[selector.Sel.Name] = true
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("../../compose/model*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no model: ", err)
	}
	fields := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		ast.Inspect(parsed(t, file), func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				return false
			}
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					fields++
					if name.IsExported() && !read[name.Name] && onlyCompose[spec.Name.Name+"."+name.Name] == "" {
						t.Errorf("nothing builds %s.%s", spec.Name.Name, name.Name)
					}
				}
			}
			return false
		})
	}
	if fields < 100 {
		t.Errorf("only %d fields were found", fields)
	}
}

// onlyCompose are fields that package compose itself reads, and why.
var onlyCompose = map[string]string{
	"Port.Published":    "becomes the listener of x-ingress; a warning tells where nothing listens (port-not-published)",
	"Resource.Settings": "is read by the pure half of the kinds, which gives the constructs SecretVariables and Parameters",
	"Resource.EnvNames": "become the Returns of bindings",
}

func parsed(t *testing.T, file string) *ast.File {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
