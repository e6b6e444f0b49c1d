package xresource

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose/kinds"
	"composecdk/constructs/cfn"
)

// kmsKey is a key of AWS KMS, whose policy is part of it.
type kmsKey struct {
	*defined
	policy *resourcePolicy
}

func newKey(scope constructs.Construct, props *Props) (Resource, error) {
	policy := keyPolicy(props.Model.Properties["KeyPolicy"])
	resource, err := props.defineWith(scope, map[string]any{"KeyPolicy": policy})
	if err != nil {
		return nil, err
	}
	document, err := props.Resolve.Tokens(policy)
	if err != nil {
		return nil, err
	}
	key := resource.cfn.(awskms.CfnKey)
	statements, list := document.(map[string]any)["Statement"].([]any)
	if !list {
		statements = []any{document.(map[string]any)["Statement"]}
	}
	k := &kmsKey{defined: resource}
	k.policy = newResourcePolicy(cfn.Value{}, statements, func(document map[string]any) { key.SetKeyPolicy(document) })
	if alias := props.Model.Parameters.(*kinds.KMSParameters).Alias; alias != "" {
		if !strings.HasPrefix(alias, "alias/") {
			alias = "alias/" + props.Prefix + "/" + alias
		}
		awskms.NewCfnAlias(scope, jsii.String("Alias"), &awskms.CfnAliasProps{
			AliasName: &alias, TargetKeyId: resource.attribute(kinds.Ref).Token(),
		})
	}
	return k, nil
}

// keyPolicy returns the policy of the file, or the one that leaves the key to the
// account, whose roles then say who may use it.
// See https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func keyPolicy(given any) any {
	if given != nil {
		return given
	}
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
		"Principal": map[string]any{"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
	}}}
}

// Admit adds an admission to the policy of the key. There is nothing to wait for but
// the key, which whoever is encrypted with it names.
func (k *kmsKey) Admit(a cfn.Admission) []constructs.IDependable {
	k.policy.admit(a)
	return nil
}

// importKey needs a look-up where the file gives neither the ARN nor the id.
func importKey(scope constructs.Construct, props *Props) (Resource, error) {
	target := props.Model.Lookup[""]
	arn, id := target.Arn, target.Identifier
	switch {
	case arn != "":
		return &imported{arn: "Arn", values: map[string]cfn.Value{"Arn": cfn.Literal(arn), "KeyId": cfn.Literal(kinds.KeyByARN(arn))}}, nil
	case strings.HasPrefix(target.Name+id, "alias/"):
		if err := needsTarget(scope, target.Path); err != nil {
			return nil, err
		}
		key := awskms.Key_FromLookup(scope, jsii.String("Key"), &awskms.KeyLookupOptions{AliasName: jsii.String(target.Name + id)})
		return &imported{arn: "Arn", values: map[string]cfn.Value{"Arn": cfn.FromToken(key.KeyArn()), "KeyId": cfn.FromToken(key.KeyId())}}, nil
	case id != "":
		return &imported{arn: "Arn", values: map[string]cfn.Value{
			"Arn": cfn.Arn(cfn.Literal("kms"), cfn.Literal("key/"+id)), "KeyId": cfn.Literal(id),
		}}, nil
	}
	return props.find(scope, target, "Arn", "KeyId")
}

var _ Admitter = (*kmsKey)(nil)
