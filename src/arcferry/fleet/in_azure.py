"""Azure as a run sees it: a session for each place that its hosts go to, and the preflight of each."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from arcferry.azure import (
    AzureSession,
    AzureTarget,
    Identity,
    Machine,
    Once,
    Preflight,
    PreflightCheck,
    Subject,
    Wanted,
    blocked,
    examine,
    list_machines,
    signed_in,
    unanswered,
)
from arcferry.errors import AzureError, SignInError
from arcferry.fleet.host_state import Way
from arcferry.fleet.inventory import Host
from arcferry.fleet.place import target_of
from arcferry.fleet.poller import MachinePoller
from arcferry.fleet.task import RunContext, RunRequest

_AT_ONE_TIME = 8


def targets_of(target: AzureTarget, hosts: Iterable[Host]) -> dict[AzureTarget, list[Host]]:
    """The targets that hosts go to in a run with this one, in the inventory's order, with their hosts."""
    found: dict[AzureTarget, list[Host]] = {}
    for host in hosts:
        found.setdefault(target_of(target, host.place), []).append(host)
    return found


def place_text(target: AzureTarget, others: Iterable[AzureTarget]) -> str:
    """A target in a few words that tell it from the others."""
    among = {other.subscription_id for other in others} | {target.subscription_id}
    of = f", subscription {target.subscription_id}" if len(among) > 1 else ""
    return f"{target.resource_group} in {target.location}{of}"


def wanted_of(hosts: Iterable[Host], scope: str = "", *, makes: bool = True) -> Wanted:
    """What the preflight is asked about: these hosts' machines, and each private link scope that they join.

    Args:
        hosts: those of one place.
        scope: of hosts that name none; empty for none.
        makes: whether their machines are to be made.
    """
    given = {host.name: host for host in hosts}
    scopes = filter(None, (host.place.private_link_scope or scope for host in given.values()))
    distinct = {one.lower(): one for one in scopes}
    return Wanted({name: host.tags for name, host in given.items()}, tuple(distinct.values()), makes)


async def examined(
    sessions: Mapping[AzureTarget, AzureSession],
    wanted: Mapping[AzureTarget, Wanted],
    *,
    pauses: Iterable[float] = (),
) -> dict[AzureTarget, Preflight]:
    """The preflight of each place, some at a time; what they share is asked once.

    Raises:
        SignInError: no token.
        AzureError: Azure gave no usable answer about any place; where it gave one about another, that is
            what hinders at the place.
    """
    once, waits, turns = Once(), tuple(pauses), asyncio.Semaphore(_AT_ONE_TIME)

    async def one(target: AzureTarget, session: AzureSession) -> Preflight:
        async with turns:
            return await examine(session, pauses=waits, wanted=wanted[target], once=once)

    ended = await asyncio.gather(
        *(one(target, session) for target, session in sessions.items()), return_exceptions=True
    )
    refused = [end for end in ended if isinstance(end, AzureError)]
    if len(refused) == len(ended):
        raise refused[0]
    found: dict[AzureTarget, Preflight] = {}
    for target, end in zip(sessions, ended, strict=True):
        if isinstance(end, AzureError) and not isinstance(end, SignInError):
            found[target] = unanswered(end)
        elif isinstance(end, BaseException):
            raise end
        else:
            found[target] = end
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """What was seen of one thing that places rest on: the sign-in, a subscription, or a place itself.

    Attributes:
        of: its name; empty for what is the same for all.
        targets: the places that rest on it.
    """

    of: str
    targets: tuple[AzureTarget, ...]
    checks: tuple[PreflightCheck, ...]

    def named(self) -> Iterator[PreflightCheck]:
        """The checks, each with what it is about."""
        for check in self.checks:
            yield replace(check, says=f"{self.of}: {check.says}") if self.of else check


