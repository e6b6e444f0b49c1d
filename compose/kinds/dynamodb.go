package kinds

import (
	"slices"
	"strings"

	"composecdk/compose"
)

// DynamoDB is x-dynamodb: Amazon DynamoDB tables.
var DynamoDB = &Kind{
	Schema: compose.Schema{
		Key:      "x-dynamodb",
		Type:     "AWS::DynamoDB::Table",
		Required: []string{"Lookup", "Properties"},
		Sections: map[string]any{"Scaling": TableScaling{}},
		Main:     "TableName",
		Bare:     []string{"Arn"},
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
	Keys: []KeyProperty{{Path: "SSESpecification.KMSMasterKeyId", Via: "dynamodb"}},
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

func tableWithout(r *compose.Resource) []string {
	if r.Mode == compose.Create && r.Properties["StreamSpecification"] != nil {
		return nil
	}
	return []string{"StreamArn"}
}

func checkTable(c *compose.Checker, r *compose.Resource) {
	if r.Mode == compose.Import {
		if arn := r.Lookup[""].Arn; arn != "" && TableName(arn) == "" {
			c.Errorf(r.Lookup[""].Path.Key("Arn"), "lookup-arn", "%q is not the ARN of a table", arn)
		}
		return
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

// TableName returns the name in the ARN of a table, or "" for any other text.
func TableName(arn string) string {
	before, name, _ := strings.Cut(arn, ":table/")
	if !strings.HasPrefix(before, "arn:") || !strings.Contains(before, ":dynamodb:") || strings.Contains(name, "/") {
		return ""
	}
	return name
}
