"""A circuit by its two paths: what each carries alone, and which names fall where one of them is down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from arcferry.catalog import Cloud, Region
from arcferry.diagnosis.audit.rows import Audit, Path, about_circuits, audit
from arcferry.evidence.case import Case, Document
from arcferry.probe.observation import DnsAnswer
from arcferry.routing.paths import (
    LINKS,
    LinkPath,
    OnOneAlone,
    Standing,
    address_in,
    by_itself,
    on_one_alone,
    standing,
)

_NO_TRAFFIC = (None, None)


@dataclass(frozen=True, slots=True)
class ByPath:
    """Evidence of a circuit, sorted by path.

    Attributes:
        common: of neither path: answers, filters, the circuit.
        sides: of each path, by its name: what its router printed, and what Azure shows of it.
        traffic: the bytes in and out of each path, where they are known.
    """

    common: tuple[Document, ...]
    sides: Mapping[str, tuple[Document, ...]]
    traffic: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NameByPath:
    """One required name.

    Attributes:
        host: empty for the regional HIS endpoint, whose name only the discovery call tells.
        together: its path with both of the circuit's.
        alone: the same with one of them, by its name.
        seen: whether a route or a session shows it of that one alone, by its name; else it is expected.
        says: why it is so with that one alone, by its name.
    """

    host: str
    together: Path
    alone: Mapping[str, Path]
    seen: Mapping[str, bool]
    says: Mapping[str, str]

    def falls_without(self, link: str) -> bool:
        """Whether it may be reached now, and not where this path is down."""
        other = next(one for one in LINKS if one != link)
        return self.together is not Path.MISSING and self.alone[other] is Path.MISSING

    def may_fall_without(self, link: str) -> bool:
        """Whether nothing tells what becomes of it where this path is down."""
        other = next(one for one in LINKS if one != link)
        return self.together is not Path.MISSING and self.alone[other] is Path.UNKNOWN


@dataclass(frozen=True, slots=True)
class CircuitPaths:
    """A circuit by its paths.

    Attributes:
        configured: the circuit, its peerings and its filters, a sentence each.
        paths: the primary one, then the secondary one.
        standings: whether each carries anything, in the same order.
        alone: prefixes that one path has, and the other lacks.
        names: the required names of the location; none without a location.
        notes: what would tell more.
    """

    cloud: Cloud
    region: Region | None
    configured: tuple[str, ...]
    paths: tuple[LinkPath, LinkPath]
    standings: tuple[Standing, Standing]
    alone: tuple[OnOneAlone, ...]
    names: tuple[NameByPath, ...]
    notes: tuple[str, ...]

    def falls_without(self, link: str) -> tuple[str, ...]:
        """The names that may be reached now, and not where this path is down."""
        return tuple(one.host for one in self.names if one.falls_without(link))

    def may_fall_without(self, link: str) -> tuple[str, ...]:
        """The names of which nothing tells what becomes of them where this path is down."""
        return tuple(one.host for one in self.names if one.may_fall_without(link))

    @property
    def is_sound(self) -> bool:
        """Whether both paths may carry, and no name falls with either of them alone."""
        up = all(one.carries is not False for one in self.standings)
        return up and not any(map(self.falls_without, LINKS))


def circuit_paths(
    evidence: ByPath, held: Sequence[Document], cloud: Cloud, region: Region | None
) -> CircuitPaths:
    """What is known of each path, and of every required name of a location by each path alone.

    Args:
        evidence: what was read, by path.
        held: the documents of `arcferry data`.
        cloud: the cloud whose endpoints are meant.
        region: where the machines are to appear; without it no name is judged.
    """
    case = Case.of(evidence.common, held)
    peering = case.circuits[0].microsoft if len(case.circuits) == 1 else None
    links = dict(
        zip(LINKS, (peering.primary_prefix, peering.secondary_prefix) if peering else ("", ""), strict=True)
    )
    first, second = (_path(link, links, evidence) for link in LINKS)
    advertised = peering.advertised_prefixes if peering else ()
    lacks = len(case.circuits) == 1 and case.circuits[0].lists_peerings and peering is None
    standings = _standing(first[0], advertised, lacks), _standing(second[0], advertised, lacks)
    names: tuple[NameByPath, ...] = ()
    if region:
        sides = {LINKS[0]: first[1], LINKS[1]: second[1]}
        alone = dict(zip(LINKS, standings, strict=True))
        names = tuple(_names(replace(evidence, sides=sides), alone, held, cloud, region))
    return CircuitPaths(
        cloud=cloud,
        region=region,
        configured=(*about_circuits(case), *_filters(case)),
        paths=(first[0], second[0]),
        standings=standings,
        alone=on_one_alone(first[0], second[0]),
        names=names,
        notes=tuple(_notes(case, (first[0], second[0]), bool(region))),
    )


def _standing(path: LinkPath, advertised: Sequence[str], lacks_peering: bool) -> Standing:
    """Whether a path carries anything; a circuit that tells of no Microsoft peering has none to carry by."""
    found = standing(path, advertised)
    silent = found.carries is None and lacks_peering
    return Standing(False, "the circuit has no Microsoft peering") if silent else found


def _path(name: str, links: Mapping[str, str], evidence: ByPath) -> tuple[LinkPath, tuple[Document, ...]]:
    """One path, and the documents of it without what the other path's router gave."""
    link, other = links[name], next(links[one] for one in LINKS if one != name)
    own = tuple(
        replace(one, route_table=by_itself(one.route_table, link, other)) if one.route_table else one
        for one in evidence.sides[name]
    )
    told = (session for one in own for session in one.sessions)
    sessions = [one for one in told if one.leads_to_microsoft((link,) if link else ())]
    mine = tuple(one for one in sessions if not address_in(one.peer, other))
    arp = tuple(entry for one in own for entry in one.arp)
    tables = tuple(one.route_table for one in own if one.route_table)
    traffic = evidence.traffic.get(name, _NO_TRAFFIC)
    return LinkPath(name, link, mine, arp, tables, *traffic), own


