"""What a support request to Microsoft tells beside the findings: symptoms, documents, and one question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arcferry import catalog
from arcferry.catalog import Cloud, Steering
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.finding import Confidence, Diagnosis, Finding, Severity
from arcferry.diagnosis.names import community_name, region_name
from arcferry.diagnosis.ruled_out import RuledOut, ruled_out
from arcferry.diagnosis.since import Comparison
from arcferry.diagnosis.words import family, filled
from arcferry.probe.observation import Attempt
from arcferry.text import one_line

_MOST_DOCUMENTS = 12
_OF_THE_PATH = ("route/", "tcp/", "risk/", "dns/")
_OTHER_WAYS = ("private-link", "explicit-proxy")


@dataclass(frozen=True, slots=True)
class Symptom:
    """An endpoint that is not reached, and between which instants that was seen."""

    host: str
    address: str
    says: str
    origins: tuple[str, ...]
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """What a document of Microsoft's says, and which one of what day."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Support:
    """Everything that a support request tells.

    Attributes:
        endpoints: every one that the evidence speaks of.
        changes: since a day on which all was well; None where none was handed in.
        speak_for: what Microsoft's documents say for it that this should work.
        speak_against: what they say against it.
        notes: what arcferry's catalogue says of the path besides; their sources stand in them.
        question: the one question for the product group; empty without a finding.
    """

    diagnosis: Diagnosis
    endpoints: tuple[Destination, ...]
    symptoms: tuple[Symptom, ...]
    ruled_out: tuple[RuledOut, ...]
    changes: Comparison | None
    speak_for: tuple[Said, ...]
    speak_against: tuple[Said, ...]
    notes: tuple[str, ...]
    question: str

    @property
    def gravest(self) -> Finding | None:
        """The finding that it is about."""
        return next(iter(self.diagnosis.findings), None)


def support(diagnosis: Diagnosis, cloud: Cloud, changes: Comparison | None = None) -> Support:
    """What there is to tell.

    Args:
        diagnosis: what was found.
        cloud: the machines' cloud.
        changes: since all was well.
    """
    endpoints = destinations_of(diagnosis.case)
    by_path = _is_of_the_path(diagnosis)
    return Support(
        diagnosis=diagnosis,
        endpoints=endpoints,
        symptoms=tuple(_symptoms(diagnosis, endpoints)),
        ruled_out=ruled_out(diagnosis, endpoints),
        changes=changes,
        speak_for=tuple(dict.fromkeys(_for(diagnosis, by_path=by_path))),
        speak_against=tuple(_against(diagnosis, cloud)) if by_path else (),
        notes=_notes(cloud) if by_path else (),
        question=_question(diagnosis),
    )


def _is_of_the_path(diagnosis: Diagnosis) -> bool:
    """Whether ExpressRoute comes into it: by a finding, or by a circuit, filter or table that is at hand."""
    case = diagnosis.case
    found = any(one.cause.startswith(_OF_THE_PATH) for one in diagnosis.findings)
    return found or bool(case.circuits or case.filters or case.route_tables)


def _symptoms(diagnosis: Diagnosis, endpoints: Sequence[Destination]) -> Iterator[Symptom]:
    """What fails, and what failed on one server and is reached from another."""
    errors = (one for one in diagnosis.findings if one.severity is Severity.ERROR)
    blamed = {affected.host for one in errors for affected in one.endpoints}
    for one in endpoints:
        failed = [seen for seen in one.attempts if not seen.reachable]
        if failed and (one.failed or one.host in blamed):
            yield _symptom(one.host, failed)


def _symptom(host: str, failed: Sequence[Attempt]) -> Symptom:
    taken = sorted(seen.taken for seen in failed if seen.taken)
    latest = max(
        failed, key=lambda seen: (seen.failure is not None, seen.taken.timestamp() if seen.taken else 0)
    )
    kind, said = "not reached", ""
    if latest.failure:
        kind, said = f"{latest.failure.stage.value} {latest.failure.kind}", latest.failure.says
    return Symptom(
        host,
        latest.address,
        f"{kind}: {one_line(said)}" if said else kind,
        tuple(dict.fromkeys(seen.origin for seen in failed)),
        taken[0] if taken else None,
        taken[-1] if taken else None,
    )


