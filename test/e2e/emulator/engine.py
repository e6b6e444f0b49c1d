"""CloudFormation: makes, changes, replaces and deletes the resources of a stack.

It takes the place of moto's ResourceMap and of what executes change sets; stacks,
change sets, events and the API itself stay moto's.
"""

import itertools
import json
import re
import traceback
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation import models, parsing, responses
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.core.responses import ActionResult, EmptyResult

from .api import Account, Unsupported, text
from .resources import Database, Replace, handler

_serial = itertools.count(1)

# Types that were deployed, with how: "service API", "moto's model" or "stub".
deployed: dict[str, str] = {}


class Resource:
    """A resource of a stack, as moto's API and intrinsic functions see it."""

    def __init__(self, logical_id: str, declared: dict, properties: dict) -> None:
        self.logical_resource_id = logical_id
        self.cf_resource_type = declared["Type"]
        self.declared = declared
        self.properties = properties
        self.physical_resource_id = ""
        self.attributes: dict[str, Any] = {}

    def get_cfn_attribute(self, name: str) -> Any:
        try:
            value = self.attributes[name]
        except KeyError:
            value = None
        if value is None:
            raise Unsupported(f"{self.cf_resource_type} has no attribute {name} here")
        return value

    def is_created(self) -> bool:
        return bool(self.physical_resource_id)


class Resources(parsing.ResourceMap):
    """The resources of a stack by logical id; nothing is made by looking it up."""

    def __getitem__(self, key: str) -> Any:
        return self._parsed_resources[key]

    def __iter__(self) -> Iterator[str]:
        return (key for key, value in self._parsed_resources.items() if isinstance(value, Resource))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def validate_outputs(self) -> None:
        """Moto's check asks moto's models."""

    def create(self, template: dict) -> bool:
        self._resource_json_map = {}
        self.update(template)
        return True

    def update(self, template: dict, parameters: dict | None = None) -> None:
        before = dict(self.items())
        self._template, self._resource_json_map = template, template["Resources"]
        if parameters is not None:
            self.input_parameters = parameters
        self.load_mapping()
        self.load_parameters()
        self.load_conditions()
        unknown(template)
        leftover = [before[key] for key in reversed(order(self._declarations(before))) if key not in template["Resources"]]
        for key in order(template["Resources"]):
            old = self._make(key, template["Resources"][key], before.get(key))
            if old is not None:
                leftover.insert(0, old)
        for resource in leftover:  # last, as CloudFormation does: others may have used them till now
            replaced = resource.logical_resource_id in template["Resources"]
            self._drop(resource, "UpdateReplacePolicy" if replaced else "DeletionPolicy")
            if not replaced:
                del self._parsed_resources[resource.logical_resource_id]

    def delete(self) -> None:
        resources = dict(self.items())
        for key in reversed(order(self._declarations(resources))):
            self._drop(resources[key], "DeletionPolicy")
            del self._parsed_resources[key]

    def _make(self, key: str, declared: dict, old: Resource | None) -> Resource | None:
        """Make or change a resource; the result is one that it replaces."""
        condition = declared.get("Condition")
        if condition and not self.lazy_condition_map[condition]:
            return None
        what, aws = handler(declared["Type"]), Account(self._account_id, self._region_name)
        deployed[declared["Type"]] = what.kind
        properties = secrets(aws, parsing.clean_json(declared.get("Properties", {}), self))
        if old is not None and old.cf_resource_type == declared["Type"]:
            try:
                what.update(aws, old.physical_resource_id, old.properties, properties, old.attributes)
                old.declared, old.properties = declared, properties
                return None
            except Replace:
                pass
        made = Resource(key, declared, properties)
        try:
            made.physical_resource_id, made.attributes = what.create(aws, properties, self._name(key))
        except Exception as problem:
            raise Failure(key, declared["Type"], problem) from problem
        if not made.physical_resource_id:
            raise Failure(key, declared["Type"], Unsupported("it has no physical id"))
        self._parsed_resources[key] = made
        return old

    def _name(self, key: str) -> str:
        """A new name, of at most the 32 characters that load balancers may have."""
        return f"{self['AWS::StackName']}-{key}"[:26].strip("-") + f"-{next(_serial):05d}"

    def _drop(self, resource: Resource, policy: str) -> None:
        what, aws = handler(resource.cf_resource_type), Account(self._account_id, self._region_name)
        try:
            match resource.declared.get(policy, "Delete"):
                case "Retain" | "RetainExceptOnCreate":
                    return
                case "Snapshot" if isinstance(what, Database):
                    what.snapshot(aws, resource.physical_resource_id)
                case "Delete":
                    what.delete(aws, resource.physical_resource_id, resource.properties, resource.attributes)
                case other:
                    raise Unsupported(f"{policy} {other}")
        except Exception as problem:
            raise Failure(resource.logical_resource_id, resource.cf_resource_type, problem) from problem

    def _declarations(self, resources: dict[str, Resource]) -> dict[str, dict]:
        return {key: resource.declared for key, resource in resources.items()}


