"""How each type of resource is made, changed and deleted through moto's services.

TYPES has a row or a class for every type that the project and the CDK's bootstrap
emit. A type without one falls back to moto's own CloudFormation model (`Native`);
STUBS have an id and no behaviour; any other type fails the deployment.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jmespath
from moto.cloudformation import parsing

from .api import Account, Unsupported, text

Created = tuple[str, dict[str, Any]]  # what Ref returns, and what Fn::GetAtt returns by name


class Replace(Exception):
    """The change cannot be made in place."""


def same(before: dict, after: dict) -> set[str]:
    """The properties that differ, tags aside: these are never a reason to replace."""
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return {name for name in names if not name.endswith("Tags")}


Apart = Callable[[Account, str, Any], object]


@dataclass(frozen=True)
class Row:
    """A type that an operation of the API makes from its properties as they are."""

    kind = "service API"

    service: str
    create_operation: str
    ref: str  # a path in the answer, or a format of properties
    delete_operation: str
    id: str = ""  # the parameter that takes ref when it is changed or deleted
    keys: tuple[str, ...] = ()  # parameters that take properties or attributes then
    constants: tuple[tuple[str, Any], ...] = ()  # parameters of the deletion
    update_operation: str = ""
    name: str = ""  # the property that takes a generated name
    attributes: dict[str, str] = field(default_factory=dict)  # paths or formats by name
    rename: dict[str, str] = field(default_factory=dict)
    apart: dict[str, Apart] = field(default_factory=dict)  # properties with a call of their own
    lacking: tuple[str, ...] = ()  # properties that moto has nothing for
    prepare: Callable[[dict], dict] = dict

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        if self.name:
            properties = {self.name: name} | properties
        answer = aws.call(self.service, self.create_operation, self._arguments(properties))
        known = properties | {"account": aws.account, "region": aws.region, "name": name}

        def read(path: str) -> Any:
            return path.format(**known) if "{" in path else jmespath.search(path, answer)

        ref = read(self.ref)
        self._call_apart(aws, ref, properties)
        return ref, {attribute: read(path) for attribute, path in self.attributes.items()}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        changed = same(before, after)
        inline = {name for name in changed if name not in self.apart and name not in self.lacking}
        if inline:
            if not self.update_operation or not inline <= self._updatable(aws, after):
                raise Replace
            arguments = {k: v for k, v in self._arguments(after).items() if k in self._updatable(aws, after)}
            aws.call(self.service, self.update_operation, arguments, **self._id(ref))
        self._call_apart(aws, ref, {name: after.get(name) for name in changed if name not in inline})

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        known = properties | attributes
        keys = {key: known[key] for key in self.keys}
        aws.call(self.service, self.delete_operation, keys, **self._id(ref), **dict(self.constants))

    def _id(self, ref: str) -> dict:
        return {self.id: ref} if self.id else {}

    def _arguments(self, properties: dict) -> dict:
        prepared = self.prepare({k: v for k, v in properties.items() if k not in self.apart and k not in self.lacking})
        return {self.rename.get(name, name): value for name, value in prepared.items()}

    def _updatable(self, aws: Account, properties: dict) -> set[str]:
        client = aws.client(self.service)
        operation = client.meta.method_to_api_mapping[self.update_operation]
        members = {m.lower() for m in client.meta.service_model.operation_model(operation).input_shape.members}
        return {name for name in properties if self.rename.get(name, name).lower() in members}

    def _call_apart(self, aws: Account, ref: str, properties: dict) -> None:
        for name, call in self.apart.items():
            if properties.get(name) is not None:
                call(aws, ref, properties[name])


class Custom:
    """A type whose properties differ from what the API takes."""

    kind = "service API"

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        raise NotImplementedError

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if same(before, after):
            raise Replace

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        raise NotImplementedError


class Native(Custom):
    """A type that moto's own CloudFormation makes."""

    kind = "moto's model"

    def __init__(self, type_name: str) -> None:
        self.type_name, self.model = type_name, parsing.get_model_map()[type_name]

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        name = properties.get(self.model.cloudformation_name_type(), name)
        made = self.model.create_from_cloudformation_json(
            name, self._json(properties), aws.account, aws.region, LogicalId=name, StackId="", ResourceType=self.type_name
        )
        return made.physical_resource_id, Attributes(made)

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: Any) -> None:
        if not same(before, after):
            return
        if hasattr(self.model.update_from_cloudformation_json, "__isabstractmethod__"):
            raise Replace
        changed = self.model.update_from_cloudformation_json(
            original_resource=attributes.model,
            new_resource_name=ref,
            cloudformation_json=self._json(after),
            account_id=aws.account,
            region_name=aws.region,
        )
        if changed.physical_resource_id != ref:
            raise Unsupported(f"moto replaces {self.type_name} in the middle of an update")

    def delete(self, aws: Account, ref: str, properties: dict, attributes: Any) -> None:
        if not hasattr(self.model.delete_from_cloudformation_json, "__isabstractmethod__"):
            self.model.delete_from_cloudformation_json(ref, self._json(properties), aws.account, aws.region)
        elif hasattr(attributes.model, "delete"):
            attributes.model.delete(aws.account, aws.region)
        else:
            raise Unsupported(f"moto cannot delete {self.type_name}")

    def _json(self, properties: dict) -> dict:
        return {"Type": self.type_name, "Properties": properties}


