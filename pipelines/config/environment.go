package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"composecdk/compose"
)

func (l *loading) environment(at compose.Path, f fileEnvironment) *Environment {
	e := &Environment{
		Name: f.Name, Type: EnvironmentType(f.Type), ComposeFiles: f.ComposeFiles, Tags: f.Tags, Triggers: l.triggers(at.Key("Triggers"), f.Triggers),
		Isolation: cmp.Or(f.Isolation, "stage"), OnFailure: f.OnFailure, Path: at,
	}
	l.configuration(e, &f)
	permanent := e.Type != Ephemeral
	if e.OnFailure == "" {
		e.OnFailure = "rollback"
		if !permanent {
			e.OnFailure = "none"
		}
	}
	e.TerminationProtection = permanent && yes(f.TerminationProtection)
	if b := f.Wave.Bake; b != nil {
		e.Bake = &Bake{Alarms: b.Alarms, For: l.duration(at.Key("Wave").Key("Bake").Key("For"), b.For, 0)}
	}
	if v := f.VPC.Create; v != nil || !permanent && f.VPC.Use == nil {
		e.NewVPC = newVPC(at.Key("Vpc").Key("Create"), v)
	}
	for i, t := range f.Tests {
		e.Tests = append(e.Tests, l.test(at.Key("Tests").Index(i), t))
	}
	e.Teardown = l.teardown(at.Key("Teardown"), f, permanent)
	if a := f.Approval; a != nil && yes(a.Required) {
		e.Approval = &Approval{
			Comment: a.Comment, URL: a.URL, SkipWhenUnchanged: a.SkipWhenUnchanged,
			Timeout: l.duration(at.Key("Approval").Key("Timeout"), a.Timeout, defaultApproval),
		}
	}
	e.Review = f.ChangeSet == "review" || f.ChangeSet == "" && e.Approval != nil
	l.targets(e, f)
	return e
}

func newVPC(at compose.Path, f *fileNewVPC) *NewVPC {
	v := &NewVPC{CIDR: compose.DefaultCIDR, NATGateways: 1, Path: at}
	if f == nil {
		return v
	}
	v.CIDR = cmp.Or(f.CIDR, v.CIDR)
	if f.NATGateways != nil {
		v.NATGateways = *f.NATGateways
	}
	return v
}

func (l *loading) test(at compose.Path, f fileTest) Test {
	if (f.Spec == "") == (f.Commands == nil) {
		l.errorf(at, "test-kind", "a test is one of Spec and Commands")
	}
	return Test{
		Name: f.Name, Spec: f.Spec, Commands: f.Commands, Env: f.Env, Path: at,
		Timeout: l.duration(at.Key("Timeout"), f.Timeout, defaultBuildTimeout),
	}
}

func (l *loading) teardown(at compose.Path, f fileEnvironment, permanent bool) *Teardown {
	given := f.Teardown
	switch {
	case permanent && given == nil:
		return nil
	case permanent:
		l.errorf(at, "teardown-permanent", "a permanent environment is never removed")
		return nil
	case given == nil:
		given = &fileTeardown{}
	}
	return &Teardown{
		KeepFor:     l.duration(at.Key("OnFailure").Key("KeepFor"), given.OnFailure.KeepFor, defaultKeepFor),
		MaxLifetime: l.duration(at.Key("MaxLifetime"), given.MaxLifetime, defaultLifetime),
	}
}

// targets chooses the targets of an environment and cuts them into waves: each
// entry begins one, and has as many as the size asks for. A target that two entries
// choose belongs to the first.
func (l *loading) targets(e *Environment, f fileEnvironment) {
	entries, at := f.Targets, e.Path.Key("Targets")
	if (f.Target == nil) == (f.Targets == nil) {
		l.errorf(e.Path, "target-kind", "an environment has one of Target and Targets")
		return
	}
	if f.Target != nil {
		entries = []fileTarget{*f.Target}
	}
	type place struct{ account, region string }
	chosen := map[place]bool{}
	for i, entry := range entries {
		path := at.Index(i)
		if f.Target != nil {
			path = e.Path.Key("Target")
		}
		var wave []Target
		twice := 0
		for _, account := range l.selected(path, entry) {
			for _, region := range l.regions(entry) {
				if chosen[place{account.Name, region}] {
					twice++
					continue
				}
				chosen[place{account.Name, region}] = true
				wave = append(wave, l.target(e, f, account, region))
			}
		}
		if twice > 0 {
			l.Report(compose.Note, path, "target-twice", "", "an entry before has %d of these targets, which are deployed with that one", twice)
		}
		if len(wave) > 0 {
			e.Waves = append(e.Waves, slices.Collect(slices.Chunk(wave, cmp.Or(f.Wave.Size, len(wave))))...)
		}
	}
}

func (l *loading) regions(f fileTarget) []string {
	if f.Regions == nil && l.config.Tooling.Region != "" {
		return []string{l.config.Tooling.Region}
	}
	return f.Regions
}