class Failure(Exception):
    """A resource that could not be made, changed or deleted."""

    def __init__(self, key: str, type_name: str, problem: Exception) -> None:
        super().__init__(f"{key} ({type_name}): {problem}")


def unknown(template: dict) -> None:
    """CloudFormation refuses a template with an unknown type before it does anything."""
    problems = []
    for declared in template["Resources"].values():
        try:
            handler(declared["Type"])
        except Unsupported as problem:
            problems.append(str(problem))
    if problems:
        raise Unsupported("; ".join(sorted(set(problems))))


def order(declared: dict[str, dict]) -> list[str]:
    """The logical ids, each after those that it refers to or depends on."""
    done: dict[str, bool] = {}  # False while its references are followed
    result: list[str] = []

    def visit(key: str) -> None:
        if key in done:
            if not done[key]:
                raise Unsupported(f"circular dependency at {key}")
            return
        done[key] = False
        depends = declared[key].get("DependsOn", [])
        after = {depends} if isinstance(depends, str) else set(depends)
        for other in sorted(after | references(declared[key].get("Properties"))):
            if other in declared and other != key:
                visit(other)
        done[key] = True
        result.append(key)

    for key in declared:
        visit(key)
    return result


def references(value: Any) -> set[str]:
    """What a declaration refers to, by Ref, Fn::GetAtt or Fn::Sub."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [name, *_]}:
            return {name}
        case {"Fn::Sub": sub}:
            body, names = (sub, {}) if isinstance(sub, str) else sub
            return {name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", body)} | references(names)
        case dict():
            return set().union(*map(references, value.values()))
        case list():
            return set().union(*map(references, value))
        case _:
            return set()


_secret = re.compile(r"\{\{resolve:secretsmanager:(arn:[^:]+:[^:]+:[^:]+:[^:]+:[^:]+:[^:]+|[^:]+):SecretString:([^:}]*)(?::[^}]*)?\}\}")


def secrets(aws: Account, value: Any) -> Any:
    """Put in what dynamic references to Secrets Manager stand for."""

    def read(match: re.Match) -> str:
        held = aws.call("secretsmanager", "get_secret_value", SecretId=match[1])["SecretString"]
        return json.loads(held)[match[2]] if match[2] else held

    match value:
        case str():
            return _secret.sub(read, value)
        case dict():
            return {key: secrets(aws, part) for key, part in value.items()}
        case list():
            return [secrets(aws, part) for part in value if part is not None]
        case _:
            return value


_clean_json = parsing.clean_json


def clean_json(value: Any, resources: Any) -> Any:
    """moto's intrinsic functions, and Fn::GetStackOutput, which it does not know."""
    if isinstance(value, dict) and "Fn::GetStackOutput" in value:
        return stack_output(resources, _clean_json(value["Fn::GetStackOutput"], resources))
    if isinstance(value, dict) and "Fn::GetAZs" in value:
        region = clean_json(value["Fn::GetAZs"], resources) or resources["AWS::Region"]
        return [f"{region}{zone}" for zone in "abc"]
    return _clean_json(value, resources)


def stack_output(resources: Any, which: dict) -> str:
    """The output of another stack, of this account and of any region."""
    if unread := which.keys() - {"StackName", "OutputName", "Region"}:
        raise Unsupported(f"Fn::GetStackOutput with {sorted(unread)}")
    backend = models.cloudformation_backends[resources["AWS::AccountId"]][which.get("Region", resources["AWS::Region"])]
    stack = backend.get_stack(which["StackName"])
    output = stack.output_map.get(which["OutputName"])
    if output is None:
        raise Unsupported(f"stack {which['StackName']} has no output {which['OutputName']}")
    return output.value


