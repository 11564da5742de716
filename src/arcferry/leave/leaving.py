"""What arcferry put where, in the order in which it goes, and the part that arcferry takes away itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from arcferry import catalog
from arcferry.azure import Identity
from arcferry.data.store import Store, documents
from arcferry.errors import InputError
from arcferry.files import only_one
from arcferry.fleet.errands.errand import ErrandOutcome, ErrandRequest, ErrandRun
from arcferry.fleet.errands.run import BUSY, apply_errand, plan_errand
from arcferry.fleet.events import Observer
from arcferry.fleet.inventory import Inventory
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
        forget: what is remembered and held goes too.
    """

    exports: tuple[Path, ...]
    state: Path
    data: Path
    units: Path
    client_id: str = ""
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
    notes: tuple[str, ...] = field(default=())

    @property
    def all_good(self) -> bool:
        """Whether everything that arcferry was to take away is gone, or would be."""
        kept = any(one.state is TraceState.KEPT for one in self.traces)
        return not kept and all(run.all_good for run in (self.servers.runs if self.servers else ()))


def traces(request: LeaveRequest, today: date, *, servers: bool) -> tuple[Trace, ...]:
    """Everything that is known here to be somewhere because of arcferry. Asks nobody.

    Args:
        request: where to look.
        today: for what the catalogue says ahead.
        servers: whether an inventory was given, so that arcferry takes the servers out itself.

    Raises:
        FileInputError: a folder or a record is not what it should be.
    """
    return tuple(_as_planned(one, request, servers=servers) for one in _found(request, today))


def _found(request: LeaveRequest, today: date) -> Iterator[Trace]:
    runs = here.remembered(request.state)
    exports = [read_export(folder) for folder in request.exports]
    places = [one.where for one in runs] + [where for _, where in exports]
    yield from here.servers(runs)
    yield from (one for one, _ in exports)
    yield from here.watches(request.units)
    yield from here.tasks(request.state)
    yield from identities(places, request.client_id)
    for cloud in dict.fromkeys(one.cloud for one in places):
        held = documents(Store(request.data), catalog.cloud(cloud))
        yield from communities((one for one in places if one.cloud == cloud), held, today)
    yield from here.memory(request.state, request.data)


def _as_planned(one: Trace, request: LeaveRequest, *, servers: bool) -> Trace:
    own = {
        TraceKind.SERVERS: servers,
        TraceKind.WATCH: one.where.endswith(".service"),
        TraceKind.MEMORY: request.forget,
        TraceKind.DATA: request.forget,
    }
    return replace(one, state=TraceState.PLANNED) if own.get(one.kind) else one


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
    with only_one(request.state, "apply", hint=BUSY):
        left = {one.run.id: len(one.left) for one in here.remembered(request.state)}
        return tuple(_removed(one, left) for one in found)


def _removed(one: Trace, left: dict[str, int]) -> Trace:
    if one.state is not TraceState.PLANNED:
        return one
    if one.kind is TraceKind.SERVERS:
        count = left[one.name.removeprefix("run ")]
        says = f"not known to be uninstalled: {count} of its servers"
        hint = "See them beneath, or those that the inventory does not name."
        return (
            replace(one, state=TraceState.KEPT, says=says, hint=hint)
            if count
            else replace(one, state=TraceState.REMOVED, says="each is out, and the agent is off it")
        )
    if one.kind is TraceKind.WATCH:
        return here.remove_watch(one)
    return here.forget(one, sum(left.values()))
