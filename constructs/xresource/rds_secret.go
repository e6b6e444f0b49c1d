package xresource

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/service"
)

// mapping makes one key of a secret a variable; no key is the whole secret.
type mapping struct{ key, variable string }

// mappingsOf lists the variables of a binding, sorted by key: those of the
// Services entry, or those of Settings for every service.
func mappingsOf(b *compose.Binding) []mapping {
	from := b.Options.(*rdsService).SecretsMappings
	if from.Mappings == nil {
		from = b.Resource.Settings.(*rdsSettings).SecretsMappings
	}
	prefix := ""
	switch p := from.PrefixWithDbName.(type) {
	case bool:
		if p {
			prefix = variableOf(b.Resource.Name) + "_"
		}
	case string:
		prefix = p + "_"
	}
	var mappings []mapping
	add := func(key string, variable any) {
		if name, ok := variable.(string); ok && key != "" {
			mappings = append(mappings, mapping{key, prefix + name})
		}
	}
	switch m := from.Mappings.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(m)) {
			add(key, m[key])
		}
	case []any:
		for _, item := range m {
			fields, _ := item.(map[string]any)
			key, _ := fields["SecretKey"].(string)
			variable, ok := fields["VarName"]
			if !ok {
				variable = strings.ToUpper(key)
			}
			add(key, variable)
		}
	}
	return mappings
}

// connectionKey stands for the connection string, which is no key of the secret.
const connectionKey = "(connection string)"

// secretVariables lists the variables that hold secrets of a binding: those of
// the mappings, or without any the whole secret under the name of the database,
// as ComposeX has it; and the connection string.
func secretVariables(b *compose.Binding) []mapping {
	options := b.Options.(*rdsService)
	var variables []mapping
	if !options.DoNotExposeMappings {
		if variables = mappingsOf(b); len(variables) == 0 {
			variables = []mapping{{"", variableOf(b.Resource.Name)}}
		}
	}
	if name := options.GenerateConnectionStringSecret; name != "" {
		variables = append(variables, mapping{connectionKey, name})
	}
	return slices.DeleteFunc(variables, func(m mapping) bool { return slices.Contains(options.taken, m.variable) })
}

var notVariableName = regexp.MustCompile(`[^A-Za-z0-9_]`)

// variableOf is the name of a database where a shell can use it.
func variableOf(name string) string { return notVariableName.ReplaceAllString(name, "_") }

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

// Secrets are the keys of the secret that SecretsMappings names, and the
// connection string.
func (d *database) Secrets(b *compose.Binding) (map[string]service.Secret, error) {
	secrets := map[string]service.Secret{}
	if d.secret == nil {
		return secrets, nil
	}
	for _, m := range secretVariables(b) {
		switch m.key {
		case "":
			secrets[m.variable] = service.SecretFrom(d.secret)
		case connectionKey:
			secrets[m.variable] = d.connectionString(m.variable)
		default:
			secrets[m.variable] = service.SecretFrom(d.secret).Field(m.key)
		}
	}
	return secrets, nil
}

// connectionString is a secret made of the fields of the database's own one.
// CloudFormation puts them together; they stand in no template. It can be made
// again at any time, so that it is never kept.
func (d *database) connectionString(variable string) service.Secret {
	if s, ok := d.strings[variable]; ok {
		return s
	}
	host, _ := d.values.Value("Endpoint.Address")
	port, _ := d.values.Value("Endpoint.Port")
	text := cfn.Join(cfn.Literal(d.engine.scheme+"://"), secretField(d.secret, "username"), cfn.Literal(":"), secretField(d.secret, "password"),
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

// taskAccess reads GrantTaskAccess: true, or {SecretEnvName: <variable>}.
func taskAccess(value any) (variable string, granted, ok bool) {
	switch v := value.(type) {
	case nil:
		return "", false, true
	case bool:
		return "", v, true
	case map[string]any:
		variable, ok = v["SecretEnvName"].(string)
		return variable, true, ok && len(v) == 1
	default:
		return "", false, false
	}
}

// Grant lets the application read the secret itself, where the file asks for it.
func (d *database) Grant(b *compose.Binding, role *service.TaskRole, c *service.Container) error {
	variable, granted, _ := taskAccess(b.Options.(*rdsService).GrantTaskAccess)
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
