package xresource

import (
	"cmp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// zone is a hosted zone that is made here.
type zone struct {
	*defined
	name    string
	servers cfn.Value
}

// newZone makes a hosted zone, and tells the name servers of a public one in an output:
// somebody must delegate the domain to them.
func newZone(scope constructs.Construct, props *Props) (Resource, error) {
	z := &zone{name: kinds.ZoneName(props.Model)}
	resource, err := props.defineWith(scope, map[string]any{"Name": z.name})
	if err != nil {
		return nil, err
	}
	z.defined = resource
	if kinds.PrivateZone(props.Model) {
		return z, nil
	}
	servers := resource.cfn.GetAtt(jsii.String("NameServers"), awscdk.ResolutionTypeHint_STRING_LIST)
	z.servers = cfn.FromToken(awscdk.Fn_Join(jsii.String(","), awscdk.Token_AsList(servers, nil)))
	awscdk.NewCfnOutput(awscdk.Stack_Of(scope), jsii.String("NameServers "+props.Model.Name), &awscdk.CfnOutputProps{
		Description: jsii.String("delegate " + z.name + " to these name servers"), Value: z.servers.Token(),
	})
	return z, nil
}

// Value returns a return value by its name.
func (z *zone) Value(name string) (cfn.Value, bool) {
	switch name {
	case "ZoneName":
		return cfn.Literal(z.name), true
	case "NameServers":
		return z.servers, z.servers != cfn.Value{}
	default:
		return z.defined.Value(name)
	}
}

// importZone needs a look-up where the file does not give the id.
func importZone(scope constructs.Construct, props *Props) (Resource, error) {
	finder, target := props.Model.Finder.(*kinds.ZoneLookup), props.Model.Lookup[""]
	name := kinds.ZoneName(props.Model)
	id := cfn.Literal(cmp.Or(finder.HostedZoneID, target.Identifier))
	if id == cfn.Literal("") {
		if err := needsTarget(scope, props.Model.Path.Key("Lookup")); err != nil {
			return nil, err
		}
		id = cfn.Literal(findZone(scope, props, name, finder.IsPrivateZone))
	}
	return &imported{arn: "HostedZoneId", values: map[string]cfn.Value{"HostedZoneId": id, "ZoneName": cfn.Literal(name)}}, nil
}

// findZone asks for the id of a zone through CDK context. Until the CDK CLI has answered,
// it is one of the form that the validation of the templates wants.
func findZone(scope constructs.Construct, props *Props, name string, private bool) string {
	query := map[string]any{"domainName": name, "privateZone": private}
	if private {
		query["vpcId"] = *props.Network.VPC().VpcId()
	}
	answer := awscdk.ContextProvider_GetValue(scope, &awscdk.GetContextValueOptions{
		Provider: jsii.String("hosted-zone"), Props: &query,
		DummyValue: map[string]any{"Id": "/hostedzone/Z00000000000000000000", "Name": name},
	})
	found, _ := answer.Value.(map[string]any)
	id, _ := found["Id"].(string)
	return strings.TrimPrefix(id, "/hostedzone/")
}
