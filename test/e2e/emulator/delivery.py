"""The types of pipelines and of what they stand on: builds, pipelines, registries,
keys, buckets, topics and the events that start them."""

import json
from typing import Any

from .api import Account, Unsupported, text
from .resources import STUBS, TYPES, Created, Custom, Replace, Row, same


def document(operation: str, key: str, parameter: str, service: str) -> Any:
    """A policy that has an operation of its own."""
    return lambda aws, ref, value: aws.call(service, operation, **{
        key: ref, parameter: value if isinstance(value, str) else json.dumps(value)})


# --- CodePipeline and CodeBuild ----------------------------------------------


class Pipeline(Custom):
    own = ("Tags", "RestartExecutionOnUpdate", "DisableInboundStageTransitions")

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        pipeline = self._pipeline({"Name": name} | properties)
        tags = {"Tags": properties["Tags"]} if "Tags" in properties else {}
        made = aws.call("codepipeline", "create_pipeline", {"pipeline": pipeline} | tags)["pipeline"]
        return made["name"], {"Version": str(made["version"])}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        changed = same(before, after)
        if "Name" in changed:
            raise Replace
        if changed:
            aws.call("codepipeline", "update_pipeline", {"pipeline": self._pipeline({"Name": ref} | after)})

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("codepipeline", "delete_pipeline", name=ref)

    def _pipeline(self, properties: dict) -> dict:
        pipeline = {name: value for name, value in properties.items() if name not in self.own}
        if "ArtifactStores" in pipeline:
            pipeline["ArtifactStores"] = {store["Region"]: store["ArtifactStore"] for store in pipeline["ArtifactStores"]}
        return pipeline


class Project(Row):
    """A project; moto cannot change one, so it is replaced under its name."""

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        changed = same(before, after)
        if "Name" in changed:
            raise Replace
        if changed:
            self.delete(aws, ref, before, attributes)
            self.create(aws, {"Name": ref} | after, ref)


# --- Images, keys and buckets ------------------------------------------------


class Repository(Row):
    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        empties = text(properties.get("EmptyOnDelete", "")) == "true"
        aws.call("ecr", "delete_repository", repositoryName=ref, force=empties)


