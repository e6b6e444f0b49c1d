package diagram

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"composecdk/pipelines/config"
)

// palette holds the colours of a box. They suit a white ground, which the picture has
// whatever the page.
type palette struct{ fill, line, ink string }

var (
	account    = palette{"#f6f8fa", "#afb8c1", "#24292f"}
	repository = palette{"#eef2ff", "#6366f1", "#312e81"}
	build      = palette{"#ecfdf5", "#059669", "#064e3b"}
	store      = palette{"#fff7ed", "#ea580c", "#7c2d12"}
	ephemeral  = palette{"#fefce8", "#ca8a04", "#713f12"}
	approval   = palette{"#fdf2f8", "#db2777", "#831843"}
	permanent  = palette{"#eff6ff", "#2563eb", "#1e3a8a"}
)

// Kinds of arrows: a release moves along the first, the second is only read.
const (
	flow = `color="` + flowColor + `"`
	read = `color="#9ca3af" style=dashed`

	flowColor = "#4b5563"
)

// mostShown limits how many of a kind are drawn; the last one stands for the rest.
const mostShown = 3

// Ids of single nodes.
const (
	platformID = "platform pipeline"
	cdID       = "CD pipeline"
	mergeID    = "merge"
	imagesID   = "images"
	artifactID = "artifacts"
)

// picture draws a configuration.
type picture struct {
	dot
	c *config.Config
}

// draw returns the graph of a configuration.
func draw(c *config.Config) string {
	p := &picture{c: c}
	p.line("digraph pipeline {")
	p.line(`graph [rankdir=TB newrank=true bgcolor="#ffffff" pad=0.25 nodesep=0.3 ranksep=0.5 fontname="Helvetica" fontsize=14 size="12.5,100"]`)
	p.line(`node [fontname="Helvetica" fontsize=13 margin="0.2,0.1" penwidth=1.2]`)
	p.line(`edge [fontname="Helvetica" arrowsize=0.7 penwidth=1.2]`)
	p.sources(func(s config.Source) bool { return s.Provider == config.Connection })
	p.cluster("tooling", c.Tooling.Account.Name+" "+c.Tooling.Account.ID, "tooling account, "+c.Tooling.Region, account, p.tooling)
	p.targets()
	p.line("%s", strings.Join(p.edges, "\n"))
	p.line("}")
	return p.String()
}

// lane is an application, and the number of others that it stands for.
type lane struct {
	*config.App
	more int
}

func (p *picture) lanes() []lane {
	var lanes []lane
	for i, app := range p.c.Apps {
		if i < mostShown {
			lanes = append(lanes, lane{App: app})
		} else {
			lanes[mostShown-1].more++
		}
	}
	return lanes
}

// more adds the number of others to a name.
func more(name string, others int) string {
	if others == 0 {
		return name
	}
	return fmt.Sprintf("%s … and %d more", name, others)
}

// sources draws the wanted repositories: a connection's are outside of the tooling
// account.
func (p *picture) sources(wanted func(config.Source) bool) {
	drawn := map[string]bool{}
	add := func(s config.Source, label, what string) {
		if id := sourceID(s); wanted(s) && !drawn[id] {
			drawn[id] = true
			p.node(id, label, what+", "+string(s.Provider), repository)
		}
	}
	add(p.c.Tooling.Source, sourceName(p.c.Tooling.Source), "platform repository")
	add(p.c.Compose.Source, sourceName(p.c.Compose.Source), "compose repository")
	for _, l := range p.lanes() {
		add(l.Source, more(sourceName(l.Source), l.more), "application")
	}
}

func sourceName(s config.Source) string { return cmp.Or(s.Repository, s.Bucket+"/"+s.Key) }

func sourceID(s config.Source) string { return "source " + string(s.Provider) + " " + sourceName(s) }

