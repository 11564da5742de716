"""A custom role with exactly a task's rights, in the forms that people deploy roles in."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from arcferry import command_line
from arcferry.rights.tasks import Scope, Task

_LINES = {
    "create": "az role definition create --subscription {subscription} --role-definition {file}",
    "assign": "az role assignment create --assignee-object-id OBJECT-ID "
    "--assignee-principal-type ServicePrincipal --role {role} --scope {scope}",
    "undo": "az role assignment delete --assignee-object-id OBJECT-ID --role {role} --scope {scope}",
    "remove": "az role definition delete --subscription {subscription} --name {role} --custom-role-only true",
    "deploy": "az deployment sub create --subscription {subscription} --location {location} "
    "--template-file {file}",
}


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
        # Whether the circuit lies in the same group, nobody has said.
        named = self.group if scope is Scope.GROUP else ""
        group = command_line.group(named, "RESOURCE-GROUP" if scope is Scope.GROUP else "CIRCUIT-GROUP")
        return f"{subscription}/resourceGroups/{group.text}"


def assignment(task: Task, place: Place) -> Mapping[str, str]:
    """The commands of one role: `create` and `deploy` make it, `assign`, `undo` and `remove`."""
    word, line = command_line.Word, command_line.line
    subscription = command_line.guid(place.subscription, "SUBSCRIPTION")
    role, scope = word(task.custom_role), word(place.scope(task.scope))
    as_json, bicep = (word(f"{_stem(task)}.{suffix}") for suffix in ("json", "bicep"))
    where = command_line.location(place.location)
    return {
        "create": line(_LINES["create"], subscription=subscription, file=as_json),
        "deploy": line(_LINES["deploy"], subscription=subscription, location=where, file=bicep),
        "assign": line(_LINES["assign"], role=role, scope=scope),
        "undo": line(_LINES["undo"], role=role, scope=scope),
        "remove": line(_LINES["remove"], subscription=subscription, role=role),
    }


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
    return f"""targetScope = 'subscription'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {{
  name: guid(subscription().id, '{task.custom_role}')
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
            "# Make the role, once; either of these two:",
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
