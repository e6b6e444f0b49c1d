package network

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// lookUpVPC asks the CDK context for the VPC. Where the answer is not there yet,
// the CDK CLI finds it after this synthesis and starts another one, for which the
// answer is kept in cdk.context.json. Until then our own placeholder stands in:
// the CDK's has malformed ids and none of the file's groups of subnets, so
// that the validation of the templates would end the first synthesis.
func lookUpVPC(this constructs.Construct, v *compose.ExistingVPC, tag string) awsec2.IVpc {
	options := &awsec2.VpcLookupOptions{VpcId: cfn.Optional(v.ID), SubnetGroupNameTag: cfn.Optional(tag)}
	filter := map[string]any{}
	for name, value := range v.Tags {
		filter["tag:"+name] = value
	}
	if len(v.Tags) > 0 {
		options.Tags = stringMap(v.Tags)
	}
	switch {
	case v.ID != "":
		filter["vpc-id"] = v.ID
	case len(v.Tags) == 0:
		options.IsDefault = jsii.Bool(true)
		filter["isDefault"] = "true"
	}
	query := map[string]any{"filter": filter, "returnAsymmetricSubnets": true}
	if tag != "" {
		query["subnetGroupNameTag"] = tag
	}
	provider := jsii.String("vpc-provider")
	key := awscdk.ContextProvider_GetKey(this, &awscdk.GetContextKeyOptions{Provider: provider, Props: &query}).Key
	node := this.Node()
	if node.TryGetContext(key) == nil {
		stand := placeholder(v, tag, *awscdk.Stack_Of(this).Region())
		awscdk.ContextProvider_GetValue(this, &awscdk.GetContextValueOptions{Provider: provider, Props: &query, DummyValue: stand})
		node.SetContext(key, stand)
	}
	return awsec2.Vpc_FromLookup(this, jsii.String("Vpc"), options)
}

// placeholder returns an answer in the form of the CDK's context, with a group of two
// subnets for each one that the file looks up.
func placeholder(v *compose.ExistingVPC, tag, region string) map[string]any {
	id := v.ID
	if id == "" {
		id = "vpc-00000000000000000"
	}
	kinds := map[string]string{"Public": "Public", "Private": "Private", "Isolated": "Isolated"}
	if tag != "" {
		kinds = map[string]string{}
	}
	for _, group := range slices.Sorted(maps.Keys(v.Subnets)) {
		for _, name := range strings.Split(v.Subnets[group].Tags[tag], ",") {
			if name == "" {
				continue
			}
			kinds[name] = "Private"
			switch group {
			case compose.PublicSubnets:
				kinds[name] = "Public"
			case compose.StorageSubnets:
				kinds[name] = "Isolated"
			}
		}
	}
	number := 0
	var groups []any
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		var subnets []any
		for _, zone := range []string{"a", "b"} {
			number++
			subnets = append(subnets, map[string]any{
				"availabilityZone": region + zone,
				"cidr":             fmt.Sprintf("10.0.%d.0/24", number),
				"routeTableId":     fmt.Sprintf("rtb-%017x", number),
				"subnetId":         fmt.Sprintf("subnet-%017x", number),
			})
		}
		groups = append(groups, map[string]any{"name": name, "type": kinds[name], "subnets": subnets})
	}
	return map[string]any{"vpcId": id, "vpcCidrBlock": "10.0.0.0/16", "availabilityZones": []any{}, "subnetGroups": groups}
}
