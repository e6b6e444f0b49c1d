package plan

import (
	"slices"

	"composecdk/compose"
	"composecdk/pipelines/config"
	"composecdk/stacks/layout"
)

// Plan holds the pipelines of a configuration before a synthesis, and how near they come
// to quotas.
type Plan struct {
	// Pipelines are sorted: the platform pipeline, the applications', the CD pipeline.
	Pipelines []*Pipeline
	// Roles counts the new roles, by account.
	Roles []Roles
	// Policies has the policies that grow with the configuration.
	Policies []Policy
	// Usage covers everything that AWS limits.
	Usage []Usage
	// Estimated has the environments whose stacks only a synthesis can count: the plan
	// has their minimum.
	Estimated []string

	config *config.Config
}

// Pipeline is a planned pipeline.
type Pipeline struct {
	Name   string
	Stages []Stage
	path   compose.Path
}

// Actions returns the number of actions.
func (p *Pipeline) Actions() int {
	n := 0
	for _, s := range p.Stages {
		n += len(s.Actions)
	}
	return n
}

// Stage is a stage of a pipeline.
type Stage struct {
	Name    string
	Actions []Action
	path    compose.Path
	// targets is the number of targets deployed together, and alarms the number that
	// each must keep out of ALARM before the next wave.
	targets, alarms int
}

// Kind is the kind of an action.
type Kind string

// The kinds of actions.
const (
	Fetch   Kind = "source"
	Build   Kind = "build"
	Scan    Kind = "scan"
	Deploy  Kind = "deploy"
	Approve Kind = "approval"
)

// Action is an action of a stage. Actions of one run order run together.
type Action struct {
	Name     string
	Kind     Kind
	RunOrder int
	// Account is the name of an account.
	Account string
}

// Models gives the application of an environment; nil where nobody knows it.
type Models func(*config.Environment) *compose.Model

// New plans a configuration.
func New(c *config.Config, models Models) *Plan {
	p := &Plan{config: c}
	p.Pipelines = append(p.Pipelines, p.platform())
	for _, app := range c.Apps {
		p.Pipelines = append(p.Pipelines, p.ci(app)...)
	}
	p.Pipelines = append(p.Pipelines, p.cd(models))
	p.roles(models)
	p.policies()
	p.usage(models)
	return p
}

// stacks returns the application's stacks in an environment, each after its
// dependencies.
func (p *Plan) stacks(e *config.Environment, models Models) (order layout.Order) {
	m := models(e)
	if m == nil {
		p.estimated(e)
		order = layout.Order{}
		order.DependOn(layout.Data, layout.Network)
		order.DependOn(layout.Services, layout.Data)
		return order
	}
	order, exact := layout.Of(m)
	if !exact {
		p.estimated(e)
	}
	return order
}

func (p *Plan) estimated(e *config.Environment) {
	if !slices.Contains(p.Estimated, e.Name) {
		p.Estimated = append(p.Estimated, e.Name)
	}
}
