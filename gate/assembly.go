package gate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
)

// Assembly is a cloud assembly: the stacks of a folder, with those of the
// assemblies nested in it (stages) and nested stacks.
type Assembly struct {
	// Stacks are sorted by path.
	Stacks []*Stack

	// images are those that the CDK CLI builds, as their asset manifests have them.
	images []image
}

// image is a container image that is built when the assembly is published.
type image struct {
	// name is the path of its construct, else its hash, and file the asset manifest.
	name, file string
	// arguments are those of the build, which everybody with the image can read, and
	// secrets where the build finds its secrets.
	arguments, secrets map[string]string
}

// Stack is one synthesised template.
type Stack struct {
	// Name is the physical name; for a nested stack, the logical id in its parent.
	Name string
	// Path is where the construct tree has it, as in "shop/Services", else Name.
	Path string
	// File is the template, as seen from the folder of the assembly.
	File string
	// Size is that of the template, in bytes.
	Size int
	// Account and Region are of the target, "" where it fits any.
	Account, Region string
	// Resources are sorted by logical id.
	Resources []*Resource
	// Outputs, Parameters, Mappings and Conditions are as in the template.
	Outputs, Parameters, Mappings, Conditions map[string]any

	assembly  *Assembly
	byLogical map[string]*Resource
	// template is the whole of it, as it was read.
	template map[string]any
	// generates says that macros add to the template what only CloudFormation sees.
	generates bool
	// parent has the stack as its resource Name, where it is a nested one.
	parent *Stack
	// lines and constructs are where each resource stands, in the template and in the
	// construct tree.
	lines      map[string]int
	constructs map[string]string
}

// Resource is one resource of a template.
type Resource struct {
	Stack      *Stack
	LogicalID  string
	Type       string
	Properties map[string]any
	// DependsOn are logical ids.
	DependsOn []string
	// DeletionPolicy and UpdateReplacePolicy are "" where the template has none.
	DeletionPolicy, UpdateReplacePolicy string
	// Condition is the name of the condition under which it exists.
	Condition string
	// Metadata is as in the template.
	Metadata map[string]any
	// Line is where the template has it, from 1.
	Line int

	construct string
	// needed is what needs has found, nil before.
	needed []*Resource
}

// Path returns the place in the construct tree, as the CDK notes it, else the logical id.
func (r *Resource) Path() string {
	noted, _ := r.Metadata["aws:cdk:path"].(string)
	return cmp.Or(strings.TrimSuffix(cmp.Or(noted, r.construct), "/Resource"), r.LogicalID)
}

// manifest is the part of a cloud assembly's manifest.json that is read here
// (cloud-assembly-schema, manifest.ts).
type manifest struct {
	Artifacts map[string]struct {
		Type, Environment, DisplayName string
		Properties                     struct {
			TemplateFile, StackName, DirectoryName, File string
		}
		Metadata               constructs
		AdditionalMetadataFile string
	}
}

// constructs are what the construct tree notes at each path: logical ids, here.
type constructs map[string][]struct {
	Type string
	Data any
}

// ids returns the paths by logical id.
func (c constructs) ids() map[string]string {
	found := map[string]string{}
	for _, at := range slices.Sorted(maps.Keys(c)) {
		for _, note := range c[at] {
			if id, ok := note.Data.(string); ok && note.Type == "aws:cdk:logicalId" {
				found[id] = strings.TrimPrefix(at, "/")
			}
		}
	}
	return found
}

const (
	manifestFile   = "manifest.json"
	nestedStack    = "AWS::CloudFormation::Stack"
	templateSuffix = ".template.json"
	nestedSuffix   = ".nested" + templateSuffix
	// mostFiles bounds what one folder can make the reader do.
	mostFiles = 5000
)

// Open reads the assembly in a folder, and nothing outside of it. Without a
// manifest.json, every *.template.json of the folder is a stack.
func Open(dir string) (*Assembly, error) {
	root, err := os.OpenRoot(dir)
	if info, missing := os.Stat(dir); missing == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s: it is a file: give the folder of the cloud assembly", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: no such folder, or it cannot be read", dir)
	}
	a, err := Read(root.FS())
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return a, nil
}

