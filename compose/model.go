package compose

// Model is a compose file set, resolved: everything the constructs need, in
// plain Go values, checked, and sorted by name so that the order of keys in the
// files changes nothing.
type Model struct {
	// Name is the project name; stacks are named after it.
	Name string
	// Tags are put on every resource (x-tags).
	Tags          map[string]string
	Network       Network
	Cluster       Cluster
	Namespaces    []*Namespace    // sorted by name
	Families      []*Family       // sorted by name
	LoadBalancers []*LoadBalancer // x-elbv2 then x-ingress, each sorted by name
	Resources     []*Resource     // in the order of the schemas, then by name
	Bindings      []*Binding      // sorted by resource key, name, family and service
	Secrets       []*Secret       // top-level secrets that a service uses, sorted by name
	Volumes       []*Volume       // named volumes that a service mounts, sorted by name
	Edges         []Edge          // who may open connections to whom, sorted
}

// Family is one ECS task definition with its ECS service, roles, log group and
// security group: the services which share the label ecs.task.family, or one
// service alone.
type Family struct {
	Name string
	Path Path // of the first service, "services.app01"
	// Containers are sorted by name; names are compose service names.
	Containers []*Container
	// CPU is in CPU units (1024 = 1 vCPU) and Memory in MiB: a pair that
	// Fargate accepts, the sidecars' reservations included.
	CPU, Memory int
	// EphemeralStorage is in GiB, 21 to 200; 0 means Fargate's own 20 GiB.
	EphemeralStorage int
	// Architecture is "X86_64" or "ARM64"; OperatingSystem is "LINUX" or an ECS
	// operating system family.
	Architecture, OperatingSystem string
	// Tracing adds the X-Ray daemon; nil means none.
	Tracing *Tracing
	// Replicas is the desired count.
	Replicas   int
	Deployment Deployment
	// Exec allows ECS Exec into the containers.
	Exec bool
	// CapacityProviders is never empty; FARGATE with weight 1 by default.
	CapacityProviders []CapacityProvider
	Scaling           *Scaling
	// DependsOn lists the families that must be stable first, sorted.
	DependsOn []string
	Logging   Logging
	IAM       IAM
	// AssignPublicIP is false unless the file asks for it.
	AssignPublicIP bool
	// SubnetGroup is the name of the subnets the tasks run in, "AppSubnets" by
	// default.
	SubnetGroup string
	// Ingress lists the sources that the file opens beyond edges and load
	// balancers (x-network.Ingress).
	Ingress []IngressSource
	// Records are the Cloud Map registrations of the ECS service.
	Records []Record
	// Tags are the deploy labels that are not ecs.* settings.
	Tags map[string]string
	// HealthCheckGracePeriod is in seconds; used when a load balancer targets
	// the family. 0 means ECS's default.
	HealthCheckGracePeriod int
	// PidMode is "task" where a service shares its process namespace.
	PidMode string
}

// Container is one service of the compose file in one family.
type Container struct {
	// Service is the compose service; Name is the container name in the task.
	Service, Name string
	Path          Path // "services.app01"
	Image         Image
	Essential     bool
	Command       []Text
	EntryPoint    []Text
	// Environment is sorted by name.
	Environment []Variable
	// Secrets is sorted by name; no name stands in Environment too.
	Secrets []SecretVariable
	// CPU is in CPU units, MemoryLimit and MemoryReservation in MiB; 0 = unset.
	CPU, MemoryLimit, MemoryReservation int
	HealthCheck                         *HealthCheck
	DependsOn                           []ContainerDependency // sorted by container
	Ports                               []Port                // sorted by number and protocol
	User, WorkingDir                    string
	ReadOnlyRoot, Init, TTY, Stdin      bool
	Privileged                          bool
	// StopTimeout is in seconds, 2 to 120; 0 = ECS's default of 30.
	StopTimeout int
	// NoFile is the limit of open files, the only one Fargate lets change.
	NoFile          *Limit
	Tmpfs           []Tmpfs
	CapAdd, CapDrop []string
	// Sysctls and Labels: label and kernel parameter by name.
	Sysctls, Labels map[string]string
	Mounts          []Mount
	// LogOptions are the awslogs-* options, mode and max-buffer-size, without
	// those that name the group, which is the family's.
	LogOptions map[string]string
	// PullCredentials names the secret with the registry's user and password:
	// an ARN, or the name of a top-level secret as "secrets::name".
	PullCredentials string
	// RestartPolicy restarts the container alone, for one that is not essential.
	RestartOnFailure bool
}

