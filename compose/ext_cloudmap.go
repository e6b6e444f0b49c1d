package compose

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// namespaceSection is one entry of x-cloudmap.
type namespaceSection struct {
	ZoneName string
	// Name is another spelling of ZoneName.
	Name string
	// Lookup is true, or a mapping with NamespaceId.
	Lookup          any
	Properties      map[string]any
	MacroParameters map[string]any
}

// zonePattern is a DNS name of at least two labels.
var zonePattern = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)

// namespaces reads x-cloudmap, and adds the project's own namespace where a
// family can be called.
func (r *resolver) namespaces() {
	var sections map[string]any
	value, path, ok := r.extension("x-cloudmap")
	if ok {
		r.decode(path, value, &sections)
	}
	zones := map[string]Path{}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		at := path.Key(name)
		if n := r.namespace(at, name, sections[name]); n != nil {
			if first, ok := zones[n.Zone]; ok {
				r.Errorf(at, "namespace-twice", "the zone %s belongs to %s already", n.Zone, first)
				continue
			}
			zones[n.Zone] = at
			r.model.Namespaces = append(r.model.Namespaces, n)
		}
	}
	if r.discovered() {
		zone := r.defaultZone(zones)
		r.model.Namespaces = append(r.model.Namespaces, &Namespace{Name: DefaultNamespace, Path: "name", Zone: zone})
		r.udpNames(zone)
	}
	slices.SortFunc(r.model.Namespaces, func(a, b *Namespace) int { return strings.Compare(a.Name, b.Name) })
}

// defaultZone returns <project>.internal, or where a namespace of the file has that
// zone, one below it.
func (r *resolver) defaultZone(taken map[string]Path) string {
	zone := r.model.Name + ".internal"
	if _, ok := taken[zone]; ok {
		return "connect." + zone
	}
	return zone
}

func (r *resolver) namespace(path Path, name string, value any) *Namespace {
	if name == DefaultNamespace {
		r.Errorf(path, "namespace-name", "%q is the name of the project's own namespace: choose another one", name)
		return nil
	}
	var section namespaceSection
	if !r.decode(path, value, &section) {
		return nil
	}
	n := &Namespace{Name: name, Path: path, Zone: strings.TrimSuffix(section.ZoneName, ".")}
	if section.Name != "" {
		if section.ZoneName != "" && section.ZoneName != section.Name {
			r.Errorf(path.Key("Name"), "namespace-zone", "Name is another word for ZoneName: give one of them")
		}
		n.Zone = strings.TrimSuffix(section.Name, ".")
	}
	if n.Zone == "" || !zonePattern.MatchString(n.Zone) {
		r.Errorf(path, "namespace-zone", "a namespace needs a ZoneName such as %q, found %q", "shop.internal", n.Zone)
	}
	if len(section.Properties) > 0 {
		r.Warnf(path.Key("Properties"), "namespace-properties", "properties of a namespace are not used: it has its ZoneName only")
	}
	if len(section.MacroParameters) > 0 {
		r.Warnf(path.Key("MacroParameters"), "namespace-properties", "parameters of a namespace are not used: it has its ZoneName only")
	}
	r.namespaceLookup(path.Key("Lookup"), n, section.Lookup)
	return n
}

func (r *resolver) namespaceLookup(path Path, n *Namespace, lookup any) {
	switch by := lookup.(type) {
	case nil:
		return
	case map[string]any:
		var target struct {
			NamespaceId, RoleArn string //nolint:revive // the file's own spelling
		}
		if !r.decode(path, by, &target) {
			return
		}
		r.ignoredRole(path.Key("RoleArn"), target.RoleArn)
		if target.NamespaceId == "" {
			n.Lookup = true
			break
		}
		n.Existing = r.awsID(path.Key("NamespaceId"), target.NamespaceId, "ns-")
	default:
		r.decode(path, by, &n.Lookup)
	}
	if (n.Lookup || n.Existing != "") && r.model.Network.New != nil {
		r.Warnf(path, "namespace-vpc", "an existing namespace belongs to another VPC than the new one: "+
			"names of it resolve there only")
	}
}

// udpNames tells the names of UDP ports: Service Connect, which makes the short
// ones, serves none.
func (r *resolver) udpNames(zone string) {
	for _, f := range r.model.Families {
		for _, record := range f.Records {
			if record.Namespace == DefaultNamespace {
				r.Notef(servicePath(f.container(record.Container).Service), "udp-name",
					"others find UDP port %d of %q as %q; the short name is for TCP only", record.Port, record.Name, record.Name+"."+zone)
			}
		}
	}
}

// discovered reports whether anything needs the project's own namespace: a port
// that Service Connect can serve, or a record in it.
func (r *resolver) discovered() bool {
	for _, f := range r.model.Families {
		for _, c := range f.Containers {
			if len(c.Ports) > 0 {
				return true
			}
		}
		for _, record := range f.Records {
			if record.Namespace == DefaultNamespace {
				return true
			}
		}
	}
	return false
}
