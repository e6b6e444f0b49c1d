package gate

import (
	"fmt"
	"testing"
)

var onD = []string{"D"}

// dataWith returns a resource D of a type, with retention.
func dataWith(kind, properties string) string {
	return fmt.Sprintf(`"D": {"Type": %q, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {%s}}`, kind, properties)
}

func TestDataIsKept(t *testing.T) {
	kept := func(kind, policies, properties string) string {
		return fmt.Sprintf(`"D": {"Type": %q%s, "Properties": {%s}}`, kind, policies, properties)
	}
	const (
		rule  = "data-lost"
		table = "AWS::DynamoDB::Table"
		lost  = `, "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"`
	)
	cases := []ruleCase{
		{"retained", rule, kept(table, `, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"`, ``), nil},
		{"a snapshot", rule, kept("AWS::RDS::DBCluster", `, "DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot"`, ``), nil},
		{"a snapshot of what has none", rule, kept(table, `, "DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Retain"`, ``), onD},
		{"retained on creation only, when it is replaced", rule, kept(table, `, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "RetainExceptOnCreate"`, ``), onD},
		{"a cache that keeps nothing", rule, kept("AWS::ElastiCache::CacheCluster", ``, `"Engine": "memcached"`), nil},
		{"retained once it is there", rule, kept(table, `, "DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"`, ``), nil},
		{"lost", rule, kept(table, lost, ``), []string{"D", "D"}},
		{"lost by default", rule, kept(table, ``, ``), []string{"D", "D"}},
		{"lost when it is replaced", rule, kept(table, `, "DeletionPolicy": "Retain"`, ``), onD},
		{"lost when it is deleted", rule, kept(table, `, "UpdateReplacePolicy": "Retain"`, ``), onD},
		{"a queue", rule, kept("AWS::SQS::Queue", lost, ``), nil},
		{"an instance of a cluster", rule, kept("AWS::RDS::DBInstance", lost, `"DBClusterIdentifier": "c"`), nil},
		{"a replica", rule, kept("AWS::RDS::DBInstance", lost, `"SourceDBInstanceIdentifier": "d"`), nil},
		{"an instance by itself", rule, kept("AWS::RDS::DBInstance", lost, ``), []string{"D", "D"}},
		{"a secret that is made of another one", rule, kept("AWS::SecretsManager::Secret", lost, `"SecretString": {"Fn::Join": ["", ["postgres://{{resolve:secretsmanager:", {"Ref": "S"}, ":SecretString:password}}@db"]]}`), nil},
		{"a secret", rule, kept("AWS::SecretsManager::Secret", lost, `"GenerateSecretString": {}`), []string{"D", "D"}},
		{"a table with what looks like a cluster", rule, kept(table, lost, `"DBClusterIdentifier": "c"`), []string{"D", "D"}},
		{"a table with what looks like a secret", rule, kept(table, lost, `"SecretString": "{{resolve:secretsmanager:x}}"`), []string{"D", "D"}},
	}
	for _, kind := range stateful {
		cases = append(cases, ruleCase{kind, rule, kept(kind, ``, ``), []string{"D", "D"}})
	}
	runCases(t, cases)
}

func TestMessagesOfData(t *testing.T) {
	for _, c := range []struct{ rule, resources, message string }{
		{"data-lost", `"D": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}`, "D: its data may be lost when it is replaced: it has no UpdateReplacePolicy, Retain keeps it"},
		{"data-lost", `"D": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain"}`, "D: its data is lost when it is deleted: DeletionPolicy is Delete, Retain keeps it"},
		{"data-unprotected", dataWith("AWS::RDS::DBCluster", `"DeletionProtection": false`), "D: it can be deleted by mistake: DeletionProtection is false"},
		{"data-unprotected", dataWith("AWS::DynamoDB::Table", ``), "D: it cannot be restored: PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled is not there"},
		{"tls-optional", `"D": {"Type": "AWS::SNS::Topic"}`, "D: it takes requests without TLS: add a policy that denies sns:* where aws:SecureTransport is false"},
		{"volume-in-clear", `"D": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Volumes": [{"Name": "v", "EFSVolumeConfiguration": {}}]}}`, "D: volume v is mounted in clear text: TransitEncryption is null, ENABLED encrypts it"},
	} {
		if got := found(t, c.rule, oneTemplate(t, `{"Resources": {`+c.resources+`}}`)); len(got) != 1 || got[0] != c.message {
			t.Errorf("got %q, want %q", got, c.message)
		}
	}
}

// An ephemeral environment must be encrypted, but neither retained nor protected.
func TestEphemeral(t *testing.T) {
	resources := `"Resources": {
		"T": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
		"D": {"Type": "AWS::RDS::DBCluster", "Properties": {"BackupRetentionPeriod": 0}}
	}`
	for _, c := range []struct {
		metadata                    string
		lost, unprotected, readable int
	}{
		{``, 4, 3, 1},
		{`"Metadata": {"composecdk:ephemeral": true},`, 0, 0, 1},
		{`"Metadata": {"composecdk:ephemeral": false},`, 4, 3, 1},
	} {
		a := oneTemplate(t, "{"+c.metadata+resources+"}")
		for rule, want := range map[string]int{"data-lost": c.lost, "data-unprotected": c.unprotected, "data-unencrypted": c.readable} {
			if got := found(t, rule, a); len(got) != want {
				t.Errorf("%s: %d findings of %s, want %d: %v", c.metadata, len(got), rule, want, got)
			}
		}
	}
}

