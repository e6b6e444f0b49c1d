package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// mostListed limits the pipelines of one shape that are listed one by one.
const mostListed = 3

// Text prints the plan for a person, with its cost.
func (p *Plan) Text(out io.Writer, a Assumptions) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	print := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) } //nolint:errcheck // Flush tells
	print("Pipelines")
	p.listPipelines(print)
	for _, pipeline := range []*Pipeline{p.Pipelines[0], p.cdPipeline()} {
		print("\nStages of %s", pipeline.Name)
		pipeline.listStages(print)
	}
	if len(p.Estimated) > 0 {
		print("\nEstimated: the stacks of %s, which could be more; only a synthesis counts their resources.", strings.Join(p.Estimated, ", "))
	}
	print("\nRoles that are made, by account")
	p.listRoles(print)
	print("\nLimits, the nearest first")
	for _, u := range p.nearest() {
		print("  %.0f %%\t%d of %d %s per %s\t%s", 100*u.Share(), u.Used, u.Most, u.What, u.Per, u.Where)
	}
	p.printCost(print, a)
	return w.Flush()
}

// listPipelines lists pipelines; many of one shape in one line.
func (p *Plan) listPipelines(print func(string, ...any)) {
	for i := 0; i < len(p.Pipelines); {
		same := i + 1
		for same < len(p.Pipelines) && p.Pipelines[same].shape() == p.Pipelines[i].shape() {
			same++
		}
		if same-i > mostListed {
			print("  %s … %s\t%d times\t%s", p.Pipelines[i].Name, p.Pipelines[same-1].Name, same-i, p.Pipelines[i].shape())
			i = same
			continue
		}
		for ; i < same; i++ {
			print("  %s\t\t%s", p.Pipelines[i].Name, p.Pipelines[i].shape())
		}
	}
}

// listRoles lists the accounts by their number of roles.
func (p *Plan) listRoles(print func(string, ...any)) {
	accounts := map[Roles][]string{}
	var order []Roles
	for _, r := range p.Roles {
		key := Roles{Roles: r.Roles, Least: r.Least}
		if accounts[key] == nil {
			order = append(order, key)
		}
		accounts[key] = append(accounts[key], r.Account)
	}
	for _, r := range order {
		least := ""
		if r.Least {
			least = "or more, with those of the services"
		}
		print("  %s\t%d\t%s", some(accounts[r]), r.Roles, least)
	}
}

// some shortens a list of names.
func some(names []string) string {
	if more := len(names) - mostListed; more > 0 {
		names = append(slices.Clone(names[:mostListed]), fmt.Sprintf("… %d more", more))
	}
	return strings.Join(names, ", ")
}

// listStages lists stages; many that do the same for an environment in one line.
func (p *Pipeline) listStages(print func(string, ...any)) {
	for i := 0; i < len(p.Stages); {
		s, same := p.Stages[i], i+1
		for same < len(p.Stages) && p.Stages[same].path == s.path && p.Stages[same].kinds() == s.kinds() {
			same++
		}
		if same-i > mostListed {
			print("  %s … %d more\t%s each\t%s", s.Name, same-i-1, count(len(s.Actions), "action"), s.kinds())
			i = same
			continue
		}
		print("  %s\t%s\t%s", s.Name, count(len(s.Actions), "action"), s.summary())
		i++
	}
}

// shape may be shared by pipelines of different applications.
func (p *Pipeline) shape() string {
	return fmt.Sprintf("%s, %s", count(len(p.Stages), "stage"), count(p.Actions(), "action"))
}

// summary describes the actions of a stage, and where they act.
func (s *Stage) summary() string {
	accounts := map[string]bool{}
	for _, a := range s.Actions {
		accounts[a.Account] = true
	}
	return s.kinds() + " in " + some(slices.Sorted(maps.Keys(accounts)))
}

// kinds lists the kinds of a stage's actions.
func (s *Stage) kinds() string {
	n := map[Kind]int{}
	for _, a := range s.Actions {
		n[a.Kind]++
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%d %s", n[kind], kind))
	}
	return strings.Join(parts, ", ")
}

// nearest returns for each quota the largest usage, sorted by share.
func (p *Plan) nearest() []Usage {
	most := map[Quota]Usage{}
	for _, u := range p.Usage {
		if u.Used > most[u.Quota].Used {
			most[u.Quota] = u
		}
	}
	return slices.SortedFunc(maps.Values(most), func(a, b Usage) int {
		return cmp.Or(cmp.Compare(b.Share(), a.Share()), cmp.Compare(a.Per+a.What, b.Per+b.What))
	})
}

func (p *Plan) printCost(print func(string, ...any), a Assumptions) {
	cost := p.Cost(a)
	print("\nCost of the pipelines in a month, without builds")
	print("  V2, which is made\t%.2f USD\t%d minutes of actions at %.3f USD, %d of them free", cost.V2, cost.Minutes, v2PerMinute, v2FreeMinutes)
	print("  V1, to compare\t%.2f USD\tat %.2f USD a pipeline that runs, one of them free", cost.V1, v1PerPipeline)
	print("  V1 has no queued executions, conditions of stages, or triggers by tag, branch and path.")
	print("  Assumed: %d runs of each application's pipeline, %d releases, %d updates of the platform;", a.Runs, a.Releases, a.Updates)
	var minutes []string
	for _, kind := range slices.Sorted(maps.Keys(a.Minutes)) {
		minutes = append(minutes, fmt.Sprintf("%s %d", kind, a.Minutes[kind]))
	}
	print("  minutes of an action: %s.", strings.Join(minutes, ", "))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// JSON prints all of the plan for a program.
func (p *Plan) JSON(out io.Writer, a Assumptions) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		*Plan
		Assumptions Assumptions
		Cost        Cost
	}{p, a, p.Cost(a)})
}
