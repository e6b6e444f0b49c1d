package gate

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	templateQuotas = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
	policyQuotas   = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
)

// limits are quotas of CloudFormation and of the services.
var limits = []Rule{
	{
		ID: "too-many-resources", Summary: "a stack has at most 500 resources",
		Source: templateQuotas, check: sections("Resources", 500, "resources"),
	},
	{
		ID: "too-many-outputs", Summary: "a stack has at most 200 outputs",
		Source: templateQuotas, check: sections("Outputs", 200, "outputs"),
	},
	{
		ID: "too-many-parameters", Summary: "a stack has at most 200 parameters",
		Source: templateQuotas, check: sections("Parameters", 200, "parameters"),
	},
	{
		ID: "too-many-mappings", Summary: "a stack has at most 200 mappings",
		Source: templateQuotas, check: sections("Mappings", 200, "mappings"),
	},
	{
		ID: "template-size", Summary: "a template has at most 1 MB (1,048,576 bytes)",
		Source: templateQuotas, check: templateSize,
	},
	{
		ID: "description-size", Summary: "the description of a template has at most 1,024 bytes",
		Source: templateQuotas, check: descriptionSize,
	},
	{
		ID: "name-too-long", Summary: "names are no longer than AWS allows, such as 32 characters for a load balancer and 64 for a role",
		Source: "https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html", check: namesFit,
	},
	{
		ID: "policy-size", Summary: "policies are within the quotas of IAM, such as 10,240 characters for all inline policies of a role",
		Source: policyQuotas, check: policiesFit,
	},
	{
		ID: "too-many-items", Summary: "lists are no longer than AWS allows, such as 10 containers in a task",
		Source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html", check: listsFit,
	},
}

func sections(name string, most int, what string) func(*Assembly, *report) {
	return func(a *Assembly, found *report) {
		for _, s := range a.Stacks {
			section, _ := s.template[name].(map[string]any)
			if n := len(section); n > most {
				found.stack(s, "the template has %d %s, and CloudFormation takes %d", n, what, most)
			}
		}
	}
}

func templateSize(a *Assembly, found *report) {
	const most = 1 << 20
	for _, s := range a.Stacks {
		if s.Size > most {
			found.stack(s, "the template has %d bytes, and CloudFormation takes %d", s.Size, most)
		}
	}
}

func descriptionSize(a *Assembly, found *report) {
	const most = 1024
	for _, s := range a.Stacks {
		if n := len(word(s.template["Description"])); n > most {
			found.stack(s, "the description of the template has %d bytes, and CloudFormation takes %d", n, most)
		}
	}
}

// names lists name properties with their maximum lengths, in characters.
var names = []struct {
	of, property string
	most         int
}{
	{"AWS::ApplicationAutoScaling::ScalingPolicy", "PolicyName", 256},
	{"AWS::CloudWatch::Alarm", "AlarmName", 255},
	{"AWS::CodeBuild::Project", "Name", 150},
	{"AWS::CodePipeline::Pipeline", "Name", 100},
	{"AWS::DynamoDB::Table", "TableName", 255},
	{"AWS::EC2::SecurityGroup", "GroupDescription", 255},
	{"AWS::EC2::SecurityGroup", "GroupName", 255},
	{"AWS::ECR::Repository", "RepositoryName", 256},
	{"AWS::ECS::Cluster", "ClusterName", 255},
	{"AWS::ECS::Service", "ServiceName", 255},
	{"AWS::ECS::TaskDefinition", "Family", 255},
	{"AWS::ElastiCache::ReplicationGroup", "ReplicationGroupId", 40},
	{"AWS::ElasticLoadBalancing::LoadBalancer", "LoadBalancerName", 32},
	{"AWS::ElasticLoadBalancingV2::LoadBalancer", "Name", 32},
	{"AWS::ElasticLoadBalancingV2::TargetGroup", "Name", 32},
	{"AWS::Events::Rule", "Name", 64},
	{"AWS::IAM::Group", "GroupName", 128},
	{"AWS::IAM::InstanceProfile", "InstanceProfileName", 128},
	{"AWS::IAM::ManagedPolicy", "ManagedPolicyName", 128},
	{"AWS::IAM::Policy", "PolicyName", 128},
	{"AWS::IAM::Role", "Description", 1000},
	{"AWS::IAM::Role", "RoleName", 64},
	{"AWS::IAM::User", "UserName", 64},
	{"AWS::Kinesis::Stream", "Name", 128},
	{"AWS::KMS::Alias", "AliasName", 256},
	{"AWS::Lambda::Function", "FunctionName", 64},
	{"AWS::Logs::LogGroup", "LogGroupName", 512},
	{"AWS::OpenSearchService::Domain", "DomainName", 28},
	{"AWS::RDS::DBCluster", "DBClusterIdentifier", 63},
	{"AWS::RDS::DBInstance", "DBInstanceIdentifier", 63},
	{"AWS::S3::Bucket", "BucketName", 63},
	{"AWS::SecretsManager::Secret", "Name", 512},
	{"AWS::ServiceDiscovery::Service", "Name", 127},
	{"AWS::SNS::Topic", "TopicName", 256},
	{"AWS::SQS::Queue", "QueueName", 80},
	{"AWS::StepFunctions::StateMachine", "StateMachineName", 80},
}

func namesFit(a *Assembly, found *report) {
	for _, row := range names {
		for _, r := range a.Of(row.of) {
			if n, ok := r.Stack.leastLength(r.Properties[row.property]); ok && n > row.most {
				found.on(r, "its %s has %d characters, and AWS takes %d: %s", row.property, n, row.most, canonical(r.Properties[row.property]))
			}
		}
	}
}

