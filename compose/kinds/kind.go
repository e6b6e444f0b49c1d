package kinds

import (
	"maps"
	"slices"

	"composecdk/compose"
)

// Kind describes one x-* section. All of it is data, apart from the functions of its
// Schema for rules that no row can express.
type Kind struct {
	// Schema is the syntax. Its Main, Returns and Access are filled from Values
	// and Profiles, and its Check also applies the rules of Keys and Deliveries.
	compose.Schema
	// Defaults are properties under the user's own; a default is left out where
	// the user gives the property that Unless names for it.
	Defaults map[string]any
	Unless   map[string]string
	// Ephemeral are the defaults that differ for a resource that goes with its
	// stack. In an ephemeral environment they win over the user's own properties.
	Ephemeral map[string]any
	// Values are the return values: the attribute for Fn::GetAtt by the name
	// that ReturnValues uses, or Ref. A kind derives a value of Derived itself.
	Values map[string]string
	// ARN is the attribute with the ARN of the resource, or Ref; "" is "Arn".
	ARN string
	// Profiles are the IAM access profiles by scope and name; scope "" is
	// Access: <name>.
	Profiles map[string]map[string]Profile
	// Keys are the properties that name a key of AWS KMS.
	Keys []KeyProperty
	// Deliveries are the properties that name a resource to which AWS sends
	// something on behalf of this one.
	Deliveries []Delivery
	// Source is the ARN of the resource in which ${<property>} is a property with its
	// name, or * where CloudFormation names it. It depends on no construct, so that the
	// policies of others can name it before the resource is there.
	Source string
	// Retention is the deletion policy where the file says none: "Retain" or
	// "Snapshot" for a resource that holds data, "Delete" for a transient one.
	Retention string
}

// Names of Kind.Values and Kind.ARN that are no attribute.
const (
	// Ref is the value of CloudFormation's Ref.
	Ref = "Ref"
	// Derived is a value that the construct of the kind derives from others.
	Derived = "Derived"
)

// Profile is an access profile: what a service may do with a resource.
type Profile []Statement

// Statement allows Actions on Resources, in which ${ARN} stands for the ARN of
// the resource; none means ${ARN} itself. KeyActions are allowed on the key that
// encrypts the resource, where there is one.
type Statement struct {
	Actions, Resources, KeyActions []string
}

// KeyProperty is a property that names a key of AWS KMS.
type KeyProperty struct {
	// Path leads to the property below Properties; [] stands for every item of a
	// list: "BucketEncryption.ServerSideEncryptionConfiguration[].….KMSMasterKeyID".
	Path string
	// Via is the service that may use the key on behalf of a task, "sqs".
	Via string
}

// Delivery is a property that names a resource to which an AWS service sends on
// behalf of the resource with the property. The named resource must admit the
// service, and must have done so before the property is set.
type Delivery struct {
	// Path leads to the property, like KeyProperty.Path.
	Path string
	// To are the keys of the sections whose resources may be named, "x-sqs".
	To []string
	// Service is the principal that sends, "s3.amazonaws.com".
	Service string
	// Actions are allowed to it on Resource, "${ARN}" by default.
	Actions  []string
	Resource string
}

// schema completes the syntax of a kind by its other fields.
func (k *Kind) schema() *compose.Schema {
	s := k.Schema
	s.Access = map[string][]string{}
	for scope, profiles := range k.Profiles {
		s.Access[scope] = slices.Sorted(maps.Keys(profiles))
	}
	for _, name := range slices.Sorted(maps.Keys(k.Values)) {
		if name != s.Main {
			s.Returns = append(s.Returns, name)
		}
	}
	s.Check = k.check
	return &s
}

// check applies the rules of the kind's rows, then its own.
func (k *Kind) check(c *compose.Checker, r *compose.Resource) {
	if r.Mode == compose.Create {
		k.checkKeys(c, r)
		k.checkDeliveries(c, r)
	}
	if k.Check != nil {
		k.Check(c, r)
	}
}

// Actions lists the IAM actions of an access profile, sorted.
func Actions(r *compose.Resource, g compose.Grant) []string {
	var actions []string
	for _, s := range Of(r).Profiles[g.Scope][g.Profile] {
		actions = append(actions, s.Actions...)
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}
