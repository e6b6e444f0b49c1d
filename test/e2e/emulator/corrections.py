"""Where moto's services are laxer or stricter than AWS in what the test looks at."""

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.elbv2 import models as elbv2
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend

_assume_role = STSBackend.assume_role
_is_action_permitted = IAMPolicyStatement.is_action_permitted


class AccessDenied(JsonRESTError):
    code = 403


def assume_role(self: STSBackend, *args: Any, **arguments: Any) -> Any:
    """Assume a role, if it trusts the caller's account: moto hands out the credentials
    of any. A role that does not exist stands for how a person gets into an account."""
    arn = arguments["role_arn"]
    for role in list(iam_backends[arn.split(":")[4]]["aws"].roles.values()):
        if role.arn == arn and not trusts(json.loads(role.assume_role_policy_document), self.account_id):
            raise AccessDenied("AccessDenied", f"{arn} does not trust account {self.account_id}")
    return _assume_role(self, *args, **arguments)


def trusts(policy: dict, account: str) -> bool:
    """Whether a trust policy allows the principals of an account."""
    for statement in policy["Statement"]:
        principals = statement.get("Principal", {}).get("AWS", [])
        principals = {principals} if isinstance(principals, str) else set(principals)
        if statement["Effect"] == "Allow" and principals & {account, f"arn:aws:iam::{account}:root"}:
            return True
    return False


def is_action_permitted(self: IAMPolicyStatement, *args: Any, **arguments: Any) -> PermissionResult:
    """Statements that deny what comes without TLS concern nobody here: on AWS the
    clients would use TLS, and moto applies a denial whatever its conditions are."""
    condition = self._statement.get("Condition", {})
    if self._statement["Effect"] == "Deny" and "aws:SecureTransport" in condition.get("Bool", {}):
        return PermissionResult.NEUTRAL
    return _is_action_permitted(self, *args, **arguments)


def install() -> None:
    """Put them into moto."""
    STSBackend.assume_role = assume_role
    IAMPolicyStatement.is_action_permitted = is_action_permitted
    # Certificates that a file names by their ARN are taken to be there.
    elbv2.register_certificate = lambda **_: None
    elbv2.ELBv2Backend._certificate_exists = lambda _, certificate_arn: True
