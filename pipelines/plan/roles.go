package plan

import (
	"slices"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// Roles counts the roles that are made in an account: the pipelines', the roles stack's,
// and, at least, two for each service of the application.
type Roles struct {
	Account string
	Roles   int
	// Least means that the application has services, which may have more.
	Least bool
}

const (
	rolesOfApp     = 2 // of its build, and of its pipelines with their actions
	rolesOfManaged = 2 // deploy, CloudFormation
	rolesOfReview  = 1
	rolesOfProtect = 1
	rolesOfFamily  = 2 // the task role and the execution role
)

// roles counts the roles of all accounts.
func (p *Plan) roles(models Models) {
	for _, a := range p.config.Accounts {
		r := Roles{Account: a.Name}
		if a == p.config.Tooling.Account {
			r.Roles += p.toolingRoles()
		}
		if a.Roles.Type == config.Managed {
			r.Roles += rolesOfManaged
		}
		if a.Roles.Type != config.Given && len(p.config.StageIDs(a)) > 0 {
			r.Roles += rolesOfReview
		}
		if a.Roles.Type != config.Given && len(p.config.Protected(a)) > 0 {
			r.Roles += rolesOfProtect
		}
		for _, e := range p.config.Environments {
			for _, t := range e.Targets() {
				if n := families(models(e)); t.Account == a && n > 0 {
					r.Roles, r.Least = r.Roles+rolesOfFamily*n, true
				}
			}
		}
		p.Roles = append(p.Roles, r)
	}
}

func families(m *compose.Model) int {
	if m == nil {
		return 0
	}
	return len(m.Families)
}

func (p *Plan) cdPipeline() *Pipeline { return p.Pipelines[len(p.Pipelines)-1] }

// toolingRoles counts the roles of the pipelines: CI, the merge project, and the two
// that update themselves.
func (p *Plan) toolingRoles() int {
	c := p.config
	n := rolesOfApp*len(c.Apps) + len(groups(c)) + 1
	for _, pipeline := range []*Pipeline{p.Pipelines[0], p.cdPipeline()} {
		const ofPipeline = 3 // the pipeline itself, the synthesis, the update
		n += ofPipeline + p.actionRoles(pipeline)
	}
	const upload = 1 // of the program composer
	return n + upload + p.startRoles() + p.stepRoles() + p.janitorRoles() + p.channels()
}

// startRoles counts the roles of the events that start these two, one for CodeCommit's
// as the CDK makes it and one for our own rules; a connection needs none.
func (p *Plan) startRoles() int {
	c := p.config
	var roles []bool
	if len(c.Triggers) > 0 {
		roles = []bool{c.Compose.Source.Provider != config.Connection}
	} else {
		for _, provider := range []config.Provider{config.CodeCommit, config.S3} {
			roles = append(roles, c.Compose.Source.Provider == provider || c.Tooling.Source.Provider == provider)
		}
	}
	n := 0
	for _, role := range append(roles, c.Tooling.Source.Provider == config.CodeCommit) {
		if role {
			n++
		}
	}
	return n
}

// janitorRoles counts one role for all janitors, and one for the events that start each.
func (p *Plan) janitorRoles() int {
	n := 0
	for _, e := range p.config.Environments {
		if e.Teardown != nil {
			n++
		}
	}
	return n + min(n, 1)
}

// actionRoles counts the roles for the actions of a pipeline that updates itself: one
// for all builds of CDK Pipelines, and one for each source, approval, test and trigger
// filter. Deployments use the roles of the targets.
func (p *Plan) actionRoles(pipeline *Pipeline) int {
	n := 1
	for _, s := range pipeline.Stages {
		for _, a := range s.Actions {
			if a.Kind == Fetch || a.Kind == Approve {
				n++
			}
		}
	}
	if pipeline == p.cdPipeline() {
		n += p.tests()
		if slices.ContainsFunc(p.config.Environments, triggered) {
			n++
		}
	}
	return n
}

// tests counts the actions that test environments.
func (p *Plan) tests() int {
	n := 0
	for _, e := range p.config.Environments {
		n += len(e.Tests) * len(e.Targets())
	}
	return n
}

// stepRoles counts the roles of the CD pipeline's own projects: one for each test, one
// for all reports of changes, one for all protections, and one for the trigger filter.
func (p *Plan) stepRoles() int {
	n := p.tests()
	for _, has := range []func(*config.Environment) bool{
		func(e *config.Environment) bool { return e.Approval != nil },
		func(e *config.Environment) bool { return e.TerminationProtection },
		triggered,
	} {
		if slices.ContainsFunc(p.config.Environments, has) {
			n++
		}
	}
	return n
}

// triggered reports whether an environment accepts only some releases.
func triggered(e *config.Environment) bool { return len(e.Triggers) > 0 }

// channels counts the Slack channels, each of which has a role without rights.
func (p *Plan) channels() int {
	n := 0
	for _, notification := range p.config.Notifications {
		if notification.SlackChannel != "" {
			n++
		}
	}
	return n
}
