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
	Connections   []Connection    // who may open connections to whom, sorted
	// Stacks are the groups of x-stacks by their members: families by Member,
	// x-resources, secrets and volumes by Path. Any other lives with its like.
	Stacks map[Path]string
	// Groups are groups of families, by family. Those of one share a stack where one
	// is too small for all families. A family without a group has one of its own
	// then. A pipeline fills them; the files have x-stacks.
	Groups map[string]string
	// references are the places of the files that name something.
	references []reference
}

// Connection lets one family open connections to a port of another one.
type Connection struct {
	From, To string // families
	Port     Port
	Path     Path // where the file declares it
}
