package xresource

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
	"composecdk/constructs/guard"
)

// imported is a resource that exists: its values are known.
type imported struct {
	arn    string // the name of the value with the ARN
	values map[string]cfn.Value
}

// Value returns a known value of the resource.
func (i *imported) Value(name string) (cfn.Value, bool) {
	v, ok := i.values[name]
	return v, ok
}

// Arn returns the ARN of the resource.
func (i *imported) Arn() cfn.Value { return i.values[i.arn] }

// text returns a value that was looked up, which is no token.
func (i *imported) text(name string) string { return *i.values[name].Token() }

// with adds a value under a further name.
func (i *imported) with(name string, value cfn.Value) *imported {
	i.values[name] = value
	return i
}

// find asks for a resource of the kind's type through CDK context: the CDK CLI
// answers with AWS Cloud Control and keeps the answer in cdk.context.json; until
// it has, the values are dummies and the assembly says that context is missing.
// The first property is the ARN.
func (p *Props) find(scope constructs.Construct, target compose.LookupTarget, properties ...string) (*imported, error) {
	return find(scope, p.Kind.Type, target, properties...)
}

// needsTarget reports a look-up in a stack without account and region.
func needsTarget(scope constructs.Construct, at compose.Path) error {
	stack := awscdk.Stack_Of(scope)
	if *awscdk.Token_IsUnresolved(stack.Account()) || *awscdk.Token_IsUnresolved(stack.Region()) {
		return &guard.Error{At: at, Message: "looking this up needs the account and the region: run with -c account=… -c region=…"}
	}
	return nil
}

func find(scope constructs.Construct, cfnType string, target compose.LookupTarget, properties ...string) (*imported, error) {
	if err := needsTarget(scope, target.Path); err != nil {
		return nil, err
	}
	query := map[string]any{"typeName": cfnType, "propertiesToReturn": jsii.Strings(properties...)}
	switch {
	case target.Identifier != "":
		query["exactIdentifier"] = target.Identifier
	case target.Name != "":
		query["exactIdentifier"] = target.Name
	case target.Arn != "":
		query["propertyMatch"] = map[string]any{properties[0]: target.Arn}
		query["expectedMatchCount"] = "exactly-one"
	default:
		var tags []any
		for _, key := range slices.Sorted(maps.Keys(target.Tags)) {
			tags = append(tags, map[string]any{"Key": key, "Value": target.Tags[key]})
		}
		query["propertyMatch"] = map[string]any{"Tags": tags}
		query["expectedMatchCount"] = "exactly-one"
	}
	dummy := map[string]any{}
	for _, property := range properties {
		dummy[property] = placeholder(cfnType, property)
	}
	result := awscdk.ContextProvider_GetValue(scope, &awscdk.GetContextValueOptions{
		Provider:   jsii.String("cc-api-provider"),
		Props:      &query,
		DummyValue: []any{dummy},
	})
	found, ok := result.Value.([]any)
	if !ok || len(found) == 0 {
		return nil, &guard.Error{At: target.Path, Message: "the look-up of " + cfnType + " found nothing"}
	}
	answer, _ := found[0].(map[string]any)
	values := map[string]cfn.Value{}
	for _, property := range properties {
		values[property] = cfn.Literal(fmt.Sprint(answer[property]))
	}
	return &imported{arn: properties[0], values: values}, nil
}

// FindSecret returns the ARN of an existing secret of Secrets Manager that a look-up
// describes.
func FindSecret(scope constructs.Construct, target compose.LookupTarget) (cfn.Value, error) {
	if target.Arn != "" {
		return cfn.Literal(target.Arn), nil
	}
	found, err := find(scope, "AWS::SecretsManager::Secret", target, "Id")
	if err != nil {
		return cfn.Value{}, err
	}
	return found.Arn(), nil
}

// placeholder returns a value for a property until the CDK CLI has looked it up: in the
// form that the validation of the templates wants, which would end the first
// synthesis otherwise.
func placeholder(cfnType, property string) string {
	parts := strings.Split(strings.ToLower(cfnType), "::")
	arn := placeholderARNs[cfnType]
	switch {
	case arn != "" && (property == "Arn" || property == "Id"):
		return arn
	case strings.HasSuffix(property, "Arn"):
		return "arn:aws:" + parts[1] + ":us-east-1:000000000000:" + parts[2] + ":lookup-000000"
	case strings.Contains(property, "SecurityGroup"):
		return "sg-00000000000000000"
	case strings.HasSuffix(property, "Port"):
		return "1"
	default:
		return "lookup-" + property
	}
}

// placeholderARNs are the ARNs of types whose ARNs have a form of their own. The id of a
// secret or certificate is its ARN.
var placeholderARNs = map[string]string{
	"AWS::CertificateManager::Certificate": "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000",
	"AWS::KMS::Key":                        "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000",
	"AWS::S3::Bucket":                      "arn:aws:s3:::lookup-000000",
	"AWS::SecretsManager::Secret":          "arn:aws:secretsmanager:us-east-1:000000000000:secret:lookup-000000",
}
