"""TLS that does not come about although TCP connects, and sessions that prove the wrong thing."""

from datetime import MAXYEAR

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Evidence, Owner
from arcferry.diagnosis.rule import Line, Match, cause, failed_with, line
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage
from arcferry.times import to_text

A_DAY = 86_400.0
"""Seconds of clock difference from which a certificate's dates say nothing about the certificate."""
_PUBLIC_ISSUERS = ("microsoft", "digicert", "globalsign")
_REVOCATION_CODES = ("80092012", "80092013", "revocation_offline", "no_revocation_check")


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
    issuer = destination.issuer.lower()
    if not _failed(destination, "certificate-untrusted"):
        return None
    if not any(name in issuer for name in _PUBLIC_ISSUERS):
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
    return None if abs(case.skew) > A_DAY else _shown(destination, "certificate-expired")


@cause("tls/not-yet-valid", Owner.NETWORK)
def not_yet_valid(destination: Destination, case: Case) -> Match | None:
    """The certificate begins later, by a clock that is right."""
    return None if abs(case.skew) > A_DAY else _shown(destination, "certificate-not-yet-valid")


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

FAMILY = (
    intercepted,
    untrusted_root,
    incomplete_chain,
    expired,
    not_yet_valid,
    name_mismatch,
    revocation_unreachable,
    protocol_version,
    cipher_mismatch,
    connection_cut,
    no_answer,
    handshake_failed,
)


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
