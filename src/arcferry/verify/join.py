"""The inventory's rows and Azure's machines, beside each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from arcferry.azure import AzureTarget, Machine
from arcferry.catalog import release_of, releases_source
from arcferry.errors import InputError
from arcferry.evidence.case import Document
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.place import target_of
from arcferry.text import quoted
from arcferry.times import to_text
from arcferry.verify.agents import AgentGoal
from arcferry.verify.asked import Answer, GroupKey, key_of
from arcferry.verify.before import with_baselines
from arcferry.verify.past import past_of
from arcferry.verify.standing import STALE_AFTER, Fault, FaultKind, Standing, State, Verification
from arcferry.verify.watched import Watched, watched

_STATES = {
    "connected": State.CONNECTED,
    "disconnected": State.DISCONNECTED,
    "expired": State.EXPIRED,
    "awaitingconnection": State.AWAITING,
    "error": State.ERROR,
}
_HINTS = {
    State.EXPIRED: "Its identity has ended: azcmagent disconnect --force-local-only on the server, delete "
    "the machine in Azure, then connect it again.",
    State.AWAITING: "The machine was made in Azure and its agent was never heard from: azcmagent connect on "
    "the server.",
    State.ERROR: "Azure keeps an error with the machine, as errorDetails of its JSON view in the portal.",
}
_ANEW = (
    "arcferry check from its network says which step fails; where arcferry is not at hand, the block that "
    "arcferry evidence script prints does."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the machines are compared with.

    Attributes:
        inventory: the rows that are asked for; None for every machine of the target's group.
        everyone: all rows of the file, so that one that is not asked for is no extra.
        located: whether a location was named, for rows that name none.
        state: the folder with the runs and watches that are remembered; None where none is to be read.
        held: what is held of the circuit, by which a watch is judged.
    """

    target: AzureTarget
    goal: AgentGoal
    inventory: Inventory | None = None
    everyone: Inventory | None = None
    located: bool = False
    stale_after: timedelta = STALE_AFTER
    state: Path | None = None
    held: Sequence[Document] = ()

    @property
    def groups(self) -> dict[GroupKey, list[str]]:
        """The groups that are asked about, each with the names that should be in it."""
        if self.inventory is None:
            return {key_of(self.target.subscription_id, self.target.resource_group): []}
        found: dict[GroupKey, list[str]] = {}
        for host in self.inventory.hosts:
            found.setdefault(self.key(host), []).append(host.name)
        return found

    def key(self, host: Host) -> GroupKey:
        """The group that a row goes to."""
        there = target_of(self.target, host.place)
        return key_of(there.subscription_id, there.resource_group)


def join(wanted: Wanted, answer: Answer, at: datetime) -> Verification:
    """How every row stands, and which machines are in no row."""
    groups = answer.by_group()
    twice = _twice(answer.machines.values())
    judge = _Judge(wanted, answer, groups, twice, at)
    hosts = wanted.inventory.hosts if wanted.inventory else ()
    rows = [judge.row(host) for host in hosts]
    taken = {row.machine.id.lower() for row in rows if row.machine}
    named = {
        (*wanted.key(host), host.name.lower()) for host in (wanted.everyone.hosts if wanted.everyone else ())
    }
    others = [
        judge.machine(machine, extra=wanted.inventory is not None)
        for key in wanted.groups
        for name, machine in sorted(groups.get(key, {}).items())
        if machine.id.lower() not in taken and (*key, name) not in named
    ]
    extras = others if wanted.inventory else []
    rows, notes = _with_past(wanted, rows or others)
    shown = [row.machine for row in rows if row.machine]
    behind = sum(map(wanted.goal.older_than_newest, shown))
    if behind and not wanted.goal.versions:
        newest = wanted.goal.newest
        notes.append(
            f"{behind} of {len(shown)} agents are older than {newest.version} of {newest.month:%Y-%m}, the "
            f"newest release known here (list of {releases_source().taken})"
        )
    return Verification(
        at, wanted.target, tuple(rows), tuple(extras), answer.unasked, wanted.goal, wanted.stale_after,
        (*answer.notes, *notes), wanted.inventory is not None,
    )  # fmt: skip