// Read reads the assembly at the root of a file system.
func Read(fsys fs.FS) (*Assembly, error) {
	r := &reader{fsys: fsys, assembly: &Assembly{}, seen: map[string]bool{}}
	if err := r.folder("."); err != nil {
		return nil, err
	}
	a := r.assembly
	if len(a.Stacks) == 0 {
		return nil, fmt.Errorf("no cloud assembly: it holds no stack, neither in a %s nor as a *%s", manifestFile, templateSuffix)
	}
	slices.SortFunc(a.Stacks, func(x, y *Stack) int { return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.File, y.File)) })
	return a, nil
}

// reader reads one assembly.
type reader struct {
	fsys     fs.FS
	assembly *Assembly
	// seen are the files that were read.
	seen  map[string]bool
	files int
}

// decode reads a JSON file. An error names the file.
func (r *reader) decode(file string, into any) ([]byte, error) {
	if r.files++; r.files > mostFiles {
		return nil, fmt.Errorf("%s: the assembly has more than %d files", file, mostFiles)
	}
	r.seen[file] = true
	text, err := fs.ReadFile(r.fsys, file)
	if problem := (*fs.PathError)(nil); errors.As(err, &problem) {
		return nil, fmt.Errorf("%s: it cannot be read: %w", file, problem.Err)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return nil, fmt.Errorf("%s: %s", file, notJSON(text, err))
	}
	return text, nil
}

// notJSON says what is wrong with a file.
func notJSON(text []byte, err error) string {
	var form *json.UnmarshalTypeError
	if errors.As(err, &form) {
		expected := map[reflect.Kind]string{reflect.Map: "object", reflect.Struct: "object", reflect.Slice: "array"}[form.Type.Kind()]
		return fmt.Sprintf("%s is a JSON %s: it must be a JSON %s", cmp.Or(form.Field, "it"), form.Value, cmp.Or(expected, form.Type.Kind().String()))
	}
	var broken *json.SyntaxError
	if errors.As(err, &broken) {
		offset := min(int(broken.Offset), len(text))
		return fmt.Sprintf("it is not JSON: line %d: %s", 1+bytes.Count(text[:offset], []byte("\n")), err)
	}
	return err.Error()
}

func (r *reader) folder(dir string) error {
	if r.seen[path.Join(dir, manifestFile)] {
		return fmt.Errorf("%s: the assembly holds itself", path.Join(dir, manifestFile))
	}
	var m manifest
	_, err := r.decode(path.Join(dir, manifestFile), &m)
	if errors.Is(err, fs.ErrNotExist) && dir == "." {
		return r.templates(dir)
	}
	if err != nil {
		return err
	}
	assets, err := r.assets(dir, m)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		artifact := m.Artifacts[id]
		switch artifact.Type {
		case "cdk:cloud-assembly":
			if err := r.folder(path.Join(dir, artifact.Properties.DirectoryName)); err != nil {
				return err
			}
		case "aws:cloudformation:stack":
			s := &Stack{Name: cmp.Or(artifact.Properties.StackName, id)}
			s.Path = cmp.Or(artifact.DisplayName, s.Name)
			s.Account, s.Region = deployedTo(artifact.Environment)
			notes := artifact.Metadata
			if artifact.AdditionalMetadataFile != "" {
				if _, err := r.decode(path.Join(dir, artifact.AdditionalMetadataFile), &notes); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
			if err := r.stack(s, path.Join(dir, artifact.Properties.TemplateFile), assets, notes.ids()); err != nil {
				return err
			}
		}
	}
	return nil
}

// deployedTo takes an environment apart, as in aws://111111111111/eu-west-1.
func deployedTo(environment string) (account, region string) {
	account, region, _ = strings.Cut(strings.TrimPrefix(environment, "aws://"), "/")
	if account == "unknown-account" {
		account = ""
	}
	if region == "unknown-region" {
		region = ""
	}
	return account, region
}

// assets returns the files of a folder by their hash.
func (r *reader) assets(dir string, m manifest) (map[string]string, error) {
	found := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		artifact := m.Artifacts[id]
		if artifact.Type != "cdk:asset-manifest" {
			continue
		}
		var assets struct {
			Files        map[string]struct{ Source struct{ Path string } }
			DockerImages map[string]struct {
				DisplayName string
				Source      struct{ DockerBuildArgs, DockerBuildSecrets map[string]string }
			}
		}
		file := path.Join(dir, artifact.Properties.File)
		if _, err := r.decode(file, &assets); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, hash := range slices.Sorted(maps.Keys(assets.DockerImages)) {
			built := assets.DockerImages[hash]
			r.assembly.images = append(r.assembly.images, image{
				name: cmp.Or(built.DisplayName, hash), file: file, arguments: built.Source.DockerBuildArgs, secrets: built.Source.DockerBuildSecrets,
			})
		}
		for hash, file := range assets.Files {
			found[hash] = file.Source.Path
		}
	}
	return found, nil
}

