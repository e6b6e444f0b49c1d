package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"composecdk/compose/diag"
)

// Conditions under which a container of a task lets others start.
const (
	conditionStart    = "START"
	conditionHealthy  = "HEALTHY"
	conditionComplete = "COMPLETE"
	conditionSuccess  = "SUCCESS"
)

var conditions = []string{conditionStart, conditionHealthy, conditionComplete, conditionSuccess}

// conditionsOf maps conditions of Compose to conditions of ECS.
var conditionsOf = map[string]string{
	"":                            conditionStart,
	types.ServiceConditionStarted: conditionStart,
	types.ServiceConditionHealthy: conditionHealthy,
	types.ServiceConditionCompletedSuccessfully: conditionSuccess,
}

// dependencies reads depends_on of all services: within a family containers
// wait for each other, between families the ECS services are made in order.
func (r *resolver) dependencies() {
	for _, f := range r.model.Families {
		for _, c := range f.Containers {
			on := r.project.Services[c.Service].DependsOn
			for _, name := range slices.Sorted(maps.Keys(on)) {
				r.dependency(f, c, name, on[name])
			}
			ext, _ := r.quietly().serviceNetwork(r.project.Services[c.Service])
			for _, source := range ext.Ingress.Services {
				if source.DependsOn {
					r.dependency(f, c, source.Name, types.ServiceDependency{})
				}
			}
		}
		slices.Sort(f.DependsOn)
		f.DependsOn = slices.Compact(f.DependsOn)
	}
	r.familyCycles()
}

// quietly reads once more what is reported already.
func (r *resolver) quietly() *resolver {
	quiet := *r
	quiet.Reporter = &diag.Reporter{Positions: r.Positions}
	return &quiet
}

func (r *resolver) dependency(f *Family, c *Container, name string, on types.ServiceDependency) {
	path := c.Path.Key("depends_on").Key(name)
	if r.project.Services[c.Service].NetworkMode == types.ServicePrefix+name && f.container(name) == nil {
		return // a cycle, which Load has reported
	}
	if other := f.container(name); other != nil {
		r.containerDependency(path, c, other, on.Condition)
		return
	}
	for _, home := range r.homes(name) {
		// A service that runs beside the other one somewhere waits for it there.
		if home == f || home.container(c.Name) != nil {
			return
		}
	}
	for _, home := range r.homes(name) {
		if home.Run == RunTask {
			r.Add(Error, path, "depends-job", fmt.Sprintf("give both services the same deploy label %s, so that they run in one task", labelFamily),
				fmt.Sprintf("%q is a job, which no deployment runs: nothing can wait for it", name))
			continue
		}
		if f.Run == RunTask {
			continue // it is run when all services are there
		}
		f.DependsOn = append(f.DependsOn, home.Name)
		r.familyCondition(path, home, name, on.Condition)
	}
}

// homes returns the families that a name stands for: the service's families, or the
// family itself.
func (r *resolver) homes(name string) []*Family {
	var homes []*Family
	for _, f := range r.model.Families {
		if f.container(name) != nil {
			homes = append(homes, f)
		}
	}
	if len(homes) > 0 {
		return homes
	}
	for _, f := range r.model.Families {
		if f.Name == name {
			return []*Family{f}
		}
	}
	return nil
}

func (r *resolver) containerDependency(path Path, c, on *Container, declared string) {
	condition := conditionsOf[declared]
	if label := r.conditionLabel(on); label != "" {
		if label != condition && declared != "" && declared != types.ServiceConditionStarted {
			r.Notef(path, "depends-condition", "the label %s of %q makes this %s", labelCondition, on.Name, label)
		}
		condition = label
	}
	switch condition {
	case conditionHealthy:
		if on.HealthCheck == nil {
			r.Add(Error, path, "depends-unhealthy", fmt.Sprintf("give %q a healthcheck, or wait for service_started", on.Name),
				fmt.Sprintf("service %q has no health check and so never becomes healthy", on.Name))
		}
	case conditionSuccess, conditionComplete:
		on.Essential = false
		if r.labelTrue(on.Service) {
			r.Errorf(on.Path.Key("deploy").Key("labels").Key(labelEssential), "essential-completes",
				"%q waits for %q to end, which would stop the whole task if it were essential", c.Name, on.Name)
		}
	}
	c.DependsOn = append(c.DependsOn, ContainerDependency{Container: on.Name, Condition: condition})
}

// conditionLabel returns the condition under which others wait for a container.
func (r *resolver) conditionLabel(on *Container) string {
	deploy := r.project.Services[on.Service].Deploy
	if deploy == nil || deploy.Labels[labelCondition] == "" {
		return ""
	}
	value := strings.ToUpper(deploy.Labels[labelCondition])
	if !slices.Contains(conditions, value) {
		r.Unknown(on.Path.Key("deploy").Key("labels").Key(labelCondition), "condition-unknown", "a condition", value, conditions)
		return ""
	}
	return value
}

