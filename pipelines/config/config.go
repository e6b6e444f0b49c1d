package config

import (
	"time"

	"composecdk/compose"
	"composecdk/compose/load"
)

// Config is what a pipeline.yaml says, with everything filled in.
type Config struct {
	// File is pipeline.yaml as a person would type it, Dir its folder, absolute.
	File, Dir string
	// Name is the product's name: lower-case letters, digits and -, a letter first,
	// up to 24 characters, as the names of buckets are made of it.
	Name    string
	Tooling Tooling
	// OrganizationID is o-…; "" where the accounts belong to no organisation, which
	// is told as a warning: then account ids alone keep others out.
	OrganizationID string
	// Accounts are sorted by name.
	Accounts []*Account
	Compose  Compose
	// Apps are sorted by name.
	Apps []*App
	// Environments are in the order in which a release passes them.
	Environments []*Environment
	// Triggers start the CD pipeline; empty means a push to a branch of its sources.
	Triggers      []Trigger
	Notifications []Notification
	Logs          Logs
	// AllowSelfModify permits one repository to be the source of both, the
	// pipelines and the compose files (docs/decisions/two-repositories.md).
	AllowSelfModify bool

	// Unreleased says that in a pipeline, too, applications may have no image yet: that
	// of the platform makes what builds the first ones, and deploys none.
	Unreleased bool

	// document knows where everything is written.
	document *load.Document
}

// Tooling is the account that the pipelines run in, and what they are made from.
type Tooling struct {
	Account *Account
	Region  string
	// Source is the platform repository: this program and pipeline.yaml, or only
	// the file where there is a Binary. Default: the CodeCommit repository
	// <Name>-platform.
	Source Source
	// File is where pipeline.yaml lies in the platform repository.
	File string
	// Binary is the built program. Nil means that the synthesis compiles it.
	Binary *Binary
}

// Binary is a release of our programs: an archive (tar.gz) of composecdk and composer.
type Binary struct {
	// URI is an s3:// URI in the tooling account, or an https:// URL.
	URI string
	// SHA256 is the hexadecimal checksum of what the URI gives.
	SHA256 string
}

// Account is an AWS account.
type Account struct {
	Name string
	// ID has 12 digits.
	ID    string
	OU    string
	Tags  map[string]string
	Roles Roles
	// Regions are the account's own settings of a region.
	Regions map[string]Region
	Path    compose.Path
}

// Region is what an account has in a region.
type Region struct {
	AvailabilityZones []string
	// VPC is nil where the file says nothing about it.
	VPC *ExistingVPC
	// Cluster and Namespace are existing ones; may be empty.
	Cluster, Namespace string
}

// Zones returns the availability zones of a region, nil where the file gives none.
func (a *Account) Zones(region string) []string { return a.Regions[region].AvailabilityZones }

// RoleType is whose roles the pipelines use in an account.
type RoleType string

const (
	// Bootstrap roles are those of `cdk bootstrap`.
	Bootstrap RoleType = "bootstrap"
	// Managed roles are those of the roles stack of the account.
	Managed RoleType = "managed"
	// Given roles are named in the file.
	Given RoleType = "given"
)

// Roles are the roles that act in an account.
type Roles struct {
	Type RoleType
	// Qualifier is that of the bootstrap stack. Default: hnb659fds.
	Qualifier string
	// DeployRoleARN and ExecutionRoleARN are empty but for Given.
	DeployRoleARN, ExecutionRoleARN string
	// PermissionsBoundary is the name of a managed policy for every role that is
	// made in the account; may be empty.
	PermissionsBoundary string
}

// Provider is where a source is.
type Provider string

// The providers of sources.
const (
	CodeCommit Provider = "CodeCommit"
	Connection Provider = "Connection" // CodeConnections: GitHub, GitLab, Bitbucket
	S3         Provider = "S3"
	ECR        Provider = "Ecr"
)

// Source is where a pipeline gets its files from.
type Source struct {
	Provider Provider
	// Repository is the CodeCommit repository, owner/name of a connection, or the
	// ECR repository.
	Repository string
	// Branch is empty for S3 and ECR.
	Branch string
	// ConnectionARN is that of a connection.
	ConnectionARN string
	// Bucket and Key are those of a zip file in S3.
	Bucket, Key string
	// Tag is the image tag of ECR.
	Tag  string
	Path compose.Path
}

// Same reports whether two sources are one repository, whatever the branch.
func (s Source) Same(other Source) bool {
	return s.Provider == other.Provider && s.Repository == other.Repository && s.Bucket == other.Bucket && s.Key == other.Key
}

// Trigger starts a pipeline: a push to branches that touches paths, or a tag. All
// are glob patterns. Branches of an application that are not its source's branch
// build and test, but hand nothing over.
type Trigger struct {
	Branches, Paths, Tags []string
	Path                  compose.Path
}

// Handoff is how a new digest reaches the compose repository.
type Handoff string

const (
	// Git pushes a commit.
	Git Handoff = "git"
	// Object replaces the zip file in S3.
	Object Handoff = "s3"
)

// Compose is the repository of the compose files.
type Compose struct {
	Source Source
	// Files are relative to the root of the repository.
	Files []string
	// Images is the folder of the files that hold the digests, one per service.
	Images  string
	Handoff Handoff
}