// Image is what a container runs: Build where it is set, else Reference.
type Image struct {
	// Reference is the image as written, with its tag or digest.
	Reference string
	Build     *Build
}

// Build describes a container image built from source at deploy time.
type Build struct {
	// Context is an absolute folder; Dockerfile is relative to it, or absolute.
	Context, Dockerfile, Target string
	// Inline is the text of a Dockerfile written in the compose file.
	Inline string
	Args   map[string]string
	// Contexts are additional build contexts by name.
	Contexts map[string]string
	// Platform is "linux/amd64" or "linux/arm64".
	Platform  string
	CacheFrom []string
	NoCache   bool
	Network   string
}

// Variable is one environment variable.
type Variable struct {
	Name  string
	Value Text
	Path  Path
}

// SecretVariable is one environment variable whose value ECS takes from Secrets
// Manager or Parameter Store when the container starts.
type SecretVariable struct {
	Name string
	// Secret is the name of a Secret of the model.
	Secret string
	// JSONKey selects one key of a JSON secret; "" is the whole value.
	JSONKey string
	Path    Path
}

// Secret is a top-level secret of the compose file. Its value never enters the
// model.
type Secret struct {
	Name string
	Path Path
	// Create makes an empty secret, whose value is put afterwards by hand, for
	// secrets that Docker would read from a file or a variable.
	Create bool
	// External is the ARN, or the Secrets Manager name, of an existing secret;
	// Parameter says that it is a Parameter Store name or ARN instead.
	External  string
	Parameter bool
	// Lookup finds an existing secret by tags.
	Lookup *LookupTarget
	// TaskRole lets the application itself read the secret as well.
	TaskRole bool
}

// HealthCheck is a container's own health check. Times are in seconds.
type HealthCheck struct {
	Command                                 []string // starts with CMD or CMD-SHELL
	Interval, Timeout, Retries, StartPeriod int      // 0 = ECS's default
}

// ContainerDependency makes a container wait for another one of its task.
type ContainerDependency struct {
	Container string
	// Condition is START, HEALTHY, COMPLETE or SUCCESS.
	Condition string
}

// Port is a port of a container.
type Port struct {
	// Number is the container's port; Published is the port the file publishes
	// it as, 0 where it is only exposed.
	Number, Published int
	Protocol          string // "tcp" or "udp"
	// Name is unique in the family: <service>-<number>-<protocol>, or the name
	// the file gives.
	Name string
	// AppProtocol is "http", "http2", "grpc", another word as written, or "".
	AppProtocol string
	Path        Path
}

// Limit is a soft and a hard limit.
type Limit struct{ Soft, Hard int }

// Tmpfs is a memory file system of a container. Size is in MiB.
type Tmpfs struct {
	Target  string
	Size    int
	Options []string
}

// Mount puts a volume into a container.
type Mount struct {
	// Volume is the name of a Volume of the model, or of a task volume.
	Volume, Target string
	ReadOnly       bool
	// Task says that the volume lives and dies with the task.
	Task bool
}

// Volume is a named volume kept in an EFS file system.
type Volume struct {
	Name string
	Path Path
	// External is the id of an existing file system ("fs-…"); "" creates one.
	External string
	// Properties are CloudFormation properties of AWS::EFS::FileSystem.
	Properties map[string]any
	// UID, GID and Permissions own the root folder of the volume.
	UID, GID, Permissions string
	// Users lists the families that mount it, and whether one of their
	// containers may write, sorted by family.
	Users []VolumeUser
}

// VolumeUser is a family that mounts a volume.
type VolumeUser struct {
	Family string
	Write  bool
}