// familyCondition checks what a service waits for in another family.
func (r *resolver) familyCondition(path Path, home *Family, name, condition string) {
	switch conditionsOf[condition] {
	case conditionSuccess:
		r.Add(Error, path, "depends-completed",
			fmt.Sprintf("give both services the same deploy label %s, so that they run in one task", labelFamily),
			fmt.Sprintf("service %q is in family %q, which ECS keeps running: it never completes", name, home.Name))
	case conditionHealthy:
		if c := home.container(name); c != nil && c.HealthCheck == nil {
			r.Warnf(path, "depends-unhealthy", "service %q has no health check; it counts as healthy as soon as it runs", name)
		}
	}
}

// familyCycles reports families that wait for each other, where it is not their
// services that do.
func (r *resolver) familyCycles() {
	if slices.ContainsFunc(r.project.Report.Found, func(d Diagnostic) bool { return d.Code == "dependency-cycle" }) {
		return
	}
	byName := map[string]*Family{}
	for _, f := range r.model.Families {
		byName[f.Name] = f
	}
	done := map[string]bool{}
	var visit func(name string, chain []string)
	visit = func(name string, chain []string) {
		if i := slices.Index(chain, name); i >= 0 {
			cycle := append(slices.Clone(chain[i:]), name)
			r.Errorf(byName[name].Path.Key("depends_on"), "depends-cycle",
				"the families wait for each other: %s", strings.Join(cycle, " -> "))
			return
		}
		if done[name] {
			return
		}
		for _, next := range byName[name].DependsOn {
			visit(next, append(chain, name))
		}
		done[name] = true
	}
	for _, f := range r.model.Families {
		visit(f.Name, nil)
	}
}

// labelEssential reads the label ecs.essential.
func (r *resolver) labelEssential(path Path, s types.ServiceConfig, c *Container) {
	if s.Deploy == nil {
		return
	}
	if value, ok := s.Deploy.Labels[labelEssential]; ok {
		r.decode(path.Key("deploy").Key("labels").Key(labelEssential), value, &c.Essential)
	}
}

func (r *resolver) labelTrue(service string) bool {
	deploy := r.project.Services[service].Deploy
	return deploy != nil && strings.EqualFold(deploy.Labels[labelEssential], "true")
}

// essentials reads the restart policies, and sees to it that a task ends with at
// least one of its containers.
func (r *resolver) essentials(f *Family) {
	var mayEnd []*Container // by their restart policy
	for _, c := range f.Containers {
		if r.restart(f, c) {
			mayEnd = append(mayEnd, c)
		}
	}
	stays := func(c *Container) bool { return c.Essential && !slices.Contains(mayEnd, c) }
	for _, c := range mayEnd {
		if !slices.ContainsFunc(f.Containers, stays) {
			r.Warnf(r.restartPath(c), "restart", "ECS starts a new task when %q ends, whatever its restart policy", c.Name)
			continue
		}
		c.Essential = false
		c.RestartOnFailure = r.restartPolicy(c) == types.RestartPolicyOnFailure
	}
	if !slices.ContainsFunc(f.Containers, func(c *Container) bool { return c.Essential }) {
		r.Errorf(f.Path, "no-essential", "no container of family %q is essential, so nothing would end its tasks", f.Name)
	}
}

// restartPolicy returns restart or deploy.restart_policy, without a limit.
func (r *resolver) restartPolicy(c *Container) string {
	s := r.project.Services[c.Service]
	if policy := deployOf(s).RestartPolicy; policy != nil && policy.Condition != "" {
		return policy.Condition
	}
	policy, _, _ := strings.Cut(s.Restart, ":")
	return policy
}

// restartsAlways are the policies for what ECS does anyway.
var restartsAlways = []string{"", types.RestartPolicyAlways, types.RestartPolicyUnlessStopped, "any"}

// restartPath returns where the restart policy was written.
func (r *resolver) restartPath(c *Container) Path {
	if policy := deployOf(r.project.Services[c.Service]).RestartPolicy; policy != nil && policy.Condition != "" {
		return c.Path.Key("deploy").Key("restart_policy").Key("condition")
	}
	return c.Path.Key("restart")
}

// restart reports whether a container may end without its task, by its restart
// policy. ECS replaces a task when an essential container ends, however it ends;
// only beside another essential container may one stay down.
func (r *resolver) restart(f *Family, c *Container) bool {
	path := c.Path.Key("restart")
	if _, attempts, limited := strings.Cut(r.project.Services[c.Service].Restart, ":"); limited {
		r.Warnf(path, "restart", "ECS does not count restarts; the limit of %s is left out", attempts)
	}
	switch policy := r.restartPolicy(c); policy {
	case types.RestartPolicyNo, "none", types.RestartPolicyOnFailure:
	default:
		if !slices.Contains(restartsAlways, policy) {
			r.Unknown(r.restartPath(c), "restart-unknown", "a restart policy", policy,
				[]string{types.RestartPolicyNo, types.RestartPolicyOnFailure, types.RestartPolicyAlways, types.RestartPolicyUnlessStopped})
		}
		return false
	}
	waited := slices.ContainsFunc(f.Containers, func(o *Container) bool {
		return slices.ContainsFunc(o.DependsOn, func(d ContainerDependency) bool {
			return d.Container == c.Name && (d.Condition == conditionSuccess || d.Condition == conditionComplete)
		})
	})
	if r.labelTrue(c.Service) {
		r.Warnf(r.restartPath(c), "restart", "ECS starts a new task when %q ends, for it is labelled essential", c.Name)
		return false
	}
	return !waited
}
