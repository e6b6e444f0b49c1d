package compose

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
	_ "time/tzdata" // so that the names of time zones do not depend on the machine

	"github.com/compose-spec/compose-go/v2/types"
)

// scalingExtension is x-scaling of a service.
type scalingExtension struct {
	Range            string
	TargetScaling    *targetScaling
	ScheduledActions []scheduledAction
}

type targetScaling struct {
	CpuTarget, MemoryTarget           int //nolint:revive // the key's own spelling
	TgtCpu, TgtMemory                 int //nolint:revive // old spellings
	ScaleInCooldown, ScaleOutCooldown *int
	DisableScaleIn                    bool
}

type scheduledAction struct {
	ScheduledActionName  string
	Schedule             string
	Timezone             string
	StartTime, EndTime   string
	ScalableTargetAction struct{ MinCapacity, MaxCapacity *int }
	MacroParameters      struct{ AddServiceName, AddRandomId bool } //nolint:revive // the key's own spelling
}

// dockerScaling is deploy.x-aws-autoscaling of Docker's ECS integration.
type dockerScaling struct {
	Min    int `key:"min"`
	Max    int `key:"max"`
	CPU    int `key:"cpu"`
	Memory int `key:"memory"`
}

// Cooldowns where the file has none, in seconds.
const (
	scaleInCooldown  = 300
	scaleOutCooldown = 60
)

// scaling joins what the services of a family say about its size: the widest
// range, the lowest targets and all scheduled actions.
func (r *resolver) scaling(f *Family, services []types.ServiceConfig) {
	for _, s := range services {
		one := r.serviceScaling(s)
		switch {
		case one == nil:
		case f.Scaling == nil:
			f.Scaling = one
		default:
			r.joinScaling(f, one)
		}
	}
	sc := f.Scaling
	if sc == nil {
		return
	}
	names := map[string]bool{}
	for _, a := range sc.Schedules {
		if names[a.Name] {
			r.Errorf(sc.Path, "schedule-name", "two scheduled actions of family %q are named %q", f.Name, a.Name)
		}
		names[a.Name] = true
	}
	if wanted := f.Replicas; wanted < sc.Min || wanted > sc.Max {
		f.Replicas = min(max(wanted, sc.Min), sc.Max)
		if explicitReplicas(services) {
			r.Warnf(sc.Path, "replicas-range", "family %q starts with %d tasks, not %d, to be in the range %d-%d",
				f.Name, f.Replicas, wanted, sc.Min, sc.Max)
		}
	}
}

func (r *resolver) joinScaling(f *Family, other *Scaling) {
	sc := f.Scaling
	if sc.Min != other.Min || sc.Max != other.Max || sc.CPUTarget != other.CPUTarget || sc.MemoryTarget != other.MemoryTarget {
		r.Notef(other.Path, "scaling-joined",
			"several services of family %q scale it; it gets the widest range and the lowest targets of them", f.Name)
	}
	sc.Min, sc.Max = min(sc.Min, other.Min), max(sc.Max, other.Max)
	sc.CPUTarget = lowest(sc.CPUTarget, other.CPUTarget)
	sc.MemoryTarget = lowest(sc.MemoryTarget, other.MemoryTarget)
	sc.ScaleInCooldown = max(sc.ScaleInCooldown, other.ScaleInCooldown)
	sc.ScaleOutCooldown = min(sc.ScaleOutCooldown, other.ScaleOutCooldown)
	sc.DisableScaleIn = sc.DisableScaleIn || other.DisableScaleIn
	sc.Schedules = append(sc.Schedules, other.Schedules...)
}

