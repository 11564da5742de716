"""How one machine stands, and all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from arcferry.azure import AzureTarget, Machine
from arcferry.diagnosis.finding import Finding
from arcferry.errors import AzureError, PermissionDeniedError
from arcferry.language import marked
from arcferry.verify.agents import AgentGoal
from arcferry.verify.past import Past
from arcferry.verify.watched import Watched

STALE_AFTER = timedelta(days=7)
EXPIRES_AFTER = timedelta(days=45)
SILENCE = marked(
    "Azure says Connected while a machine's last heartbeat is no older than 15 to 30 minutes; it tells no "
    "heartbeat's time, so SINCE is when the status changed last"
)
"""Azure Arc-enabled servers overview of 2026-02-05: a heartbeat every five minutes; without one the status
becomes Disconnected within 15 to 30 minutes, and after 45 days it may become Expired."""


class State(StrEnum):
    """How a machine stands.

    Stale: disconnected for longer than asked for. Awaiting connection: made in Azure, and no agent was ever
    heard from. Unknown: Azure did not say whether there is such a machine, or its status is none that is
    known here.
    """

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    STALE = "stale"
    EXPIRED = "expired"
    AWAITING = "awaiting-connection"
    ERROR = "error"
    MISSING = "missing"
    UNKNOWN = "unknown"

    @property
    def is_silent(self) -> bool:
        """Whether Azure hears nothing of the server, so that its path may be the reason."""
        return self not in (State.CONNECTED, State.UNKNOWN)


class FaultKind(StrEnum):
    """What of a machine is not as it should be, beside its state."""

    VM_ID_TWICE = "vm-id-twice"
    WRONG_GROUP = "wrong-group"
    WRONG_LOCATION = "wrong-location"
    WRONG_TAGS = "wrong-tags"
    AGENT_TOO_OLD = "agent-too-old"
    AGENT_UNSUPPORTED = "agent-unsupported"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it should be, and the way out."""

    kind: FaultKind
    says: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """One machine, or one row of the inventory that has none.

    Attributes:
        group: the resource group that it should be in, or for an extra one is in.
        says: why it stands so, where that is more than the state's name.
        line: where it stands in the inventory; 0 without one.
        extra: whether it is in a group of the inventory's, and in no row.
        past: what the runs that are remembered say of a silent server.
        watched: what a watch says of its location, where the runs do not tell why it is silent.
    """

    name: str
    state: State
    subscription_id: str
    group: str
    machine: Machine | None = None
    says: str = ""
    hint: str = ""
    faults: tuple[Fault, ...] = ()
    line: int = 0
    extra: bool = False
    past: Past | None = None
    watched: Watched | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why it is silent, as far as its last path evidence or a watch tells."""
        if self.watched:
            return self.watched.findings
        return self.past.findings if self.past else ()

    @property
    def good(self) -> bool:
        """Whether it is connected, and all of it as it should be."""
        return self.state is State.CONNECTED and not self.faults

    @property
    def since(self) -> datetime | None:
        """When Azure saw its status change last."""
        return self.machine.last_status_change if self.machine else None

    @property
    def expires(self) -> datetime | None:
        """The first day on which a silent machine may be Expired, which takes connecting it anew."""
        silent = self.state in (State.DISCONNECTED, State.STALE)
        return self.since + EXPIRES_AFTER if silent and self.since else None


@dataclass(frozen=True, slots=True)
class Verification:
    """What was asked, and how every machine stands.

    Attributes:
        at: when Azure was asked.
        target: where a row goes that names no place of its own.
        rows: those of the inventory, in its order; without one, every machine of the group.
        extras: the machines in the inventory's groups that are in no row.
        unasked: the groups whose machines could not all be had, by their subscription and name, and why.
        stale_after: how long a machine may be disconnected before it is stale.
        notes: what else is to be said of the answers.
        listed: whether there is an inventory, without which nothing is missing or extra.
    """

    at: datetime
    target: AzureTarget
    rows: tuple[Standing, ...]
    extras: tuple[Standing, ...]
    unasked: Mapping[tuple[str, str], AzureError]
    goal: AgentGoal
    stale_after: timedelta = STALE_AFTER
    notes: Sequence[str] = ()
    listed: bool = True

    @property
    def half(self) -> bool:
        """Whether a part could not be asked: what is unknown is then neither there nor gone."""
        return bool(self.unasked) or any(row.state is State.UNKNOWN for row in self.rows)

    @property
    def refused(self) -> bool:
        """Whether that is for want of a right."""
        return any(isinstance(error, PermissionDeniedError) for error in self.unasked.values())

    @property
    def good(self) -> bool:
        """Whether every row is connected and as it should be. Extra machines are others' to judge."""
        return not self.half and all(row.good for row in self.rows)
