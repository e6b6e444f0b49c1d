package pipelines

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/pipelines/config"
)

// artifacts are the shared bucket and key as a stack of the tooling account sees
// them: by name, so that no stack holds on to another.
type artifacts struct {
	bucket awss3.IBucket
	key    awskms.IKey
}

func importArtifacts(scope constructs.Construct, c *config.Config) artifacts {
	arn := awsssm.StringParameter_ValueForStringParameter(scope, jsii.String(config.KeyParameter), nil)
	key := awskms.Key_FromKeyArn(scope, jsii.String("ArtifactKey"), arn)
	bucket := awss3.Bucket_FromBucketAttributes(scope, jsii.String("Artifacts"), &awss3.BucketAttributes{
		BucketName: jsii.String(c.ArtifactBucket()), EncryptionKey: key,
	})
	return artifacts{bucket: bucket, key: key}
}
