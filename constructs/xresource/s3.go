package xresource

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// bucket is a bucket with the policy that lets nobody in without TLS.
type bucket struct {
	*defined
	policy   *resourcePolicy
	rendered awss3.CfnBucketPolicy
}

func newBucket(scope constructs.Construct, props *Props) (Resource, error) {
	resource, err := props.define(scope)
	if err != nil {
		return nil, err
	}
	b := &bucket{defined: resource}
	b.rendered = awss3.NewCfnBucketPolicy(scope, jsii.String("Policy"), &awss3.CfnBucketPolicyProps{
		Bucket: resource.attribute(kinds.Ref).Token(), PolicyDocument: map[string]any{},
	})
	statements, err := b.statements(props)
	if err != nil {
		return nil, err
	}
	b.policy = newResourcePolicy(b.Arn(), statements, func(document map[string]any) { b.rendered.SetPolicyDocument(document) })
	return b, nil
}

// statements returns the part of the policy that does not depend on others: no request
// without TLS, and the statements of the file.
func (b *bucket) statements(props *Props) ([]any, error) {
	statements := []any{map[string]any{
		"Sid": "TLSOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
		"Resource":  []any{b.Arn().Token(), scoped("${ARN}/*", b.Arn()).Token()},
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}}
	for _, statement := range props.Model.Parameters.(*kinds.S3Parameters).BucketPolicy.Policies {
		resolved, err := props.Resolve.Tokens(b.named(map[string]any(statement)))
		if err != nil {
			return nil, err
		}
		statements = append(statements, resolved)
	}
	return statements, nil
}

// named puts the ARN of the bucket where a statement has ${ARN}.
func (b *bucket) named(in any) any {
	switch v := in.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = b.named(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = b.named(item)
		}
		return out
	case string:
		if strings.Contains(v, "${ARN}") {
			return scoped(v, b.Arn())
		}
	}
	return in
}

// Admit adds an admission to the policy of the bucket and to its key's policy.
func (b *bucket) Admit(a cfn.Admission) []constructs.IDependable {
	b.policy.admit(a)
	return append(b.key.admit(a), b.rendered)
}

// importBucket needs a look-up only where the file gives tags: what else there is to
// know of a bucket follows from its name.
func importBucket(scope constructs.Construct, props *Props) (Resource, error) {
	target := props.Model.Lookup[""]
	name := target.Identifier + target.Name
	if target.Identifier != "" {
		name = target.Identifier
	}
	if target.Arn != "" {
		name = kinds.BucketByARN(target.Arn)
	}
	if name == "" {
		return props.find(scope, target, "Arn", "BucketName", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL")
	}
	domain := func(middle ...cfn.Value) cfn.Value {
		parts := append([]cfn.Value{cfn.Literal(name + ".s3")}, middle...)
		return cfn.Join(append(parts, cfn.Literal("."), cfn.Pseudo("AWS::URLSuffix"))...)
	}
	region := cfn.Join(cfn.Literal("."), cfn.Pseudo("AWS::Region"))
	return &imported{arn: "Arn", values: map[string]cfn.Value{
		"BucketName":          cfn.Literal(name),
		"Arn":                 cfn.Join(cfn.Literal("arn:"), cfn.Pseudo("AWS::Partition"), cfn.Literal(":s3:::"+name)),
		"DomainName":          domain(),
		"DualStackDomainName": domain(cfn.Literal(".dualstack"), region),
		"RegionalDomainName":  domain(region),
		"WebsiteURL":          cfn.Join(cfn.Literal("http://"+name+".s3-website-"), cfn.Pseudo("AWS::Region"), cfn.Literal("."), cfn.Pseudo("AWS::URLSuffix")),
	}}, nil
}

var (
	_ Admitter  = (*bucket)(nil)
	_ Encrypted = (*bucket)(nil)
)
