package plan

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"composecdk/compose"
	"composecdk/pipelines/config"
)

// Usage is how much of a quota is used.
type Usage struct {
	Quota
	// Where is the pipeline, the stage or the account.
	Where string
	Used  int
	path  compose.Path
}

// Share is the part of the quota that is used.
func (u Usage) Share() float64 { return float64(u.Used) / float64(u.Most) }

func (p *Plan) use(q Quota, where string, used int, path compose.Path) {
	p.Usage = append(p.Usage, Usage{q, where, used, path})
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
	rules := 0
	for _, app := range c.Apps {
		rules += eventRules(app)
	}
	p.use(rulesPerBus, tooling, rules, "Apps")
	p.use(projectsPerRegion, tooling, p.projects(), "Apps")
	p.use(repositoriesPerAcct, tooling, len(c.Apps), "Apps")
	p.use(notificationsPerRule, tooling, notificationRules, "Notifications")
	for _, r := range p.Roles {
		p.use(rolesPerAccount, r.Account, r.Roles, "Accounts")
	}
	p.targetStacks(models)
}

// notificationRules are those of the CD pipeline: failed and succeeded.
const notificationRules = 2

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

// eventRules is how many event rules start the pipelines of an application: one per
// trigger, and none where a connection tells CodePipeline.
func eventRules(app *config.App) int {
	switch {
	case app.Source.Provider == config.Connection:
		return 0
	case app.Source.Provider != config.CodeCommit || len(app.Triggers) == 0:
		return 1
	}
	rules := 0
	for _, t := range app.Triggers {
		tags := len(t.Tags) > 0
		main := !tags && len(t.Branches) == 0 || slices.ContainsFunc(t.Branches, func(pattern string) bool { return matches(pattern, app.Source.Branch) })
		for _, starts := range []bool{tags, main, others(app, t)} {
			if starts {
				rules++
			}
		}
	}
	return rules
}

// matches tells whether a glob pattern means a branch.
func matches(pattern, branch string) bool {
	ok, err := path.Match(pattern, branch)
	return pattern == "**" || ok && err == nil
}

// ciResources is how many resources the stack of a group has: the role that starts
// its pipelines, and of each application a project with role and log group, a role of
// the pipelines, these, and what starts them.
func (p *Plan) ciResources(group string) int {
	n := 1
	for _, app := range p.config.Apps {
		if app.Group == group {
			n += 4 + len(p.ci(app)) + eventRules(app)
		}
	}
	return n
}

// projects is how many build projects there are: one per application, the merge
// project, and one for each build of the other two pipelines.
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

// Check reports what does not fit, and what comes near to it, at the place of the
// pipeline.yaml that causes it.
func (p *Plan) Check() compose.Diagnostics {
	var found compose.Diagnostics
	for _, u := range p.Usage {
		if u.Share() < Warned {
			continue
		}
		d := compose.Diagnostic{
			Pos: p.config.Pos(u.path), Path: u.path, Severity: compose.Warning, Code: "quota-near",
			Message: fmt.Sprintf("%s: %d %s of %d per %s", u.Where, u.Used, u.What, u.Most, u.Per),
			Hint:    u.Source,
		}
		if u.Adjustable {
			d.Hint = "ask AWS for more: " + u.Source
		}
		if u.Used > u.Most {
			d.Severity, d.Code = compose.Error, "quota-exceeded"
		}
		if hint := p.smaller(u); hint != "" {
			d.Hint = hint
		}
		found = append(found, d)
	}
	return found.Sort()
}

// smaller tells how to come below a quota that is exceeded.
func (p *Plan) smaller(u Usage) string {
	switch {
	case u.Used <= u.Most:
		return ""
	case u.Quota == appsPerGroup:
		return fmt.Sprintf("give some of its applications another Group: a group takes %d", u.Most)
	case u.Quota == actionsPerStage:
		return p.smallerWave(u)
	default:
		return ""
	}
}

// smallerWave tells which size of the waves of an environment fits.
func (p *Plan) smallerWave(u Usage) string {
	cd := p.cdPipeline()
	i := slices.IndexFunc(cd.Stages, func(s Stage) bool { return cd.Name+"/"+s.Name == u.Where })
	if i < 0 || cd.Stages[i].targets == 0 {
		return "use fewer groups of applications"
	}
	approvals := 0
	for _, a := range cd.Stages[i].Actions {
		if a.Kind == Approve {
			approvals++
		}
	}
	each := (u.Used - approvals) / cd.Stages[i].targets
	if size := (u.Most - approvals) / each; size > 0 {
		return fmt.Sprintf("a target has %d actions: Wave: {Size: %d} fits", each, size)
	}
	return fmt.Sprintf("a target alone has %d actions, two for each of its stacks: use fewer groups of applications, or divide the application", each)
}
