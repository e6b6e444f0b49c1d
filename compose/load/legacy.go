package load

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"composecdk/compose/diag"
)

// Settings are what files of the first releases of ComposeX keep under `configs`
// or `x-configs`, where Compose has configuration files.
type Settings struct {
	// Global holds configs.composex, configs.globals and configs.spot_config as
	// they were written.
	Global map[string]any
	// Services holds configs.<service>, under what the service itself says.
	Services map[string]map[string]any
	// Tracing switches X-Ray for all services; nil when the files do not say.
	Tracing *bool
	// ServiceTracing switches X-Ray for single services.
	ServiceTracing map[string]bool
}

// extracted is a node that was taken out of the trees; the index still knows it.
type extracted struct {
	in         *source
	path       diag.Path
	key, value *yaml.Node
}

var (
	globalSettings = []string{"composex", "globals", "spot_config"}
	// configKeys lists the keys of a Compose config: an entry with one of them is no
	// settings map.
	configKeys = []string{"file", "content", "environment", "external", "name"}
	// replacements show the new spelling of each setting of a service.
	replacements = map[string]string{
		"is_public":    `"Properties: {Scheme: internet-facing}" in a load balancer under x-elbv2`,
		"use_alb":      "an x-elbv2 load balancer of Type application that names the service under Services",
		"use_nlb":      "an x-elbv2 load balancer of Type network that names the service under Services",
		"lb_type":      "an x-elbv2 load balancer that names the service under Services",
		"use_cloudmap": "x-cloudmap at the top level, and x-network.x-cloudmap in the service",
		"healthcheck":  "healthcheck under the service's entry in an x-elbv2 load balancer",
	}
)

// liftSettings takes the settings out of all trees, so that the Compose schema
// does not see them.
func (l *loading) liftSettings() {
	l.settings = Settings{Global: map[string]any{}, Services: map[string]map[string]any{}, ServiceTracing: map[string]bool{}}
	var services []string
	for _, s := range l.main {
		services = append(services, s.serviceNames()...)
	}
	for _, s := range slices.Concat(l.order, l.sources()) {
		for _, doc := range s.docs {
			for _, section := range []string{"configs", "x-configs"} {
				l.liftTop(s, doc, section, services)
			}
		}
	}
	for _, s := range slices.Concat(l.order, l.sources()) {
		for _, doc := range s.docs {
			for k, service := range diag.Entries(diag.Entry(doc, "services")) {
				l.liftService(s, service, k.Value)
			}
		}
	}
}

// sources lists the main files and all they include, in merge order.
func (l *loading) sources() []*source {
	var list []*source
	for _, s := range l.main {
		list = append(list, s.all()...)
	}
	return list
}

// liftTop takes the settings out of a top-level section.
func (l *loading) liftTop(s *source, doc *yaml.Node, section string, services []string) {
	sectionKey, node := diag.EntryNodes(doc, section)
	if node == nil || node.Kind != yaml.MappingNode {
		return
	}
	old := section == "x-configs"
	for k, v := range diag.Entries(node) {
		path := diag.At(section, k.Value)
		switch {
		case v.Kind == yaml.MappingNode && !old && slices.ContainsFunc(configKeys, func(key string) bool { return diag.Entry(v, key) != nil }):
			continue
		case slices.Contains(globalSettings, k.Value):
			l.settings.Global[k.Value] = plain(v)
			l.globalSetting(s, k, v, path)
		case old && strings.HasSuffix(k.Value, "xray"):
			l.tracing(s, k, v, path, "")
		case v.Kind == yaml.MappingNode && (old || slices.Contains(services, k.Value)):
			l.serviceSettings(s, v, path, k.Value)
		case !old:
			continue
		default:
			l.ignored(s, k, path)
		}
		l.lift(s, path, k, v)
		removeEntry(node, k.Value)
	}
	if len(node.Content) == 0 || old {
		removeEntry(doc, section)
		l.lifted = append(l.lifted, extracted{s, diag.Path(section), sectionKey, mapping(node)})
	}
}

// liftService takes the settings out of a service.
func (l *loading) liftService(s *source, service *yaml.Node, name string) {
	for _, section := range []string{"configs", "x-configs"} {
		k, v := diag.EntryNodes(service, section)
		if v == nil || v.Kind != yaml.MappingNode || diag.Entry(v, "source") != nil || diag.Entry(v, "target") != nil {
			continue
		}
		path := diag.At("services", name, section)
		l.serviceSettings(s, v, path, name)
		l.lift(s, path, k, v)
		removeEntry(service, section)
	}
	labels := diag.Entry(service, "labels")
	for k, v := range diag.Entries(labels) {
		if _, known := replacements[k.Value]; !known || (k.Value == "healthcheck" && v.Kind != yaml.MappingNode) {
			continue
		}
		path := diag.At("services", name, "labels", k.Value)
		l.serviceSetting(s, k, v, path, name)
		l.lift(s, path, k, v)
		removeEntry(labels, k.Value)
	}
}

