package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

const stackA = `"A": {"type": "aws:cloudformation:stack", "environment": "aws://111111111111/eu-west-1", "displayName": "app/A", "properties": {"templateFile": "A.template.json", "stackName": "app-a"}}`

func TestReadFindsEveryStack(t *testing.T) {
	empty := `{"Resources": {}}`
	nesting := func(metadata string) string {
		return `{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {` + metadata + `}, "Properties": {"TemplateURL": {"Fn::Sub": "https://x/0123abcd.json"}}}}}`
	}
	cases := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"stacks of a manifest", map[string]string{"manifest.json": `{"artifacts": {` + stackA + `, "T": {"type": "cdk:tree"}}}`, "A.template.json": empty, "B.template.json": empty}, "app/A=app-a:A.template.json"},
		{"names by default", map[string]string{"manifest.json": `{"artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "a.json"}}}}`, "a.json": empty}, "A=A:a.json"},
		{"stages", map[string]string{
			"manifest.json":            `{"artifacts": {"P": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-P"}}}}`,
			"assembly-P/manifest.json": `{"artifacts": {` + stackA + `}}`, "assembly-P/A.template.json": empty,
		}, "app/A=app-a:assembly-P/A.template.json"},
		{"templates without a manifest", map[string]string{"b.template.json": empty, "a.template.json": empty, "c.json": empty}, "a=a:a.template.json b=b:b.template.json"},
		{"a nested stack by note", map[string]string{
			"manifest.json": `{"artifacts": {` + stackA + `}}`, "A.template.json": nesting(`"aws:asset:path": "n.nested.template.json"`), "n.nested.template.json": empty,
		}, "app/A=app-a:A.template.json app/A/N=N:n.nested.template.json"},
		{"a nested stack by hash", map[string]string{
			"manifest.json":   `{"artifacts": {` + stackA + `, "As": {"type": "cdk:asset-manifest", "properties": {"file": "A.assets.json"}}}}`,
			"A.assets.json":   `{"files": {"": {}, "0123abcd": {"source": {"path": "n.nested.template.json"}}, "ffff": {"source": {"path": "other"}}}}`,
			"A.template.json": nesting(``), "n.nested.template.json": empty,
		}, "app/A=app-a:A.template.json app/A/N=N:n.nested.template.json"},
		{"a nested stack of elsewhere", map[string]string{"manifest.json": `{"artifacts": {` + stackA + `}}`, "A.template.json": nesting(``)}, "app/A=app-a:A.template.json"},
		{"a nested stack whose template is YAML", map[string]string{"manifest.json": `{"artifacts": {` + stackA + `}}`, "A.template.json": nesting(`"aws:asset:path": "n.yaml"`)}, "app/A=app-a:A.template.json"},
		{"a nested stack without a manifest", map[string]string{
			"z.template.json": nesting(`"aws:asset:path": "a.nested.template.json"`), "a.nested.template.json": empty, "b.nested.template.json": empty,
		}, "b.nested=b.nested:b.nested.template.json z=z:z.template.json z/N=N:a.nested.template.json"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range mustRead(t, tree(c.files)).Stacks {
				got = append(got, s.Path+"="+s.Name+":"+s.File)
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("want %s\ngot  %s", c.want, text)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	cases := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"an empty folder", map[string]string{"readme": ""}, "no cloud assembly"},
		{"a broken manifest", map[string]string{"manifest.json": `{`}, "manifest.json: it is not JSON: line 1: unexpected end of JSON input"},
		{"a broken template", map[string]string{"a.template.json": `{"Resources": `}, "a.template.json: it is not JSON: line 1: unexpected end of JSON input"},
		{"a template that is a list", map[string]string{"a.template.json": `[]`}, "a.template.json: it is a JSON array: it must be a JSON object"},
		{"a template that is not there", map[string]string{"manifest.json": `{"artifacts": {` + stackA + `}}`}, "A.template.json"},
		{"a broken list of assets", map[string]string{"manifest.json": `{"artifacts": {"As": {"type": "cdk:asset-manifest", "properties": {"file": "a.json"}}}}`, "a.json": `{`}, "a.json: it is not JSON: line 1: unexpected end"},
		{"broken metadata", map[string]string{"manifest.json": `{"artifacts": {"A": {"type": "aws:cloudformation:stack", "additionalMetadataFile": "m.json"}}}`, "m.json": `{`}, "m.json: it is not JSON: line 1: unexpected end"},
		{"an assembly that holds itself", map[string]string{"manifest.json": `{"artifacts": {"P": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}}`}, "manifest.json: the assembly holds itself"},
		{"a template that nests itself", map[string]string{"a.template.json": `{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "a.template.json"}}}}`}, "a.template.json: the template nests itself"},
		{"an assembly of elsewhere", map[string]string{"manifest.json": `{"artifacts": {"P": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "../other"}}}}`}, "../other"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Read(tree(c.files)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error with %q, got %v", c.want, err)
			}
		})
	}
}

