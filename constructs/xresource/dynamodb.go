package xresource

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

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
	Unless:     map[string]string{"BillingMode": "ProvisionedThroughput"},
	Disposable: map[string]any{"DeletionProtectionEnabled": false},
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
		keys = append(keys, "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
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

// tableScaling is the section Scaling: the capacity of a table and its indexes
// follows their use.
type tableScaling struct {
	Table capacityScaling
	// Indexes is by index name; CopyToIndexes gives all of them Table's.
	Indexes       map[string]capacityScaling
	CopyToIndexes bool
}

type capacityScaling struct{ ReadCapacityUnits, WriteCapacityUnits *capacityRange }

// capacityRange is in capacity units; TargetValue is the used percentage, 70 by
// default, and the cooldowns are seconds.
type capacityRange struct {
	MinCapacity, MaxCapacity          int
	TargetValue                       float64
	ScaleInCooldown, ScaleOutCooldown int
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

func checkScaling(c *compose.Checker, r *compose.Resource) {
	scaling, ok := r.Sections["Scaling"].(*tableScaling)
	if !ok {
		return
	}
	path := r.Path.Key("Scaling")
	if r.Properties["ProvisionedThroughput"] == nil {
		c.Errorf(path, "scaling-on-demand", "capacity cannot scale on a table without ProvisionedThroughput")
	}
	checkCapacity(c, path.Key("Table"), scaling.Table)
	indexes := indexNames(r)
	for _, name := range slices.Sorted(maps.Keys(scaling.Indexes)) {
		at := path.Key("Indexes").Key(name)
		if !slices.Contains(indexes, name) {
			c.Unknown(at, "index-unknown", "a global secondary index of "+r.Name, name, indexes)
		}
		checkCapacity(c, at, scaling.Indexes[name])
	}
}

func checkCapacity(c *compose.Checker, path compose.Path, s capacityScaling) {
	for _, part := range []struct {
		name string
		at   *capacityRange
	}{{"ReadCapacityUnits", s.ReadCapacityUnits}, {"WriteCapacityUnits", s.WriteCapacityUnits}} {
		if part.at != nil && (part.at.MinCapacity < 1 || part.at.MaxCapacity < part.at.MinCapacity) {
			c.Errorf(path.Key(part.name), "scaling-range", "needs 1 <= MinCapacity <= MaxCapacity, found %d and %d", part.at.MinCapacity, part.at.MaxCapacity)
		}
	}
}

func indexNames(r *compose.Resource) []string {
	var names []string
	indexes, _ := r.Properties["GlobalSecondaryIndexes"].([]any)
	for _, index := range indexes {
		fields, _ := index.(map[string]any)
		if name, ok := fields["IndexName"].(string); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
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

func (t *table) scale(scope constructs.Construct, s *tableScaling, indexes []string) {
	name := t.attribute(Ref)
	t.scaleCapacity(scope, "Table", cfn.Join(cfn.Literal("table/"), name), "table", s.Table)
	for _, index := range indexes {
		capacity, own := s.Indexes[index]
		if !own && s.CopyToIndexes {
			capacity = s.Table
		}
		t.scaleCapacity(scope, "Index "+index,
			cfn.Join(cfn.Literal("table/"), name, cfn.Literal("/index/"+index)), "index", capacity)
	}
}

// scaleCapacity makes the target and the policy for reading and for writing.
// Without a role, Application Auto Scaling uses its service-linked one.
func (t *table) scaleCapacity(scope constructs.Construct, id string, resource cfn.Value, dimension string, s capacityScaling) {
	for _, part := range []struct {
		name string
		at   *capacityRange
	}{{"Read", s.ReadCapacityUnits}, {"Write", s.WriteCapacityUnits}} {
		if part.at == nil {
			continue
		}
		target := awsapplicationautoscaling.NewCfnScalableTarget(scope, jsii.String(fmt.Sprintf("%s %s Scaling", id, part.name)),
			&awsapplicationautoscaling.CfnScalableTargetProps{
				ServiceNamespace:  jsii.String("dynamodb"),
				ResourceId:        resource.Token(),
				ScalableDimension: jsii.String(fmt.Sprintf("dynamodb:%s:%sCapacityUnits", dimension, part.name)),
				MinCapacity:       jsii.Number(part.at.MinCapacity),
				MaxCapacity:       jsii.Number(part.at.MaxCapacity),
			})
		tracking := &awsapplicationautoscaling.CfnScalingPolicy_TargetTrackingScalingPolicyConfigurationProperty{
			TargetValue: jsii.Number(part.at.TargetValue),
			PredefinedMetricSpecification: &awsapplicationautoscaling.CfnScalingPolicy_PredefinedMetricSpecificationProperty{
				PredefinedMetricType: jsii.String(fmt.Sprintf("DynamoDB%sCapacityUtilization", part.name)),
			},
		}
		if part.at.TargetValue == 0 {
			tracking.TargetValue = jsii.Number(70)
		}
		if part.at.ScaleInCooldown > 0 {
			tracking.ScaleInCooldown = jsii.Number(part.at.ScaleInCooldown)
		}
		if part.at.ScaleOutCooldown > 0 {
			tracking.ScaleOutCooldown = jsii.Number(part.at.ScaleOutCooldown)
		}
		awsapplicationautoscaling.NewCfnScalingPolicy(scope, jsii.String(fmt.Sprintf("%s %s Policy", id, part.name)),
			&awsapplicationautoscaling.CfnScalingPolicyProps{
				PolicyName:                               jsii.String(fmt.Sprintf("%s%sUtilization", strings.ReplaceAll(id, " ", "-"), part.name)),
				PolicyType:                               jsii.String("TargetTrackingScaling"),
				ScalingTargetId:                          target.Ref(),
				TargetTrackingScalingPolicyConfiguration: tracking,
			})
	}
}

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
