"""What became of a run: each step, each host, and the whole."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from arcferry.azure import Machine, PreflightCheck
from arcferry.diagnosis.finding import NOTHING_JUDGED, Diagnosis
from arcferry.fleet.inventory import Host


class StepState(StrEnum):
    """How a step ended. A skipped one had nothing to do; a blocked one was not allowed to begin."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    BLOCKED = "blocked"


class HostOutcome(StrEnum):
    """How a host's part of a run ended.

    Not heard from: its agent holds an identity, and no heartbeat of it has reached Azure. Stopped: not
    finished, because the run was stopped.
    """

    CONNECTED = "connected"
    NOT_HEARD_FROM = "not-heard-from"
    FAILED = "failed"
    BLOCKED = "blocked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of one host.

    Attributes:
        says: what was done, or why not.
        hint: the way out of a failure.
        code: the agent's code, such as `AZCM0026`, or another stable word; empty where there is none.
        meaning: what the catalogue knows about that code.
        unreachable: the endpoints that the agent could not reach.
        output: the end of what the agent or the installer printed, cleaned.
        path: the path to Azure as the failed host measured it, JSON in the form of `arcferry check`, without
            credentials; empty where it was not measured.
        data: what later steps need to know, as plain JSON without secrets.
        seconds: how long it took.
    """

    step: str
    state: StepState
    says: str = ""
    hint: str = ""
    code: str = ""
    meaning: str = ""
    unreachable: tuple[str, ...] = ()
    output: str = ""
    path: str = field(default="", repr=False)
    data: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, with everything in it."""
        return asdict(self) | {"state": self.state.value, "unreachable": list(self.unreachable)}

    def public(self) -> dict[str, Any]:
        """Plain JSON for a report: without what only later steps need, and without the path evidence."""
        return {key: value for key, value in self.to_json().items() if key not in ("data", "path")}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, by this version or another."""
        known = {one.name for one in fields(cls)}
        values = {key: value for key, value in document.items() if key in known}
        values |= {"state": StepState(values["state"]), "unreachable": tuple(values.get("unreachable", ()))}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class HostRun:
    """One host's part of a run.

    Attributes:
        attempt: 1 for the first try; a host that failed is tried again by the next apply.
        already: whether nothing had to be done, because an earlier apply had finished it.
        stage: the canaries or the wave that it was in; empty where it was in none.
    """

    host: Host
    outcome: HostOutcome
    steps: tuple[StepResult, ...] = ()
    attempt: int = 1
    already: bool = False
    machine: Machine | None = None
    stage: str = ""

    @property
    def failure(self) -> StepResult | None:
        """The step that stopped this host, None where none did."""
        bad = (StepState.FAILED, StepState.BLOCKED)
        return next((step for step in self.steps if step.state in bad), None)

    @property
    def wants_restart(self) -> bool:
        """Whether the host notes that it has to start anew, or its installer asked for that."""
        return any(
            step.data.get("restart") or step.data.get("facts", {}).get("restart_pending")
            for step in self.steps
        )

    @property
    def evidence(self) -> tuple[tuple[str, bytes], ...]:
        """What the failed host handed in, as files that `arcferry explain` reads: their names and content."""
        failure = self.failure
        if failure is None:
            return ()
        printed = (f"azcmagent-{failure.step}.txt", failure.output if failure.step in AGENT_STEPS else "")
        return tuple((name, text.encode()) for name, text in (printed, ("path.json", failure.path)) if text)


AGENT_STEPS = ("check", "connect")
"""The steps whose output is `azcmagent`'s own."""


class PathOutcome(StrEnum):
    """What became of the proof of a network's path."""

    PROVED = "proved"
    BROKEN = "broken"
    """A server measured it, and a required endpoint was not reached."""
    UNKNOWN = "unknown"
    """No server that was asked gave an answer."""


@dataclass(frozen=True, slots=True)
class NetworkPath:
    """The path to Azure from one network.

    Attributes:
        asked: the servers that were asked, in this order.
        hosts: how many of the run's hosts stand in it.
        path: what the first server measured that decided, as JSON; empty where none did.
    """

    network: str
    outcome: PathOutcome
    says: str
    asked: tuple[str, ...]
    hosts: int
    path: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FleetRun:
    """A whole run, as it stands after one apply.

    Attributes:
        id: names inventory, bundle and target; the same three give the same run again.
        spent: whether the failure budget ended it.
        interrupted: whether the operator did.
        cancelled: who cancelled it, when and why; empty where nobody did.
        diagnosis: what the failed hosts' evidence leads to, once it was judged.
        proof: what became of each network's path, where it was to be proved.
        refusal: why hosts that had not begun were not begun any more; empty where none was refused.
    """

    id: str
    started: datetime
    ended: datetime
    bundle: Mapping[str, str]
    target: Mapping[str, str]
    checks: tuple[PreflightCheck, ...]
    hosts: tuple[HostRun, ...]
    state: str
    spent: bool = False
    interrupted: bool = False
    cancelled: str = ""
    diagnosis: Diagnosis = NOTHING_JUDGED
    proof: tuple[NetworkPath, ...] = ()
    refusal: str = ""

    @property
    def blocked(self) -> bool:
        """Whether nothing was begun anywhere, because the path to Azure is not there."""
        return any(one.outcome is PathOutcome.BROKEN for one in self.proof)

    @property
    def all_connected(self) -> bool:
        """Whether every host of the inventory is connected."""
        return all(run.outcome is HostOutcome.CONNECTED for run in self.hosts)

    def are_connected(self, names: frozenset[str] | None) -> bool:
        """Whether the hosts of these names are connected, and there are any; None for every host."""
        outcomes = {run.outcome for run in self.hosts if names is None or run.host.name in names}
        return outcomes == {HostOutcome.CONNECTED}

    @property
    def says(self) -> str:
        """How it stands, in a few words."""
        stands = f"{self.count(HostOutcome.CONNECTED)} of {len(self.hosts)} hosts connected"
        return f"{stands}; {self.cancelled or 'stopped'}" if self.interrupted else stands

    def count(self, outcome: HostOutcome) -> int:
        """How many hosts ended so."""
        return sum(run.outcome is outcome for run in self.hosts)
