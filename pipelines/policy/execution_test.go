package policy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var resourceType = regexp.MustCompile(`(?m)^ +"?Type"?: "?(AWS::\w+::\w+)"?,?$`)

// TestEveryTypeHasARow: CloudFormation may make every type of resource that the
// golden templates have. Roles have a document of their own.
func TestEveryTypeHasARow(t *testing.T) {
	rows := slices.Concat(services, data)
	kinds := map[string]bool{"AWS::IAM::Role": true, "AWS::IAM::Policy": true}
	for _, g := range rows {
		kinds[g.kind] = true
	}
	files, err := filepath.Glob("../../test/applications/testdata/golden/*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden templates: %v", err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range resourceType.FindAllSubmatch(text, -1) {
			found++
			if kind := string(match[1]); !kinds[kind] {
				t.Errorf("%s: no row says what CloudFormation needs for %s", file, kind)
				kinds[kind] = true
			}
		}
	}
	if found < 100 {
		t.Errorf("%d resources found in %d golden templates: are they read?", found, len(files))
	}
}
