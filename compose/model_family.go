package compose

// Family is one ECS task definition with its ECS service, roles, log group and
// security group: the services which share the label ecs.task.family, or one
// service alone.
type Family struct {
	Name string
	Path Path // of the first service, "services.app01"
	// Containers are sorted by name; names are compose service names.
	Containers []*Container
	// Run says whether ECS keeps the family running.
	Run Run
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
	// Ingress lists the sources that the file opens beyond connections and load
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

// Run says how a family runs.
type Run int

const (
	// RunService has an ECS service, which keeps the tasks running.
	RunService Run = iota
	// RunTask has no ECS service: whoever knows the target runs a task, which ends.
	RunTask
)

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
