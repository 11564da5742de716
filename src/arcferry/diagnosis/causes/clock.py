"""Clocks that are wrong enough to break certificates and tokens."""

from arcferry.diagnosis.causes.tls import A_DAY
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Owner, Severity
from arcferry.diagnosis.rule import Match, cause, line
from arcferry.evidence.case import Case

_NOTICED = 120.0
"""Seconds from which the agent itself complains (agent 1.29)."""
_BREAKING = 300.0
"""Seconds from which tokens are commonly refused."""
_AN_HOUR = 3600
_ABOUT_TIME = ("certificate-expired", "certificate-not-yet-valid")


def _measured(case: Case) -> tuple[Match, ...]:
    """The server's clock, by the endpoints that answered; no endpoint is at fault."""
    measured = [seen for seen in case.attempts if seen.clock_skew is not None]
    return (_match(case, measured[0].origin),) if measured and abs(case.skew) > _NOTICED else ()


@cause("clock/skew", Owner.SERVER, of_case=_measured)
def skew(destination: Destination, case: Case) -> Match | None:
    """Certificates that seem out of date because the clock is."""
    if destination.kind not in _ABOUT_TIME or abs(case.skew) <= A_DAY:
        return None
    return _match(case, destination.latest.origin if destination.latest else "")


FAMILY = (skew,)


def _match(case: Case, origin: str) -> Match:
    severity = Severity.ERROR if abs(case.skew) > _BREAKING else Severity.WARNING
    values = {"amount": _amount(case.skew), "direction": "ahead" if case.skew > 0 else "behind"}
    return Match(evidence=(line(origin, "skew", case.newest),), severity=severity, values=values)


def _amount(skew: float) -> str:
    seconds = abs(round(skew))
    if seconds < _AN_HOUR:
        return f"{seconds} s"
    return f"{seconds / _AN_HOUR:.1f} h" if seconds < A_DAY else f"{seconds // 86400} d"
