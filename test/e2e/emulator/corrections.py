"""Where moto's services are laxer or stricter than AWS in what the test looks at."""

import fnmatch
import json
import os
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import flask
from moto.codebuild import responses as codebuild
from moto.codepipeline.models import CodePipelineBackend
from moto.core.exceptions import JsonRESTError
from moto.elbv2 import models as elbv2
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import iam_backends
from moto.s3.models import FakeBucket
from moto.sts.models import STSBackend, sts_backends

from .api import text

_assume_role = STSBackend.assume_role
_is_action_permitted = IAMPolicyStatement.is_action_permitted


# The organisation that every account here belongs to.
ORGANIZATION = os.environ.get("E2E_ORGANIZATION", "")


class AccessDenied(JsonRESTError):
    code = 403


def assume_role(self: STSBackend, *args: Any, **arguments: Any) -> Any:
    """Assume a role, if it trusts the caller: moto hands out the credentials of any.
    A role that does not exist stands for how a person gets into an account."""
    who = caller(self)
    context = {
        "aws:PrincipalArn": who, "aws:PrincipalAccount": self.account_id, "aws:PrincipalOrgID": ORGANIZATION,
        "aws:SecureTransport": "true", "sts:ExternalId": arguments.get("external_id") or None,
    }
    require(arguments["role_arn"], "AWS", {who, self.account_id, f"arn:aws:iam::{self.account_id}:root"}, context)
    return _assume_role(self, *args, **arguments)


def assume_as_service(service: str, role: str, source: str | None) -> dict:
    """The credentials with which a service works for its account, because of one of
    the account's resources."""
    account = role.split(":")[4]
    require(role, "Service", {service}, {"aws:SourceAccount": account, "aws:SourceArn": source, "aws:SecureTransport": "true"})
    session = _assume_role(sts_backends[account]["aws"], region_name="us-east-1", role_session_name="service",
                           role_arn=role, policy=None, duration=3600, external_id=None)
    return {"AWS_ACCESS_KEY_ID": session.access_key_id, "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
            "AWS_SESSION_TOKEN": session.session_token}


def caller(sts: STSBackend) -> str:
    """The role of the credentials that a request was signed with, else the account."""
    signed = re.search(r"Credential=([^/]+)/", flask.request.headers.get("Authorization", ""))
    session = sts.get_assumed_role_from_access_key(signed[1]) if signed else None
    return session.role_arn if session else f"arn:aws:iam::{sts.account_id}:root"


def require(arn: str, kind: str, principals: set[str], context: dict) -> None:
    """Refuse unless the role, where there is one, trusts one of the principals."""
    for role in list(iam_backends[arn.split(":")[4]]["aws"].roles.values()):
        if role.arn == arn and not trusts(json.loads(role.assume_role_policy_document), kind, principals, context):
            raise AccessDenied("AccessDenied", f"{arn} does not trust {sorted(principals)}")


def trusts(policy: dict, kind: str, principals: set[str], context: dict) -> bool:
    """Whether a trust policy allows one of the principals, and denies it nowhere."""
    effects = {
        statement["Effect"] for statement in policy["Statement"]
        if (principals.intersection(listed(statement.get("Principal"), kind)) or statement.get("Principal") in ("*", {"AWS": "*"}))
        and all(holds(operator, key, listed({key: values}, key), context)
                for operator, keys in statement.get("Condition", {}).items() for key, values in keys.items())
    }
    return effects == {"Allow"}


def listed(value: Any, key: str) -> list[str]:
    found = value.get(key, []) if isinstance(value, dict) else []
    return [text(one) for one in (found if isinstance(found, list) else [found])]


def holds(operator: str, key: str, values: list[str], context: dict) -> bool:
    """Whether a condition holds; one of a key or an operator that is not known here
    does not."""
    actual = next((value for name, value in context.items() if name.lower() == key.lower()), None)
    match operator:
        case "Null":
            return values == [text(actual is None)]
        case "ArnLike" | "ArnEquals" | "StringLike":
            return actual is not None and any(fnmatch.fnmatchcase(actual, value) for value in values)
        case "StringEquals" | "Bool":
            return actual in values
        case _:
            return False


def is_action_permitted(self: IAMPolicyStatement, *args: Any, **arguments: Any) -> PermissionResult:
    """Statements that deny what comes without TLS concern nobody here: on AWS the
    clients would use TLS, and moto applies a denial whatever its conditions are."""
    condition = self._statement.get("Condition", {})
    if self._statement["Effect"] == "Deny" and "aws:SecureTransport" in condition.get("Bool", {}):
        return PermissionResult.NEUTRAL
    return _is_action_permitted(self, *args, **arguments)


class Roles:
    """The roles of an account as moto's CodePipeline reads them: it takes a service
    for trusted that a statement names alone, not in a list."""

    def __init__(self, pipelines: CodePipelineBackend) -> None:
        self.roles = iam_backends[pipelines.account_id][pipelines.partition]

    def get_role_by_arn(self, arn: str) -> Any:
        policy = json.loads(self.roles.get_role_by_arn(arn).assume_role_policy_document)
        services = [service for statement in policy["Statement"] for service in listed(statement.get("Principal"), "Service")]
        statements = [{"Principal": {"Service": service}} for service in services]
        return SimpleNamespace(assume_role_policy_document=json.dumps({"Statement": statements}))


def unless_of_a_pipeline(check: Callable) -> Callable:
    """A check of the sources or artifacts of builds, for those with a location."""
    return lambda given: None if given["type"] in ("CODEPIPELINE", "NO_SOURCE") else check(given)


def install() -> None:
    """Put them into moto."""
    STSBackend.assume_role = assume_role
    IAMPolicyStatement.is_action_permitted = is_action_permitted
    CodePipelineBackend.iam_backend = property(Roles)
    # What a build gets from its pipeline has no location.
    for check in ("_validate_required_params_source", "_validate_required_params_artifacts"):
        setattr(codebuild, check, unless_of_a_pipeline(getattr(codebuild, check)))
    # The policy with which a bucket takes logs comes after it, and after what it logs.
    FakeBucket._log_permissions_enabled_policy = lambda *_, **__: True
    # Certificates that a file names by their ARN are taken to be there.
    elbv2.register_certificate = lambda **_: None
    elbv2.ELBv2Backend._certificate_exists = lambda _, certificate_arn: True
