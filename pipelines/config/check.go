package config

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"composecdk/compose"
	"composecdk/compose/load"
)

// check reports errors that no schema can find.
func (l *loading) check() {
	l.checkAccounts()
	l.checkTooling()
	l.checkSource(l.config.Compose.Source)
	l.checkCompose()
	l.checkApps()
	l.checkGroups()
	for _, e := range l.config.Environments {
		l.checkEnvironment(e)
	}
	l.checkNetworks()
	l.checkPartitions()
	l.checkOrder()
	l.checkTriggers(l.config.Compose.Source, l.config.Triggers)
	l.checkNames()
	if !l.Found().HasErrors() { // a misspelt name would be reported as unused too
		l.checkUnused()
	}
}

// twice reports that two parts share a value that must be unique, at the later one in
// the file.
func (l *loading) twice(code, key, what string, a, b compose.Path) {
	if p, q := l.Pos(a), l.Pos(b); p.File == q.File && p.Line > q.Line {
		a, b = b, a
	}
	if key != "" {
		b = b.Key(key)
	}
	l.errorf(b, code, "%s of %s too", what, a)
}

func (l *loading) checkAccounts() {
	ids := map[string]*Account{}
	for _, a := range l.config.Accounts {
		if first := ids[a.ID]; first != nil && a.ID != "" {
			l.twice("account-twice", "Id", a.ID+" is the id", first.Path, a.Path)
		}
		ids[a.ID] = a
		l.checkRoles(a)
		l.checkZones(a)
	}
	if l.config.OrganizationID == "" && !l.Cut("OrganizationId") && len(l.config.Accounts) > 1 {
		l.warn("Name", "organization-none", "set OrganizationId",
			"without an organisation, only account ids limit who may read images and artifacts")
	}
}

func (l *loading) checkRoles(a *Account) {
	at, r := a.Path.Key("Roles"), a.Roles
	given := r.DeployRoleARN + r.ExecutionRoleARN
	switch {
	case r.Type != Given && given != "":
		l.errorf(at, "roles-kind", "roles are of a Type, or given by DeployRoleArn and ExecutionRoleArn")
	case r.Type == Given && (r.DeployRoleARN == "" || r.ExecutionRoleARN == ""):
		l.errorf(at, "roles-given", "DeployRoleArn and ExecutionRoleArn go together: one deploys, CloudFormation works with the other")
	case r.Type == Managed && l.file.Accounts[a.Name].Roles.Qualifier != "":
		l.errorf(at.Key("Qualifier"), "roles-qualifier", "a qualifier is of bootstrap roles, and these are managed")
	case r.Type != Bootstrap && a == l.config.Tooling.Account:
		l.errorf(at, "roles-tooling", "the tooling account must have the roles of cdk bootstrap: pipelines that update themselves find no others")
	}
	for _, key := range []string{"DeployRoleArn", "ExecutionRoleArn"} {
		arn := map[string]string{"DeployRoleArn": r.DeployRoleARN, "ExecutionRoleArn": r.ExecutionRoleARN}[key]
		if id := accountOfARN(arn); arn != "" && a.ID != "" && id != a.ID {
			l.errorf(at.Key(key), "roles-account", "the role is of account %s, and %q is %s", id, a.Name, a.ID)
		}
	}
}

// checkZones checks that zones belong to their region and are unique.
func (l *loading) checkZones(a *Account) {
	for _, region := range slices.Sorted(maps.Keys(a.Regions)) {
		zones := a.Regions[region].AvailabilityZones
		for _, zone := range zones {
			if zone[:len(zone)-1] != region {
				l.errorf(a.Path.Key("Regions").Key(region).Key("AvailabilityZones"), "zone-region", "%s is no zone of %s", zone, region)
			}
		}
	}
}