def parts_of(found: Mapping[AzureTarget, Preflight]) -> list[Part]:
    """Every check of several places, told once: what all share, then each subscription, then its places."""
    everywhere = tuple(found)
    if len(found) == 1:
        return [Part("", everywhere, found[everywhere[0]].checks)]
    by_subscription: dict[str, list[AzureTarget]] = {}
    for target in everywhere:
        by_subscription.setdefault(target.subscription_id, []).append(target)
    common = _checks(found, everywhere, Subject.IDENTITY)
    if len(by_subscription) == 1:
        common += _checks(found, everywhere, Subject.SUBSCRIPTION)
    parts = [Part("", everywhere, common)]
    for subscription, targets in by_subscription.items():
        if len(by_subscription) > 1:
            of_it = _checks(found, targets, Subject.SUBSCRIPTION)
            parts.append(Part(f"subscription {subscription}", tuple(targets), of_it))
        for target in targets:
            of_place = _checks(found, [target], Subject.PLACE)
            parts.append(Part(place_text(target, everywhere), (target,), of_place))
    return [part for part in parts if part.checks]


def _checks(
    found: Mapping[AzureTarget, Preflight], targets: Iterable[AzureTarget], about: Subject
) -> tuple[PreflightCheck, ...]:
    checks = (check for target in targets for check in found[target].checks if check.about is about)
    return tuple(dict.fromkeys(checks))


class InAzure:
    """The sessions with Azure of one run. Made by `in_azure`."""

    def __init__(self, sessions: Mapping[AzureTarget, AzureSession], stack: AsyncExitStack) -> None:
        self._sessions = sessions
        self._stack = stack

    async def prepared(
        self, context: RunContext, *, pauses: Iterable[float] = ()
    ) -> tuple[RunContext, tuple[PreflightCheck, ...]]:
        """The run's context for every place, once all are ready, and what was seen there.

        Where there are several places, each line of the preflight says of which it is.

        Args:
            context: as it was before Azure was asked.
            pauses: as for `azure.examine`.

        Raises:
            SignInError: no token.
            PermissionDeniedError: the identity lacks a right, and that is all that hinders.
            BlockedError: something else must change first; all of it is named, of every place.
            AzureError: Azure gave no usable answer.
        """
        hosts = targets_of(context.request.target, context.request.inventory.hosts)
        makes = context.request.way is not Way.UPGRADE
        wanted = {target: wanted_of(of_target, makes=makes) for target, of_target in hosts.items()}
        found = await examined(self._sessions, wanted, pauses=pauses)
        checks = tuple(check for part in parts_of(found) for check in part.named())
        if hindrances := Preflight(checks, {}).hindrances:
            raise blocked(hindrances)
        places: dict[AzureTarget, RunContext] = {}
        for target, session in self._sessions.items():
            poller = await self._stack.enter_async_context(aclosing(MachinePoller(session, context.settling)))
            known, machines = context.at(target), found[target].machines
            places[target] = replace(known, azure=session, poller=poller, machines=machines)
        first = next(iter(places.values()))
        own = places.get(context.request.target, first)
        return replace(own, request=context.request, places=places), checks

    async def machines(self) -> dict[AzureTarget, dict[str, Machine]]:
        """The machines of each place, by lower-case name.

        Raises:
            AzureError: ARM refused.
        """
        return {target: await list_machines(session) for target, session in self._sessions.items()}


@asynccontextmanager
async def sessions_at(
    targets: Sequence[AzureTarget], identity: Identity
) -> AsyncIterator[dict[AzureTarget, AzureSession]]:
    """A session for each of these places, by one sign-in; nothing is sent before they are used.

    Raises:
        InputError: as for `azure.signed_in`.
    """
    async with signed_in(targets[0], identity) as session:
        yield {target: session if target == targets[0] else session.at(target) for target in targets}


@asynccontextmanager
async def in_azure(request: RunRequest, principal: Identity) -> AsyncIterator[InAzure]:
    """The sessions of a run, for each place that hosts of it go to.

    Raises:
        InputError: as for `azure.signed_in`.
    """
    targets = tuple(targets_of(request.target, request.inventory.hosts))
    async with sessions_at(targets, principal) as sessions, AsyncExitStack() as stack:
        yield InAzure(sessions, stack)
