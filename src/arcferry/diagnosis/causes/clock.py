"""Clocks that are wrong enough to break certificates and tokens."""

from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.certificate import A_DAY, is_about_time
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.wording import letter
from arcferry.evidence.case import Case

NOTICED = 120.0
"""Seconds from which the agent itself complains (agent 1.29)."""
BREAKING = 300.0
"""Seconds from which tokens are commonly refused."""
_AN_HOUR = 3600


def _match(case: Case, origin: str) -> Match:
    severity = Severity.ERROR if abs(case.skew) > BREAKING else Severity.WARNING
    says = f"the clock is {_in_words(case.skew)} the endpoints' own"
    return Match(evidence=(Evidence(origin, says, case.newest),), severity=severity)


def _explains(facts: Destination, case: Case) -> Match | None:
    """Certificates that seem out of date because the clock is."""
    if not is_about_time(facts) or abs(case.skew) <= A_DAY:
        return None
    return _match(case, facts.latest.origin if facts.latest else "")


def _skewed(case: Case) -> tuple[Match, ...]:
    """The server's clock, by the endpoints that answered; no endpoint is at fault."""
    measured = [seen for seen in case.attempts if seen.clock_skew is not None]
    if not measured or abs(case.skew) <= NOTICED:
        return ()
    return (_match(case, measured[0].origin),)


def _in_words(skew: float) -> str:
    seconds = abs(round(skew))
    amount = (
        f"{seconds} s"
        if seconds < _AN_HOUR
        else f"{seconds / _AN_HOUR:.1f} h"
        if seconds < A_DAY
        else f"{seconds // 86400} d"
    )
    return f"{amount} {'ahead of' if skew > 0 else 'behind'}"


def _set(group: Group) -> Remedy:
    return Remedy(
        summary=f"Set the clock: it is {_in_words(group.case.skew)} Azure's.",
        steps=(
            "Point the server at a time source inside the company; Microsoft peering does not carry NTP.",
            (
                "From about five minutes on, sign-in tokens are refused; from days on, certificates seem "
                "expired."
            ),
        ),
        commands=(
            Command("powershell", "w32tm /resync /rediscover; w32tm /query /status"),
            Command("sh", "chronyc makestep; timedatectl"),
        ),
        request=letter(
            "Time: the Arc servers' clock is wrong",
            [
                (
                    f"The clock is {_in_words(group.case.skew)} Azure's. Which time source shall these "
                    "servers use?"
                )
            ],
        ),
    )


SKEW = Cause(
    slug="clock/skew",
    title="The server's clock differs from Azure's",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_explains,
    concerns=_skewed,
    headline=lambda group: f"The clock is {_in_words(group.case.skew)} Azure's",
    remedy=_set,
)

FAMILY = (SKEW,)