// lowest returns the smaller of two targets, of which 0 is none.
func lowest(a, b int) int {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

func (r *resolver) serviceScaling(s types.ServiceConfig) *Scaling {
	path := servicePath(s.Name).Key("x-scaling")
	value, ok := s.Extensions["x-scaling"]
	if !ok || value == nil {
		return r.dockerScaling(s)
	}
	if s.Deploy != nil && s.Deploy.Extensions["x-aws-autoscaling"] != nil {
		r.Notef(servicePath(s.Name).Key("deploy").Key("x-aws-autoscaling"), "scaling-joined", "x-scaling of the service replaces it")
	}
	var ext scalingExtension
	if !r.decode(path, value, &ext) && ext.Range == "" {
		return nil
	}
	sc := &Scaling{Path: path, ScaleInCooldown: scaleInCooldown, ScaleOutCooldown: scaleOutCooldown}
	ranged := r.scalingRange(path, ext.Range, sc)
	if t := ext.TargetScaling; t != nil {
		r.targetScaling(path.Key("TargetScaling"), t, sc)
	}
	for i, a := range ext.ScheduledActions {
		sc.Schedules = append(sc.Schedules, r.scheduledAction(path.Key("ScheduledActions").Index(i), s.Name, a))
	}
	if !ranged {
		return nil
	}
	return sc
}

var taskRange = regexp.MustCompile(`^\s*(\d{1,5})\s*-\s*(\d{1,5})\s*$`)

func (r *resolver) scalingRange(path Path, text string, sc *Scaling) bool {
	at := path.Key("Range")
	m := taskRange.FindStringSubmatch(text)
	if text == "" {
		r.Errorf(path, "scaling-range", "a Range of tasks is missing, such as \"1-4\"")
		return false
	}
	if m == nil {
		r.Errorf(at, "scaling-range", "%q is not a range of tasks, such as \"1-4\"", text)
		return false
	}
	sc.Min, _ = strconv.Atoi(m[1])
	sc.Max, _ = strconv.Atoi(m[2])
	if sc.Min > sc.Max {
		r.Errorf(at, "scaling-range", "the range %s ends below its start", text)
		return false
	}
	return true
}

func (r *resolver) targetScaling(path Path, t *targetScaling, sc *Scaling) {
	if t.TgtCpu != 0 {
		r.Deprecated(path.Key("TgtCpu"), "TgtCpu", "CpuTarget")
	}
	if t.TgtMemory != 0 {
		r.Deprecated(path.Key("TgtMemory"), "TgtMemory", "MemoryTarget")
	}
	sc.CPUTarget = r.percentage(path.Key("CpuTarget"), cmp.Or(t.CpuTarget, t.TgtCpu))
	sc.MemoryTarget = r.percentage(path.Key("MemoryTarget"), cmp.Or(t.MemoryTarget, t.TgtMemory))
	if t.ScaleInCooldown != nil {
		sc.ScaleInCooldown = *t.ScaleInCooldown
	}
	if t.ScaleOutCooldown != nil {
		sc.ScaleOutCooldown = *t.ScaleOutCooldown
	}
	sc.DisableScaleIn = t.DisableScaleIn
	if sc.CPUTarget == 0 && sc.MemoryTarget == 0 {
		r.Warnf(path, "scaling-target", "without CpuTarget or MemoryTarget nothing scales")
	}
}

func (r *resolver) percentage(path Path, n int) int {
	const most = 100
	if n < 0 || n > most {
		r.Errorf(path, "percentage", "%d is not a percentage from 1 to %d", n, most)
	}
	return n
}

func (r *resolver) dockerScaling(s types.ServiceConfig) *Scaling {
	const key = "x-aws-autoscaling"
	if s.Deploy == nil || s.Deploy.Extensions[key] == nil {
		return nil
	}
	path := servicePath(s.Name).Key("deploy").Key(key)
	var ext dockerScaling
	if !r.decode(path, s.Deploy.Extensions[key], &ext) {
		return nil
	}
	if ext.Max == 0 || ext.Min > ext.Max {
		r.Errorf(path, "scaling-range", "max must be set, and min not be above it")
		return nil
	}
	return &Scaling{
		Path: path, Min: ext.Min, Max: ext.Max,
		CPUTarget:       r.percentage(path.Key("cpu"), ext.CPU),
		MemoryTarget:    r.percentage(path.Key("memory"), ext.Memory),
		ScaleInCooldown: scaleInCooldown, ScaleOutCooldown: scaleOutCooldown,
	}
}

func (r *resolver) scheduledAction(path Path, service string, a scheduledAction) ScheduledAction {
	name := a.ScheduledActionName
	if name == "" {
		r.Errorf(path, "schedule-name", "a scheduled action needs a ScheduledActionName")
	}
	if a.MacroParameters.AddServiceName {
		name += "-" + service
	}
	if a.MacroParameters.AddRandomId {
		r.Warnf(path.Key("MacroParameters").Key("AddRandomId"), "random-id", "names do not change from one run to the next; %q gets nothing random", name)
	}
	limits := a.ScalableTargetAction
	switch at := path.Key("ScalableTargetAction"); {
	case limits.MinCapacity == nil && limits.MaxCapacity == nil:
		r.Errorf(at, "schedule-range", "a scheduled action sets MinCapacity, MaxCapacity or both")
	case limits.MinCapacity != nil && limits.MaxCapacity != nil && *limits.MinCapacity > *limits.MaxCapacity:
		r.Errorf(at, "schedule-range", "MinCapacity %d is above MaxCapacity %d", *limits.MinCapacity, *limits.MaxCapacity)
	}
	if a.Timezone != "" {
		if _, err := time.LoadLocation(a.Timezone); err != nil {
			r.Errorf(path.Key("Timezone"), "time-zone", "%q is not a time zone, such as Europe/London", a.Timezone)
		}
	}
	return ScheduledAction{
		Name: name, Schedule: r.schedule(path.Key("Schedule"), a.Schedule), TimeZone: a.Timezone,
		StartTime: r.instant(path.Key("StartTime"), a.StartTime),
		EndTime:   r.instant(path.Key("EndTime"), a.EndTime),
		Min:       limits.MinCapacity, Max: limits.MaxCapacity,
	}
}

func (r *resolver) instant(path Path, text string) string {
	if text == "" {
		return ""
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	r.Errorf(path, "time", "%q is not a time, such as 2030-01-31T08:00:00Z", text)
	return ""
}

var (
	rateSchedule = regexp.MustCompile(`^rate\(\s*([1-9]\d{0,4})\s*(m|min|minutes?|h|hours?|d|days?)\s*\)$`)
	cronSchedule = regexp.MustCompile(`^cron\((\s*\S+){6}\s*\)$`)
	atSchedule   = regexp.MustCompile(`^at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)$`)
	rateUnits    = map[byte]string{'m': "minute", 'h': "hour", 'd': "day"}
)

// schedule checks a schedule, and writes rates as AWS wants them.
func (r *resolver) schedule(path Path, text string) string {
	if cronSchedule.MatchString(text) || atSchedule.MatchString(text) {
		return text
	}
	m := rateSchedule.FindStringSubmatch(text)
	if m == nil {
		r.Add(Error, path, "schedule", "such as cron(0 8 ? * MON-FRI *), rate(1 hour) or at(2030-01-31T08:00:00)",
			fmt.Sprintf("%q is not a schedule of AWS", text))
		return text
	}
	unit := rateUnits[m[2][0]]
	if m[1] != "1" {
		unit += "s"
	}
	rate := "rate(" + m[1] + " " + unit + ")"
	if rate != text {
		r.Warnf(path, "schedule", "AWS does not know %q; it becomes %q", text, rate)
	}
	return rate
}

// replicas reads the desired count of a family: the highest that a service asks
// for.
func (r *resolver) replicas(f *Family, services []types.ServiceConfig) {
	f.Replicas = 1
	if !explicitReplicas(services) {
		return
	}
	f.Replicas = 0
	for _, s := range services {
		if n, ok := replicasOf(s); ok {
			f.Replicas = max(f.Replicas, n)
		}
	}
	for _, s := range services {
		if n, ok := replicasOf(s); ok && n != f.Replicas {
			r.Notef(servicePath(s.Name), "replicas", "service %q runs %d times, as often as the rest of family %q, not %d",
				s.Name, f.Replicas, f.Name, n)
		}
	}
}

func replicasOf(s types.ServiceConfig) (int, bool) {
	switch {
	case s.Scale != nil:
		return *s.Scale, true
	case s.Deploy != nil && s.Deploy.Replicas != nil:
		return *s.Deploy.Replicas, true
	}
	return 1, false
}

func explicitReplicas(services []types.ServiceConfig) bool {
	return slices.ContainsFunc(services, func(s types.ServiceConfig) bool {
		_, ok := replicasOf(s)
		return ok
	})
}

// deployment reads update_config of the services of a family.
func (r *resolver) deployment(f *Family, services []types.ServiceConfig) {
	f.Deployment = Deployment{MinHealthyPercent: 100, MaxPercent: 200, CircuitBreaker: true, Rollback: true}
	decided := ""
	for _, s := range services {
		d, explicit := r.serviceDeployment(f, s)
		switch {
		case !explicit:
		case decided == "":
			f.Deployment, decided = d, s.Name
		case d != f.Deployment:
			r.Warnf(servicePath(s.Name).Key("deploy").Key("update_config"), "deployment-joined",
				"services %q and %q have conflicting update_config in family %q: that of %q is used", decided, s.Name, f.Name, decided)
		}
	}
	if decided == "" {
		r.singleWriter(f)
	}
}

// singleWriters are images of engines of which only one may write to its files.
var singleWriters = []string{"postgres", "mysql", "mariadb", "mongo", "postgis", "timescaledb", "pgvector"}

// singleWriter keeps two tasks of a database from writing to the same files
// during an update.
func (r *resolver) singleWriter(f *Family) {
	for _, c := range f.Containers {
		name := imageName(c.Image.Reference)
		writes := slices.ContainsFunc(c.Mounts, func(m Mount) bool { return !m.Task && !m.ReadOnly })
		if !writes || !slices.Contains(singleWriters, name) {
			continue
		}
		f.Deployment.MinHealthyPercent, f.Deployment.MaxPercent = 0, 100
		r.Add(Warning, c.Path, "database-on-volume", "x-rds gives a managed database",
			fmt.Sprintf("only one %s may write to its volume, so an update stops the old task before it starts the new one", name))
	}
}

func (r *resolver) serviceDeployment(f *Family, s types.ServiceConfig) (d Deployment, explicit bool) {
	d = Deployment{MinHealthyPercent: 100, MaxPercent: 200, CircuitBreaker: true, Rollback: true}
	path := servicePath(s.Name)
	if s.Deploy != nil && s.Deploy.UpdateConfig != nil {
		explicit = true
		r.updateConfig(path.Key("deploy").Key("update_config"), s, f.Replicas, &d)
	}
	for _, p := range []struct {
		key    string
		target *int
	}{{"x-aws-min_percent", &d.MinHealthyPercent}, {"x-aws-max_percent", &d.MaxPercent}} {
		for _, in := range percentPlaces(s) {
			if value, ok := in.extensions[p.key]; ok {
				explicit = true
				r.decode(in.path.Key(p.key), value, p.target)
			}
		}
	}
	if d.MinHealthyPercent < 0 || d.MinHealthyPercent > 100 || d.MaxPercent < 100 || d.MinHealthyPercent == d.MaxPercent {
		r.Errorf(path, "deployment-percent",
			"ECS can replace no task between %d%% and %d%% of them: the minimum is 0 to 100, the maximum 100 or more, and not the same",
			d.MinHealthyPercent, d.MaxPercent)
	}
	return d, explicit
}

type percentPlace struct {
	path       Path
	extensions types.Extensions
}

// percentPlaces returns where x-aws-min_percent may stand, the strongest last.
func percentPlaces(s types.ServiceConfig) []percentPlace {
	path := servicePath(s.Name)
	places := []percentPlace{{path, s.Extensions}}
	if s.Deploy != nil {
		places = append(places, percentPlace{path.Key("deploy"), s.Deploy.Extensions})
		if s.Deploy.UpdateConfig != nil {
			places = append(places, percentPlace{path.Key("deploy").Key("update_config"), s.Deploy.UpdateConfig.Extensions})
		}
	}
	return places
}

func (r *resolver) updateConfig(path Path, s types.ServiceConfig, replicas int, d *Deployment) {
	u := s.Deploy.UpdateConfig
	switch u.FailureAction {
	case "", "rollback":
	case "pause":
		d.Rollback = false
	case "continue":
		d.CircuitBreaker, d.Rollback = false, false
		r.Warnf(path.Key("failure_action"), "failure-action", "an update that fails goes on for hours, until ECS gives up")
	default:
		r.Unknown(path.Key("failure_action"), "failure-action", "a failure action", u.FailureAction, []string{"rollback", "pause", "continue"})
	}
	order := u.Order
	if order == "" && u.Parallelism == nil {
		return
	}
	share := 100 // percent of the tasks that are replaced at once
	switch n := parallelism(u); {
	case n == 0 || replicas == 0:
	case n > replicas:
		r.Warnf(path.Key("parallelism"), "parallelism", "only %d tasks run, so %d cannot be replaced at once", replicas, n)
	default:
		share = (n*100 + replicas - 1) / replicas
	}
	// Without an order some tasks stop first while as many start.
	if order != "start-first" {
		d.MinHealthyPercent = 100 - share
	}
	d.MaxPercent = 100
	if order != "stop-first" {
		d.MaxPercent = 100 + share
	}
}

// parallelism returns how many tasks are replaced at once, 1 unless the file says
// so; 0 is all.
func parallelism(u *types.UpdateConfig) int {
	if u.Parallelism == nil {
		return 1
	}
	return int(min(*u.Parallelism, 1<<16))
}
