//go:build !race

package applications

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"composecdk/compose"
	"composecdk/test/fixture"
)

// wanted is a construct that the model asks for: some resource of a type, or of any where
// it is "", must come from a construct below the path.
type wanted struct {
	about compose.Path
	path  string
	kind  string
}

// wantedOf lists what a model asks for, but for what exists already.
func wantedOf(m *compose.Model) []wanted {
	var all []wanted
	for _, r := range m.Resources {
		if r.Mode == compose.Create {
			all = append(all, wanted{r.Path, r.Key + "/" + r.Name + "/Definition", ""})
		}
	}
	for _, s := range m.Secrets {
		if s.Create {
			all = append(all, wanted{s.Path, "secrets/" + s.Name, "AWS::SecretsManager::Secret"})
		}
	}
	for _, v := range m.Volumes {
		all = append(all, wanted{v.Path, "volumes/" + v.Name, "AWS::EFS::AccessPoint"})
		if v.External == "" {
			all = append(all, wanted{v.Path, "volumes/" + v.Name, "AWS::EFS::FileSystem"})
		}
	}
	for _, f := range m.Families {
		all = append(all, wanted{f.Path, f.Name, "AWS::ECS::TaskDefinition"})
		if f.Run == compose.RunService {
			all = append(all, wanted{f.Path, f.Name, "AWS::ECS::Service"})
		}
		if f.Scaling != nil {
			all = append(all, wanted{f.Path, f.Name, "AWS::ApplicationAutoScaling::ScalableTarget"})
		}
	}
	for _, lb := range m.LoadBalancers {
		path := lb.Key + "/" + lb.Name
		if lb.Lookup == nil {
			all = append(all, wanted{lb.Path, path, "AWS::ElasticLoadBalancingV2::LoadBalancer"})
		}
		for _, l := range lb.Listeners {
			all = append(all, wanted{l.Path, fmt.Sprintf("%s/listener-%d", path, l.Port), "AWS::ElasticLoadBalancingV2::Listener"})
		}
		for _, alias := range lb.Aliases {
			all = append(all, wanted{alias.Path, path + "/alias " + alias.Names[0] + " A", "AWS::Route53::RecordSet"})
		}
		for _, g := range lb.TargetGroups {
			all = append(all, wanted{lb.Path, path + "/" + g.Name, "AWS::ElasticLoadBalancingV2::TargetGroup"})
		}
	}
	for _, b := range m.Bindings {
		if b.Scaling != nil {
			all = append(all, wanted{b.Path, b.Family.Name, "AWS::CloudWatch::Alarm"})
		}
	}
	return all
}

// missing lists what the model of an application asks for and no template has, unless a
// diagnostic speaks of it. It compares construct paths, not counts.
func missing(t *testing.T, app application) []wanted {
	t.Helper()
	paths := constructPaths(t, app.dir)
	made := map[string][]string{} // construct paths by type, "" for all
	for stack, tm := range app.templates {
		for id, r := range tm.Resources {
			kind := at(r, "Type").(string)
			path := paths[stack+"/"+id[max(len(id)-8, 0):]] + "/"
			made[kind], made[""] = append(made[kind], path), append(made[""], path)
		}
	}
	return slices.DeleteFunc(wantedOf(app.model), func(w wanted) bool {
		return slices.ContainsFunc(made[w.kind], func(path string) bool { return strings.HasPrefix(path, w.path+"/") }) ||
			slices.ContainsFunc(app.found, func(d compose.Diagnostic) bool { return d.Path == w.about })
	})
}

// nothingIsMissing fails for whatever is missing in silence.
func nothingIsMissing(t *testing.T, app application) {
	for _, w := range missing(t, app) {
		t.Errorf("%s: no %s is made below %s, and no diagnostic says so", w.about, w.kind, w.path)
	}
}

// TestMissingIsFound takes each element in turn out of the templates: it must be missed.
func TestMissingIsFound(t *testing.T) {
	tried := 0
	for _, c := range goldenCases(t) {
		app := c.synthesised(t)
		paths := constructPaths(t, app.dir)
		for _, w := range wantedOf(app.model) {
			tried++
			without := app
			without.found, without.templates = nil, maps.Clone(app.templates)
			for stack, tm := range app.templates {
				tm.Resources = maps.Clone(tm.Resources)
				maps.DeleteFunc(tm.Resources, func(id string, r any) bool {
					path := paths[stack+"/"+id[max(len(id)-8, 0):]] + "/"
					return strings.HasPrefix(path, w.path+"/") && (w.kind == "" || at(r, "Type") == w.kind)
				})
				without.templates[stack] = tm
			}
			if !slices.Contains(missing(t, without), w) {
				t.Errorf("%s: %s: that no %s is made is not found", c.name, w.about, w.kind)
			}
		}
	}
	if tried < 50 && fixture.Kind() == "" {
		t.Errorf("only %d elements are wanted", tried)
	}
}
