package network

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/cfn"
)

// Cluster is the ECS cluster, new or existing.
type Cluster struct {
	cluster awsecs.ICluster
	exec    ExecTargets
}

// ExecTargets are what the sessions of ECS Exec write to, as ARNs; each may be
// absent. An existing cluster has none that we know of.
type ExecTargets struct {
	LogGroup, Bucket, Key *cfn.Value
}

// NewCluster creates a cluster with container insights and the logging of ECS
// Exec sessions, which the properties of the file may change, or imports the
// existing one by name.
func NewCluster(scope constructs.Construct, id string, m *compose.Cluster, n *Network) (*Cluster, error) {
	this := constructs.NewConstruct(scope, &id)
	if m.Existing != "" {
		return newCluster(this, n, cfn.Literal(m.Existing), ExecTargets{}), nil
	}
	exec, configuration := execLogging(this, m)
	cluster := awsecs.NewCfnCluster(this, jsii.String("Resource"), &awsecs.CfnClusterProps{})
	properties := cfn.WithDefaults(m.Properties, map[string]any{
		"CapacityProviders": []any{"FARGATE", "FARGATE_SPOT"},
		"DefaultCapacityProviderStrategy": []any{
			map[string]any{"CapacityProvider": "FARGATE", "Weight": 1},
		},
		"ClusterSettings": []any{map[string]any{"Name": "containerInsights", "Value": "enhanced"}},
		"Configuration":   map[string]any{"ExecuteCommandConfiguration": configuration},
	})
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		// Nothing is made before the cluster, so that only pseudo parameters stand here.
		value, err := cfn.Resolver{}.Tokens(properties[name])
		if err != nil {
			return nil, err
		}
		cluster.AddPropertyOverride(jsii.String(name), value)
	}
	return newCluster(this, n, cfn.FromToken(cluster.Ref()), exec), nil
}

func newCluster(this constructs.Construct, n *Network, name cfn.Value, exec ExecTargets) *Cluster {
	return &Cluster{
		cluster: awsecs.Cluster_FromClusterAttributes(this, jsii.String("Cluster"), &awsecs.ClusterAttributes{
			ClusterName: name.Token(), Vpc: n.vpc,
		}),
		exec: exec,
	}
}

// Value returns a value of the cluster by its name in compose.Node.
func (c *Cluster) Value(name string) (cfn.Value, bool) {
	switch name {
	case "Arn":
		return cfn.FromToken(c.cluster.ClusterArn()), true
	case "ClusterName":
		return cfn.FromToken(c.cluster.ClusterName()), true
	default:
		return cfn.Value{}, false
	}
}

// ICluster returns the CDK's own construct.
func (c *Cluster) ICluster() awsecs.ICluster { return c.cluster }

// Exec tells what a task role must be allowed to write to for ECS Exec.
func (c *Cluster) Exec() ExecTargets { return c.exec }

// defaultExecRetention is ComposeX's own: 120 days.
const defaultExecRetention = awslogs.RetentionDays_FOUR_MONTHS

// execLogging makes what Exec sessions write to, unless the file configures it,
// and the ExecuteCommandConfiguration that names it.
func execLogging(this constructs.Construct, m *compose.Cluster) (ExecTargets, map[string]any) {
	if configuration, ok := m.Properties["Configuration"].(map[string]any); ok {
		if _, ok := configuration["ExecuteCommandConfiguration"]; ok {
			return ExecTargets{}, nil
		}
	}
	var targets ExecTargets
	configuration := map[string]any{"Logging": "OVERRIDE"}
	var key awskms.IKey
	if m.ExecKMSKey {
		key = execKey(this)
		targets.Key = value(key.KeyArn())
		configuration["KmsKeyId"] = key.KeyArn()
	}
	retention, ok := LogRetention(m.ExecLogRetentionDays)
	if !ok {
		retention = defaultExecRetention
	}
	group := awslogs.NewLogGroup(this, jsii.String("ExecLogs"), &awslogs.LogGroupProps{
		Retention:     retention,
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
		EncryptionKey: key,
	})
	targets.LogGroup = value(group.LogGroupArn())
	logs := map[string]any{
		"CloudWatchLogGroupName":      group.LogGroupName(),
		"CloudWatchEncryptionEnabled": key != nil,
	}
	if m.ExecBucket {
		bucket := execBucket(this, key)
		targets.Bucket = value(bucket.BucketArn())
		logs["S3BucketName"] = bucket.BucketName()
		logs["S3EncryptionEnabled"] = true
	}
	configuration["LogConfiguration"] = logs
	return targets, configuration
}

// execKey encrypts Exec sessions and their logs. CloudWatch Logs may use it for
// log groups of this account only.
func execKey(this constructs.Construct) awskms.Key {
	key := awskms.NewKey(this, jsii.String("ExecKey"), &awskms.KeyProps{
		Description:       jsii.String("ECS Exec sessions and their logs"),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
	})
	logs := cfn.Join(cfn.Literal("logs."), cfn.Pseudo("AWS::Region"), cfn.Literal(".amazonaws.com"))
	key.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt",
			"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
		// In a key policy "*" is the key itself.
		Resources:  jsii.Strings("*"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(logs.Token(), nil)},
		Conditions: &map[string]any{"ArnLike": map[string]any{
			"kms:EncryptionContext:aws:logs:arn": cfn.Arn(cfn.Literal("logs"), cfn.Literal("log-group:*")).Token(),
		}},
	}), jsii.Bool(false))
	return key
}

func execBucket(this constructs.Construct, key awskms.IKey) awss3.Bucket {
	props := awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		Versioned:         jsii.Bool(true),
	}
	if key != nil {
		props.Encryption = awss3.BucketEncryption_KMS
		props.EncryptionKey = key
		props.BucketKeyEnabled = jsii.Bool(true)
	}
	return awss3.NewBucket(this, jsii.String("ExecBucket"), &props)
}

func value(token *string) *cfn.Value {
	v := cfn.FromToken(token)
	return &v
}
