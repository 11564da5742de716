"""What must be true in Azure before a server is touched."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from arcferry import log
from arcferry.azure.machines import Machine, list_machines
from arcferry.azure.mapping import missing
from arcferry.azure.preflight.check import (
    CheckStatus,
    Inquiry,
    Preflight,
    PreflightCheck,
    Subject,
    Topic,
    Wanted,
    hindrance,
)
from arcferry.azure.preflight.group import TOPIC as GROUP
from arcferry.azure.preflight.group import group, missing_group
from arcferry.azure.preflight.identity import who
from arcferry.azure.preflight.locks import locks
from arcferry.azure.preflight.names import names, quota
from arcferry.azure.preflight.once import Once
from arcferry.azure.preflight.policies import policies
from arcferry.azure.preflight.private_link import private_link_scopes
from arcferry.azure.preflight.providers import PROVIDER, providers, register
from arcferry.azure.preflight.rights import TOPIC as RIGHTS
from arcferry.azure.preflight.rights import readable_machines, rights, unreadable_machines
from arcferry.azure.preflight.sign_in import lasting, whose
from arcferry.azure.preflight.subscription import TOPIC as SUBSCRIPTION
from arcferry.azure.preflight.subscription import missing_subscription, subscription
from arcferry.azure.session import AzureSession
from arcferry.errors import AzureError, BlockedError, ConflictError, NotFoundError, PermissionDeniedError

__all__ = [
    "SETTLING",
    "CheckStatus",
    "Once",
    "Preflight",
    "PreflightCheck",
    "Subject",
    "Wanted",
    "blocked",
    "examine",
    "prepare",
    "register",
    "unanswered",
]

SETTLING = (2.0, 4.0, 8.0, 16.0)
"""Seconds between the tries of whoever would rather wait than begin anew."""

_NOTHING_WANTED = Wanted()
_ANSWER = Topic("answer")
_OF_SUBSCRIPTION = (subscription, providers)
_OF_GROUP = (group, rights, locks, policies, private_link_scopes, names, quota)


async def prepare(
    session: AzureSession, *, pauses: Iterable[float] = (), wanted: Wanted = _NOTHING_WANTED
) -> Preflight:
    """Check all that `examine` does, and let nobody begin where anything hinders.

    Raises:
        SignInError: no token.
        PermissionDeniedError: the identity lacks a right, and that is all that hinders.
        BlockedError: something else must change first; all of it is named.
        AzureError: Azure gave no usable answer.
    """
    found = await examine(session, pauses=pauses, wanted=wanted)
    if found.hindrances:
        raise blocked(found.hindrances)
    return found


def blocked(hindrances: tuple[PreflightCheck, ...]) -> BlockedError | PermissionDeniedError:
    """All that hinders, as one error."""
    rights_alone = all(one.of_identity for one in hindrances)
    if len(hindrances) == 1:
        says, hint = hindrances[0].says, hindrances[0].hint
    else:
        says = f"{len(hindrances)} things in Azure hinder: " + "; ".join(
            f"({number}) {one.says}" for number, one in enumerate(hindrances, 1)
        )
        hint = " ".join(f"({number}) {one.hint}" for number, one in enumerate(hindrances, 1) if one.hint)
    return PermissionDeniedError(says, hint=hint) if rights_alone else BlockedError(says, hint=hint)


async def examine(
    session: AzureSession,
    *,
    pauses: Iterable[float] = (),
    wanted: Wanted = _NOTHING_WANTED,
    once: Once | None = None,
) -> Preflight:
    """Check everything that Azure can be asked, whatever comes out; nothing is changed.

    What the identity may not see is unknown. What lies behind a hindrance is left out: without the
    subscription there is nothing to ask, and without the group nothing of the group. Where no machine is to
    be made, it is asked whether they can be read, and nothing more.

    Args:
        session: signed in, or not yet.
        pauses: after a 403 or 404 the machines are asked for again so often, with these seconds between:
            for minutes after a role or a group is made, ARM may answer so.
        wanted: what is to be made, as far as it is known.
        once: what is asked for other places at the same time; what they share is asked for one of them.

    Raises:
        SignInError: no token.
        AzureError: Azure gave no usable answer.
    """
    token = await session.token()
    asked = Inquiry(session, wanted, who(token.text), once or Once())
    checks = [whose(session, token, asked.who), *lasting(asked)]
    if checks[0].answer is CheckStatus.HINDRANCE:
        return Preflight(tuple(checks), {})
    machines, told = await _machines(asked, pauses)
    asked = replace(asked, machines=machines)
    if not wanted.makes:
        return Preflight((*checks, told or readable_machines(asked)), machines or {})
    if told is not None and told.topic is SUBSCRIPTION:
        return Preflight((*checks, told), {})
    checks += await _all(_OF_SUBSCRIPTION, asked)
    # A provider that is not registered hides the machines, and is told by its own check where that can be.
    if told is not None and not any(one.topic is told.topic and one.answer == told.answer for one in checks):
        checks.append(told)
    if told is None or told.topic is not GROUP:
        later = await _all(_OF_GROUP, asked)
        refused = told is not None and told.topic is RIGHTS
        checks += [one for one in later if not (refused and one.topic is RIGHTS)]
    return Preflight(tuple(checks), machines or {})


def unanswered(error: AzureError) -> Preflight:
    """What is known of a place of which Azure gave no usable answer: that nothing may begin there."""
    return Preflight((hindrance(_ANSWER, error.message, error.hint),), {})


async def _all(
    checks: Iterable[Callable[[Inquiry], Awaitable[list[PreflightCheck]]]], asked: Inquiry
) -> list[PreflightCheck]:
    return [one for check in checks for one in await check(asked)]


async def _machines(
    asked: Inquiry, pauses: Iterable[float]
) -> tuple[dict[str, Machine] | None, PreflightCheck | None]:
    """The machines of the group; or None, and what that means."""
    try:
        return await asked.once.of(f"{asked.group}/machines", lambda: _settled(asked.session, pauses)), None
    except PermissionDeniedError as error:
        return None, unreadable_machines(asked, error)
    except NotFoundError as error:
        if missing(error) == "subscription":
            return None, missing_subscription(asked.session.target)
        if missing(error) != "group":
            raise
        return None, missing_group(asked.session.target)
    except ConflictError as error:
        if "registration" not in error.code.lower():
            raise
        return None, hindrance(PROVIDER, error.message, error.hint)


async def _settled(session: AzureSession, pauses: Iterable[float]) -> dict[str, Machine]:
    for pause in pauses:
        with suppress(NotFoundError, PermissionDeniedError):
            return await list_machines(session)
        log.did("wait", until="a new role or group counts", seconds=pause)
        await asyncio.sleep(pause)
    return await list_machines(session)