func (l *loading) checkTooling() {
	t := l.config.Tooling
	l.checkSource(t.Source)
	for _, name := range slices.Sorted(maps.Keys(l.file.Connections)) {
		if id := accountOfARN(l.file.Connections[name].ARN); id != "" && t.Account != nil && id != t.Account.ID {
			l.errorf(compose.At("Connections", name, "Arn"), "connection-account", "the connection is of account %s, and the pipelines run in %s", id, t.Account.ID)
		}
	}
	if t.Source.Provider == ECR {
		l.errorf("Tooling.Source.Ecr", "source-ecr", "an image is a source of applications only")
	}
	if t.Source.Same(l.config.Compose.Source) && t.Source.Repository+t.Source.Bucket != "" {
		const what = "one repository holds this file and the compose files: whoever may write an image digest can rewrite the pipeline, " +
			"and with it every account"
		if l.config.AllowSelfModify {
			l.warn("AllowSelfModify", "self-modify", "use two repositories: see docs/decisions/two-repositories.md", what)
		} else {
			l.hint("Compose.Source", "self-modify", "use two repositories, or set AllowSelfModify: true and accept it", what)
		}
	}
}

func accountOfARN(arn string) string { return strings.Split(arn+":::::", ":")[4] }

// checkSource checks that the pipelines can use a connection.
func (l *loading) checkSource(s Source) {
	if s.Provider == Connection && s.Repository == "" {
		l.errorf(s.Path.Key("Connection"), "source-repository", "a source of a connection needs a Repository: owner/name")
	}
}

func (l *loading) checkCompose() {
	c := l.config.Compose
	at := compose.Path("Compose.Images.Handoff")
	switch {
	case c.Source.Provider == ECR:
		l.errorf("Compose.Source.Ecr", "source-ecr", "an image is a source of applications only")
	case c.Source.Provider == S3 && c.Handoff == Git:
		l.hint(at, "handoff", "write s3", "a source in S3 has no commits")
	case c.Source.Provider != S3 && c.Handoff == Object:
		l.hint(at, "handoff", "write git", "a repository is no file in S3")
	}
	for i, file := range c.Files {
		l.checkLocal(compose.Path("Compose.Files").Index(i), file)
	}
	l.checkLocal("Compose.Images.Path", c.Images)
}

// checkLocal refuses paths that leave their repository.
func (l *loading) checkLocal(at compose.Path, path string) {
	if slices.Contains(strings.Split(path, "/"), "..") {
		l.errorf(at, "path-outside", "%s leaves the repository", path)
	}
}

func (l *loading) checkApps() {
	services, repositories := map[string]*App{}, map[string]*App{}
	for _, a := range l.config.Apps {
		if first := services[a.Service]; first != nil {
			l.twice("service-twice", "", "service "+a.Service+" is that", first.Path, a.Path)
		} else if first := repositories[a.Repository.Name]; first != nil {
			l.twice("repository-twice", "", a.Repository.Name+" is the repository", first.Path, a.Path)
		}
		services[a.Service], repositories[a.Repository.Name] = a, a
		l.checkSource(a.Source)
		l.checkTriggers(a.Source, a.Triggers)
		l.checkBuild(a)
		l.checkLoop(a)
	}
}

func (l *loading) checkBuild(a *App) {
	at, b := a.Path.Key("Build"), a.Build
	if b.Spec != "" && (len(b.Test) > 0 || b.Args != nil || b.Target != "") {
		l.errorf(at.Key("Spec"), "build-spec", "Spec replaces the built-in buildspec: Test, Target and Args have no effect with it")
	}
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		if load.Credential(name) {
			l.hint(at.Key("Args").Key(name), "build-secret", "let a Dockerfile need none, or read it from Secrets Manager in a buildspec of the application",
				"a build argument is no place for a credential: it is in the template, in the log and in the image")
		}
	}
	l.checkLocal(at.Key("Context"), b.Context)
	l.checkLocal(at.Key("Dockerfile"), b.Dockerfile)
	l.checkLocal(at.Key("Spec"), b.Spec)
	l.checkTimeout(at.Key("Timeout"), b.Timeout)
	if name := a.Repository.Name; len(name) > 256 || !ecrName.MatchString(name) {
		l.errorf(a.Path.Key("Repository").Key("Name"), "repository-name", "%q is no name of an ECR repository: parts of lower-case letters and digits, "+
			"joined by single dots, -, _ and /, up to 256 characters", name)
	}
}

var ecrName = regexp.MustCompile(`^[a-z0-9]+([._/-][a-z0-9]+)*$`)

// checkTimeout checks a timeout against the limits of CodeBuild.
func (l *loading) checkTimeout(at compose.Path, timeout time.Duration) {
	if timeout < 5*time.Minute || timeout > 8*time.Hour || timeout%time.Minute != 0 {
		l.errorf(at, "timeout", "a build of CodeBuild has 5 minutes to 8 hours, in whole minutes")
	}
}

