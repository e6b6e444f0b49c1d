package config

import (
	"time"

	"composecdk/compose"
	"composecdk/compose/load"
)

// Config holds a pipeline.yaml with all defaults filled in.
type Config struct {
	// File is pipeline.yaml as a person would type it, Dir its folder, absolute.
	File, Dir string
	// Name is the product's name: lower-case letters, digits and -, a letter first,
	// up to 24 characters, as the names of buckets are made of it.
	Name    string
	Tooling Tooling
	// OrganizationID is o-…; "" if the accounts belong to no organisation, which causes
	// a warning: then only account ids keep other principals out.
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

	// Unreleased means that in a pipeline, too, applications may have no image yet: the
	// platform pipeline makes the builds of the first images, and deploys no
	// application.
	Unreleased bool

	// document has the places of all values.
	document *load.Document
}

// Tooling is the account that the pipelines run in, and their platform repository.
type Tooling struct {
	Account *Account
	Region  string
	// Source is the platform repository: this program and pipeline.yaml, or only
	// the file where there is a Binary. Default: the CodeCommit repository
	// <Name>-platform.
	Source Source
	// File is where pipeline.yaml lies in the platform repository.
	File string
	// Binary is the built program. If nil, the synthesis compiles it.
	Binary *Binary
}

// Binary is a release of our programs: an archive (tar.gz) of composecdk and composer.
type Binary struct {
	// URI is an s3:// URI in the tooling account, or an https:// URL.
	URI string
	// SHA256 is the hexadecimal checksum of the archive.
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

// Region holds an account's settings of a region.
type Region struct {
	AvailabilityZones []string
	// VPC is nil if the file has none.
	VPC *ExistingVPC
	// Cluster and Namespace are existing ones; may be empty.
	Cluster, Namespace string
}

// Zones returns the availability zones of a region, nil if the file has none.
func (a *Account) Zones(region string) []string { return a.Regions[region].AvailabilityZones }

// RoleType says which roles the pipelines use in an account.
type RoleType string

const (
	// Bootstrap roles are made by `cdk bootstrap`.
	Bootstrap RoleType = "bootstrap"
	// Managed roles are made by the roles stack of the account.
	Managed RoleType = "managed"
	// Given roles are named in the file.
	Given RoleType = "given"
)

// Roles are the roles that act in an account.
type Roles struct {
	Type RoleType
	// Qualifier belongs to the bootstrap stack. Default: hnb659fds.
	Qualifier string
	// DeployRoleARN and ExecutionRoleARN are empty but for Given.
	DeployRoleARN, ExecutionRoleARN string
	// PermissionsBoundary is the name of a managed policy for every role that is
	// made in the account; may be empty.
	PermissionsBoundary string
}

// Provider is a kind of source.
type Provider string

// The providers of sources.
const (
	CodeCommit Provider = "CodeCommit"
	Connection Provider = "Connection" // CodeConnections: GitHub, GitLab, Bitbucket
	S3         Provider = "S3"
	ECR        Provider = "Ecr"
)

// Source is a repository, bucket or image that a pipeline reads.
type Source struct {
	Provider Provider
	// Repository is the CodeCommit repository, owner/name of a connection, or the
	// ECR repository.
	Repository string
	// Branch is empty for S3 and ECR.
	Branch string
	// ConnectionARN is empty but for a connection.
	ConnectionARN string
	// Bucket and Key name a zip file in S3.
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

// Handoff says how a new digest gets into the compose repository.
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

// App is an application, which builds the image of one service.
type App struct {
	Name string
	// Team is informative, and replaces ${Team} in Group.
	Team string
	// Group is the stack that the pipeline lives in.
	Group string
	// Service is the compose service that runs the image.
	Service string
	Source  Source
	// Triggers default to a push to the source's branch.
	Triggers   []Trigger
	Repository Repository
	Build      Build
	// Scan is nil if images are not scanned.
	Scan *Scan
	// Sign means that ECR signs pushed images.
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
	// KeepReleases is the number of tagged images to keep.
	KeepReleases int
	// ExpireUntaggedDays is the number of days after which untagged images expire.
	ExpireUntaggedDays int
}

// Build describes the build and the tests of an application's image.
type Build struct {
	// Spec is a buildspec of the application's repository that replaces the built-in
	// one: it tests, builds, pushes, and leaves build_info.yml in its artifact.
	Spec string
	// Test are commands that test before the image is built, unless there is a Spec.
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

// Scan limits the findings of Inspector in a new image; nil is no limit.
type Scan struct{ Critical, High, Medium, Low *int }

// EnvironmentType is ephemeral or permanent.
type EnvironmentType string

const (
	// Ephemeral environments are created, tested and removed by each release.
	Ephemeral EnvironmentType = "ephemeral"
	// Permanent environments stay.
	Permanent EnvironmentType = "permanent"
)

// Environment is a set of targets that a release is deployed to.
type Environment struct {
	Name string
	Type EnvironmentType
	// Waves are deployed one after the other, the targets of one together. An
	// ephemeral environment has one target.
	Waves [][]Target
	// Bake must pass before the next wave begins; may be nil.
	Bake *Bake
	// NewVPC is the VPC of an ephemeral environment, or of a permanent one with its own;
	// if nil, each target has a VPC.
	NewVPC *NewVPC
	// ComposeFiles are further files of the compose repository, merged last.
	ComposeFiles []string
	Tags         map[string]string
	// Triggers limit the environment to releases that one of them started; empty means
	// all releases.
	Triggers []Trigger
	Tests    []Test
	// Teardown is nil but for ephemeral environments.
	Teardown *Teardown
	// Approval is nil if nobody approves.
	Approval *Approval
	// Review puts the approval between the change sets and their execution, rather than
	// before both.
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
	// VPC is nil if the environment makes its own.
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
	// NATGateways is their number; 0 is none.
	NATGateways int
	Path        compose.Path
}

// Bake holds a wave back until its alarms have stayed out of ALARM.
type Bake struct {
	// Alarms are names of CloudWatch alarms in the targets.
	Alarms []string
	For    time.Duration
}

// Test is a build that tests an environment.
type Test struct {
	Name string
	// Spec is a buildspec of the compose repository; if empty, there are Commands.
	Spec     string
	Commands []string
	// Env are environment variables; ${Outputs.X} is replaced by an output of the
	// environment.
	Env     map[string]string
	Timeout time.Duration
	Path    compose.Path
}

// Teardown says when an ephemeral environment is removed.
type Teardown struct {
	// KeepFor is how long a failed environment is kept.
	KeepFor time.Duration
	// MaxLifetime is the age at which the environment is removed in any case.
	MaxLifetime time.Duration
}

// Approval describes the question to a person.
type Approval struct {
	Comment, URL string
	Timeout      time.Duration
	// SkipWhenUnchanged leaves out an environment that the release does not change.
	SkipWhenUnchanged bool
}

// Event is the subject of a notification: approval, failed or succeeded.
type Event string

// The events of notifications.
const (
	ApprovalNeeded Event = "approval"
	Failed         Event = "failed"
	Succeeded      Event = "succeeded"
)

// Notification sends events to people.
type Notification struct {
	// Email is an address; if empty, SlackWorkspace and SlackChannel are set.
	Email                        string
	SlackWorkspace, SlackChannel string
	Events                       []Event
	Path                         compose.Path
}

// Logs holds the settings of the logs of builds.
type Logs struct{ RetentionDays int }
