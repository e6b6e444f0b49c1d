package compose

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// DefaultCIDR is the range of a new VPC where the file gives none.
const DefaultCIDR = "10.0.0.0/16"

// defaultZones is how many availability zones a new VPC has, as ComposeX.
const defaultZones = 2

// maxZones is how many a VPC may ask for: no region has more.
const maxZones = 6

// vpcSection is x-vpc.
type vpcSection struct {
	Properties *vpcProperties
	Lookup     map[string]any
	// Use is an old spelling of Lookup.
	Use map[string]any
}

// vpcProperties describe a new VPC.
type vpcProperties struct {
	VpcCidr     string
	SingleNat   bool
	DisableNat  bool
	DHCPOptions struct{ DomainName string }
	// Endpoints: nil means that the file leaves the choice to us.
	Endpoints            *struct{ AwsServices []any }
	EnableFlowLogs       bool
	FlowLogsRoleBoundary string
	MaxAZs               int
	AvailabilityZones    []string
}

// network reads what all services stand on: the VPC, the cluster and the
// namespaces.
func (r *resolver) network() {
	r.vpc()
	r.subnetGroups()
	r.cluster()
	r.namespaces()
}

func (r *resolver) vpc() {
	value, path, ok := r.extension("x-vpc")
	if id, old, isSet := r.extension("x-aws-vpc"); isSet {
		if !ok {
			r.dockerVPC(old, id)
			return
		}
		r.Warnf(old, "vpc-twice", "x-aws-vpc is ignored, as the file has x-vpc")
	}
	var section vpcSection
	if ok && !r.decode(path, value, &section) {
		return
	}
	if section.Use != nil {
		r.Deprecated(path.Key("Use"), "Use", "Lookup")
		section.Lookup = section.Use
		path = path.Key("Use")
	} else if section.Lookup != nil {
		path = path.Key("Lookup")
	}
	switch {
	case section.Lookup == nil:
		r.newVPC("x-vpc", section.Properties)
	case section.Properties != nil:
		r.Errorf("x-vpc", "vpc-mode", "Properties make a new VPC and Lookup uses an existing one: give one of them")
	default:
		r.existingVPC(path, section.Lookup)
	}
}

// dockerVPC reads x-aws-vpc, the id or ARN of a VPC in Docker's own integration.
func (r *resolver) dockerVPC(path Path, value any) {
	var id string
	if !r.decode(path, value, &id) {
		return
	}
	r.model.Network = Network{Path: path, Existing: &ExistingVPC{ID: r.awsID(path, id, "vpc-")}}
}

// newVPC fills in what the file leaves open; p is nil where it says nothing.
func (r *resolver) newVPC(path Path, p *vpcProperties) {
	at := path.Key("Properties")
	if p == nil {
		p = &vpcProperties{}
	}
	v := &NewVPC{
		CIDR:                 p.VpcCidr,
		AvailabilityZones:    p.AvailabilityZones,
		MaxAZs:               p.MaxAZs,
		NATGateways:          -1,
		FlowLogs:             p.EnableFlowLogs,
		FlowLogsRoleBoundary: p.FlowLogsRoleBoundary,
		DHCPDomain:           p.DHCPOptions.DomainName,
	}
	if v.CIDR == "" {
		v.CIDR = DefaultCIDR
	}
	switch {
	case len(v.AvailabilityZones) > 0:
		if v.MaxAZs != 0 && v.MaxAZs != len(v.AvailabilityZones) {
			r.Errorf(at.Key("MaxAZs"), "vpc-zones", "MaxAZs is %d, but AvailabilityZones names %d", v.MaxAZs, len(v.AvailabilityZones))
		}
		v.MaxAZs = len(v.AvailabilityZones)
	case v.MaxAZs == 0:
		v.MaxAZs = defaultZones
	}
	if v.MaxAZs < 1 || v.MaxAZs > maxZones {
		r.Errorf(at.Key("MaxAZs"), "vpc-zones", "a VPC has 1 to %d availability zones, found %d", maxZones, v.MaxAZs)
		return
	}
	if p.SingleNat && p.DisableNat {
		r.Errorf(at.Key("DisableNat"), "vpc-nat", "SingleNat and DisableNat exclude each other")
	}
	switch {
	case p.DisableNat:
		v.NATGateways = 0
	case p.SingleNat:
		v.NATGateways = 1
	}
	if p.FlowLogsRoleBoundary != "" {
		r.policyARN(at.Key("FlowLogsRoleBoundary"), p.FlowLogsRoleBoundary)
		if !p.EnableFlowLogs {
			r.Warnf(at.Key("FlowLogsRoleBoundary"), "vpc-flow-logs", "it is not used, as EnableFlowLogs is not set")
		}
	}
	r.vpcCIDR(at.Key("VpcCidr"), v)
	v.Endpoints = r.vpcEndpoints(at.Key("Endpoints"), p)
	r.model.Network = Network{Path: path, New: v}
}