def _twice(machines: Iterable[Machine]) -> dict[str, list[Machine]]:
    """The VM ids that more than one machine has."""
    found: dict[str, list[Machine]] = {}
    for machine in machines:
        if machine.vm_id:
            found.setdefault(machine.vm_id.lower(), []).append(machine)
    return {vm_id: some for vm_id, some in found.items() if len(some) > 1}


def _with_past(wanted: Wanted, rows: Sequence[Standing]) -> tuple[list[Standing], list[str]]:
    """The silent ones with what runs and watches remember of them."""
    silent = [row.name for row in rows if row.state.is_silent]
    found, notes = past_of(wanted.state, silent) if wanted.state else ({}, [])
    if found and wanted.state and wanted.inventory:
        found = with_baselines(found, wanted.inventory.hosts, wanted.state, notes)
    told = []
    for row in rows:
        past = found.get(row.name.lower())
        if not row.state.is_silent or (past is None and row.hint):
            told.append(row)
            continue
        told.append(replace(row, past=past))
    told = _with_watches(wanted, told, notes)
    return [
        replace(row, hint=row.hint or _way_out(row)) if row.state.is_silent else row for row in told
    ], notes


def _with_watches(wanted: Wanted, rows: Sequence[Standing], notes: list[str]) -> list[Standing]:
    """Those whose silence no run explains, with what a watch of their location saw since they fell silent."""
    known: dict[tuple[str, str], Watched | None] = {}
    sites = {host.name.lower(): host.site for host in wanted.inventory.hosts} if wanted.inventory else {}
    told = []
    for row in rows:
        location = row.machine.location if row.machine and row.state.is_silent else ""
        explained = row.past is not None and row.past.findings and not row.past.mended
        if not wanted.state or not location or explained:
            told.append(row)
            continue
        key = location, sites.get(row.name.lower(), "")
        if key not in known:
            known[key] = None
            try:
                cloud = wanted.target.cloud.name
                known[key] = watched(wanted.state, cloud, location, wanted.held, site=key[1])
            except InputError as error:
                notes.append(f"what the watch of {location} saw was not used: {error.message}")
        seen = known[key]
        current = seen is not None and (row.since is None or seen.last > row.since)
        told.append(replace(row, watched=seen) if current else row)
    return told