// Each requirement must have a right value, a wrong one, and a verdict on an absent one.
func TestWantedProperties(t *testing.T) {
	const cluster = `"StorageEncrypted": true, "DeletionProtection": true`
	var cases []ruleCase
	both := func(rule, kind, right, wrong string) {
		cases = append(cases, ruleCase{kind + " right: " + right, rule, dataWith(kind, right), nil}, ruleCase{kind + " wrong: " + wrong, rule, dataWith(kind, wrong), onD})
	}
	both("data-unprotected", "AWS::RDS::DBCluster", `"DeletionProtection": true`, `"DeletionProtection": "false"`)
	both("data-unprotected", "AWS::RDS::DBCluster", `"DeletionProtection": {"Ref": "P"}`, ``)
	both("data-unprotected", "AWS::RDS::DBCluster", `"DeletionProtection": true, "BackupRetentionPeriod": 7`, `"DeletionProtection": true, "BackupRetentionPeriod": "0"`)
	both("data-unprotected", "AWS::RDS::DBInstance", `"DeletionProtection": "true"`, ``)
	both("data-unprotected", "AWS::RDS::DBInstance", `"DBClusterIdentifier": "c"`, `"DeletionProtection": true, "BackupRetentionPeriod": 0`)
	both("data-unprotected", "AWS::RDS::DBInstance", `"SourceDBInstanceIdentifier": "d", "BackupRetentionPeriod": 0`, `"DeletionProtection": false`)
	both("data-unprotected", "AWS::DocDB::DBCluster", `"DeletionProtection": true`, ``)
	both("data-unprotected", "AWS::Neptune::DBCluster", `"DeletionProtection": true`, ``)
	both("data-unprotected", "AWS::DynamoDB::Table", `"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}`, `"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": false}`)
	both("data-unprotected", "AWS::DynamoDB::Table", `"PointInTimeRecoverySpecification": {"Fn::GetAtt": ["X", "Y"]}`, `"PointInTimeRecoverySpecification": {}`)
	both("data-unprotected", "AWS::DynamoDB::GlobalTable", `"Replicas": [{"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}}]`, `"Replicas": [{"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}}, {}]`)
	both("data-unencrypted", "AWS::RDS::DBCluster", cluster, ``)
	both("data-unencrypted", "AWS::RDS::DBCluster", `"SnapshotIdentifier": "s"`, `"StorageEncrypted": false`)
	both("data-unencrypted", "AWS::RDS::DBInstance", `"DBClusterIdentifier": "c"`, ``)
	both("data-unencrypted", "AWS::DocDB::DBCluster", `"StorageEncrypted": true`, ``)
	both("data-unencrypted", "AWS::Neptune::DBCluster", `"StorageEncrypted": true`, ``)
	both("data-unencrypted", "AWS::EFS::FileSystem", `"Encrypted": true`, ``)
	both("data-unencrypted", "AWS::EC2::Volume", `"Encrypted": true`, ``)
	both("data-unencrypted", "AWS::EC2::Volume", `"SnapshotId": "s"`, `"Encrypted": false`)
	both("data-unencrypted", "AWS::ElastiCache::ReplicationGroup", `"AtRestEncryptionEnabled": true`, ``)
	both("data-unencrypted", "AWS::OpenSearchService::Domain", `"EncryptionAtRestOptions": {"Enabled": true}`, ``)
	both("data-unencrypted", "AWS::Kinesis::Stream", `"StreamEncryption": {"EncryptionType": "KMS"}`, ``)
	both("data-unencrypted", "AWS::Redshift::Cluster", ``, `"Encrypted": false`)
	both("data-unencrypted", "AWS::SQS::Queue", ``, `"SqsManagedSseEnabled": false`)
	both("data-unencrypted", "AWS::SQS::Queue", `"SqsManagedSseEnabled": false, "KmsMasterKeyId": "k"`, `"SqsManagedSseEnabled": "false"`)
	all := `"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": %s}`
	both("data-public", "AWS::S3::Bucket", fmt.Sprintf(all, "true"), fmt.Sprintf(all, "false"))
	both("data-public", "AWS::S3::Bucket", ``, `"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true}`)
	both("data-public", "AWS::S3::Bucket", `"AccessControl": "Private"`, `"AccessControl": "PublicRead"`)
	both("data-public", "AWS::S3::Bucket", `"PublicAccessBlockConfiguration": {"Ref": "P"}`, `"AccessControl": "PublicReadWrite"`)
	scanned := `"ImageScanningConfiguration": {"ScanOnPush": true}, `
	both("image-mutable", "AWS::ECR::Repository", scanned+`"ImageTagMutability": "IMMUTABLE"`, scanned+`"ImageTagMutability": "MUTABLE"`)
	both("image-mutable", "AWS::ECR::Repository", scanned+`"ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION"`, scanned+`"Tags": []`)
	both("image-mutable", "AWS::ECR::Repository", scanned+`"ImageTagMutability": {"Ref": "P"}`, `"ImageTagMutability": "IMMUTABLE"`)
	both("log-forever", "AWS::Logs::LogGroup", `"RetentionInDays": 30`, ``)
	both("log-forever", "AWS::Logs::LogGroup", `"RetentionInDays": {"Ref": "P"}`, `"RetentionInDays": 0`)
	runCases(t, cases)
}

