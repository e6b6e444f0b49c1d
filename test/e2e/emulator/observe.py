"""What an account holds, for the test to look at:

GET /e2e/types                    how each deployed type was made
GET /e2e/accounts/ID?region=NAME  its stacks and resources, task definitions and roles

All but the types is asked of the services, not of the engine that made it.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import jmespath

from . import engine
from .api import Account
from .resources import TYPES

# Where the services list what exists, by type: service, operation, path to the ids
# that Ref returns.
LISTS: dict[str, tuple[str, str, str]] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        "application-autoscaling", "describe_scaling_policies ecs", "ScalingPolicies[].PolicyARN"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "AWS::DynamoDB::Table": ("dynamodb", "list_tables", "TableNames"),
    "AWS::EC2::EIP": ("ec2", "describe_addresses", "Addresses[].PublicIp"),
    "AWS::EC2::InternetGateway": ("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    "AWS::EC2::NatGateway": ("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    "AWS::EC2::RouteTable": ("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "Subnets[].SubnetId"),
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    "AWS::ECS::Cluster": ("ecs", "describe_clusters", "clusters[?status=='ACTIVE'].clusterName"),
    "AWS::ECS::TaskDefinition": ("ecs", "list_task_definitions", "taskDefinitionArns"),
    "AWS::EFS::AccessPoint": ("efs", "describe_access_points", "AccessPoints[].AccessPointId"),
    "AWS::EFS::FileSystem": ("efs", "describe_file_systems", "FileSystems[].FileSystemId"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles[].RoleName"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    "AWS::RDS::DBCluster": ("rds", "describe_db_clusters", "DBClusters[].DBClusterIdentifier"),
    "AWS::RDS::DBInstance": ("rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    "AWS::RDS::DBSubnetGroup": ("rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupName"),
    "AWS::SQS::Queue": ("sqs", "list_queues", "QueueUrls"),
    "AWS::SecretsManager::Secret": ("secretsmanager", "list_secrets", "SecretList[].ARN"),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": ("servicediscovery", "list_namespaces", "Namespaces[].Id"),
    "AWS::ServiceDiscovery::Service": ("servicediscovery", "list_services", "Services[].Id"),
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
            case _:
                return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(page, default=str).encode()]

    return serve
