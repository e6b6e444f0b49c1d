package plan

import (
	"slices"

	"composecdk/compose"
	"composecdk/pipelines/config"
	"composecdk/stacks/layout"
)

// Plan is what a configuration becomes.
type Plan struct {
	// Pipelines are the platform's, those of the applications, and the CD pipeline.
	Pipelines []*Pipeline
	// Roles are those that are made, by account.
	Roles []Roles
	// Policies are those that grow with the configuration.
	Policies []Policy
	// Usage is what there is of all that AWS limits.
	Usage []Usage
	// Estimated are the environments whose stacks only a synthesis can count: the
	// plan has the fewest that they can be.
	Estimated []string

	config *config.Config
}

// Pipeline is one.
type Pipeline struct {
	Name   string
	Stages []Stage
	path   compose.Path
}

// Actions returns how many the pipeline has.
func (p *Pipeline) Actions() int {
	n := 0
	for _, s := range p.Stages {
		n += len(s.Actions)
	}
	return n
}

// Stage is one of a pipeline.
type Stage struct {
	Name    string
	Actions []Action
	path    compose.Path
	// targets is how many are deployed to together, and alarms how many each must keep
	// quiet before the next wave.
	targets, alarms int
}

// Kind is what an action does.
type Kind string

// The kinds of actions.
const (
	Fetch   Kind = "source"
	Build   Kind = "build"
	Scan    Kind = "scan"
	Deploy  Kind = "deploy"
	Approve Kind = "approval"
)

// Action is one of a stage. Those of one run order run together.
type Action struct {
	Name     string
	Kind     Kind
	RunOrder int
	// Account is the name of the account that it acts in.
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

// stacks returns the stacks of the application in an environment, in the order of the plan,
// each after those that it waits for.
func (p *Plan) stacks(e *config.Environment, models Models) (order layout.Order) {
	m := models(e)
	if m == nil {
		p.estimated(e)
		order = layout.Order{}
		order.After(layout.Data, layout.Network)
		order.After(layout.Services, layout.Data)
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
