"""Connections that do not come about, or prove the wrong thing: TCP, TLS and its clocks, and proxies."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import MAXYEAR, date
from functools import partial

from arcferry.diagnosis.causes.coded import cause_of, words_told
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Evidence, Owner, Severity
from arcferry.diagnosis.rule import Line, Match, case_cause, cause, failed_with, line
from arcferry.evidence.case import Case, Kind
from arcferry.language import _
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Coverage, Verdict
from arcferry.routing.reception import Return, returns
from arcferry.times import to_text

_UNVALIDATED = (
    "not_configured", "configuring", "validation_needed", "validation_failed", "manual_validation_needed",
    "asn_validation_failed", "certificate_missing_in_routing_registry", "invalid_signature_encoding",
    "signature_verification_failed",
)  # fmt: skip
"""The states of an advertised prefix that Microsoft does not let in, in Azure's words (`validationState`)."""
_A_DAY = 86_400.0
"""Seconds of clock difference from which a certificate's dates say nothing about the certificate."""
_AN_HOUR = 3600
_NOTICED = 120.0
"""Seconds from which the agent itself complains (agent 1.29)."""
_BREAKING = 300.0
"""Seconds from which tokens are commonly refused."""
_PUBLIC_ISSUERS = ("microsoft", "digicert", "globalsign")
_NEVER_LEFT_THE_SERVER = ("proxy-authentication-required", "proxy-unreachable", "proxy-name-not-found")
_BEFORE_TLS = (Stage.DNS, Stage.TCP)
_UNSYNCHRONISED = "clock not synchronized"
_IS_BEFORE = re.compile(r"time (\d{4}-\d\d-\d\d)T\S{1,40}\sis\sbefore\s(\d{4}-\d\d-\d\d)T")
_A_MONTH = 30
"""Days by which no server shows a certificate too early: what makes its own on the way dates them today."""
_REVOCATION_CODES = ("80092012", "80092013", "revocation_offline", "no_revocation_check")

_tcp = partial(failed_with, owner=Owner.NETWORK, stage=Stage.TCP)
_tls = partial(failed_with, owner=Owner.NETWORK, stage=Stage.TLS)
_proxy = partial(failed_with, stage=Stage.PROXY, signature=lambda one: (one.proxy,))

# TCP: something on the way answers with a no, or nothing does.

refused = _tcp("tcp/refused", "refused")
reset = _tcp("tcp/reset", "reset")
unreachable = _tcp("tcp/unreachable", "unreachable", routed=True)

# In the handshake a later part of the answer arrived, and an earlier, larger one did not.
large_packets_lost = _tls(
    "tcp/large-packets-lost", "tls-gap", "large-packets-lost", evidence=lambda _: (line("", "gap"),)
)


def _not_validated(case: Case) -> Match | None:
    """What the circuit's document says of every prefix that is not validated; None if it says so of none."""
    sides = [
        (one.name, side) for one in case.circuits for side in (one.microsoft, one.microsoft_ipv6) if side
    ]
    found = [(name, prefix, state) for name, side in sides for prefix, state in side.unvalidated]
    if not found or any(side.advertised_prefixes and not side.unvalidated for _, side in sides):
        return None
    states = {state.lower() for _, _, state in found}
    return Match(
        Confidence.EXPECTED,
        tuple(dict.fromkeys(name for name, _, _ in found)),
        tuple(
            line(f"circuit {name}", "state", state=state, prefixes=(prefix,)) for name, prefix, state in found
        ),
        values={
            "prefixes": tuple(dict.fromkeys(prefix for _, prefix, _ in found if prefix)),
            **{f"is_{state}": state.replace("_", "") in states for state in _UNVALIDATED},
        },
    )


def _never_validated(case: Case) -> tuple[Match, ...]:
    """Told of a circuit alone, if nobody tried an endpoint."""
    match = _not_validated(case)
    return () if match is None or case.attempts else (match,)


@cause("tcp/nat-prefix-not-validated", Owner.NETWORK, routed=True, halts=True, of_case=_never_validated)
def nat_prefix_not_validated(destination: Destination, case: Case) -> Match | None:
    """The circuit's document says that an advertised prefix is not validated, and nothing answers."""
    match, coverage = _not_validated(case), destination.coverage
    if match is None or not destination.failed or not destination.may_be_routing or coverage.lacks_route:
        return None
    if destination.verdict not in (Verdict.CARRIED, Verdict.UNKNOWN) and not coverage.has_route:
        return None
    if _answers_come_back(destination) or destination.circuit_works:
        return None
    return replace(
        match,
        confidence=_confidence(destination),
        evidence=(*match.evidence, _table_line(destination)),
    )


