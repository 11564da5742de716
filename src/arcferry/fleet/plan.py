"""A plan: what apply would do with each host, from the same facts and decisions. It changes nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from arcferry.azure import PreflightCheck, prepare, signed_in
from arcferry.errors import HostError
from arcferry.fleet.host_state import Action, Decision, HostState, state_from
from arcferry.fleet.inventory import Host
from arcferry.fleet.pipeline import decide
from arcferry.fleet.steps.survey import survey
from arcferry.fleet.task import HostTask, RunContext, RunRequest
from arcferry.times import now


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What apply would do with one host.

    Attributes:
        state: what was learned of it, None where it could not be reached.
        steps: each step's name and decision.
        error: why its facts could not be had.
    """

    host: Host
    state: HostState | None = None
    steps: tuple[tuple[str, Decision], ...] = ()
    error: HostError | None = None

    @property
    def blocked(self) -> tuple[str, Decision] | None:
        """The first step that must not begin."""
        return next((step for step in self.steps if step[1].action is Action.BLOCK), None)

    @property
    def to_run(self) -> tuple[str, ...]:
        """The steps that apply would run; `verified` alone means that nothing would change."""
        if self.blocked:
            return ()
        return tuple(name for name, decision in self.steps if decision.action is Action.RUN)

    @property
    def changes(self) -> bool:
        """Whether apply would change anything on the host or in Azure."""
        return bool(set(self.to_run) - {"verify", "check", "verified"})

    @property
    def good(self) -> bool:
        """Whether apply would go through, as far as can be seen from here."""
        return self.error is None and self.blocked is None


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The plan for a fleet; `checks` is empty where Azure was not asked."""

    request: RunRequest
    checks: tuple[PreflightCheck, ...]
    hosts: tuple[HostPlan, ...]


async def plan(
    context: RunContext,
    checks: tuple[PreflightCheck, ...] = (),
    seen: Callable[[HostPlan], None] = lambda _: None,
) -> FleetPlan:
    """Read every host's facts, so many at a time, and decide.

    Args:
        context: with a session and machines, if Azure was asked.
        checks: what the preflight said.
        seen: called for each host as its plan is there.
    """
    request = context.request
    turns = asyncio.Semaphore(request.concurrency)

    async def one(host: Host) -> HostPlan:
        async with turns:
            planned = await _plan_host(host, context)
        seen(planned)
        return planned

    hosts = await asyncio.gather(*(one(host) for host in request.inventory.hosts))
    return FleetPlan(request, checks, tuple(hosts))


async def _plan_host(host: Host, context: RunContext) -> HostPlan:
    """The plan for one host; that it cannot be reached is a plan too."""
    task = HostTask(host, context, now())
    try:
        document = await survey(task)
    except HostError as error:
        return HostPlan(host, error=error)
    finally:
        await task.close()
    state = state_from(document, host, task.target, context.request.bundle)
    return HostPlan(host, state, tuple((step.name, decision) for step, decision in decide(state)))


async def plan_fleet(request: RunRequest, seen: Callable[[HostPlan], None] = lambda _: None) -> FleetPlan:
    """What apply would do. Reads hosts and Azure, and changes neither.

    Raises:
        BlockedError: Azure is not ready for the run.
        AzureError: Azure gave no usable answer.
    """
    context = RunContext.of(request)
    if request.principal is None:
        return await plan(context, seen=seen)
    async with signed_in(request.target, request.principal) as azure:
        preflight = await prepare(azure, wanted=request.wanted)
        context = replace(context, azure=azure, machines=preflight.machines)
        return await plan(context, preflight.checks, seen)
