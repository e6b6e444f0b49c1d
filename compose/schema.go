package compose

import (
	"maps"
	"slices"
)

// Schema is all that the loader must know about a kind of x-resource. The
// constructs package of the kind holds the value; this package never names a
// kind.
type Schema struct {
	// Key is the section, "x-sqs".
	Key string
	// Type is the CloudFormation type that Properties belong to.
	Type string
	// Required says which of the resource's own keys must be there: at least
	// one of them. Empty allows a resource without any.
	Required []string
	// Parameters, Settings and Service are zero values of the structs that
	// MacroParameters, Settings and a Services entry decode to; nil means that
	// the kind has no keys of its own there.
	Parameters, Settings, Service any
	// Sections are the kind's further keys beside Properties, by name, with
	// zero values of their structs.
	Sections map[string]any
	// Lookups are the keys under Lookup that each find one thing, such as
	// "cluster" and "secret"; nil means that Lookup itself finds the resource.
	Lookups []string
	// Finder is the zero value of the struct with the kind's own keys of Lookup; with
	// one, Lookup: true and a Lookup without an identifier are allowed.
	Finder any
	// Layer says with what the resources are deployed.
	Layer Layer
	// Bare are the names of the values that x-key::name alone may mean; the first one
	// that a resource has counts. Without any, a reference must name a value.
	Bare []string
	// Access lists the access profiles by scope; scope "" is Access: <profile>.
	Access map[string][]string
	// AccessShort are words that stand for several profiles, "RW" for those on a
	// bucket and on its objects.
	AccessShort map[string][]Grant
	// AccessFlags are keys of an Access mapping that change nothing, because every
	// resource of the kind has them.
	AccessFlags []string
	// AccessAliases are old names of profiles of scope "" and what they mean.
	AccessAliases map[string]Grant
	// Main is the name of the value that a service gets under the name of the
	// resource: what CloudFormation's Ref returns, such as "Url".
	Main string
	// Returns are the names of the other values.
	Returns []string
	// Without lists the values that one resource does not have although its kind
	// has them, such as the stream of a table without one. It may be nil.
	Without func(r *Resource) []string
	// Scalable kinds accept Scaling with Steps in a Services entry.
	Scalable bool
	// Networked kinds stand in a group of subnets, which Settings.Subnets names.
	Networked bool
	// Snapshots says that a resource can leave a snapshot when it is deleted.
	Snapshots bool
	// BareReferences are property paths below Properties where the bare name of
	// a resource of the same kind is an old spelling of x-key::name::Arn, such as
	// "RedrivePolicy.deadLetterTargetArn".
	BareReferences []string
	// Check looks at one resource when the bindings are known, for the rules that
	// only this kind has. It may be nil.
	Check func(c *Checker, r *Resource)
}

// Layer says with what the resources of a kind are deployed.
type Layer int

const (
	// Data resources outlive the services, which use them.
	Data Layer = iota
	// Services resources act on services and load balancers, and are made after them.
	Services
)

// values lists the names of all values that the kind has.
func (s *Schema) values() []string { return append([]string{s.Main}, s.Returns...) }

// accessWords lists the words that Access takes alone.
func (s *Schema) accessWords() []string {
	return append(slices.Clone(s.Access[""]), slices.Sorted(maps.Keys(s.AccessShort))...)
}

// deletionPolicies returns what the section may say about the kind's resources.
func (s *Schema) deletionPolicies() []string {
	if s.Snapshots {
		return []string{"Delete", "Retain", "Snapshot"}
	}
	return []string{"Delete", "Retain"}
}

// scopes lists the keys of an Access mapping.
func (s *Schema) scopes() []string {
	scopes := slices.Sorted(maps.Keys(s.Access))
	return slices.DeleteFunc(scopes, func(scope string) bool { return scope == "" })
}

// Checker lets a kind report problems of one resource.
type Checker struct {
	r     *resolver
	Model *Model
}

// Errorf reports a problem that stops the run.
func (c *Checker) Errorf(path Path, code, format string, args ...any) {
	c.r.Errorf(path, code, format, args...)
}

// Warnf reports what is deployed differently from what the file says.
func (c *Checker) Warnf(path Path, code, format string, args ...any) {
	c.r.Warnf(path, code, format, args...)
}

// Deprecated reports an old spelling that still works, and the new one.
func (c *Checker) Deprecated(path Path, old, current string) {
	c.r.Deprecated(path, old, current)
}

// Variable reports a name that cannot be an environment variable's.
func (c *Checker) Variable(path Path, name string) {
	c.r.checkVariable(path, name)
}

// TakeVariable makes room for a secret under the name of a variable: the
// service's own value, meant for elsewhere, and the value that the resource sets
// without being asked give way.
func (c *Checker) TakeVariable(b *Binding, path Path, name string) {
	c.r.takeVariable(b, path, name)
}

// Unknown reports a name that is not one of allowed, with the nearest one.
func (c *Checker) Unknown(path Path, code, what, got string, allowed []string) {
	c.r.Unknown(path, code, what, got, allowed)
}
