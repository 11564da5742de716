"""What is expected of every endpoint beside what was seen of it, and where the two differ."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from arcferry import catalog
from arcferry.catalog import Cloud, Region
from arcferry.diagnosis.audit.sides import (
    Expected,
    Observed,
    attempt_at,
    observed,
    of_address,
    of_communities,
    without_address,
)
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.finding import Diagnosis
from arcferry.diagnosis.judge import judge
from arcferry.diagnosis.names import community_name, region_name
from arcferry.evidence.case import Case, Document, Kind
from arcferry.routing.circuit import Circuit, Peering
from arcferry.routing.coverage import Verdict
from arcferry.routing.reception import NOTHING_RECEIVED, Reception, Return, returns


class Path(StrEnum):
    """Whether the path to an endpoint is there: what was seen decides, then what is expected."""

    THERE = "there"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint, at those of its addresses of which the same is expected and was seen.

    Attributes:
        host: empty for the regional HIS endpoint, whose name only the discovery call tells.
        required: whether the work stops without it.
        addresses: empty where nobody has resolved the name.
        resolver: whose answer this is, empty where unknown.
        answered: as of when the addresses are the answer.
    """

    host: str
    purpose: str
    required: bool
    expected: Expected
    observed: Observed
    addresses: tuple[str, ...] = ()
    resolver: str = ""
    answered: datetime | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether what was seen is what is expected; None where one is not known, or a proxy stands between.

        A route and a connection must both be as expected, as far as they were seen.
        """
        sides = (self.observed.has_route, self.observed.connected)
        seen = [one for one in sides if one is not None]
        if self.expected.path is None or not seen or self.observed.proxied:
            return None
        return all(one == self.expected.path for one in seen)

    @property
    def path(self) -> Path:
        """Whether the path is there."""
        there = self.expected.path if self.observed.path is None else self.observed.path
        return Path.UNKNOWN if there is None else Path.THERE if there else Path.MISSING

    @property
    def differences(self) -> tuple[str, ...]:
        """Each difference as a sentence, then what the sources disagree about."""
        return tuple(dict.fromkeys([*_differences(self.expected, self.observed), *self.expected.notes]))


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that an audit tells.

    Attributes:
        region: where the machines are to appear, None where it was not given.
        rows: the required endpoints first.
        circuits: what is known of each circuit as a whole, a sentence each.
        would_sharpen: the kinds of evidence that are not there and would tell more, the most telling first.
        diagnosis: what was handed in, and the findings that follow from it.
    """

    cloud: Cloud
    region: Region | None
    rows: tuple[Row, ...]
    circuits: tuple[str, ...]
    would_sharpen: tuple[str, ...]
    diagnosis: Diagnosis

    def path_to(self, host: str) -> Path:
        """Whether the path to a host is there, over all its addresses.

        A connection that came about decides. Else the address decides that fares worst; of both IP versions
        IPv4's, because clients fall back to it.
        """
        rows = [row for row in self.rows if row.host == host]
        if any(row.observed.connected for row in rows):
            return Path.THERE
        over_ipv4 = [row for row in rows if not any(":" in address for address in row.addresses)]
        found = {row.path for row in over_ipv4 or rows}
        return next((path for path in (Path.MISSING, Path.UNKNOWN) if path in found), Path.THERE)

    @property
    def required(self) -> tuple[str, ...]:
        """The hosts that are required, each once; an empty one is the regional HIS endpoint's."""
        return tuple(dict.fromkeys(row.host for row in self.rows if row.required))

    @property
    def missing(self) -> tuple[str, ...]:
        """The required hosts whose path is not there."""
        return tuple(host for host in self.required if self.path_to(host) is Path.MISSING)