@cause("tcp/asymmetric-return", Owner.NETWORK, routed=True, halts=True)
def asymmetric_return(destination: Destination, case: Case) -> Match | None:
    """Azure's own route table of the peering lacks the prefix that the circuit says is advertised."""
    if not _is_unanswered(destination) or _answers_come_back(destination):
        return None
    advertised = [
        prefix for one in case.circuits if one.microsoft for prefix in one.microsoft.advertised_prefixes
    ]
    answer = returns(advertised, case.route_tables)
    seen = Evidence.of_table(answer)
    if answer.answer is not Return.MISSING or seen is None:
        return None
    return Match(
        _confidence(destination),
        answer.missing,
        (seen, _table_line(destination)),
        values={"prefixes": answer.missing},
    )


def _denied(case: Case, addresses: Iterable[str]) -> Match | None:
    """What firewalls' own logs say of connections to these addresses; None if they say nothing of them."""
    wanted = {re.compile(rf"(?<![\d.]){re.escape(one)}(?![\d.])") for one in addresses if one}
    said = tuple(
        Evidence(seen.origin, seen.says, seen.taken)
        for seen in words_told(case)
        if cause_of(seen) == "tcp/filtered" and any(one.search(seen.says) for one in wanted)
    )
    return Match(signature=("log",), evidence=said, values={"by_log": True}) if said else None


@cause("tcp/filtered", Owner.NETWORK, routed=True)
def filtered(destination: Destination, case: Case) -> Match | None:
    """A firewall's log says so; or a route is seen, and another endpoint of the same way answers."""
    is_direct = destination.failed and not destination.proxied and destination.stage in (None, Stage.TCP)
    if is_direct and (told := _denied(case, (one.address for one in destination.coverages))):
        return told
    answering = _neighbours(destination)
    if not _is_unanswered(destination) or not answering or not destination.coverage.has_route:
        return None
    evidence = (_neighbour_line(answering), _table_line(destination))
    return Match(evidence=evidence, values={"by_log": False})


@cause("tcp/timeout-with-route", Owner.NETWORK, routed=True)
def timeout_with_route(destination: Destination, case: Case) -> Match | None:
    """A route is expected or seen, and nothing tells more."""
    coverage = destination.coverage
    if not _is_unanswered(destination):
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
    return destination.silent and destination.coverage.is_expected


def _answers_come_back(destination: Destination) -> bool:
    """Whether another endpoint that the circuit should carry answers, so that the way back works."""
    return any(one.reached and not one.proxied and one.coverage.is_expected for one in destination.beside)


def _confidence(destination: Destination) -> Confidence:
    return Confidence.OBSERVED if destination.coverage.has_route else Confidence.EXPECTED


def _table_line(destination: Destination) -> Line | Evidence:
    """What the router's table says, or that none was handed in."""
    return Evidence.of_table(destination.coverage.received) or line("", "no_table")


def _neighbours(destination: Destination) -> list[Destination]:
    """Endpoints that answer, behind the same community or the same route."""
    own = destination.coverage

    def is_alike(other: Coverage) -> bool:
        route, beside = own.received.route, other.received.route
        same_route = route is not None and beside is not None and beside.prefix == route.prefix
        return same_route or bool(set(own.allowed_by) & set(other.allowed_by))

    return [one for one in destination.beside if one.reached and not one.proxied and is_alike(one.coverage)]


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
    if not known or destination.stage is not Stage.TLS or destination.kind != "certificate-untrusted":
        return None
    return Match(Confidence.EXPECTED, ("root",), _certificate(destination))


def _certificate(destination: Destination) -> tuple[Line, ...]:
    """The certificate as evidence, where one was seen."""
    shown, latest = destination.tls, destination.latest
    if shown is None or latest is None:
        return ()
    # A certificate that cannot be read has the last year there is for its end.
    until = to_text(shown.not_after) if shown.not_after.year < MAXYEAR else ""
    values = {"host": destination.host, "of": shown.subject, "by": shown.issuer, "until": until}
    return (line(latest.origin, "certificate_until" if until else "certificate", **values),)


_shown = partial(_tls, signature=lambda one: (one.issuer,), evidence=_certificate)
# Any issuer that is not trusted, but for those of `untrusted_root`.
intercepted = _shown("tls/intercepted", "certificate-untrusted", "self-signed")
# The leaf's issuer was not sent, and is not known here.
incomplete_chain = _shown("tls/incomplete-chain", "incomplete-chain")
# Of a clock that is wrong by a day or more, `skew` tells before.
expired = _shown("tls/expired", "certificate-expired")


@cause("tls/not-yet-valid", Owner.NETWORK)
def not_yet_valid(destination: Destination, case: Case) -> Match | None:
    """Of a clock that is said to follow no time server, or that is a month behind, the server's owner."""
    if destination.stage is not Stage.TLS or destination.kind != "certificate-not-yet-valid":
        return None
    by_clock = tuple(
        Evidence(seen.origin, seen.says, seen.taken) for seen in case.codes if seen.code == _UNSYNCHRONISED
    )
    dates = _IS_BEFORE.search(destination.failure.says) if destination.failure else None
    behind = dates is not None and _days(dates[2]) - _days(dates[1]) > _A_MONTH
    return Match(
        signature=(destination.issuer,),
        evidence=(*_certificate(destination), *by_clock),
        owner=Owner.SERVER if by_clock or behind else None,
    )


