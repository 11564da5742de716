"""Who may do what: the actions that an application was granted, and where, against what is asked."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.roles import Role


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on a scope and all beneath it, as a role assignment gives them.

    Attributes:
        actions: Azure's names, in which `*` stands for anything.
        scope: an ARM id; empty for everything in the tenant.
        not_actions: what is taken out of `actions` again.
    """

    actions: tuple[str, ...]
    scope: str = ""
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str, path: str) -> bool:
        """Whether it allows an action at a path; neither minds letter case."""
        wanted, here, scope = action.lower(), path.lower(), self.scope.lower().rstrip("/")
        inside = not scope or here == scope or here.startswith(f"{scope}/")
        return inside and _is_of(self.actions, wanted) and not _is_of(self.not_actions, wanted)


def grant_of(role: Role, scope: str = "") -> Grant:
    """What a role gives on a scope."""
    return Grant(role.actions, scope, role.not_actions)


def _is_of(patterns: tuple[str, ...], action: str) -> bool:
    return any(fnmatchcase(action, pattern.lower()) for pattern in patterns)


class Grantee(Protocol):
    """Who asks."""

    client_id: str
    object_id: str
    grants: tuple[Grant, ...]


def check_rights(who: Grantee, action: str, path: str) -> None:
    """Refuse what nobody granted. Nothing is asked where an operation takes no action.

    Raises:
        ArmError: 403, in ARM's words: the action and the scope.
    """
    if not action or any(grant.allows(action, path) for grant in who.grants):
        return
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{who.client_id}' with object id '{who.object_id}' does not have authorization to "
        f"perform action '{action}' over scope '{path.rstrip('/')}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials.",
    )
