package gate

import (
	"cmp"
	"slices"
	"strings"
)

// Ephemeral is the metadata key of templates for ephemeral environments: the rules about
// loss of data ignore such templates.
const Ephemeral = "composecdk:ephemeral"

// data holds the rules for storage: it is kept, protected and encrypted.
var data = []Rule{
	{
		ID: "data-lost", Summary: "a data store is retained, or leaves a snapshot, when it is deleted or replaced",
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html", check: dataLost,
	},
	{
		ID: "data-unprotected", Summary: "databases refuse to be deleted, and can be restored",
		Source: "Security Hub RDS.7, RDS.8, RDS.11, DynamoDB.2, DocumentDB.2", check: holds(unprotected, true),
	},
	{
		ID: "data-unencrypted", Summary: "data stores are encrypted",
		Source: "Security Hub RDS.3, RDS.27, EFS.1, SQS.1, OpenSearch.1, Kinesis.1", check: holds(unencrypted, false),
	},
	{
		ID: "data-public", Summary: "no bucket is public",
		Source: "Security Hub S3.1 and S3.8", check: holds(open, false),
	},
	{
		ID: "image-mutable", Summary: "image tags are immutable, and images are scanned",
		Source: "Security Hub ECR.1 and ECR.2", check: holds(mutable, false),
	},
	{
		ID: "log-forever", Summary: "a log group has a retention period",
		Source: "Security Hub CloudWatch.16", check: holds(forever, false),
	},
	{
		ID: "tls-optional", Summary: "buckets, queues and topics refuse requests without TLS",
		Source: "Security Hub S3.5, SQS and SNS best practices", check: tlsOptional,
	},
	{
		ID: "volume-in-clear", Summary: "tasks mount file systems with encryption in transit",
		Source: "Security Hub ECS.18", check: volumeInClear,
	},
}

// stateful lists the types that hold data.
var stateful = []string{
	"AWS::AmazonMQ::Broker", "AWS::Backup::BackupVault", "AWS::Cassandra::Table", "AWS::CodeArtifact::Repository", "AWS::CodeCommit::Repository",
	"AWS::Cognito::UserPool", "AWS::DSQL::Cluster", "AWS::DocDB::DBCluster", "AWS::DocDBElastic::Cluster", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table",
	"AWS::EC2::Volume", "AWS::ECR::Repository", "AWS::EFS::FileSystem", "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup",
	"AWS::ElastiCache::ServerlessCache", "AWS::Elasticsearch::Domain", "AWS::FSx::FileSystem", "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::Kinesis::Stream",
	"AWS::Logs::LogGroup", "AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster", "AWS::MemoryDB::Cluster", "AWS::Neptune::DBCluster", "AWS::NeptuneGraph::Graph",
	"AWS::OpenSearchServerless::Collection", "AWS::OpenSearchService::Domain", "AWS::QLDB::Ledger", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
	"AWS::Redshift::Cluster", "AWS::RedshiftServerless::Namespace", "AWS::S3::Bucket", "AWS::S3Express::DirectoryBucket", "AWS::S3Tables::TableBucket",
	"AWS::SecretsManager::Secret", "AWS::Timestream::InfluxDBInstance", "AWS::Timestream::Table",
}

// snapshots lists the types with support for the deletion policy Snapshot; CloudFormation
// refuses it for others.
var snapshots = []string{
	"AWS::DocDB::DBCluster", "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup", "AWS::Neptune::DBCluster",
	"AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster",
}

var keeping = []string{"Retain", "RetainExceptOnCreate", "Snapshot"}

func (s *Stack) ephemeral() bool { return yes(at(s.template, "Metadata", Ephemeral)) }

