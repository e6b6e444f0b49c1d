package compose

import (
	"fmt"

	"github.com/compose-spec/compose-go/v2/types"
)

// jobMode is the deploy.mode of a service that ends: it becomes a task definition that
// others run, without an ECS service. See the deploy section of the Compose
// specification.
const jobMode = "replicated-job"

// job reads whether the services of a family are jobs, all of them or none.
func (r *resolver) job(f *Family, services []types.ServiceConfig) {
	jobs := 0
	for _, s := range services {
		if deployOf(s).Mode == jobMode {
			jobs++
		}
	}
	switch jobs {
	case 0:
	case len(services):
		f.Run = RunTask
		f.DependsOn = nil
		r.Add(Note, f.Path.Key("deploy").Key("mode"), "job", "an output of the stack has the command that runs it",
			fmt.Sprintf("no deployment runs %q: it becomes a task definition", f.Name))
	default:
		r.Errorf(f.Path, "job-mixed", "family %q has jobs and services that keep running: give each its own family", f.Name)
	}
}

// checkJobs reports what only an ECS service can have.
func (r *resolver) checkJobs() {
	for _, f := range r.model.Families {
		if f.Run != RunTask {
			continue
		}
		if f.Scaling != nil {
			r.Errorf(f.Scaling.Path, "job-service", "%q is a job, whose tasks nobody counts: it does not scale", f.Name)
		}
		if len(f.Records) > 0 {
			r.Errorf(f.Path.Key("x-network").Key("x-cloudmap"), "job-service", "%q is a job, which nobody calls: it has no record", f.Name)
		}
		for _, b := range r.model.Bindings {
			if b.Family == f && b.Scaling != nil {
				r.Errorf(b.Path.Key("Scaling"), "job-service", "%q is a job, whose tasks nobody counts: it does not scale", f.Name)
			}
		}
		for _, e := range r.model.Connections {
			if e.From == f.Name {
				r.Add(Warning, e.Path, "job-calls", "put a load balancer in front of it, or x-network.x-cloudmap",
					fmt.Sprintf("%q is a job, and names such as %q lead only from one service to another", f.Name, e.To))
			}
		}
	}
	for _, lb := range r.model.LoadBalancers {
		for _, g := range lb.TargetGroups {
			for _, t := range g.Targets {
				if f := r.model.family(t.Family); f != nil && f.Run == RunTask {
					r.Errorf(g.Path, "job-service", "%q is a job: a load balancer has nothing to send to it", f.Name)
				}
			}
		}
	}
}
