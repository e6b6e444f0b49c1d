package config

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"composecdk/compose"
)

// Defaults of pipeline.yaml, which the descriptions of the JSON schema repeat.
const (
	defaultBranch     = "main"
	defaultGroup      = "apps"
	defaultQualifier  = "hnb659fds" // of cdk bootstrap
	defaultImages     = "images"
	defaultImage      = "standard:7.0"
	defaultCompute    = "SMALL"
	defaultMutability = "IMMUTABLE"
	defaultReleases   = 10
	defaultUntagged   = 14
	defaultRetention  = 90

	defaultBuildTimeout = 30 * time.Minute
	defaultKeepFor      = 4 * time.Hour
	defaultLifetime     = 12 * time.Hour
	defaultApproval     = 72 * time.Hour
)

// expand makes the configuration of the file: defaults are filled in, references
// followed.
func (l *loading) expand() {
	f := &l.file
	f.Name = cmp.Or(f.Name, "name") // a missing name is reported once
	l.used = map[compose.Path]bool{}
	l.config = &Config{
		File: l.Name, Dir: l.Dir, Name: f.Name, OrganizationID: f.OrganizationID,
		Logs: Logs{RetentionDays: cmp.Or(f.Logs.RetentionDays, defaultRetention)}, AllowSelfModify: f.AllowSelfModify,
		Unreleased: l.opts.Unreleased,
		document:   l.Document,
	}
	c := l.config
	for _, name := range slices.Sorted(maps.Keys(f.Accounts)) {
		c.Accounts = append(c.Accounts, l.account(name, f.Accounts[name]))
	}
	c.Tooling = l.tooling()
	c.Compose = l.compose()
	for _, name := range slices.Sorted(maps.Keys(f.Apps)) {
		c.Apps = append(c.Apps, l.app(name, f.Apps[name]))
	}
	for i, e := range f.Environments {
		c.Environments = append(c.Environments, l.environment(compose.Path("Environments").Index(i), e))
	}
	c.Triggers = l.triggers("Triggers", f.Triggers)
	for i, n := range f.Notifications {
		c.Notifications = append(c.Notifications, l.notification(compose.Path("Notifications").Index(i), n))
	}
}

func (l *loading) account(name string, f fileAccount) *Account {
	a := &Account{
		Name: name, ID: f.ID, OU: f.OU, Tags: f.Tags, Roles: Roles{Type: Bootstrap, Qualifier: defaultQualifier},
		Regions: map[string]Region{}, Path: compose.At("Accounts", name),
	}
	if r := f.Roles; r != nil {
		a.Roles = Roles{
			Type: RoleType(cmp.Or(r.Type, string(Bootstrap))), Qualifier: cmp.Or(r.Qualifier, defaultQualifier),
			DeployRoleARN: r.DeployRoleARN, ExecutionRoleARN: r.ExecutionRoleARN, PermissionsBoundary: r.PermissionsBoundary,
		}
		if r.Type == "" && r.DeployRoleARN+r.ExecutionRoleARN != "" {
			a.Roles.Type = Given
		}
	}
	for _, zone := range f.AvailabilityZones {
		region := zone[:len(zone)-1]
		r := a.Regions[region]
		r.AvailabilityZones = append(r.AvailabilityZones, zone)
		a.Regions[region] = r
	}
	for _, name := range slices.Sorted(maps.Keys(f.Regions)) {
		own := f.Regions[name]
		r := Region{AvailabilityZones: own.AvailabilityZones, Cluster: own.Cluster, Namespace: own.Namespace}
		if r.AvailabilityZones == nil {
			r.AvailabilityZones = a.Regions[name].AvailabilityZones
		}
		if v := own.VPC; v != nil {
			r.VPC = &ExistingVPC{
				ID: v.ID, AppSubnets: v.AppSubnets, PublicSubnets: v.PublicSubnets, StorageSubnets: v.StorageSubnets,
				Path: a.Path.Key("Regions").Key(name).Key("Vpc"),
			}
		}
		a.Regions[name] = r
	}
	return a
}

// accountNamed finds an account; one that is unknown is reported, and nil.
func (l *loading) accountNamed(path compose.Path, name string) *Account {
	if name == "" {
		return nil // the schema reports the missing key
	}
	for _, a := range l.config.Accounts {
		if a.Name == name {
			l.used[a.Path] = true
			return a
		}
	}
	if !l.Cut(compose.At("Accounts", name)) {
		l.Unknown(path, "account-unknown", "an account", name, slices.Collect(maps.Keys(l.file.Accounts)))
	}
	return nil
}