// smallestSubnet is the longest prefix that AWS accepts, for a VPC and for a
// subnet; largestVPC the shortest one of a VPC.
const (
	smallestSubnet = 28
	largestVPC     = 16
)

// vpcCIDR checks that the range is one of AWS, and wide enough for three tiers
// of subnets in all zones.
func (r *resolver) vpcCIDR(path Path, v *NewVPC) {
	prefix, err := netip.ParsePrefix(v.CIDR)
	switch {
	case err != nil || !prefix.Addr().Is4():
		r.Errorf(path, "vpc-cidr", "%q is not an IPv4 range such as %s", v.CIDR, DefaultCIDR)
	case prefix != prefix.Masked():
		r.Add(Error, path, "vpc-cidr", "write "+prefix.Masked().String(),
			fmt.Sprintf("%s has bits outside of its mask", v.CIDR))
	case prefix.Bits() < largestVPC:
		r.Errorf(path, "vpc-cidr", "a VPC has at most the %d addresses of a /%d, found %s", 1<<(32-largestVPC), largestVPC, v.CIDR)
	case SubnetPrefix(prefix.Bits(), v.MaxAZs) > smallestSubnet:
		r.Errorf(path, "vpc-cidr", "%s is too small for three tiers of subnets in %d availability zones: "+
			"the smallest subnet of AWS is a /%d", v.CIDR, v.MaxAZs, smallestSubnet)
	}
}

// SubnetPrefix returns the prefix length of the public and of the storage subnets of
// a new VPC: each tier shares a quarter of the range among the zones. The
// application's subnets share one half, so that theirs is one bit shorter.
func SubnetPrefix(vpc, zones int) int {
	perZone := 0
	for 1<<perZone < zones {
		perZone++
	}
	return vpc + 2 + perZone
}

// endpointsWithoutNAT are the services that Fargate needs to start a task.
var endpointsWithoutNAT = []string{"ecr.api", "ecr.dkr", "logs", "s3", "secretsmanager"}

// vpcEndpoints lists the services to reach without the internet. Without a way
// to the internet, tasks could not even pull an image of ECR: then the endpoints
// for that are there unless the file says otherwise.
func (r *resolver) vpcEndpoints(path Path, p *vpcProperties) []string {
	if p.Endpoints == nil {
		if !p.DisableNat {
			return nil
		}
		r.Notef("x-vpc.Properties.DisableNat", "vpc-endpoints",
			"without NAT the VPC gets endpoints for %s; set Endpoints to choose others", strings.Join(endpointsWithoutNAT, ", "))
		return endpointsWithoutNAT
	}
	var names []string
	for i, item := range p.Endpoints.AwsServices {
		at := path.Key("AwsServices").Index(i)
		var entry struct {
			Service string `key:"service"`
		}
		if name, ok := item.(string); ok {
			entry.Service = name
		} else if !r.decode(at, item, &entry) {
			continue
		}
		if entry.Service == "" {
			r.Errorf(at, "vpc-endpoint", "an endpoint needs the name of a service, such as ecr.api")
			continue
		}
		names = append(names, entry.Service)
	}
	slices.Sort(names)
	if p.DisableNat && len(names) == 0 {
		r.Warnf(path, "vpc-endpoints", "tasks in a VPC without NAT and endpoints cannot pull images nor write logs")
	}
	return slices.Compact(names)
}

// lookupSettings are the keys of x-vpc.Lookup that are no groups of subnets.
var lookupSettings = []string{"AvailabilityZones", "RoleArn", "VpcCidr", "VpcId"}

