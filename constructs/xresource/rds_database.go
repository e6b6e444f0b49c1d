package xresource

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsrds"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// database is a cluster or an instance, new or existing, with its secret.
type database struct {
	values  Resource
	arn     cfn.Value
	secret  awssecretsmanager.ISecret // nil for an imported one without
	group   cfn.Value
	port    int
	scheme  string
	name    string // the initial database, "" = none
	scope   constructs.Construct
	destroy bool
	strings map[string]service.Secret // connection strings by variable
}

// Value is a return value of the database.
func (d *database) Value(name string) (cfn.Value, bool) { return d.values.Value(name) }

// Arn is the ARN of the cluster or instance.
func (d *database) Arn() cfn.Value { return d.arn }

// Endpoint is the database's own security group and its port.
func (d *database) Endpoint() (securityGroup cfn.Value, port int) { return d.group, d.port }

func newDatabase(scope constructs.Construct, props *Props) (Resource, error) {
	d := &database{scope: scope, destroy: props.Destroyable, strings: map[string]service.Secret{}}
	d.port, d.scheme = engineDefaults(engineOf(props.Model))
	if port, ok := props.Model.Properties["Port"]; ok {
		if _, err := fmt.Sscan(fmt.Sprint(port), &d.port); err != nil {
			return nil, fmt.Errorf("%s: %v is not a port", props.Model.Path.Key("Properties").Key("Port"), port)
		}
	}
	group := awsec2.NewSecurityGroup(scope, jsii.String("SecurityGroup"), &awsec2.SecurityGroupProps{
		Vpc: props.Network.VPC(), AllowAllOutbound: jsii.Bool(false),
		Description: jsii.String("in front of the database " + props.Model.Name),
	})
	d.group = cfn.FromToken(group.SecurityGroupId())
	secret := d.newSecret(props)
	resource, err := d.newServer(props, secret)
	if err != nil {
		return nil, err
	}
	targetType := instanceType
	if isCluster(props.Model) {
		targetType = clusterType
	}
	awssecretsmanager.NewCfnSecretTargetAttachment(scope, jsii.String("SecretAttachment"), &awssecretsmanager.CfnSecretTargetAttachmentProps{
		SecretId: secret.SecretArn(), TargetId: resource.attribute(Ref).Token(), TargetType: jsii.String(targetType),
	})
	d.values, d.arn, d.secret = resource, resource.Arn(), secret
	return d, nil
}

// newSecret generates the user and password of the database.
func (d *database) newSecret(props *Props) awssecretsmanager.Secret {
	user, ok := props.Model.Properties["MasterUsername"].(string)
	if !ok {
		user = "dbadmin"
	}
	return awssecretsmanager.NewSecret(d.scope, jsii.String("Secret"), &awssecretsmanager.SecretProps{
		Description: jsii.String("credentials of the database " + props.Model.Name),
		GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
			SecretStringTemplate: jsii.String(fmt.Sprintf(`{"username":%q}`, user)),
			GenerateStringKey:    jsii.String("password"),
			PasswordLength:       jsii.Number(32),
			ExcludePunctuation:   jsii.Bool(true),
		},
		RemovalPolicy: removal(d.destroy),
	})
}

func removal(destroy bool) awscdk.RemovalPolicy {
	if destroy {
		return awscdk.RemovalPolicy_DESTROY
	}
	return awscdk.RemovalPolicy_RETAIN
}

// newServer makes the cluster with its instances, or the single instance.
func (d *database) newServer(props *Props, secret awssecretsmanager.Secret) (*defined, error) {
	parameters := props.Model.Parameters.(*rdsParameters)
	user := maps.Clone(props.Model.Properties)
	delete(user, "MasterUserPassword")
	delete(user, "MasterUsername")
	defaults := props.defaults()
	defaults["DBSubnetGroupName"] = d.subnetGroup(props)
	defaults["MasterUsername"] = secretField(secret, "username")
	defaults["MasterUserPassword"] = secretField(secret, "password")
	defaults["Port"] = d.port
	if parameters.Engine != "" {
		defaults["Engine"] = parameters.Engine
	}
	if parameters.EngineVersion != "" {
		defaults["EngineVersion"] = parameters.EngineVersion
	}
	if isCluster(props.Model) {
		return d.newCluster(props, user, defaults)
	}
	return d.newInstance(props, user, defaults)
}

func secretField(secret awssecretsmanager.ISecret, field string) cfn.Value {
	return cfn.Join(cfn.Literal("{{resolve:secretsmanager:"), cfn.FromToken(secret.SecretArn()), cfn.Literal(":SecretString:"+field+"::}}"))
}

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