func (l *loading) tooling() Tooling {
	f := l.file.Tooling
	t := Tooling{
		Account: l.accountNamed("Tooling.Account", f.Account), Region: f.Region,
		File:   cmp.Or(f.File, filepath.Base(l.Name)),
		Source: Source{Provider: CodeCommit, Repository: l.file.Name + "-platform", Branch: defaultBranch, Path: "Tooling"},
	}
	if f.Source != nil {
		t.Source = l.source("Tooling.Source", *f.Source, l.file.Name+"-platform")
	}
	if f.Binary != nil {
		t.Binary = &Binary{URI: f.Binary.URI, SHA256: f.Binary.SHA256}
	}
	return t
}

func (l *loading) compose() Compose {
	f := l.file.Compose
	c := Compose{Source: l.source("Compose.Source", f.Source, ""), Files: f.Files, Images: path.Clean(cmp.Or(f.Images.Path, defaultImages)), Handoff: Handoff(f.Images.Handoff)}
	if c.Handoff == "" {
		c.Handoff = Git
		if c.Source.Provider == S3 {
			c.Handoff = Object
		}
	}
	return c
}

// source reads where files come from. A source that says nothing is a repository of
// CodeCommit called name.
func (l *loading) source(at compose.Path, f fileSource, name string) Source {
	s := Source{Provider: CodeCommit, Repository: name, Branch: cmp.Or(f.Branch, defaultBranch), Path: at}
	var given []string
	if c := f.CodeCommit; c != nil {
		given = append(given, "CodeCommit")
		s.Repository, s.Branch = cmp.Or(c.Repository, name), cmp.Or(c.Branch, s.Branch)
	}
	if c := f.Connection; c != nil {
		given = append(given, "Connection")
		s.Provider, s.Repository, s.Branch = Connection, cmp.Or(c.Repository, name), cmp.Or(c.Branch, s.Branch)
		s.ConnectionARN = l.connection(at.Key("Connection").Key("Name"), c.Name)
	}
	if c := f.S3; c != nil {
		given = append(given, "S3")
		s.Provider, s.Repository, s.Branch, s.Bucket, s.Key = S3, "", "", c.Bucket, c.Key
	}
	if c := f.Ecr; c != nil {
		given = append(given, "Ecr")
		s.Provider, s.Repository, s.Branch, s.Tag = ECR, c.Repository, "", cmp.Or(c.Tag, "latest")
	}
	if len(given) > 1 {
		l.errorf(at, "source-several", "a source is one of CodeCommit, Connection, S3 and Ecr, found %s", strings.Join(given, " and "))
	}
	if len(given) == 0 && name == "" {
		l.errorf(at, "source-none", "a source is one of CodeCommit, Connection, S3 and Ecr, found none")
	}
	if s.Branch == "" && f.Branch != "" && !strings.HasPrefix(string(at), "Apps") {
		l.errorf(at.Key("Branch"), "source-branch", "a source in %s has no branches", s.Provider)
	}
	return s
}

func (l *loading) connection(path compose.Path, name string) string {
	c, ok := l.file.Connections[name]
	if !ok && name != "" && !l.Cut(compose.At("Connections", name)) {
		l.Unknown(path, "connection-unknown", "a connection", name, slices.Collect(maps.Keys(l.file.Connections)))
	}
	l.used[compose.At("Connections", name)] = true
	return c.ARN
}

func (l *loading) triggers(at compose.Path, list []fileTrigger) []Trigger {
	var triggers []Trigger
	for i, f := range list {
		t := Trigger{Tags: f.Tag, Path: at.Index(i)}
		if f.Push != nil {
			t.Branches, t.Paths = f.Push.Branches, f.Push.Paths
		}
		if (f.Push == nil) == (f.Tag == nil) {
			l.errorf(t.Path, "trigger-kind", "a trigger is one of Push and Tag")
			continue
		}
		triggers = append(triggers, t)
	}
	return triggers
}

