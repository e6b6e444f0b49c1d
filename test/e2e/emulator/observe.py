"""What an account holds, for the test to look at:

GET /e2e/types                    how each deployed type was made
GET /e2e/accounts/ID?region=NAME  its stacks and resources, task definitions and roles
GET /e2e/delivery/ID?region=NAME  its pipelines and projects, and the policies of resources
GET /e2e/notified/ID?region=&bucket=&queue=  what a queue hears of a bucket
GET /e2e/service?name=&role=&source=  the credentials of a role that a service assumes

All but the types is asked of the services, not of the engine that made it.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import jmespath
from botocore.exceptions import ClientError

from . import corrections, engine
from .api import Account
from .resources import TYPES

# Where the services list what exists, by type: service, operation, path to the ids
# that Ref returns.
LISTS: dict[str, tuple[str, str, str]] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        "application-autoscaling", "describe_scaling_policies ecs", "ScalingPolicies[].PolicyARN"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "AWS::CodeBuild::Project": ("codebuild", "list_projects", "projects"),
    "AWS::CodePipeline::Pipeline": ("codepipeline", "list_pipelines", "pipelines[].name"),
    "AWS::CertificateManager::Certificate": ("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    "AWS::DynamoDB::Table": ("dynamodb", "list_tables", "TableNames"),
    "AWS::EC2::EIP": ("ec2", "describe_addresses", "Addresses[].PublicIp"),
    "AWS::EC2::InternetGateway": ("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    "AWS::EC2::NatGateway": ("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    "AWS::EC2::RouteTable": ("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "AWS::ECR::Repository": ("ecr", "describe_repositories", "repositories[].repositoryName"),
    "AWS::ECS::Cluster": ("ecs", "describe_clusters", "clusters[?status=='ACTIVE'].clusterName"),
    "AWS::ECS::TaskDefinition": ("ecs", "list_task_definitions", "taskDefinitionArns"),
    "AWS::EFS::AccessPoint": ("efs", "describe_access_points", "AccessPoints[].AccessPointId"),
    "AWS::EFS::FileSystem": ("efs", "describe_file_systems", "FileSystems[].FileSystemId"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    "AWS::Events::Rule": ("events", "list_rules", "Rules[].Name"),
    "AWS::IAM::ManagedPolicy": ("iam", "list_policies", "Policies[].Arn"),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles[].RoleName"),
    "AWS::KMS::Alias": ("kms", "list_aliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"),
    "AWS::KMS::Key": ("kms", "list_keys", "Keys[].KeyId"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "AWS::RDS::DBCluster": ("rds", "describe_db_clusters", "DBClusters[].DBClusterIdentifier"),
    "AWS::RDS::DBInstance": ("rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    "AWS::RDS::DBSubnetGroup": ("rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupName"),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets[].Name"),
    "AWS::SNS::Subscription": ("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"),
    "AWS::SNS::Topic": ("sns", "list_topics", "Topics[].TopicArn"),
    "AWS::SQS::Queue": ("sqs", "list_queues", "QueueUrls"),
    "AWS::SSM::Parameter": ("ssm", "describe_parameters", "Parameters[].Name"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "list_secrets", "SecretList[].ARN"),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": ("servicediscovery", "list_namespaces", "Namespaces[].Id"),
    "AWS::ServiceDiscovery::Service": ("servicediscovery", "list_services", "Services[].Id"),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "list_state_machines", "stateMachines[].stateMachineArn"),
}


def account(aws: Account) -> dict:
    running = services(aws)
    resources = {type_name: ids(aws, *where) for type_name, where in LISTS.items()}
    return {
        "stacks": stacks(aws),
        "resources": resources | {"AWS::ECS::Service": [service["serviceArn"] for service in running]},
        "snapshots": ids(aws, "rds", "describe_db_cluster_snapshots", "DBClusterSnapshots[].DBClusterIdentifier"),
        "taskDefinitions": task_definitions(aws),
        "services": running,
        "roles": {role["RoleName"]: role["AssumeRolePolicyDocument"] for role in aws.call("iam", "list_roles")["Roles"]},
    }


def stacks(aws: Account) -> dict:
    """The resources of each stack: logical id to type and physical id."""
    found = {}
    for stack in aws.call("cloudformation", "describe_stacks")["Stacks"]:
        listed = aws.call("cloudformation", "describe_stack_resources", StackName=stack["StackName"])["StackResources"]
        found[stack["StackName"]] = {
            "status": stack["StackStatus"],
            "resources": {
                resource["LogicalResourceId"]: {
                    "type": resource["ResourceType"],
                    "id": resource.get("PhysicalResourceId", ""),
                }
                for resource in listed
            },
        }
    return found


def ids(aws: Account, service: str, operation: str, path: str) -> list[str]:
    operation, _, namespace = operation.partition(" ")
    arguments: dict[str, Any] = {"ServiceNamespace": namespace} if namespace else {}
    if operation == "list_policies":
        arguments["Scope"] = "Local"  # AWS's own are a thousand
    if operation == "describe_clusters":
        arguments["clusters"] = aws.call("ecs", "list_clusters")["clusterArns"]
    client = aws.client(service)
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**arguments)
        return [found for page in pages for found in jmespath.search(path, page) or []]
    return jmespath.search(path, aws.call(service, operation, **arguments)) or []


def task_definitions(aws: Account) -> list[dict]:
    arns = ids(aws, "ecs", "list_task_definitions", "taskDefinitionArns")
    return [aws.call("ecs", "describe_task_definition", taskDefinition=arn)["taskDefinition"] for arn in arns]


def services(aws: Account) -> list[dict]:
    """The services of ECS, but those that were deleted: it lists them for a while."""
    found = []
    for cluster in aws.call("ecs", "list_clusters")["clusterArns"]:
        for arn in aws.call("ecs", "list_services", cluster=cluster)["serviceArns"]:
            found += aws.call("ecs", "describe_services", cluster=cluster, services=[arn])["services"]
    return [service for service in found if service["status"] != "INACTIVE"]


# Where the services keep the policy of a resource, by type: service, operation,
# parameter, path to the text of the policy.
POLICIES: dict[str, tuple[str, str, str, str]] = {
    "AWS::ECR::Repository": ("ecr", "get_repository_policy", "repositoryName", "policyText"),
    "AWS::KMS::Key": ("kms", "get_key_policy", "KeyId", "Policy"),
    "AWS::S3::Bucket": ("s3", "get_bucket_policy", "Bucket", "Policy"),
    "AWS::SNS::Topic": ("sns", "get_topic_attributes", "TopicArn", "Attributes.Policy"),
}


def delivery(aws: Account) -> dict:
    """The pipelines and projects of an account by name, and the policies of its
    resources by physical id, null for none."""
    found: dict[str, dict] = {"pipelines": {}, "projects": {}, "policies": {}}
    for name in ids(aws, *LISTS["AWS::CodePipeline::Pipeline"]):
        found["pipelines"][name] = aws.call("codepipeline", "get_pipeline", name=name)["pipeline"]
    if names := ids(aws, *LISTS["AWS::CodeBuild::Project"]):
        projects = aws.call("codebuild", "batch_get_projects", names=names)["projects"]
        found["projects"] = {project["name"]: project for project in projects}
    for type_name, (service, operation, parameter, path) in POLICIES.items():
        more = {"PolicyName": "default"} if service == "kms" else {}
        for ref in ids(aws, *LISTS[type_name]):
            try:
                text = jmespath.search(path, aws.call(service, operation, **{parameter: ref} | more))
            except ClientError:
                text = None
            found["policies"][ref] = json.loads(text) if text else None
    return found


def notified(aws: Account, bucket: str, queue: str) -> dict:
    """The keys that a queue hears of when an object is put into a bucket."""
    aws.call("s3", "put_object", Bucket=bucket, Key="put", Body=b"1")
    answer = aws.call("sqs", "receive_message", QueueUrl=queue, MaxNumberOfMessages=10)
    bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return {"keys": [record["s3"]["object"]["key"] for body in bodies for record in body.get("Records", [])]}


def types() -> dict:
    """How each type that was deployed was made, and what moto has nothing for."""
    return {
        name: {"by": kind, "lacking": sorted(getattr(TYPES.get(name), "lacking", ()))}
        for name, kind in sorted(engine.deployed.items())
    }


def beside(app: Callable) -> Callable:
    """The application with these two pages beside it."""

    def serve(environ: dict, start_response: Callable) -> Any:
        match environ["PATH_INFO"].strip("/").split("/"):
            case ["e2e", "types"]:
                page = types()
            case ["e2e", "accounts", number]:
                region = parse_qs(environ["QUERY_STRING"])["region"][0]
                page = account(Account(number, region))
            case ["e2e", "delivery", number]:
                region = parse_qs(environ["QUERY_STRING"])["region"][0]
                page = delivery(Account(number, region))
            case ["e2e", "notified", number]:
                query = parse_qs(environ["QUERY_STRING"])
                page = notified(Account(number, query["region"][0]), query["bucket"][0], query["queue"][0])
            case ["e2e", "service"]:
                query = parse_qs(environ["QUERY_STRING"])
                page = corrections.assume_as_service(query["name"][0], query["role"][0], query.get("source", [None])[0])
            case _:
                return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(page, default=str).encode()]

    return serve
