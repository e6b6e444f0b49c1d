package policy

import (
	"maps"
	"slices"
	"strings"

	"composecdk/pipelines/config"
)

// grant lists the actions of a service that CloudFormation needs to create, update and
// delete a resource type.
type grant struct{ kind, service, actions string }

// The types that the application's stacks are made of. One that is not here is not
// deployed: a new construct adds its row.

// services run the application.
var services = []grant{
	{"AWS::ApplicationAutoScaling::ScalableTarget", "application-autoscaling", "RegisterScalableTarget DeregisterScalableTarget Describe* ListTagsForResource TagResource UntagResource"},
	{"AWS::ApplicationAutoScaling::ScalingPolicy", "application-autoscaling", "PutScalingPolicy DeleteScalingPolicy"},
	{"AWS::CloudWatch::Alarm", "cloudwatch", "PutMetricAlarm DeleteAlarms DescribeAlarms ListTagsForResource TagResource UntagResource"},
	{"AWS::EC2::DHCPOptions", "ec2", "CreateDhcpOptions DeleteDhcpOptions"},
	{"AWS::EC2::EIP", "ec2", "AllocateAddress ReleaseAddress AssociateAddress DisassociateAddress"},
	{"AWS::EC2::FlowLog", "ec2", "CreateFlowLogs DeleteFlowLogs"},
	{"AWS::EC2::InternetGateway", "ec2", "CreateInternetGateway DeleteInternetGateway"},
	{"AWS::EC2::NatGateway", "ec2", "CreateNatGateway DeleteNatGateway"},
	{"AWS::EC2::Route", "ec2", "CreateRoute DeleteRoute ReplaceRoute"},
	{"AWS::EC2::RouteTable", "ec2", "CreateRouteTable DeleteRouteTable"},
	{"AWS::EC2::SecurityGroup", "ec2", "CreateSecurityGroup DeleteSecurityGroup"},
	{"AWS::EC2::SecurityGroupEgress", "ec2", "AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress UpdateSecurityGroupRuleDescriptionsEgress"},
	{"AWS::EC2::SecurityGroupIngress", "ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsIngress"},
	{"AWS::EC2::Subnet", "ec2", "CreateSubnet DeleteSubnet ModifySubnetAttribute"},
	{"AWS::EC2::SubnetRouteTableAssociation", "ec2", "AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation"},
	{"AWS::EC2::VPC", "ec2", "CreateVpc DeleteVpc ModifyVpcAttribute Describe* CreateTags DeleteTags"},
	{"AWS::EC2::VPCDHCPOptionsAssociation", "ec2", "AssociateDhcpOptions"},
	{"AWS::EC2::VPCEndpoint", "ec2", "CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints"},
	{"AWS::EC2::VPCGatewayAttachment", "ec2", "AttachInternetGateway DetachInternetGateway"},
	{"AWS::ECS::Cluster", "ecs", "CreateCluster DeleteCluster UpdateCluster UpdateClusterSettings PutClusterCapacityProviders Describe* ListTagsForResource TagResource UntagResource"},
	{"AWS::ECS::Service", "ecs", "CreateService DeleteService UpdateService ListServiceDeployments"},
	{"AWS::ECS::TaskDefinition", "ecs", "RegisterTaskDefinition DeregisterTaskDefinition DeleteTaskDefinitions"},
	{"AWS::EFS::MountTarget", "ec2", "CreateNetworkInterface DeleteNetworkInterface"},
	{"AWS::ElasticLoadBalancingV2::Listener", "elasticloadbalancing", "CreateListener DeleteListener ModifyListener ModifyListenerAttributes"},
	{"AWS::ElasticLoadBalancingV2::ListenerCertificate", "elasticloadbalancing", "AddListenerCertificates RemoveListenerCertificates"},
	{"AWS::ElasticLoadBalancingV2::ListenerRule", "elasticloadbalancing", "CreateRule DeleteRule ModifyRule SetRulePriorities"},
	{"AWS::ElasticLoadBalancingV2::LoadBalancer", "elasticloadbalancing", "CreateLoadBalancer DeleteLoadBalancer ModifyLoadBalancerAttributes SetIpAddressType SetSecurityGroups SetSubnets Describe* AddTags RemoveTags"},
	{"AWS::ElasticLoadBalancingV2::TargetGroup", "elasticloadbalancing", "CreateTargetGroup DeleteTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes"},
	{"AWS::Logs::LogGroup", "logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy Describe* ListTagsForResource TagResource UntagResource"},
	{"AWS::ServiceDiscovery::PrivateDnsNamespace", "servicediscovery", "CreatePrivateDnsNamespace DeleteNamespace UpdatePrivateDnsNamespace Get* ListTagsForResource TagResource UntagResource"},
	{"AWS::ServiceDiscovery::PrivateDnsNamespace", "route53", "CreateHostedZone DeleteHostedZone GetHostedZone ListHostedZonesByName ChangeResourceRecordSets AssociateVPCWithHostedZone"},
	{"AWS::ServiceDiscovery::Service", "servicediscovery", "CreateService DeleteService UpdateService"},
	{"Fn::GetStackOutput", "cloudformation", "DescribeStacks"},
}

