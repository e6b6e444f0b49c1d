package templatediff

import (
	"encoding/json"
	"fmt"
	"strings"
)

// compareImages returns the containers of a task definition whose image changes.
func compareImages(before, after *Resource) []ImageChange {
	old, new := images(before), images(after)
	var found []ImageChange
	for _, container := range keys(old, new) {
		if old[container] != new[container] {
			found = append(found, ImageChange{container, old[container], new[container]})
		}
	}
	return found
}

// images maps each container of a task definition to its image.
func images(r *Resource) map[string]string {
	if r == nil || r.Type != "AWS::ECS::TaskDefinition" {
		return nil
	}
	found := map[string]string{}
	containers, _ := r.Properties["ContainerDefinitions"].([]any)
	for i, c := range containers {
		fields, _ := c.(map[string]any)
		name, ok := fields["Name"].(string)
		if !ok {
			name = fmt.Sprint(i)
		}
		found[name] = text(fields["Image"])
	}
	return found
}

// text spells a value of a template, as far as it is known before deployment.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if name, ok := v["Ref"].(string); ok {
			return "${" + name + "}"
		}
		if sub, ok := v["Fn::Sub"].(string); ok {
			return sub
		}
		if join, ok := v["Fn::Join"].([]any); ok && len(join) == 2 {
			parts, _ := join[1].([]any)
			var texts []string
			for _, part := range parts {
				texts = append(texts, text(part))
			}
			return strings.Join(texts, text(join[0]))
		}
	}
	encoded, _ := json.Marshal(v) // decoded JSON always encodes
	return string(encoded)
}
