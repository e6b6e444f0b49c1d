package loading

import (
	"context"

	"composecdk/compose"
	"composecdk/compose/kinds"
)

// Model loads and resolves compose files; the model is nil where they have
// errors.
func Model(files ...string) (*compose.Project, *compose.Model, compose.Diagnostics) {
	project, found := compose.Load(context.Background(), compose.Options{Files: files})
	if project == nil {
		return nil, nil, found.Sort()
	}
	model, more := compose.Resolve(project, kinds.Schemas())
	found = append(found, more...).Sort()
	if found.HasErrors() {
		model = nil
	}
	return project, model, found
}