name_mismatch = _shown("tls/name-mismatch", "name-mismatch")


@cause("tls/revocation-unreachable", Owner.NETWORK, of_case=_revocation_told)
def revocation_unreachable(destination: Destination, _: Case) -> Match | None:
    """Windows could not ask whether the certificate was revoked."""
    failure = destination.failure
    return Match() if failure and failure.stage is Stage.TLS and _is_offline(failure.says) else None


protocol_version = _tls("tls/protocol-version", "tls-protocol-version")
cipher_mismatch = _tls("tls/cipher-mismatch", "tls-cipher-mismatch")
connection_cut = _tls("tls/connection-cut", "tls-cut", "reset")
no_answer = _tls("tls/no-answer", "tls-timeout", "timeout")
handshake_failed = _tls("tls/handshake-failed")


def _is_offline(text: str) -> bool:
    return any(code in text.lower() for code in _REVOCATION_CODES)


def _days(day: str) -> int:
    try:
        return date.fromisoformat(day).toordinal()
    except ValueError:
        return 0


def _skewed(case: Case, origin: str) -> Match:
    severity = Severity.ERROR if abs(case.skew) > _BREAKING else Severity.WARNING
    seconds = abs(round(case.skew))
    if seconds < _AN_HOUR:
        amount = _("{count} s", count=seconds)
    elif seconds < _A_DAY:
        amount = _("{count} h", count=f"{seconds / _AN_HOUR:.1f}")
    else:
        amount = _("{count} d", count=f"{seconds // _A_DAY:.0f}")
    values = {"amount": amount, "direction": "ahead" if case.skew > 0 else "behind"}
    return Match(evidence=(line(origin, "skew", case.newest),), severity=severity, values=values)


# Proxies that stand in the way.

proxy_authentication_required = _proxy(
    "proxy/authentication-required", "proxy-authentication-required", owner=Owner.NETWORK
)
proxy_name_not_found = _proxy("proxy/name-not-found", "proxy-name-not-found", owner=Owner.SERVER)
proxy_unreachable = _proxy("proxy/unreachable", "proxy-unreachable", owner=Owner.SERVER)
not_a_proxy = _proxy("proxy/not-a-proxy", "proxy-not-http", "not-http", owner=Owner.SERVER)
proxy_cannot_reach = _proxy("proxy/cannot-reach", "proxy-cannot-reach", owner=Owner.NETWORK)
proxy_refused = _proxy("proxy/refused", owner=Owner.NETWORK)


@cause("proxy/bypass-missing", Owner.SERVER)
def bypass_missing(destination: Destination, _: Case) -> Match | None:
    """A private endpoint asked through a proxy, or a name that works without the proxy and not with it."""
    latest = destination.latest
    if not destination.failed or latest is None or not latest.proxied:
        return None
    direct = [seen for seen in destination.attempts if seen.reachable and not seen.proxied]
    private = any(one.verdict is Verdict.PRIVATE for one in destination.coverages) or any(
        seen.private for seen in destination.attempts
    )
    if destination.stage not in (None, Stage.PROXY, Stage.TCP) or not (private or direct):
        return None
    # A proxy that fails before it asks anybody says nothing of where the name should go.
    if destination.kind in _NEVER_LEFT_THE_SERVER and not direct:
        return None
    origin, key = (direct[0].origin, "direct") if direct else (latest.origin, "private")
    evidence = line(origin, key, host=destination.host)
    return Match(Confidence.EXPECTED, (destination.proxy,), (evidence,))


@cause("proxy/for-winhttp-alone", Owner.SERVER)
def proxy_of_winhttp_alone(destination: Destination, case: Case) -> Match | None:
    """A proxy is set for Windows' own services, the agent goes directly, and nothing is reached so."""
    servers = {state.winhttp_proxy: state for state in case.agents if state.winhttp_proxy}
    agents_own = any(state.proxy for state in case.agents) or any(seen.proxied for seen in case.attempts)
    if not servers or agents_own or not destination.failed or destination.stage not in (None, *_BEFORE_TLS):
        return None
    if any(one.reached for one in destination.beside):
        return None
    server, state = next(iter(servers.items()))
    seen = line(state.origin, "winhttp", state.taken, server=server)
    return Match(Confidence.EXPECTED, (server,), (seen,), values={"server": server})


@case_cause("proxy/credentials-in-url", Owner.SERVER, Severity.WARNING)
def credentials_in_url(case: Case) -> tuple[Match, ...]:
    """A user and a password in the URL of the agent's proxy."""
    found = [line(one.origin, "credentials", one.taken) for one in case.agents if one.proxy_credentials]
    return (Match(evidence=tuple(found)),) if found else ()
