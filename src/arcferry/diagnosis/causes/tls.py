"""TLS that does not come about although TCP connects, sessions that prove the wrong thing, wrong clocks."""

from datetime import MAXYEAR

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Evidence, Owner, Severity
from arcferry.diagnosis.rule import Line, Match, cause, failed_with, line
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage
from arcferry.times import to_text

_A_DAY = 86_400.0
"""Seconds of clock difference from which a certificate's dates say nothing about the certificate."""
_AN_HOUR = 3600
_NOTICED = 120.0
"""Seconds from which the agent itself complains (agent 1.29)."""
_BREAKING = 300.0
"""Seconds from which tokens are commonly refused."""
_PUBLIC_ISSUERS = ("microsoft", "digicert", "globalsign")
_REVOCATION_CODES = ("80092012", "80092013", "revocation_offline", "no_revocation_check")


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