def audit(
    evidence: Iterable[Document], held: Iterable[Document], cloud: Cloud, region: Region | None
) -> Audit:
    """Expected and observed side by side, for every endpoint that is required or that a document speaks of.

    Reads and asks for nothing.

    Args:
        evidence: what the files say, from `evidence.reading`.
        held: the documents of `arcferry data`; those of a kind that was handed in do not count.
        cloud: the cloud whose endpoints are meant.
        region: where the machines are to appear; without it only what the documents speak of is audited.
    """
    case = Case.of(evidence, held)
    spoken_of = destinations_of(case)
    rows = [row for one in spoken_of for row in _rows_of(one, region, case)]
    if region is not None:
        rows += _unspoken(spoken_of, cloud, region, case)
    rows.sort(key=lambda row: not row.required)
    lacks = list(case.lacks())
    lacks += [] if case.circuits else [Kind.CIRCUIT.value]
    lacks += [] if case.attempts else [Kind.ARCFERRY_CHECK.value]
    return Audit(cloud, region, tuple(rows), about_circuits(case), tuple(lacks), judge(case.handed_in))


def _rows_of(one: Destination, region: Region | None, case: Case) -> list[Row]:
    """One row for all addresses of which the same is to be said."""
    purpose = one.endpoint.purpose if one.endpoint else ""
    if not one.coverages:
        expected = without_address(one.endpoint, region, case)
        return [Row(one.host, purpose, one.required, expected, observed(NOTHING_RECEIVED, one.latest))]
    rows: dict[tuple[Expected, Observed], Row] = {}
    for found in one.coverages:
        key = of_address(found, case), observed(found.received, attempt_at(found.address, one))
        answer = next((answer for answer in one.answers if found.address in answer.addresses), None)
        resolver, answered = (answer.resolver, answer.taken) if answer else ("", None)
        row = Row(one.host, purpose, one.required, *key, (found.address,), resolver, answered)
        rows[key] = _joined(rows[key], row) if key in rows else row
    return list(rows.values())


def _joined(row: Row, other: Row) -> Row:
    """One row of two that differ in their addresses alone, in the routes to them and in the notes."""
    one, two = row.observed, other.observed
    seen = replace(
        one,
        prefixes=tuple(dict.fromkeys((*one.prefixes, *two.prefixes))),
        communities=tuple(dict.fromkeys((*one.communities, *two.communities))),
        next_hops=tuple(dict.fromkeys((*one.next_hops, *two.next_hops))),
    )
    notes = tuple(dict.fromkeys((*row.expected.notes, *other.expected.notes)))
    return replace(
        row if row.resolver or row.answered else other,
        expected=replace(row.expected, notes=notes),
        observed=seen,
        addresses=(*row.addresses, *other.addresses),
    )


def _unspoken(spoken_of: Sequence[Destination], cloud: Cloud, region: Region, case: Case) -> Iterator[Row]:
    """The required endpoints that no document speaks of: what is expected by region alone."""
    known = {one.host for one in spoken_of}
    discovered = any(one.endpoint and one.endpoint.discovered for one in spoken_of)
    for endpoint in catalog.endpoints(cloud, region):
        if endpoint.host not in known and not (endpoint.discovered and discovered):
            expected = without_address(endpoint, region, case)
            seen = of_communities(expected.communities if expected.settled else (), case)
            yield Row(endpoint.host, endpoint.purpose, endpoint.required, expected, seen)


def _differences(expected: Expected, seen: Observed) -> Iterator[str]:
    """Why what was seen of an endpoint is not what was expected of it."""
    if seen.proxied:
        yield "a proxy stands between: the routes here do not decide whether it is reached"
        return
    if expected.peering:
        yield expected.peering
    if expected.within_reach is False:
        yield f"the circuit's SKU does not reach {region_name(expected.region)}, whatever the filter holds"
    if expected.path and seen.has_route is False:
        yield _no_route(expected, seen)
    if expected.path is False and seen.has_route:
        yield from _route_against_expectation(expected, seen)
    carried = [catalog.community(value) for value in seen.communities]
    regions = [known.region for known in carried if known and known.region]
    if seen.has_route and expected.region and regions and expected.region not in regions:
        names = community_name(seen.communities[0]), region_name(expected.region)
        yield "the route carries {}, tags and lists say {}: they are older".format(*names)
    yield from _connections(expected, seen)