func (r *resolver) existingVPC(path Path, lookup map[string]any) {
	v := &ExistingVPC{Subnets: map[string]SubnetSelection{}}
	r.decode(path.Key("AvailabilityZones"), lookup["AvailabilityZones"], &v.AvailabilityZones)
	r.decode(path.Key("VpcCidr"), lookup["VpcCidr"], &v.CIDR)
	if _, err := netip.ParsePrefix(v.CIDR); v.CIDR != "" && err != nil {
		r.Errorf(path.Key("VpcCidr"), "vpc-cidr", "%q is not a range such as %s", v.CIDR, DefaultCIDR)
	}
	if role, ok := lookup["RoleArn"]; ok {
		r.ignoredRole(path.Key("RoleArn"), role)
	}
	if id, ok := lookup["VpcId"]; ok {
		ids, tags := r.foundBy(path.Key("VpcId"), id, "vpc-")
		v.Tags = tags
		if len(ids) > 1 {
			r.Errorf(path.Key("VpcId"), "vpc-id", "a VPC has one id, found %d", len(ids))
		} else if len(ids) == 1 {
			v.ID = ids[0]
		}
	} else {
		r.Errorf(path, "vpc-id", "Lookup needs VpcId: an id, or Tags to find it by")
	}
	for _, group := range slices.Sorted(maps.Keys(lookup)) {
		if slices.Contains(lookupSettings, group) {
			continue
		}
		at := path.Key(group)
		ids, tags := r.foundBy(at, lookup[group], "subnet-")
		if len(ids) == 0 && len(tags) == 0 {
			continue // reported, or not written
		}
		v.Subnets[group] = SubnetSelection{IDs: ids, Tags: tags}
	}
	r.subnetTags(path, v)
	r.model.Network = Network{Path: "x-vpc", Existing: v}
}

// subnetTags reports groups of subnets that the CDK's look-up cannot tell apart:
// it sorts the subnets of a VPC by the values of one tag.
func (r *resolver) subnetTags(path Path, v *ExistingVPC) {
	first, at := "", Path("")
	for _, group := range slices.Sorted(maps.Keys(v.Subnets)) {
		for _, key := range slices.Sorted(maps.Keys(v.Subnets[group].Tags)) {
			switch {
			case first == "":
				first, at = key, path.Key(group)
			case key != first:
				r.Errorf(path.Key(group), "vpc-subnet-tags",
					"all groups of subnets are found by one and the same tag: %s is found by %q, this one by %q; give ids here", at, first, key)
			}
		}
	}
}

// foundBy reads how to find one thing or several: an id, a list of ids, ids
// separated by commas, or a mapping with Identifier, Arn or Tags.
func (r *resolver) foundBy(path Path, value any, prefix string) (ids []string, tags map[string]string) {
	by, isMap := value.(map[string]any)
	if !isMap {
		return r.awsIDs(path, value, prefix), nil
	}
	var target struct {
		Identifier, Arn any
		Tags            any
		RoleArn         any
	}
	if !r.decode(path, by, &target) {
		return nil, nil
	}
	if target.RoleArn != nil {
		r.ignoredRole(path.Key("RoleArn"), target.RoleArn)
	}
	if target.Identifier != nil {
		ids = append(ids, r.awsIDs(path.Key("Identifier"), target.Identifier, prefix)...)
	}
	if target.Arn != nil {
		ids = append(ids, r.awsIDs(path.Key("Arn"), target.Arn, prefix)...)
	}
	if target.Tags != nil {
		tags = r.anyTags(path.Key("Tags"), target.Tags)
	}
	if target.Identifier == nil && target.Arn == nil && target.Tags == nil {
		r.Errorf(path, "lookup-empty", "give an Identifier, an Arn or Tags")
	}
	return ids, tags
}

func (r *resolver) awsIDs(path Path, value any, prefix string) []string {
	var list []string
	if !r.decode(path, value, &list) {
		return nil
	}
	var ids []string
	for _, item := range list {
		for _, id := range strings.Split(item, ",") {
			if id = r.awsID(path, strings.TrimSpace(id), prefix); id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// awsID returns an id with the given prefix, or the id at the end of an ARN.
func (r *resolver) awsID(path Path, text, prefix string) string {
	id := text
	if strings.HasPrefix(text, "arn:") {
		id = text[strings.LastIndex(text, "/")+1:]
	}
	if !strings.HasPrefix(id, prefix) {
		r.Errorf(path, "aws-id", "%q is not an id %s… nor an ARN that ends in one", text, prefix)
		return ""
	}
	return id
}

// anyTags reads tags as a mapping or as a list of mappings with one key each.
// Several values of one key are any of them: they are joined by a comma, which
// no tag of AWS may hold.
func (r *resolver) anyTags(path Path, value any) map[string]string {
	tags := map[string]string{}
	list, isList := value.([]any)
	if !isList {
		r.decode(path, value, &tags)
		return tags
	}
	for i, item := range list {
		var one map[string]string
		if !r.decode(path.Index(i), item, &one) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(one)) {
			if old, ok := tags[key]; ok {
				tags[key] = old + "," + one[key]
			} else {
				tags[key] = one[key]
			}
		}
	}
	return tags
}

// ignoredRole says that look-ups do not take the role of the file. An empty one
// is what a variable without a value leaves.
func (r *resolver) ignoredRole(path Path, role any) {
	if role == "" || role == nil {
		return
	}
	r.Warnf(path, "lookup-role", "look-ups run in the CDK CLI, with the look-up role of the account's bootstrap stack; RoleArn is not used")
}
