"""What the evidence shows to be in order, so that nobody has to ask for it again, and by what it is shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Diagnosis
from arcferry.diagnosis.names import community_name, listed
from arcferry.diagnosis.words import family, filled
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage
from arcferry.times import at_midnight

_AFTER_TCP = (Stage.TLS, Stage.HTTP)
_GOOD_CLOCK = 60.0
_MOST = 6


@dataclass(frozen=True, slots=True)
class RuledOut:
    """One thing that is in order, and the document that shows it."""

    says: str
    by: str
    taken: datetime | None = None


def ruled_out(diagnosis: Diagnosis, endpoints: Sequence[Destination]) -> tuple[RuledOut, ...]:
    """Everything that is shown to be in order; nothing that a finding blames."""
    blamed = tuple(one.cause for one in diagnosis.findings)
    found = [
        one
        for blames, of in _LOOKED_AT
        if not any(cause.startswith(blames) for cause in blamed)
        for one in of(diagnosis.case, endpoints)
    ]
    return tuple(dict.fromkeys(found))


def _says(key: str, **values: str) -> str:
    return filled(family("support")["ruled_out"][key], values.__getitem__)


def _name(_case: Case, endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in endpoints:
        if one.failed and one.stage not in (None, Stage.DNS):
            for answer in one.answers[:1]:
                if answer.addresses:
                    says = _says("name", host=one.host, address=listed(answer.addresses))
                    yield RuledOut(says, answer.origin, answer.taken)


def _connection(_case: Case, endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in endpoints:
        if one.failed and one.latest and one.latest.address and one.stage in _AFTER_TCP:
            says = _says("connection", host=one.host, address=one.latest.address)
            yield RuledOut(says, one.latest.origin, one.latest.taken)


def _received(_case: Case, endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in endpoints:
        seen = one.coverage
        if one.failed and seen.has_route and seen.received.table:
            table = seen.received.table
            yield RuledOut(_says("received", host=one.host, says=seen.received.says), table.name, table.taken)


def _filter(_case: Case, endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in endpoints:
        seen = one.coverage
        if one.failed and seen.allowed_by and seen.route_filter:
            allowing = seen.route_filter
            told = {"host": one.host, "filter": allowing.name, "address": seen.address}
            says = _says("filter", **told, community=community_name(seen.allowed_by[0]))
            yield RuledOut(says, allowing.origin, at_midnight(allowing.taken))


def _circuit(case: Case, _endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in case.circuits:
        peering = one.microsoft
        if peering and (one.provisioning.lower(), peering.state.lower()) == ("provisioned", "enabled"):
            yield RuledOut(_says("circuit", circuit=one.name), one.origin)


def _prefixes(case: Case, _endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in case.circuits:
        peering = one.microsoft
        if peering and peering.advertised_prefixes and not peering.unvalidated:
            told = {prefix for prefix, state in peering.validations if state}
            if peering.advertised_state or told.issuperset(peering.advertised_prefixes):
                says = _says("prefixes", circuit=one.name, prefixes=listed(peering.advertised_prefixes))
                yield RuledOut(says, one.origin)


def _sessions(case: Case, _endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    seen = case.microsoft_sessions
    if seen and all(session.is_up for _, session in seen):
        peers = listed([session.peer for _, session in seen])
        yield RuledOut(_says("sessions", peers=peers), seen[0][0].name, seen[0][0].taken)


def _others(_case: Case, endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    failed = {seen.origin for one in endpoints if one.failed for seen in one.attempts}
    for origin in sorted(failed):
        good = [one for one in endpoints if one.reached and one.latest and one.latest.origin == origin]
        if good:
            hosts = listed([one.host for one in good], _MOST)
            latest = good[0].latest
            says = _says("others", count=str(len(good)), hosts=hosts)
            yield RuledOut(says, origin, latest.taken if latest else None)


def _clock(case: Case, _endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    measured = [seen for seen in case.attempts if seen.clock_skew is not None]
    if measured and abs(case.skew) < _GOOD_CLOCK:
        says = _says("clock", seconds=f"{case.skew:.0f}")
        yield RuledOut(says, measured[0].origin, measured[0].taken)


def _inspection(_case: Case, endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in endpoints:
        if one.reached and one.latest and one.tls and one.tls.public_root:
            says = _says("inspection", host=one.host, issuer=one.issuer)
            yield RuledOut(says, one.latest.origin, one.latest.taken)
            return


def _agent(case: Case, _endpoints: Sequence[Destination]) -> Iterator[RuledOut]:
    for one in case.agents:
        if one.services and all(state.lower() == "running" for _, state in one.services):
            services = listed([f"{name} {state}" for name, state in one.services])
            yield RuledOut(_says("agent", services=services), one.origin, one.taken)


_LookAt = Callable[[Case, Sequence[Destination]], Iterator[RuledOut]]
_LOOKED_AT: tuple[tuple[tuple[str, ...], _LookAt], ...] = (
    (("dns/", "proxy/"), _name),
    (("tcp/",), _connection),
    (("route/",), _received),
    (("route/",), _filter),
    (("route/peering-down", "route/no-route-filter", "route/session"), _circuit),
    (("tcp/nat-prefix-not-validated", "tcp/asymmetric-return"), _prefixes),
    (("route/session", "route/peering-down"), _sessions),
    (("proxy/", "dns/", "path/"), _others),
    (("clock/",), _clock),
    (("tls/", "risk/inspected", "proxy/"), _inspection),
    (("agent/", "his/"), _agent),
)
"""Each with the beginnings of the causes that blame just that."""
