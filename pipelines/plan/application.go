package plan

import (
	"context"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// sections are those of x-resources that are deployed. What may stand in them is the
// concern of a synthesis; here they only count. A test holds the list against the
// kinds of package xresource.
var sections = []*compose.Schema{{Key: "x-dynamodb"}, {Key: "x-rds"}, {Key: "x-sqs"}}

// Sections are the names of those, sorted.
func Sections() []string {
	var keys []string
	for _, schema := range sections {
		keys = append(keys, schema.Key)
	}
	return keys
}

// Load reads the applications of all environments from a checkout of the compose
// repository. Only what keeps the files from being read is told.
func Load(c *config.Config, checkout string, environ map[string]string) (Models, compose.Diagnostics) {
	models := map[string]*compose.Model{}
	var found compose.Diagnostics
	for _, e := range c.Environments {
		options, more := c.Application(e, e.Targets()[0], checkout, false)
		found = append(found, more...)
		options.Environ = environ
		project, more := compose.Load(context.Background(), options)
		found = append(found, more...)
		if project == nil {
			continue
		}
		models[e.Name], _ = compose.Resolve(project, sections)
		models[e.Name].Groups = c.Groups(models[e.Name])
	}
	return func(e *config.Environment) *compose.Model { return models[e.Name] }, found.Sort()
}