// Tracing switches the X-Ray daemon of a family on.
type Tracing struct {
	Path Path
	// Services are the services that send traces, sorted.
	Services []string
	// Image replaces the daemon's image; "" is the default one.
	Image string
}

// Deployment says how ECS replaces tasks. Percentages are of the desired count.
type Deployment struct {
	MinHealthyPercent, MaxPercent int
	// CircuitBreaker stops a deployment that cannot become stable; Rollback then
	// goes back to the last one that was.
	CircuitBreaker, Rollback bool
}

// CapacityProvider is one entry of a capacity provider strategy.
type CapacityProvider struct {
	Name         string // FARGATE or FARGATE_SPOT
	Base, Weight int
}

// Scaling is the autoscaling of a family (x-scaling and resources' Scaling).
type Scaling struct {
	Path     Path
	Min, Max int
	// CPUTarget and MemoryTarget are percentages; 0 = not scaled on.
	CPUTarget, MemoryTarget int
	// Cooldowns are in seconds.
	ScaleInCooldown, ScaleOutCooldown int
	DisableScaleIn                    bool
	Schedules                         []ScheduledAction // in file order
}

// ScheduledAction changes the range of tasks at a time.
type ScheduledAction struct {
	Name               string
	Schedule           string // cron(…), rate(…) or at(…)
	TimeZone           string
	StartTime, EndTime string // RFC 3339, or ""
	Min, Max           *int
}

// StepScaling sets the number of tasks by the size of a backlog.
type StepScaling struct {
	Steps                             []Step
	ScaleInCooldown, ScaleOutCooldown int // seconds
}

// Step runs Count tasks while the metric is at or above Lower and below Upper
// (nil = no upper bound).
type Step struct {
	Lower int
	Upper *int
	Count int
}

// Logging is the CloudWatch log group of a family.
type Logging struct {
	// RetentionDays is one of the values that CloudWatch Logs accepts.
	RetentionDays int
	// Group is the physical name; "" lets CloudFormation choose one.
	Group string
}

// IAM is what the file adds to the roles of a family (x-iam).
type IAM struct {
	// Policies go to the task role, sorted by name.
	Policies []InlinePolicy
	// ManagedPolicies are ARNs for the task role, sorted.
	ManagedPolicies []string
	// PermissionsBoundary is an ARN for both roles, or "".
	PermissionsBoundary string
}

// InlinePolicy is a policy document as written.
type InlinePolicy struct {
	Name     string
	Document map[string]any
	Path     Path
}

// IngressSource opens ports of a family to a source: exactly one of CIDR (IPv4
// or IPv6), SecurityGroup, PrefixList and Myself is set.
type IngressSource struct {
	CIDR, SecurityGroup, PrefixList string
	Myself                          bool
	Ports                           []Port
	Description                     string
	Path                            Path
}

// Edge lets one family open connections to a port of another one.
type Edge struct {
	From, To string // families
	Port     Port
	Path     Path // where the file declares it
}

// Record registers a family in a Cloud Map namespace.
type Record struct {
	Namespace string // name of a Namespace of the model
	Name      string // of the Cloud Map service
	Type      string // "A" or "SRV"
	Container string
	Port      int
}

// Namespace is a Cloud Map namespace (x-cloudmap).
type Namespace struct {
	Name string // key in the file
	Path Path
	// Zone is the DNS name.
	Zone string
	// Existing is the id of a namespace to use; "" creates a private DNS one.
	Existing string
	// Lookup finds an existing namespace by its zone through CDK context.
	Lookup bool
}

// DefaultNamespace is the key of the namespace that the model adds for Service
// Connect and for records of ports that Service Connect cannot serve.
const DefaultNamespace = "default"

// Network is the VPC (x-vpc): exactly one of New and Existing is set.
type Network struct {
	Path     Path
	New      *NewVPC
	Existing *ExistingVPC
}

// Names of the three subnet tiers, as ComposeX has them.
const (
	PublicSubnets  = "PublicSubnets"
	AppSubnets     = "AppSubnets"
	StorageSubnets = "StorageSubnets"
)