func (l *loading) app(name string, f fileApp) *App {
	at := compose.At("Apps", name)
	a := &App{Name: name, Team: f.Team, Service: cmp.Or(f.Service, name), Sign: f.Sign, Path: at}
	a.Group = l.fill(a, cmp.Or(f.Group, defaultGroup), "Group")
	a.Source = l.source(at.Key("Source"), f.Source, name)
	provider := string(a.Source.Provider)
	a.Source.Repository = l.fill(a, a.Source.Repository, "Source", provider, "Repository")
	a.Source.Key = l.fill(a, a.Source.Key, "Source", provider, "Key")
	a.Triggers = l.triggers(at.Key("Triggers"), f.Triggers)
	for _, t := range a.Triggers {
		for i, path := range t.Paths {
			t.Paths[i] = l.fill(a, path, "Triggers")
		}
	}
	r := f.Repository
	a.Repository = Repository{
		Name:          l.fill(a, cmp.Or(r.Name, l.file.Name+"/"+repositoryName(a.Service)), "Repository", "Name"),
		TagMutability: cmp.Or(r.TagMutability, defaultMutability), ScanOnPush: yes(r.ScanOnPush),
		KeepReleases: cmp.Or(r.KeepReleases, defaultReleases), ExpireUntaggedDays: cmp.Or(r.ExpireUntaggedDays, defaultUntagged),
	}
	b := f.Build
	a.Build = Build{
		Spec: l.fill(a, b.Spec, "Build", "Spec"), Test: b.Test, Context: l.fill(a, cmp.Or(b.Context, "."), "Build", "Context"),
		Dockerfile: l.fill(a, cmp.Or(b.Dockerfile, "Dockerfile"), "Build", "Dockerfile"), Target: b.Target,
		Args: b.Args, Compute: cmp.Or(b.Compute, defaultCompute), Image: cmp.Or(b.Image, defaultImage), Privileged: yes(b.Privileged),
		Timeout: l.duration(at.Key("Build").Key("Timeout"), b.Timeout, defaultBuildTimeout),
	}
	if f.Scan != nil {
		scan := Scan(*f.Scan)
		if scan == (Scan{}) {
			scan = Scan{Critical: new(int), High: new(int)}
		}
		a.Scan = &scan
	}
	return a
}

// repositoryName makes a part of an ECR name of a service's name, which may have
// upper-case letters.
func repositoryName(service string) string { return strings.ToLower(service) }

func yes(given *bool) bool { return given == nil || *given }

var placeholder = regexp.MustCompile(`\$\{(\w*)\}`)

// fill replaces ${App}, ${Service} and ${Team} in a text of an application, so that
// one line of Defaults fits all of them.
func (l *loading) fill(a *App, text string, keys ...string) string {
	values := map[string]string{"${App}": a.Name, "${Service}": a.Service, "${Team}": a.Team}
	path := a.Path
	for _, key := range keys {
		path = path.Key(key)
	}
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		value, known := values[p]
		switch {
		case !known:
			l.Unknown(path, "placeholder-unknown", "filled in", p, slices.Collect(maps.Keys(values)))
		case value == "":
			l.errorf(path, "team-missing", "%s needs the Team of application %q", text, a.Name)
		}
		return cmp.Or(value, "none")
	})
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// duration reads minutes or an ISO 8601 duration.
func (l *loading) duration(path compose.Path, text string, otherwise time.Duration) time.Duration {
	if text == "" {
		return otherwise
	}
	units := []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}
	parts := isoDuration.FindStringSubmatch(text)
	if parts == nil {
		parts, units = []string{"", text}, []time.Duration{time.Minute}
	}
	const longest = 365 * 24 * time.Hour
	var sum time.Duration
	for i, part := range parts[1:] {
		if part == "" {
			continue
		}
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil || time.Duration(n) > longest/units[i] {
			l.errorf(path, "duration", "%s is longer than a year", text)
			return otherwise
		}
		sum += time.Duration(n) * units[i]
	}
	if sum == 0 {
		l.errorf(path, "duration", "duration must be greater than zero, got %s", text)
		return otherwise
	}
	return sum
}

func (l *loading) notification(at compose.Path, f fileNotification) Notification {
	n := Notification{Email: f.Email, Path: at, Events: []Event{ApprovalNeeded, Failed}}
	if f.Slack != nil {
		n.SlackWorkspace, n.SlackChannel = f.Slack.WorkspaceId, f.Slack.ChannelId
	}
	if (f.Email == "") == (f.Slack == nil) {
		l.errorf(at, "notification-kind", "a notification goes to one of Email and Slack")
	}
	if f.Events != nil {
		n.Events = nil
		for _, e := range f.Events {
			n.Events = append(n.Events, Event(e))
		}
	}
	return n
}

// report adds a problem, unless it follows from another one at or below its path.
func (l *loading) report(severity compose.Severity, path compose.Path, code, hint, format string, args ...any) {
	if !l.Cut(path) {
		l.Report(severity, path, code, hint, format, args...)
	}
}

func (l *loading) errorf(path compose.Path, code, format string, args ...any) {
	l.report(compose.Error, path, code, "", format, args...)
}

func (l *loading) hint(path compose.Path, code, hint, format string, args ...any) {
	l.report(compose.Error, path, code, hint, format, args...)
}

func (l *loading) warn(path compose.Path, code, hint, format string, args ...any) {
	l.report(compose.Warning, path, code, hint, format, args...)
}
