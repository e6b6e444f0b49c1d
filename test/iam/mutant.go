package iam

import (
	"strings"

	"composecdk/test/assembly"
)

// Statement edits the first statement of a policy that names an action of a service.
func Statement(service string, edit func(statement map[string]any)) func(map[string]any) {
	return func(properties map[string]any) {
		for _, s := range assembly.At(properties, "PolicyDocument", "Statement").([]any) {
			if strings.Contains(assembly.Text(assembly.At(s, "Action")), `"`+service+`:`) {
				edit(s.(map[string]any))
				return
			}
		}
	}
}

// Adding adds a statement to a policy.
func Adding(statement map[string]any) func(map[string]any) {
	return func(properties map[string]any) {
		document := properties["PolicyDocument"].(map[string]any)
		document["Statement"] = append(document["Statement"].([]any), statement)
	}
}

// Trusting edits the one statement of a trust policy.
func Trusting(edit func(statement map[string]any)) func(map[string]any) {
	return func(properties map[string]any) {
		edit(assembly.At(properties, "AssumeRolePolicyDocument", "Statement", 0).(map[string]any))
	}
}

// Object is a JSON object.
type Object = map[string]any