def tell(problem: Exception) -> None:
    """Tell where a fault of this module lies. What a service refuses, and what the
    emulator cannot do, the CLI tells as the reason of the failure."""
    if not isinstance(problem.__cause__ or problem, ClientError | Unsupported):
        traceback.print_exception(problem)


def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
    """What fails is told by an event and the status of the stack, as on AWS; there
    is no rollback."""
    change_set = self.describe_change_set(change_set_name)
    stack, verb = self.stacks[change_set.stack_id], change_set.change_set_type
    change_set.execution_status = "EXECUTE_COMPLETE"
    stack._add_stack_event(f"{verb}_IN_PROGRESS", resource_status_reason="User Initiated")
    try:
        stack.template, stack.parameters, stack.tags = change_set.template, change_set.parameters, change_set.tags
        stack._parse_template()
        stack.resource_map.update(stack.template_dict, stack.parameters)
        stack.output_map = stack._create_output_map()
    except Exception as problem:
        tell(problem)
        stack.status = f"{verb}_FAILED"
        stack._add_stack_event(stack.status, resource_status_reason=str(problem))
        return
    stack.description = stack.template_dict.get("Description")
    stack.status = f"{verb}_COMPLETE"
    stack._add_stack_event(stack.status)


class ChangeSetNotFound(CloudFormationError):
    """What the CLI waits for after it deleted a change set."""

    code = "ChangeSetNotFoundException"


def change_set_of(self: Any) -> models.ChangeSet:
    """The change set that a request names, by its ARN, or by its name and its stack:
    moto takes any that has the name."""
    name, stack = self._get_param("ChangeSetName"), self._get_param("StackName")
    for change_set in reversed(self.cloudformation_backend.change_sets.values()):
        if name in (change_set.change_set_id, change_set.change_set_name) and stack in (None, change_set.stack_id, change_set.stack_name):
            return change_set
    raise ChangeSetNotFound(f"ChangeSet [{name}] does not exist")


def describe_change_set(self: Any) -> ActionResult:
    return ActionResult(change_set_of(self))


def execute(self: Any) -> ActionResult:
    self.cloudformation_backend.execute_change_set(change_set_of(self).change_set_id)
    return EmptyResult()


def delete_change_set(self: Any) -> ActionResult:
    """There may be none: the CLI clears up before it begins."""
    try:
        del self.cloudformation_backend.change_sets[change_set_of(self).change_set_id]
    except ChangeSetNotFound:
        pass
    return EmptyResult()


def delete_stack(self: Any, name_or_stack_id: str) -> None:
    """As execute_change_set does, and only a stack that may go."""
    for stack in [s for s in self.stacks.values() if name_or_stack_id in (s.name, s.stack_id)]:
        if stack.enable_termination_protection:
            raise ValidationError(message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        try:
            stack.delete()
        except Exception as problem:
            tell(problem)
            stack.status = "DELETE_FAILED"
            stack._add_stack_event(stack.status, resource_status_reason=str(problem))
            return
        self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)


def update_termination_protection(self: Any) -> ActionResult:
    """An operation that moto does not have: protect a stack, or let it be deleted."""
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    stack.enable_termination_protection = text(self._get_param("EnableTerminationProtection")) == "true"
    return ActionResult({"StackId": stack.stack_id})


def has_parameters(self: Any, others: dict) -> bool:
    """Whether parameters are those of the stack, with their defaults."""
    declared = self.template_dict.get("Parameters", {})
    defaults = {name: parameter["Default"] for name, parameter in declared.items() if "Default" in parameter}
    return defaults | self.parameters == defaults | others


def given_parameters(self: Any) -> dict:
    """The values of parameters as they were given: moto answers with what a parameter
    of SSM holds, which then is taken for its name in the next update."""
    declared = self.template_dict.get("Parameters", {})
    return {name: self.parameters.get(name, parameter.get("Default")) for name, parameter in declared.items()}


def install() -> None:
    """Put this engine into moto."""
    parsing.clean_json = clean_json
    models.ResourceMap = Resources
    models.Stack.stack_parameters = property(given_parameters)
    models.Stack.has_parameters = has_parameters
    models.CloudFormationBackend.execute_change_set = execute_change_set
    models.CloudFormationBackend.delete_stack = delete_stack
    responses.CloudFormationResponse.describe_change_set = describe_change_set
    responses.CloudFormationResponse.execute_change_set = execute
    responses.CloudFormationResponse.delete_change_set = delete_change_set
    responses.CloudFormationResponse.update_termination_protection = update_termination_protection