class Attributes(dict):
    """What Fn::GetAtt returns for a resource of moto's own."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def __missing__(self, name: str) -> Any:
        return self.model.get_cfn_attribute(name)


class Stub(Custom):
    """A type with an id and no behaviour."""

    kind = "stub"

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        return name, {}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        pass

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        pass


# --- EC2 ---------------------------------------------------------------------


def vpc_attribute(name: str) -> Apart:
    return lambda aws, ref, value: aws.call(
        "ec2", "modify_vpc_attribute", {"VpcId": ref, name: {"Value": value}}
    )


RULE_PEERS = {
    # property: (part of a permission, its key)
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
}


def permission(rule: dict) -> dict:
    """A rule of a security group as the API takes it."""
    result = {"IpProtocol": text(rule["IpProtocol"])}
    result |= {port: int(rule[port]) for port in ("FromPort", "ToPort") if port in rule}
    for name, (part, key) in RULE_PEERS.items():
        if name in rule:
            peer = {key: rule[name]} | ({"Description": rule["Description"]} if "Description" in rule else {})
            result[part] = [peer]
    return result


class SecurityGroup(Custom):
    directions = {"SecurityGroupIngress": "ingress", "SecurityGroupEgress": "egress"}

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        own = {k: v for k, v in properties.items() if k not in self.directions}
        own["Description"] = own.pop("GroupDescription")
        group = aws.call("ec2", "create_security_group", {"GroupName": name} | own)["GroupId"]
        if "SecurityGroupEgress" in properties:  # instead of the rule that every new group has
            aws.call("ec2", "revoke_security_group_egress", GroupId=group,
                     IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
        self._each(aws, "authorize", group, properties, {})
        return group, {"GroupId": group, "VpcId": properties["VpcId"]}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if not same(before, after) <= self.directions.keys():
            raise Replace
        self._each(aws, "revoke", ref, before, after)
        self._each(aws, "authorize", ref, after, before)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("ec2", "delete_security_group", GroupId=ref)

    def _each(self, aws: Account, verb: str, group: str, properties: dict, other: dict) -> None:
        for name, direction in self.directions.items():
            for rule in properties.get(name, []):
                if rule not in other.get(name, []):
                    aws.call("ec2", f"{verb}_security_group_{direction}", GroupId=group, IpPermissions=[permission(rule)])


class SecurityGroupRule(Custom):
    def __init__(self, direction: str) -> None:
        self.direction = direction

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        answer = self._call(aws, "authorize", properties)
        return answer["SecurityGroupRules"][0]["SecurityGroupRuleId"], {}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        self._call(aws, "revoke", properties)

    def _call(self, aws: Account, verb: str, properties: dict) -> dict:
        return aws.call("ec2", f"{verb}_security_group_{self.direction}",
                        GroupId=properties["GroupId"], IpPermissions=[permission(properties)])


# --- IAM ---------------------------------------------------------------------


class Role(Custom):
    apart = ("ManagedPolicyArns", "Policies")

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        own = {k: v for k, v in properties.items() if k not in self.apart}
        own["AssumeRolePolicyDocument"] = json.dumps(own["AssumeRolePolicyDocument"])
        role = aws.call("iam", "create_role", {"RoleName": name} | own)["Role"]
        for arn in properties.get("ManagedPolicyArns", []):
            aws.call("iam", "attach_role_policy", RoleName=role["RoleName"], PolicyArn=arn)
        self._put(aws, role["RoleName"], properties)
        return role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if not same(before, after) <= {"AssumeRolePolicyDocument", "Policies"}:
            raise Replace
        aws.call("iam", "update_assume_role_policy", RoleName=ref,
                 PolicyDocument=json.dumps(after["AssumeRolePolicyDocument"]))
        self._put(aws, ref, after)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        for arn in properties.get("ManagedPolicyArns", []):
            aws.call("iam", "detach_role_policy", RoleName=ref, PolicyArn=arn)
        for policy in properties.get("Policies", []):
            aws.call("iam", "delete_role_policy", RoleName=ref, PolicyName=policy["PolicyName"])
        aws.call("iam", "delete_role", RoleName=ref)

    def _put(self, aws: Account, role: str, properties: dict) -> None:
        for policy in properties.get("Policies", []):
            aws.call("iam", "put_role_policy", RoleName=role, PolicyName=policy["PolicyName"],
                     PolicyDocument=json.dumps(policy["PolicyDocument"]))


class Policy(Custom):
    """An inline policy of roles."""

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        if unknown := properties.keys() - {"PolicyName", "PolicyDocument", "Roles"}:
            raise Unsupported(f"AWS::IAM::Policy with {sorted(unknown)}")
        for role in properties["Roles"]:
            aws.call("iam", "put_role_policy", RoleName=role, PolicyName=properties["PolicyName"],
                     PolicyDocument=json.dumps(properties["PolicyDocument"]))
        return properties["PolicyName"], {}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if "PolicyName" in same(before, after):
            raise Replace
        left = [role for role in before["Roles"] if role not in after["Roles"]]
        self.create(aws, after, ref)
        self.delete(aws, ref, before | {"Roles": left}, attributes)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        for role in properties["Roles"]:
            aws.call("iam", "delete_role_policy", RoleName=role, PolicyName=properties["PolicyName"])


# --- Scaling -----------------------------------------------------------------


def scheduled_actions(aws: Account, ref: str, actions: list[dict]) -> None:
    resource, dimension, namespace = ref.split("|")
    for action in actions:
        aws.call("application-autoscaling", "put_scheduled_action", action,
                 ResourceId=resource, ScalableDimension=dimension, ServiceNamespace=namespace)


class ScalingPolicy(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        arn = aws.call("application-autoscaling", "put_scaling_policy", self._arguments(properties))["PolicyARN"]
        return arn, {"Arn": arn}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if same(before, after) & {"PolicyName", "ScalingTargetId", "ResourceId"}:
            raise Replace
        aws.call("application-autoscaling", "put_scaling_policy", self._arguments(after))

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        arguments = self._arguments(properties)
        keys = ("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")
        aws.call("application-autoscaling", "delete_scaling_policy", {key: arguments[key] for key in keys})

    def _arguments(self, properties: dict) -> dict:
        properties = dict(properties)
        if "ScalingTargetId" in properties:
            resource, dimension, namespace = properties.pop("ScalingTargetId").split("|")
            properties |= {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
        return properties


class Alarm(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        name = properties.get("AlarmName", name)
        aws.call("cloudwatch", "put_metric_alarm", {"AlarmName": name} | properties)
        return name, {"Arn": f"arn:aws:cloudwatch:{aws.region}:{aws.account}:alarm:{name}"}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if "AlarmName" in same(before, after):
            raise Replace
        self.create(aws, after, ref)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("cloudwatch", "delete_alarms", AlarmNames=[ref])


# --- Names -------------------------------------------------------------------


class PrivateDnsNamespace(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        operation = aws.call("servicediscovery", "create_private_dns_namespace", properties)["OperationId"]
        done = aws.call("servicediscovery", "get_operation", OperationId=operation)["Operation"]
        ref = done["Targets"]["NAMESPACE"]
        namespace = aws.call("servicediscovery", "get_namespace", Id=ref)["Namespace"]
        return ref, {"Id": ref, "Arn": namespace["Arn"], "HostedZoneId": namespace["Properties"]["DnsProperties"]["HostedZoneId"]}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("servicediscovery", "delete_namespace", Id=ref)


# --- Secrets -----------------------------------------------------------------


class Secret(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        own = {k: v for k, v in properties.items() if k != "GenerateSecretString"}
        if (how := properties.get("GenerateSecretString")) is not None:
            own["SecretString"] = self._generate(aws, how)
        arn = aws.call("secretsmanager", "create_secret", {"Name": name} | own)["ARN"]
        return arn, {"Id": arn}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if not same(before, after) <= {"Description"}:
            raise Replace
        aws.call("secretsmanager", "update_secret", SecretId=ref, Description=after.get("Description", ""))

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("secretsmanager", "delete_secret", SecretId=ref, ForceDeleteWithoutRecovery=True)

    def _generate(self, aws: Account, how: dict) -> str:
        rules = {k: v for k, v in how.items() if k not in ("SecretStringTemplate", "GenerateStringKey")}
        password = aws.call("secretsmanager", "get_random_password", rules)["RandomPassword"]
        if "GenerateStringKey" not in how:
            return password
        return json.dumps(json.loads(how["SecretStringTemplate"]) | {how["GenerateStringKey"]: password})


class SecretTargetAttachment(Custom):
    """Puts the address of a database into the secret with its credentials."""

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        ref = properties["SecretId"]
        held = json.loads(aws.call("secretsmanager", "get_secret_value", SecretId=ref)["SecretString"])
        held |= self._target(aws, properties["TargetType"], properties["TargetId"])
        aws.call("secretsmanager", "put_secret_value", SecretId=ref, SecretString=json.dumps(held))
        return ref, {}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        pass  # the secret keeps what it holds

    def _target(self, aws: Account, target: str, ref: str) -> dict:
        match target:
            case "AWS::RDS::DBCluster":
                found = aws.call("rds", "describe_db_clusters", DBClusterIdentifier=ref)["DBClusters"][0]
                return {"dbClusterIdentifier": ref, "engine": found["Engine"], "host": found["Endpoint"], "port": found["Port"]}
            case "AWS::RDS::DBInstance":
                found = aws.call("rds", "describe_db_instances", DBInstanceIdentifier=ref)["DBInstances"][0]
                return {"dbInstanceIdentifier": ref, "engine": found["Engine"]} | {
                    "host": found["Endpoint"]["Address"], "port": found["Endpoint"]["Port"]}
            case _:
                raise Unsupported(f"a secret attached to {target}")


# --- SQS and S3 --------------------------------------------------------------


class Queue(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        fifo = ".fifo" if text(properties.get("FifoQueue", "")) == "true" else ""
        name = properties.get("QueueName", name + fifo)
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        url = aws.call("sqs", "create_queue", QueueName=name, Attributes=self._attributes(properties), tags=tags)["QueueUrl"]
        return url, {"Arn": f"arn:aws:sqs:{aws.region}:{aws.account}:{name}", "QueueName": name, "QueueUrl": url}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if same(before, after) & {"QueueName", "FifoQueue"}:
            raise Replace
        aws.call("sqs", "set_queue_attributes", QueueUrl=ref, Attributes=self._attributes(after))

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("sqs", "delete_queue", QueueUrl=ref)

    def _attributes(self, properties: dict) -> dict:
        return {
            name: json.dumps(value) if isinstance(value, dict) else text(value)
            for name, value in properties.items()
            if name not in ("QueueName", "Tags")
        }


class QueuePolicy(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        self._set(aws, properties["Queues"], json.dumps(properties["PolicyDocument"]))
        return name, {}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        self._set(aws, [queue for queue in before["Queues"] if queue not in after["Queues"]], "")
        self.create(aws, after, ref)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        self._set(aws, properties["Queues"], "")

    def _set(self, aws: Account, queues: list[str], policy: str) -> None:
        for queue in queues:
            aws.call("sqs", "set_queue_attributes", QueueUrl=queue, Attributes={"Policy": policy})


class BucketPolicy(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        aws.call("s3", "put_bucket_policy", Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"]))
        return name, {}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if "Bucket" in same(before, after):
            raise Replace
        self.create(aws, after, ref)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("s3", "delete_bucket_policy", Bucket=properties["Bucket"])


# --- Names and certificates --------------------------------------------------


class Certificate(Custom):
    """A certificate; it is issued at once, as if its records were there."""

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        arguments = {k: v for k, v in properties.items() if k in ("DomainName", "SubjectAlternativeNames", "ValidationMethod", "KeyAlgorithm")}
        if unknown := properties.keys() - arguments.keys() - {"DomainValidationOptions", "Tags"}:
            raise Unsupported(f"AWS::CertificateManager::Certificate with {sorted(unknown)}")
        if "Tags" in properties:
            arguments["Tags"] = properties["Tags"]
        arn = aws.call("acm", "request_certificate", arguments)["CertificateArn"]
        return arn, {"Id": arn}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("acm", "delete_certificate", CertificateArn=ref)


class HostedZone(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        if unknown := properties.keys() - {"Name", "VPCs", "HostedZoneConfig", "HostedZoneTags"}:
            raise Unsupported(f"AWS::Route53::HostedZone with {sorted(unknown)}")
        arguments: dict[str, Any] = {"Name": properties["Name"], "CallerReference": name}
        if vpcs := properties.get("VPCs"):
            arguments["VPC"] = {"VPCId": vpcs[0]["VPCId"], "VPCRegion": vpcs[0]["VPCRegion"]}
            arguments["HostedZoneConfig"] = {"PrivateZone": True}
        answer = aws.call("route53", "create_hosted_zone", **arguments)
        ref = answer["HostedZone"]["Id"].removeprefix("/hostedzone/")
        return ref, {"Id": ref, "NameServers": answer.get("DelegationSet", {}).get("NameServers", [])}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("route53", "delete_hosted_zone", Id=ref)


class RecordSet(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        self._change(aws, "CREATE", properties)
        return properties["Name"], {}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if same(before, after) & {"Name", "HostedZoneId", "Type"}:
            raise Replace
        self._change(aws, "UPSERT", after)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        self._change(aws, "DELETE", properties)

    def _change(self, aws: Account, action: str, properties: dict) -> None:
        target = properties["AliasTarget"]
        aws.call("route53", "change_resource_record_sets", HostedZoneId=properties["HostedZoneId"], ChangeBatch={"Changes": [{
            "Action": action, "ResourceRecordSet": {
                "Name": properties["Name"], "Type": properties["Type"], "AliasTarget": {
                    "DNSName": target["DNSName"], "HostedZoneId": target["HostedZoneId"],
                    "EvaluateTargetHealth": text(target.get("EvaluateTargetHealth", "")) == "true"}}}]})


class ListenerCertificate(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        aws.call("elbv2", "add_listener_certificates", ListenerArn=properties["ListenerArn"], Certificates=properties["Certificates"])
        return name, {}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("elbv2", "remove_listener_certificates", ListenerArn=properties["ListenerArn"], Certificates=properties["Certificates"])


# --- Databases ---------------------------------------------------------------


def table(properties: dict) -> dict:
    """A table's properties as the API names them."""
    if "SSESpecification" in properties:
        properties = properties | {"SSESpecification": {"Enabled": properties["SSESpecification"]["SSEEnabled"]}}
    if "StreamSpecification" in properties:
        stream = properties["StreamSpecification"] | {"StreamEnabled": True}
        properties = properties | {"StreamSpecification": stream}
    return properties