// tooling draws the account that the pipelines run in.
func (p *picture) tooling() {
	p.sources(func(s config.Source) bool { return s.Provider != config.Connection })
	var pipelines []string
	for _, l := range p.lanes() {
		id := l.CIPipeline()
		p.pipeline(id, more(id, l.more), ciStages(l.App))
		p.edge(place{node: sourceID(l.Source)}, above(id), "", flow)
		p.edge(place{id, "Build"}, place{node: imagesID}, "image", flow)
		p.edge(place{id, "Merge"}, place{node: mergeID}, "digest", flow)
		pipelines = append(pipelines, id)
	}
	p.row(pipelines...)
	p.node(imagesID, "ECR", p.repositories(), store)
	p.node(mergeID, "Merge project", "one change at a time", build)
	p.node(artifactID, "Artifacts", "S3 bucket and KMS key", store)
	p.pipeline(platformID, p.c.PlatformPipeline(), []cell{
		{"Source", "push", repository}, {"Synth", "stacks", build}, {"Update", "itself", build}, {"Tooling", "shared, merge, CI", permanent},
	})
	p.pipeline(cdID, p.c.CDPipeline(), p.cdStages())
	p.row(cdID, platformID)
	p.row(imagesID, mergeID)
	compose, platform := sourceID(p.c.Compose.Source), sourceID(p.c.Tooling.Source)
	p.row(compose, platform)
	p.edge(place{node: mergeID}, place{node: compose}, path.Join(p.c.Compose.Images, "<service>.yaml"), flow)
	p.edge(place{node: compose}, above(cdID), "compose files, digests", flow)
	p.edge(place{node: platform}, above(cdID), p.c.Tooling.File, flow)
	p.edge(place{node: platform}, above(platformID), "", flow)
	p.edge(place{cdID, "Synth"}, place{node: artifactID}, "templates", flow)
}

// repositories draws the image repositories.
func (p *picture) repositories() string {
	if n := len(p.c.Apps); n > mostShown {
		return more(p.c.Apps[0].Repository.Name, n-1)
	}
	var names []string
	for _, app := range p.c.Apps {
		names = append(names, app.Repository.Name)
	}
	return strings.Join(names, ", ")
}

func ciStages(app *config.App) []cell {
	stages := []cell{{"Source", cmp.Or(app.Source.Branch, app.Source.Tag, "latest"), repository}, {"Build", "test, push", build}}
	if app.Scan != nil {
		stages = append(stages, cell{"Scan", "findings", approval})
	}
	return append(stages, cell{"Merge", app.Service, build})
}

// cdStages joins the waves of an environment in one stage.
func (p *picture) cdStages() []cell {
	stages := []cell{{"Source", "push", repository}, {"Synth", "stacks", build}, {"Update", "itself", build}}
	for _, e := range p.c.Environments {
		if e.Approval != nil {
			stages = append(stages, cell{"Approval", e.Name, approval})
		}
		stages = append(stages, cell{e.Name, doing(e), colorsOf(e)})
	}
	return stages
}

func colorsOf(e *config.Environment) palette {
	if e.Type == config.Ephemeral {
		return ephemeral
	}
	return permanent
}

// doing describes the stages of an environment.
func doing(e *config.Environment) string {
	what := "deploy"
	if len(e.Tests) > 0 {
		what += ", test"
	}
	if e.Type == config.Ephemeral {
		what += ", delete"
	}
	if n := len(e.Waves); n > 1 {
		what += fmt.Sprintf(" in %d waves", n)
	}
	return what
}

// site is an environment's part in an account, and the number of others that it stands
// for.
type site struct {
	config.Target
	e    *config.Environment
	more int
}

// sites returns the drawn sites of an environment.
func sites(e *config.Environment) []site {
	var drawn []site
	for i, t := range e.Targets() {
		if i < mostShown {
			drawn = append(drawn, site{Target: t, e: e})
		} else {
			drawn[mostShown-1].more++
		}
	}
	return drawn
}

// targets draws the target accounts, each with its sites of all environments.
func (p *picture) targets() {
	var accounts []string
	of := map[string][]site{}
	for _, e := range p.c.Environments {
		for _, s := range sites(e) {
			id := "account " + s.Account.ID
			if s.more > 0 {
				id += " and others"
			}
			if of[id] == nil {
				accounts = append(accounts, id)
			}
			of[id] = append(of[id], s)
		}
	}
	for _, id := range accounts {
		p.account(id, of[id])
	}
	p.row(accounts...)
}

func (p *picture) account(id string, sites []site) {
	first := sites[0]
	title := first.Account.Name + " " + first.Account.ID
	if first.more > 0 {
		title = more(first.Account.Name, first.more)
	}
	var cells []cell
	for _, s := range sites {
		cells = append(cells, cell{s.e.Name, s.Region, colorsOf(s.e)})
		p.edge(place{cdID, s.e.Name}, above(id), "change sets", flow)
	}
	p.box(id, title, string(first.Account.Roles.Type)+" roles, images from ECR", " ", account.fill, cells)
	p.edge(place{node: artifactID}, above(id), "", read)
}
