"""Connections that something on the way answers with a no, and those that get no answer at all."""

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Evidence, Owner
from arcferry.diagnosis.rule import Line, Match, cause, failed_with, line
from arcferry.evidence.case import Case
from arcferry.evidence.document import Kind
from arcferry.probe.observation import Stage
from arcferry.routing.reception import Return, returns

_VALIDATED = ("", "configured")

refused = failed_with("tcp/refused", Owner.NETWORK, Stage.TCP, "refused")
reset = failed_with("tcp/reset", Owner.NETWORK, Stage.TCP, "reset")
unreachable = failed_with("tcp/unreachable", Owner.NETWORK, Stage.TCP, "unreachable", routed=True)


@cause("tcp/large-packets-lost", Owner.NETWORK)
def large_packets_lost(destination: Destination, _: Case) -> Match | None:
    """In the handshake a later part of the answer arrived, and an earlier, larger one did not."""
    if destination.stage is not Stage.TLS or destination.kind not in ("tls-gap", "large-packets-lost"):
        return None
    return Match(evidence=(line("", "gap"),))


@cause("tcp/nat-prefix-not-validated", Owner.NETWORK, routed=True)
def nat_prefix_not_validated(destination: Destination, case: Case) -> Match | None:
    """The circuit's document says that the advertised prefix is not validated, and nothing answers."""
    found = [(one.name, one.microsoft) for one in case.circuits if one.microsoft]
    if not found or not _is_unanswered(destination) or _answers_come_back(destination):
        return None
    if any(peering.advertised_state.lower() in _VALIDATED for _, peering in found):
        return None
    evidence = [
        line(f"circuit {name}", "state", state=peering.advertised_state, prefixes=peering.advertised_prefixes)
        for name, peering in found
    ]
    prefixes = dict.fromkeys(prefix for _, peering in found for prefix in peering.advertised_prefixes)
    return Match(
        _confidence(destination),
        tuple(name for name, _ in found),
        (*evidence, _table_line(destination)),
        values={"prefixes": tuple(prefixes)},
    )


@cause("tcp/asymmetric-return", Owner.NETWORK, routed=True)
def asymmetric_return(destination: Destination, case: Case) -> Match | None:
    """Azure's own route table of the peering lacks the prefix that the circuit says is advertised."""
    if not _is_unanswered(destination) or _answers_come_back(destination):
        return None
    advertised = [
        prefix for one in case.circuits if one.microsoft for prefix in one.microsoft.advertised_prefixes
    ]
    answer = returns(advertised, case.route_tables)
    if answer.answer is not Return.MISSING or answer.table is None:
        return None
    seen = Evidence(answer.table.name, answer.says, answer.table.taken)
    return Match(
        _confidence(destination),
        answer.missing,
        (seen, _table_line(destination)),
        values={"prefixes": answer.missing},
    )


@cause("tcp/filtered", Owner.NETWORK, routed=True)
def filtered(destination: Destination, _: Case) -> Match | None:
    """A route is seen, and another endpoint behind the same route or community answers."""
    answering = _neighbours(destination)
    if not _is_unanswered(destination) or not answering or not destination.has_route:
        return None
    return Match(evidence=(_neighbour_line(answering), _table_line(destination)))


@cause("tcp/timeout-with-route", Owner.NETWORK, routed=True)
def timeout_with_route(destination: Destination, case: Case) -> Match | None:
    """A route is expected or seen, and nothing tells more."""
    coverage = destination.coverage
    if not _is_unanswered(destination) or coverage is None:
        return None
    evidence = [_table_line(destination)]
    if answering := _neighbours(destination):
        evidence.append(_neighbour_line(answering))
    wanted = [] if coverage.received.table else [Kind.RECEIVED_ROUTES.value]
    wanted += [] if case.circuits else [Kind.CIRCUIT.value]
    return Match(
        _confidence(destination),
        (coverage.community,),
        tuple(evidence),
        () if coverage.has_route else tuple(wanted),
        values={"way": "route" if coverage.has_route else "community" if coverage.community else "filter"},
    )


def _is_unanswered(destination: Destination) -> bool:
    """Whether packets should find their way there, and nothing comes back."""
    return destination.silent and destination.coverage is not None and destination.coverage.is_expected


def _answers_come_back(destination: Destination) -> bool:
    """Whether another endpoint that the circuit should carry answers, so that the way back works."""
    return any(
        one.reached and not one.proxied and one.coverage is not None and one.coverage.is_expected
        for one in destination.beside
    )


def _confidence(destination: Destination) -> Confidence:
    return Confidence.OBSERVED if destination.has_route else Confidence.EXPECTED


def _table_line(destination: Destination) -> Line | Evidence:
    """What the router's table says, or that none was handed in."""
    received = destination.coverage.received if destination.coverage else None
    if received is None or received.table is None:
        return line("", "no_table")
    return Evidence(received.table.name, received.says, received.table.taken)


def _neighbours(destination: Destination) -> list[Destination]:
    """Endpoints that answer, behind the same community or the same route."""
    own = destination.coverage
    if own is None:
        return []

    def is_alike(one: Destination) -> bool:
        if not one.reached or one.proxied or one.coverage is None:
            return False
        route, other = own.received.route, one.coverage.received.route
        same_route = route is not None and other is not None and other.prefix == route.prefix
        return same_route or bool(set(own.allowed_by) & set(one.coverage.allowed_by))

    return [one for one in destination.beside if is_alike(one)]


def _neighbour_line(answering: list[Destination]) -> Line:
    latest = answering[0].latest
    return line(latest.origin if latest else "", "neighbours", hosts=tuple(one.host for one in answering))