def parameters(operation: str, key: str) -> Apart:
    def put(aws: Account, ref: str, values: dict) -> None:
        listed = [
            {"ParameterName": name, "ParameterValue": text(value), "ApplyMethod": "pending-reboot"}
            for name, value in values.items()
        ]
        aws.call("rds", operation, {key: ref}, Parameters=listed)

    return put


class Database(Row):
    """A database: what it leaves behind depends on its deletion policy."""

    def snapshot(self, aws: Account, ref: str) -> None:
        """Delete it and leave a final snapshot."""
        key = "FinalDBSnapshotIdentifier"
        aws.call("rds", self.delete_operation, **self._id(ref), SkipFinalSnapshot=False, **{key: f"{ref[:200]}-final"})


TYPES: dict[str, Row | Custom] = {
    "AWS::EC2::VPC": Row(
        "ec2", "create_vpc", "Vpc.VpcId", "delete_vpc", "VpcId",
        attributes={"VpcId": "Vpc.VpcId", "CidrBlock": "Vpc.CidrBlock"},
        apart={name: vpc_attribute(name) for name in ("EnableDnsSupport", "EnableDnsHostnames")},
    ),
    "AWS::EC2::Subnet": Row(
        "ec2", "create_subnet", "Subnet.SubnetId", "delete_subnet", "SubnetId",
        attributes={"SubnetId": "Subnet.SubnetId", "AvailabilityZone": "Subnet.AvailabilityZone"},
        apart={"MapPublicIpOnLaunch": lambda aws, ref, value: aws.call(
            "ec2", "modify_subnet_attribute", SubnetId=ref, MapPublicIpOnLaunch={"Value": text(value) == "true"})},
    ),
    "AWS::EC2::RouteTable": Row("ec2", "create_route_table", "RouteTable.RouteTableId", "delete_route_table", "RouteTableId"),
    "AWS::EC2::SubnetRouteTableAssociation": Row(
        "ec2", "associate_route_table", "AssociationId", "disassociate_route_table", "AssociationId"),
    "AWS::EC2::Route": Row(
        "ec2", "create_route", "{RouteTableId}|{DestinationCidrBlock}", "delete_route",
        keys=("RouteTableId", "DestinationCidrBlock")),
    "AWS::EC2::InternetGateway": Row(
        "ec2", "create_internet_gateway", "InternetGateway.InternetGatewayId", "delete_internet_gateway", "InternetGatewayId"),
    "AWS::EC2::VPCGatewayAttachment": Row(
        "ec2", "attach_internet_gateway", "IGW|{VpcId}", "detach_internet_gateway", keys=("InternetGatewayId", "VpcId")),
    "AWS::EC2::EIP": Row(
        "ec2", "allocate_address", "PublicIp", "release_address", keys=("AllocationId",),
        attributes={"AllocationId": "AllocationId", "PublicIp": "PublicIp"}),
    "AWS::EC2::NatGateway": Row(
        "ec2", "create_nat_gateway", "NatGateway.NatGatewayId", "delete_nat_gateway", "NatGatewayId",
        attributes={"NatGatewayId": "NatGateway.NatGatewayId"}),
    "AWS::EC2::SecurityGroup": SecurityGroup(),
    "AWS::EC2::SecurityGroupIngress": SecurityGroupRule("ingress"),
    "AWS::EC2::SecurityGroupEgress": SecurityGroupRule("egress"),
    "AWS::IAM::Role": Role(),
    "AWS::IAM::Policy": Policy(),
    "AWS::Logs::LogGroup": Row(
        "logs", "create_log_group", "{LogGroupName}", "delete_log_group", "logGroupName", name="LogGroupName",
        attributes={"Arn": "arn:aws:logs:{region}:{account}:log-group:{LogGroupName}:*"},
        apart={"RetentionInDays": lambda aws, ref, value: aws.call(
            "logs", "put_retention_policy", logGroupName=ref, retentionInDays=int(value))},
    ),
    "AWS::ECS::Cluster": Row(
        "ecs", "create_cluster", "cluster.clusterName", "delete_cluster", "cluster", name="ClusterName",
        rename={"ClusterSettings": "settings"}, attributes={"Arn": "cluster.clusterArn"}),
    "AWS::ECS::TaskDefinition": Row(
        "ecs", "register_task_definition", "taskDefinition.taskDefinitionArn", "deregister_task_definition",
        "taskDefinition", name="Family", attributes={"TaskDefinitionArn": "taskDefinition.taskDefinitionArn"}),
    "AWS::ECS::Service": Row(
        "ecs", "create_service", "service.serviceArn", "delete_service", "service", keys=("Cluster",),
        constants=(("force", True),), update_operation="update_service", name="ServiceName",
        attributes={"Name": "service.serviceName", "ServiceArn": "service.serviceArn"}),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Row(
        "elbv2", "create_load_balancer", "LoadBalancers[0].LoadBalancerArn", "delete_load_balancer", "LoadBalancerArn",
        name="Name",
        attributes={
            "DNSName": "LoadBalancers[0].DNSName",
            "LoadBalancerArn": "LoadBalancers[0].LoadBalancerArn",
            "CanonicalHostedZoneID": "LoadBalancers[0].CanonicalHostedZoneId",
        },
        apart={"LoadBalancerAttributes": lambda aws, ref, value: aws.call(
            "elbv2", "modify_load_balancer_attributes", LoadBalancerArn=ref, Attributes=value)},
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Row(
        "elbv2", "create_target_group", "TargetGroups[0].TargetGroupArn", "delete_target_group", "TargetGroupArn",
        update_operation="modify_target_group", name="Name",
        attributes={"TargetGroupName": "TargetGroups[0].TargetGroupName"},
        apart={"TargetGroupAttributes": lambda aws, ref, value: aws.call(
            "elbv2", "modify_target_group_attributes", TargetGroupArn=ref, Attributes=value)},
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Row(
        "elbv2", "create_listener", "Listeners[0].ListenerArn", "delete_listener", "ListenerArn",
        update_operation="modify_listener"),
    "AWS::ElasticLoadBalancingV2::ListenerCertificate": ListenerCertificate(),
    "AWS::ElasticLoadBalancingV2::ListenerRule": Row(
        "elbv2", "create_rule", "Rules[0].RuleArn", "delete_rule", "RuleArn", update_operation="modify_rule"),
    "AWS::ApplicationAutoScaling::ScalableTarget": Row(
        "application-autoscaling", "register_scalable_target", "{ResourceId}|{ScalableDimension}|{ServiceNamespace}",
        "deregister_scalable_target", keys=("ResourceId", "ScalableDimension", "ServiceNamespace"),
        update_operation="register_scalable_target", apart={"ScheduledActions": scheduled_actions}),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicy(),
    "AWS::CloudWatch::Alarm": Alarm(),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": PrivateDnsNamespace(),
    "AWS::ServiceDiscovery::Service": Row(
        "servicediscovery", "create_service", "Service.Id", "delete_service", "Id", name="Name",
        attributes={"Id": "Service.Id", "Arn": "Service.Arn", "Name": "Service.Name"}),
    "AWS::SecretsManager::Secret": Secret(),
    "AWS::SecretsManager::SecretTargetAttachment": SecretTargetAttachment(),
    "AWS::SQS::Queue": Queue(),
    "AWS::SQS::QueuePolicy": QueuePolicy(),
    "AWS::S3::BucketPolicy": BucketPolicy(),
    "AWS::CertificateManager::Certificate": Certificate(),
    "AWS::Route53::HostedZone": HostedZone(),
    "AWS::Route53::RecordSet": RecordSet(),
    "AWS::DynamoDB::Table": Row(
        "dynamodb", "create_table", "TableDescription.TableName", "delete_table", "TableName",
        update_operation="update_table", name="TableName", prepare=table,
        attributes={"Arn": "TableDescription.TableArn", "StreamArn": "TableDescription.LatestStreamArn"},
        apart={
            "PointInTimeRecoverySpecification": lambda aws, ref, value: aws.call(
                "dynamodb", "update_continuous_backups", {"TableName": ref, "PointInTimeRecoverySpecification": value}),
            "TimeToLiveSpecification": lambda aws, ref, value: aws.call(
                "dynamodb", "update_time_to_live", {"TableName": ref, "TimeToLiveSpecification": value}),
        },
    ),
    "AWS::EFS::FileSystem": Row(
        "efs", "create_file_system", "FileSystemId", "delete_file_system", "FileSystemId", name="CreationToken",
        rename={"FileSystemTags": "Tags"}, attributes={"Arn": "FileSystemArn", "FileSystemId": "FileSystemId"},
        apart={
            "LifecyclePolicies": lambda aws, ref, value: aws.call(
                "efs", "put_lifecycle_configuration", FileSystemId=ref, LifecyclePolicies=value),
        },
        lacking=("BackupPolicy", "FileSystemPolicy"),
    ),
    "AWS::EFS::AccessPoint": Row(
        "efs", "create_access_point", "AccessPointId", "delete_access_point", "AccessPointId", name="ClientToken",
        rename={"AccessPointTags": "Tags"}, attributes={"Arn": "AccessPointArn", "AccessPointId": "AccessPointId"}),
    "AWS::EFS::MountTarget": Row("efs", "create_mount_target", "MountTargetId", "delete_mount_target", "MountTargetId"),
    "AWS::RDS::DBSubnetGroup": Row(
        "rds", "create_db_subnet_group", "DBSubnetGroup.DBSubnetGroupName", "delete_db_subnet_group", "DBSubnetGroupName",
        name="DBSubnetGroupName"),
    "AWS::RDS::DBCluster": Database(
        "rds", "create_db_cluster", "DBCluster.DBClusterIdentifier", "delete_db_cluster", "DBClusterIdentifier",
        constants=(("SkipFinalSnapshot", True),), update_operation="modify_db_cluster",
        name="DBClusterIdentifier",
        attributes={
            "DBClusterArn": "DBCluster.DBClusterArn", "Endpoint.Address": "DBCluster.Endpoint",
            "Endpoint.Port": "DBCluster.Port", "ReadEndpoint.Address": "DBCluster.ReaderEndpoint",
        }),
    "AWS::RDS::DBInstance": Database(
        "rds", "create_db_instance", "DBInstance.DBInstanceIdentifier", "delete_db_instance", "DBInstanceIdentifier",
        constants=(("SkipFinalSnapshot", True),), update_operation="modify_db_instance",
        name="DBInstanceIdentifier", rename={"VPCSecurityGroups": "VpcSecurityGroupIds"},
        attributes={
            "DBInstanceArn": "DBInstance.DBInstanceArn", "Endpoint.Address": "DBInstance.Endpoint.Address",
            "Endpoint.Port": "DBInstance.Endpoint.Port",
        }),
    "AWS::RDS::DBParameterGroup": Row(
        "rds", "create_db_parameter_group", "DBParameterGroup.DBParameterGroupName", "delete_db_parameter_group",
        "DBParameterGroupName", name="DBParameterGroupName", rename={"Family": "DBParameterGroupFamily"},
        apart={"Parameters": parameters("modify_db_parameter_group", "DBParameterGroupName")}),
    "AWS::RDS::DBClusterParameterGroup": Row(
        "rds", "create_db_cluster_parameter_group", "DBClusterParameterGroup.DBClusterParameterGroupName",
        "delete_db_cluster_parameter_group", "DBClusterParameterGroupName", name="DBClusterParameterGroupName",
        rename={"Family": "DBParameterGroupFamily"},
        apart={"Parameters": parameters("modify_db_cluster_parameter_group", "DBClusterParameterGroupName")}),
}

# CDK's record of its own version: AWS does nothing with it either.
STUBS = {"AWS::CDK::Metadata"}


def handler(type_name: str) -> Row | Custom:
    """What makes resources of a type; a type that nothing can make is an error."""
    if type_name in TYPES:
        return TYPES[type_name]
    if type_name in STUBS:
        return Stub()
    if type_name in parsing.get_model_map():
        return Native(type_name)
    raise Unsupported(f"the emulator knows no type {type_name}")
