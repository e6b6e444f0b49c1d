package plan

import (
	"cmp"
	"fmt"
	"slices"

	"composecdk/compose"
)

// Check reports exceeded and nearly exceeded quotas, at the place of the pipeline.yaml
// that causes them; of several at one place the worst.
func (p *Plan) Check() compose.Diagnostics { return p.check(p.Usage) }

func (p *Plan) check(usage []Usage) compose.Diagnostics {
	type place struct {
		Quota
		path compose.Path
	}
	told := map[place]bool{}
	var found compose.Diagnostics
	for _, u := range slices.SortedStableFunc(slices.Values(usage), func(a, b Usage) int { return cmp.Compare(b.Share(), a.Share()) }) {
		if at := (place{u.Quota, u.path}); u.Share() >= Warned && !told[at] {
			told[at] = true
			found = append(found, p.diagnostic(u))
		}
	}
	return found.Sort()
}

func (p *Plan) diagnostic(u Usage) compose.Diagnostic {
	d := compose.Diagnostic{
		Pos: p.config.Pos(u.path), Path: u.path, Severity: compose.Warning, Code: "quota-near",
		Message: fmt.Sprintf("%s: %d of %d %s per %s", u.Where, u.Used, u.Most, u.What, u.Per),
		Hint:    u.Source,
	}
	if u.Adjustable {
		d.Hint = "ask AWS for more: " + u.Source
	}
	if u.Used > u.Most {
		d.Hint = cmp.Or(p.smaller(u), d.Hint)
		if !u.Estimated {
			d.Severity, d.Code = compose.Error, "quota-exceeded"
		}
	}
	return d
}

// smaller suggests how to come below an exceeded quota; "" if only AWS can raise it.
func (p *Plan) smaller(u Usage) string {
	switch u.Quota {
	case appsPerGroup:
		return fmt.Sprintf("give some of its applications another Group: a group takes %d", u.Most)
	case templateBytes:
		return "use fewer groups of applications, or leave the indentation out: context @aws-cdk/core:suppressTemplateIndentation in cdk.json"
	case actionsPerStage, rulesPerCondition:
		return p.smallerWave(u)
	default:
		return ""
	}
}

// smallerWave suggests a size of the waves of an environment that fits.
func (p *Plan) smallerWave(u Usage) string {
	cd := p.cdPipeline()
	i := slices.IndexFunc(cd.Stages, func(s Stage) bool { return cd.Name+"/"+s.Name == u.Where })
	if i < 0 || cd.Stages[i].targets == 0 {
		return "use fewer groups of applications"
	}
	stage, shared, what := cd.Stages[i], 0, "action"
	if u.Quota == rulesPerCondition {
		what = "alarm"
	} else {
		for _, a := range stage.Actions {
			if a.Kind == Approve || a.Name == protect {
				shared++
			}
		}
	}
	each := (u.Used - shared + stage.targets - 1) / stage.targets
	switch size := (u.Most - shared) / each; {
	case size > 0:
		return fmt.Sprintf("a target has %s: Wave: {Size: %d} fits", count(each, what), size)
	case what == "alarm":
		return fmt.Sprintf("a target has %d alarms: make one composite alarm of them", each)
	default:
		return fmt.Sprintf("a target alone has %d actions, two or more for each of its stacks: use fewer groups of applications, or divide the application", each)
	}
}
