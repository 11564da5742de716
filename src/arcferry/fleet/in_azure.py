"""Azure as a run sees it: a session for each place that its hosts go to, and the preflight of each."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace

from arcferry.azure import (
    AzureSession,
    AzureTarget,
    Identity,
    Machine,
    PreflightCheck,
    Wanted,
    list_machines,
    prepare,
    signed_in,
)
from arcferry.fleet.inventory import Host
from arcferry.fleet.place import target_of
from arcferry.fleet.poller import MachinePoller
from arcferry.fleet.task import RunContext, RunRequest


def targets_of(request: RunRequest) -> dict[AzureTarget, list[Host]]:
    """The targets that hosts of a run go to, in the inventory's order, with their hosts."""
    found: dict[AzureTarget, list[Host]] = {}
    for host in request.inventory.hosts:
        found.setdefault(target_of(request.target, host.place), []).append(host)
    return found


def place_text(target: AzureTarget, others: Iterable[AzureTarget]) -> str:
    """A target in a few words that tell it from the others."""
    among = {other.subscription_id for other in others} | {target.subscription_id}
    of = f", subscription {target.subscription_id}" if len(among) > 1 else ""
    return f"{target.resource_group} in {target.location}{of}"


class InAzure:
    """The sessions with Azure of one run. Made by `in_azure`."""

    def __init__(self, sessions: Mapping[AzureTarget, AzureSession], stack: AsyncExitStack) -> None:
        self._sessions = sessions
        self._stack = stack

    async def prepared(
        self, context: RunContext, *, pauses: Iterable[float] = ()
    ) -> tuple[RunContext, tuple[PreflightCheck, ...]]:
        """The run's context for every place, once each is ready, and what was seen there.

        Where there are several places, each line of the preflight says of which it is.

        Args:
            context: as it was before Azure was asked.
            pauses: as for `azure.prepare`.

        Raises:
            SignInError: no token.
            BlockedError: a place is not ready.
            AzureError: Azure gave no usable answer.
        """
        waits, hosts = tuple(pauses), targets_of(context.request)
        places: dict[AzureTarget, RunContext] = {}
        checks: list[PreflightCheck] = []
        for target, session in self._sessions.items():
            found = await prepare(session, pauses=waits, wanted=_wanted(hosts[target]))
            poller = await self._stack.enter_async_context(aclosing(MachinePoller(session, context.settling)))
            known = context.at(target)
            places[target] = replace(known, azure=session, poller=poller, machines=found.machines)
            checks += self._named(target, found.checks)
        first = next(iter(places.values()))
        own = places.get(context.request.target, first)
        everywhere = replace(own, request=context.request, places=places)
        return everywhere, tuple(checks)

    async def machines(self) -> dict[AzureTarget, dict[str, Machine]]:
        """The machines of each place, by lower-case name.

        Raises:
            AzureError: ARM refused.
        """
        return {target: await list_machines(session) for target, session in self._sessions.items()}

    def _named(self, target: AzureTarget, checks: Sequence[PreflightCheck]) -> Sequence[PreflightCheck]:
        if len(self._sessions) == 1:
            return checks
        place = place_text(target, self._sessions)
        return [replace(check, says=f"{place}: {check.says}") for check in checks]


def _wanted(hosts: Sequence[Host]) -> Wanted:
    """What the preflight is asked about: these hosts' machines."""
    scopes = [host.place.private_link_scope for host in hosts if host.place.private_link_scope]
    return Wanted({host.name: host.tags for host in hosts}, next(iter(scopes), ""))


@asynccontextmanager
async def in_azure(request: RunRequest, principal: Identity) -> AsyncIterator[InAzure]:
    """A session for each place that hosts of the run go to; nothing is sent before they are used.

    Raises:
        InputError: as for `azure.signed_in`.
    """
    async with AsyncExitStack() as stack:
        sessions = {
            target: await stack.enter_async_context(signed_in(target, principal))
            for target in targets_of(request)
        }
        yield InAzure(sessions, stack)
