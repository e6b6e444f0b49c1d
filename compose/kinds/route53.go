package kinds

import (
	"fmt"
	"regexp"
	"strings"

	"composecdk/compose"
)

// Route53 is x-route53: hosted zones of Amazon Route 53, found or made.
var Route53 = &Kind{
	Schema: compose.Schema{
		Key:      "x-route53",
		Type:     "AWS::Route53::HostedZone",
		Sections: map[string]any{"Name": "", "ZoneName": ""},
		Finder:   ZoneLookup{},
		Main:     "HostedZoneId",
		Bare:     []string{"HostedZoneId"},
		Without:  zoneWithout,
		Check:    checkZone,
	},
	Values:    map[string]string{"HostedZoneId": Ref, "ZoneName": Derived, "NameServers": Derived},
	Retention: "Retain",
}

// ZoneLookup are the keys of Lookup of a hosted zone; Lookup: true searches by the
// zone's name.
type ZoneLookup struct {
	HostedZoneID  string `key:"HostedZoneId"`
	IsPrivateZone bool
}

var (
	zoneName = regexp.MustCompile(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9-]{2,63}\.?$`)
	zoneID   = regexp.MustCompile(`^Z[A-Z0-9]{3,31}$`)
)

// IsZoneID reports whether a text can be the id of a hosted zone.
func IsZoneID(text string) bool { return zoneID.MatchString(text) }

// ZoneName returns the domain of a hosted zone without a dot at its end, or "" where
// the file gives no plain text.
func ZoneName(r *compose.Resource) string {
	for _, key := range []string{"Name", "ZoneName"} {
		if name, ok := r.Sections[key].(*string); ok && *name != "" {
			return strings.TrimSuffix(*name, ".")
		}
	}
	name, _ := r.Properties["Name"].(string)
	return strings.TrimSuffix(name, ".")
}

// PrivateZone reports whether a hosted zone answers inside VPCs only.
func PrivateZone(r *compose.Resource) bool {
	if r.Mode == compose.Import {
		return r.Finder.(*ZoneLookup).IsPrivateZone
	}
	return r.Properties["VPCs"] != nil
}

// zoneWithout tells that only a new public zone has name servers to delegate to.
func zoneWithout(r *compose.Resource) []string {
	if r.Mode == compose.Create && r.Properties["VPCs"] == nil {
		return nil
	}
	return []string{"NameServers"}
}

func checkZone(c *compose.Checker, r *compose.Resource) {
	name := ZoneName(r)
	path := r.Path.Key("Properties").Key("Name")
	for _, key := range []string{"Name", "ZoneName"} {
		if given, ok := r.Sections[key].(*string); ok && *given != "" {
			path = r.Path.Key(key)
		}
	}
	given, inProperties := r.Properties["Name"]
	switch {
	case name == "" && inProperties && fmt.Sprint(given) != "":
		c.Errorf(path, "zone-name", "the name of a hosted zone is a plain text, such as example.com")
	case name == "":
		c.Errorf(r.Path, "zone-name", "a hosted zone needs a Name, such as example.com")
	case !zoneName.MatchString(name):
		c.Errorf(path, "zone-name", "%q is not the name of a hosted zone, such as example.com", name)
	}
	if text, ok := given.(string); ok && name != "" && strings.TrimSuffix(text, ".") != name {
		c.Errorf(r.Path.Key("Properties").Key("Name"), "zone-name", "the zone is named %q and %q: give one name", name, text)
	}
	if name != "" {
		checkAliases(c, r, name)
	}
	if r.Mode == compose.Import {
		finder := r.Finder.(*ZoneLookup)
		if id := finder.HostedZoneID; id != "" && !IsZoneID(id) {
			c.Errorf(r.Path.Key("Lookup").Key("HostedZoneId"), "zone-id", "%q is not the id of a hosted zone, such as Z0123456789ABCDEFGHIJ", id)
		}
		if finder.IsPrivateZone && finder.HostedZoneID == "" && c.Model.Network.New != nil {
			c.Errorf(r.Path.Key("Lookup").Key("IsPrivateZone"), "zone-new-vpc", "no private zone can exist for a VPC that is made here: give HostedZoneId, or x-vpc.Lookup")
		}
	}
}

// checkAliases reports DNS names of load balancers that do not belong to their zone.
func checkAliases(c *compose.Checker, r *compose.Resource, zone string) {
	for _, lb := range c.Model.LoadBalancers {
		for _, alias := range lb.Aliases {
			refs := alias.Zone.Refs()
			if len(refs) == 0 || refs[0].Key != r.Key || refs[0].Name != r.Name {
				continue
			}
			for i, name := range alias.Names {
				if !InZone(name, zone) {
					c.Errorf(alias.Path.Key("Names").Index(i), "zone-other", "%s is not in the hosted zone %s", name, zone)
				}
			}
		}
	}
}

// InZone reports whether a DNS name belongs to a hosted zone.
func InZone(name, zone string) bool {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "*."), "."))
	zone = strings.ToLower(zone)
	return name == zone || strings.HasSuffix(name, "."+zone)
}
