"""A custom role with exactly a task's rights, in the forms that people deploy roles in."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from arcferry import command_line
from arcferry.rights.tasks import Scope, Task


@dataclass(frozen=True, slots=True)
class RoleFile:
    """One file, by its name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a role is to be assigned; what is not known yet stands there in capitals."""

    subscription: str = ""
    group: str = ""
    location: str = ""

    def scope(self, scope: Scope) -> str:
        """The ARM id of a scope."""
        subscription = f"/subscriptions/{command_line.guid(self.subscription, 'SUBSCRIPTION').text}"
        if scope is Scope.SUBSCRIPTION:
            return subscription
        return f"{subscription}/resourceGroups/{self.group_of(scope).text}"

    def group_of(self, scope: Scope) -> command_line.Word:
        """The resource group of a scope that is one."""
        if scope is Scope.GROUP:
            return command_line.group(self.group)
        # Whether the circuit lies in the same group, nobody has said.
        return command_line.Word("CIRCUIT-GROUP")


def assignment(task: Task, place: Place) -> Mapping[str, str]:
    """The commands of one role: `create` and `deploy` make it, `assign`, `undo` and `remove`."""
    line = command_line.line
    subscription = command_line.guid(place.subscription, "SUBSCRIPTION")
    role = command_line.Word(task.custom_role)
    scope = command_line.Word(place.scope(task.scope))
    return {
        "create": line(
            "az role definition create --subscription {subscription} --role-definition {file}",
            subscription=subscription,
            file=command_line.Word(f"{_stem(task)}.json"),
        ),
        "deploy": _deployment(task, place, subscription),
        "assign": line(
            "az role assignment create --assignee-object-id OBJECT-ID "
            "--assignee-principal-type ServicePrincipal --role {role} --scope {scope}",
            role=role,
            scope=scope,
        ),
        "undo": line(
            "az role assignment delete --assignee-object-id OBJECT-ID --role {role} --scope {scope}",
            role=role,
            scope=scope,
        ),
        # By its scope: a role that can be assigned in a group alone is not listed by the subscription.
        "remove": line(
            "az role definition delete --name {role} --scope {scope} --custom-role-only true",
            role=role,
            scope=scope,
        ),
    }


def _deployment(task: Task, place: Place, subscription: command_line.Word) -> str:
    file = command_line.Word(f"{_stem(task)}.bicep")
    if task.scope is Scope.SUBSCRIPTION:
        return command_line.line(
            "az deployment sub create --subscription {subscription} --location {location} "
            "--template-file {file}",
            subscription=subscription,
            location=command_line.location(place.location),
            file=file,
        )
    return command_line.line(
        "az deployment group create --subscription {subscription} --resource-group {group} "
        "--template-file {file}",
        subscription=subscription,
        group=place.group_of(task.scope),
        file=file,
    )


def _target(task: Task) -> str:
    """The scope that Bicep deploys to."""
    return "subscription" if task.scope is Scope.SUBSCRIPTION else "resourceGroup"


def role_files(task: Task, place: Place) -> tuple[RoleFile, ...]:
    """The role as JSON for az, as Bicep, and the lines that make, assign and undo it."""
    return tuple(RoleFile(f"{_stem(task)}.{suffix}", write(task, place)) for suffix, write in FORMS.items())


def _stem(task: Task) -> str:
    return f"role-{task.name}"


def _json(task: Task, place: Place) -> str:
    """As `az role definition create` takes it (Microsoft Learn, "Azure custom roles", 2026-11-29)."""
    definition = {
        "Name": task.custom_role,
        "IsCustom": True,
        "Description": f"{task.title}, and nothing else.",
        "Actions": list(task.actions),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [place.scope(task.scope)],
    }
    return f"{json.dumps(definition, indent=2)}\n"


def _bicep(task: Task, place: Place) -> str:
    actions = "\n".join(f"          '{action}'" for action in task.actions)
    target = _target(task)
    return f"""targetScope = '{target}'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {{
  name: guid({target}().id, '{task.custom_role}')
  properties: {{
    roleName: '{task.custom_role}'
    description: '{task.title}, and nothing else.'
    type: 'CustomRole'
    permissions: [
      {{
        actions: [
{actions}
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }}
    ]
    assignableScopes: [
      '{place.scope(task.scope)}'
    ]
  }}
}}

output roleDefinitionId string = role.id
"""


def _az(task: Task, place: Place) -> str:
    lines = assignment(task, place)
    return "\n".join(
        (
            f"# {task.title}: {place.scope(task.scope)}",
            "# Make the role, once; either of these two. Its name is one in the tenant: where another group",
            "# is to have it too, add that one's scope to AssignableScopes and update the role.",
            lines["create"],
            lines["deploy"],
            "# Assign it; OBJECT-ID is that of the service principal (enterprise application):",
            lines["assign"],
            "# Undo:",
            lines["undo"],
            lines["remove"],
            "",
        )
    )


FORMS: Mapping[str, Callable[[Task, Place], str]] = {"json": _json, "bicep": _bicep, "az.txt": _az}
"""The forms by the ends of their files' names."""
