"""The path to Azure, proved from each network before anything is installed in any of them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from arcferry.errors import HostError
from arcferry.fleet.events import EventKind
from arcferry.fleet.host_state import Action, HostState, MachineSummary, payload_for, read_facts
from arcferry.fleet.inventory import Host
from arcferry.fleet.measured import joined_scripts, measure, path_text, rows_of
from arcferry.fleet.networks import named
from arcferry.fleet.outcome import HostOutcome, HostRun, NetworkPath, PathOutcome, StepResult, StepState
from arcferry.fleet.pipeline import decide
from arcferry.fleet.script import ScriptAnswer
from arcferry.fleet.task import HostTask, RunContext
from arcferry.text import one_line

PROOF = "proof"
MORE_TRIES = 8
"""Servers of a network that are asked beside the first, where those give no answer; each may take 20 s."""

_AT_ONCE = 4
_MOST_TOLD = 3
_LOG = logging.getLogger(__name__)
Watch = Callable[[Host], HostTask]
"""Makes the task of a host; what it tells is seen by whoever watches the run."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One server that was asked for its path.

    Attributes:
        result: what it answered, as the step before all others.
        fits: whether it can be taken in, so that it may go before the others.
    """

    host: Host
    result: StepResult
    fits: bool = False

    @property
    def proved(self) -> bool:
        """Whether it reaches everything that is required."""
        return self.result.state is StepState.DONE

    @property
    def broken(self) -> bool:
        """Whether it measured the path, and does not."""
        return not self.proved and bool(self.result.path)


@dataclass(frozen=True, slots=True)
class NetworkProof:
    """The proof of one network; `tried` in the order in which servers were asked."""

    network: str
    hosts: tuple[Host, ...]
    tried: tuple[Tried, ...] = ()

    @property
    def outcome(self) -> PathOutcome:
        """One server that does not reach what is required is enough to say that the path is not there."""
        if any(one.broken for one in self.tried):
            return PathOutcome.BROKEN
        proved = any(one.proved for one in self.tried)
        return PathOutcome.PROVED if proved else PathOutcome.UNKNOWN

    @property
    def says(self) -> str:
        """The outcome in one line, with whoever was asked."""
        if self.outcome is PathOutcome.UNKNOWN:
            return f"no answer from {named([one.host.name for one in self.tried])}"
        return "; ".join(f"{one.host.name} {one.result.says}" for one in self._telling[:_MOST_TOLD])

    @property
    def _telling(self) -> list[Tried]:
        """Those that decided."""
        broken = self.outcome is PathOutcome.BROKEN
        return [one for one in self.tried if (one.broken if broken else one.proved)]

    @property
    def told(self) -> NetworkPath:
        """As the run's result has it."""
        asked = tuple(one.host.name for one in self.tried)
        path = next((one.result.path for one in self._telling), "")
        return NetworkPath(self.network, self.outcome, self.says, asked, len(self.hosts), path)

    def canaries(self, count: int) -> tuple[Host, ...]:
        """The servers that proved it and can be taken in, so many of them at most."""
        proved = (one.host for one in self.tried if one.fits and one.proved)
        return tuple(proved)[:count]


