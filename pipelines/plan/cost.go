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

// Assumptions are what the cost depends on that no file says.
type Assumptions struct {
	// Runs is how often the pipeline of each application runs in a month, Releases how
	// often the CD pipeline does, and Updates how often the platform's.
	Runs, Releases, Updates int
	// Minutes is how long an action takes, by its kind.
	Minutes map[Kind]int
}

// Assumed returns what is assumed where nobody says otherwise.
func Assumed() Assumptions {
	return Assumptions{
		Runs: 20, Releases: 20, Updates: 4,
		Minutes: map[Kind]int{Fetch: 1, Build: 5, Scan: 2, Deploy: 3},
	}
}

// Cost is that of pipelines in a month, in USD, by their type.
type Cost struct {
	V1, V2 float64
	// Minutes is how long all actions take together that cost by the minute.
	Minutes int
}

// Cost returns what the pipelines cost, without builds.
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

// minutes returns how long the actions of one run take together.
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
