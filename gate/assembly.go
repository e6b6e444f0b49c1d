package gate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Assembly is a cloud assembly: the stacks of a folder, with those of the
// assemblies nested in it (stages) and nested stacks.
type Assembly struct {
	// Stacks are sorted by path.
	Stacks []*Stack
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
}

// Path is the place in the construct tree, as the CDK notes it, else the logical id.
func (r *Resource) Path() string {
	path, _ := r.Metadata["aws:cdk:path"].(string)
	return cmp.Or(strings.TrimSuffix(path, "/Resource"), r.LogicalID)
}

// manifest is the part of a cloud assembly's manifest.json that is read here
// (cloud-assembly-schema, manifest.ts).
type manifest struct {
	Artifacts map[string]struct {
		Type, Environment, DisplayName string
		Properties                     struct {
			TemplateFile, StackName, DirectoryName string
		}
	}
}

const manifestFile = "manifest.json"

// Open reads the assembly in a folder. Without a manifest.json, every
// *.template.json of the folder is a stack.
func Open(dir string) (*Assembly, error) {
	a := &Assembly{}
	if err := a.open(dir, ""); err != nil {
		return nil, err
	}
	if len(a.Stacks) == 0 {
		return nil, fmt.Errorf("%s: no cloud assembly: it holds neither a %s nor a *.template.json", dir, manifestFile)
	}
	slices.SortFunc(a.Stacks, func(x, y *Stack) int { return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.File, y.File)) })
	return a, nil
}

func (a *Assembly) open(root, below string) error {
	var m manifest
	text, err := os.ReadFile(filepath.Join(root, below, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return a.openTemplates(root, below)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(root, below, manifestFile), err)
	}
	for id, artifact := range m.Artifacts {
		switch artifact.Type {
		case "cdk:cloud-assembly":
			if err := a.open(root, filepath.Join(below, artifact.Properties.DirectoryName)); err != nil {
				return err
			}
		case "aws:cloudformation:stack":
			s := &Stack{Name: cmp.Or(artifact.Properties.StackName, id)}
			s.Path = cmp.Or(artifact.DisplayName, s.Name)
			if target, ok := strings.CutPrefix(artifact.Environment, "aws://"); ok {
				s.Account, s.Region, _ = strings.Cut(target, "/")
			}
			if s.Account == "unknown-account" {
				s.Account = ""
			}
			if s.Region == "unknown-region" {
				s.Region = ""
			}
			if err := a.add(s, root, filepath.Join(below, artifact.Properties.TemplateFile)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Assembly) openTemplates(root, below string) error {
	files, err := filepath.Glob(filepath.Join(root, below, "*.template.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".template.json")
		if err := a.add(&Stack{Name: name, Path: name}, root, filepath.Join(below, filepath.Base(file))); err != nil {
			return err
		}
	}
	return nil
}

// add reads the template of a stack, and the templates of the stacks nested in it,
// which lie beside it as assets.
func (a *Assembly) add(s *Stack, root, file string) error {
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return err
	}
	var t struct {
		Resources map[string]struct {
			Type, DeletionPolicy, UpdateReplacePolicy, Condition string
			Properties, Metadata                                 map[string]any
			DependsOn                                            any
		}
		Outputs, Parameters, Mappings, Conditions map[string]any
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(root, file), err)
	}
	s.assembly, s.File, s.Size, s.byLogical = a, file, len(text), map[string]*Resource{}
	s.Outputs, s.Parameters, s.Mappings, s.Conditions = t.Outputs, t.Parameters, t.Mappings, t.Conditions
	for id, r := range t.Resources {
		resource := &Resource{
			Stack: s, LogicalID: id, Type: r.Type, Properties: r.Properties, Metadata: r.Metadata, Condition: r.Condition,
			DeletionPolicy: r.DeletionPolicy, UpdateReplacePolicy: r.UpdateReplacePolicy,
		}
		for _, on := range list(r.DependsOn) {
			if name, ok := on.(string); ok {
				resource.DependsOn = append(resource.DependsOn, name)
			}
		}
		s.byLogical[id] = resource
		s.Resources = append(s.Resources, resource)
	}
	slices.SortFunc(s.Resources, func(x, y *Resource) int { return cmp.Compare(x.LogicalID, y.LogicalID) })
	a.Stacks = append(a.Stacks, s)
	for _, r := range s.Resources {
		asset, _ := r.Metadata["aws:asset:path"].(string)
		if r.Type != "AWS::CloudFormation::Stack" || !strings.HasSuffix(asset, ".json") {
			continue
		}
		nested := &Stack{Name: r.LogicalID, Path: s.Path + "/" + r.LogicalID, Account: s.Account, Region: s.Region}
		if err := a.add(nested, root, filepath.Join(filepath.Dir(file), asset)); err != nil {
			return err
		}
	}
	return nil
}
