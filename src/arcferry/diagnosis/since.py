"""What differs between two cases: where names answer, what is reached, the filter, the circuit, the agent."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.finding import Diagnosis, Evidence, Finding
from arcferry.diagnosis.names import community_name, day, filter_name, region_name
from arcferry.errors import InputError
from arcferry.evidence.case import Case, Document
from arcferry.routing.coverage import Coverage, Verdict
from arcferry.times import to_text

_LEAVES = ("route/", "risk/")
"""Causes that what a filter lets through can bring about."""


class Subject(StrEnum):
    """What a change is of."""

    ANSWER = "answer"
    REACH = "reach"
    FILTER = "filter"
    CIRCUIT = "circuit"
    AGENT = "agent"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was so before, and is otherwise now.

    Attributes:
        name: the endpoint, filter, circuit or server.
        before: empty where there was none.
        after: empty where there is none now.
        more: what else tells of it, in a sentence.
    """

    subject: Subject
    name: str
    before: str
    after: str
    more: str = ""

    @property
    def says(self) -> str:
        """The change as a sentence."""
        match self.subject:
            case Subject.ANSWER:
                said = f"{self.name} answered {self.before}, and answers {self.after} now"
            case Subject.REACH:
                said = f"{self.name} was {self.before}, and is {self.after} now"
            case Subject.FILTER if self.after:
                said = f"route filter {self.name} lets {self.after} through, which it did not"
            case Subject.FILTER:
                said = f"route filter {self.name} no longer lets {self.before} through"
            case _:
                said = f"{self.name} was {self.before or 'not set'}, and is {self.after or 'not set'} now"
        return f"{said}; {self.more}" if self.more else said


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two cases side by side.

    Attributes:
        compared: what both tell of, so that its lack among the changes means that it is as it was.
    """

    before: datetime | None
    after: datetime | None
    compared: tuple[Subject, ...]
    changes: tuple[Change, ...]


def compare(before: Case, after: Case, held: Iterable[Document] = ()) -> Comparison:
    """Everything that differs, as far as both tell of it.

    An earlier answer lies where today's service tags and lists say, unless the earlier case has its own.

    Args:
        before: the earlier one.
        after: the later one.
        held: what places addresses where a case has no service tags or lists of its own.

    Raises:
        InputError: they are of different servers, the first is the later one, or nothing can be compared.
    """
    _refuse(before, after)
    now = Case.of(after.handed_in, held)
    then = Case.of(before.handed_in, (one for one in now.documents if one.service_tags or one.community_list))
    known = {one.host: one for one in destinations_of(then)}
    pairs = [(known[one.host], one) for one in destinations_of(now) if one.host in known]
    compared = [
        Subject.ANSWER if any(old.coverages and new.coverages for old, new in pairs) else None,
        Subject.REACH if any(old.latest and new.latest for old, new in pairs) else None,
        Subject.FILTER if before.filters and after.filters else None,
        Subject.CIRCUIT if before.circuits and after.circuits else None,
        Subject.AGENT if before.agents and after.agents else None,
        Subject.TAGS if before.service_tags and after.service_tags else None,
    ]
    if not any(compared):
        told = [
            ", ".join(dict.fromkeys(one.kind.value for one in case.documents)) for case in (before, after)
        ]
        raise InputError(
            f"nothing in them can be compared: {told[0] or 'nothing'} before, {told[1] or 'nothing'} after",
            hint="Hand in two of one kind: results of arcferry check --output json, route filters, circuits, "
            "service tags, or what azcmagent show printed.",
        )
    found = (
        *(change for old, new in pairs for change in _of_endpoint(old, new)),
        *_of_filters(before, after),
        *_of_circuits(before, after),
        *_of_agents(before, after),
        *_of_tags(before, after),
    )
    return Comparison(before.newest, after.newest, tuple(filter(None, compared)), found)


def _refuse(before: Case, after: Case) -> None:
    servers = [{name.lower() for one in case.documents for name in one.servers} for case in (before, after)]
    if all(servers) and servers[0].isdisjoint(servers[1]):
        names = [", ".join(sorted(one)[:3]) for one in servers]
        raise InputError(
            f"they are of different servers: {names[0]} before, {names[1]} after",
            hint="What changed is told of one server, or of servers that both know.",
        )
    if before.newest and after.newest and before.newest > after.newest:
        same = day(before.newest) == day(after.newest)
        days = [to_text(one) if same else day(one) for one in (before.newest, after.newest)]
        raise InputError(
            f"the first is the later one: of {days[0]}, the second of {days[1]}",
            hint="Name the earlier one first. If its day is wrong, so was the clock of whoever took it.",
        )


def _of_endpoint(old: Destination, new: Destination) -> Iterator[Change]:
    was, now = old.coverage, new.coverage
    if was.address and now.address and _where(was) != _where(now):
        more = _carried(was, now)
        before, after = (f"{one.address} in {_where(one)}" for one in (was, now))
        yield Change(Subject.ANSWER, new.host, before, after, more)
    if old.latest and new.latest and _reach(old) != _reach(new):
        yield Change(Subject.REACH, new.host, _reach(old), _reach(new))


def _where(found: Coverage) -> str:
    return region_name(found.region)


def _carried(was: Coverage, now: Coverage) -> str:
    """What the filter lets through of the two, where it is known."""
    if now.verdict is not Verdict.NOT_IN_FILTER:
        return ""
    before = ", and let the answer before through" if was.verdict is Verdict.CARRIED else ""
    return f"the route filter lacks {community_name(now.community)}{before}"


def _reach(one: Destination) -> str:
    if one.reached:
        return "reached"
    return f"not reached ({one.stage.value} {one.kind})" if one.stage else "not reached"


def _of_filters(before: Case, after: Case) -> Iterator[Change]:
    if not (before.filters and after.filters):
        return
    old, new = (
        {value for seen in case.filters_in_effect for value in seen.communities if seen.allows(value)}
        for case in (before, after)
    )
    name = filter_name(after.filters_in_effect[0])
    for value in sorted(new - old):
        yield Change(Subject.FILTER, name, "", community_name(value))
    for value in sorted(old - new):
        yield Change(Subject.FILTER, name, community_name(value), "")


def _of_circuits(before: Case, after: Case) -> Iterator[Change]:
    known = {one.name.lower(): one for one in before.circuits}
    for new in after.circuits:
        if (old := known.get(new.name.lower())) is None:
            continue
        told = [("provider", old.provisioning, new.provisioning), ("state", old.state, new.state)]
        if old.microsoft and new.microsoft:
            was, now = old.microsoft, new.microsoft
            told += [
                ("Microsoft peering", was.state, now.state),
                ("route filter", was.route_filter.rpartition("/")[2], now.route_filter.rpartition("/")[2]),
                ("public prefixes", was.advertised_state, now.advertised_state),
                ("prefixes", ", ".join(was.advertised_prefixes), ", ".join(now.advertised_prefixes)),
            ]
        yield from (
            Change(Subject.CIRCUIT, f"circuit {new.name}, {what}", earlier, later)
            for what, earlier, later in told
            if earlier.lower() != later.lower()
        )


def _of_agents(before: Case, after: Case) -> Iterator[Change]:
    if not (before.agents and after.agents):
        return
    old, new = before.agents[0], after.agents[0]
    for what in ("version", "status", "proxy", "location", "private_link_scope"):
        was, now = getattr(old, what), getattr(new, what)
        if was and now and was != now:
            yield Change(Subject.AGENT, f"the agent's {what.replace('_', ' ')}", was, now)


def _of_tags(before: Case, after: Case) -> Iterator[Change]:
    if before.service_tags and after.service_tags:
        old, new = before.service_tags[0], after.service_tags[0]
        if old.change_number != new.change_number:
            name = f"the change number of {new.cloud}'s service tags"
            yield Change(Subject.TAGS, name, str(old.change_number), str(new.change_number))


def since(diagnosis: Diagnosis, *found: Comparison) -> Diagnosis:
    """The same findings, each with what changed of its endpoints and of the way to them."""
    told = tuple(_with_changes(one, found) for one in diagnosis.findings)
    return replace(diagnosis, findings=told)


def _with_changes(finding: Finding, found: Iterable[Comparison]) -> Finding:
    hosts = {one.host for one in finding.endpoints}
    routed = finding.cause.startswith(_LEAVES)
    lines = [
        Evidence(f"changed since {day(one.before)}", change.says)
        for one in found
        for change in one.changes
        if _concerns(change, hosts, routed=routed)
    ]
    return replace(finding, evidence=tuple(dict.fromkeys((*finding.evidence, *lines))))


def _concerns(change: Change, hosts: Iterable[str], *, routed: bool) -> bool:
    if change.subject in (Subject.ANSWER, Subject.REACH):
        return change.name in hosts
    return routed and change.subject in (Subject.FILTER, Subject.CIRCUIT)
