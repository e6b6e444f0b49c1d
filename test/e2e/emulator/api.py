"""Calls moto's services as an AWS SDK does, so that botocore checks every argument."""

import functools
import os
import threading
from typing import Any

import boto3
import botocore.config

_lock = threading.Lock()
_session = boto3.Session(aws_access_key_id="cloudformation", aws_secret_access_key="cloudformation")


class Unsupported(Exception):
    """A template asks for what the emulator cannot do: the deployment must fail."""


@functools.cache
def _client(service: str, account: str, region: str) -> Any:
    endpoint = f"http://localhost:{os.environ['MOTO_PORT']}"
    config = botocore.config.Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
    client = _session.client(service, region_name=region, endpoint_url=endpoint, config=config)
    client.meta.events.register(
        "before-call", lambda params, **_: params["headers"].update({"x-moto-account-id": account})
    )
    return client


class Account:
    """The services of an account in a region."""

    def __init__(self, account: str, region: str) -> None:
        self.account, self.region = account, region

    def client(self, service: str) -> Any:
        with _lock:  # boto3 makes one client at a time
            return _client(service, self.account, self.region)

    def call(self, service: str, operation: str, properties: dict | None = None, /, **arguments: Any) -> dict:
        """Call an operation. Properties of a template are fitted to its parameters:
        they differ from them in case, and in how numbers are written. A property
        that the operation does not take is an error; nothing is dropped in silence.
        """
        client = self.client(service)
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
        if properties:
            arguments = fit(shape, _tags(shape, properties, operation), operation) | arguments
        return getattr(client, operation)(**arguments)


def _tags(shape: Any, properties: dict, operation: str) -> dict:
    """Tags as the operation takes them: in EC2 they come with a type of resource."""
    if "Tags" not in properties or "TagSpecifications" not in shape.members:
        return properties
    rest = {name: value for name, value in properties.items() if name != "Tags"}
    resource = {"allocate_address": "elastic-ip", "create_nat_gateway": "natgateway"}.get(
        operation, operation.removeprefix("create_").replace("_", "-")
    )
    return rest | {"TagSpecifications": [{"ResourceType": resource, "Tags": properties["Tags"]}]}


def fit(shape: Any, value: Any, path: str) -> Any:
    """Fit a value of a template to a shape of the API."""
    match shape.type_name:
        case "structure":
            if shape.is_document_type:
                return value
            members = {name.lower(): name for name in shape.members}
            fitted = {}
            for key, part in value.items():
                name = members.get(key.lower())
                if name is None:
                    raise Unsupported(f"{path} takes no {key}")
                fitted[name] = fit(shape.members[name], part, f"{path}.{key}")
            return fitted
        case "list":
            if not isinstance(value, list):
                raise Unsupported(f"{path} is {value!r}, not a list")
            return [fit(shape.member, part, path) for part in value]
        case "map":
            if isinstance(value, list):  # tags
                value = {tag["Key"]: tag["Value"] for tag in value}
            return {key: fit(shape.value, part, path) for key, part in value.items()}
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean":
            return text(value) == "true"
        case "string":
            return text(value)
        case _:
            return value


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
