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

// Stack is one of a cloud assembly.
type Stack struct {
	// Name is the physical name.
	Name string
	// Account and Region are of the target, "" where it fits any.
	Account, Region string
	// LookupRole is the ARN of the role that may read what is deployed, "" where the
	// assembly names none.
	LookupRole string
	Template   *Template
}

const (
	// mostFiles and largest bound what a folder can make the reader do: CloudFormation
	// takes templates of 1 MB, and manifests hold the notes of many.
	mostFiles = 5000
	largest   = 64 << 20
)

// Read reads the stacks of a cloud assembly, with those of the assemblies nested in
// it, and nothing outside of its folder. They are sorted by name, account and region.
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

// manifest is the part of a manifest.json that is read here (cloud-assembly-schema,
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
	if r.files++; r.files > mostFiles {
		return nil, fmt.Errorf("%s: the assembly has more than %d files", file, mostFiles)
	}
	f, err := r.fsys.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: no such file, or it cannot be read", file)
	}
	text, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: it cannot be read", file)
	}
	if len(text) > largest {
		return nil, fmt.Errorf("%s: it is larger than %d MiB", file, largest>>20)
	}
	return text, nil
}

// target takes an environment apart, as in aws://111111111111/eu-west-1.
func target(environment string) (account, region string) {
	account, region, _ = strings.Cut(strings.TrimPrefix(environment, "aws://"), "/")
	return strings.TrimSuffix(account, "unknown-account"), strings.TrimSuffix(region, "unknown-region")
}

// fill puts the target in the place of the pseudo parameters of an ARN.
func (s Stack) fill(arn string) string {
	partition := "aws"
	for _, prefix := range []string{"cn-", "us-gov-"} {
		if strings.HasPrefix(s.Region, prefix) {
			partition += "-" + strings.TrimSuffix(prefix, "-")
		}
	}
	return strings.NewReplacer("${AWS::Partition}", partition, "${AWS::AccountId}", s.Account, "${AWS::Region}", s.Region).Replace(arn)
}
