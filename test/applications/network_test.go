//go:build !race

package applications

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"composecdk/compose"
	"composecdk/constructs/network"
	"composecdk/test/assembly"
)

// newStack returns an app with one stack, bound to an environment if account is set.
func newStack(t *testing.T, account string) awscdk.Stack {
	t.Helper()
	app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false)})
	props := &awscdk.StackProps{}
	if account != "" {
		props.Env = &awscdk.Environment{Account: jsii.String(account), Region: jsii.String("eu-west-1")}
	}
	return awscdk.NewStack(app, jsii.String("Stack"), props)
}

func synth(t *testing.T, stack awscdk.Stack) template {
	t.Helper()
	dir := *awscdk.App_Of(stack).Synth(nil).Directory()
	tm, err := assembly.Read(filepath.Join(dir, *stack.TemplateFile()))
	if err != nil {
		t.Fatal(err)
	}
	tm.T = t
	return tm
}

func newVPC() *compose.Network {
	return &compose.Network{Path: "x-vpc", New: &compose.NewVPC{CIDR: "10.0.0.0/16", MaxAZs: 2, NATGateways: 1}}
}

func mustNetwork(t *testing.T, stack awscdk.Stack, m *compose.Network) *network.Network {
	t.Helper()
	network.PresetAvailabilityZones(stack, m)
	n, err := network.NewNetwork(stack, "x-vpc", m)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func missingContext(t *testing.T, tm template) any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(tm.Dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	return manifest["missing"]
}

func TestNewVPC(t *testing.T) {
	t.Run("has three tiers that share the range as one quarter, one half and one quarter", func(t *testing.T) {
		stack := newStack(t, "")
		mustNetwork(t, stack, newVPC())
		tm := synth(t, stack)
		var cidrs []string
		for _, s := range tm.Of("AWS::EC2::Subnet") {
			p := s["Properties"].(map[string]any)
			cidrs = append(cidrs, p["CidrBlock"].(string))
			equal(t, "public addresses", p["MapPublicIpOnLaunch"], false)
		}
		slices.Sort(cidrs)
		equal(t, "subnets", cidrs, []string{
			"10.0.0.0/19", "10.0.128.0/18", "10.0.192.0/19", "10.0.224.0/19", "10.0.32.0/19", "10.0.64.0/18",
		})
		tm.Count("AWS::EC2::NatGateway", 1)
		tm.Count("AWS::Lambda::Function", 0)
		tm.Count("AWS::EC2::FlowLog", 0)
	})
	t.Run("uses the zones of the region without a look-up, with and without an account", func(t *testing.T) {
		for _, account := range []string{"", "111111111111"} {
			stack := newStack(t, account)
			m := newVPC()
			m.New.MaxAZs, m.New.NATGateways = 3, -1
			mustNetwork(t, stack, m)
			tm := synth(t, stack)
			if missingContext(t, tm) != nil || strings.Contains(tm.Text, "dummy1") {
				t.Errorf("account %q: the synthesis waits for a look-up: %v", account, missingContext(t, tm))
			}
			tm.Count("AWS::EC2::Subnet", 9)
			tm.Count("AWS::EC2::NatGateway", 3)
			contains(t, "zone", tm.Of("AWS::EC2::Subnet")[0], `"Fn::GetAZs":""`)
		}
	})
	t.Run("uses the zones that the file names", func(t *testing.T) {
		stack := newStack(t, "111111111111")
		m := newVPC()
		m.New.AvailabilityZones = []string{"eu-west-1b", "eu-west-1c"}
		mustNetwork(t, stack, m)
		tm := synth(t, stack)
		contains(t, "zone", tm.Of("AWS::EC2::Subnet"), `"AvailabilityZone":"eu-west-1c"`)
		equal(t, "missing", missingContext(t, tm), nil)
	})
	t.Run("has the endpoints, flow logs and DHCP domain of the file, and no NAT if the file says so", func(t *testing.T) {
		stack := newStack(t, "")
		m := newVPC()
		m.New.NATGateways = 0
		m.New.Endpoints = []string{"ecr.api", "s3"}
		m.New.FlowLogs, m.New.FlowLogsRoleBoundary = true, "arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess"
		m.New.DHCPDomain = "corp.internal"
		mustNetwork(t, stack, m)
		tm := synth(t, stack)
		tm.Count("AWS::EC2::NatGateway", 0)
		tm.Count("AWS::EC2::VPCEndpoint", 2)
		tm.Count("AWS::EC2::VPCDHCPOptionsAssociation", 1)
		equal(t, "boundary", tm.One("AWS::IAM::Role")["PermissionsBoundary"], "arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess")
		equal(t, "policy resources", text(at(tm.One("AWS::IAM::Policy"), "PolicyDocument", "Statement", 0, "Resource")) == `"*"`, false)
		rule := at(tm.One("AWS::EC2::SecurityGroup"), "SecurityGroupIngress", 0)
		equal(t, "endpoint port", at(rule, "FromPort"), 443)
		contains(t, "endpoint source", at(rule, "CidrIp"), "CidrBlock")
	})
}

func TestExistingVPC(t *testing.T) {
	ids := &compose.Network{Path: "x-vpc", Existing: &compose.ExistingVPC{
		ID: "vpc-1", CIDR: "10.1.0.0/16",
		Subnets: map[string]compose.SubnetSelection{
			compose.AppSubnets:    {IDs: []string{"subnet-a", "subnet-b"}},
			compose.PublicSubnets: {IDs: []string{"subnet-p", "subnet-q"}},
			"Batch":               {IDs: []string{"subnet-x"}},
		},
	}}
	t.Run("given by ids needs neither an account nor a look-up", func(t *testing.T) {
		stack := newStack(t, "")
		n := mustNetwork(t, stack, ids)
		for group, want := range map[string][]string{
			compose.AppSubnets: {"subnet-a", "subnet-b"}, "Batch": {"subnet-x"},
			compose.StorageSubnets: {"subnet-a", "subnet-b"}, // the nearest that the file has
		} {
			got := n.SubnetIDs(group)
			equal(t, group, got, want)
		}
		if cidr, ok := n.CIDR(); !ok || *cidr.Token() != "10.1.0.0/16" {
			t.Errorf("got CIDR %v %v", *cidr.Token(), ok)
		}
		equal(t, "missing", missingContext(t, synth(t, stack)), nil)
	})
	tags := &compose.Network{Path: "x-vpc", Existing: &compose.ExistingVPC{
		Tags: map[string]string{"Name": "shared"},
		Subnets: map[string]compose.SubnetSelection{
			compose.AppSubnets:     {Tags: map[string]string{"vpc::usage": "application"}},
			compose.StorageSubnets: {Tags: map[string]string{"vpc::usage": "storage"}},
			compose.PublicSubnets:  {Tags: map[string]string{"vpc::usage": "public"}},
		},
	}}
	t.Run("given by tags asks the CDK context, with a placeholder that passes for an answer", func(t *testing.T) {
		stack := newStack(t, "111111111111")
		n := mustNetwork(t, stack, tags)
		equal(t, "subnets", n.SubnetIDs(compose.AppSubnets), []string{"subnet-00000000000000001", "subnet-00000000000000002"})
		equal(t, "vpc", *n.VPC().VpcId(), "vpc-00000000000000000")
		contains(t, "missing", missingContext(t, synth(t, stack)), `"subnetGroupNameTag":"vpc::usage"`)
	})
	t.Run("given by tags takes the answer of the CDK context", func(t *testing.T) {
		stack := newStack(t, "111111111111")
		stack.Node().SetContext(
			jsii.String("vpc-provider:account=111111111111:filter.tag:Name=shared:region=eu-west-1:returnAsymmetricSubnets=true:subnetGroupNameTag=vpc$:$:usage"),
			map[string]any{"vpcId": "vpc-1", "vpcCidrBlock": "10.2.0.0/16", "availabilityZones": []any{}, "subnetGroups": []any{
				map[string]any{"name": "application", "type": "Private", "subnets": []any{
					map[string]any{"subnetId": "subnet-app", "availabilityZone": "eu-west-1a", "routeTableId": "rtb-1", "cidr": "10.2.0.0/24"},
				}},
			}})
		n := mustNetwork(t, stack, tags)
		equal(t, "subnets", n.SubnetIDs(compose.AppSubnets), []string{"subnet-app"})
		if cidr, ok := n.CIDR(); !ok || *cidr.Token() != "10.2.0.0/16" {
			t.Errorf("got CIDR %v %v", *cidr.Token(), ok)
		}
		equal(t, "missing", missingContext(t, synth(t, stack)), nil)
	})
	t.Run("given by tags fails clearly without an account", func(t *testing.T) {
		_, err := network.NewNetwork(newStack(t, ""), "x-vpc", tags)
		if err == nil || !strings.Contains(err.Error(), "x-vpc: looking up a VPC needs the account and the region") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCluster(t *testing.T) {
	build := func(t *testing.T, m *compose.Cluster) template {
		t.Helper()
		stack := newStack(t, "")
		if _, err := network.NewCluster(stack, "x-cluster", m, mustNetwork(t, stack, newVPC())); err != nil {
			t.Fatal(err)
		}
		return synth(t, stack)
	}
	t.Run("has container insights, both Fargate providers and logs of Exec sessions", func(t *testing.T) {
		tm := build(t, &compose.Cluster{})
		c := tm.One("AWS::ECS::Cluster")
		equal(t, "insights", c["ClusterSettings"], []any{map[string]any{"Name": "containerInsights", "Value": "enhanced"}})
		equal(t, "providers", c["CapacityProviders"], []string{"FARGATE", "FARGATE_SPOT"})
		equal(t, "logging", at(c, "Configuration", "ExecuteCommandConfiguration", "Logging"), "OVERRIDE")
		equal(t, "retention", tm.One("AWS::Logs::LogGroup")["RetentionInDays"], 120)
		tm.Count("AWS::KMS::Key", 0)
	})
	t.Run("takes every property of the file, and the key and bucket it asks for", func(t *testing.T) {
		tm := build(t, &compose.Cluster{
			ExecKMSKey: true, ExecBucket: true, ExecLogRetentionDays: 30,
			Properties: map[string]any{
				"ClusterName":     "one",
				"ClusterSettings": []any{map[string]any{"Name": "containerInsights", "Value": "enabled"}},
			},
		})
		c := tm.One("AWS::ECS::Cluster")
		equal(t, "name", c["ClusterName"], "one")
		equal(t, "insights", at(c, "ClusterSettings", 0, "Value"), "enabled")
		contains(t, "key", at(c, "Configuration", "ExecuteCommandConfiguration", "KmsKeyId"), "Fn::GetAtt")
		contains(t, "bucket", at(c, "Configuration", "ExecuteCommandConfiguration", "LogConfiguration", "S3BucketName"), "Ref")
		equal(t, "retention", tm.One("AWS::Logs::LogGroup")["RetentionInDays"], 30)
		tm.Count("AWS::Lambda::Function", 0)
	})
	t.Run("leaves Exec logging to a file that configures it", func(t *testing.T) {
		tm := build(t, &compose.Cluster{Properties: map[string]any{"Configuration": map[string]any{
			"ExecuteCommandConfiguration": map[string]any{"Logging": "NONE"},
		}}})
		equal(t, "configuration", tm.One("AWS::ECS::Cluster")["Configuration"],
			map[string]any{"ExecuteCommandConfiguration": map[string]any{"Logging": "NONE"}})
		tm.Count("AWS::Logs::LogGroup", 0)
	})
	t.Run("may be one that exists", func(t *testing.T) {
		build(t, &compose.Cluster{Existing: "shared"}).Count("AWS::ECS::Cluster", 0)
	})
}

func TestNamespaces(t *testing.T) {
	stack := newStack(t, "111111111111")
	n := mustNetwork(t, stack, newVPC())
	all, err := network.NewNamespaces(stack, "x-cloudmap", []*compose.Namespace{
		{Name: compose.DefaultNamespace, Zone: "shop.internal"},
		{Name: "given", Zone: "given.internal", Existing: "ns-1"},
		{Name: "found", Zone: "found.internal", Lookup: true},
	}, n)
	if err != nil {
		t.Fatal(err)
	}
	given, ok := all.Namespace("given")
	if !ok || *given.NamespaceId() != "ns-1" {
		t.Errorf("got %v", ok)
	}
	if _, ok := all.Namespace("other"); ok {
		t.Error("a namespace that the file does not have was found")
	}
	tm := synth(t, stack)
	equal(t, "zone", tm.One("AWS::ServiceDiscovery::PrivateDnsNamespace")["Name"], "shop.internal")
	contains(t, "missing", missingContext(t, tm), "AWS::ServiceDiscovery::PrivateDnsNamespace")
}
