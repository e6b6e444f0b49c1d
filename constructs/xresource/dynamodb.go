package xresource

import (
	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// table is a DynamoDB table.
type table struct{ *defined }

func newTable(scope constructs.Construct, props *Props) (Resource, error) {
	resource, err := props.define(scope)
	if err != nil {
		return nil, err
	}
	t := &table{defined: resource}
	if scaling, ok := props.Model.Sections["Scaling"].(*kinds.TableScaling); ok {
		t.scale(scope, scaling, kinds.IndexNames(props.Model))
	}
	return t, nil
}

// importTable needs a look-up only where the file gives tags.
func importTable(scope constructs.Construct, props *Props) (Resource, error) {
	target := props.Model.Lookup[""]
	name := target.Identifier + target.Name
	if target.Arn != "" {
		name = kinds.TableName(target.Arn)
	}
	if name == "" {
		found, err := props.find(scope, target, "Arn", "TableName")
		if err != nil {
			return nil, err
		}
		return found, nil
	}
	arn := cfn.Literal(target.Arn)
	if target.Arn == "" {
		arn = cfn.Arn(cfn.Literal("dynamodb"), cfn.Literal("table/"+name))
	}
	return &imported{arn: "Arn", values: map[string]cfn.Value{"TableName": cfn.Literal(name), "Arn": arn}}, nil
}

var _ Encrypted = (*table)(nil)
