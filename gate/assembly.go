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

// Assembly is a cloud assembly: the stacks of a folder, of the assemblies nested in it
// (stages), and their nested stacks.
type Assembly struct {
	// Stacks are sorted by path.
	Stacks []*Stack

	// images lists the container images that the CDK CLI builds, from the asset manifests.
	images []image
}

// image is a container image that the CDK CLI builds when it publishes the assembly.
type image struct {
	// name is the construct path, or the hash if there is none; file is the asset manifest.
	name, file string
	// arguments are build arguments, which everybody with the image can read; secrets maps
	// the build secrets to their sources.
	arguments, secrets map[string]string
}

// Stack is one synthesised template.
type Stack struct {
	// Name is the physical name; for a nested stack, the logical id in its parent.
	Name string
	// Path is the path in the construct tree, as in "shop/Services", or Name if there is
	// none.
	Path string
	// File is the path of the template, relative to the folder of the assembly.
	File string
	// Size is the size of the template, in bytes.
	Size int
	// Account and Region name the target environment, "" if the template is for any.
	Account, Region string
	// Resources are sorted by logical id.
	Resources []*Resource
	// Outputs, Parameters, Mappings and Conditions are sections of the template.
	Outputs, Parameters, Mappings, Conditions map[string]any

	assembly  *Assembly
	byLogical map[string]*Resource
	// template is the decoded template.
	template map[string]any
	// generates is true if macros may add resources that only CloudFormation sees.
	generates bool
	// parent is the stack around a nested stack, whose resource Name this stack is.
	parent *Stack
	// lines and constructs map a logical id to its line in the template and to its path in
	// the construct tree.
	lines      map[string]int
	constructs map[string]string
}

// Resource is one resource of a template.
type Resource struct {
	Stack      *Stack
	LogicalID  string
	Type       string
	Properties map[string]any
	// DependsOn lists logical ids.
	DependsOn []string
	// DeletionPolicy and UpdateReplacePolicy are "" where the template has none.
	DeletionPolicy, UpdateReplacePolicy string
	// Condition is the name of the condition under which it exists.
	Condition string
	Metadata  map[string]any
	// Line is the line of the resource in the template, from 1, or 0 if unknown.
	Line int

	construct string
	// needed caches the result of needs, nil before the first call.
	needed []*Resource
}

// Path returns the path in the construct tree, or the logical id if the template has no such
// path.
func (r *Resource) Path() string {
	noted, _ := r.Metadata["aws:cdk:path"].(string)
	return cmp.Or(strings.TrimSuffix(cmp.Or(noted, r.construct), "/Resource"), r.LogicalID)
}

// manifest mirrors the fields that are read from a cloud assembly's manifest.json
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

// constructs maps a path in the construct tree to its metadata, which holds the logical id.
type constructs map[string][]struct {
	Type string
	Data any
}

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
	// maxFiles bounds what one folder can make the reader do.
	maxFiles = 5000
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
	// seen holds the files already read.
	seen  map[string]bool
	files int
}

// decode reads a JSON file. An error names the file.
func (r *reader) decode(file string, into any) ([]byte, error) {
	if r.files++; r.files > maxFiles {
		return nil, fmt.Errorf("%s: the assembly has more than %d files", file, maxFiles)
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

// deployedTo splits an environment, as in aws://111111111111/eu-west-1.
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

// assets maps the hash of a file asset to its path, and collects the images.
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

// templates reads a folder without a manifest. Nested stacks are read with their parents.
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

// stack reads the template of a stack and, from the assets beside it, the templates of its
// nested stacks. It ignores sections of another form than a template's: macros may take
// other forms.
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

// nestedTemplate returns the file of a nested stack: the CDK CLI needs it in the metadata of
// the resource; without metadata, the URL holds the hash of the asset.
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