// NewVPC is a VPC of three tiers.
type NewVPC struct {
	CIDR string
	// AvailabilityZones are names; empty lets CloudFormation choose the first
	// MaxAZs of the region.
	AvailabilityZones []string
	MaxAZs            int
	// NATGateways is how many; -1 = one for each zone, 0 = none.
	NATGateways int
	// Endpoints are service names such as "s3" or "ecr.api", sorted.
	Endpoints            []string
	FlowLogs             bool
	FlowLogsRoleBoundary string
	DHCPDomain           string
}

// ExistingVPC is a VPC given by ids, or found through CDK context.
type ExistingVPC struct {
	// ID is given, or Tags find it by look-up; IsDefault finds the default one.
	ID   string
	Tags map[string]string
	// CIDR is needed only for internal load balancers of a VPC given by ids.
	CIDR string
	// AvailabilityZones are optional, in the order of the subnets.
	AvailabilityZones []string
	// Subnets by group: PublicSubnets, AppSubnets, StorageSubnets and others.
	Subnets map[string]SubnetSelection
}

// SubnetSelection is a list of ids, or tags to find subnets by.
type SubnetSelection struct {
	IDs  []string
	Tags map[string]string
}

// Cluster is the ECS cluster (x-cluster).
type Cluster struct {
	Path Path
	// Existing is the name of a cluster to use; "" creates one.
	Existing string
	// Properties are CloudFormation properties of AWS::ECS::Cluster.
	Properties map[string]any
	// ExecLogging: retention in days of the log group for ECS Exec sessions.
	ExecLogRetentionDays int
	// ExecKMSKey encrypts Exec sessions and their logs; ExecBucket keeps them in
	// a bucket too.
	ExecKMSKey, ExecBucket bool
}

// LoadBalancer is an Application or Network Load Balancer: one of x-elbv2, or
// the one shared by all services with the same x-ingress.
type LoadBalancer struct {
	// Key is "x-elbv2" or "x-ingress"; Name is unique within it.
	Key, Name string
	Path      Path
	Type      string // "application" or "network"
	Internal  bool
	// SubnetGroup is where it lives: PublicSubnets, or AppSubnets if internal.
	SubnetGroup string
	// Attributes are load balancer attributes by name.
	Attributes map[string]string
	// Properties are further CloudFormation properties, as written.
	Properties map[string]any
	// Tags are added to those of the stack.
	Tags map[string]string
	// Sources may reach the listeners. A public load balancer has 0.0.0.0/0 and
	// ::/0 unless the file says otherwise; an internal one has the VPC.
	Sources      []IngressSource
	Listeners    []*Listener    // sorted by port
	TargetGroups []*TargetGroup // sorted by name
	// Lookup finds an existing load balancer by ARN or tags.
	Lookup *LookupTarget
	// ElasticIPs gives a public network load balancer a fixed address per zone;
	// RetainElasticIPs keeps the addresses when the load balancer goes.
	ElasticIPs, RetainElasticIPs bool
}

// Listener is one port of a load balancer.
type Listener struct {
	Port         int
	Protocol     string // HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP
	SSLPolicy    string
	Certificates []string // ARNs
	// Default is what happens when no rule matches.
	Default Action
	// Rules are sorted by priority.
	Rules []*Rule
	// Properties are further CloudFormation properties, as written.
	Properties map[string]any
	Path       Path
}

// Rule forwards the requests that match all its conditions.
type Rule struct {
	// Priority is 1 to 50000. It follows from the rule's own words, never from
	// its place in the file, so that adding a rule moves no other. Pinned says
	// that the file gives it as a number.
	Priority int
	Pinned   bool
	// Hosts and Paths are patterns; Conditions are CloudFormation rule
	// conditions as written.
	Hosts, Paths []string
	Conditions   []map[string]any
	Action       Action
	Path         Path
}