class Key(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        own = {k: v for k, v in properties.items() if k in ("Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion")}
        if unknown := properties.keys() - own.keys() - {
                "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "RotationPeriodInDays", "Tags"}:
            raise Unsupported(f"AWS::KMS::Key with {sorted(unknown)}")
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
        key = aws.call("kms", "create_key", own, Policy=json.dumps(properties["KeyPolicy"]), Tags=tags)["KeyMetadata"]
        self._rotate(aws, key["KeyId"], properties)
        return key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if not same(before, after) <= {"Description", "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "RotationPeriodInDays"}:
            raise Replace
        aws.call("kms", "put_key_policy", KeyId=ref, PolicyName="default", Policy=json.dumps(after["KeyPolicy"]))
        aws.call("kms", "update_key_description", KeyId=ref, Description=after.get("Description", ""))
        self._rotate(aws, ref, after)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("kms", "schedule_key_deletion", KeyId=ref, PendingWindowInDays=int(properties.get("PendingWindowInDays", 30)))

    def _rotate(self, aws: Account, key: str, properties: dict) -> None:
        if text(properties.get("EnableKeyRotation", "")) == "true":
            aws.call("kms", "enable_key_rotation", KeyId=key, RotationPeriodInDays=int(properties.get("RotationPeriodInDays", 365)))


class ReplicaKey(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        primary = properties["PrimaryKeyArn"]
        there = Account(aws.account, primary.split(":")[3])
        key = there.call("kms", "replicate_key", KeyId=primary, ReplicaRegion=aws.region)["ReplicaKeyMetadata"]
        aws.call("kms", "put_key_policy", KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps(properties["KeyPolicy"]))
        return key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("kms", "schedule_key_deletion", KeyId=ref, PendingWindowInDays=7)


LIFECYCLE = {"Id", "Status", "Prefix", "ExpirationInDays", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload",
             "ExpiredObjectDeleteMarker"}


def lifecycle(rule: dict) -> dict:
    """A rule of a bucket's life cycle as the API names it."""
    if unknown := rule.keys() - LIFECYCLE:
        raise Unsupported(f"a rule of a life cycle with {sorted(unknown)}")
    result = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        result["ID"] = rule["Id"]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            result[name] = {key: int(value) for key, value in rule[name].items()}
    if "ExpirationInDays" in rule:
        result["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    elif "ExpiredObjectDeleteMarker" in rule:
        result["Expiration"] = {"ExpiredObjectDeleteMarker": text(rule["ExpiredObjectDeleteMarker"]) == "true"}
    return result


def encryption(rule: dict) -> dict:
    """How a bucket encrypts, as the API names it."""
    renamed = {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}
    return renamed | ({"BucketKeyEnabled": rule["BucketKeyEnabled"]} if "BucketKeyEnabled" in rule else {})


def notifications(configuration: dict) -> dict:
    """Where a bucket sends its events, as the API names it."""
    if configuration.keys() == {"EventBridgeConfiguration"}:
        return {"EventBridgeConfiguration": {}}
    if unknown := configuration.keys() - {"QueueConfigurations"}:
        raise Unsupported(f"notifications with {sorted(unknown)}")
    return {"QueueConfigurations": [
        {"QueueArn": queue["Queue"], "Events": [queue["Event"]]} for queue in configuration["QueueConfigurations"]]}


class Bucket(Custom):
    """A bucket; each property has an operation of its own."""

    puts = {
        "AccessControl": lambda v: ("put_bucket_acl", {"ACL": {"Private": "private", "LogDeliveryWrite": "log-delivery-write"}[v]}),
        "BucketEncryption": lambda v: ("put_bucket_encryption", {
            "ServerSideEncryptionConfiguration": {"Rules": [encryption(rule) for rule in v["ServerSideEncryptionConfiguration"]]}}),
        "LifecycleConfiguration": lambda v: ("put_bucket_lifecycle_configuration", {
            "LifecycleConfiguration": {"Rules": [lifecycle(rule) for rule in v["Rules"]]}}),
        "LoggingConfiguration": lambda v: ("put_bucket_logging", {"BucketLoggingStatus": {"LoggingEnabled": {
            "TargetBucket": v["DestinationBucketName"], "TargetPrefix": v.get("LogFilePrefix", "")}}}),
        "NotificationConfiguration": lambda v: ("put_bucket_notification_configuration", {
            "NotificationConfiguration": notifications(v)}),
        "OwnershipControls": lambda v: ("put_bucket_ownership_controls", {"OwnershipControls": v}),
        "PublicAccessBlockConfiguration": lambda v: ("put_public_access_block", {"PublicAccessBlockConfiguration": v}),
        "Tags": lambda v: ("put_bucket_tagging", {"Tagging": {"TagSet": v}}),
        "VersioningConfiguration": lambda v: ("put_bucket_versioning", {"VersioningConfiguration": v}),
    }

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        if unknown := properties.keys() - self.puts.keys() - {"BucketName"}:
            raise Unsupported(f"AWS::S3::Bucket with {sorted(unknown)}")
        name = properties.get("BucketName", name.lower())
        where = {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        controls = properties.get("OwnershipControls", {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        if "AccessControl" in properties:
            where["ObjectOwnership"] = controls["Rules"][0]["ObjectOwnership"]
        aws.call("s3", "create_bucket", Bucket=name, **where)
        self._put(aws, name, properties, properties.keys())
        domain = "amazonaws.com"
        return name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": f"{name}.s3.{domain}",
                      "DualStackDomainName": f"{name}.s3.dualstack.{aws.region}.{domain}",
                      "RegionalDomainName": f"{name}.s3.{aws.region}.{domain}",
                      "WebsiteURL": f"http://{name}.s3-website-{aws.region}.{domain}"}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        changed = same(before, after)
        if "BucketName" in changed or not changed <= after.keys():
            raise Replace
        self._put(aws, ref, after, changed)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("s3", "delete_bucket", Bucket=ref)

    def _put(self, aws: Account, bucket: str, properties: dict, names: Any) -> None:
        for name in sorted(names - {"BucketName"}):
            operation, arguments = self.puts[name](properties[name])
            aws.call("s3", operation, arguments, Bucket=bucket)


# --- Topics and events -------------------------------------------------------


class Topic(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        arn = aws.call("sns", "create_topic", Name=properties.get("TopicName", name),
                       Attributes=self._attributes(properties), Tags=properties.get("Tags", []))["TopicArn"]
        return arn, {"TopicArn": arn, "TopicName": arn.split(":")[-1]}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        changed = same(before, after)
        if "TopicName" in changed:
            raise Replace
        for name, value in self._attributes(after).items():
            if name in changed:
                aws.call("sns", "set_topic_attributes", TopicArn=ref, AttributeName=name, AttributeValue=value)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("sns", "delete_topic", TopicArn=ref)

    def _attributes(self, properties: dict) -> dict:
        return {name: text(value) for name, value in properties.items() if name not in ("TopicName", "Tags")}


class TopicPolicy(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        for topic in properties["Topics"]:
            aws.call("sns", "set_topic_attributes", TopicArn=topic, AttributeName="Policy",
                     AttributeValue=json.dumps(properties["PolicyDocument"]))
        return name, {}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        self.create(aws, after, ref)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        pass  # moto has no operation for it; the topic is about to go


class EventRule(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        name = properties.get("Name", name)
        own = {k: v for k, v in properties.items() if k not in ("Targets", "EventPattern")}
        if "EventPattern" in properties:
            own["EventPattern"] = json.dumps(properties["EventPattern"])
        arn = aws.call("events", "put_rule", {"Name": name} | own)["RuleArn"]
        if properties.get("Targets"):
            aws.call("events", "put_targets", {"Rule": name, "Targets": properties["Targets"]})
        return name, {"Arn": arn}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if same(before, after) & {"Name", "EventBusName"}:
            raise Replace
        left = [t["Id"] for t in before.get("Targets", []) if t["Id"] not in {t["Id"] for t in after.get("Targets", [])}]
        self.create(aws, after, ref)
        if left:
            aws.call("events", "remove_targets", Rule=ref, Ids=left)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        if ids := [target["Id"] for target in properties.get("Targets", [])]:
            aws.call("events", "remove_targets", Rule=ref, Ids=ids)
        aws.call("events", "delete_rule", Name=ref)


class StateMachine(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        name = properties.get("StateMachineName", name)
        arn = aws.call("stepfunctions", "create_state_machine", self._arguments(properties), name=name)["stateMachineArn"]
        return arn, {"Arn": arn, "Name": name}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if same(before, after) & {"StateMachineName", "StateMachineType"}:
            raise Replace
        arguments = {k: v for k, v in self._arguments(after).items() if k not in ("type", "Tags")}
        aws.call("stepfunctions", "update_state_machine", arguments, stateMachineArn=ref)

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("stepfunctions", "delete_state_machine", stateMachineArn=ref)

    def _arguments(self, properties: dict) -> dict:
        rest = {k: v for k, v in properties.items() if k not in ("StateMachineName", "StateMachineType", "DefinitionString", "Definition")}
        definition = properties.get("DefinitionString") or json.dumps(properties["Definition"])
        return rest | {"definition": definition, "type": properties.get("StateMachineType", "STANDARD")}


# --- Permissions and names ---------------------------------------------------


class ManagedPolicy(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        if unknown := properties.keys() - {"ManagedPolicyName", "PolicyDocument", "Description", "Path", "Roles"}:
            raise Unsupported(f"AWS::IAM::ManagedPolicy with {sorted(unknown)}")
        own = {k: v for k, v in properties.items() if k in ("Description", "Path")}
        arn = aws.call("iam", "create_policy", own, PolicyName=properties.get("ManagedPolicyName", name),
                       PolicyDocument=json.dumps(properties["PolicyDocument"]))["Policy"]["Arn"]
        for role in properties.get("Roles", []):
            aws.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
        return arn, {"PolicyArn": arn}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        if same(before, after) - {"PolicyDocument"}:
            raise Replace
        for version in aws.call("iam", "list_policy_versions", PolicyArn=ref)["Versions"]:
            if not version["IsDefaultVersion"]:
                aws.call("iam", "delete_policy_version", PolicyArn=ref, VersionId=version["VersionId"])
        aws.call("iam", "create_policy_version", PolicyArn=ref, SetAsDefault=True, PolicyDocument=json.dumps(after["PolicyDocument"]))

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        for role in properties.get("Roles", []):
            aws.call("iam", "detach_role_policy", RoleName=role, PolicyArn=ref)
        for version in aws.call("iam", "list_policy_versions", PolicyArn=ref)["Versions"]:
            if not version["IsDefaultVersion"]:
                aws.call("iam", "delete_policy_version", PolicyArn=ref, VersionId=version["VersionId"])
        aws.call("iam", "delete_policy", PolicyArn=ref)


class SigningProfile(Custom):
    def create(self, aws: Account, properties: dict, name: str) -> Created:
        own = {k: v for k, v in properties.items() if k != "ProfileName"}
        name = properties.get("ProfileName", name.replace("-", "_"))
        made = aws.call("signer", "put_signing_profile", own, profileName=name)
        return made["arn"], {"Arn": made["arn"], "ProfileName": name, "ProfileVersion": made["profileVersion"],
                             "ProfileVersionArn": made["profileVersionArn"]}

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        aws.call("signer", "cancel_signing_profile", profileName=attributes["ProfileName"])


class Stub(Custom):
    """A type that moto has no service for: an ARN and no behaviour."""

    kind = "stub"

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def create(self, aws: Account, properties: dict, name: str) -> Created:
        arn = f"arn:aws:{self.arn}".format(region=aws.region, account=aws.account, name=name)
        return arn, {"Arn": arn}

    def update(self, aws: Account, ref: str, before: dict, after: dict, attributes: dict) -> None:
        pass

    def delete(self, aws: Account, ref: str, properties: dict, attributes: dict) -> None:
        pass


def subscription_attributes(properties: dict) -> dict:
    """What is neither a parameter of the subscription nor its region is an attribute."""
    own = {k: v for k, v in properties.items() if k in ("TopicArn", "Protocol", "Endpoint")}
    others = {k: v if isinstance(v, str) else json.dumps(v) for k, v in properties.items() if k not in own}
    return own | ({"Attributes": others} if others else {})


DELIVERY: dict[str, Row | Custom] = {
    "AWS::CodeBuild::Project": Project(
        "codebuild", "create_project", "project.name", "delete_project", "name", name="Name",
        attributes={"Arn": "project.arn"}),
    "AWS::CodePipeline::Pipeline": Pipeline(),
    "AWS::Chatbot::SlackChannelConfiguration": Stub("chatbot::{account}:chat-configuration/slack-channel/{name}"),
    "AWS::CodeStarNotifications::NotificationRule": Stub("codestar-notifications:{region}:{account}:notificationrule/{name}"),
    "AWS::ECR::Repository": Repository(
        "ecr", "create_repository", "repository.repositoryName", "delete_repository", "repositoryName", name="RepositoryName",
        attributes={"Arn": "repository.repositoryArn", "RepositoryUri": "repository.repositoryUri"},
        apart={
            "RepositoryPolicyText": document("set_repository_policy", "repositoryName", "policyText", "ecr"),
            "LifecyclePolicy": lambda aws, ref, value: aws.call(
                "ecr", "put_lifecycle_policy", repositoryName=ref, lifecyclePolicyText=value["LifecyclePolicyText"]),
            "EmptyOnDelete": lambda aws, ref, value: None,  # for when it is deleted
        },
    ),
    "AWS::Events::Rule": EventRule(),
    "AWS::IAM::ManagedPolicy": ManagedPolicy(),
    "AWS::KMS::Alias": Row("kms", "create_alias", "{AliasName}", "delete_alias", "AliasName", update_operation="update_alias"),
    "AWS::KMS::Key": Key(),
    "AWS::KMS::ReplicaKey": ReplicaKey(),
    "AWS::S3::Bucket": Bucket(),
    "AWS::SNS::Subscription": Row(
        "sns", "subscribe", "SubscriptionArn", "unsubscribe", "SubscriptionArn", prepare=subscription_attributes),
    "AWS::SNS::Topic": Topic(),
    "AWS::SNS::TopicPolicy": TopicPolicy(),
    "AWS::Signer::SigningProfile": SigningProfile(),
    "AWS::StepFunctions::StateMachine": StateMachine(),
}


def install() -> None:
    """Put them beside the others. moto has no signing of a whole registry."""
    TYPES.update(DELIVERY)
    STUBS.add("AWS::ECR::SigningConfiguration")