func dataLost(a *Assembly, found *report) {
	for _, r := range a.Of(stateful...) {
		if r.Stack.ephemeral() || r.copied() {
			continue
		}
		keeps := "Retain keeps it"
		if slices.Contains(snapshots, r.Type) {
			keeps = "Retain or Snapshot keeps it"
		}
		for _, p := range []struct{ name, value, when string }{
			{"DeletionPolicy", r.DeletionPolicy, "deleted"}, {"UpdateReplacePolicy", r.UpdateReplacePolicy, "replaced"},
		} {
			switch {
			case p.value == "":
				found.on(r, "its data may be lost when it is %s: it has no %s, %s", p.when, p.name, keeps)
			case p.value == "Snapshot" && !slices.Contains(snapshots, r.Type):
				found.on(r, "its data is not kept when it is %s: %s is Snapshot, which CloudFormation does not support for this type, Retain keeps it", p.when, p.name)
			case p.name == "UpdateReplacePolicy" && p.value == "RetainExceptOnCreate":
				found.on(r, "its data may be lost when it is %s: %s is %s, which is a DeletionPolicy only, Retain keeps it", p.when, p.name, p.value)
			case !slices.Contains(keeping, p.value):
				found.on(r, "its data is lost when it is %s: %s is %s, %s", p.when, p.name, p.value, keeps)
			}
		}
	}
}

// copied reports whether a resource holds only a copy of other data: an instance of a
// cluster, a replica, a secret derived from another secret.
func (r *Resource) copied() bool {
	p := r.Properties
	return r.Type == "AWS::RDS::DBInstance" && (p["DBClusterIdentifier"] != nil || p["SourceDBInstanceIdentifier"] != nil) ||
		r.Type == "AWS::ElastiCache::CacheCluster" && (p["Engine"] == "memcached" || p["ReplicationGroupId"] != nil) || // memcached keeps nothing
		r.Type == "AWS::SecretsManager::Secret" && dynamic.MatchString(r.Stack.text(p["SecretString"]))
}

// requirement is a value that a property must or must not have.
type requirement struct {
	Type string
	// Path leads through lists, of which each item must meet the requirement.
	Path []string
	// Good lists the right values; an absent value is wrong then. Without Good, Bad lists
	// the wrong values, "" for an absent value in a present parent.
	Good, Bad []string
	// Unless names properties whose presence makes this one irrelevant.
	Unless []string
	// Why tells the consequence, after "it".
	Why string
}

var (
	isTrue  = []string{"true"}
	isFalse = []string{"false"}
	// absentOrFalse is for properties that default to false if a neighbour is set.
	absentOrFalse = []string{"", "false"}
	replica       = []string{"DBClusterIdentifier", "SourceDBInstanceIdentifier"}
)

