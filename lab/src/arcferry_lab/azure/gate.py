"""What Resource Manager refuses before any handler: too many requests, roles that are new, groups that go."""

from datetime import UTC, datetime, timedelta
from math import ceil

from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.groups import group_id
from arcferry_lab.azure.routes import ArmRequest
from arcferry_lab.azure.state import Application, AzureState

_THROTTLING, _SETTLING = "arm/throttling", "arm/role-settling"
_WRITES = frozenset({"PUT", "PATCH", "POST"})


def check_rate(state: AzureState) -> None:
    """Refuse everybody for a while, as a subscription's limit does; each strike of the fault is one while.

    Raises:
        ArmError: 429, with the rest of that time as `Retry-After`.
    """
    plane, now = state.plane, datetime.now(UTC)
    if plane.throttled_until is None or plane.throttled_until <= now:
        if not state.faults.take(_THROTTLING):
            plane.throttled_until = None
            return
        plane.throttled_until = now + timedelta(seconds=plane.throttle_for)
    rest = max(1, ceil((plane.throttled_until - now).total_seconds()))
    raise ArmError(
        429,
        "SubscriptionRequestsThrottled",
        # The words of 2023-02-14, without an operation: github.com/MicrosoftDocs/azure-docs, issue 105248.
        f"Number of requests for subscription '{state.subscription_id}' exceeded the backend storage limit. "
        f"Please try again after '{rest}' seconds.",
        {"Retry-After": str(rest)},
    )


def check_settled(state: AzureState, client: Application, action: str, scope: str) -> None:
    """Refuse a client's first requests, as when its role has not reached all of Azure yet.

    Raises:
        ArmError: 403 AuthorizationFailed, with the sentence that ARM ends it with.
    """
    refused = state.plane.refused
    before = refused.get(client.client_id, 0)
    if not action or before >= state.plane.settles_after or not state.faults.take(_SETTLING):
        return
    refused[client.client_id] = before + 1
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{client.client_id}' with object id '{client.object_id}' does not have authorization to "
        f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    )


def check_locks(asked: ArmRequest) -> None:
    """Refuse a deletion, or under a lock of the kind ReadOnly any change, of what lies in a locked scope.

    Raises:
        ArmError: 409 ScopeLocked.
    """
    method, path = asked.request.method, asked.request.path.lower().rstrip("/")
    if method in {"GET", "HEAD"} or "/providers/microsoft.authorization/" in path:
        return
    for identity, document in asked.state.authorization.items():
        scope, _, name = identity.partition("/providers/microsoft.authorization/locks/")
        level = str(document["properties"].get("level")).lower()
        if name and f"{path}/".startswith(f"{scope}/") and (method == "DELETE" or level == "readonly"):
            doing = "delete" if method == "DELETE" else "write"
            raise ArmError(
                409,
                "ScopeLocked",
                f"The scope '{asked.request.path}' cannot perform {doing} operation because following "
                f"scope(s) are locked: '{scope}'. Please remove the lock and try again.",
            )


def role_made(state: AzureState, client_id: str) -> None:
    """A role was given to a client: under the fault, its next requests are refused anew."""
    state.plane.refused.pop(client_id, None)


def check_group(asked: ArmRequest) -> None:
    """Refuse a change in a resource group that is being deleted.

    Raises:
        ArmError: 409 ResourceGroupBeingDeleted.
    """
    name = asked.names.get("group", "")
    group = asked.state.groups.get(name.lower())
    if group is None or asked.request.method not in _WRITES:
        return
    if asked.state.plane.provisioning(group_id(asked.state, group)) == "Deleting":
        raise ArmError(
            409,
            "ResourceGroupBeingDeleted",
            f"The resource group '{name}' is in deprovisioning state and cannot perform this operation.",
        )
