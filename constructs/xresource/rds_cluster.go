package xresource

import (
	"fmt"
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// newCluster makes an Aurora cluster with its instances, or a Multi-AZ cluster,
// which makes its own.
func (d *database) newCluster(props *Props, user, defaults map[string]any) (*defined, error) {
	parameters := props.Model.Parameters.(*kinds.RDSParameters)
	defaults["Port"] = d.port
	defaults["VpcSecurityGroupIds"] = []any{d.group}
	if g := parameters.ParametersGroups; g != nil {
		group := awsrds.NewCfnDBClusterParameterGroup(d.scope, jsii.String("ParameterGroup"), &awsrds.CfnDBClusterParameterGroupProps{
			Family: &g.Family, Description: groupDescription(g, props), Parameters: g.Parameters,
		})
		defaults["DBClusterParameterGroupName"] = cfn.FromToken(group.Ref())
	}
	cluster, err := d.define(props, "DBClusterArn", "DatabaseName", user, defaults)
	if err != nil {
		return nil, err
	}
	instances := parameters.Instances
	if _, multiAZ := user["DBClusterInstanceClass"]; len(instances) == 0 && !multiAZ {
		instances = []kinds.RDSInstance{{}}
	}
	class := "db.t3.medium"
	if _, serverless := user["ServerlessV2ScalingConfiguration"]; serverless {
		class = "db.serverless"
	}
	for i, instance := range instances {
		properties := map[string]any{
			"DBClusterIdentifier": cluster.attribute(kinds.Ref), "DBInstanceClass": class, "Engine": kinds.EngineOf(props.Model),
		}
		maps.Copy(properties, instanceProperties(instance))
		// The data is the cluster's, and so is the policy that keeps it.
		if _, err := cfn.Define(d.scope, fmt.Sprintf("Instance%d", i+1), cfn.Definition{
			Type: kinds.InstanceType, Properties: properties, DeletionPolicy: "Delete",
		}); err != nil {
			return nil, fmt.Errorf("%s: %w", props.Model.Path.Key("MacroParameters").Key("Instances").Index(i), err)
		}
	}
	return cluster, nil
}
