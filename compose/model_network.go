package compose

// IngressSource opens ports of a family to a source: exactly one of CIDR (IPv4
// or IPv6), SecurityGroup, PrefixList and Myself is set.
type IngressSource struct {
	CIDR, SecurityGroup, PrefixList string
	Myself                          bool
	Ports                           []Port
	Description                     string
	Path                            Path
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
