package compose

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// stage is when something is made. Whatever names something is made after it.
type stage int

const (
	networkStage stage = iota
	dataStage
	balancerStage
	familyStage
	serviceStage // resources on Services, and what services get of resources
)

// reference is a place of the files that names something of the model.
type reference struct {
	path Path
	ref  Ref
}

// refer records the references in a text of the files, and checks its pseudo
// parameters. The references are checked when everything that can be named is read.
func (r *resolver) refer(path Path, text string) {
	parsed := ParseText(text)
	if len(parsed) == 1 && parsed[0].Pseudo == "AWS::NoValue" {
		return // which leaves the property out
	}
	for _, part := range parsed {
		switch {
		case part.Ref != nil:
			r.model.references = append(r.model.references, reference{path, *part.Ref})
		case part.Pseudo != "" && !slices.Contains(PseudoParameters, part.Pseudo):
			r.Unknown(path, "pseudo-parameter", "a pseudo parameter", part.Pseudo, PseudoParameters)
		}
	}
}

// referTo records a reference that must be to a resource of one type, which what says
// in words.
func (r *resolver) referTo(path Path, ref Ref, cfnType, what string) {
	r.model.references = append(r.model.references, reference{path, ref})
	if res, ok := r.model.Resource(ref); ok && res.Schema.Type != cfnType {
		r.Errorf(path, "reference-kind", "%s is not %s", res.Path, what)
	}
}

// referAll records the references in every text of a value.
func (r *resolver) referAll(path Path, value any) {
	if value != nil {
		visitTexts(path, reflect.ValueOf(value), r.refer)
	}
}

// referTexts records the references in the services' own texts.
func (r *resolver) referTexts() {
	for _, f := range r.model.Families {
		for _, c := range f.Containers {
			r.refer(c.Path.Key("image"), c.Image.Reference)
			for _, v := range c.Environment {
				r.refer(v.Path, v.Value.String())
			}
			for i, item := range c.Command {
				r.refer(c.Path.Key("command").Index(i), item.String())
			}
			for i, item := range c.EntryPoint {
				r.refer(c.Path.Key("entrypoint").Index(i), item.String())
			}
		}
	}
}

// checkReferences reports references to nothing, to a value that there is not, and to
// something that is made later than what names it.
func (r *resolver) checkReferences() {
	for _, named := range r.model.references {
		node, ok := r.model.Node(named.ref)
		if !ok {
			r.unknownNode(named)
			continue
		}
		r.checkNodeValue(named, node)
		if at := r.stageOf(named.path); node.stage > at || node.stage == at && at != dataStage && at != serviceStage {
			r.Errorf(named.path, "reference-later", "%s cannot be named here: it is made %s", named.ref, made[node.stage])
		}
	}
	r.checkReferenceCycles()
	r.checkUnread()
}

// made says when something is made, for messages.
var made = map[stage]string{
	networkStage:  "with the network",
	dataStage:     "with the data, after the network",
	balancerStage: "with the services, after all data",
	familyStage:   "with the services, at the same time or later; a service is reached by its name",
	serviceStage:  "after the services, which can use it through Services of the resource only",
}

// stageOf returns when the owner of a path is made.
func (r *resolver) stageOf(path Path) stage {
	keys := strings.SplitN(string(path), ".", 4)
	section := keys[0]
	for _, s := range r.schemas {
		if s.Key != section {
			continue
		}
		if s.Layer == Services || len(keys) > 2 && keys[2] == "Services" {
			return serviceStage
		}
		return dataStage
	}
	switch section {
	case keyElbv2:
		return balancerStage
	case "services":
		return familyStage
	case "volumes", "secrets":
		return dataStage
	default:
		return networkStage
	}
}

func (r *resolver) unknownNode(named reference) {
	path, ref := named.path, named.ref
	switch {
	case ref.Key == keyElbv2:
		var names []string
		for _, lb := range r.model.LoadBalancers {
			if lb.Key == keyElbv2 {
				names = append(names, lb.Name)
			}
		}
		r.Unknown(path, "reference-unknown", "a load balancer of x-elbv2", ref.Name, names)
	case ref.Key == servicesSection:
		r.unknownTarget(path, "reference-unknown", ref.Name)
	case slices.Contains(r.schemaKeys(), ref.Key):
		r.Unknown(path, "reference-unknown", "a resource of "+ref.Key, ref.Name, r.resourceNames(ref.Key))
	case slices.Contains(unsupportedSections, ref.Key):
		r.Errorf(path, "unsupported-"+ref.Key, "section %s is not supported yet", ref.Key)
	default:
		r.Unknown(path, "reference-unknown", "a section of x-resources", ref.Key, slices.Concat(r.schemaKeys(), []string{keyElbv2, clusterSectionKey, vpcSectionKey}))
	}
}

// checkNodeValue reports a value that the named one does not have, or a name alone
// where that means nothing.
func (r *resolver) checkNodeValue(named reference, node Node) {
	value := named.ref.Value()
	if value == "" {
		if node.Bare == "" {
			r.Add(Error, named.path, "reference-bare", "one of: "+strings.Join(node.Values, ", "),
				fmt.Sprintf("%s alone means nothing: name one of its values", named.ref))
		}
		return
	}
	if res, ok := r.model.Resource(named.ref); ok {
		r.checkReturnValue(named.path, res, value)
		return
	}
	if !slices.Contains(node.Values, value) {
		r.Unknown(named.path, "return-value-unknown", "a value of "+string(node.Path), value, node.Values)
	}
}