def _way_out(row: Standing) -> str:
    """What to do about a silent server, where no evidence of its path says."""
    past = row.past
    if row.findings:
        return ""
    if row.state is not State.MISSING:
        return _ANEW
    if past is None:
        return "No run that is remembered here took it in: arcferry onboard apply does."
    if not past.was_connected:
        return _ANEW
    return (
        "Somebody has deleted its machine since, or run azcmagent disconnect: the activity log of "
        f"{row.group}, which Azure keeps for 90 days, says who."
    )


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges one row or machine at a time, by all that Azure said."""

    wanted: Wanted
    answer: Answer
    groups: Mapping[GroupKey, Mapping[str, Machine]]
    twice: Mapping[str, Sequence[Machine]]
    at: datetime

    def row(self, host: Host) -> Standing:
        """How a row stands."""
        there = target_of(self.wanted.target, host.place)
        key, name = self.wanted.key(host), host.name.lower()
        row = Standing(host.name, State.MISSING, there.subscription_id, there.resource_group, line=host.line)
        machine = self.groups.get(key, {}).get(name)
        if machine is None and key in self.answer.unasked:
            error = self.answer.unasked[key]
            return replace(row, state=State.UNKNOWN, says=error.message, hint=error.hint)
        elsewhere = self._elsewhere(name) if machine is None else ()
        shown = machine or next(iter(elsewhere), None)
        if shown is None:
            return replace(row, says=f"Azure has no machine of this name in {there.resource_group}")
        faults = (
            *self._place_faults(host, there, shown, moved=machine is None),
            *self._tag_faults(host, shown),
        )
        return self._standing(row, shown, faults)

    def machine(self, machine: Machine, *, extra: bool) -> Standing:
        """How a machine stands that no row names."""
        place = machine.subscription_id, machine.resource_group
        return self._standing(Standing(machine.name, State.UNKNOWN, *place, extra=extra), machine, ())

    def _standing(self, row: Standing, machine: Machine, faults: Iterable[Fault]) -> Standing:
        state, says = self._state(machine)
        every = (*self._twice_faults(machine), *faults, *self._agent_faults(machine))
        return replace(row, state=state, machine=machine, says=says, hint=_HINTS.get(state, ""), faults=every)

    def _state(self, machine: Machine) -> tuple[State, str]:
        state = _STATES.get(machine.status.replace(" ", "").lower(), State.UNKNOWN)
        since = machine.last_status_change
        if state is State.UNKNOWN:
            return (
                state,
                f"Azure gives it the status {quoted(machine.status)}, which is none that is known here",
            )
        if state is State.DISCONNECTED and since and self.at - since > self.wanted.stale_after:
            return State.STALE, f"disconnected for {(self.at - since).days} days, since {to_text(since)}"
        return state, ""

    def _elsewhere(self, name: str) -> Sequence[Machine]:
        """The machines of that name in the other groups that Azure told of, and that no row has."""
        return [group[name] for group in self.groups.values() if name in group]

    def _place_faults(self, host: Host, there: AzureTarget, machine: Machine, *, moved: bool) -> list[Fault]:
        faults = []
        if moved:
            of = ""
            if machine.subscription_id != there.subscription_id:
                of = f" of subscription {machine.subscription_id}"
            says = f"it is in {machine.resource_group}{of} and should be in {there.resource_group}"
            hint = "Move it in Azure, or give its row the group that it is in."
            faults.append(Fault(FaultKind.WRONG_GROUP, says, hint))
        named = host.place.location or (there.location if self.wanted.located else "")
        if named and machine.location and machine.location.replace(" ", "").lower() != named:
            says = f"it is in {machine.location} and should be in {named}"
            hint = (
                "A machine's location cannot be changed: disconnect it, then connect it with the other one."
            )
            faults.append(Fault(FaultKind.WRONG_LOCATION, says, hint))
        return faults

    def _tag_faults(self, host: Host, machine: Machine) -> list[Fault]:
        has = {name.lower(): value for name, value in machine.tags.items()}
        lacks = [name for name in host.tags if name.lower() not in has]
        other = [
            f"{name} is {quoted(has[name.lower()], limit=60)} and should be {quoted(value, limit=60)}"
            for name, value in host.tags.items()
            if has.get(name.lower(), value) != value
        ]
        missing = [f"it lacks the tag {', '.join(lacks)}"] if lacks else []
        says = "; ".join((*missing, *other))
        return [Fault(FaultKind.WRONG_TAGS, f"tags: {says}")] if says else []

    def _twice_faults(self, machine: Machine) -> list[Fault]:
        others = [one for one in self.twice.get(machine.vm_id.lower(), ()) if one.id != machine.id]
        if not others:
            return []
        named = ", ".join(f"{one.name} in {one.resource_group}" for one in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""  # noqa: PLR2004  # as many as are named
        says = f"its VM id {machine.vm_id} is that of {named}{more} too"
        hint = (
            "One server was connected twice, or one was cloned. On a clone: azcmagent disconnect "
            "--force-local-only, then connect it anew."
        )
        return [Fault(FaultKind.VM_ID_TWICE, says, hint)]

    def _agent_faults(self, machine: Machine) -> list[Fault]:
        goal, faults = self.wanted.goal, []
        if wanted := goal.older_than_bundle(machine):
            says = f"agent {machine.agent_version} is older than {wanted} of {goal.bundle}"
            faults.append(Fault(FaultKind.AGENT_TOO_OLD, says))
        release = release_of(machine.agent_version)
        if release and (since := goal.unsupported_since(machine)):
            says = (
                f"agent {machine.agent_version} is out of support since {since}: it came out by "
                f"{release.month:%Y-%m}, and Microsoft supports the releases of the last year "
                f"(list of {releases_source().taken})"
            )
            faults.append(
                Fault(FaultKind.AGENT_UNSUPPORTED, says, "arcferry bundle build --fetch brings a newer one.")
            )
        return faults
