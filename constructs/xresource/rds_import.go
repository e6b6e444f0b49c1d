package xresource

import (
	"strconv"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// importDatabase finds the endpoint through CDK context, and refers to the
// secret by its name or ARN.
func importDatabase(scope constructs.Construct, props *Props) (Resource, error) {
	d := &database{scope: scope, strings: map[string]service.Secret{}}
	target, id := props.Model.Lookup["cluster"], "DBClusterIdentifier"
	properties := []string{"DBClusterArn", id, "Engine", "Endpoint.Address", "Endpoint.Port", "ReadEndpoint.Address", "VpcSecurityGroupIds.0"}
	if !kinds.IsCluster(props.Model) {
		target, id = props.Model.Lookup["db"], "DBInstanceIdentifier"
		properties = []string{"DBInstanceArn", id, "Engine", "Endpoint.Address", "Endpoint.Port", "VPCSecurityGroups.0"}
	}
	if target.Arn != "" {
		// The identifier is the last part of the ARN, and finds without a search.
		target.Identifier = target.Arn[strings.LastIndex(target.Arn, ":")+1:]
	}
	found, err := find(scope, databaseType(props.Model), target, properties...)
	if err != nil {
		return nil, err
	}
	d.engine, _ = kinds.EngineNamed(found.text("Engine"))
	d.name = cfn.Literal(d.engine.Database)
	if d.port, err = strconv.Atoi(found.text("Endpoint.Port")); err != nil {
		return nil, err
	}
	d.group = found.values[properties[len(properties)-1]]
	d.values = found.with("DBCluster", found.values[id])
	if secret, ok := props.Model.Lookup["secret"]; ok {
		if d.secret, err = importSecret(scope, secret); err != nil {
			return nil, err
		}
	}
	return d, nil
}
