"""What arcferry put where, in the order in which it goes, and the part that arcferry takes away itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from arcferry.azure import Identity
from arcferry.data.store import Store
from arcferry.errors import InputError
from arcferry.files import only_one
from arcferry.fleet.errands.errand import ErrandOutcome, ErrandRequest, ErrandRun
from arcferry.fleet.errands.run import BUSY, apply_errand, plan_errand
from arcferry.fleet.events import Observer
from arcferry.fleet.inventory import Inventory
from arcferry.fleet.networks import named
from arcferry.fleet.stop import Stop
from arcferry.leave import here
from arcferry.leave.exports import read_export
from arcferry.leave.places import communities, identities
from arcferry.leave.trace import Trace, TraceKind, TraceState


@dataclass(frozen=True, slots=True)
class LeaveRequest:
    """What was asked for.

    Attributes:
        exports: folders that `arcferry export` wrote.
        state: the folder that remembers runs.
        data: the folder with held data.
        units: the folder of systemd's units.
        client_id: of the service principal that signs in; empty where it is not given.
        servers: those that are to be taken out; none where no inventory was given.
        forget: what is remembered and held goes too.
    """

    exports: tuple[Path, ...]
    state: Path
    data: Path
    units: Path
    client_id: str = ""
    servers: frozenset[str] = frozenset()
    forget: bool = False


@dataclass(frozen=True, slots=True)
class ServersLeft:
    """The servers of an inventory: out of Azure Arc, then the agent off them.

    Attributes:
        offboarded: how the first went.
        uninstalled: how the second went with those that are out; None where none was.
        others: servers of the inventory that no run remembers, which are left alone.
    """

    offboarded: ErrandRun
    uninstalled: ErrandRun | None
    others: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[ErrandRun, ...]:
        """Both that were."""
        return tuple(filter(None, (self.offboarded, self.uninstalled)))


@dataclass(frozen=True, slots=True)
class Leaving:
    """All that arcferry put somewhere, and what became of it; `applied` where it is more than a list."""

    applied: bool
    traces: tuple[Trace, ...]
    servers: ServersLeft | None = None

    @property
    def all_good(self) -> bool:
        """Whether everything that arcferry was to take away is gone, or would be."""
        kept = any(one.state is TraceState.KEPT for one in self.traces)
        return not kept and all(run.all_good for run in (self.servers.runs if self.servers else ()))


def traces(request: LeaveRequest, today: date) -> tuple[Trace, ...]:
    """Everything that is known here to be somewhere because of arcferry. Asks nobody.

    Raises:
        FileInputError: a folder or a record is not what it should be.
    """
    runs = here.remembered(request.state)
    own = {
        TraceKind.SERVERS: [f"run {one.run.id}" for one in runs if one.left & request.servers],
        TraceKind.WATCH: [path.stem for path in request.units.glob("*.service")],
        TraceKind.MEMORY: [here.MEMORY] * request.forget,
        TraceKind.DATA: [here.DATA] * request.forget,
    }
    return tuple(
        replace(one, state=TraceState.PLANNED) if one.name in own.get(one.kind, ()) else one
        for one in _found(request, runs, today)
    )


def _found(request: LeaveRequest, runs: Sequence[here.Remembered], today: date) -> Iterator[Trace]:
    exports = [read_export(folder) for folder in request.exports]
    places = [one.where for one in runs] + [where for _, found in exports for where in found]
    yield from here.servers(runs)
    yield from (one for one, _ in exports)
    yield from here.watches(request.units)
    yield from here.tasks(request.state)
    yield from identities(places, request.client_id)
    yield from communities(places, Store(request.data), today)
    yield from here.memory(request.state, request.data)


async def take_servers(
    request: LeaveRequest,
    offboard: ErrandRequest,
    uninstall: ErrandRequest,
    who: Identity | None,
    *,
    observer: Observer,
    stop: Stop,
    applies: bool,
) -> ServersLeft:
    """Take out the servers of the inventory that a run remembers, then the agent off those that are out.

    Raises:
        InputError: no run remembers one of them.
        BlockedError, AzureError: as for `apply_errand`.
    """
    began = {name for one in here.remembered(request.state) for name in one.began}
    chosen = _only(offboard.inventory, began)
    if not chosen.hosts:
        raise InputError(
            f"no run in {request.state} began with a server of {offboard.inventory.path}",
            hint="Name the state folder of the runs with --state; arcferry offboard takes any inventory.",
        )
    others = tuple(host.name for host in offboard.inventory.hosts if host.name not in began)

    async def carried(errand: ErrandRequest) -> ErrandRun:
        if applies:
            return await apply_errand(errand, who, observer=observer, stop=stop)
        return await plan_errand(errand, who)

    first = await carried(replace(offboard, inventory=chosen))
    ended = (ErrandOutcome.DONE, ErrandOutcome.UNCHANGED)
    out = _only(chosen, {one.host.name for one in first.hosts if one.outcome in ended})
    second = await carried(replace(uninstall, inventory=out)) if out.hosts and not stop.asked else None
    return ServersLeft(first, second, others)


def _only(inventory: Inventory, names: set[str]) -> Inventory:
    return replace(inventory, hosts=tuple(host for host in inventory.hosts if host.name in names))


def removed(request: LeaveRequest, found: tuple[Trace, ...]) -> tuple[Trace, ...]:
    """What became of each, once arcferry has taken away what it may.

    Raises:
        BlockedError: a run or an errand is at work with the state folder.
        FileInputError: something cannot be removed.
    """
    if not any(one.state is TraceState.PLANNED for one in found):
        return found
    with only_one(request.state, "apply", hint=BUSY):
        left = {f"run {one.run.id}": one.left for one in here.remembered(request.state)}
        return tuple(
            _removed(one, left, request.servers) if one.state is TraceState.PLANNED else one for one in found
        )


def _removed(one: Trace, left: Mapping[str, frozenset[str]], servers: frozenset[str]) -> Trace:
    if one.kind is TraceKind.SERVERS:
        here_left = left[one.name]
        if stayed := here_left & servers:
            says = f"not known to be uninstalled: {named(sorted(stayed))}"
            return replace(one, state=TraceState.KEPT, says=says, hint="What hinders them is told beneath.")
        others = f"; not in the inventory: {named(sorted(here_left))}" if here_left else ""
        return replace(one, state=TraceState.REMOVED, says=f"out, and the agent is off{others}")
    if one.kind is TraceKind.WATCH:
        return here.remove_watch(one)
    return here.forget(one, sum(map(len, left.values())))