func (d *database) newCluster(props *Props, user, defaults map[string]any) (*defined, error) {
	parameters := props.Model.Parameters.(*rdsParameters)
	defaults["VpcSecurityGroupIds"] = []any{d.group}
	if g := parameters.ParametersGroups; g != nil {
		group := awsrds.NewCfnDBClusterParameterGroup(d.scope, jsii.String("ParameterGroup"), &awsrds.CfnDBClusterParameterGroupProps{
			Family: &g.Family, Description: description(g, props), Parameters: g.Parameters,
		})
		defaults["DBClusterParameterGroupName"] = cfn.FromToken(group.Ref())
	}
	d.name, _ = user["DatabaseName"].(string)
	cluster, err := d.define(props, clusterType, "DBClusterArn", user, defaults)
	if err != nil {
		return nil, err
	}
	instances := parameters.Instances
	if _, multiAZ := user["DBClusterInstanceClass"]; len(instances) == 0 && !multiAZ {
		instances = []rdsInstance{{}}
	}
	for i, instance := range instances {
		class := instance.DBInstanceClass
		switch _, serverless := user["ServerlessV2ScalingConfiguration"]; {
		case class == "" && serverless:
			class = "db.serverless"
		case class == "":
			class = "db.t3.medium"
		}
		properties := map[string]any{
			"DBClusterIdentifier": cluster.attribute(Ref), "DBInstanceClass": class,
			"Engine": engineOf(props.Model), "PubliclyAccessible": instance.PubliclyAccessible,
		}
		if instance.DBInstanceIdentifier != "" {
			properties["DBInstanceIdentifier"] = instance.DBInstanceIdentifier
		}
		if instance.PromotionTier != nil {
			properties["PromotionTier"] = *instance.PromotionTier
		}
		// The data is the cluster's; its snapshot policy keeps it.
		if _, err := cfn.Define(d.scope, fmt.Sprintf("Instance%d", i+1), cfn.Definition{
			Type: instanceType, Properties: properties, DeletionPolicy: "Delete",
		}); err != nil {
			return nil, err
		}
	}
	return cluster, nil
}

func description(g *rdsParameterGroup, props *Props) *string {
	if g.Description == "" {
		return jsii.String("parameters of the database " + props.Model.Name)
	}
	return &g.Description
}

func (d *database) newInstance(props *Props, user, defaults map[string]any) (*defined, error) {
	parameters := props.Model.Parameters.(*rdsParameters)
	defaults["VPCSecurityGroups"] = []any{d.group}
	defaults["PubliclyAccessible"] = false
	defaults["DBInstanceClass"] = "db.t3.medium"
	defaults["AllocatedStorage"] = "20"
	defaults["StorageType"] = "gp3"
	defaults["MultiAZ"] = parameters.MultiAZ
	if len(parameters.Instances) == 1 {
		instance := parameters.Instances[0]
		if instance.DBInstanceClass != "" {
			defaults["DBInstanceClass"] = instance.DBInstanceClass
		}
		if size := instance.AllocatedStorage + instance.DBAllocatedStorage; size > 0 {
			defaults["AllocatedStorage"] = fmt.Sprint(size)
		}
	}
	if g := parameters.ParametersGroups; g != nil {
		group := awsrds.NewCfnDBParameterGroup(d.scope, jsii.String("ParameterGroup"), &awsrds.CfnDBParameterGroupProps{
			Family: &g.Family, Description: description(g, props), Parameters: g.Parameters,
		})
		defaults["DBParameterGroupName"] = cfn.FromToken(group.Ref())
	}
	d.name, _ = user["DBName"].(string)
	return d.define(props, instanceType, "DBInstanceArn", user, defaults)
}

func (d *database) define(props *Props, cfnType, arn string, user, defaults map[string]any) (*defined, error) {
	properties, err := props.over(user, defaults)
	if err != nil {
		return nil, err
	}
	resource, err := cfn.Define(d.scope, "Definition", cfn.Definition{
		Type: cfnType, Properties: properties, DeletionPolicy: props.policy(),
	})
	if err != nil {
		return nil, err
	}
	return &defined{cfn: resource, kind: props.Kind, arn: arn, tokens: map[string]cfn.Value{}}, nil
}

func engineDefaults(engine string) (port int, scheme string) {
	for _, e := range engines {
		if strings.HasPrefix(engine, e.prefix) {
			return e.port, e.scheme
		}
	}
	return 0, ""
}

