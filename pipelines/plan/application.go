package plan

import (
	"context"
	"slices"
	"strings"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// sections lists the x-resources that are deployed. Only a synthesis checks their
// content; here they are counted. A test compares the list with the kinds of package
// xresource.
var sections = []*compose.Schema{{Key: "x-dynamodb"}, {Key: "x-rds"}, {Key: "x-sqs"}}

// Sections returns the keys of the sections with x-resources, sorted.
func Sections() []string {
	var keys []string
	for _, schema := range sections {
		keys = append(keys, schema.Key)
	}
	return keys
}

// Load reads the applications of all environments from a checkout of the compose
// repository. The diagnostics have errors if the files cannot be read or contradict the
// configuration.
func Load(c *config.Config, checkout string, environ map[string]string) (Models, compose.Diagnostics) {
	models := map[string]*compose.Model{}
	known := func(e *config.Environment) *compose.Model { return models[e.Name] }
	found := c.MissingFiles(checkout)
	if found.HasErrors() {
		return known, found
	}
	for _, e := range c.Environments {
		target := e.Targets()[0]
		options, more := c.Application(e, target, checkout, false)
		found = append(found, more...)
		options.Environ = environ
		project, more := compose.Load(context.Background(), options)
		found = append(found, more...)
		if project == nil {
			continue
		}
		model, more := compose.Resolve(project, sections)
		found = append(found, slices.DeleteFunc(more, ofResources)...)
		model.Groups = c.Groups(model)
		models[e.Name] = model
		found = append(found, config.Check(c, e, target, model, model.Outputs())...)
	}
	return known, found.Sort()
}

// ofResources reports whether a diagnostic is no error, or about x-resources, whose
// content only a synthesis can check.
func ofResources(d compose.Diagnostic) bool {
	return d.Severity != compose.Error || strings.Contains("."+string(d.Path), ".x-")
}
