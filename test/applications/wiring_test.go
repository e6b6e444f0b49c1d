//go:build !race

package applications

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"composecdk/test/fixture"
)

// ofEveryService are the types that every service has, whatever it is joined with; the
// golden cases whose templates are whole show them.
var ofEveryService = []string{"AWS::EC2::SecurityGroup", "AWS::ECS::Service", "AWS::IAM::Role", "AWS::Logs::LogGroup"}

// wiring returns what joins the services of an application with all else, as YAML by
// logical ids: the variables and secrets of containers, the statements of policies, and
// every resource that not every service has. Of intrinsic functions it has the short
// forms: ${Queue.Arn}, and ${Data/Queue.Arn} for what another stack has.
func wiring(t *testing.T, app application) string {
	t.Helper()
	w := wires{outputs: map[string]map[string]any{}}
	for stack, tm := range app.templates {
		var parsed struct{ Outputs map[string]any }
		if err := json.Unmarshal([]byte(tm.Text), &parsed); err != nil {
			t.Fatal(err)
		}
		w.outputs[app.model.Name+"-"+stack] = parsed.Outputs
	}
	found := map[string]any{}
	for id, r := range app.templates["Services"].Resources {
		kind := at(r, "Type").(string)
		properties, _ := at(r, "Properties").(map[string]any)
		switch {
		case slices.Contains(ofEveryService, kind):
		case kind == "AWS::ECS::TaskDefinition":
			if containers := w.containers(properties); len(containers) > 0 {
				found[id] = map[string]any{"Type": kind, "Containers": containers}
			}
		case kind == "AWS::IAM::Policy":
			found[id] = map[string]any{"Type": kind, "Statements": w.short(at(properties, "PolicyDocument", "Statement"))}
		default:
			found[id] = map[string]any{"Type": kind, "Properties": w.short(properties)}
		}
	}
	return fixture.YAML(t, found)
}

// wires shortens values; outputs are those of all stacks, by their names.
type wires struct{ outputs map[string]map[string]any }

// containers returns the command, variables and secrets of containers that have any.
func (w wires) containers(properties map[string]any) map[string]any {
	found := map[string]any{}
	for _, c := range list(properties["ContainerDefinitions"]) {
		container := map[string]any{}
		if command := at(c, "Command"); command != nil {
			container["Command"] = w.short(command)
		}
		for key, value := range map[string]string{"Environment": "Value", "Secrets": "ValueFrom"} {
			variables := map[string]any{}
			for _, v := range list(at(c, key)) {
				variables[at(v, "Name").(string)] = w.short(at(v, value))
			}
			if len(variables) > 0 {
				container[key] = variables
			}
		}
		if len(container) > 0 {
			found[at(c, "Name").(string)] = container
		}
	}
	return found
}

// short replaces the intrinsic functions in a value, as far as they are texts.
func (w wires) short(v any) any {
	switch v := v.(type) {
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = w.short(v[i])
		}
		return items
	case map[string]any:
		if text, ok := w.function(v); ok {
			return text
		}
		object := map[string]any{}
		for key, value := range v {
			object[key] = w.short(value)
		}
		return object
	default:
		return v
	}
}

func (w wires) function(v map[string]any) (string, bool) {
	if len(v) != 1 {
		return "", false
	}
	switch name := slices.Collect(maps.Keys(v))[0]; name {
	case "Ref":
		return "${" + v[name].(string) + "}", true
	case "Fn::GetAtt":
		return "${" + at(v, name, 0).(string) + "." + at(v, name, 1).(string) + "}", true
	case "Fn::GetStackOutput":
		stack, _ := at(v, name, "StackName").(string)
		output, _ := at(v, name, "OutputName").(string)
		value, ok := w.short(at(w.outputs[stack][output], "Value")).(string)
		_, id, _ := strings.Cut(stack, "-")
		return strings.Replace(value, "${", "${"+id[strings.LastIndex(id, "-")+1:]+"/", 1), ok
	case "Fn::Join":
		var parts []string
		for _, part := range list(at(v, name, 1)) {
			text, ok := w.short(part).(string)
			if !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, at(v, name, 0).(string)), true
	default:
		return "", false
	}
}
