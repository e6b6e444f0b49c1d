package plan

import (
	"context"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/compose/load"
	"composecdk/pipelines/config"
)

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
		project, more := load.Files(context.Background(), options)
		found = append(found, more...)
		if project == nil {
			continue
		}
		model, more := compose.Resolve(project, kinds.Schemas())
		found = append(found, more...)
		model.Groups = c.Groups(model)
		models[e.Name] = model
		found = append(found, config.Check(c, e, target, model, model.Outputs())...)
	}
	return known, found.Sort()
}
