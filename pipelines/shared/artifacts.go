package shared

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/policy"
)

// keyOutput names the output by which NewRegional finds the primary key.
const keyOutput = "ArtifactKey"

// NewRegional adds the stack of a further region with targets: a bucket for copies of
// artifacts, and a replica of their key (docs/decisions/artifacts-of-other-regions.md).
func NewRegional(scope constructs.Construct, id, region string, props *Props) awscdk.Stack {
	c := props.Config
	stack := newStack(scope, id+"-"+region, c.SharedStack()+"-"+region, region, props)
	primary := awscdk.Fn_GetStackOutput(jsii.String(c.SharedStack()), jsii.String(keyOutput), &c.Tooling.Region, nil)
	replica := awskms.NewCfnReplicaKey(stack, jsii.String("Key"), &awskms.CfnReplicaKeyProps{
		PrimaryKeyArn: primary, KeyPolicy: policy.Key(c, region).Map(),
		Description: jsii.String(c.Name + ": copies of the artifacts of pipelines"),
	})
	replica.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
	awskms.NewCfnAlias(stack, jsii.String("Alias"), &awskms.CfnAliasProps{
		AliasName: jsii.String(c.KeyAlias()), TargetKeyId: replica.AttrKeyId(),
	})
	artifactBucket(stack, c, region, awskms.Key_FromKeyArn(stack, jsii.String("Replica"), replica.AttrArn()))
	return stack
}

// artifactKey encrypts artifacts and notifications. It is a multi-Region key from
// the beginning, because a key cannot become one later.
func artifactKey(stack awscdk.Stack, c *config.Config) awskms.Key {
	key := awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{
		Alias:             jsii.String(c.KeyAlias()),
		Description:       jsii.String(c.Name + ": the artifacts of pipelines, and notifications"),
		EnableKeyRotation: jsii.Bool(true),
		MultiRegion:       jsii.Bool(true),
		Policy:            awsiam.PolicyDocument_FromJson(policy.Key(c, c.Tooling.Region).Map()),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	})
	output := awscdk.NewCfnOutput(stack, jsii.String(keyOutput), &awscdk.CfnOutputProps{
		Description: jsii.String("replicas of the key in other regions are made by it"), Value: key.KeyArn(),
	})
	output.OverrideLogicalId(jsii.String(keyOutput))
	return key
}

// Artifacts expire when no release can still need them, except the tools.
const (
	artifactDays   = 30
	noncurrentDays = 7
	accessLogDays  = 90
)

// expiring lists the prefixes of pipeline names, under which CodePipeline stores their
// artifacts, and of build caches. Objects below tools/ never expire.
var expiring = []string{"branches-", "cache/", "cd-", "ci-", "platform-"}

func artifactBucket(stack awscdk.Stack, c *config.Config, region string, key awskms.IKey) awss3.IBucket {
	bucket := awss3.NewBucket(stack, jsii.String("Artifacts"), &awss3.BucketProps{
		BucketName:             jsii.String(c.ArtifactBucketIn(region)),
		Encryption:             awss3.BucketEncryption_KMS,
		EncryptionKey:          key,
		BucketKeyEnabled:       jsii.Bool(true),
		BlockedEncryptionTypes: &[]awss3.BlockedEncryptionType{awss3.BlockedEncryptionType_SSE_C()},
		BlockPublicAccess:      awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:             jsii.Bool(true),
		MinimumTLSVersion:      jsii.Number(1.2),
		ObjectOwnership:        awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Versioned:              jsii.Bool(true),
		ServerAccessLogsBucket: accessLogs(stack),
		LifecycleRules:         lifecycle(),
		RemovalPolicy:          awscdk.RemovalPolicy_RETAIN,
	})
	for _, s := range policy.Bucket(c, *bucket.BucketArn(), *key.KeyArn()) {
		bucket.AddToResourcePolicy(statement(s))
	}
	return bucket
}

func lifecycle() *[]*awss3.LifecycleRule {
	rules := []*awss3.LifecycleRule{{
		Id:                                  jsii.String("leftovers"),
		NoncurrentVersionExpiration:         awscdk.Duration_Days(jsii.Number(noncurrentDays)),
		AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
	}}
	for _, prefix := range expiring {
		rules = append(rules, &awss3.LifecycleRule{
			Id: jsii.String(prefix), Prefix: jsii.String(prefix), Expiration: awscdk.Duration_Days(jsii.Number(artifactDays)),
		})
	}
	return &rules
}

func accessLogs(stack awscdk.Stack) awss3.Bucket {
	return awss3.NewBucket(stack, jsii.String("AccessLogs"), &awss3.BucketProps{
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		EnforceSSL:        jsii.Bool(true),
		MinimumTLSVersion: jsii.Number(1.2),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(accessLogDays)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}
