"""What must be true in Azure before a server is touched."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from azure.mgmt.resource.resources.models import Provider

from arcferry import command_line, log
from arcferry.azure.machines import Machine, list_machines
from arcferry.azure.mapping import missing, not_registered, translated, unreadable
from arcferry.azure.session import AzureSession
from arcferry.azure.target import AzureTarget
from arcferry.errors import AzureError, BlockedError, ConflictError, NotFoundError, PermissionDeniedError
from arcferry.text import one_line

PROVIDER = "Microsoft.HybridCompute"
_BESIDES = ("Microsoft.GuestConfiguration", "Microsoft.HybridConnectivity")
"""Must be registered too (Azure Arc's prerequisites, 2026-08-20); the first machine connects without them."""
SETTLING = (2.0, 4.0, 8.0, 16.0)
"""Seconds between the tries of whoever would rather wait than begin anew."""


class CheckStatus(StrEnum):
    """How a check of the preflight came out; unknown means that this identity may not look."""

    OK = "ok"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One line of the preflight."""

    name: str
    answer: CheckStatus
    says: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the preflight saw, and the machines that are there already, by lower-case name."""

    checks: tuple[PreflightCheck, ...]
    machines: dict[str, Machine]


async def prepare(session: AzureSession, *, pauses: Iterable[float] = ()) -> Preflight:
    """Check token, resource group, provider and location, in this order; the first hindrance ends it.

    The onboarding role may read machines and nothing else, so what it cannot see is reported as unknown.

    Args:
        session: signed in, or not yet.
        pauses: after a 403 or 404 the machines are asked for again so often, with these seconds between:
            for minutes after a role or a group is made, ARM may answer so.

    Raises:
        SignInError: no token.
        PermissionDeniedError: machines cannot be read.
        BlockedError: the resource group is missing, the provider is not registered, or Arc is not offered
            in the location.
        AzureError: Azure gave no usable answer.
    """
    token = await session.token()
    try:
        machines = await _settled(session, pauses)
    except NotFoundError as error:
        raise _missing(session.target, error) from error
    except ConflictError as error:
        if "registration" in error.code.lower():
            raise BlockedError(error.message, hint=error.hint) from error
        raise
    checks = [
        _ok("sign-in", f"token until {token.expires:%H:%M} UTC"),
        await _group(session, len(machines)),
        *await _provider(session),
    ]
    return Preflight(tuple(checks), machines)


async def _settled(session: AzureSession, pauses: Iterable[float]) -> dict[str, Machine]:
    for pause in pauses:
        with suppress(NotFoundError, PermissionDeniedError):
            return await list_machines(session)
        log.did("wait", until="a new role or group counts", seconds=pause)
        await asyncio.sleep(pause)
    return await list_machines(session)


def _ok(name: str, says: str) -> PreflightCheck:
    return PreflightCheck(name, CheckStatus.OK, says)


async def _group(session: AzureSession, machines: int) -> PreflightCheck:
    group, doing = session.target.resource_group, f"read resource group {session.target.resource_group}"
    try:
        with translated(doing):
            found = await session.resources.resource_groups.get(group)
            if not isinstance(found.name, str):
                raise unreadable(doing)
            state = one_line(str(getattr(found.properties, "provisioning_state", "") or ""))
    except NotFoundError as error:
        raise _missing(session.target, error) from error
    except PermissionDeniedError:
        return _ok("resource group", f"{group}: {machines} machines can be read, the group itself not")
    if state.lower() == "deleting":
        raise BlockedError(f"resource group {group} is being deleted")
    return _ok("resource group", f"{group}, {machines} machines")


async def _provider(session: AzureSession) -> list[PreflightCheck]:
    target, doing = session.target, f"read provider {PROVIDER}"
    try:
        with translated(doing):
            state, offered = _seen(await session.resources.providers.get(PROVIDER), doing)
    except (PermissionDeniedError, NotFoundError):
        says = "this identity may not read the subscription's providers"
        return [PreflightCheck(name, CheckStatus.UNKNOWN, says) for name in ("provider", "location")]
    if state != "registered":
        says, hint = not_registered(PROVIDER, target.subscription_id, registering=state == "registering")
        raise BlockedError(says, hint=hint)
    for beside in _BESIDES:
        with translated(f"read provider {beside}"):
            state, _ = _seen(await session.resources.providers.get(beside), f"read provider {beside}")
        if state != "registered":
            says, hint = not_registered(beside, target.subscription_id, registering=state == "registering")
            raise BlockedError(says, hint=hint)
    registered = _ok("provider", f"{', '.join((PROVIDER, *_BESIDES))} are registered")
    if not offered:
        unlisted = PreflightCheck("location", CheckStatus.UNKNOWN, "the provider lists no locations")
        return [registered, unlisted]
    if target.location not in offered:
        raise BlockedError(
            f"Azure Arc machines are not offered in {target.location} for this subscription",
            hint=f"Offered: {', '.join(sorted(offered)[:20])}",
        )
    return [registered, _ok("location", f"machines are offered in {target.location}")]


def _seen(provider: Provider, doing: str) -> tuple[str, set[str]]:
    """The provider's state, and where it offers machines; both in lower case."""
    state = provider.registration_state
    if not isinstance(state, str):
        raise unreadable(doing)
    offered = {
        str(place).replace(" ", "").lower()
        for kind in provider.resource_types or ()
        if str(kind.resource_type or "").lower() == "machines"
        for place in kind.locations or ()
    }
    return state.lower(), offered


def _missing(target: AzureTarget, error: NotFoundError) -> AzureError | BlockedError:
    """What a 404 means here: no such group, no such subscription, or just what ARM said."""
    if missing(error) == "subscription":
        return BlockedError(error.message, hint=error.hint)
    if missing(error) != "group":
        return error
    return BlockedError(
        f"resource group {target.resource_group} does not exist in subscription {target.subscription_id}, "
        "or this identity cannot see it",
        hint="A new group can take minutes to be seen. Where there is none, though the names are right: "
        + command_line.line(
            "az group create --subscription {subscription} --name {group} --location {location}",
            subscription=command_line.guid(target.subscription_id, "SUBSCRIPTION"),
            group=command_line.group(target.resource_group),
            location=command_line.location(target.location),
        ),
    )
