package xresource

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// newSecret generates the user and password of the database.
func (d *database) newSecret(props *Props) awssecretsmanager.ISecret {
	user, ok := props.Model.Properties["MasterUsername"].(string)
	if !ok {
		user = "dbadmin"
	}
	return awssecretsmanager.NewSecret(d.scope, jsii.String("Secret"), &awssecretsmanager.SecretProps{
		Description: jsii.String("credentials of the database " + props.Model.Name),
		GenerateSecretString: &awssecretsmanager.SecretStringGenerator{
			SecretStringTemplate: jsii.String(fmt.Sprintf(`{"username":%q}`, user)),
			GenerateStringKey:    jsii.String("password"),
			// Oracle takes no longer ones.
			PasswordLength:     jsii.Number(30),
			ExcludePunctuation: jsii.Bool(true),
		},
		RemovalPolicy: removal(props.policy()),
	})
}

// removal keeps the secret of a database that is kept, itself or as a snapshot.
func removal(policy string) awscdk.RemovalPolicy {
	if policy == "Delete" {
		return awscdk.RemovalPolicy_DESTROY
	}
	return awscdk.RemovalPolicy_RETAIN
}

// completeARN ends in the six characters that Secrets Manager adds.
var completeARN = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

// importSecret refers to an existing secret; the CDK looks it up where the file
// gives its tags only.
func importSecret(scope constructs.Construct, target compose.LookupTarget) (awssecretsmanager.ISecret, error) {
	id := jsii.String("Secret")
	arn, name := target.Arn, target.Name+target.Identifier
	if strings.HasPrefix(name, "arn:") {
		arn, name = name, ""
	}
	switch {
	case arn != "":
		if completeARN.MatchString(arn) {
			return awssecretsmanager.Secret_FromSecretCompleteArn(scope, id, &arn), nil
		}
		return awssecretsmanager.Secret_FromSecretPartialArn(scope, id, &arn), nil
	case name != "":
		return awssecretsmanager.Secret_FromSecretNameV2(scope, id, &name), nil
	}
	found, err := FindSecret(scope, target)
	if err != nil {
		return nil, err
	}
	return awssecretsmanager.Secret_FromSecretCompleteArn(scope, id, found.Token()), nil
}

// Secrets returns the keys of the secret that SecretsMappings names, and the
// connection string.
func (d *database) Secrets(b *compose.Binding) (map[string]service.Secret, error) {
	secrets := map[string]service.Secret{}
	if d.secret == nil {
		return secrets, nil
	}
	for _, m := range kinds.SecretVariables(b) {
		switch m.Key {
		case "":
			secrets[m.Variable] = service.SecretFrom(d.secret)
		case kinds.ConnectionString:
			secrets[m.Variable] = d.connectionString(m.Variable)
		default:
			secrets[m.Variable] = service.SecretFrom(d.secret).Field(m.Key)
		}
	}
	return secrets, nil
}

// connectionString returns a secret made of the fields of the database's own one.
// CloudFormation puts them together; they stand in no template. It can be made
// again at any time, so that it is never kept.
func (d *database) connectionString(variable string) service.Secret {
	if s, ok := d.strings[variable]; ok {
		return s
	}
	host, _ := d.values.Value("Endpoint.Address")
	port, _ := d.values.Value("Endpoint.Port")
	text := cfn.Join(cfn.Literal(d.engine.Scheme+"://"), secretField(d.secret, "username"), cfn.Literal(":"), secretField(d.secret, "password"),
		cfn.Literal("@"), host, cfn.Literal(":"), port, cfn.Literal("/"), d.name)
	secret := awssecretsmanager.NewCfnSecret(d.scope, jsii.String("ConnectionString "+variable), &awssecretsmanager.CfnSecretProps{
		Description: jsii.String("connection string " + variable), SecretString: text.Token(),
	})
	secret.ApplyRemovalPolicy(awscdk.RemovalPolicy_DESTROY, nil)
	s := service.SecretFrom(awssecretsmanager.Secret_FromSecretCompleteArn(d.scope, jsii.String("Imported "+variable), secret.Ref()))
	d.strings[variable] = s
	return s
}

func secretField(secret awssecretsmanager.ISecret, field string) cfn.Value {
	return cfn.Join(cfn.Literal("{{resolve:secretsmanager:"), cfn.FromToken(secret.SecretArn()), cfn.Literal(":SecretString:"+field+"::}}"))
}

// Grant lets the application read the secret itself, where the file asks for it.
func (d *database) Grant(b *compose.Binding, role *service.TaskRole, c *service.Container) error {
	variable, granted, _ := kinds.TaskAccess(b.Options.(*kinds.RDSService).GrantTaskAccess)
	if !granted {
		return nil
	}
	role.Read("rds "+b.Resource.Name+" secret", service.SecretFrom(d.secret))
	if variable == "" {
		return nil
	}
	return c.AddEnv(variable, service.Text(cfn.FromToken(d.secret.SecretArn())))
}

var (
	_ SecretHolder = (*database)(nil)
	_ Granter      = (*database)(nil)
)