def _names(
    evidence: ByPath,
    standings: Mapping[str, Standing],
    held: Sequence[Document],
    cloud: Cloud,
    region: Region,
) -> Iterator[NameByPath]:
    """Every required name, judged as `audit` does by both paths, and by each alone.

    That a name is reached now says nothing of one path alone, so of attempts the addresses count.
    """
    given = [_answers_of(one) for one in evidence.common]
    both = audit([*given, *(one for link in LINKS for one in evidence.sides[link])], held, cloud, region)
    alone = {link: audit([*given, *evidence.sides[link]], held, cloud, region) for link in LINKS}
    nothing = all(one.carries is False for one in standings.values())
    for host in both.required:
        together = Path.MISSING if nothing else both.path_to(host)
        told = {link: _told(alone[link], host, standings[link]) for link in LINKS}
        paths = {link: path for link, (path, _, _) in told.items()}
        seen = {link: is_seen for link, (_, is_seen, _) in told.items()}
        yield NameByPath(host, together, paths, seen, {link: says for link, (_, _, says) in told.items()})


def _answers_of(document: Document) -> Document:
    """A document with the addresses of its attempts as answers, and no attempt."""
    tried = tuple(
        DnsAnswer(one.host, (), (one.address,), one.resolver, "", one.origin, one.taken)
        for one in document.attempts
        if one.address and not one.proxied
    )
    return replace(document, attempts=(), answers=(*document.answers, *tried))


def _told(result: Audit, host: str, alone: Standing) -> tuple[Path, bool, str]:
    """The path to a name with one path alone, whether that was seen, and why, in one line."""
    path = result.path_to(host)
    if alone.carries is False and path is not Path.MISSING:
        return Path.MISSING, True, alone.says
    rows = [row for row in result.rows if row.host == host and row.path is path]
    row = next((one for one in rows if one.observed.path is not None), next(iter(rows), None))
    if row is None:
        return path, False, ""
    seen = row.observed.path is not None
    return path, seen, row.observed.says if seen else row.expected.says


def _filters(case: Case) -> Iterator[str]:
    for one in case.filters_in_effect:
        taken = one.taken or "undated"
        yield f"route filter {one.name} ({taken}) allows {', '.join(one.communities) or 'nothing'}"


def _notes(case: Case, paths: Iterable[LinkPath], judges: bool) -> Iterator[str]:
    known = tuple(paths)
    if not any(one.own for one in known):
        yield (
            "Azure's tables show no communities, and which direction they list is not documented: what "
            "Microsoft sends on each path, only the company's routers show (--primary and --secondary)"
        )
    elif not all(one.link for one in known):
        yield (
            "the links of the circuit are not known, so a route that one router has from the other cannot be "
            "told apart: hand in the circuit by --with, or hold it (arcferry data)"
        )
    if judges and not (case.answers or case.attempts):
        yield (
            "where the names answer is not known, so of those that may answer in any region little is said: "
            "arcferry check --output json > check.json, then --with check.json"
        )