// checkLoop finds applications whose pipeline would start itself by the commit that
// it makes.
func (l *loading) checkLoop(a *App) {
	if !a.Source.Same(l.config.Compose.Source) {
		return
	}
	onPath := func(t Trigger) bool { return t.Paths != nil || t.Tags != nil }
	if len(a.Triggers) == 0 || !slices.ContainsFunc(a.Triggers, onPath) {
		l.hint(a.Path.Key("Source"), "source-loop", "let Triggers name the Paths of the application, or use another repository",
			"the source is the compose repository, to which the pipeline itself pushes: it would start itself")
	}
}

// maxPushes limits the kinds of pushes that start a pipeline. See
// https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GitConfiguration.html
const maxPushes = 3

// checkTriggers checks that a source supports its triggers.
func (l *loading) checkTriggers(s Source, triggers []Trigger) {
	if s.Provider == Connection && len(triggers) > maxPushes {
		l.errorf(triggers[maxPushes].Path, "trigger-many", "%d triggers of a connection, and CodePipeline takes %d", len(triggers), maxPushes)
	}
	for _, t := range triggers {
		stored := s.Provider == S3 || s.Provider == ECR
		switch {
		case stored && t.Tags != nil:
			l.errorf(t.Path.Key("Tag"), "trigger-tag", "a source in %s has no Git tags", s.Provider)
		case stored:
			l.errorf(t.Path.Key("Push"), "trigger-push", "a source in %s has neither branches nor paths: a new object starts the pipeline", s.Provider)
		case s.Provider == CodeCommit && t.Paths != nil:
			l.errorf(t.Path.Key("Push").Key("Paths"), "trigger-paths", "events of CodeCommit do not tell which paths a push touched: only connections do")
		case s.Provider == CodeCommit && slices.ContainsFunc(slices.Concat(t.Branches, t.Tags), isGlob):
			l.errorf(t.Path, "trigger-glob", "in patterns for CodeCommit only * and ** are special: EventBridge knows nothing else")
		case t.Tags == nil && t.Branches == nil && t.Paths == nil:
			l.errorf(t.Path.Key("Push"), "trigger-empty", "say which Branches or Paths")
		}
	}
}

// isGlob reports whether a pattern has more wildcards than * and **.
func isGlob(pattern string) bool { return strings.ContainsAny(pattern, "?[]{}") }

// checkReached finds environments that no release enters, as no such trigger
// starts the CD pipeline, or it cannot be found out which trigger did.
func (l *loading) checkReached(e *Environment) {
	if len(e.Triggers) > 0 && l.config.Compose.Source.Provider != CodeCommit {
		l.hint(e.Path.Key("Triggers"), "trigger-untold", "leave it to Triggers at the top level, which start the CD pipeline",
			"only a compose repository in CodeCommit allows to find out what started a release")
		return
	}
	for _, t := range e.Triggers {
		if l.config.Start(t) < 0 {
			l.hint(t.Path, "trigger-never", "add it to Triggers at the top level, word by word", "no trigger at the top level is equal to this one")
		}
	}
}

// largestGroup limits the applications of one stack: a pipeline has about 15 resources
// of the 500.
const largestGroup = 30

func (l *loading) checkGroups() {
	groups := map[string]int{}
	for _, a := range l.config.Apps {
		if groups[a.Group]++; groups[a.Group] == largestGroup+1 {
			l.hint(a.Path.Key("Group"), "group-size", `give teams groups of their own, such as Group: "${Team}" in Defaults`,
				"group %q has more than the %d applications that one stack takes", a.Group, largestGroup)
		}
		if !groupName.MatchString(a.Group) {
			l.errorf(a.Path.Key("Group"), "group-name", "%q is no group: letters, digits and -, a letter first", a.Group)
		}
	}
}