// Action of a listener or rule: exactly one of Forward, Redirect and Fixed is
// set, after Raw where both are, or Raw alone.
type Action struct {
	// Forward names target groups by weight; most often a single one.
	Forward []WeightedTarget
	// Redirect is an HTTP redirect.
	Redirect *Redirect
	// Fixed answers without a target.
	Fixed *FixedResponse
	// Raw are CloudFormation actions as written, such as an authentication.
	Raw []map[string]any
}

// WeightedTarget is a target group and its share of the requests.
type WeightedTarget struct {
	TargetGroup string
	Weight      int
}

// Redirect answers with a redirect; empty parts keep the request's own.
type Redirect struct {
	Protocol, Port, Host, Path, Query string
	Permanent                         bool
}

// FixedResponse answers with a fixed text.
type FixedResponse struct {
	Status            int
	ContentType, Body string
}

// TargetGroup is a port of containers that a load balancer sends requests to.
type TargetGroup struct {
	Name            string // unique within the load balancer
	Path            Path
	Targets         []Target // more than one for a group shared by families
	Port            int
	Protocol        string // HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP
	ProtocolVersion string // HTTP1, HTTP2, GRPC or ""
	HealthCheck     TargetHealthCheck
	// Attributes are target group attributes by name.
	Attributes map[string]string
	// Tags are added to those of the stack.
	Tags map[string]string
}

// Target is a port of a container of a family.
type Target struct {
	Family, Container string
	Port              int
}

// TargetHealthCheck says how a load balancer checks a target. Times are in
// seconds; zero values keep the load balancer's defaults.
type TargetHealthCheck struct {
	Protocol, Path, Codes                       string
	Port, Healthy, Unhealthy, Interval, Timeout int
}

// Mode says where a resource comes from.
type Mode int

const (
	// Create makes the resource in the Data stack.
	Create Mode = iota
	// Import uses one that exists.
	Import
)

// Resource is one entry of an x-* section.
type Resource struct {
	Schema    *Schema `json:"-"`
	Key, Name string  // "x-sqs", "orders"
	Path      Path    // "x-sqs.orders"
	Mode      Mode
	// Properties are CloudFormation properties as written, which may hold
	// intrinsic functions and references such as "x-sqs::dlq::Arn".
	Properties map[string]any
	// Parameters is what MacroParameters decoded to: a pointer to the schema's
	// Parameters type, never nil where the schema has one.
	Parameters any
	// Sections holds the kind's further sections (such as x-dynamodb's Scaling)
	// that the file has, decoded to pointers to the schema's types.
	Sections map[string]any
	// Lookup says how to find an existing resource; nil when Mode is Create.
	Lookup map[string]LookupTarget
	// SubnetGroup is Settings.Subnets, or "".
	SubnetGroup string
	// EnvNames are further names of the variable with the main value, from the
	// first release's Settings.EnvNames.
	EnvNames []string
	// Settings is the kind's own part of Settings, decoded like Parameters.
	Settings any
	// DeletionPolicy is "Retain", "Snapshot" or "Delete" where the file says
	// so, else "".
	DeletionPolicy string
}

// LookupTarget identifies one existing resource; zero values are not used.
type LookupTarget struct {
	Arn, Identifier, Name string
	Tags                  map[string]string
	RoleArn, Region       string
	Path                  Path
}

// Binding connects a service with a resource: the Services entry of a resource,
// for one container of one family.
type Binding struct {
	Resource  *Resource
	Family    *Family
	Container *Container
	Path      Path // "x-sqs.orders.Services.web"
	// Grants are the access profiles, sorted by scope.
	Grants []Grant
	// Returns are the values that become environment variables.
	Returns []Return
	// Options is the kind's own part of the entry, decoded to a pointer to the
	// schema's Service type, never nil where the schema has one.
	Options any
	// Scaling is the step scaling of the family on the resource; it is set on
	// one binding of a family only.
	Scaling *StepScaling
	given   bool // the file sets Options
}

// Grant is one access profile. Scope is "" where Access is a plain word, else
// the key of the Access mapping, such as "DBCluster".
type Grant struct {
	Scope, Profile string
	Path           Path
}

// Return is a value of a resource, by its name in the schema, as an environment
// variable.
type Return struct {
	Value, Variable string
	Path            Path
}