func TestTLS(t *testing.T) {
	queue := func(statement, queues string) string {
		return `"Q": {"Type": "AWS::SQS::Queue"}, "O": {"Type": "AWS::SQS::Queue"}, "P": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [` + queues + `], "PolicyDocument": {"Statement": [` + statement + `]}}}`
	}
	deny := func(principal, action, condition string) string {
		return `{"Effect": "Deny", "Principal": ` + principal + `, "Action": "` + action + `", "Resource": "*", "Condition": ` + condition + `}`
	}
	const (
		both  = `{"Ref": "Q"}, {"Ref": "O"}`
		plain = `{"Bool": {"aws:SecureTransport": "false"}}`
	)
	refuses := deny(`"*"`, "sqs:*", plain)
	runCases(t, []ruleCase{
		{"refused", "tls-optional", queue(refuses, both), nil},
		{"refused for one of two", "tls-optional", queue(refuses, `{"Ref": "O"}`), []string{"Q"}},
		{"refused with a boolean", "tls-optional", queue(deny(`{"AWS": "*"}`, "*", `{"BoolIfExists": {"AWS:SECURETRANSPORT": false}}`), both), nil},
		{"refused for sending", "tls-optional", queue(deny(`"*"`, "sqs:Send*", plain), both), nil},
		{"refused for receiving only", "tls-optional", queue(deny(`"*"`, "sqs:ReceiveMessage", plain), both), []string{"O", "Q"}},
		{"refused with TLS", "tls-optional", queue(deny(`"*"`, "sqs:*", `{"Bool": {"aws:SecureTransport": "true"}}`), both), []string{"O", "Q"}},
		{"refused for one account", "tls-optional", queue(deny(`{"AWS": "111111111111"}`, "sqs:*", plain), both), []string{"O", "Q"}},
		{"refused sometimes", "tls-optional", queue(deny(`"*"`, "sqs:*", `{"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpc": "v"}}`), both), []string{"O", "Q"}},
		{"refused by another test", "tls-optional", queue(deny(`"*"`, "sqs:*", `{"StringEquals": {"aws:SecureTransport": "false"}}`), both), []string{"O", "Q"}},
		{"refused for another key", "tls-optional", queue(deny(`"*"`, "sqs:*", `{"Bool": {"aws:MultiFactorAuthPresent": "false"}}`), both), []string{"O", "Q"}},
		{"allowed", "tls-optional", queue(`{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Condition": `+plain+`}`, both), []string{"O", "Q"}},
		{"a bucket", "tls-optional", `"B": {"Type": "AWS::S3::Bucket"}, "P": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "B"}, "PolicyDocument": {"Statement": [` + deny(`"*"`, "s3:*", plain) + `]}}}`, nil},
		{"the policy of a topic for a bucket", "tls-optional", `"B": {"Type": "AWS::S3::Bucket"}, "P": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": "B"}], "Bucket": {"Ref": "B"}, "PolicyDocument": {"Statement": [` + deny(`"*"`, "*", plain) + `]}}}`, []string{"B"}},
		{"a topic", "tls-optional", `"B": {"Type": "AWS::SNS::Topic"}, "P": {"Type": "AWS::SNS::TopicPolicy", "Properties": {"Topics": [{"Ref": "B"}], "PolicyDocument": {"Statement": [` + deny(`"*"`, "sns:Publish", plain) + `]}}}`, nil},
	})
}

func TestVolumes(t *testing.T) {
	volume := func(configuration string) string {
		return ecsTask(`[{"Name": "a"}]`, `, "Volumes": [{"Name": "v", `+configuration+`}]`)
	}
	runCases(t, []ruleCase{
		{"encrypted", "volume-in-clear", volume(`"EFSVolumeConfiguration": {"TransitEncryption": "ENABLED"}`), nil},
		{"not encrypted", "volume-in-clear", volume(`"EFSVolumeConfiguration": {"TransitEncryption": "DISABLED"}`), []string{onT}},
		{"by default", "volume-in-clear", volume(`"EFSVolumeConfiguration": {}`), []string{onT}},
		{"what a deployment tells", "volume-in-clear", volume(`"EFSVolumeConfiguration": {"TransitEncryption": {"Ref": "P"}}`), nil},
		{"no file system", "volume-in-clear", volume(`"Host": {}`), nil},
	})
}
