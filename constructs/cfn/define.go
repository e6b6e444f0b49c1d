package cfn

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cloudformationinclude"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Definition is a resource in CloudFormation's own words.
type Definition struct {
	// Type is the CloudFormation type, "AWS::SQS::Queue".
	Type string
	// Properties may hold intrinsic functions, and a Value anywhere.
	Properties map[string]any
	// Trusted leaves out the check of their types, where none is a user's.
	Trusted bool
	// DeletionPolicy is "Retain", "Snapshot" or "Delete", and holds for a
	// replacement of the resource too; "" leaves both to CloudFormation.
	DeletionPolicy string
}

// included is the name of the resource within its fragment. CDK leaves
// "Resource" out of the readable part of logical ids.
const included = "Resource"

// Define makes the typed L1 construct <id>/Resource of a definition, with every
// property as given, also those that the CDK does not know: its validation
// reports them after the synthesis. Unlike a generic CfnResource the construct
// takes part in tags, grants and checks.
func Define(scope constructs.Construct, id string, d Definition) (awscdk.CfnResource, error) {
	values := map[string]any{}
	resource := map[string]any{"Type": d.Type, "Properties": substitute(d.Properties, values)}
	if d.DeletionPolicy != "" {
		resource["DeletionPolicy"], resource["UpdateReplacePolicy"] = d.DeletionPolicy, d.DeletionPolicy
	}
	parameters := map[string]any{}
	for name := range values {
		parameters[name] = map[string]any{"Type": "String"}
	}
	fragment, err := writeFragment(map[string]any{
		"Parameters": parameters,
		"Resources":  map[string]any{included: resource},
	})
	if err != nil {
		return nil, err
	}
	defer os.Remove(fragment) //nolint:errcheck // a left-over temporary file harms nobody
	defined := cloudformationinclude.NewCfnInclude(scope, &id, &cloudformationinclude.CfnIncludeProps{
		TemplateFile:       &fragment,
		Parameters:         &values,
		PreserveLogicalIds: jsii.Bool(false),
	}).GetResource(jsii.String(included))
	if d.Trusted {
		return defined, nil
	}
	// The types of the properties are checked when they are rendered; here the
	// error still belongs to this resource. As in a synthesis that is done with the
	// resolved ones: a token for a number may still be a text before.
	if resolved, ok := awscdk.Stack_Of(scope).Resolve(defined.CfnProperties()).(map[string]any); ok {
		defined.RenderProperties(&resolved)
	}
	return defined, nil
}

// substitute puts a reference to a parameter of the fragment where a Value
// stands, and collects the values by parameter.
func substitute(in any, values map[string]any) any {
	switch v := in.(type) {
	case Value:
		name := fmt.Sprintf("Value%d", len(values))
		values[name] = v.Token()
		return map[string]any{"Ref": name}
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out[key] = substitute(v[key], values)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = substitute(item, values)
		}
		return out
	default:
		return in
	}
}

func writeFragment(template any) (name string, err error) {
	file, err := os.CreateTemp("", "composecdk-*.template.json")
	if err != nil {
		return "", fmt.Errorf("write a template fragment: %w", err)
	}
	err = json.NewEncoder(file).Encode(template)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", fmt.Errorf("write a template fragment: %w", err)
	}
	return file.Name(), nil
}

// WithDefaults merges defaults under what the user gave: the user's keys win, and
// mappings are merged key by key unless one of them is an intrinsic function.
func WithDefaults(user, defaults map[string]any) map[string]any {
	merged := maps.Clone(defaults)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, value := range user {
		mine, ok := value.(map[string]any)
		theirs, both := merged[key].(map[string]any)
		if ok && both && !isIntrinsic(mine) && !isIntrinsic(theirs) {
			merged[key] = WithDefaults(mine, theirs)
		} else {
			merged[key] = value
		}
	}
	return merged
}

func isIntrinsic(m map[string]any) bool {
	if len(m) != 1 {
		return false
	}
	for key := range m {
		return key == "Ref" || len(key) > 4 && key[:4] == "Fn::"
	}
	return false
}
