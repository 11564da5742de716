"""Who may do what: the roles of whoever asks, and where they count, against what is asked."""

from typing import Protocol
from uuid import uuid4

from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.roles import Role


class Grantee(Protocol):
    """Who asks."""

    client_id: str
    object_id: str
    roles: tuple[Role, ...]


def granted(actions: tuple[str, ...], scope: str = "") -> Role:
    """A custom role of exactly these actions, assigned on a scope; on everything where none is given."""
    return Role(str(uuid4()), "custom", actions, scope=scope)


def check_rights(who: Grantee, action: str, path: str) -> None:
    """Refuse what nobody granted. Nothing is asked where an operation takes no action.

    Raises:
        ArmError: 403, in ARM's words: the action and the scope.
    """
    if not action or any(role.allows(action, path) for role in who.roles):
        return
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{who.client_id}' with object id '{who.object_id}' does not have authorization to "
        f"perform action '{action}' over scope '{path.rstrip('/')}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials.",
    )
