"""The right to make machines, as Resource Manager itself knows it, and rights that nobody needs for that."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from arcferry import command_line
from arcferry.azure.arm import Document
from arcferry.azure.preflight.check import Inquiry, PreflightCheck, Topic, hindrance, ok, unknown, warning
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.language import marked

TOPIC = Topic(marked("rights"))
ROLE = "Azure Connected Machine Onboarding"
READER = "Reader"
NEEDED = ("Microsoft.HybridCompute/machines/read", "Microsoft.HybridCompute/machines/write")
"""Of every command that makes machines; the role above has them (built-in roles, 2026-08)."""

TOO_MUCH = {
    "Microsoft.Authorization/roleAssignments/write": "give roles to anybody",
    "Microsoft.HybridCompute/machines/extensions/write": "run programs on every connected server",
    "Microsoft.HybridCompute/machines/delete": "delete machines",
    "Microsoft.Compute/virtualMachines/write": "make virtual machines",
}
"""What an identity whose secret lies on a jump host had better not be able to do, and in plain words."""

_VERSION = "2022-04-01"
_LIST = (
    "az role assignment list --assignee-object-id {who} --scope {scope} --include-inherited --include-groups "
    "--output table"
)
_MAKE = (
    "az role assignment create --assignee-object-id {who} --assignee-principal-type {type} "
    '--role "Azure Connected Machine Onboarding" --scope {scope}'
)
_READ = (
    "az role assignment create --assignee-object-id {who} --assignee-principal-type {type} "
    "--role Reader --scope {scope}"
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What each role that somebody has allows: actions, less those that it takes out again."""

    roles: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def allow(self, action: str) -> bool:
        """Whether any of the roles does; what one takes out, another may give."""
        return any(_any(given, action) and not _any(less, action) for given, less in self.roles)


def _any(patterns: Iterable[str], action: str) -> bool:
    """Whether an action is of one of these, in which `*` stands for anything; letter case does not matter."""
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE)
        for pattern in patterns
    )


def rights_from(documents: Iterable[Document]) -> Rights:
    """Of ARM's list of permissions; data actions are of other services' content and do not count."""
    return Rights(tuple((_texts(one, "actions"), _texts(one, "notActions")) for one in documents))


def _texts(document: Mapping[str, object], key: str) -> tuple[str, ...]:
    listed = document.get(key)
    return tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()


async def rights_on(asked: Inquiry, scope: str, called: str) -> Rights:
    """What the signed-in identity may do there.

    Raises:
        PermissionDeniedError: it may not even ask.
        NotFoundError: there is no such thing, or it is not seen.
        AzureError: Azure gave no usable answer.
    """
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    return rights_from(await asked.get_list(path, _VERSION, f"read the rights on {called}"))


async def rights(asked: Inquiry) -> list[PreflightCheck]:
    """Whether machines may be written, and whether much else may be."""
    called = asked.session.target.resource_group
    try:
        found = await rights_on(asked, asked.group, f"resource group {called}")
    except (PermissionDeniedError, NotFoundError):
        says = (
            f"machines can be read; whether this identity may also write them in {called}, it may not ask "
            f"(the role {ROLE} is enough)"
        )
        return [unknown(TOPIC, says, asked.line(_LIST))]
    if lacking := [action for action in NEEDED if not found.allow(action)]:
        says = f"this identity may not make machines in {called}: it lacks {' and '.join(lacking)}"
        return [hindrance(TOPIC, says, *give(asked, asked.group), of_identity=True)]
    if more := [f"{text} ({action})" for action, text in TOO_MUCH.items() if found.allow(action)]:
        says = f"machines may be written, but this identity may also {'; '.join(more)}"
        hint = f"Give it the role {ROLE} on {called} alone, and take the wider one away. Its roles:"
        return [warning(TOPIC, says, hint, asked.line(_LIST))]
    return [ok(TOPIC, f"machines may be read and written in {called}")]


def unreadable_machines(asked: Inquiry, error: PermissionDeniedError) -> PreflightCheck:
    """The machines of the group may not be listed, whatever else this identity may."""
    if error.code.lower() != "authorizationfailed":
        return hindrance(TOPIC, error.message, error.hint, of_identity=True)
    called = asked.session.target.resource_group
    says = f"this identity may not read machines in {called}: it lacks {NEEDED[0]}"
    role = ROLE if asked.wanted.makes else READER
    return hindrance(TOPIC, says, *give(asked, asked.group, role), of_identity=True)


def readable_machines(asked: Inquiry) -> PreflightCheck:
    """The machines of the group are listed, which is all that a run needs that makes none."""
    return ok(TOPIC, f"machines may be read in {asked.session.target.resource_group}")


def give(asked: Inquiry, scope: str, role: str = ROLE) -> tuple[str, str]:
    """How an owner gives the identity the role there, in words and as a command."""
    words = {
        "who": command_line.guid(asked.who.object_id, "OBJECT-ID"),
        "type": command_line.word(asked.who.principal_type),
        "scope": command_line.resource_id(scope, "SCOPE"),
    }
    command = command_line.line(_READ, **words) if role == READER else command_line.line(_MAKE, **words)
    return f"An owner gives it the role {role}, which can take ten minutes to count:", command
