"""Connections that do not come about, or prove the wrong thing: TCP, TLS, and the clocks that TLS goes by."""

from datetime import MAXYEAR

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Evidence, Owner, Severity
from arcferry.diagnosis.rule import Line, Match, cause, failed_with, line
from arcferry.evidence.case import Case, Kind
from arcferry.probe.observation import Stage
from arcferry.routing.reception import Return, returns
from arcferry.times import to_text

_VALIDATED = ("", "configured")
_A_DAY = 86_400.0
"""Seconds of clock difference from which a certificate's dates say nothing about the certificate."""
_AN_HOUR = 3600
_NOTICED = 120.0
"""Seconds from which the agent itself complains (agent 1.29)."""
_BREAKING = 300.0
"""Seconds from which tokens are commonly refused."""
_PUBLIC_ISSUERS = ("microsoft", "digicert", "globalsign")
_REVOCATION_CODES = ("80092012", "80092013", "revocation_offline", "no_revocation_check")

# TCP: something on the way answers with a no, or nothing does.

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


# TLS, and clocks.


def _measured(case: Case) -> tuple[Match, ...]:
    """The server's clock, by the endpoints that answered; no endpoint is at fault."""
    measured = [seen for seen in case.attempts if seen.clock_skew is not None]
    return (_skewed(case, measured[0].origin),) if measured and abs(case.skew) > _NOTICED else ()


@cause("clock/skew", Owner.SERVER, of_case=_measured)
def skew(destination: Destination, case: Case) -> Match | None:
    """Certificates that seem out of date because the clock is."""
    about_time = destination.kind in ("certificate-expired", "certificate-not-yet-valid")
    if not about_time or abs(case.skew) <= _A_DAY:
        return None
    return _skewed(case, destination.latest.origin if destination.latest else "")


def _revocation_told(case: Case) -> tuple[Match, ...]:
    told = [
        Evidence(code.origin, f"{code.code}: {code.says}".rstrip(": "), code.taken)
        for code in case.codes
        if _is_offline(f"{code.code} {code.says}")
    ]
    return (Match(evidence=tuple(told)),) if told else ()


@cause("tls/untrusted-root", Owner.SERVER)
def untrusted_root(destination: Destination, _: Case) -> Match | None:
    """An issuer of Azure's own name that is not trusted: likely a missing root; a name proves nothing."""
    known = any(name in destination.issuer.lower() for name in _PUBLIC_ISSUERS)
    if not known or not _failed(destination, "certificate-untrusted"):
        return None
    return Match(Confidence.EXPECTED, ("root",), _certificate(destination))


@cause("tls/intercepted", Owner.NETWORK)
def intercepted(destination: Destination, _: Case) -> Match | None:
    """Any other issuer that is not trusted."""
    return _shown(destination, "certificate-untrusted", "self-signed")


@cause("tls/incomplete-chain", Owner.NETWORK)
def incomplete_chain(destination: Destination, _: Case) -> Match | None:
    """The leaf's issuer was not sent, and is not known here."""
    return _shown(destination, "incomplete-chain")


@cause("tls/expired", Owner.NETWORK)
def expired(destination: Destination, case: Case) -> Match | None:
    """The certificate has ended, by a clock that is right."""
    return None if abs(case.skew) > _A_DAY else _shown(destination, "certificate-expired")


@cause("tls/not-yet-valid", Owner.NETWORK)
def not_yet_valid(destination: Destination, case: Case) -> Match | None:
    """The certificate begins later, by a clock that is right."""
    return None if abs(case.skew) > _A_DAY else _shown(destination, "certificate-not-yet-valid")


@cause("tls/name-mismatch", Owner.NETWORK)
def name_mismatch(destination: Destination, _: Case) -> Match | None:
    """The certificate is for another name."""
    return _shown(destination, "name-mismatch")


@cause("tls/revocation-unreachable", Owner.NETWORK, of_case=_revocation_told)
def revocation_unreachable(destination: Destination, _: Case) -> Match | None:
    """Windows could not ask whether the certificate was revoked."""
    failure = destination.failure
    return Match() if failure and _failed(destination) and _is_offline(failure.says) else None


protocol_version = failed_with("tls/protocol-version", Owner.NETWORK, Stage.TLS, "tls-protocol-version")
cipher_mismatch = failed_with("tls/cipher-mismatch", Owner.NETWORK, Stage.TLS, "tls-cipher-mismatch")
connection_cut = failed_with("tls/connection-cut", Owner.NETWORK, Stage.TLS, "tls-cut", "reset")
no_answer = failed_with("tls/no-answer", Owner.NETWORK, Stage.TLS, "tls-timeout", "timeout")
handshake_failed = failed_with("tls/handshake-failed", Owner.NETWORK, Stage.TLS)


def _failed(destination: Destination, *kinds: str) -> bool:
    """Whether TLS failed in one of these ways; in any way if none is named."""
    return destination.stage is Stage.TLS and (not kinds or destination.kind in kinds)


def _shown(destination: Destination, *kinds: str) -> Match | None:
    """A match for each issuer, with the certificate as evidence."""
    if not _failed(destination, *kinds):
        return None
    return Match(signature=(destination.issuer,), evidence=_certificate(destination))


def _certificate(destination: Destination) -> tuple[Line, ...]:
    shown, latest = destination.tls, destination.latest
    if shown is None or latest is None:
        return ()
    # A certificate that cannot be read has the last year there is for its end.
    until = to_text(shown.not_after) if shown.not_after.year < MAXYEAR else ""
    values = {"host": destination.host, "of": shown.subject, "by": shown.issuer, "until": until}
    return (line(latest.origin, "certificate_until" if until else "certificate", **values),)


def _is_offline(text: str) -> bool:
    return any(code in text.lower() for code in _REVOCATION_CODES)


def _skewed(case: Case, origin: str) -> Match:
    severity = Severity.ERROR if abs(case.skew) > _BREAKING else Severity.WARNING
    seconds = abs(round(case.skew))
    amount = f"{seconds} s" if seconds < _AN_HOUR else f"{seconds / _AN_HOUR:.1f} h"
    if seconds >= _A_DAY:
        amount = f"{seconds // 86400} d"
    values = {"amount": amount, "direction": "ahead" if case.skew > 0 else "behind"}
    return Match(evidence=(line(origin, "skew", case.newest),), severity=severity, values=values)
