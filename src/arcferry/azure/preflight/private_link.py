"""The private link scope that machines are to join."""

from arcferry import command_line
from arcferry.azure.arm import properties
from arcferry.azure.preflight.check import Inquiry, PreflightCheck, Topic, hindrance, ok, warning
from arcferry.azure.preflight.rights import give
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.language import marked
from arcferry.text import one_line

TOPIC = Topic(marked("private link scope"))
RIGHT = "Microsoft.HybridCompute/privateLinkScopes/read"
"""What joining a scope takes on the scope itself (Azure Arc's prerequisites, 2025-01-24)."""

_VERSION = "2024-07-10"


async def private_link_scopes(asked: Inquiry) -> list[PreflightCheck]:
    """Whether each is there and may be joined; nothing where no scope is wanted."""
    return [await _scope(asked, scope) for scope in asked.wanted.private_link_scopes]


async def _scope(asked: Inquiry, scope: str) -> PreflightCheck:
    called = one_line(scope.rstrip("/").rpartition("/")[2], limit=80)
    show = command_line.line(
        "az resource show --ids {scope} --output json", scope=command_line.resource_id(scope, "SCOPE-ID")
    )
    try:
        found = await asked.get(scope, _VERSION, f"read private link scope {called}")
    except NotFoundError:
        says = f"there is no private link scope {called}, or this identity cannot see it"
        return hindrance(TOPIC, says, "Compare the id that was given with what an owner sees:", show)
    except PermissionDeniedError:
        says = f"this identity may not read private link scope {called}, which joining it takes ({RIGHT})"
        return hindrance(TOPIC, says, *give(asked, scope), of_identity=True)
    if str(properties(found).get("publicNetworkAccess") or "").lower() == "disabled":
        says = f"{called} is there; its machines are reached through private endpoints alone"
        check = command_line.line(
            "arcferry check --private-link-scope {scope}", scope=command_line.resource_id(scope, "SCOPE-ID")
        )
        return warning(
            TOPIC,
            says,
            "A server that has no way to them cannot be connected. On a server, this tells:",
            check,
        )
    return ok(TOPIC, f"{called} is there and may be joined")
