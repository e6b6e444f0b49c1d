package compose

import (
	"fmt"
	"slices"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// seconds is a range of whole seconds that ECS accepts.
type seconds struct{ least, most int }

// What ECS accepts of a health check.
var (
	healthInterval    = seconds{5, 300}
	healthTimeout     = seconds{2, 60}
	healthStartPeriod = seconds{0, 300}
)

const healthRetriesLeast, healthRetriesMost = 1, 10

// healthCheck reads the container's own health check; nil is none.
func (r *resolver) healthCheck(path Path, s types.ServiceConfig) *HealthCheck {
	h := s.HealthCheck
	path = path.Key("healthcheck")
	if h == nil || h.Disable || len(h.Test) > 0 && h.Test[0] == "NONE" {
		return nil
	}
	if len(h.Test) == 0 {
		r.Warnf(path, "healthcheck-test", "the health check has no test; ECS does not run the one of the image, so there is none")
		return nil
	}
	check := &HealthCheck{
		Command:     slices.Clone(h.Test),
		Interval:    r.healthSeconds(path.Key("interval"), h.Interval, healthInterval),
		Timeout:     r.healthSeconds(path.Key("timeout"), h.Timeout, healthTimeout),
		StartPeriod: r.startPeriod(path.Key("start_period"), h.StartPeriod),
	}
	if len(h.Test) == 1 {
		r.Errorf(path.Key("test"), "healthcheck-test", "the test names no command")
	}
	if h.Retries != nil {
		check.Retries = int(*h.Retries)
		if check.Retries < healthRetriesLeast || check.Retries > healthRetriesMost {
			r.Errorf(path.Key("retries"), "healthcheck-range", "%d retries are not possible: ECS takes %d to %d",
				check.Retries, healthRetriesLeast, healthRetriesMost)
		}
	}
	return check
}

// startPeriod shortens what is too long, for files that ComposeX accepts have it
// so; ECS would only refuse it.
func (r *resolver) startPeriod(path Path, d *types.Duration) int {
	most := healthStartPeriod.most
	if d != nil && time.Duration(*d) > time.Duration(most)*time.Second {
		r.Warnf(path, "clamped", "ECS ignores failures for %ds at most after a start; %s becomes %ds", most, time.Duration(*d), most)
		return most
	}
	return r.healthSeconds(path, d, healthStartPeriod)
}

func (r *resolver) healthSeconds(path Path, d *types.Duration, valid seconds) int {
	if d == nil {
		return 0
	}
	wanted := time.Duration(*d)
	n := int(wanted / time.Second)
	if wanted%time.Second != 0 || n < valid.least || n > valid.most {
		nearest := min(max(int((wanted+time.Second-1)/time.Second), valid.least), valid.most)
		r.Add(Error, path, "healthcheck-range", fmt.Sprintf("write %ds", nearest),
			fmt.Sprintf("must be %ds to %ds in whole seconds, got %s", valid.least, valid.most, wanted))
	}
	return n
}
