"""Proxies that stand in the way."""

from arcferry import command_line, typed
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict

_SHOW = Command("sh", "azcmagent config get proxy.url")
_CLEAR = Command("sh", "azcmagent config clear proxy.url")


def _url(facts: Destination) -> str:
    return next((seen.proxy for seen in facts.attempts if seen.proxy), "")


def _named(group: Group) -> str:
    url = _url(group.first)
    if url == typed.PROXY_IS_NONE:
        return url
    return f"proxy {url}" if url else "the proxy"


def _title(group: Group) -> str:
    name = _named(group)
    return name[0].upper() + name[1:]


def _failed_with(facts: Destination, *kinds: str) -> Match | None:
    if facts.stage is not Stage.PROXY or (kinds and facts.kind not in kinds):
        return None
    return Match(signature=(_url(facts),))


def _authentication(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "proxy-authentication-required")


AUTHENTICATION_REQUIRED = Cause(
    slug="proxy/authentication-required",
    title="The proxy asks for a sign-in, which the agent cannot give",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_authentication,
    headline=lambda group: f"{_title(group)} asks for a sign-in before it lets {group.subject} through",
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


def _name_not_found(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "proxy-name-not-found")


NAME_NOT_FOUND = Cause(
    slug="proxy/name-not-found",
    title="The proxy's own name does not resolve",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_name_not_found,
    headline=lambda group: f"The name of {_named(group)} does not resolve",
    remedy=lambda group: Remedy(
        summary=f"Correct the name in the proxy setting: {_named(group)} is not found.",
        steps=(
            (
                "Look for a spelling mistake, a missing domain suffix, and HTTPS_PROXY in the services' "
                "environment."
            ),
            "A setting by address works where DNS inside does not have the name.",
        ),
        commands=(_SHOW, Command("sh", "azcmagent config set proxy.url http://PROXY:PORT")),
        request=letter(
            "Proxy: its name does not resolve for the Arc servers",
            [
                f"{_title(group)} is set on the servers, and their resolver does not know its name.",
                "Which name and port are right, or shall the record be added?",
            ],
        ),
    ),
)


def _unreachable(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "proxy-unreachable")


UNREACHABLE = Cause(
    slug="proxy/unreachable",
    title="The proxy cannot be reached",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_unreachable,
    headline=lambda group: f"{_title(group)} cannot be reached",
    remedy=lambda group: Remedy(
        summary=f"Correct or remove the proxy setting: {_named(group)} does not answer.",
        steps=(
            "Check the setting for a wrong name or port, and HTTPS_PROXY in the environment.",
            "Where no proxy is meant to be used, clear the setting: endpoints may be reached directly.",
        ),
        commands=(_SHOW, _CLEAR),
        request=letter(
            "Proxy: not reachable from the Arc servers",
            [f"{_title(group)} does not answer the servers. Is it up, and is the port open to them?"],
        ),
    ),
)


def _not_a_proxy(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "proxy-not-http", "not-http")


NOT_A_PROXY = Cause(
    slug="proxy/not-a-proxy",
    title="What answers at the proxy's address is no HTTP proxy",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_not_a_proxy,
    headline=lambda group: f"What answers at {_named(group)} is no HTTP proxy",
    remedy=lambda group: Remedy(
        summary=f"Correct the proxy setting: {_named(group)} leads to something else.",
        steps=(
            (
                "The port is the usual mistake: a SOCKS port, the proxy's own administration page, or a web "
                "server."
            ),
            (
                "The agent needs an HTTP proxy that takes CONNECT; it does not speak SOCKS, nor HTTPS to the "
                "proxy."
            ),
        ),
        commands=(
            _SHOW,
            command(
                "sh",
                "curl -sv -x {proxy} https://{name}/ -o /dev/null",
                proxy=command_line.proxy(_url(group.first)),
                name=command_line.host(group.hosts[0]),
            ),
        ),
        request=letter(
            "Proxy: which host and port take CONNECT for the Arc servers?",
            [f"{_title(group)} is set, and what answers there does not take CONNECT to port 443."],
        ),
    ),
)


def _cannot_reach(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "proxy-cannot-reach")


CANNOT_REACH = Cause(
    slug="proxy/cannot-reach",
    title="The proxy lets the request in, and finds no way to the endpoint itself",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_cannot_reach,
    headline=lambda group: f"{_title(group)} has no way to {group.subject} itself",
    remedy=lambda group: Remedy(
        summary=f"Give {_named(group)} a way to {listed(group.hosts)}, in DNS and in routing.",
        steps=(
            (
                "A 502, 503 or 504 to CONNECT is the proxy's own failure: its resolver, its route or its "
                "upstream."
            ),
            "Look the name up and connect from the proxy's host; look in its log at the time of the check.",
            (
                "Where the proxy itself sits behind ExpressRoute, its own path decides: run arcferry check "
                "on it."
            ),
        ),
        commands=(
            command(
                "sh",
                "curl -sv --connect-timeout 5 https://{name}/ -o /dev/null",
                name=command_line.host(group.hosts[0]),
            ),
        ),
        request=letter(
            f"Proxy: it does not get to {group.subject}",
            [
                f"{_title(group)} answers CONNECT with 502, 503 or 504 for: {listed(group.hosts, most=40)}.",
                "Please check name resolution, routing and firewall from the proxy to these names, port 443.",
            ],
        ),
    ),
)


def _is_private(facts: Destination) -> bool:
    placed = any(one.verdict is Verdict.PRIVATE for one in facts.coverages)
    return placed or any(seen.private for seen in facts.attempts)


def _bypass_missing(facts: Destination, _: Case) -> Match | None:
    """A private endpoint asked through a proxy, or a name that works without the proxy and not with it."""
    if not facts.failed or facts.latest is None or not facts.latest.proxied:
        return None
    direct = [seen for seen in facts.attempts if seen.reachable and not seen.proxied]
    if facts.stage not in (None, Stage.PROXY, Stage.TCP) or not (_is_private(facts) or direct):
        return None
    if (
        facts.kind in ("proxy-authentication-required", "proxy-unreachable", "proxy-name-not-found")
        and not direct
    ):
        return None
    says = (
        f"{facts.host} is reached without the proxy"
        if direct
        else f"{facts.host} answers privately, which a proxy on the internet side does not reach"
    )
    origin = direct[0].origin if direct else facts.latest.origin
    return Match(Confidence.EXPECTED, (_url(facts),), (Evidence(origin, says),))


BYPASS_MISSING = Cause(
    slug="proxy/bypass-missing",
    title="A name that should go directly is sent through the proxy",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_bypass_missing,
    headline=lambda group: f"{group.subject} should bypass {_named(group)}, and does not",
    remedy=lambda group: Remedy(
        summary=f"Set proxy.bypass, so that {listed(group.hosts)} is reached directly.",
        steps=(
            (
                "proxy.bypass takes names of services, not of hosts: Arc stands for his.arc and "
                "guestconfiguration names, ARM for management.azure.com, AAD for sign-in."
            ),
            (
                "With a private link scope Arc belongs into the bypass; over ExpressRoute add AAD and "
                "ARM where the circuit carries them."
            ),
        ),
        commands=(
            Command("sh", "azcmagent config set proxy.bypass Arc"),
            Command("sh", "azcmagent config get proxy.bypass"),
        ),
    ),
)


def _refused(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts)


REFUSED = Cause(
    slug="proxy/refused",
    title="The proxy refuses to connect to the endpoint",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_refused,
    headline=lambda group: f"{_title(group)} refuses to connect to {group.subject}",
    remedy=lambda group: Remedy(
        summary=f"Allow {listed(group.hosts)} on {_named(group)}, without TLS inspection.",
        steps=("A refusal of CONNECT comes from the proxy's own rules: its log names the rule.",),
        commands=(_SHOW,),
        request=letter(
            "Proxy: allow Azure Arc endpoints",
            [f"Please allow CONNECT to {listed(group.hosts, most=40)} on port 443 for the Arc servers."],
        ),
    ),
)


def _credentials(case: Case) -> tuple[Match, ...]:
    says = "the proxy URL holds a user and a password, which the agent does not use (not shown here)"
    found = [Evidence(one.origin, says, one.taken) for one in case.agents if one.proxy_credentials]
    return (Match(evidence=tuple(found)),) if found else ()


CREDENTIALS_IN_URL = Cause(
    slug="proxy/credentials-in-url",
    title="The agent's proxy URL holds a user and a password",
    severity=Severity.WARNING,
    owner=Owner.SERVER,
    concerns=_credentials,
    headline=lambda _: "The agent's proxy URL holds a user and a password",
    remedy=lambda _: Remedy(
        summary="Set the URL without credentials, allow the servers by address, change the password.",
        steps=(
            (
                "The agent does not sign in to proxies; the credentials only lie readable on the server "
                "and in every log bundle taken from it."
            ),
            "Treat the password as known: have it changed.",
        ),
        commands=(Command("sh", "azcmagent config set proxy.url http://PROXY:PORT"),),
        request=letter(
            "Proxy: credentials in an agent's setting",
            [
                (
                    "A proxy user's password stood in the Arc agent's setting on a server. Please change it, "
                    "and allow"
                ),
                "the Arc servers by source address instead.",
            ],
        ),
    ),
)

FAMILY = (
    AUTHENTICATION_REQUIRED,
    NAME_NOT_FOUND,
    UNREACHABLE,
    NOT_A_PROXY,
    CANNOT_REACH,
    REFUSED,
    BYPASS_MISSING,
    CREDENTIALS_IN_URL,
)