func (l *loading) lift(s *source, path diag.Path, key, value *yaml.Node) {
	l.lifted = append(l.lifted, extracted{s, path, key, value})
}

// globalSetting reports the settings of all services, of which only tracing and
// the network's have a counterpart.
func (l *loading) globalSetting(s *source, key, value *yaml.Node, path diag.Path) {
	if value.Kind != yaml.MappingNode {
		l.ignored(s, key, path)
		return
	}
	for k, v := range diag.Entries(value) {
		at := path.Key(k.Value)
		switch {
		case isTracing(k.Value):
			l.tracing(s, k, v, at, "")
		case k.Value == "network":
			l.globalSetting(s, k, v, at)
		case replacements[k.Value] != "":
			l.oldSpelling(s, k, at, replacements[k.Value])
		case k.Value == "spot_config" && v.Kind == yaml.MappingNode:
			l.globalSetting(s, k, v, at)
		default:
			l.ignored(s, k, at)
		}
	}
}

func (l *loading) serviceSettings(s *source, settings *yaml.Node, path diag.Path, service string) {
	for k, v := range diag.Entries(settings) {
		at := path.Key(k.Value)
		if k.Value == "network" && v.Kind == yaml.MappingNode {
			l.serviceSettings(s, v, at, service)
			continue
		}
		l.serviceSetting(s, k, v, at, service)
	}
}

func (l *loading) serviceSetting(s *source, key, value *yaml.Node, path diag.Path, service string) {
	if isTracing(key.Value) {
		l.tracing(s, key, value, path, service)
		return
	}
	if l.settings.Services[service] == nil {
		l.settings.Services[service] = map[string]any{}
	}
	l.settings.Services[service][key.Value] = plain(value)
	if replacement := replacements[key.Value]; replacement != "" {
		if plain(value) == false {
			l.warnAt(s.pos(key), path, "old-spelling", "leave it out", "%s is an old spelling", key.Value)
			return
		}
		l.oldSpelling(s, key, path, replacement)
		return
	}
	l.ignored(s, key, path)
}

func isTracing(key string) bool { return slices.Contains([]string{"x-ray", "xray", "use_xray"}, key) }

// tracing reads `x-ray: {enabled: true}` or `use_xray: true`; no service means
// all of them.
func (l *loading) tracing(s *source, key, value *yaml.Node, path diag.Path, service string) {
	if n := diag.Entry(value, "enabled"); n != nil {
		value = n
	}
	on, ok := map[string]bool{
		"true": true, "yes": true, "on": true, "false": false, "no": false, "off": false,
	}[strings.ToLower(value.Value)]
	if !ok {
		l.errorAt(s.pos(value), path, "type", "", "X-Ray is switched by true or false, not %s", describeNode(value))
		return
	}
	state := map[bool]string{true: "true", false: "false"}[on]
	if service == "" {
		l.settings.Tracing = &on
		l.oldSpelling(s, key, path, "x-xray: "+state+" in each service")
		return
	}
	l.settings.ServiceTracing[service] = on
	l.oldSpelling(s, key, path, "services."+service+".x-xray: "+state)
}

func (l *loading) oldSpelling(s *source, key *yaml.Node, path diag.Path, current string) {
	l.warnAt(s.pos(key), path, "old-spelling", "write "+current, "%s is an old spelling", key.Value)
}

func (l *loading) ignored(s *source, key *yaml.Node, path diag.Path) {
	hint := ""
	if key.Value == "iam" {
		hint = "write x-iam in the service"
	}
	l.warnAt(s.pos(key), path, "setting-ignored", hint, "%s is a setting of the first releases of ComposeX without a counterpart here", key.Value)
}

// plain returns the Go value of a tree: map[string]any, []any or a scalar.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for k, v := range diag.Entries(n) {
			if v.Tag != "!reset" {
				m[k.Value] = plain(v)
			}
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			if item.Tag != "!reset" {
				list = append(list, plain(item))
			}
		}
		return list
	}
	var v any
	scalar := yaml.Node{Kind: yaml.ScalarNode, Tag: n.Tag, Value: n.Value, Style: n.Style}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		scalar.Tag = ""
	}
	if err := scalar.Decode(&v); err != nil {
		return n.Value
	}
	return v
}