// checkReturnValue reports whether a resource has a value, and tells of a name that it does not have.
func (r *resolver) checkReturnValue(path Path, res *Resource, name string) bool {
	values := res.Values()
	switch {
	case slices.Contains(values, name):
		return true
	case slices.Contains(res.Schema.values(), name):
		r.Add(Error, path, "return-value-unknown", "one of: "+strings.Join(values, ", "),
			fmt.Sprintf("%s has no %s, as it is defined", res.Path, name))
	default:
		r.Unknown(path, "return-value-unknown", "a return value of "+res.Key, name, values)
	}
	return false
}

// References returns the resources that an element of the model names, each once, in
// the order of the model: "x-acm.cert" or "volumes.data". The Services of a resource
// name nothing that the resource itself needs.
func (m *Model) References(owner Path) []*Resource {
	found := map[*Resource]bool{}
	for _, named := range m.references {
		rest, below := strings.CutPrefix(string(named.path), string(owner)+".")
		if !below || strings.HasPrefix(rest, "Services.") {
			continue
		}
		if other, ok := m.Resource(named.ref); ok {
			found[other] = true
		}
	}
	var others []*Resource
	for _, other := range m.Resources {
		if found[other] {
			others = append(others, other)
		}
	}
	return others
}

// CreationOrder lists the resources so that each comes after those it refers
// to, otherwise in the order of the model. Resources of a reference cycle, which
// Resolve reports, are left out.
func (m *Model) CreationOrder() []*Resource {
	named := map[*Resource][]*Resource{}
	for _, res := range m.Resources {
		named[res] = m.References(res.Path)
	}
	var order []*Resource
	placed := map[*Resource]bool{}
	for progress := true; progress; {
		progress = false
		for _, res := range m.Resources {
			ready := !slices.ContainsFunc(named[res], func(other *Resource) bool { return !placed[other] })
			if !placed[res] && ready {
				placed[res], progress = true, true
				order = append(order, res)
			}
		}
	}
	return order
}

// checkReferenceCycles reports the resources that CreationOrder cannot place because
// they are part of a cycle themselves.
func (r *resolver) checkReferenceCycles() {
	order := r.model.CreationOrder()
	for _, res := range r.model.Resources {
		if !slices.Contains(order, res) && r.reaches(res, res, map[*Resource]bool{}) {
			r.Errorf(res.Path, "reference-cycle", "%s refers to itself, directly or through other resources", res.Path)
		}
	}
}

func (r *resolver) reaches(from, to *Resource, seen map[*Resource]bool) bool {
	for _, next := range r.model.References(from.Path) {
		if next == to {
			return true
		}
		if !seen[next] {
			seen[next] = true
			if r.reaches(next, to, seen) {
				return true
			}
		}
	}
	return false
}

// checkUnread reports the references that stand where none is read: the text would
// reach AWS as it is written.
func (r *resolver) checkUnread() {
	read, reported := map[Path]bool{}, map[Path]bool{}
	for _, named := range r.model.references {
		read[named.path] = true
	}
	for _, d := range r.Found {
		reported[d.Path] = reported[d.Path] || d.Severity == Error
		read[d.Path] = true // already reported
	}
	visit := func(path Path, text string) {
		if read[path] || !strings.Contains(text, "::") {
			return
		}
		for above := path; above != ""; above = above.Parent() {
			if reported[above] {
				return
			}
		}
		for _, ref := range ParseText(text).Refs() {
			if ref.Key != servicesSection && slices.Contains(r.referable(), ref.Key) {
				r.Errorf(path, "reference-unread", "%s cannot be named here: this takes no reference", ref)
				return
			}
		}
	}
	known := slices.Concat(ownSections, r.schemaKeys())
	for _, key := range slices.Sorted(maps.Keys(r.project.Extensions)) {
		if slices.Contains(known, key) {
			visitTexts(Path(key), reflect.ValueOf(r.project.Extensions[key]), visit)
		}
	}
	visitTexts("services", reflect.ValueOf(r.project.Services), visit)
	visitTexts("volumes", reflect.ValueOf(r.project.Volumes), visit)
	visitTexts("secrets", reflect.ValueOf(r.project.Secrets), visit)
	visitTexts("networks", reflect.ValueOf(r.project.Networks), visit)
}

// referable lists the sections whose entries can be named.
func (r *resolver) referable() []string {
	return slices.Concat(r.schemaKeys(), unsupportedSections, []string{keyElbv2, clusterSectionKey, vpcSectionKey})
}

// visitTexts visits every string below a value of the project with its path.
func visitTexts(path Path, v reflect.Value, visit func(Path, string)) {
	switch v.Kind() {
	case reflect.String:
		visit(path, v.String())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			visitTexts(path, v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visitTexts(path.Index(i), v.Index(i), visit)
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return
		}
		for _, key := range v.MapKeys() {
			visitTexts(path.Key(key.String()), v.MapIndex(key), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			switch {
			case !field.IsExported() || name == "-":
			case strings.Contains(options, "inline"):
				visitTexts(path, v.Field(i), visit)
			case name != "":
				visitTexts(path.Key(name), v.Field(i), visit)
			}
		}
	}
}
