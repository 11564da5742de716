"""Endpoints that fail without it being clear where, and answers that are not what they should be."""

from arcferry.diagnosis.causes.coded import words_told
from arcferry.diagnosis.destination import Destination, destinations_of
from arcferry.diagnosis.finding import Confidence, Owner
from arcferry.diagnosis.rule import Line, Match, cause, failed_with, line
from arcferry.evidence.case import NETWORK_ERROR, Case, Kind
from arcferry.probe.observation import Stage

_NETWORK_HAS = frozenset(
    {Kind.ROUTE_FILTER, Kind.COMMUNITY_LIST, Kind.RECEIVED_ROUTES, Kind.AZURE_ROUTES, Kind.CIRCUIT}
)
"""What comes from routers and circuits, so that the network team can be asked for it; the rest is had on the
servers, or anywhere with a connection."""


def undetermined(wanted: tuple[str, ...], evidence: tuple[Line, ...] = ()) -> Match:
    """A match that says which evidence would decide, and who has it.

    The network team has the first say if any of it is theirs to give, else the server's own.
    """
    of_network = tuple(kind for kind in wanted if kind in _NETWORK_HAS)
    return Match(
        Confidence.UNDETERMINED,
        signature=wanted,
        evidence=evidence,
        would_decide=wanted,
        owner=Owner.NETWORK if of_network else Owner.SERVER,
        values={"asked_of_network": of_network},
    )


def _unnamed(case: Case) -> tuple[Match, ...]:
    """A network error of the agent whose endpoints nothing names."""
    seen = next((code for code in case.codes if code.code == NETWORK_ERROR and not code.hosts), None)
    if seen is None or words_told(case) or any(one.failed for one in destinations_of(case)):
        return ()
    ended = line(seen.origin, "ended", seen.taken, said=seen.with_words)
    return (undetermined(("agent-check", *case.lacks()), (ended,)),)


@cause("path/endpoint-unreachable", Owner.NETWORK, routed=True, of_case=_unnamed)
def endpoint_unreachable(destination: Destination, case: Case) -> Match | None:
    """Whatever fails and no other cause explains."""
    return undetermined(_lacking(destination, case)) if destination.failed else None


discovery_failed = failed_with("path/discovery-failed", "discovery-failed", owner=Owner.NETWORK, stage=None)
captive_page = failed_with("path/captive-page", "captive-page", owner=Owner.NETWORK, stage=None)


@cause("path/no-http-answer", Owner.NETWORK)
def no_http_answer(destination: Destination, _: Case) -> Match | None:
    """TLS came about, and what followed was no HTTP answer."""
    if destination.stage is not Stage.HTTP or destination.kind.startswith("http-"):
        return None
    return Match(evidence=(line("", "behind_tls"),))


def _lacking(destination: Destination, case: Case) -> tuple[str, ...]:
    """The evidence that would tell why this endpoint failed, the most telling first."""
    routing = () if destination.proxied else case.lacks(destination.host)
    coverage = destination.coverage
    undecided = coverage.conflicts or coverage.is_in_an_unnamed_region
    if undecided and not destination.proxied and Kind.COMMUNITY_LIST.value not in routing:
        routing = (Kind.COMMUNITY_LIST.value, *routing)
    staged = destination.failure is not None or any(seen.failure for seen in destination.attempts)
    return routing if staged and routing else (*routing, Kind.ARCFERRY_CHECK.value)
