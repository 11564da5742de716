"""A plan: what apply would do with each host, from the same facts and decisions. It changes nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from arcferry.azure import Check, prepare, signed_in
from arcferry.errors import HostError
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.order import CONCURRENCY, Order, shared_by_all
from arcferry.fleet.pipeline import decide
from arcferry.fleet.situation import Decision, Situation, Verdict, situation_from
from arcferry.fleet.steps import survey
from arcferry.fleet.work import Shared, Work
from arcferry.times import now


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What apply would do with one host.

    Attributes:
        situation: what was learned of it, None where it could not be reached.
        steps: each step's name and decision.
        error: why its facts could not be had.
    """

    host: Host
    situation: Situation | None = None
    steps: tuple[tuple[str, Decision], ...] = ()
    error: HostError | None = None

    @property
    def blocked(self) -> tuple[str, Decision] | None:
        """The first step that must not begin."""
        return next((step for step in self.steps if step[1].verdict is Verdict.BLOCK), None)

    @property
    def to_run(self) -> tuple[str, ...]:
        """The steps that apply would run; `verified` alone means that nothing would change."""
        if self.blocked:
            return ()
        return tuple(name for name, decision in self.steps if decision.verdict is Verdict.RUN)

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

    run: str
    shared: Shared
    checks: tuple[Check, ...]
    hosts: tuple[HostPlan, ...]


async def plan(
    inventory: Inventory,
    shared: Shared,
    *,
    run: str,
    checks: tuple[Check, ...] = (),
    concurrency: int = CONCURRENCY,
    seen: Callable[[HostPlan], None] = lambda _: None,
) -> FleetPlan:
    """Read every host's facts, `concurrency` at a time, and decide.

    Args:
        inventory: the hosts.
        shared: bundle, trust and target; with machines where Azure was asked.
        run: the name of the run that apply would be.
        checks: what the preflight said.
        concurrency: hosts at one time.
        seen: called for each host as its plan is there.
    """
    turns = asyncio.Semaphore(concurrency)

    async def one(host: Host) -> HostPlan:
        async with turns:
            planned = await plan_host(host, shared)
        seen(planned)
        return planned

    hosts = await asyncio.gather(*(one(host) for host in inventory.hosts))
    return FleetPlan(run, shared, checks, tuple(hosts))


async def plan_host(host: Host, shared: Shared) -> HostPlan:
    """The plan for one host; that it cannot be reached is a plan too."""
    work = Work(host, shared, now())
    try:
        document = await survey(work)
    except HostError as error:
        return HostPlan(host, error=error)
    finally:
        await work.close()
    situation = situation_from(document, host, shared.target, shared.bundle)
    steps = tuple((step.name, decision) for step, decision in decide(situation))
    return HostPlan(host, situation, steps)


async def plan_fleet(order: Order, seen: Callable[[HostPlan], None] = lambda _: None) -> FleetPlan:
    """What apply would do. Reads hosts and Azure, and changes neither.

    Raises:
        BlockedError: Azure is not ready for the run.
        AzureError: Azure gave no usable answer.
    """
    shared = shared_by_all(order)
    if order.principal is None:
        return await plan(
            order.inventory, shared, run=order.run, concurrency=order.limits.concurrency, seen=seen
        )
    async with signed_in(order.target, order.principal) as azure:
        preflight = await prepare(azure)
        return await plan(
            order.inventory,
            replace(shared, azure=azure, machines=preflight.machines),
            run=order.run,
            checks=preflight.checks,
            concurrency=order.limits.concurrency,
            seen=seen,
        )
