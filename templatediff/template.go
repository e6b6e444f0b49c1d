package templatediff

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"strings"
)

// Template holds the parts of a stack's template that tell what is deployed, without the
// notes and checks of the CDK.
type Template struct {
	Resources map[string]*Resource
	// Sections holds the other sections, such as Outputs, by name.
	Sections map[string]any
}

// Resource is a resource of a template.
type Resource struct {
	Type string
	// Path is the path in the construct tree from the CDK's metadata; may be empty.
	Path       string
	Properties map[string]any
	// Attributes holds the other attributes, such as DependsOn, by name.
	Attributes map[string]any
}

// notASCII matches the characters that CloudFormation replaces by question marks when it
// returns a template.
var notASCII = regexp.MustCompile(`[^\x00-\x7f]`)

// Parse reads a template in JSON. An empty text is a template without resources:
// CloudFormation returns it for a stack with only a change set.
func Parse(text []byte) (*Template, error) {
	var sections map[string]any
	decoder := json.NewDecoder(bytes.NewReader(notASCII.ReplaceAll(text, []byte("?"))))
	decoder.UseNumber()
	if err := decoder.Decode(&sections); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("it is no template in JSON: %w", err)
	}
	t := &Template{Resources: map[string]*Resource{}, Sections: map[string]any{}}
	for name, section := range sections {
		body, _ := section.(map[string]any)
		switch name {
		case "Resources":
			for id, body := range body {
				if r := newResource(body); r.Type != "AWS::CDK::Metadata" {
					t.Resources[id] = r
				}
			}
		case "Parameters":
			delete(body, "BootstrapVersion")
			t.section(name, body)
		case "Rules":
			delete(body, "CheckBootstrapVersion")
			t.section(name, body)
		case "Conditions":
			delete(body, "CDKMetadataAvailable")
			t.section(name, body)
		case "Metadata":
		default:
			t.Sections[name] = section
		}
	}
	return t, nil
}

// section keeps a section unless it is empty.
func (t *Template) section(name string, body map[string]any) {
	if len(body) > 0 {
		t.Sections[name] = body
	}
}

func newResource(v any) *Resource {
	r := &Resource{Properties: map[string]any{}, Attributes: map[string]any{}}
	body, ok := v.(map[string]any)
	if !ok {
		r.Attributes["Fn::ForEach"] = v
	}
	for name, value := range body {
		fields, _ := value.(map[string]any)
		switch name {
		case "Type":
			r.Type, _ = value.(string)
		case "Properties":
			if fields != nil {
				r.Properties = fields
			}
		case "Metadata":
			noted, _ := fields["aws:cdk:path"].(string)
			r.Path = strings.TrimSuffix(noted, "/Resource")
			maps.DeleteFunc(fields, func(key string, _ any) bool { return note.MatchString(key) })
			if len(fields) > 0 {
				r.Attributes[name] = fields
			}
		default:
			r.Attributes[name] = value
		}
	}
	return r
}

// note matches the metadata keys that only readers of a template need.
var note = regexp.MustCompile(`^(aws:(cdk|asset):|cdk_nag$)`)
