"""What is expected of every endpoint beside what was seen of it, and where the two differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from arcferry import catalog
from arcferry.catalog import Cloud, Endpoint, Region
from arcferry.diagnosis.audit.circuits import told
from arcferry.diagnosis.audit.differences import Compared, differences
from arcferry.diagnosis.audit.expected import Expected, of_address, without_address
from arcferry.diagnosis.audit.observed import Observed, at_address, merged, of_communities, without_routes
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.finding import Diagnosis
from arcferry.diagnosis.judge import judge
from arcferry.evidence.case import Case
from arcferry.evidence.document import Document, Kind


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
        agrees: whether what was seen is what is expected; None where one of the two is not known.
        differences: each difference, and what else is worth knowing, as a sentence.
        addresses: empty where nobody has resolved the name.
        resolver: whose answer this is, empty where unknown.
        answered: as of when the addresses are the answer.
    """

    host: str
    purpose: str
    required: bool
    expected: Expected
    observed: Observed
    agrees: bool | None
    path: Path
    differences: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    resolver: str = ""
    answered: datetime | None = None


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
        evidence: what the files say, from `evidence.readers`.
        held: the documents of `arcferry data`; those of a kind that was handed in do not count.
        cloud: the cloud whose endpoints are meant.
        region: where the machines are to appear; without it only what the documents speak of is audited.
    """
    case = Case.of(evidence, held)
    spoken_of = destinations_of(case)
    rows = [row for facts in spoken_of for row in _rows_of(facts, region, case)]
    if region is not None:
        rows += _unspoken(spoken_of, cloud, region, case)
    rows.sort(key=lambda row: not row.required)
    sharpening = _would_sharpen(case)
    return Audit(cloud, region, tuple(rows), told(case), sharpening, judge(case.handed_in))


def _rows_of(facts: Destination, region: Region | None, case: Case) -> list[Row]:
    """One row for all addresses of which the same is to be said."""
    if not facts.coverages:
        expected = without_address(facts.endpoint, region, case)
        return [_row(facts, (), expected, without_routes(facts))]
    grouped: dict[tuple[Expected, Observed], list[tuple[str, Expected, Observed]]] = {}
    for coverage in facts.coverages:
        address = coverage.address
        pair = of_address(coverage, case), at_address(address, facts, case)
        grouped.setdefault(pair, []).append((address, *pair))
    return [_row_of_several(facts, alike) for alike in grouped.values()]


def _row_of_several(facts: Destination, alike: Sequence[tuple[str, Expected, Observed]]) -> Row:
    addresses, expected, observed = zip(*alike, strict=True)
    notes = tuple(dict.fromkeys(note for one in expected for note in one.notes))
    return _row(facts, addresses, replace(expected[0], notes=notes), merged(observed))


def _row(facts: Destination, addresses: tuple[str, ...], expected: Expected, observed: Observed) -> Row:
    answer = next((one for one in facts.answers if {*addresses} & {*one.addresses}), None)
    row = _compared(facts.host, facts.endpoint, expected, observed, required=facts.required)
    return replace(
        row,
        addresses=addresses,
        resolver=answer.resolver if answer else "",
        answered=answer.taken if answer else None,
    )


def _compared(
    host: str, endpoint: Endpoint | None, expected: Expected, observed: Observed, *, required: bool
) -> Row:
    compared = Compared(expected, observed)
    return Row(
        host=host,
        purpose=endpoint.purpose if endpoint else "",
        required=required,
        expected=expected,
        observed=observed,
        agrees=compared.agrees,
        path=_path(expected, observed),
        differences=differences(compared),
    )


def _unspoken(spoken_of: Sequence[Destination], cloud: Cloud, region: Region, case: Case) -> list[Row]:
    """The required endpoints that no document speaks of: what is expected by region alone."""
    known = {facts.host for facts in spoken_of}
    discovered = any(_is_regional_his(host) for host in known)
    return [
        _unspoken_row(endpoint, region, case)
        for endpoint in catalog.endpoints(cloud, region)
        if endpoint.host not in known and not (endpoint.discovered and discovered)
    ]


def _is_regional_his(host: str) -> bool:
    endpoint = catalog.endpoint_named(host) if host else None
    return endpoint is not None and endpoint.discovered


def _unspoken_row(endpoint: Endpoint, region: Region, case: Case) -> Row:
    expected = without_address(endpoint, region, case)
    observed = of_communities(expected.communities if expected.settled else (), case)
    return _compared(endpoint.host, endpoint, expected, observed, required=endpoint.required)


def _path(expected: Expected, observed: Observed) -> Path:
    there = observed.path if observed.path is not None else expected.path
    return Path.UNKNOWN if there is None else Path.THERE if there else Path.MISSING


def _would_sharpen(case: Case) -> tuple[str, ...]:
    lacks = list(case.lacks())
    if not case.circuits:
        lacks.append(Kind.CIRCUIT.value)
    if not case.attempts:
        lacks.append(Kind.ARCFERRY_CHECK.value)
    return tuple(lacks)
