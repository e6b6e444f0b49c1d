package plan

import (
	"slices"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// Roles are how many roles are made in an account: those of pipelines, those of the
// roles stack, and, at least, two for each service of the application.
type Roles struct {
	Account string
	Roles   int
	// Least says that the application has services, which may have more.
	Least bool
}

const (
	rolesOfApp     = 2 // of its build, and of its pipelines and what they do
	rolesOfManaged = 2 // deploy, CloudFormation
	rolesOfReview  = 1
	rolesOfProtect = 1
	rolesOfFamily  = 2 // of the task, and of what starts it
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

// cdPipeline returns the CD pipeline.
func (p *Plan) cdPipeline() *Pipeline { return p.Pipelines[len(p.Pipelines)-1] }

// toolingRoles returns the roles of the pipelines: of CI, of the merge project, and of the
// two that update themselves.
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

// startRoles returns the roles of the events that start the two, one for those of CodeCommit
// as the CDK makes them and one for our own rules; a connection needs none.
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

// janitorRoles returns one of all that remove ephemeral environments, and one of the
// events that start each.
func (p *Plan) janitorRoles() int {
	n := 0
	for _, e := range p.config.Environments {
		if e.Teardown != nil {
			n++
		}
	}
	return n + min(n, 1)
}

// actionRoles returns how many roles a pipeline that updates itself has for its actions:
// one for all builds of CDK Pipelines, and one for each source, approval, test and
// admission.
// Deployments use the roles of the targets.
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
		if slices.ContainsFunc(p.config.Environments, admits) {
			n++
		}
	}
	return n
}

// tests returns how many actions test environments.
func (p *Plan) tests() int {
	n := 0
	for _, e := range p.config.Environments {
		n += len(e.Tests) * len(e.Targets())
	}
	return n
}

// stepRoles returns the roles of the projects of the CD pipeline: of each test, one of all that
// tell what changes, one of all that protect stacks, and one of the admission.
func (p *Plan) stepRoles() int {
	n := p.tests()
	for _, has := range []func(*config.Environment) bool{
		func(e *config.Environment) bool { return e.Approval != nil },
		func(e *config.Environment) bool { return e.TerminationProtection },
		admits,
	} {
		if slices.ContainsFunc(p.config.Environments, has) {
			n++
		}
	}
	return n
}

// admits reports whether an environment takes some releases only.
func admits(e *config.Environment) bool { return len(e.Triggers) > 0 }

// channels returns the channels of Slack, each with a role that may do nothing.
func (p *Plan) channels() int {
	n := 0
	for _, notification := range p.config.Notifications {
		if notification.SlackChannel != "" {
			n++
		}
	}
	return n
}
