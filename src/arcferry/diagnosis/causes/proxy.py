"""Proxies that stand in the way."""

from functools import partial
from operator import attrgetter

from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Confidence, Owner, Severity
from arcferry.diagnosis.rule import Match, case_cause, cause, failed_with, line
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict

_NEVER_LEFT_THE_SERVER = ("proxy-authentication-required", "proxy-unreachable", "proxy-name-not-found")


_failed = partial(failed_with, by=attrgetter("proxy"))

authentication_required = _failed(
    "proxy/authentication-required", Owner.NETWORK, Stage.PROXY, "proxy-authentication-required"
)
name_not_found = _failed("proxy/name-not-found", Owner.SERVER, Stage.PROXY, "proxy-name-not-found")
unreachable = _failed("proxy/unreachable", Owner.SERVER, Stage.PROXY, "proxy-unreachable")
not_a_proxy = _failed("proxy/not-a-proxy", Owner.SERVER, Stage.PROXY, "proxy-not-http", "not-http")
cannot_reach = _failed("proxy/cannot-reach", Owner.NETWORK, Stage.PROXY, "proxy-cannot-reach")
refused = _failed("proxy/refused", Owner.NETWORK, Stage.PROXY)


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


@case_cause("proxy/credentials-in-url", Owner.SERVER, Severity.WARNING)
def credentials_in_url(case: Case) -> tuple[Match, ...]:
    """A user and a password in the URL of the agent's proxy."""
    found = [line(one.origin, "credentials", one.taken) for one in case.agents if one.proxy_credentials]
    return (Match(evidence=tuple(found)),) if found else ()