def _no_route(expected: Expected, seen: Observed) -> str:
    if seen.reception is Reception.FILTERED_HERE:
        return "Microsoft sends the route, and this router's own inbound policy drops it"
    if seen.reception is Reception.ANOTHER_PATH:
        return f"the router sends it by {seen.route}, which is not from Microsoft"
    reach = "" if expected.within_reach else "the circuit's SKU may not reach the region, "
    return (
        f"the filter allows {community_name(expected.community)}, and no route came: {reach}"
        "the filter may not be the one attached, the session may be down, or the lists are older "
        "than the addresses"
    )


def _route_against_expectation(expected: Expected, seen: Observed) -> Iterator[str]:
    if expected.verdict is Verdict.NOT_ON_PEERING:
        yield f"a route from Microsoft holds it after all ({seen.route}): the service tags are older"
    elif expected.verdict is Verdict.NOT_IN_FILTER:
        yield (
            f"a route came although {expected.route_filter} does not allow its community: the filter was "
            "changed since, or is not the one attached"
        )
    elif expected.peering or expected.within_reach is False:
        yield "a route came all the same: the circuit's document is older than the routes, or of another one"


def _connections(expected: Expected, seen: Observed) -> Iterator[str]:
    if seen.connected and seen.has_route is False:
        yield "it is reached over another path than Microsoft peering"
    elif seen.connected and expected.path is False and seen.has_route is None:
        yield "it is reached although no path is expected: over another path, or the documents are older"
    elif seen.connected is False and seen.has_route:
        yield (
            f"the route is there, and the connection is not ({seen.connection}): the way back, a prefix "
            "that Microsoft has not validated, a firewall, or the service itself"
        )
    elif seen.connected is False and expected.path and seen.has_route is None:
        yield (
            f"a path is expected, and the connection is not there ({seen.connection}): "
            "the router's routes would tell where it breaks off"
        )


def about_circuits(case: Case) -> tuple[str, ...]:
    """Sentences on each circuit: its reach, its peerings, and what Azure's routes tell of the way back."""
    lines: list[str] = []
    for circuit in case.circuits:
        lines.append(f"circuit {circuit.name}: {_reach(circuit)}")
        peerings = (("Microsoft peering", circuit.microsoft), ("IPv6", circuit.microsoft_ipv6))
        lines += [f"circuit {circuit.name}, {kind}: {_state(one)}" for kind, one in peerings if one]
        if circuit.lists_peerings and circuit.microsoft is None:
            lines.append(f"circuit {circuit.name} has no Microsoft peering")
        prefixes = [prefix for _, one in peerings if one for prefix in one.advertised_prefixes]
        back = returns(prefixes, case.route_tables)
        lines += [back.says] if back.answer is not Return.UNKNOWN else []
    return tuple(lines)


def _reach(circuit: Circuit) -> str:
    place = catalog.peering_location(circuit.peering_location)
    area = f", which is in {place.geography}" if place and place.geography else ""
    where = f" at {circuit.peering_location}{area}" if circuit.peering_location else ""
    direct = " (ExpressRoute Direct: its port tells where)" if circuit.direct and not where else ""
    states = ", ".join(filter(None, (circuit.state, circuit.provisioning)))
    return f"SKU {circuit.tier or 'unknown'}{where}{direct}{f'; {states}' if states else ''}"


def _state(peering: Peering) -> str:
    attached = peering.route_filter.rstrip("/").rpartition("/")[2]
    prefixes = ", ".join(peering.advertised_prefixes) or "no prefix of ours"
    own = ", ".join(f"{prefix} {state}" for prefix, state in peering.validations if state)
    checked = f" ({own or peering.advertised_state})" if own or peering.advertised_state else ""
    legacy = ", configured before 2017-08-01" if peering.legacy else ""
    return (
        f"{peering.state or 'state unknown'}{legacy}; route filter "
        f"{attached or ('none' if peering.tells_filter else 'unknown')}; "
        f"Microsoft was told of {prefixes}{checked}"
    )