// selected returns the accounts of an entry of Targets, by name.
func (l *loading) selected(at compose.Path, f fileTarget) []*Account {
	if (f.Account == "") == (f.Accounts == nil) {
		l.errorf(at, "target-account", "a target is one of Account and Accounts")
		return nil
	}
	if f.Account != "" {
		if a := l.accountNamed(at.Key("Account"), f.Account); a != nil {
			return []*Account{a}
		}
		return nil
	}
	s := f.Accounts
	if len(s.Tags) == 0 && s.OU == "" {
		l.errorf(at.Key("Accounts"), "target-selector", "say which accounts: by Tags, by Ou, or both")
		return nil
	}
	for i, name := range s.Exclude {
		path := at.Key("Accounts").Key("Exclude")
		if len(s.Exclude) > 1 {
			path = path.Index(i)
		}
		l.accountNamed(path, name)
	}
	var found []*Account
	for _, a := range l.config.Accounts {
		if s.matches(a) {
			l.used[a.Path] = true
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		l.errorf(at.Key("Accounts"), "target-none", "no account has these tags and is in this unit")
	}
	return found
}

func (s *fileSelector) matches(a *Account) bool {
	for key, value := range s.Tags {
		if own, ok := a.Tags[key]; !ok || own != value {
			return false
		}
	}
	inside := s.OU == "" || a.OU == s.OU || strings.HasPrefix(a.OU, strings.TrimSuffix(s.OU, "/")+"/")
	return inside && !slices.Contains(s.Exclude, a.Name)
}

// target makes the target of an environment in an account and region, with its existing
// network.
func (l *loading) target(e *Environment, f fileEnvironment, account *Account, region string) Target {
	t := Target{Account: account, Region: region, Cluster: f.Cluster.Use, Namespace: f.Namespace.Use}
	use := f.VPC.Use
	at := e.Path.Key("Vpc").Key("Use")
	switch {
	case use == nil:
	case use.FromAccount:
		own := account.Regions[region]
		if own.VPC == nil {
			l.hint(at.Key("FromAccount"), "vpc-account", "add it to "+string(account.Path.Key("Regions").Key(region).Key("Vpc")),
				"account %q has no Vpc in %s", account.Name, region)
		}
		t.VPC, t.Cluster, t.Namespace = own.VPC, cmp.Or(t.Cluster, own.Cluster), cmp.Or(t.Namespace, own.Namespace)
	default:
		t.VPC = &ExistingVPC{ID: use.ID, AppSubnets: use.AppSubnets, PublicSubnets: use.PublicSubnets, StorageSubnets: use.StorageSubnets, Path: at}
	}
	return t
}

// originalConfiguration holds a parameter file of the original blueprint.
type originalConfiguration struct {
	Parameters struct {
		VpcId, AppSubnets, PublicSubnets, StorageSubnets, VpcDiscoveryMapId, EcsClusterName string //nolint:revive // the file's own spelling
	}
	Tags map[string]string
}

// configuration reads the parameter file of an environment in place of Vpc, Cluster,
// Namespace and Tags.
func (l *loading) configuration(e *Environment, f *fileEnvironment) {
	if f.Configuration == "" {
		return
	}
	at := e.Path.Key("Configuration")
	if f.VPC.Use != nil || f.VPC.Create != nil || f.Cluster.Use != "" || f.Namespace.Use != "" {
		l.errorf(at, "configuration-twice", "the file says which VPC, cluster and namespace: leave out Vpc, Cluster and Namespace")
		return
	}
	var o originalConfiguration
	l.DecodeFile(at, f.Configuration, &o)
	p := o.Parameters
	f.VPC.Use = &fileUsedVPC{ID: p.VpcId, AppSubnets: commas(p.AppSubnets), PublicSubnets: commas(p.PublicSubnets), StorageSubnets: commas(p.StorageSubnets)}
	f.Cluster.Use, f.Namespace.Use = p.EcsClusterName, p.VpcDiscoveryMapId
	l.checkID(at, p.VpcId, "vpc-")
	l.checkID(at, p.VpcDiscoveryMapId, "ns-")
	for _, id := range slices.Concat(f.VPC.Use.AppSubnets, f.VPC.Use.PublicSubnets, f.VPC.Use.StorageSubnets) {
		l.checkID(at, id, "subnet-")
	}
	if e.Tags == nil {
		e.Tags = map[string]string{}
	}
	for key, value := range o.Tags {
		e.Tags[key] = cmp.Or(e.Tags[key], value)
	}
}

var resourceID = regexp.MustCompile(`^[a-z]+-[0-9a-z]{8,17}$`)

// checkID checks an id of a file that has no schema.
func (l *loading) checkID(at compose.Path, id, prefix string) {
	if id != "" && (!strings.HasPrefix(id, prefix) || !resourceID.MatchString(id)) {
		l.errorf(at, "configuration-id", "%q is no id %s…", id, prefix)
	}
}

func commas(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
