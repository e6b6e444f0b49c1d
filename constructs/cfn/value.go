package cfn

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// Value is text that CloudFormation may still have to resolve: a literal, or a
// CDK token such as the ARN of a resource, maybe of another stack. It can be
// handed on, but never compared, cut or put into a construct id.
type Value struct{ token string }

// Literal returns the value s itself.
func Literal(s string) Value { return Value{s} }

// FromToken wraps what a CDK property returned.
func FromToken(token *string) Value { return Value{*token} }

// Pseudo returns a CloudFormation pseudo parameter, such as "AWS::Region".
func Pseudo(name string) Value {
	value, known := pseudo[name]
	if !known {
		value = FromToken(awscdk.Fn_Ref(jsii.String(name)))
		pseudo[name] = value
	}
	return value
}

// pseudo are the tokens of pseudo parameters. They are the same for all stacks of
// the process, every service needs some ten, and each would be a round trip to
// Node.js.
var pseudo = map[string]Value{}

// Join returns the text of its parts, one after the other.
func Join(parts ...Value) Value {
	text := ""
	for _, p := range parts {
		text += p.token
	}
	return Value{text}
}

// Token returns the value as a CDK argument.
func (v Value) Token() *string { return &v.token }

// Optional returns a CDK argument that is left out where s is "".
func Optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Arn returns an ARN in the partition, region and account of the stack it is used
// in; region and account may be empty, as in S3's.
func Arn(service, resource Value) Value {
	return Join(
		Literal("arn:"), Pseudo("AWS::Partition"), Literal(":"), service, Literal(":"),
		Pseudo("AWS::Region"), Literal(":"), Pseudo("AWS::AccountId"), Literal(":"), resource,
	)
}