// leastLength returns the minimum length of a text in characters, whatever values its
// references get.
func (s *Stack) leastLength(v any) (int, bool) {
	parts, ok := pieces(v)
	if !ok {
		return 0, false
	}
	n := 0
	for _, part := range parts {
		if text, ok := part.(string); ok {
			n += utf8.RuneCountInString(text)
			continue
		}
		switch at(part, "Ref") {
		case "AWS::AccountId":
			n += len("111111111111")
		case "AWS::StackName":
			n += max(1, len(s.physicalName()))
		case "AWS::Region":
			n += max(len(s.Region), len("eu-west-1"))
		default:
			n++
		}
	}
	return n, true
}

// physicalName returns the name of a stack, "" for a nested one, which CloudFormation names.
func (s *Stack) physicalName() string {
	if s.parent != nil {
		return ""
	}
	return s.Name
}

// listed holds properties with a maximum number of items.
var listed = []struct {
	of   string
	path []any
	most int
}{
	{"AWS::ECS::TaskDefinition", []any{"ContainerDefinitions"}, 10},
	{"AWS::ECS::Service", []any{"LoadBalancers"}, 5},
	{"AWS::ECS::Service", []any{"NetworkConfiguration", "AwsvpcConfiguration", "SecurityGroups"}, 5},
	{"AWS::ECS::Service", []any{"NetworkConfiguration", "AwsvpcConfiguration", "Subnets"}, 16},
	{"AWS::CodePipeline::Pipeline", []any{"Stages"}, 50},
	{"AWS::EC2::SecurityGroup", []any{"SecurityGroupEgress"}, 60},
	{"AWS::EC2::SecurityGroup", []any{"SecurityGroupIngress"}, 60},
	{"AWS::ElasticLoadBalancingV2::ListenerRule", []any{"Actions"}, 5},
	{"AWS::IAM::Role", []any{"ManagedPolicyArns"}, 10},
}

func listsFit(a *Assembly, found *report) {
	for _, row := range listed {
		for _, r := range a.Of(row.of) {
			if items, ok := at(r.Properties, row.path...).([]any); ok && len(items) > row.most {
				found.on(r, "its %s are %d, and AWS takes %d", row.path[len(row.path)-1], len(items), row.most)
			}
		}
	}
}

// inline holds the quotas of all inline policies of a role, group or user together.
var inline = []struct {
	of, name string
	most     int
	// members is the property of a policy that lists its roles, groups or users.
	members string
}{
	{"AWS::IAM::Role", "role", 10240, "Roles"},
	{"AWS::IAM::Group", "group", 5120, "Groups"},
	{"AWS::IAM::User", "user", 2048, "Users"},
}

// documents holds the quotas of single policies.
var documents = []struct {
	of, property string
	most         int
}{
	{"AWS::IAM::ManagedPolicy", "PolicyDocument", 6144},
	{"AWS::IAM::Role", "AssumeRolePolicyDocument", 4096},
}

func policiesFit(a *Assembly, found *report) {
	for _, row := range inline {
		attached := map[*Resource]int{}
		for _, policy := range a.Of("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy") {
			owners := list(policy.Properties[row.members])
			owners = append(owners, policy.Properties[strings.ToUpper(row.name[:1])+row.name[1:]+"Name"])
			for _, owner := range owners {
				if r, _ := policy.Stack.Target(owner); r != nil {
					attached[r] += leastPolicy(policy.Properties["PolicyDocument"])
				}
			}
		}
		for _, r := range a.Of(row.of) {
			n := attached[r]
			for _, policy := range list(r.Properties["Policies"]) {
				n += leastPolicy(at(policy, "PolicyDocument"))
			}
			if n > row.most {
				found.on(r, "the inline policies of the %s have %d characters at least, and IAM takes %d", row.name, n, row.most)
			}
		}
	}
	for _, row := range documents {
		for _, r := range a.Of(row.of) {
			if n := leastPolicy(r.Properties[row.property]); n > row.most {
				found.on(r, "its %s has %d characters at least, and IAM takes %d", row.property, n, row.most)
			}
		}
	}
}

// leastPolicy returns the minimum number of characters that IAM counts of a policy, without
// white space: a reference counts as the shortest possible text, 20 characters for an ARN or
// one for anything else.
func leastPolicy(document any) int {
	if document == nil {
		return 0
	}
	text, err := json.Marshal(shortest(document))
	if err != nil {
		return 0
	}
	n := 0
	for _, char := range string(text) {
		if !unicode.IsSpace(char) {
			n++
		}
	}
	return n
}

// shortest replaces each reference in a value by the shortest text it can be.
func shortest(v any) any {
	if name, argument, ok := function(v); ok {
		parts, built := pieces(v)
		if !built {
			return ""
		}
		if name == "Fn::GetAtt" {
			if _, attribute := referred(name, argument); strings.HasSuffix(attribute, "Arn") {
				return strings.Repeat("x", 20)
			}
		}
		if len(parts) == 1 && name != "Fn::Sub" && name != "Fn::Join" {
			return "x"
		}
		var b strings.Builder
		for _, part := range parts {
			b.WriteString(word(shortest(part)))
		}
		return b.String()
	}
	switch v := v.(type) {
	case []any:
		items := slices.Clone(v)
		for i, item := range items {
			items[i] = shortest(item)
		}
		return items
	case map[string]any:
		fields := make(map[string]any, len(v))
		for key, value := range v {
			fields[key] = shortest(value)
		}
		return fields
	default:
		return v
	}
}
