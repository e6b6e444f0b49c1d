package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
)

// synthesised is a template of an assembly.
type synthesised struct {
	template []byte
	stack    awscdk.PolicyValidationStack
	// paths has the paths of the constructs by logical id.
	paths map[string]string
}

// manifest is what counts of the manifest of a cloud assembly. See
// https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
type manifest struct {
	Version   string
	Artifacts map[string]struct {
		Type, Environment, DisplayName, AdditionalMetadataFile string

		Properties struct{ TemplateFile, DirectoryName, DisplayName string }
	}
}

// templatesOf returns the templates of an assembly and of those nested in it, sorted, and
// the rules that its constructs acknowledge, as the CDK has it: for all of it.
func templatesOf(dir string, except map[string]bool) (all []*synthesised, acknowledged map[string]bool, err error) {
	acknowledged = map[string]bool{}
	var m manifest
	if err := readJSON(filepath.Join(dir, "manifest.json"), &m); err != nil {
		return nil, nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		a := m.Artifacts[id]
		switch {
		case a.Type == "cdk:cloud-assembly" && !except[a.Properties.DisplayName]:
			nested, more, err := templatesOf(filepath.Join(dir, a.Properties.DirectoryName), except)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, nested...)
			maps.Copy(acknowledged, more)
		case a.Type == "aws:cloudformation:stack":
			t, err := readSynthesised(filepath.Join(dir, a.Properties.TemplateFile), a.DisplayName, a.Environment)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, t)
			if a.AdditionalMetadataFile != "" {
				err = t.metadata(filepath.Join(dir, a.AdditionalMetadataFile), acknowledged)
			}
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return all, acknowledged, nil
}

var stackEnvironment = regexp.MustCompile(`^aws://(\d{12}|unknown-account)/(.+)$`)

func readSynthesised(file, construct, environment string) (*synthesised, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("a template: %w", err)
	}
	t := &synthesised{template: text, paths: map[string]string{}}
	path, _, _ := strings.Cut(construct, " ")
	t.stack = awscdk.PolicyValidationStack{TemplatePath: &file, StackConstructPath: &path}
	if env := stackEnvironment.FindStringSubmatch(environment); env != nil {
		if env[1] != "unknown-account" {
			t.stack.AccountId = &env[1]
		}
		if env[2] != "unknown-region" {
			t.stack.Region = &env[2]
		}
	}
	return t, nil
}

// metadata reads what the constructs of the stack say of themselves: their logical
// ids, and the rules that they acknowledge.
func (t *synthesised) metadata(file string, acknowledged map[string]bool) error {
	var metadata map[string][]struct {
		Type string
		Data any
	}
	if err := readJSON(file, &metadata); err != nil {
		return err
	}
	for construct, entries := range metadata {
		for _, entry := range entries {
			switch data := entry.Data.(type) {
			case string:
				if entry.Type == "aws:cdk:logicalId" {
					t.paths[data] = strings.TrimPrefix(construct, "/")
				}
			case map[string]any:
				for id := range data {
					acknowledged[id] = acknowledged[id] || entry.Type == "aws:cdk:acknowledged-rules"
				}
			}
		}
	}
	return nil
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the assembly: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// violation returns a finding of the engine in the terms of the report.
func (t *synthesised) violation(found *awscdk.PolicyViolation) violation {
	v := violation{RuleName: *found.RuleName, Description: *found.Description}
	if found.Severity != nil {
		v.Severity = *found.Severity
	}
	for _, resource := range *found.ViolatingResources {
		c := violatingConstruct{ConstructPath: *t.stack.StackConstructPath}
		if id := resource.ResourceLogicalId; id != nil && t.paths[*id] != "" {
			c.ConstructPath = t.paths[*id]
		}
		for _, location := range *resource.Locations {
			c.CloudFormationResource.PropertyPaths = append(c.CloudFormationResource.PropertyPaths, *location)
		}
		v.ViolatingConstructs = append(v.ViolatingConstructs, c)
	}
	return v
}

// addToReport adds findings to the report of the CDK, which it writes where it has
// something to say itself.
func addToReport(file string, found []violation) error {
	var m manifest
	if err := readJSON(filepath.Join(filepath.Dir(file), "manifest.json"), &m); err != nil {
		return err
	}
	report := map[string]any{"version": m.Version, "title": "Validation Report"}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the validation report: %w", err)
	}
	conclusion := "success"
	for _, v := range found {
		if v.severe() {
			conclusion = "failure"
		}
	}
	reports, _ := report["pluginReports"].([]any)
	report["pluginReports"] = append(reports, map[string]any{
		"pluginName": "CloudFormation Validate", "conclusion": conclusion, "violations": append([]violation{}, found...),
	})
	if text, err = json.MarshalIndent(report, "", "  "); err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("the validation report: %w", err)
	}
	return nil
}
