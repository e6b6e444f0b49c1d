package plan

import (
	"fmt"
	"maps"
	"slices"

	"composecdk/pipelines/config"
	"composecdk/stacks/layout"
)

// platform plans the pipeline that deploys the shared resources, the merge project and
// the CI pipelines.
func (p *Plan) platform() *Pipeline {
	c, account := p.config, p.config.Tooling.Account.Name
	stage, g := "Tooling", &graph{}
	deploy := func(stack string, after ...*node) *node {
		prepare := g.add(Deploy, account, []string{stage, stack, "Prepare"}, after...)
		return g.add(Deploy, account, []string{stage, stack, "Deploy"}, prepare)
	}
	shared := deploy(c.SharedStack())
	upload := g.add(Build, account, []string{stage, c.SharedStack(), "Composer"}, shared)
	deploy(c.Name+"-merge", upload)
	for _, group := range groups(c) {
		deploy(c.Name+"-ci-"+group, upload)
	}
	tooling := g.stage(stage)
	tooling.path = "Apps"
	return &Pipeline{Name: c.PlatformPipeline(), Stages: append(p.beginning("Compose"), tooling), path: "Tooling"}
}

// groups returns the groups of the applications, sorted.
func groups(c *config.Config) []string {
	found := map[string]bool{}
	for _, app := range c.Apps {
		found[app.Group] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// beginning plans the first stages of a pipeline that updates itself: the sources, one
// if one repository holds everything, the synthesis and the update.
func (p *Plan) beginning(second string) []Stage {
	c, account := p.config, p.config.Tooling.Account.Name
	sources := Stage{Name: "Source", Actions: []Action{{Name: "Source", Kind: Fetch, RunOrder: 1, Account: account}}}
	if !c.Tooling.Source.Same(c.Compose.Source) {
		sources.Actions = append(sources.Actions, Action{Name: second, Kind: Fetch, RunOrder: 1, Account: account})
	}
	return []Stage{
		sources,
		{Name: "Build", Actions: []Action{{Name: "Synth", Kind: Build, RunOrder: 1, Account: account}}},
		{Name: "UpdatePipeline", Actions: []Action{{Name: "SelfMutate", Kind: Build, RunOrder: 1, Account: account}}},
	}
}

// ci plans the pipelines of an application: one that hands its images over, and one for
// other branches.
func (p *Plan) ci(app *config.App) []*Pipeline {
	stage := func(name string, kind Kind) Stage {
		return Stage{Name: name, Actions: []Action{{Name: name, Kind: kind, RunOrder: 1, Account: p.config.Tooling.Account.Name}}}
	}
	main := &Pipeline{Name: app.CIPipeline(), path: app.Path, Stages: []Stage{stage("Source", Fetch), stage("Build", Build)}}
	pipelines := []*Pipeline{main}
	if otherBranches(app) {
		pipelines = append(pipelines, &Pipeline{Name: app.BranchPipeline(), path: app.Path, Stages: slices.Clone(main.Stages)})
	}
	if app.Scan != nil {
		main.Stages = append(main.Stages, stage("Scan", Scan))
	}
	main.Stages = append(main.Stages, stage("Merge", Build))
	return pipelines
}

// otherBranches reports whether triggers name branches besides the source's.
func otherBranches(app *config.App) bool {
	return slices.ContainsFunc(app.Triggers, func(t config.Trigger) bool { return others(app.Source, t) })
}

func others(s config.Source, t config.Trigger) bool {
	return slices.ContainsFunc(t.Branches, func(branch string) bool { return branch != s.Branch })
}

func (p *Plan) cd(models Models) *Pipeline {
	pipeline := &Pipeline{Name: p.config.CDPipeline(), Stages: p.beginning("Platform"), path: "Environments"}
	if images := p.built(models); len(images) > 0 {
		pipeline.Stages = append(pipeline.Stages, p.assets(images))
	}
	admitted := false
	for _, e := range p.config.Environments {
		stacks := p.stacks(e, models)
		if len(e.Triggers) > 0 && !admitted {
			admitted = true
			pipeline.Stages = append(pipeline.Stages, p.single(e, "Admission", "Admission", Build))
		}
		if e.Type == config.Ephemeral {
			pipeline.Stages = append(pipeline.Stages, p.ephemeral(e, stacks))
			continue
		}
		asks := p.asks(e)
		pipeline.Stages = append(pipeline.Stages, asks...)
		for i := range e.Waves {
			pipeline.Stages = append(pipeline.Stages, p.wave(e, i, stacks))
		}
	}
	return pipeline
}

// built returns the services whose images the CD pipeline builds, as no application
// does.
func (p *Plan) built(models Models) []string {
	images := map[string]bool{}
	for _, e := range p.config.Environments {
		m := models(e)
		if m == nil {
			continue
		}
		for _, f := range m.Families {
			for _, container := range f.Containers {
				if container.Image.Build != nil {
					images[container.Service] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(images))
}

// assets plans the stage that builds images.
func (p *Plan) assets(images []string) Stage {
	stage := Stage{Name: "Assets", path: "Compose"}
	for _, image := range images {
		stage.Actions = append(stage.Actions, Action{Name: image, Kind: Build, RunOrder: 1, Account: p.config.Tooling.Account.Name})
	}
	return stage
}

// asks plans the stages before an environment: the report of its changes, and the
// approval, unless it approves change sets.
func (p *Plan) asks(e *config.Environment) []Stage {
	if e.Approval == nil {
		return nil
	}
	stages := []Stage{p.single(e, e.Name+"-changes", "Changes-"+e.Name, Build)}
	if !e.Review {
		stages = append(stages, p.single(e, e.Name+"-approval", approvalOf(e), Approve))
	}
	return stages
}

// single plans a stage of one action in the tooling account.
func (p *Plan) single(e *config.Environment, name, action string, kind Kind) Stage {
	return Stage{Name: name, path: e.Path, Actions: []Action{{Name: action, Kind: kind, RunOrder: 1, Account: p.config.Tooling.Account.Name}}}
}

func approvalOf(e *config.Environment) string { return "Approve-" + e.Name }

// ephemeral plans the only stage of an environment that is created, tested and removed.
func (p *Plan) ephemeral(e *config.Environment, stacks layout.Order) Stage {
	t, g := e.Targets()[0], &graph{}
	name := p.config.StageID(e, t)
	p.target(g, []string{name}, e, t, stacks, nil)
	last := slices.Clone(g.nodes)
	for _, stack := range deletion(stacks) {
		remove := g.add(Deploy, t.Account.Name, []string{name, "Teardown"}, last...)
		remove.Name, last = stack+".Delete", []*node{remove}
	}
	stage := g.stage(name)
	stage.path, stage.targets = e.Path, 1
	return stage
}

// deletion sorts stacks so that each is deleted before its dependencies.
func deletion(stacks layout.Order) []string {
	order := stacks.Sorted()
	slices.Reverse(order)
	return order
}

// protect names the action that keeps the stacks of a wave from being deleted.
const protect = "Protect"

// wave plans the stage of targets that are deployed together. CDK Pipelines names it
// after a single target.
func (p *Plan) wave(e *config.Environment, i int, stacks layout.Order) Stage {
	g, targets := &graph{}, e.Waves[i]
	name := e.Name
	if len(e.Waves) > 1 {
		name = fmt.Sprintf("%s-%d", e.Name, i+1)
	}
	var ask *node
	if e.Review && e.Approval != nil && i == 0 {
		ask = &node{Action: Action{Kind: Approve, Account: p.config.Tooling.Account.Name}}
	}
	if len(targets) == 1 {
		name = p.config.StageID(e, targets[0])
	}
	for _, t := range targets {
		path := []string{name}
		if len(targets) > 1 {
			path = append(path, p.config.StageID(e, t))
		}
		p.target(g, path, e, t, stacks, ask)
	}
	if e.TerminationProtection {
		g.add(Build, p.config.Tooling.Account.Name, []string{name, protect}, slices.Clone(g.nodes)...)
	}
	stage := g.stage(name)
	stage.path, stage.targets = e.Path.Key("Wave"), len(targets)
	if e.Bake != nil {
		stage.alarms = len(e.Bake.Alarms)
	}
	return stage
}

// target adds the actions of a target: two per stack, and after all of them the tests.
// An approval of change sets comes between the change sets of the stacks without
// dependencies and their execution, in all targets.
func (p *Plan) target(g *graph, path []string, e *config.Environment, t config.Target, stacks layout.Order, ask *node) {
	begin := len(g.nodes)
	at := func(steps ...string) []string { return slices.Concat(path, steps) }
	deployed := map[string]*node{}
	for _, stack := range stacks.Sorted() {
		var after []*node
		for _, before := range slices.Sorted(maps.Keys(stacks[stack])) {
			after = append(after, deployed[before])
		}
		prepare := g.add(Deploy, t.Account.Name, at(stack, "Prepare"), after...)
		execute := g.add(Deploy, t.Account.Name, at(stack, "Deploy"), prepare)
		if ask != nil && len(after) == 0 {
			if ask.path == nil {
				ask.path = at(stack, approvalOf(e))
				g.nodes = append(g.nodes, ask)
			}
			ask.after = append(ask.after, prepare)
			execute.after = append(execute.after, ask)
		}
		deployed[stack] = execute
	}
	all := slices.Clone(g.nodes[begin:])
	for _, test := range e.Tests {
		g.add(Build, p.config.Tooling.Account.Name, at(test.Name), all...)
	}
}
