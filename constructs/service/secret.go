package service

import (
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/constructs/cfn"
)

// Secret is a secret, or one field of it, that ECS puts into a container when it
// starts. Nothing can be read from it.
type Secret struct {
	secret    awssecretsmanager.ISecret
	parameter awsssm.IParameter
	field     string
	// application says that the task role may read it too.
	application bool
}

// SecretFrom returns the whole value of a secret in Secrets Manager.
func SecretFrom(s awssecretsmanager.ISecret) Secret { return Secret{secret: s} }

// completeARN ends in the six characters that Secrets Manager adds.
var completeARN = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

// SecretByARN returns an existing secret in Secrets Manager. The characters that
// Secrets Manager adds to its name may be left out of the ARN.
func SecretByARN(scope constructs.Construct, id, arn string) Secret {
	if completeARN.MatchString(arn) {
		return SecretFrom(awssecretsmanager.Secret_FromSecretCompleteArn(scope, &id, &arn))
	}
	return SecretFrom(awssecretsmanager.Secret_FromSecretPartialArn(scope, &id, &arn))
}

// ParameterFrom returns the value of a parameter in Parameter Store.
func ParameterFrom(p awsssm.IParameter) Secret { return Secret{parameter: p} }

// ParameterByARN returns an existing parameter in Parameter Store, also a SecureString.
// The CDK's import by ARN adds a parameter to the template, with which
// CloudFormation would read the value, and refuse a SecureString. Only the ARN is
// needed here, so the import is made in a stack that no app synthesises.
func ParameterByARN(arn string) Secret {
	aside := awscdk.NewStack(nil, nil, nil)
	return ParameterFrom(awsssm.StringParameter_FromStringParameterArn(aside, jsii.String("Parameter"), &arn))
}

// Field returns one key of a secret that holds a JSON object. A parameter has no
// fields: the container gets all of it.
func (s Secret) Field(json string) Secret {
	s.field = json
	return s
}

// ForApplication lets the application of every family whose containers get the
// secret read it by itself as well.
func (s Secret) ForApplication() Secret {
	s.application = true
	return s
}

// ecs returns what the container definition takes.
func (s Secret) ecs() awsecs.Secret {
	if s.parameter != nil {
		return awsecs.Secret_FromSsmParameter(s.parameter)
	}
	return awsecs.Secret_FromSecretsManager(s.secret, cfn.Optional(s.field))
}

// access returns the statements that let a role read the secret, and no other one.
func (s Secret) access() []Statement {
	if s.parameter != nil {
		return []Statement{{
			Actions:   []string{"ssm:GetParameters"},
			Resources: []cfn.Value{cfn.FromToken(s.parameter.ParameterArn())},
		}}
	}
	arn := s.secret.SecretFullArn()
	resource := cfn.Value{}
	if arn != nil {
		resource = cfn.FromToken(arn)
	} else {
		// Secrets Manager ends every ARN in six characters of its own; of a
		// secret known by its name only, these are not known.
		resource = cfn.Join(cfn.FromToken(s.secret.SecretArn()), cfn.Literal("-??????"))
	}
	statements := []Statement{{Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []cfn.Value{resource}}}
	if key := s.secret.EncryptionKey(); key != nil {
		via := cfn.Join(cfn.Literal("secretsmanager."), cfn.Pseudo("AWS::Region"), cfn.Literal(".amazonaws.com"))
		statements = append(statements, Statement{
			Actions:    []string{"kms:Decrypt"},
			Resources:  []cfn.Value{cfn.FromToken(key.KeyArn())},
			Conditions: map[string]any{"StringEquals": map[string]any{"kms:ViaService": via.Token()}},
		})
	}
	return statements
}
