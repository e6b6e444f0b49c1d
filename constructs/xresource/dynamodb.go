package xresource

import (
	"slices"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// DynamoDB is x-dynamodb: Amazon DynamoDB tables.
var DynamoDB = &Kind{
	Schema: compose.Schema{
		Key:      "x-dynamodb",
		Type:     "AWS::DynamoDB::Table",
		Required: []string{"Lookup", "Properties"},
		Sections: map[string]any{"Scaling": tableScaling{}},
		Main:     "TableName",
		Without:  tableWithout,
		Check:    checkTable,
	},
	Values:    map[string]string{"TableName": Ref, "Arn": "Arn", "StreamArn": "StreamArn"},
	Retention: "Retain",
	Defaults: map[string]any{
		"BillingMode":                      "PAY_PER_REQUEST",
		"DeletionProtectionEnabled":        true,
		"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true},
	},
	Unless:    map[string]string{"BillingMode": "ProvisionedThroughput"},
	Ephemeral: map[string]any{"DeletionProtectionEnabled": false},
	Profiles: map[string]map[string]Profile{"": {
		"RW":                       tableProfile(append(tableRead(), tableWrite()...), tableStream()),
		"RO":                       tableProfile(tableRead(), nil),
		"PowerUser":                tableProfile(slices.Concat(tableRead(), tableWrite(), tablePower()), tableStream()),
		"KinesisKCL":               tableProfile([]string{"dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:UpdateItem"}, nil),
		"DynamoDBCrudPolicy":       tableProfile(append(tableRead(), tableWrite()...), nil),
		"DynamoDBReadPolicy":       tableProfile(tableRead(), nil),
		"DynamoDBWritePolicy":      tableProfile(tableWrite(), nil),
		"DynamoDBStreamReadPolicy": tableProfile(nil, tableStream()),
	}},
	New:    newTable,
	Import: importTable,
}

func tableRead() []string {
	return []string{
		"dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DescribeTable",
		"dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan",
	}
}

func tableWrite() []string {
	return []string{
		"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable",
		"dynamodb:PutItem", "dynamodb:UpdateItem",
	}
}

func tablePower() []string {
	return []string{
		"dynamodb:CreateBackup", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTimeToLive",
		"dynamodb:ListTagsOfResource", "dynamodb:PartiQLDelete", "dynamodb:PartiQLInsert",
		"dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate", "dynamodb:TagResource",
		"dynamodb:UntagResource", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive",
	}
}

func tableStream() []string {
	return []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
}

// tableProfile allows actions on a table and its indexes, and on its streams.
func tableProfile(table, stream []string) Profile {
	keys := []string{"kms:Decrypt", "kms:DescribeKey"}
	if slices.Contains(table, "dynamodb:PutItem") {
		// AWS writes the last two pairs with a *: these are the ones for symmetric keys.
		keys = append(keys, "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo")
	}
	var profile Profile
	if len(table) > 0 {
		slices.Sort(table)
		profile = append(profile, Statement{
			Actions: slices.Compact(table), Resources: []string{"${ARN}", "${ARN}/index/*"}, KeyActions: keys,
		})
	}
	if len(stream) > 0 {
		profile = append(profile, Statement{Actions: stream, Resources: []string{"${ARN}/stream/*"}, KeyActions: []string{"kms:Decrypt"}})
	}
	return profile
}

// tableWithout: only a new table with a stream has its ARN.
func tableWithout(r *compose.Resource) []string {
	if r.Mode == compose.Create && r.Properties["StreamSpecification"] != nil {
		return nil
	}
	return []string{"StreamArn"}
}

func checkTable(c *compose.Checker, r *compose.Resource) {
	if r.Mode == compose.Import {
		if arn := r.Lookup[""].Arn; arn != "" && tableName(arn) == "" {
			c.Errorf(r.Lookup[""].Path.Key("Arn"), "lookup-arn", "%q is not the ARN of a table", arn)
		}
		return
	}
	if sse, ok := r.Properties["SSESpecification"].(map[string]any); ok {
		checkKey(c, r.Path.Key("Properties").Key("SSESpecification").Key("KMSMasterKeyId"), sse["KMSMasterKeyId"])
	}
	checkBilling(c, r)
	checkScaling(c, r)
}

// checkBilling checks that a table is either on demand or provisioned, as a
// whole: DynamoDB refuses a mixture, which no property alone shows.
func checkBilling(c *compose.Checker, r *compose.Resource) {
	path := r.Path.Key("Properties")
	mode, _ := r.Properties["BillingMode"].(string)
	provisioned := r.Properties["ProvisionedThroughput"] != nil
	switch {
	case mode == "PAY_PER_REQUEST" && provisioned:
		c.Errorf(path.Key("ProvisionedThroughput"), "billing-mode", "a table with BillingMode PAY_PER_REQUEST has no ProvisionedThroughput")
	case mode == "PROVISIONED" && !provisioned:
		c.Errorf(path.Key("BillingMode"), "billing-mode", "a table with BillingMode PROVISIONED needs ProvisionedThroughput")
	}
	indexes, _ := r.Properties["GlobalSecondaryIndexes"].([]any)
	for i, index := range indexes {
		fields, _ := index.(map[string]any)
		at := path.Key("GlobalSecondaryIndexes").Index(i)
		switch has := fields["ProvisionedThroughput"] != nil; {
		case has && !provisioned:
			c.Errorf(at.Key("ProvisionedThroughput"), "billing-mode", "an index has a ProvisionedThroughput only where the table has one")
		case !has && provisioned && fields["IndexName"] != nil:
			c.Errorf(at, "billing-mode", "an index needs a ProvisionedThroughput, as its table has one")
		}
	}
}

// table is a DynamoDB table.
type table struct {
	*defined
	key *Key
}

func newTable(scope constructs.Construct, props *Props) (Resource, error) {
	resource, err := props.define(scope)
	if err != nil {
		return nil, err
	}
	t := &table{defined: resource}
	if sse, ok := props.Model.Properties["SSESpecification"].(map[string]any); ok {
		if t.key, err = props.key(sse["KMSMasterKeyId"], "dynamodb"); err != nil {
			return nil, err
		}
	}
	if scaling, ok := props.Model.Sections["Scaling"].(*tableScaling); ok {
		t.scale(scope, scaling, indexNames(props.Model))
	}
	return t, nil
}

// Key is the account's key that encrypts the table.
func (t *table) Key() *Key { return t.key }

// tableName is the name in the ARN of a table, "" where it is not one.
func tableName(arn string) string {
	before, name, _ := strings.Cut(arn, ":table/")
	if !strings.HasPrefix(before, "arn:") || !strings.Contains(before, ":dynamodb:") || strings.Contains(name, "/") {
		return ""
	}
	return name
}

// importTable needs a look-up only where the file gives tags.
func importTable(scope constructs.Construct, props *Props) (Resource, error) {
	target := props.Model.Lookup[""]
	name := target.Identifier + target.Name
	if target.Arn != "" {
		name = tableName(target.Arn)
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