// A few small files can ask for as many stacks as they like.
func TestReadIsBounded(t *testing.T) {
	files := map[string]string{}
	for i := range 14 {
		nested := fmt.Sprintf(`{"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "t%d.template.json"}}`, i+1)
		files[fmt.Sprintf("t%d.template.json", i)] = fmt.Sprintf(`{"Resources": {"A": %s, "B": %s}}`, nested, nested)
	}
	files["t14.template.json"] = `{}`
	if _, err := Read(tree(files)); err == nil || !strings.Contains(err.Error(), "more than 5000 files") {
		t.Errorf("two to the power of fourteen stacks may not be read, got %v", err)
	}
}

func TestOpenReadsAFolderAndNothingOutside(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside.template.json")
	folder := filepath.Join(dir, "cdk.out")
	write := func(file, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, `{}`)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("a folder that is not there must be told, got %v", err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "a.template.json")); err != nil {
		t.Fatal(err)
	}
	if a, err := Open(folder); err == nil {
		t.Errorf("a link out of the folder may not be followed, got %d stacks", len(a.Stacks))
	}
	if err := os.Remove(filepath.Join(folder, "a.template.json")); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(folder, "a.template.json"), `{"Resources": {"A": {"Type": "X"}}}`)
	a, err := Open(folder)
	if err != nil || len(a.Stacks) != 1 || len(a.Of("X")) != 1 {
		t.Errorf("the folder has one stack with one resource, got %v, %v", a, err)
	}
}

func TestStackKnowsItsTarget(t *testing.T) {
	for _, c := range []struct{ environment, account, region string }{
		{"aws://111111111111/eu-west-1", "111111111111", "eu-west-1"},
		{"aws://unknown-account/eu-west-1", "", "eu-west-1"},
		{"aws://111111111111/unknown-region", "111111111111", ""},
		{"", "", ""},
	} {
		if account, region := deployedTo(c.environment); account != c.account || region != c.region {
			t.Errorf("%q: want %q %q, got %q %q", c.environment, c.account, c.region, account, region)
		}
	}
}

func TestResourceKnowsItsPlace(t *testing.T) {
	template := "{\n \"Parameters\": {\"P\": {\"Resources\": {\"B\": 1}}},\n \"Resources\": {\n  \"B\": {},\n\n  \"A\": {\"Metadata\": {\"aws:cdk:path\": \"app/A/Queue/Resource\"},\n   \"DependsOn\": [\"B\", 3], \"DeletionPolicy\": \"Retain\", \"UpdateReplacePolicy\": \"Delete\", \"Condition\": \"C\"}, \"C\": {\"DependsOn\": \"A\"}\n }\n}\n"
	files := map[string]string{
		"manifest.json": `{"artifacts": {` + strings.Replace(stackA, `"type"`, `"additionalMetadataFile": "m.json", "type"`, 1) + `}}`, "A.template.json": template,
		"m.json": `{"/app/A/Topic/Resource": [{"type": "aws:cdk:logicalId", "data": "B"}], "/app/A/Other": [{"type": "aws:cdk:warning", "data": "B"}, {"type": "aws:cdk:logicalId", "data": 3}]}`,
	}
	s := mustRead(t, tree(files)).Stacks[0]
	want := []struct {
		id, path string
		line     int
	}{{"A", "app/A/Queue", 6}, {"B", "app/A/Topic", 4}, {"C", "C", 7}}
	for i, w := range want {
		if r := s.Resources[i]; r.LogicalID != w.id || r.Path() != w.path || r.Line != w.line {
			t.Errorf("want %v, got %s %s %d", w, r.LogicalID, r.Path(), r.Line)
		}
	}
	a := s.Resources[0]
	if !slices.Equal(a.DependsOn, []string{"B"}) || a.DeletionPolicy != "Retain" || a.UpdateReplacePolicy != "Delete" || a.Condition != "C" {
		t.Errorf("what stands beside the properties must be read, got %+v", a)
	}
	if c := s.Resources[2]; !slices.Equal(c.DependsOn, []string{"A"}) {
		t.Errorf("a DependsOn that is one name must be read, got %v", c.DependsOn)
	}
	if s.Account != "111111111111" || s.Region != "eu-west-1" || s.Size != len(template) {
		t.Errorf("the stack must know its target and size, got %+v", s)
	}
}
