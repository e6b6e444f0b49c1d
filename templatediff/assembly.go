package templatediff

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// Stack is a stack of a cloud assembly.
type Stack struct {
	// Name is the physical name.
	Name string
	// Account and Region name the target environment, "" if the template is for any.
	Account, Region string
	// LookupRole is the ARN of the role that may read the deployed template, "" if the
	// assembly names none.
	LookupRole string
	Template   *Template
}

const (
	// maxFiles and maxFileSize limit the work that a folder can cause: templates have up to
	// 1 MB, and manifests hold the metadata of many stacks.
	maxFiles    = 5000
	maxFileSize = 64 << 20
)

// Read reads the stacks of a cloud assembly and of the assemblies nested in it, and nothing
// outside of its folder. The stacks are sorted by name, account and region.
func Read(dir string) ([]Stack, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%q: no such folder, or it cannot be read", dir)
	}
	r := &reader{fsys: root.FS()}
	if err := errors.Join(r.folder("."), root.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(r.stacks) == 0 {
		return nil, fmt.Errorf("%s: the assembly holds no stack", dir)
	}
	slices.SortFunc(r.stacks, func(a, b Stack) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return r.stacks, nil
}

// reader reads one assembly.
type reader struct {
	fsys   fs.FS
	stacks []Stack
	files  int
}

// manifest mirrors the fields that are read from a manifest.json (cloud-assembly-schema,
// manifest.ts).
type manifest struct {
	Artifacts map[string]struct {
		Type, Environment string
		Properties        struct {
			TemplateFile, StackName, DirectoryName string
			LookupRole                             struct{ ARN string }
		}
	}
}

func (r *reader) folder(dir string) error {
	file := path.Join(dir, "manifest.json")
	text, err := r.read(file)
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%s: it is no manifest of a cloud assembly: %w", file, err)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		artifact := m.Artifacts[id]
		switch artifact.Type {
		case "cdk:cloud-assembly":
			nested := path.Join(dir, artifact.Properties.DirectoryName)
			if nested == dir {
				return fmt.Errorf("%s: the assembly holds itself", file)
			}
			if err := r.folder(nested); err != nil {
				return err
			}
		case "aws:cloudformation:stack":
			s := Stack{Name: cmp.Or(artifact.Properties.StackName, id)}
			s.Account, s.Region = target(artifact.Environment)
			s.LookupRole = s.fill(artifact.Properties.LookupRole.ARN)
			file := path.Join(dir, artifact.Properties.TemplateFile)
			text, err := r.read(file)
			if err != nil {
				return err
			}
			if s.Template, err = Parse(text); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			r.stacks = append(r.stacks, s)
		}
	}
	return nil
}

func (r *reader) read(file string) ([]byte, error) {
	if r.files++; r.files > maxFiles {
		return nil, fmt.Errorf("%s: the assembly has more than %d files", file, maxFiles)
	}
	f, err := r.fsys.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: no such file, or it cannot be read", file)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: it cannot be read", file)
	}
	if len(text) > maxFileSize {
		return nil, fmt.Errorf("%s: it is larger than %d MiB", file, maxFileSize>>20)
	}
	return text, nil
}

// target splits an environment, as in aws://111111111111/eu-west-1.
func target(environment string) (account, region string) {
	account, region, _ = strings.Cut(strings.TrimPrefix(environment, "aws://"), "/")
	return strings.TrimSuffix(account, "unknown-account"), strings.TrimSuffix(region, "unknown-region")
}

// fill replaces the pseudo parameters of an ARN by the target.
func (s Stack) fill(arn string) string {
	partition := "aws"
	for _, prefix := range []string{"cn-", "us-gov-"} {
		if strings.HasPrefix(s.Region, prefix) {
			partition += "-" + strings.TrimSuffix(prefix, "-")
		}
	}
	return strings.NewReplacer("${AWS::Partition}", partition, "${AWS::AccountId}", s.Account, "${AWS::Region}", s.Region).Replace(arn)
}