def _words(key: str, **values: str) -> str:
    return filled(family("support")["documents"][key], values.__getitem__)


def _for(diagnosis: Diagnosis, *, by_path: bool) -> Iterator[Said]:
    """What says that these names belong to Azure Arc, and how this path carries them."""
    affected = [one for finding in diagnosis.findings for one in finding.endpoints][:_MOST_DOCUMENTS]
    for one in affected:
        if found := catalog.endpoint_named(one.host):
            yield Said(_words("endpoint", host=one.host, purpose=found.purpose), str(found.source))
    for one in affected:
        if known := catalog.community(one.community):
            yield Said(_words("community", community=community_name(known.value)), known.source)
    for seen in diagnosis.case.codes[:_MOST_DOCUMENTS]:
        if code := catalog.known_code(seen.code):
            yield Said(_words("code", code=code.title, meaning=code.meaning), code.source)
    if by_path:
        peering = next(one for one in catalog.alternatives() if one.name == "peering")
        yield Said(_words("peering", says=peering.says), str(peering.source))


def _against(diagnosis: Diagnosis, cloud: Cloud) -> Iterator[Said]:
    """What says that this path is not the one that Microsoft means, or not enough."""
    ways = {one.name: one for one in catalog.alternatives() if one.is_offered_in(cloud)}
    peering = ways.pop("peering")
    hosts = [one.host for finding in diagnosis.findings for one in finding.endpoints]
    if host := next(filter(_is_steered, hosts), ""):
        yield Said(_words("steered", host=host), str(peering.source))
    for name in _OTHER_WAYS:
        if way := ways.get(name):
            told = {"title": way.title, "stage": way.stage, "internet": way.internet, "says": way.says}
            yield Said(_words("other_way", **told), str(way.source))


def _notes(cloud: Cloud) -> tuple[str, ...]:
    peering = next(one for one in catalog.alternatives() if one.name == "peering")
    unmentioned = _words("unmentioned", title=peering.title, stage=peering.stage)
    first, rest = (catalog.peering_notes(cloud, (), first=first) for first in (True, False))
    return (*first, unmentioned, *rest)


def _question(diagnosis: Diagnosis) -> str:
    finding = next(iter(diagnosis.findings), None)
    if finding is None:
        return ""
    steered = next((one for one in finding.endpoints if one.region and _is_steered(one.host)), None)
    one = steered or next(iter(finding.endpoints), None)
    rows: Sequence[dict[str, Any]] = family("support")["questions"]
    fits = {
        "steered": steered is not None,
        "edge": one is not None and _is_at_the_edge(one.host),
        "open": finding.confidence is Confidence.UNDETERMINED,
    }
    row = next(
        row
        for row in rows
        if finding.cause.startswith(tuple(row["causes"]))
        and all(met for name, met in fits.items() if row.get(name, False))
    )
    values = {
        "host": one.host if one else "",
        "address": one.address if one else "",
        "region": region_name(one.region) if one else "",
        "location": diagnosis.case.location or "any region",
        "owner": finding.owner.value,
        "title": one_line(finding.title),
    }
    # A finding of a whole circuit or server names no endpoint.
    row = row if one or "{host}" not in row["text"] else rows[-1]
    return filled(row["text"], values.__getitem__).replace(" ()", "")


def _is_steered(host: str) -> bool:
    found = catalog.endpoint_named(host)
    return found is not None and found.steering is Steering.TRAFFIC_MANAGER


def _is_at_the_edge(host: str) -> bool:
    found = catalog.endpoint_named(host)
    return found is not None and found.at_the_edge
