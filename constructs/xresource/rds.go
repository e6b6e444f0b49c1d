package xresource

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// database is a cluster or an instance, new or existing, with its secret.
type database struct {
	values  Resource
	secret  awssecretsmanager.ISecret // nil for an existing database without
	group   cfn.Value
	port    int
	engine  kinds.Engine
	name    cfn.Value // the initial database
	scope   constructs.Construct
	strings map[string]service.Secret // connection strings by variable
}

// Value returns a return value of the database.
func (d *database) Value(name string) (cfn.Value, bool) { return d.values.Value(name) }

// Arn returns the ARN of the cluster or instance.
func (d *database) Arn() cfn.Value { return d.values.Arn() }

// Endpoint returns the database's own security group and its port.
func (d *database) Endpoint() (securityGroup cfn.Value, port int) { return d.group, d.port }

var _ Connectable = (*database)(nil)

// newDatabase makes a cluster or an instance in the subnets for storage, behind
// a security group of its own, with a generated user and password.
func newDatabase(scope constructs.Construct, props *Props) (Resource, error) {
	d := &database{scope: scope, strings: map[string]service.Secret{}}
	d.engine, _ = kinds.EngineNamed(kinds.EngineOf(props.Model))
	d.port = d.engine.Port
	if port, ok := props.Model.Properties["Port"]; ok {
		number, err := strconv.Atoi(fmt.Sprint(port))
		if err != nil {
			return nil, fmt.Errorf("%s: %v is not a port", props.Model.Path.Key("Properties").Key("Port"), port)
		}
		d.port = number
	}
	group := awsec2.NewSecurityGroup(scope, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc: props.Network.VPC(), AllowAllOutbound: jsii.Bool(false),
		Description: jsii.String("in front of the database " + props.Model.Name),
	})
	d.group = cfn.FromToken(group.SecurityGroupId())
	d.secret = d.newSecret(props)
	resource, err := d.newServer(props)
	if err != nil {
		return nil, err
	}
	d.values = resource
	awssecretsmanager.NewCfnSecretTargetAttachment(scope, jsii.String("SecretAttachment"), &awssecretsmanager.CfnSecretTargetAttachmentProps{
		SecretId: d.secret.SecretArn(), TargetId: resource.attribute(kinds.Ref).Token(), TargetType: jsii.String(databaseType(props.Model)),
	})
	return d, nil
}

func databaseType(r *compose.Resource) string {
	if kinds.IsCluster(r) {
		return kinds.ClusterType
	}
	return kinds.InstanceType
}

// newServer makes the cluster with its instances, or the single instance: the
// user's properties override MacroParameters, which override the defaults.
func (d *database) newServer(props *Props) (*defined, error) {
	parameters := props.Model.Parameters.(*kinds.RDSParameters)
	user := maps.Clone(props.Model.Properties)
	delete(user, "MasterUserPassword")
	delete(user, "MasterUsername")
	defaults := props.defaults()
	defaults["DBSubnetGroupName"] = d.subnetGroup(props)
	defaults["MasterUserPassword"] = secretField(d.secret, "password")
	if !restored(props.Model) {
		defaults["MasterUsername"] = secretField(d.secret, "username")
	}
	if parameters.Engine != "" {
		defaults["Engine"] = parameters.Engine
	}
	if parameters.EngineVersion != "" {
		defaults["EngineVersion"] = parameters.EngineVersion
	}
	if kinds.IsCluster(props.Model) {
		return d.newCluster(props, user, defaults)
	}
	return d.newInstance(props, user, defaults)
}

// restored reports whether the database begins as a copy of a snapshot, which has the
// name of its user: MasterUsername, for the secret.
func restored(r *compose.Resource) bool {
	return r.Properties["SnapshotIdentifier"] != nil || r.Properties["DBSnapshotIdentifier"] != nil
}

// subnetGroup returns made of the subnets for storage, or of the file's own choice.
func (d *database) subnetGroup(props *Props) cfn.Value {
	tier := compose.StorageSubnets
	if props.Model.SubnetGroup != "" {
		tier = props.Model.SubnetGroup
	}
	var subnets []any
	for _, id := range *props.Network.SubnetIDs(tier) {
		subnets = append(subnets, id)
	}
	group := awsrds.NewCfnDBSubnetGroup(d.scope, jsii.String("SubnetGroup"), &awsrds.CfnDBSubnetGroupProps{
		DbSubnetGroupDescription: jsii.String("subnets of the database " + props.Model.Name), SubnetIds: &subnets,
	})
	return cfn.FromToken(group.Ref())
}

// newInstance makes a single instance, as small as fits every engine of RDS.
func (d *database) newInstance(props *Props, user, defaults map[string]any) (*defined, error) {
	parameters := props.Model.Parameters.(*kinds.RDSParameters)
	defaults["Port"] = strconv.Itoa(d.port)
	defaults["VPCSecurityGroups"] = []any{d.group}
	defaults["PubliclyAccessible"] = false
	defaults["DBInstanceClass"] = "db.t3.medium"
	defaults["AllocatedStorage"] = "20"
	defaults["StorageType"] = "gp3"
	defaults["MultiAZ"] = parameters.MultiAZ
	for _, instance := range parameters.Instances {
		maps.Copy(defaults, instanceProperties(instance))
		if size := instance.AllocatedStorage + instance.DBAllocatedStorage; size > 0 {
			defaults["AllocatedStorage"] = strconv.Itoa(size)
		}
	}
	if g := parameters.ParametersGroups; g != nil {
		group := awsrds.NewCfnDBParameterGroup(d.scope, jsii.String("ParameterGroup"), &awsrds.CfnDBParameterGroupProps{
			Family: &g.Family, Description: groupDescription(g, props), Parameters: g.Parameters,
		})
		defaults["DBParameterGroupName"] = cfn.FromToken(group.Ref())
	}
	return d.define(props, "DBInstanceArn", "DBName", user, defaults)
}

// define makes the cluster or the instance. database is the property with the
// name of the initial database.
func (d *database) define(props *Props, arn, database string, user, defaults map[string]any) (*defined, error) {
	d.name = cfn.Literal(d.engine.Database)
	if given, ok := user[database]; ok {
		name, err := props.Resolve.One(given)
		if err != nil {
			return nil, err
		}
		d.name = name
	}
	properties, err := props.over(user, defaults)
	if err != nil {
		return nil, err
	}
	resource, err := cfn.Define(d.scope, "Definition", cfn.Definition{
		Type: databaseType(props.Model), Properties: properties, DeletionPolicy: props.policy(),
	})
	if err != nil {
		return nil, err
	}
	server := &defined{cfn: resource, kind: props.Kind, arn: arn, tokens: map[string]cfn.Value{}}
	return server, props.relate(server, resource)
}

// instanceProperties returns the properties that the file gives an instance.
func instanceProperties(i kinds.RDSInstance) map[string]any {
	properties := map[string]any{"PubliclyAccessible": i.PubliclyAccessible}
	if i.DBInstanceClass != "" {
		properties["DBInstanceClass"] = i.DBInstanceClass
	}
	if i.DBInstanceIdentifier != "" {
		properties["DBInstanceIdentifier"] = i.DBInstanceIdentifier
	}
	if i.PromotionTier != nil {
		properties["PromotionTier"] = *i.PromotionTier
	}
	return properties
}

func groupDescription(g *kinds.RDSParameterGroup, props *Props) *string {
	if g.Description == "" {
		return jsii.String("parameters of the database " + props.Model.Name)
	}
	return &g.Description
}
