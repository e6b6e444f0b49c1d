//go:build !race

package applications

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"composecdk/test/assembly"
	"composecdk/test/fixture"
)

// lasting are the types whose replacement loses data, or what others stand on.
var lasting = []string{
	"AWS::Cognito::UserPool", "AWS::DocDB::DBCluster", "AWS::DocDB::DBInstance", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table",
	"AWS::EC2::EIP", "AWS::EC2::Subnet", "AWS::EC2::VPC", "AWS::ECR::Repository", "AWS::ECS::Cluster", "AWS::EFS::AccessPoint",
	"AWS::EFS::FileSystem", "AWS::ElastiCache::CacheCluster", "AWS::ElastiCache::ReplicationGroup",
	"AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::KMS::Key", "AWS::Kinesis::Stream", "AWS::Logs::LogGroup", "AWS::Neptune::DBCluster",
	"AWS::Neptune::DBInstance", "AWS::OpenSearchService::Domain", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::RDS::DBSubnetGroup",
	"AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::SSM::Parameter", "AWS::SecretsManager::Secret",
	"AWS::ServiceDiscovery::PrivateDnsNamespace",
}

// createOnlyFile lists the create-only properties of the lasting types, made by -update
// from the CloudFormation schemas that cfn-lint has.
const createOnlyFile = "../../templatediff/createonly.tsv"

// createOnly are the properties of which another value makes CloudFormation replace
// the resource, by type; one that is nested is written a/b.
var createOnly = readCreateOnly()

func readCreateOnly() map[string][]string {
	content, err := os.ReadFile(createOnlyFile)
	if err != nil {
		panic(err)
	}
	table := map[string][]string{}
	for _, line := range strings.Split(string(content), "\n") {
		if kind, properties, ok := strings.Cut(line, "\t"); ok {
			table[kind] = strings.Fields(properties)
		}
	}
	return table
}

// The table must be that of the schemas that are installed.
func TestCreateOnlyProperties(t *testing.T) {
	found, err := filepath.Glob("../../.venv/lib/python3*/site-packages/cfnlint/data/schemas")
	if err != nil || len(found) == 0 {
		t.Fatalf("no schemas of cfn-lint, which `make venv` installs: %v", err)
	}
	var version struct {
		Date string `json:"schema_date"`
	}
	files := map[string]string{}
	assembly.ReadJSON(t, filepath.Join(found[0], "version.json"), &version)
	assembly.ReadJSON(t, filepath.Join(found[0], "providers/us-east-1.json"), &files)
	var b strings.Builder
	fmt.Fprintf(&b, "# create-only properties in the CloudFormation schemas of %s; make golden rewrites this file\n", version.Date)
	for _, kind := range lasting {
		var schema struct{ CreateOnlyProperties, ConditionalCreateOnlyProperties []string }
		assembly.ReadJSON(t, filepath.Join(found[0], "resources", files[kind]+".json"), &schema)
		properties := map[string]bool{}
		for _, path := range slices.Concat(schema.CreateOnlyProperties, schema.ConditionalCreateOnlyProperties) {
			properties[strings.TrimPrefix(path, "/properties/")] = true
		}
		fmt.Fprintf(&b, "%s\t%s\n", kind, strings.Join(slices.Sorted(maps.Keys(properties)), " "))
	}
	fixture.Golden(t, createOnlyFile, b.String())
}