var unprotected = []requirement{
	{Type: "AWS::RDS::DBCluster", Path: []string{"DeletionProtection"}, Good: isTrue, Why: "can be deleted by mistake"},
	{Type: "AWS::RDS::DBInstance", Path: []string{"DeletionProtection"}, Good: isTrue, Unless: replica, Why: "can be deleted by mistake"},
	{Type: "AWS::DocDB::DBCluster", Path: []string{"DeletionProtection"}, Good: isTrue, Why: "can be deleted by mistake"},
	{Type: "AWS::Neptune::DBCluster", Path: []string{"DeletionProtection"}, Good: isTrue, Why: "can be deleted by mistake"},
	{Type: "AWS::RDS::DBCluster", Path: []string{"BackupRetentionPeriod"}, Bad: []string{"0"}, Why: "has no backups"},
	{Type: "AWS::RDS::DBInstance", Path: []string{"BackupRetentionPeriod"}, Bad: []string{"0"}, Unless: replica, Why: "has no backups"},
	{Type: "AWS::DynamoDB::Table", Path: []string{"PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"}, Good: isTrue, Why: "cannot be restored"},
	{Type: "AWS::DynamoDB::GlobalTable", Path: []string{"Replicas", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"}, Good: isTrue, Why: "cannot be restored"},
}

var unencrypted = []requirement{
	{Type: "AWS::RDS::DBCluster", Path: []string{"StorageEncrypted"}, Good: isTrue, Unless: []string{"SnapshotIdentifier", "SourceDBClusterIdentifier", "GlobalClusterIdentifier"}, Why: "is stored in clear text"},
	{Type: "AWS::RDS::DBInstance", Path: []string{"StorageEncrypted"}, Good: isTrue, Unless: append([]string{"DBSnapshotIdentifier", "SourceDbiResourceId"}, replica...), Why: "is stored in clear text"},
	{Type: "AWS::DocDB::DBCluster", Path: []string{"StorageEncrypted"}, Good: isTrue, Unless: []string{"SnapshotIdentifier", "SourceDBClusterIdentifier"}, Why: "is stored in clear text"},
	{Type: "AWS::Neptune::DBCluster", Path: []string{"StorageEncrypted"}, Good: isTrue, Unless: []string{"SnapshotIdentifier", "SourceDBClusterIdentifier"}, Why: "is stored in clear text"},
	{Type: "AWS::EFS::FileSystem", Path: []string{"Encrypted"}, Good: isTrue, Why: "is stored in clear text"},
	{Type: "AWS::EC2::Volume", Path: []string{"Encrypted"}, Good: isTrue, Unless: []string{"SnapshotId"}, Why: "is stored in clear text"},
	{Type: "AWS::ElastiCache::ReplicationGroup", Path: []string{"AtRestEncryptionEnabled"}, Good: isTrue, Why: "is stored in clear text"},
	{Type: "AWS::OpenSearchService::Domain", Path: []string{"EncryptionAtRestOptions", "Enabled"}, Good: isTrue, Why: "is stored in clear text"},
	{Type: "AWS::Kinesis::Stream", Path: []string{"StreamEncryption", "EncryptionType"}, Good: []string{"KMS"}, Why: "is stored in clear text"},
	{Type: "AWS::Redshift::Cluster", Path: []string{"Encrypted"}, Bad: isFalse, Why: "is stored in clear text"},
	// SQS encrypts a queue by default.
	{Type: "AWS::SQS::Queue", Path: []string{"SqsManagedSseEnabled"}, Bad: isFalse, Unless: []string{"KmsMasterKeyId"}, Why: "is stored in clear text"},
}

// Since April 2023 a bucket blocks all public access by default.
var open = []requirement{
	{Type: "AWS::S3::Bucket", Path: []string{"AccessControl"}, Bad: []string{"PublicRead", "PublicReadWrite"}, Why: "is public"},
	{Type: "AWS::S3::Bucket", Path: []string{"PublicAccessBlockConfiguration", "BlockPublicAcls"}, Bad: absentOrFalse, Why: "may become public"},
	{Type: "AWS::S3::Bucket", Path: []string{"PublicAccessBlockConfiguration", "BlockPublicPolicy"}, Bad: absentOrFalse, Why: "may become public"},
	{Type: "AWS::S3::Bucket", Path: []string{"PublicAccessBlockConfiguration", "IgnorePublicAcls"}, Bad: absentOrFalse, Why: "may become public"},
	{Type: "AWS::S3::Bucket", Path: []string{"PublicAccessBlockConfiguration", "RestrictPublicBuckets"}, Bad: absentOrFalse, Why: "may become public"},
}

var mutable = []requirement{
	{Type: "AWS::ECR::Repository", Path: []string{"ImageTagMutability"}, Good: []string{"IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"}, Why: "lets a tag be moved to another image"},
	{Type: "AWS::ECR::Repository", Path: []string{"ImageScanningConfiguration", "ScanOnPush"}, Good: isTrue, Why: "does not scan its images"},
}

var forever = []requirement{
	{Type: "AWS::Logs::LogGroup", Path: []string{"RetentionInDays"}, Bad: []string{"", "0"}, Why: "keeps its logs for ever"},
}

// holds returns a check of requirements. With protects, it ignores ephemeral stacks.
func holds(rows []requirement, protects bool) func(*Assembly, *report) {
	return func(a *Assembly, found *report) {
		for _, row := range rows {
			for _, r := range a.Of(row.Type) {
				if protects && r.Stack.ephemeral() || slices.ContainsFunc(row.Unless, func(key string) bool { return r.Properties[key] != nil }) {
					continue
				}
				for _, value := range row.values(r.Properties, row.Path) {
					if row.wrong(value) {
						found.on(r, "it %s: %s is %s", row.Why, strings.Join(row.Path, "."), cmp.Or(value, "not there"))
					}
				}
			}
		}
	}
}

// values returns the literal values at a path, "" for an absent one. It drops values that
// are known only when deployed.
func (row requirement) values(v any, path []string) []string {
	if len(path) == 0 {
		if text, ok := literal(v); ok || v == nil {
			return []string{text}
		}
		return nil
	}
	if v == nil && len(row.Good) == 0 {
		return nil
	}
	if items, ok := v.([]any); ok {
		var found []string
		for _, item := range items {
			found = append(found, row.values(item, path)...)
		}
		return found
	}
	if _, _, ok := function(v); ok {
		return nil
	}
	return row.values(at(v, path[0]), path[1:])
}

func (row requirement) wrong(value string) bool {
	is := func(one string) bool { return strings.EqualFold(one, value) }
	if len(row.Good) > 0 {
		return !slices.ContainsFunc(row.Good, is)
	}
	return slices.ContainsFunc(row.Bad, is)
}

// refusals lists, for each type, its policy type, the property of the policy that names its
// resource, and an action that the policy must deny without TLS.
var refusals = []struct{ Type, Policy, Of, Action string }{
	{"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket", "s3:GetObject"},
	{"AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:SendMessage"},
	{"AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"},
}

func tlsOptional(a *Assembly, found *report) {
	refusing := slices.DeleteFunc(a.statements(resource), func(s statement) bool { return !s.refusesClear() })
	for _, row := range refusals {
		for _, r := range a.Of(row.Type) {
			if !slices.ContainsFunc(refusing, func(s statement) bool {
				return s.on.Type == row.Policy && s.does(row.Action) && slices.ContainsFunc(list(s.on.Properties[row.Of]), func(v any) bool {
					named, _ := s.on.Stack.Target(v)
					return named == r && (row.Of != "Bucket" || s.coversObjects())
				})
			}) {
				found.on(r, "it takes requests without TLS: add a policy that denies %s where aws:SecureTransport is false", strings.Split(row.Action, ":")[0]+":*")
			}
		}
	}
}

// refusesClear reports whether a statement denies all requests without TLS to everyone.
func (s statement) refusesClear() bool {
	conditions := s.conditions()
	return at(s.raw, "Effect") == "Deny" && s.everyone() && len(conditions) == 1 && conditions[0].key == "aws:securetransport" &&
		slices.Contains([]string{"Bool", "BoolIfExists"}, conditions[0].operator) && slices.Equal(conditions[0].values, isFalse)
}

// coversObjects reports whether a statement covers the objects of a bucket, too.
func (s statement) coversObjects() bool {
	return slices.ContainsFunc(s.resources(), func(pattern string) bool {
		return strings.HasSuffix(pattern, "*") || !known(pattern) && !strings.Contains(pattern, "/")
	})
}

func volumeInClear(a *Assembly, found *report) {
	for _, task := range a.Of("AWS::ECS::TaskDefinition") {
		for _, volume := range each(task.Properties, "Volumes") {
			for _, efs := range each(volume, "EFSVolumeConfiguration") {
				if encryption := at(efs, "TransitEncryption"); encryption == nil || encryption == "DISABLED" {
					found.on(task, "volume %s is mounted in clear text: TransitEncryption is %s, ENABLED encrypts it", canonical(at(volume, "Name")), canonical(encryption))
				}
			}
		}
	}
}
