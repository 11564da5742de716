"""Proxies that stand in the way."""

from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import letter, listed
from arcferry.probe.observation import Stage


def _url(facts: Facts) -> str:
    return next((seen.proxy for seen in facts.sightings if seen.proxy), "")


def _named(group: Group) -> str:
    return f"proxy {_url(group.first)}" if _url(group.first) else "the proxy"


def _failed_with(facts: Facts, *kinds: str) -> Match | None:
    failure = facts.failure
    if failure is None or failure.stage is not Stage.PROXY or (kinds and failure.kind not in kinds):
        return None
    return Match(signature=(_url(facts),))


def _authentication(facts: Facts, _: Material) -> Match | None:
    return _failed_with(facts, "proxy-authentication-required")


def _unreachable(facts: Facts, _: Material) -> Match | None:
    return _failed_with(facts, "proxy-unreachable")


def _refused(facts: Facts, _: Material) -> Match | None:
    return _failed_with(facts)


_CLEAR = Command("sh", "azcmagent config clear proxy.url")
_SHOW = Command("sh", "azcmagent config get proxy.url")

AUTHENTICATION_REQUIRED = Cause(
    slug="proxy/authentication-required",
    title="The proxy asks for a sign-in, which the agent cannot give",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_authentication,
    headline=lambda group: (
        f"{_named(group).capitalize()} asks for a sign-in before it lets {group.subject} through"
    ),
    remedy=lambda group: Remedy(
        summary=f"Let the servers use {_named(group)} without a sign-in for Arc's endpoints.",
        steps=(
            "The Connected Machine agent does not sign in to proxies: allow the servers' addresses instead.",
            "Where ExpressRoute carries the endpoint, bypass the proxy for it (proxy.bypass).",
        ),
        commands=(_SHOW,),
        request=letter(
            "Proxy: allow Azure Arc endpoints without authentication",
            [
                (
                    f"Please allow the Arc servers, by source address, to {listed(group.hosts, most=40)} on "
                    "port 443."
                )
            ],
        ),
    ),
)
UNREACHABLE = Cause(
    slug="proxy/unreachable",
    title="The proxy cannot be reached",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_unreachable,
    headline=lambda group: f"{_named(group).capitalize()} cannot be reached",
    remedy=lambda group: Remedy(
        summary=f"Correct or remove the proxy setting: {_named(group)} does not answer.",
        steps=(
            "Check the setting for a wrong name or port, and HTTPS_PROXY in the environment.",
            "Where no proxy is meant to be used, clear the setting: endpoints may be reached directly.",
        ),
        commands=(_SHOW, _CLEAR),
        request=letter(
            "Proxy: not reachable from the Arc servers",
            [
                (
                    f"{_named(group).capitalize()} does not answer the servers. Is it up, and is the port "
                    "open to them?"
                )
            ],
        ),
    ),
)
REFUSED = Cause(
    slug="proxy/refused",
    title="The proxy refuses to connect to the endpoint",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_refused,
    headline=lambda group: f"{_named(group).capitalize()} refuses to connect to {group.subject}",
    remedy=lambda group: Remedy(
        summary=f"Allow {listed(group.hosts)} on {_named(group)}, without TLS inspection.",
        steps=("A refusal of CONNECT comes from the proxy's own rules, or from its lack of a path onwards.",),
        commands=(_SHOW,),
        request=letter(
            "Proxy: allow Azure Arc endpoints",
            [f"Please allow CONNECT to {listed(group.hosts, most=40)} on port 443 for the Arc servers."],
        ),
    ),
)

FAMILY = (AUTHENTICATION_REQUIRED, UNREACHABLE, REFUSED)
