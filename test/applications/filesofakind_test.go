//go:build !race

package applications

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// filesOfAKind is the table of the README; the paths in it have <kind> for "sqs".
var (
	filesOfAKind = regexp.MustCompile(`(?s)<!-- files of a kind -->\n(.*?)<!-- end -->`)
	quotedPath   = regexp.MustCompile("`([^` ]+/[^` ]+)`")
)

// mayNameAKind are the files that name a kind, and need no change for another one.
var mayNameAKind = map[string]string{
	"bench/main.go":                   "writes an application with queues",
	"compose/ext_elbv2.go":            "a message shows how a bucket is named",
	"compose/kinds/acm.go":            "certificates are validated in zones of the file",
	"compose/kinds/key.go":            "what encrypts with a key may name one of the file",
	"compose/kinds/s3.go":             "buckets notify queues of the file",
	"compose/listener.go":             "Certificates of a listener have a key x-acm, as in ECS ComposeX",
	"compose/ext_scaling.go":          "a hint says what a database on a volume is better off as",
	"compose/ext_stacks.go":           "a message shows a pattern",
	"compose/plainsecret.go":          "a hint says where passwords of databases come from",
	"pipelines/config/scale/scale.go": "writes an application with queues",
}

// TestFilesOfAKind: constructs/xresource/README.md must say truly which files a new kind
// touches: for each kind there they are, and no other file names it.
func TestFilesOfAKind(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(kindsDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := filesOfAKind.FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md has no table between <!-- files of a kind --> and <!-- end -->")
	}
	var paths []string
	for _, m := range quotedPath.FindAllSubmatch(block[1], -1) {
		paths = append(paths, string(m[1]))
	}
	sources := programSources(t)
	used := map[string]bool{}
	for _, k := range selectedKinds(t) {
		var listed []string
		for _, path := range paths {
			path = strings.ReplaceAll(path, "<kind>", strings.TrimPrefix(k.Key, "x-"))
			files, err := filepath.Glob(filepath.Join(fixture.Repository, path))
			if err != nil || len(files) == 0 && !strings.Contains(path, "*") {
				t.Errorf("README.md: %s has no file %s (%v)", k.Key, path, err)
			}
			listed = append(listed, files...)
		}
		key := regexp.MustCompile(regexp.QuoteMeta(k.Key) + `\b`)
		for file, text := range sources {
			name := strings.TrimPrefix(file, fixture.Repository+"/")
			switch {
			case !key.MatchString(text) || slices.Contains(listed, file):
			case mayNameAKind[name] != "":
				used[name] = true
			default:
				t.Errorf("%s names %s, and README.md does not say that a new kind changes it", name, k.Key)
			}
		}
	}
	for name := range mayNameAKind {
		if !used[name] && fixture.Kind() == "" {
			t.Errorf("%s names no kind any more: remove it from mayNameAKind", name)
		}
	}
}

// programSources returns the files of the repository that are no tests, documents or
// examples, by path: of Go files the texts between quotes, of others all.
func programSources(t *testing.T) map[string]string {
	t.Helper()
	apart := []string{"bin", "cdk.out", "docs", "examples", "node_modules", "test", "testdata"}
	sources := map[string]string{}
	err := filepath.WalkDir(fixture.Repository, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != fixture.Repository && (slices.Contains(apart, name) || strings.HasPrefix(name, ".") && name != ".ci"):
			return filepath.SkipDir
		case !d.Type().IsRegular() || strings.HasSuffix(name, "_test.go") ||
			!slices.Contains([]string{".go", ".json", ".mjs", ".py", ".sh", ".yaml", ".yml", ".tsv", ".txt"}, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(path)
		if filepath.Ext(name) == ".go" {
			text = quotedTexts(text)
		}
		sources[path] = string(text)
		return err
	})
	if err != nil || len(sources) < 100 {
		t.Fatalf("%d files: %v", len(sources), err)
	}
	return sources
}

// quotedTexts returns the string literals of a Go file, a line each.
func quotedTexts(source []byte) []byte {
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(source))
	s.Init(file, source, nil, 0)
	var texts []byte
	for {
		_, tok, text := s.Scan()
		if tok == token.EOF {
			return texts
		}
		if tok == token.STRING {
			texts = append(append(texts, text...), '\n')
		}
	}
}
