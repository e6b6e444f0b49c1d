package compose

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
	Properties Fragment
	// Parameters is what MacroParameters decoded to: a pointer to the schema's
	// Parameters type, never nil where the schema has one.
	Parameters any
	// Sections holds the kind's further sections (such as x-dynamodb's Scaling)
	// that the file has, decoded to pointers to the schema's types.
	Sections map[string]any
	// Lookup says how to find an existing resource; nil when Mode is Create.
	Lookup map[string]LookupTarget
	// Finder is the kind's own part of Lookup, decoded like Parameters.
	Finder any
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

// Fragment is a mapping in CloudFormation's own words, which may hold intrinsic
// functions, references and pseudo parameters.
type Fragment map[string]any

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
