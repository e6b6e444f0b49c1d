package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
	"composecdk/pipelines/shared"
)

// artifacts refer to the shared bucket and key by name, so that no stack depends on
// another. Only the policy of a role grants access to them; the shared stack owns the
// policies of the bucket and the key.
type artifacts struct {
	bucket awss3.IBucket
	arn    string
	key    awskms.IKey
}

func importArtifacts(scope constructs.Construct, c *config.Config) artifacts {
	key := awskms.Key_FromKeyArn(scope, jsii.String("ArtifactKey"), keyARN(scope))
	bucket := awss3.Bucket_FromBucketAttributes(scope, jsii.String("Artifacts"), &awss3.BucketAttributes{
		BucketName: jsii.String(c.ArtifactBucket()), EncryptionKey: key,
	})
	return artifacts{bucket: bucket, arn: "arn:" + c.Partition() + ":s3:::" + c.ArtifactBucket(), key: key}
}

// keyARN reads the parameter of the shared stack when the stack of scope is deployed.
func keyARN(scope constructs.Construct) *string {
	return awsssm.StringParameter_ValueForStringParameter(scope, jsii.String(config.KeyParameter), nil)
}

// regionalBuckets returns the artifact buckets of the other regions with targets, by
// region. A replica of a key has the id of the key
// (docs/decisions/artifacts-of-other-regions.md).
func regionalBuckets(scope constructs.Construct, c *config.Config) map[string]awss3.IBucket {
	buckets := map[string]awss3.IBucket{}
	for _, region := range c.OtherRegions() {
		id := awscdk.Fn_Select(jsii.Number(1), awscdk.Fn_Split(jsii.String("/"), keyARN(scope), nil))
		key := awskms.Key_FromKeyArn(scope, jsii.String("ArtifactKey-"+region), jsii.String(c.ARN("kms", region, c.Tooling.Account, "key/")+*id))
		buckets[region] = awss3.Bucket_FromBucketAttributes(scope, jsii.String("Artifacts-"+region), &awss3.BucketAttributes{
			BucketName: jsii.String(c.ArtifactBucketIn(region)), EncryptionKey: key, Region: &region,
		})
	}
	return buckets
}

// newRegionalStacks adds the stack of each regional bucket. A person deploys them:
// CodePipeline requires them before a pipeline can deploy to their region.
func newRegionalStacks(app constructs.Construct, c *config.Config) []awscdk.Stack {
	var made []awscdk.Stack
	for _, region := range c.OtherRegions() {
		made = append(made, shared.NewRegional(app, "Shared", region, &shared.Props{
			Config: c, Synthesizer: synthesizer(c, c.Tooling.Account),
		}))
	}
	return made
}
