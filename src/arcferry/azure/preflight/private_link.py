"""The private link scope that machines are to join."""

from arcferry import command_line
from arcferry.azure.arm import get, properties
from arcferry.azure.preflight.check import Inquiry, PreflightCheck, hindrance, ok, warning
from arcferry.azure.preflight.rights import give
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.text import one_line

NAME = "private link scope"
RIGHT = "Microsoft.HybridCompute/privateLinkScopes/read"
"""What joining a scope takes on the scope itself (Azure Arc's prerequisites, 2025-01-24)."""

_VERSION = "2024-07-10"


async def private_link_scope(asked: Inquiry) -> list[PreflightCheck]:
    """Whether it is there and may be joined; nothing where no scope is wanted."""
    scope = asked.wanted.private_link_scope
    if not scope:
        return []
    called = one_line(scope.rstrip("/").rpartition("/")[2], limit=80)
    show = command_line.line(
        "az resource show --ids {scope} --output json", scope=command_line.resource_id(scope, "SCOPE-ID")
    )
    try:
        found = await get(asked.session, scope, _VERSION, f"read private link scope {called}")
    except NotFoundError:
        hint = f"Compare --private-link-scope with what an owner sees: {show}"
        return [
            hindrance(NAME, f"there is no private link scope {called}, or this identity cannot see it", hint)
        ]
    except PermissionDeniedError:
        says = f"this identity may not read private link scope {called}, which joining it takes ({RIGHT})"
        return [hindrance(NAME, says, give(asked, scope), of_identity=True)]
    if str(properties(found).get("publicNetworkAccess") or "").lower() == "disabled":
        says = f"{called} is there; its machines are reached through private endpoints alone"
        hint = "A server that has no way to them cannot be connected: arcferry check --private-link-scope"
        return [warning(NAME, says, hint)]
    return [ok(NAME, f"{called} is there and may be joined")]
