package plan

import (
	"maps"
	"path"
	"slices"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// Usage is the use of a quota.
type Usage struct {
	Quota
	// Where names the pipeline, the stage or the account.
	Where string
	Used  int
	// Estimated means that Used may be some tenths too high.
	Estimated bool
	path      compose.Path
}

// Share returns the used part of the quota, where 1 is all.
func (u Usage) Share() float64 { return float64(u.Used) / float64(u.Most) }

func (p *Plan) use(q Quota, where string, used int, path compose.Path) {
	p.Usage = append(p.Usage, Usage{Quota: q, Where: where, Used: used, path: path})
}

// usage counts all that AWS limits.
func (p *Plan) usage(models Models) {
	c := p.config
	tooling := c.Tooling.Account.Name
	p.use(pipelinesPerRegion, tooling, len(p.Pipelines), "Apps")
	for _, pipeline := range p.Pipelines {
		p.use(stagesPerPipeline, pipeline.Name, len(pipeline.Stages), pipeline.path)
		p.use(actionsPerPipeline, pipeline.Name, pipeline.Actions(), pipeline.path)
		for _, s := range pipeline.Stages {
			p.use(actionsPerStage, pipeline.Name+"/"+s.Name, len(s.Actions), s.path)
			if s.alarms > 0 {
				p.use(rulesPerCondition, pipeline.Name+"/"+s.Name, s.alarms*s.targets, s.path)
			}
		}
	}
	apps := map[string]int{}
	for _, app := range c.Apps {
		apps[app.Group]++
	}
	for _, group := range groups(c) {
		p.use(appsPerGroup, group, apps[group], "Apps")
		p.use(resourcesPerStack, c.Name+"-ci-"+group, p.ciResources(group), "Apps")
	}
	rules := p.cdRules()
	for _, app := range c.Apps {
		rules += eventRules(app.Source, app.Triggers)
	}
	p.use(rulesPerBus, tooling, rules, "Apps")
	p.use(projectsPerRegion, tooling, p.projects(), "Apps")
	p.use(repositoriesPerAcct, tooling, len(c.Apps), "Apps")
	p.use(notificationsPerRule, tooling, len(p.Pipelines)+1, "Notifications") // failed of each, and succeeded of CD
	for _, r := range p.Roles {
		p.use(rolesPerAccount, r.Account, r.Roles, "Accounts")
	}
	p.use(resourcesPerStack, c.SharedStack(), p.sharedResources(), "Apps")
	p.Usage = append(p.Usage, Usage{Quota: templateBytes, Where: c.Name + "-cd", Used: p.cdBytes(), Estimated: true, path: "Environments"})
	p.targetStacks(models)
}

// sharedResources counts the resources of the shared stack: two buckets with their
// policies, the key with its alias, two parameters and three topics with policies,
// besides the repositories, the subscriptions, and the signing.
func (p *Plan) sharedResources() int {
	const always = 14
	n, subscribed := always+len(p.config.Apps), map[string]bool{}
	for _, notification := range p.config.Notifications {
		for _, e := range notification.Events {
			if notification.Email != "" {
				subscribed[notification.Email+" "+string(e)] = true
			}
		}
	}
	if slices.ContainsFunc(p.config.Apps, func(app *config.App) bool { return app.Sign }) {
		n += 2
	}
	return n + len(subscribed)
}

// Bytes of the template of the CD pipeline, as measured: one action, whose roles are
// longer where they have the partition of the account in them, and all the rest.
const (
	bytesOfAction    = 530
	bytesOfBootstrap = 130
	bytesOfRest      = 20_000
	bytesOfBuild     = 5_000
)

// cdBytes estimates the size of the CD pipeline's template.
func (p *Plan) cdBytes() int {
	bootstrap := map[string]bool{}
	for _, a := range p.config.Accounts {
		bootstrap[a.Name] = a.Roles.Type == config.Bootstrap
	}
	n := bytesOfRest
	for _, s := range p.cdPipeline().Stages {
		for _, a := range s.Actions {
			n += bytesOfAction
			switch {
			case a.Kind == Build:
				n += bytesOfBuild
			case a.Kind == Deploy && bootstrap[a.Account]:
				n += bytesOfBootstrap
			}
		}
	}
	return n
}

// targetStacks counts the stacks of the application in each account and region.
func (p *Plan) targetStacks(models Models) {
	stacks := map[string]int{}
	for _, e := range p.config.Environments {
		n := len(p.stacks(e, models))
		for _, t := range e.Targets() {
			stacks[t.Account.Name+" "+t.Region] += n
		}
	}
	for _, where := range slices.Sorted(maps.Keys(stacks)) {
		p.use(stacksPerRegion, where, stacks[where], "Environments")
	}
}

// cdRules counts the rules that start the two pipelines that update themselves, and two
// for each janitor.
func (p *Plan) cdRules() int {
	c, n := p.config, 0
	if c.Tooling.Source.Provider == config.CodeCommit {
		n++ // of the platform pipeline
	}
	if len(c.Triggers) > 0 {
		n += eventRules(c.Compose.Source, c.Triggers)
	} else {
		n += eventRules(c.Compose.Source, nil)
		if !c.Tooling.Source.Same(c.Compose.Source) {
			n += eventRules(c.Tooling.Source, nil)
		}
	}
	for _, e := range c.Environments {
		if e.Teardown != nil {
			n += 2
		}
	}
	return n
}

// eventRules counts the rules that start pipelines of a source: one per trigger, and
// none for a connection, which notifies CodePipeline itself.
func eventRules(s config.Source, triggers []config.Trigger) int {
	switch {
	case s.Provider == config.Connection:
		return 0
	case s.Provider != config.CodeCommit || len(triggers) == 0:
		return 1
	}
	rules := 0
	for _, t := range triggers {
		tags := len(t.Tags) > 0
		main := !tags && len(t.Branches) == 0 || slices.ContainsFunc(t.Branches, func(pattern string) bool { return matches(pattern, s.Branch) })
		for _, starts := range []bool{tags, main, others(s, t)} {
			if starts {
				rules++
			}
		}
	}
	return rules
}

// matches reports whether a glob pattern matches a branch.
func matches(pattern, branch string) bool {
	ok, err := path.Match(pattern, branch)
	return pattern == "**" || ok && err == nil
}

// ciResources counts the resources of a group's stack: the role that starts its
// pipelines, and of each application a project with role and log group, a role of the
// pipelines, the pipelines, and their starts.
func (p *Plan) ciResources(group string) int {
	n := 1
	for _, app := range p.config.Apps {
		if app.Group == group {
			n += 4 + 2*len(p.ci(app)) + eventRules(app.Source, app.Triggers)
		}
	}
	return n
}

// projects counts the build projects: one per application, the merge project, and one
// for each build of the other two pipelines.
func (p *Plan) projects() int {
	n := len(p.config.Apps) + 1
	for _, pipeline := range []*Pipeline{p.Pipelines[0], p.cdPipeline()} {
		for _, s := range pipeline.Stages {
			for _, a := range s.Actions {
				if a.Kind == Build {
					n++
				}
			}
		}
	}
	return n
}