// data types hold the application's data, and the parameters and keys that templates
// refer to.
var data = []grant{
	{"AWS::CertificateManager::Certificate", "acm", "RequestCertificate DeleteCertificate DescribeCertificate UpdateCertificateOptions ListTagsForCertificate AddTagsToCertificate RemoveTagsFromCertificate"},
	{"AWS::DynamoDB::Table", "dynamodb", "CreateTable DeleteTable UpdateTable UpdateTimeToLive UpdateContinuousBackups UpdateContributorInsights UpdateKinesisStreamingDestination EnableKinesisStreamingDestination DisableKinesisStreamingDestination PutResourcePolicy GetResourcePolicy DeleteResourcePolicy Describe* ListTagsOfResource TagResource UntagResource"},
	{"AWS::EFS::AccessPoint", "elasticfilesystem", "CreateAccessPoint DeleteAccessPoint"},
	{"AWS::EFS::FileSystem", "elasticfilesystem", "CreateFileSystem DeleteFileSystem UpdateFileSystem PutLifecycleConfiguration PutBackupPolicy PutFileSystemPolicy DeleteFileSystemPolicy UpdateFileSystemProtection Describe* ListTagsForResource TagResource UntagResource"},
	{"AWS::EFS::MountTarget", "elasticfilesystem", "CreateMountTarget DeleteMountTarget ModifyMountTargetSecurityGroups"},
	{"AWS::KMS::Alias", "kms", "CreateAlias DeleteAlias UpdateAlias ListAliases"},
	{"AWS::KMS::Key", "kms", "CreateKey DescribeKey EnableKey DisableKey EnableKeyRotation DisableKeyRotation GetKeyPolicy PutKeyPolicy GetKeyRotationStatus ScheduleKeyDeletion ListResourceTags TagResource UntagResource UpdateKeyDescription"},
	{"AWS::RDS::DBCluster", "rds", "CreateDBCluster DeleteDBCluster ModifyDBCluster CreateDBClusterSnapshot RestoreDBClusterFromSnapshot RestoreDBClusterToPointInTime AddRoleToDBCluster RemoveRoleFromDBCluster Describe* ListTagsForResource AddTagsToResource RemoveTagsFromResource"},
	{"AWS::RDS::DBClusterParameterGroup", "rds", "CreateDBClusterParameterGroup DeleteDBClusterParameterGroup ModifyDBClusterParameterGroup ResetDBClusterParameterGroup"},
	{"AWS::RDS::DBInstance", "rds", "CreateDBInstance DeleteDBInstance ModifyDBInstance RebootDBInstance CreateDBSnapshot RestoreDBInstanceFromDBSnapshot AddRoleToDBInstance RemoveRoleFromDBInstance"},
	{"AWS::RDS::DBParameterGroup", "rds", "CreateDBParameterGroup DeleteDBParameterGroup ModifyDBParameterGroup ResetDBParameterGroup"},
	{"AWS::RDS::DBSubnetGroup", "rds", "CreateDBSubnetGroup DeleteDBSubnetGroup ModifyDBSubnetGroup"},
	{"AWS::Route53::HostedZone", "route53", "CreateHostedZone DeleteHostedZone GetHostedZone UpdateHostedZoneComment AssociateVPCWithHostedZone DisassociateVPCFromHostedZone CreateQueryLoggingConfig DeleteQueryLoggingConfig ListQueryLoggingConfigs ChangeTagsForResource ListTagsForResource GetChange"},
	{"AWS::Route53::RecordSet", "route53", "ChangeResourceRecordSets ListResourceRecordSets"},
	{"AWS::S3::Bucket", "s3", "CreateBucket DeleteBucket Put*Configuration Get*Configuration PutBucket* GetBucket* PutEncryptionConfiguration"},
	{"AWS::S3::BucketPolicy", "s3", "DeleteBucketPolicy"},
	{"AWS::SQS::Queue", "sqs", "CreateQueue DeleteQueue GetQueueAttributes SetQueueAttributes GetQueueUrl ListQueueTags TagQueue UntagQueue"},
	{"AWS::SQS::QueuePolicy", "sqs", ""},
	{"AWS::SecretsManager::Secret", "secretsmanager", "CreateSecret DeleteSecret UpdateSecret DescribeSecret GetRandomPassword GetSecretValue TagResource UntagResource"},
	{"AWS::SecretsManager::SecretTargetAttachment", "secretsmanager", "PutSecretValue"},
	{"AWS::SSM::Parameter::Value", "ssm", "GetParameters"},
	{"KmsKeyId", "kms", "CreateGrant Decrypt DescribeKey GenerateDataKey GenerateDataKeyWithoutPlaintext"},
}