// App is an application: what builds the image of one service.
type App struct {
	Name string
	// Team is informative, and what ${Team} in Group stands for.
	Team string
	// Group is the stack that the pipeline lives in.
	Group string
	// Service is the compose service whose image the application is.
	Service string
	Source  Source
	// Triggers default to a push to the source's branch.
	Triggers   []Trigger
	Repository Repository
	Build      Build
	// Scan is nil where nothing waits for the findings of Inspector.
	Scan *Scan
	// Sign says that ECR signs what is pushed.
	Sign bool
	Path compose.Path
}

// Repository is the ECR repository of an application.
type Repository struct {
	// Name defaults to <Name>/<service>.
	Name string
	// TagMutability is IMMUTABLE or MUTABLE.
	TagMutability string
	ScanOnPush    bool
	// KeepReleases is how many tagged images are kept.
	KeepReleases int
	// ExpireUntaggedDays is after how many days an untagged image goes.
	ExpireUntaggedDays int
}

// Build is how an application is tested and its image is built.
type Build struct {
	// Spec is a buildspec of the application's repository that takes the place of
	// ours: it tests, builds, pushes, and leaves build_info.yml in its artifact.
	Spec string
	// Test are commands that test before the image is built, where there is no Spec.
	Test []string
	// Context and Dockerfile are relative to the root of the repository.
	Context, Dockerfile string
	// Target is the stage of the Dockerfile; may be empty.
	Target string
	// Args are build arguments.
	Args map[string]string
	// Compute is SMALL, MEDIUM, LARGE, X_LARGE or X2_LARGE.
	Compute string
	// Image is the managed image of CodeBuild, such as standard:7.0.
	Image string
	// Privileged lets the project run a Docker daemon. Default: true.
	Privileged bool
	Timeout    time.Duration
}

// Scan is how many findings of Inspector a new image may have.
type Scan struct{ Critical, High, Medium, Low *int }

// EnvironmentType says what an environment is for.
type EnvironmentType string

const (
	// Ephemeral environments are made from scratch, tested and removed.
	Ephemeral EnvironmentType = "ephemeral"
	// Permanent environments stay.
	Permanent EnvironmentType = "permanent"
)

// Environment is where a release is deployed.
type Environment struct {
	Name string
	Type EnvironmentType
	// Waves are deployed one after the other, the targets of one together. An
	// ephemeral environment has one target.
	Waves [][]Target
	// Bake is what a wave must stand before the next one begins; may be nil.
	Bake *Bake
	// NewVPC is that of an ephemeral environment, or of a permanent one that has its
	// own; nil means that targets say which one they use.
	NewVPC *NewVPC
	// ComposeFiles are further files of the compose repository, merged last.
	ComposeFiles []string
	Tags         map[string]string
	// Triggers limit which releases come here, to those that one of them started;
	// empty means all.
	Triggers []Trigger
	Tests    []Test
	// Teardown is nil but for ephemeral environments.
	Teardown *Teardown
	// Approval is nil where nobody is asked.
	Approval *Approval
	// Review says that the approval stands between the change sets and their
	// execution, rather than before both.
	Review bool
	// OnFailure is rollback, retry or none.
	OnFailure             string
	TerminationProtection bool
	// Isolation is stage, or pipeline for a CD pipeline of its own per target group.
	Isolation string
	Path      compose.Path
}

// Targets returns the targets of all waves.
func (e *Environment) Targets() []Target {
	var all []Target
	for _, wave := range e.Waves {
		all = append(all, wave...)
	}
	return all
}

// Target is one account and region of an environment.
type Target struct {
	Account *Account
	Region  string
	// VPC is nil where the environment makes its own.
	VPC *ExistingVPC
	// Cluster and Namespace are existing ones; may be empty.
	Cluster, Namespace string
}

// ExistingVPC names the network of a target.
type ExistingVPC struct {
	ID                                        string
	AppSubnets, PublicSubnets, StorageSubnets []string
	Path                                      compose.Path
}

// NewVPC is a network that an environment makes.
type NewVPC struct {
	CIDR string
	// NATGateways is how many there are; 0 is none.
	NATGateways int
	Path        compose.Path
}

// Bake holds a wave back until its alarms stayed quiet.
type Bake struct {
	// Alarms are names of CloudWatch alarms in the targets.
	Alarms []string
	For    time.Duration
}

// Test is a build that tests an environment.
type Test struct {
	Name string
	// Spec is a buildspec of the compose repository; Commands stand in its place.
	Spec     string
	Commands []string
	// Env are environment variables; ${Outputs.X} is an output of the environment.
	Env     map[string]string
	Timeout time.Duration
	Path    compose.Path
}

// Teardown says when an ephemeral environment goes.
type Teardown struct {
	// KeepFor is how long one stays whose deployment or tests failed.
	KeepFor time.Duration
	// MaxLifetime is when it goes at the latest.
	MaxLifetime time.Duration
}

// Approval is what a person is asked.
type Approval struct {
	Comment, URL string
	Timeout      time.Duration
	// SkipWhenUnchanged leaves out an environment that the release does not change.
	SkipWhenUnchanged bool
}

// Event is what a notification is about: approval, failed or succeeded.
type Event string

// The events that people are told of.
const (
	ApprovalNeeded Event = "approval"
	Failed         Event = "failed"
	Succeeded      Event = "succeeded"
)

// Notification tells people.
type Notification struct {
	// Email is an address; else SlackWorkspace and SlackChannel are set.
	Email                        string
	SlackWorkspace, SlackChannel string
	Events                       []Event
	Path                         compose.Path
}

// Logs are those of builds.
type Logs struct{ RetentionDays int }
