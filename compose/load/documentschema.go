package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// DocumentSchema is a JSON schema that documents are held against. A title says in
// words what the pattern of a text, or that of the keys of a mapping, allows.
type DocumentSchema struct{ dialect documentDialect }

// NewDocumentSchema compiles a schema. Problems have a code, and who knows or
// expects something else.
func NewDocumentSchema(text, code, who string) (*DocumentSchema, error) {
	const name = "document.json"
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("compile the schema: %w", err)
	}
	titles := map[string]string{}
	base, _, _ := strings.Cut(compiled.Location, "#")
	addTitles(titles, base+"#", doc)
	delete(titles, base+"#")
	return &DocumentSchema{documentDialect{
		schema: compiled, code: code, who: who, file: "the file", whole: true,
		keys:  func(place []string) []string { return schemaKeys(compiled, place) },
		title: func(url string) string { return titles[url] },
	}}, nil
}

// addTitles records the titles of a schema and of all below it by their URL.
func addTitles(titles map[string]string, url string, in any) {
	switch in := in.(type) {
	case map[string]any:
		if title, ok := in["title"].(string); ok {
			titles[url] = title
		}
		for key, value := range in {
			addTitles(titles, url+"/"+key, value)
		}
	case []any:
		for i, value := range in {
			addTitles(titles, fmt.Sprintf("%s/%d", url, i), value)
		}
	}
}

// schemaKeys returns the keys that a schema has for the mapping at a place.
func schemaKeys(s *jsonschema.Schema, place []string) []string {
	if s == nil {
		return nil
	}
	var names []string
	if len(place) == 0 {
		names = slices.Collect(maps.Keys(s.Properties))
	} else if next, ok := s.Properties[place[0]]; ok {
		names = schemaKeys(next, place[1:])
	} else if next, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		names = schemaKeys(next, place[1:])
	} else if next, ok := s.Items.(*jsonschema.Schema); ok {
		names = schemaKeys(next, place[1:])
	}
	for pattern, next := range s.PatternProperties {
		if len(place) > 0 && pattern.MatchString(place[0]) {
			names = append(names, schemaKeys(next, place[1:])...)
		}
	}
	for _, other := range slices.Concat([]*jsonschema.Schema{s.Ref}, s.OneOf, s.AnyOf, s.AllOf) {
		names = append(names, schemaKeys(other, place)...)
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
