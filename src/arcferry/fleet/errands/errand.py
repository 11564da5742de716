"""What an errand is, what was learned of a host before it, and how it ended. No I/O in here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from arcferry.azure import AzureTarget, Machine
from arcferry.fleet.host_state import Action, Decision, HostAgent, HostFacts, is_connected_to
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.outcome import StepResult
from arcferry.fleet.transport import SignIn
from arcferry.fleet.waves import ALL, Amount, Stage
from arcferry.fleet.window import Window

if TYPE_CHECKING:
    from arcferry.fleet.errands.task import ErrandTask

_NOTHING_INSTALLED = HostAgent()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an errand may be told beside its hosts.

    Attributes:
        only_azure: the server is gone, and is not asked.
        keep_extensions: they stay on the server.
        vm_id: the id by which the one machine that is meant is known.
        proxy: of the agent, where it is not each host's own; empty for none. None for each host's own.
        replace: tags that the inventory does not name are taken away.
    """

    only_azure: bool = False
    keep_extensions: bool = False
    vm_id: str = ""
    proxy: str | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class HostNow:
    """What was learned of one host and its machine; nothing was changed for it.

    Attributes:
        facts: None where the server is not asked.
        machine: of the host's name in its place, None where there is none.
        azure_known: whether Azure was asked.
        left: folders of arcferry's own on the server.
        proxy: that the agent is set to use; empty where it is set to none.
    """

    host: Host
    target: AzureTarget
    wishes: Wishes
    facts: HostFacts | None = None
    machine: Machine | None = None
    azure_known: bool = False
    extensions: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    proxy: str = ""
    objection: Decision | None = None

    @property
    def agent(self) -> HostAgent:
        """The agent on the server; none where the server is not asked."""
        return self.facts.agent if self.facts else _NOTHING_INSTALLED

    @property
    def connected_here(self) -> bool:
        """Whether the agent holds the very machine that the inventory means."""
        return is_connected_to(self.agent, self.target, self.host.name)


@dataclass(frozen=True, slots=True)
class ErrandStep:
    """One step of every host.

    Attributes:
        decide: whether it is to be run or skipped, and why. Reads nothing but what was learned.
        perform: looks again whether host and machine are the ones that were meant, then does it.
    """

    name: str
    decide: Callable[[HostNow], Decision]
    perform: Callable[["ErrandTask"], Awaitable[StepResult]]


@dataclass(frozen=True, slots=True)
class Errand:
    """What is done with each host.

    Attributes:
        name: of its command.
        guard: why a host must not be touched; None where nothing speaks against it.
        done: what a host is called with which it is done.
        asks_host: whether it is done on servers.
        asks_azure: whether it cannot be done without Azure.
        reads: what the survey looks at beside facts and machine: `extensions`, `left`.
    """

    name: str
    guard: Callable[[HostNow], Decision | None]
    steps: tuple[ErrandStep, ...]
    done: str
    asks_host: bool = True
    asks_azure: bool = True
    reads: frozenset[str] = frozenset()

    def decide(self, now: HostNow) -> list[tuple[str, Decision]]:
        """What is to be done with each step; the guard's word alone where it has one."""
        blocked = self.guard(now)
        return [("facts", blocked)] if blocked else [(step.name, step.decide(now)) for step in self.steps]


@dataclass(frozen=True, slots=True)
class ErrandRequest:
    """What the operator asked for.

    Attributes:
        state: the folder with the journal.
        most_failures: after so many, no further host is begun; None for no such limit.
        canary: so many servers of each network go before the others; 0 for none.
        waves: how many are begun by the end of each wave.
        window: when a server may be begun whose row has no window; None for any time.
    """

    errand: Errand
    inventory: Inventory
    sign_in: SignIn
    target: AzureTarget
    state: Path
    wishes: Wishes = field(default_factory=Wishes)
    concurrency: int = 20
    most_failures: int | None = None
    canary: int = 0
    waves: tuple[Amount, ...] = (ALL,)
    window: Window | None = None

    @property
    def asks_host(self) -> bool:
        """Whether servers are asked at all."""
        return self.errand.asks_host and not self.wishes.only_azure


class ErrandOutcome(StrEnum):
    """How a host's part ended. Planned: it would be changed; unchanged: nothing was to be done."""

    PLANNED = "planned"
    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    BLOCKED = "blocked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class HostErrand:
    """One host's part of an errand.

    Attributes:
        now: what was learned of it, None where that could not be.
        decided: what was to be done with each step.
        steps: what became of those that were begun.
        stage: the canaries or the wave that it is in; empty where all are begun together.
        waits: when its window opens, where it is closed.
    """

    host: Host
    outcome: ErrandOutcome
    now: HostNow | None = None
    decided: tuple[tuple[str, Decision], ...] = ()
    steps: tuple[StepResult, ...] = ()
    stage: str = ""
    waits: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing went wrong, or stands in the way."""
        return self.outcome in (ErrandOutcome.PLANNED, ErrandOutcome.DONE, ErrandOutcome.UNCHANGED)

    @property
    def problem(self) -> StepResult | None:
        """What went wrong or stands in the way, with the way out."""
        return None if self.good or not self.steps else self.steps[-1]

    @property
    def would(self) -> tuple[tuple[str, str], ...]:
        """The steps that are to be run, and why."""
        return tuple((name, one.why) for name, one in self.decided if one.action is Action.RUN)


@dataclass(frozen=True, slots=True)
class ErrandRun:
    """What became of an errand; `applied` where it was more than a plan.

    Attributes:
        journal: where it is written down what was done; empty for a plan.
        refusal: why hosts were not begun any more; empty where none was refused.
        stages: the order in which hosts are taken up, of a plan those that would be changed.
    """

    request: ErrandRequest
    applied: bool
    hosts: tuple[HostErrand, ...]
    journal: str = ""
    interrupted: bool = False
    refusal: str = ""
    stages: tuple[Stage, ...] = ()

    @property
    def all_good(self) -> bool:
        """Whether every host went through, or would."""
        return all(host.good for host in self.hosts)

    def counts(self) -> Mapping[ErrandOutcome, int]:
        """How many hosts ended in each way."""
        return {one: sum(host.outcome is one for host in self.hosts) for one in ErrandOutcome}