// templates reads a folder without a manifest. What a stack of it nests is read
// with that stack.
func (r *reader) templates(dir string) error {
	files, err := fs.Glob(r.fsys, path.Join(dir, "*"+templateSuffix))
	if err != nil {
		return err
	}
	nested := func(file string) bool { return strings.HasSuffix(file, nestedSuffix) }
	slices.SortStableFunc(files, func(x, y string) int {
		switch {
		case nested(x) == nested(y):
			return 0
		case nested(y):
			return -1
		default:
			return 1
		}
	})
	for _, file := range files {
		if r.seen[file] {
			continue
		}
		name := strings.TrimSuffix(path.Base(file), templateSuffix)
		if err := r.stack(&Stack{Name: name, Path: name}, file, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// stack reads the template of a stack, and the templates of the stacks nested in
// it, which lie beside it as assets. What is not of the form of a template is left
// out: macros may take other forms.
func (r *reader) stack(s *Stack, file string, assets, constructs map[string]string) error {
	for outer := s.parent; outer != nil; outer = outer.parent {
		if outer.File == file {
			return fmt.Errorf("%s: the template nests itself", file)
		}
	}
	text, err := r.decode(file, &s.template)
	if err != nil {
		return err
	}
	s.assembly, s.File, s.Size, s.byLogical = r.assembly, file, len(text), map[string]*Resource{}
	s.generates = s.template["Transform"] != nil || bytes.Contains(text, []byte(`"Fn::Transform"`)) || bytes.Contains(text, []byte(`"Fn::ForEach:`))
	section := func(name string) map[string]any { m, _ := s.template[name].(map[string]any); return m }
	s.Outputs, s.Parameters, s.Mappings, s.Conditions = section("Outputs"), section("Parameters"), section("Mappings"), section("Conditions")
	s.lines, s.constructs = resourceLines(text), constructs
	for id, v := range section("Resources") {
		body, ok := v.(map[string]any)
		if !ok {
			continue
		}
		resource := newResource(s, id, body)
		s.byLogical[id] = resource
		s.Resources = append(s.Resources, resource)
	}
	slices.SortFunc(s.Resources, func(x, y *Resource) int { return cmp.Compare(x.LogicalID, y.LogicalID) })
	r.assembly.Stacks = append(r.assembly.Stacks, s)
	for _, resource := range s.Resources {
		asset, ok := nestedTemplate(resource, assets)
		if !ok {
			continue
		}
		nested := &Stack{Name: resource.LogicalID, Path: s.Path + "/" + resource.LogicalID, Account: s.Account, Region: s.Region, parent: s}
		if err := r.stack(nested, path.Join(path.Dir(file), asset), assets, nil); err != nil {
			return err
		}
	}
	return nil
}

func newResource(s *Stack, id string, body map[string]any) *Resource {
	word := func(key string) string { text, _ := body[key].(string); return text }
	fields := func(key string) map[string]any { m, _ := body[key].(map[string]any); return m }
	r := &Resource{
		Stack: s, LogicalID: id, Line: s.lines[id], construct: s.constructs[id], Type: word("Type"), Condition: word("Condition"), Properties: fields("Properties"), Metadata: fields("Metadata"),
		DeletionPolicy: word("DeletionPolicy"), UpdateReplacePolicy: word("UpdateReplacePolicy"),
	}
	for _, on := range list(body["DependsOn"]) {
		if name, ok := on.(string); ok {
			r.DependsOn = append(r.DependsOn, name)
		}
	}
	return r
}

// nestedTemplate returns the file of a nested stack: the CDK CLI asks for a note beside
// the resource, and without it the URL holds the hash of the asset.
func nestedTemplate(r *Resource, assets map[string]string) (string, bool) {
	if r.Type != nestedStack {
		return "", false
	}
	if asset, ok := r.Metadata["aws:asset:path"].(string); ok {
		return asset, strings.HasSuffix(asset, ".json")
	}
	url := canonical(r.Properties["TemplateURL"])
	for _, hash := range slices.Sorted(maps.Keys(assets)) {
		if hash != "" && strings.Contains(url, hash) {
			return assets[hash], true
		}
	}
	return "", false
}
