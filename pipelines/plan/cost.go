package plan

// Prices of pipelines in USD, of 2026-11. Builds cost extra, whatever the type. See
// https://aws.amazon.com/codepipeline/pricing/
const (
	// V1 costs by the pipeline that ran at least once in the month; one is free.
	v1PerPipeline = 1.00
	v1Free        = 1
	// V2 costs by the minute of every action, rounded up, but for approvals.
	v2PerMinute   = 0.002
	v2FreeMinutes = 100
)

// Assumptions are the inputs of the cost that no file has.
type Assumptions struct {
	// Runs, Releases and Updates are how often a month the pipeline of each application,
	// the CD pipeline and the platform pipeline run.
	Runs, Releases, Updates int
	// Minutes is the duration of an action, by its kind.
	Minutes map[Kind]int
}

// Assumed returns the default assumptions.
func Assumed() Assumptions {
	return Assumptions{
		Runs: 20, Releases: 20, Updates: 4,
		Minutes: map[Kind]int{Fetch: 1, Build: 5, Scan: 2, Deploy: 3},
	}
}

// Cost is in USD a month, by the type of pipelines.
type Cost struct {
	V1, V2 float64
	// Minutes is the total duration of the actions that cost by the minute.
	Minutes int
}

// Cost returns the cost of the pipelines, without builds.
func (p *Plan) Cost(a Assumptions) Cost {
	var cost Cost
	for i, pipeline := range p.Pipelines {
		runs := a.Runs
		switch i {
		case 0:
			runs = a.Updates
		case len(p.Pipelines) - 1:
			runs = a.Releases
		}
		if runs > 0 {
			cost.V1 += v1PerPipeline
		}
		cost.Minutes += runs * a.minutes(pipeline)
	}
	cost.V1 = max(0, cost.V1-v1Free*v1PerPipeline)
	cost.V2 = float64(max(0, cost.Minutes-v2FreeMinutes)) * v2PerMinute
	return cost
}

// minutes returns the total duration of the actions of one run.
func (a Assumptions) minutes(p *Pipeline) int {
	n := 0
	for _, s := range p.Stages {
		for _, action := range s.Actions {
			if action.Kind != Approve {
				n += a.Minutes[action.Kind]
			}
		}
	}
	return n
}