@dataclass(frozen=True, slots=True)
class PathProof:
    """The proofs of every network that still has servers to take in."""

    networks: tuple[NetworkProof, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether any network lacks the path, so that nothing may be installed anywhere."""
        return any(one.outcome is PathOutcome.BROKEN for one in self.networks)

    def kept_out(self) -> dict[str, HostRun]:
        """The part of each host that must not begin in this run, by name."""
        broken = self.broken
        return {
            host.name: _kept_out(network, host, broken=broken)
            for network in self.networks
            for host in network.hosts
            if broken or network.outcome is PathOutcome.UNKNOWN
        }


def _kept_out(network: NetworkProof, host: Host, *, broken: bool) -> HostRun:
    own = next((one.result for one in network.tried if one.host is host), None)
    if own is not None and own.state is StepState.FAILED:
        return HostRun(host, HostOutcome.FAILED, (own,))
    if broken:
        says, hint = "nothing was begun: the path to Azure is not there", ""
    else:
        says = f"not begun: the path from {network.network} was not proved; {network.says}"
        hint = "Let one of its servers answer, then apply again; or --canary 0 to begin without a proof."
    return HostRun(host, HostOutcome.BLOCKED, (StepResult(PROOF, StepState.BLOCKED, says, hint),))


@dataclass(slots=True)
class Prover:
    """Asks servers of each network, networks side by side, until enough of each have measured the path.

    Attributes:
        task_of: makes the task of a host.
        may_ask: awaited before each server is asked; returns when it may be. No window keeps one from being
            asked: whether any server may begin hangs on what is known of every network.
    """

    context: RunContext
    task_of: Watch
    may_ask: Callable[[], Awaitable[None]]
    scripts: Mapping[str, bytes] = field(init=False, repr=False)
    _turns: asyncio.Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.scripts = joined_scripts(self.context.request.bundle)
        self._turns = asyncio.Semaphore(self.context.request.concurrency)

    async def prove(self, networks: Mapping[str, Sequence[Host]]) -> PathProof:
        """The proof of every network. Nothing is changed on any server.

        Args:
            networks: the servers that may be asked, in this order.
        """
        found = await asyncio.gather(*(self._network(name, hosts) for name, hosts in networks.items()))
        return PathProof(tuple(found))

    async def _network(self, name: str, hosts: Sequence[Host]) -> NetworkProof:
        wanted = min(self.context.request.canary, len(hosts))
        tried: list[Tried] = []
        left = list(hosts[: wanted + MORE_TRIES])
        while left:
            proof = NetworkProof(name, tuple(hosts), tuple(tried))
            lacking = wanted - len(proof.canaries(wanted))
            if lacking <= 0 or proof.outcome is PathOutcome.BROKEN:
                break
            size = lacking if not tried else max(lacking, _AT_ONCE)
            batch, left = left[:size], left[size:]
            tried += await asyncio.gather(*map(self._ask, batch))
        return NetworkProof(name, tuple(hosts), tuple(tried))

    async def _ask(self, host: Host) -> Tried:
        async with self._turns:
            await self.may_ask()
            task = self.task_of(host)
            task.step = PROOF
            task.see(EventKind.STARTED, PROOF)
            try:
                tried = await self._measured(task)
            except HostError as error:
                tried = Tried(host, StepResult(PROOF, StepState.FAILED, error.message, error.hint))
            except Exception as error:  # noqa: BLE001  # one host's surprise must not end the others' proof
                _LOG.exception("proof")
                says = f"unexpected {type(error).__name__}; the run's log.txt has the details"
                tried = Tried(host, StepResult(PROOF, StepState.FAILED, says))
            finally:
                await asyncio.shield(task.close())
            task.see(EventKind(tried.result.state.value), PROOF, tried.result.says)
            return tried

    async def _measured(self, task: HostTask) -> Tried:
        answer = await measure(task, self.scripts)
        rows = rows_of(answer)
        failed = [_host_of(row) for row in rows if row.get("reachable") is not True]
        if not failed:
            says = f"reaches every one of {len(rows)} required endpoints"
            proved = StepResult(PROOF, StepState.DONE, says, path=path_text(answer))
            return Tried(task.host, proved, self._fits(task, answer))
        says = f"does not reach {named(failed)} of {len(rows)} required endpoints"
        return Tried(task.host, StepResult(PROOF, StepState.FAILED, says, path=path_text(answer) or "{}"))

    def _fits(self, task: HostTask, answer: ScriptAnswer) -> bool:
        """Whether nothing that the facts tell keeps the agent off this server."""
        facts = read_facts(answer, skew=None, staged={})
        bundle = self.context.request.bundle
        machine = MachineSummary.of(task.context.machines.get(task.host.name.lower()))
        state = HostState(task.host, facts, task.target, payload_for(bundle, facts), machine)
        return all(decision.action is not Action.BLOCK for _, decision in decide(state))


def _host_of(row: Mapping[str, object]) -> str:
    name = row.get("host")
    return one_line(name, limit=100) if isinstance(name, str) and name else "the regional his.arc endpoint"