var groupName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,60}$`)

func (l *loading) checkEnvironment(e *Environment) {
	l.checkTests(e)
	l.checkApproval(e)
	l.checkLimits(e)
	l.checkVPC(e)
	l.checkTriggers(l.config.Compose.Source, e.Triggers)
	l.checkReached(e)
	for i, file := range e.ComposeFiles {
		l.checkLocal(e.Path.Key("ComposeFiles").Index(i), file)
	}
	if e.Isolation == "pipeline" {
		l.hint(e.Path.Key("Isolation"), "isolation", "leave it out", "there is one CD pipeline, of which the environment is stages: one of its own is not built")
	}
	if e.Bake != nil && e.Bake.For > 24*time.Hour {
		l.errorf(e.Path.Key("Wave").Key("Bake").Key("For"), "bake", "alarms are watched for at most 24 hours")
	}
	if e.Type != Ephemeral {
		return
	}
	if len(e.Targets()) > 1 {
		l.errorf(e.Path.Key("Targets"), "ephemeral-targets", "an ephemeral environment is one account and region")
	}
	for _, t := range e.Targets() {
		if t.Region != l.config.Tooling.Region {
			l.hint(e.Path, "ephemeral-region", "leave out Regions, or move Tooling", "an ephemeral environment must be in the region of the tooling, %s, not in %s: only there is it removed",
				l.config.Tooling.Region, t.Region)
		}
	}
	if l.fileOf(e).TerminationProtection != nil && *l.fileOf(e).TerminationProtection {
		l.errorf(e.Path.Key("TerminationProtection"), "ephemeral-protection", "an ephemeral environment is deleted after its tests")
	}
	if t := e.Teardown; t.MaxLifetime < t.KeepFor {
		l.errorf(e.Path.Key("Teardown"), "teardown-lifetime", "MaxLifetime ends before KeepFor")
	}
}

// fileOf returns an environment as written in the file.
func (l *loading) fileOf(e *Environment) fileEnvironment {
	return l.file.Environments[slices.Index(l.config.Environments, e)]
}

// stageNames belong to the other steps of a stage, and to its roles; buildParts are
// suffixes of a test's name in the names of its build's parts.
var (
	stageNames = []string{"Changes", "Deploy", "Execution", "Teardown"}
	buildParts = []string{"Key", "Logs", "Role"}
)

func (l *loading) checkTests(e *Environment) {
	names := map[string]bool{}
	for _, t := range e.Tests {
		if names[t.Name] {
			l.errorf(t.Path.Key("Name"), "name-twice", "%q is a test of this environment already", t.Name)
		}
		names[t.Name] = true
		if slices.Contains(stageNames, t.Name) || t.Name == "Approve-"+e.Name {
			l.errorf(t.Path.Key("Name"), "name-reserved", "%q is reserved for a part of the stage: rename the test", t.Name)
		}
		for _, part := range buildParts {
			if whole, ok := strings.CutSuffix(t.Name, part); ok && slices.ContainsFunc(e.Tests, func(o Test) bool { return o.Name == whole }) {
				l.errorf(t.Path.Key("Name"), "name-reserved", "%q is reserved for a part of test %q: rename one of them", t.Name, whole)
			}
		}
		l.checkLocal(t.Path.Key("Spec"), t.Spec)
		l.checkTimeout(t.Path.Key("Timeout"), t.Timeout)
		for _, name := range slices.Sorted(maps.Keys(t.Env)) {
			value := t.Env[name]
			if strings.Contains(outputReference.ReplaceAllString(value, ""), "${") {
				l.errorf(t.Path.Key("Env").Key(name), "test-variable", "%q: only ${Outputs.NAME} is filled in", value)
			}
			if load.Credential(name) && !outputReference.MatchString(value) {
				l.hint(t.Path.Key("Env").Key(name), "test-secret", "read it from Secrets Manager in the test",
					"a variable of a build is no place for a credential: it is in the template and in the log")
			}
		}
	}
}

// outputReference stands for an output of the environment.
var outputReference = regexp.MustCompile(`\$\{Outputs\.([A-Za-z0-9]+)\}`)

func (l *loading) checkApproval(e *Environment) {
	if a := e.Approval; a != nil && (a.Timeout < 5*time.Minute || a.Timeout > 60*24*time.Hour || a.Timeout%time.Minute != 0) {
		l.errorf(e.Path.Key("Approval").Key("Timeout"), "timeout", "CodePipeline waits 5 minutes to 60 days for an approval, in whole minutes")
	}
	if l.fileOf(e).ChangeSet == "review" && e.Approval == nil {
		l.errorf(e.Path.Key("ChangeSet"), "review-approval", "ChangeSet needs a reviewer: add Approval")
	}
}

func (l *loading) checkVPC(e *Environment) {
	f := l.fileOf(e)
	at := e.Path.Key("Vpc")
	if f.VPC.Create != nil && f.VPC.Use != nil {
		l.errorf(at, "vpc-kind", "a VPC is one of Create and Use")
		return
	}
	if use := f.VPC.Use; use != nil {
		l.checkUsedVPC(at.Key("Use"), use)
	}
	if f.Configuration != "" {
		at = e.Path.Key("Configuration")
	}
	if use := f.VPC.Use; len(e.Targets()) > 1 && (use != nil && use.ID != "" || f.Namespace.Use != "" || f.Configuration != "") {
		l.hint(at, "vpc-several", "write Vpc: {Use: {FromAccount: true}}, and the ids below Accounts",
			"a VPC and a namespace are in one account and region, and this environment has %d targets", len(e.Targets()))
	}
	if e.NewVPC != nil {
		l.checkNewVPC(e)
	}
	for _, t := range e.Targets() {
		if t.VPC != nil && len(t.VPC.AppSubnets) == 0 && t.VPC.ID != "" {
			l.errorf(t.VPC.Path, "vpc-subnets", "AppSubnets are missing: services run there")
		}
	}
}

func (l *loading) checkUsedVPC(at compose.Path, use *fileUsedVPC) {
	subnets := slices.Concat(use.AppSubnets, use.PublicSubnets, use.StorageSubnets)
	switch {
	case use.FromAccount && (use.ID != "" || subnets != nil):
		l.errorf(at, "vpc-kind", "FromAccount uses the ids of the account: leave out the ids here, or FromAccount")
	case !use.FromAccount && use.ID == "":
		l.errorf(at, "vpc-kind", "say which VPC: VpcId with its subnets, or FromAccount: true")
	}
}

func (l *loading) checkNewVPC(e *Environment) {
	v := e.NewVPC
	prefix, err := netip.ParsePrefix(v.CIDR)
	if err != nil || prefix != prefix.Masked() || prefix.Bits() < 16 || prefix.Bits() > 24 {
		l.errorf(v.Path.Key("Cidr"), "vpc-cidr", "%s is no range of a VPC with three tiers of subnets: /16 to /24, without bits outside of the mask", v.CIDR)
	}
	for _, t := range e.Targets() {
		zones := t.Account.Zones(t.Region)
		if len(zones) < 2 || len(zones) > 6 {
			l.hint(v.Path, "vpc-zones", "add them to "+string(t.Account.Path.Key("AvailabilityZones")),
				"a new VPC needs 2 to 6 AvailabilityZones, and account %q has %d in %s", t.Account.Name, len(zones), t.Region)
			continue
		}
		if v.NATGateways > 1 && v.NATGateways != len(zones) {
			l.errorf(v.Path.Key("NatGateways"), "vpc-nat", "there are 0 NAT gateways, 1, or one in each of the %d zones, found %d", len(zones), v.NATGateways)
		}
	}
}

// checkPartitions refuses accounts of several partitions of AWS, between which no role
// can be assumed.
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html)
func (l *loading) checkPartitions() {
	own := l.config.Partition()
	foreign := func(path compose.Path, what, partition string) {
		if partition != own {
			l.errorf(path, "partition", "%s is of partition %s, and the pipelines run in %s: no role is assumed from one in another", what, partition, own)
		}
	}
	for _, e := range l.config.Environments {
		told := map[string]bool{}
		for _, t := range e.Targets() {
			if !told[t.Region] {
				foreign(e.Path, "region "+t.Region, partitionOf(t.Region))
			}
			told[t.Region] = true
		}
	}
	for _, a := range l.config.Accounts {
		for _, role := range [][2]string{{"DeployRoleArn", a.Roles.DeployRoleARN}, {"ExecutionRoleArn", a.Roles.ExecutionRoleARN}} {
			if role[1] != "" {
				foreign(a.Path.Key("Roles").Key(role[0]), "the role", strings.Split(role[1], ":")[1])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.file.Connections)) {
		if arn := l.file.Connections[name].ARN; arn != "" {
			foreign(compose.At("Connections", name, "Arn"), "the connection", strings.Split(arn, ":")[1])
		}
	}
}

// checkNetworks refuses ephemeral environments in the network of a permanent one, which
// their leftovers and faults would affect.
func (l *loading) checkNetworks() {
	owners := map[string]*Environment{}
	for _, e := range l.config.Environments {
		for _, t := range e.Targets() {
			if e.Type == Permanent {
				owners["cluster "+t.Cluster+" of "+t.Account.ID+t.Region] = e
				if t.VPC != nil {
					owners["vpc "+t.VPC.ID] = e
				}
			}
		}
	}
	for _, e := range l.config.Environments {
		for _, t := range e.Targets() {
			if e.Type != Ephemeral {
				continue
			}
			if t.VPC != nil && t.VPC.ID != "" && owners["vpc "+t.VPC.ID] != nil {
				l.errorf(e.Path.Key("Vpc"), "ephemeral-vpc", "%s is the VPC of environment %q", t.VPC.ID, owners["vpc "+t.VPC.ID].Name)
			}
			if owner := owners["cluster "+t.Cluster+" of "+t.Account.ID+t.Region]; t.Cluster != "" && owner != nil {
				l.errorf(e.Path.Key("Cluster"), "ephemeral-cluster", "%q is the cluster of environment %q", t.Cluster, owner.Name)
			}
		}
	}
}

// checkOrder finds releases that reach a permanent environment unasked and untested.
func (l *loading) checkOrder() {
	names := map[string]bool{}
	stages := map[string]*Environment{}
	guarded := false
	for _, e := range l.config.Environments {
		if names[e.Name] {
			l.errorf(e.Path.Key("Name"), "name-twice", "%q is an environment already", e.Name)
		}
		names[e.Name] = true
		for _, t := range e.Targets() {
			id := l.config.StageID(e, t)
			if first := stages[id]; first != nil && first.Name != e.Name {
				l.errorf(e.Path.Key("Name"), "name-twice", "its stage would be called %s, as one of environment %q", id, first.Name)
			}
			stages[id] = e
		}
		guarded = guarded || e.Approval != nil
		if e.Type == Permanent && !guarded {
			l.warn(e.Path.Key("Name"), "unguarded", "add Approval, or Tests to an environment before it",
				"a push reaches %q without any test or approval before", e.Name)
		}
		guarded = guarded || len(e.Tests) > 0
	}
	l.checkLast()
}

// checkLast finds ephemeral environments after all permanent ones.
func (l *loading) checkLast() {
	permanent := func(e *Environment) bool { return e.Type == Permanent }
	if !slices.ContainsFunc(l.config.Environments, permanent) {
		return
	}
	for _, e := range slices.Backward(l.config.Environments) {
		if permanent(e) {
			return
		}
		l.warn(e.Path.Key("Name"), "ephemeral-last", "write it before the environments that its tests are for",
			"a release has passed all permanent environments when %q tests it", e.Name)
	}
}

func (l *loading) checkUnused() {
	if len(l.config.Apps) == 0 {
		l.report(compose.Note, "Apps", "apps-none", "", "there is no application: the CD pipeline alone is made")
	}
	for _, a := range l.config.Accounts {
		if !l.used[a.Path] {
			l.warn(a.Path, "account-unused", "", "nothing is deployed to account %q", a.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.file.Connections)) {
		if path := compose.At("Connections", name); !l.used[path] {
			l.warn(path, "connection-unused", "", "no source uses connection %q", name)
		}
	}
}

// artifactFolder is the length of the prefix of a pipeline's name that names its folder
// of artifacts.
const artifactFolder = 20

// checkNames checks the longest generated names against the limits of AWS.
func (l *loading) checkNames() {
	folders := map[string]*App{}
	for _, a := range l.config.Apps {
		name := a.CIPipeline()
		folder := name[:min(len(name), artifactFolder)]
		if first := folders[folder]; first != nil {
			l.warn(a.Path, "artifacts-shared", "let names differ in their first 17 characters",
				"builds of %q and %q can read each other's artifacts: CodePipeline keeps both below %s", first.Name, a.Name, folder)
		}
		folders[folder] = a
	}
	for _, e := range l.config.Environments {
		for _, t := range e.Targets() {
			// a stack has a name of 128 characters, of which layer and group of
			// the application's stacks take up to 60
			const most = 68
			if id := l.config.StageID(e, t); len(id) > most {
				l.errorf(e.Path.Key("Name"), "name-long", "stacks are called %s, which is more than %d characters", id, most)
				break
			}
		}
	}
}