// pipelines make up the stacks of the tooling account.
var pipelines = []grant{
	{"AWS::CodePipeline::Pipeline", "codepipeline", "*"},
	{"AWS::CodeBuild::Project", "codebuild", "*"},
	{"AWS::CodeStarNotifications::NotificationRule", "codestar-notifications", "*"},
	{"AWS::CodeConnections::Connection", "codeconnections", "PassConnection UseConnection"},
	{"AWS::CodeConnections::Connection", "codestar-connections", "PassConnection UseConnection"},
	{"AWS::Chatbot::SlackChannelConfiguration", "chatbot", "*"},
	{"AWS::ECR::Repository", "ecr", "CreateRepository DeleteRepository Describe* Get* Put* SetRepositoryPolicy DeleteRepositoryPolicy DeleteLifecyclePolicy DeleteSigningConfiguration ListTagsForResource TagResource UntagResource"},
	{"AWS::Events::Rule", "events", "PutRule DeleteRule DescribeRule EnableRule DisableRule PutTargets RemoveTargets ListTargetsByRule ListTagsForResource TagResource UntagResource"},
	{"AWS::KMS::Key", "kms", "*"},
	{"AWS::Logs::LogGroup", "logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy Describe* ListTagsForResource TagResource UntagResource *LogDelivery PutResourcePolicy"},
	{"AWS::S3::Bucket", "s3", "CreateBucket DeleteBucket Put*Configuration Get*Configuration PutBucket* GetBucket* DeleteBucketPolicy"},
	{"AWS::SNS::Topic", "sns", "CreateTopic DeleteTopic *TopicAttributes Subscribe Unsubscribe *SubscriptionAttributes List* TagResource UntagResource"},
	{"AWS::SSM::Parameter", "ssm", "*Parameter *Parameters *TagsForResource *TagsToResource *TagsFromResource"},
	{"AWS::Signer::SigningProfile", "signer", "PutSigningProfile GetSigningProfile CancelSigningProfile ListTagsForResource TagResource UntagResource"},
	{"AWS::Scheduler::Schedule", "scheduler", "*"},
	{"AWS::StepFunctions::StateMachine", "states", "*"},
	{"Fn::GetStackOutput", "cloudformation", "DescribeStacks"},
}

// Execution returns the policies of the role that CloudFormation uses in an account, by
// name: its services, and how far it may go with roles.
func Execution(c *config.Config, a *config.Account) map[string]Document {
	tables := map[string][]grant{config.ServicesPolicy: services, config.DataPolicy: data, config.PipelinesPolicy: pipelines}
	all := map[string]Document{}
	for _, name := range c.ExecutionPolicies(a) {
		if name == config.RolesPolicy {
			all[name] = ofRoles(c, a)
		} else {
			all[name] = Document{{Sid: "Services", Effect: allow, Action: actions(tables[name]), Resource: []string{"*"}}}
		}
	}
	return all
}

// actions returns the actions of grants, sorted, without actions that another one
// includes.
func actions(grants []grant) []string {
	found := map[string]bool{}
	for _, g := range grants {
		for action := range strings.FieldsSeq(g.actions) {
			found[g.service+":"+action] = true
		}
	}
	maps.DeleteFunc(found, func(action string, _ bool) bool {
		service, name, _ := strings.Cut(action, ":")
		return name != "*" && found[service+":*"]
	})
	return slices.Sorted(maps.Keys(found))
}