// importDatabase finds the endpoint through CDK context, and refers to the
// secret by its name or ARN.
func importDatabase(scope constructs.Construct, props *Props) (Resource, error) {
	d := &database{scope: scope, destroy: props.Destroyable, strings: map[string]service.Secret{}}
	cfnType, target, ref := clusterType, props.Model.Lookup["cluster"], "DBClusterIdentifier"
	properties := []string{"DBClusterArn", "DBClusterIdentifier", "Endpoint.Address", "Endpoint.Port", "ReadEndpoint.Address", "VpcSecurityGroupIds.0"}
	if !isCluster(props.Model) {
		cfnType, target, ref = instanceType, props.Model.Lookup["db"], "DBInstanceIdentifier"
		properties = []string{"DBInstanceArn", "DBInstanceIdentifier", "Endpoint.Address", "Endpoint.Port", "VPCSecurityGroups.0"}
	}
	found, err := find(scope, cfnType, target, properties...)
	if err != nil {
		return nil, err
	}
	d.group = found.values[properties[len(properties)-1]]
	if _, err := fmt.Sscan(*found.values["Endpoint.Port"].Token(), &d.port); err != nil {
		d.port = 5432 // a dummy, until the look-up is answered
	}
	d.values, d.arn = found.with("DBCluster", found.values[ref]), found.Arn()
	if secret, ok := props.Model.Lookup["secret"]; ok {
		d.secret = importSecret(scope, secret)
	}
	return d, nil
}

func importSecret(scope constructs.Construct, target compose.LookupTarget) awssecretsmanager.ISecret {
	id := jsii.String("Secret")
	if target.Arn != "" {
		return awssecretsmanager.Secret_FromSecretCompleteArn(scope, id, &target.Arn)
	}
	return awssecretsmanager.Secret_FromSecretNameV2(scope, id, jsii.String(target.Name+target.Identifier))
}

var notVariableName = regexp.MustCompile(`[^A-Za-z0-9_]`)

// Secrets are the keys of the secret that SecretsMappings names; without any,
// the whole secret under the name of the resource, as ComposeX has it.
func (d *database) Secrets(b *compose.Binding) (map[string]service.Secret, error) {
	options := b.Options.(*rdsService)
	secrets := map[string]service.Secret{}
	if d.secret == nil {
		return secrets, nil
	}
	if !options.DoNotExposeMappings {
		for _, m := range mappingsOf(b) {
			secrets[m.variable] = service.SecretFrom(d.secret).Field(m.key)
		}
		if len(secrets) == 0 {
			secrets[notVariableName.ReplaceAllString(b.Resource.Name, "_")] = service.SecretFrom(d.secret)
		}
	}
	if name := options.GenerateConnectionStringSecret; name != "" {
		secrets[name] = d.connectionString(name)
	}
	return secrets, nil
}

// connectionString is a secret made of the fields of the database's own one.
// CloudFormation puts them together; they stand in no template.
func (d *database) connectionString(variable string) service.Secret {
	if s, ok := d.strings[variable]; ok {
		return s
	}
	host, _ := d.values.Value("Endpoint.Address")
	port, _ := d.values.Value("Endpoint.Port")
	text := cfn.Join(cfn.Literal(d.scheme+"://"), secretField(d.secret, "username"), cfn.Literal(":"), secretField(d.secret, "password"),
		cfn.Literal("@"), host, cfn.Literal(":"), port, cfn.Literal("/"+d.name))
	secret := awssecretsmanager.NewCfnSecret(d.scope, jsii.String("ConnectionString "+variable), &awssecretsmanager.CfnSecretProps{
		Description: jsii.String("connection string " + variable), SecretString: text.Token(),
	})
	secret.ApplyRemovalPolicy(removal(d.destroy), nil)
	s := service.SecretFrom(awssecretsmanager.Secret_FromSecretCompleteArn(d.scope, jsii.String("Imported "+variable), secret.Ref()))
	d.strings[variable] = s
	return s
}

// Grant lets the application read the secret itself, where the file asks for it.
func (d *database) Grant(b *compose.Binding, role *service.TaskRole, c *service.Container) error {
	options := b.Options.(*rdsService)
	variable := ""
	switch grant := options.GrantTaskAccess.(type) {
	case nil:
		return nil
	case bool:
		if !grant {
			return nil
		}
	case map[string]any:
		variable, _ = grant["SecretEnvName"].(string)
	}
	if d.secret == nil {
		return fmt.Errorf("%s: there is no secret to grant access to; give Lookup.secret", b.Path.Key("GrantTaskAccess"))
	}
	arn := cfn.FromToken(d.secret.SecretArn())
	role.Allow("rds "+b.Resource.Name+" secret", service.Statement{
		Actions: []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}, Resources: []cfn.Value{arn},
	})
	if variable == "" {
		return nil
	}
	return c.AddEnv(variable, service.Text(arn))
}

var (
	_ Connectable  = (*database)(nil)
	_ SecretHolder = (*database)(nil)
	_ Granter      = (*database)(nil)
)