// served lists the services that get the roles of stacks, and serviceLinked the services
// that create a role of their own once.
var (
	served        = []string{"ecs-tasks", "monitoring.rds", "vpc-flow-logs"}
	servedTooling = []string{"chatbot", "codebuild", "codepipeline", "events", "scheduler", "states"}
	serviceLinked = []string{"ecs", "ecs.application-autoscaling", "dynamodb.application-autoscaling", "elasticfilesystem", "elasticloadbalancing", "rds"}
	linkedTooling = []string{"codestar-notifications", "management.chatbot"}
)

// ofRoles returns the policy on roles: CloudFormation may do anything with the roles of
// its stacks, as long as they have the permissions boundary.
func ofRoles(c *config.Config, a *config.Account) Document {
	own := ownRoles(c, a)
	bounded := Condition{"ArnEquals": {"iam:PermissionsBoundary": {boundaryARN(c, a)}}}
	passed, linked := principals(served), principals(serviceLinked)
	if a == c.Tooling.Account {
		passed, linked = append(passed, principals(servedTooling)...), append(linked, principals(linkedTooling)...)
	}
	return Document{
		{
			Sid: "MakeBoundedRoles", Effect: allow, Resource: own, Condition: bounded,
			Action: []string{
				"iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
				"iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
			},
		},
		{
			Sid: "KeepRoles", Effect: allow, Resource: own,
			Action: []string{
				"iam:DeleteRole", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
				"iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
			},
		},
		{
			Sid: "PassRoles", Effect: allow, Resource: own, Action: []string{"iam:PassRole"},
			Condition: Condition{"StringEquals": {"iam:PassedToService": passed}},
		},
		{
			Sid: "ServiceLinkedRoles", Effect: allow, Action: []string{"iam:CreateServiceLinkedRole"},
			Resource:  []string{c.ARN("iam", "", a, "role/aws-service-role/*")},
			Condition: Condition{"StringEquals": {"iam:AWSServiceName": linked}},
		},
	}
}

func principals(services []string) []string {
	var names []string
	for _, s := range services {
		names = append(names, s+".amazonaws.com")
	}
	return names
}

// roleNameStack is the length of the stack's name that the name of a generated role is
// sure to keep. CloudFormation cuts names of more than 64 characters; AWS does not
// document how, and 24 characters of the stack have been seen.
const roleNameStack = 20

// ownRoles returns the patterns of the roles of an account's stacks, by the names that
// CloudFormation generates.
func ownRoles(c *config.Config, a *config.Account) []string {
	var arns []string
	for _, id := range c.StageIDs(a) {
		stack := id + "-"
		arns = append(arns, c.ARN("iam", "", a, "role/"+stack[:min(len(stack), roleNameStack)]+"*"))
	}
	if a == c.Tooling.Account {
		arns = append(arns, c.ARN("iam", "", a, "role/"+c.Name+"-*"))
	}
	return slices.Compact(arns)
}

func boundaryARN(c *config.Config, a *config.Account) string {
	return c.ARN("iam", "", a, "policy/"+c.Boundary(a))
}

// Boundary returns the most that the CloudFormation role, and every role that it
// creates, can do: any service, but no organisation, and of IAM only what the policy on
// roles allows. No such role can change the roles and policies that limit it; in a
// target account, where no pipeline runs, it cannot assume them either.
func Boundary(c *config.Config, a *config.Account) Document {
	document := Document{{
		Sid: "Services", Effect: allow, Resource: []string{"*"},
		NotAction: []string{"account:*", "iam:*", "organizations:*"},
	}}
	document = append(document, ofRoles(c, a)...)
	held := []string{c.ARN("iam", "", a, "role/cdk-*"), c.ARN("iam", "", a, "policy/"+c.Name+"-*")}
	for _, role := range []string{c.DeployRole(), c.ExecutionRole(), c.ProtectRole(), c.ReviewRole()} {
		held = append(held, c.ARN("iam", "", a, "role/"+role))
	}
	changes := []string{"iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:Put*", "iam:Set*", "iam:Update*"}
	if a != c.Tooling.Account {
		changes = append(changes, "sts:AssumeRole")
	}
	return append(document,
		Statement{Sid: "NoChangeOfWhatHolds", Effect: deny, Resource: held, Action: changes},
		Statement{
			Sid: "NoRemovalOfBoundaries", Effect: deny, Resource: []string{"*"},
			Action: []string{"iam:DeleteRolePermissionsBoundary"},
		},
	)
}
