"""Names that do not resolve, or resolve to what cannot be meant."""

from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import letter, listed
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict

_ERROR = Severity.ERROR
_NOWHERE = ("0.0.0.0", "127.0.0.1", "::", "::1")  # noqa: S104 - what block lists answer; nothing binds to it


def _failed_with(facts: Facts, *kinds: str) -> bool:
    return facts.failure is not None and facts.failure.stage is Stage.DNS and facts.failure.kind in kinds


def _resolvers(facts: Facts) -> tuple[str, ...]:
    named = [answer.resolver for answer in facts.answers] + [seen.resolver for seen in facts.sightings]
    return tuple(dict.fromkeys(filter(None, named)))


def _asked(group: Group) -> str:
    return listed(_resolvers(group.first)) if _resolvers(group.first) else "the server's resolver"


def _lookups(group: Group) -> tuple[Command, ...]:
    name = group.hosts[0]
    server = next(iter(_resolvers(group.first)), "").partition(":")[0]
    return (
        Command("powershell", f"Resolve-DnsName {name}" + (f" -Server {server}" if server else "")),
        Command("sh", f"dig {name}" + (f" @{server}" if server else "")),
    )


def _name_not_found(facts: Facts, _: Material) -> Match | None:
    if _failed_with(facts, "nxdomain", "no-addresses"):
        return Match(signature=_resolvers(facts))
    unanswered = bool(facts.answers) and not any(answer.addresses for answer in facts.answers)
    if unanswered and facts.stage is None and not facts.proxied:
        return Match(signature=_resolvers(facts))
    return None


def _forward(group: Group) -> Remedy:
    return Remedy(
        summary=f"Let {_asked(group)} resolve {listed(group.hosts)} by forwarding to a public resolver.",
        steps=(
            (
                "Forward the zones of these names, or everything, to a resolver that sees the public "
                "internet; "
                "Microsoft peering does not carry DNS, so the forwarder needs a path of its own."
            ),
            (
                "Where a private zone of the same name exists (privatelink.…, "
                "guestconfiguration.azure.com), add the "
                "missing record there, or remove the zone."
            ),
            "Look the name up again from a server before testing anything else.",
        ),
        commands=_lookups(group),
        request=letter(
            f"DNS: {group.subject} cannot be resolved from the Arc servers",
            [
                f"Asked: {_asked(group)}.",
                f"Names without an answer: {listed(group.hosts, most=40)}.",
                (
                    "Please forward these names to a public resolver, and tell us when a lookup from a "
                    "server answers."
                ),
            ],
        ),
    )


NAME_NOT_FOUND = Cause(
    slug="dns/name-not-found",
    title="The resolver does not know the name",
    severity=_ERROR,
    owner=Owner.NETWORK,
    applies=_name_not_found,
    headline=lambda group: f"{_asked(group)} has no address for {group.subject}",
    remedy=_forward,
    routed=True,
)


def _resolver_unreachable(facts: Facts, _: Material) -> Match | None:
    return Match(signature=_resolvers(facts)) if _failed_with(facts, "no-resolver", "timeout") else None


def _reach_resolver(group: Group) -> Remedy:
    return Remedy(
        summary=f"Make a resolver answer the servers: {_asked(group)} does not.",
        steps=(
            "Check which resolver the server uses, and that UDP and TCP port 53 to it are open.",
            "Microsoft peering carries no DNS: the resolver must be on the company's own network.",
        ),
        commands=(
            Command("powershell", "Get-DnsClientServerAddress -AddressFamily IPv4"),
            Command("sh", "cat /etc/resolv.conf"),
        ),
        request=letter(
            "DNS: the Arc servers get no answer from their resolver",
            [
                f"Asked: {_asked(group)}. Nothing came back for {listed(group.hosts)}.",
                (
                    "Please open UDP and TCP 53 from the servers to it, or name the resolver that they "
                    "shall use."
                ),
            ],
        ),
    )


RESOLVER_UNREACHABLE = Cause(
    slug="dns/resolver-unreachable",
    title="No resolver answers",
    severity=_ERROR,
    owner=Owner.NETWORK,
    applies=_resolver_unreachable,
    headline=lambda group: f"{_asked(group)} does not answer, so {group.subject} could not be resolved",
    remedy=_reach_resolver,
)


def _resolver_fails(facts: Facts, _: Material) -> Match | None:
    return Match(signature=_resolvers(facts)) if _failed_with(facts, "servfail") else None


RESOLVER_FAILS = Cause(
    slug="dns/resolver-fails",
    title="The resolver answers that it cannot resolve the name",
    severity=_ERROR,
    owner=Owner.NETWORK,
    applies=_resolver_fails,
    headline=lambda group: f"{_asked(group)} is reached but fails to resolve {group.subject}",
    remedy=_forward,
)


def _private_answer(facts: Facts, _: Material) -> Match | None:
    if not facts.failed or facts.proxied or facts.stage not in (None, Stage.TCP):
        return None
    marked = any(seen.private for seen in facts.sightings) and not any(
        one.coverage.service_tag for one in facts.placements
    )
    return Match() if marked or facts.verdict is Verdict.PRIVATE else None


def _settle_private(group: Group) -> Remedy:
    names = listed(group.hosts)
    return Remedy(
        summary=f"Decide between private link and the public path for {names}; today DNS says private.",
        steps=(
            (
                "Where an Arc private link scope is meant to be used: connect with --private-link-scope, "
                "associate the "
                "machine with the scope, and make the private endpoint reachable from the server."
            ),
            (
                "Where it is not: a private DNS zone (privatelink.his.arc.azure.com, "
                "privatelink.guestconfiguration.azure.com) leaks to these servers. Take it away from "
                "their resolver, "
                "so that the public address is answered."
            ),
            "BGP communities and route filters do not matter for a private address.",
        ),
        commands=_lookups(group),
        request=letter(
            f"DNS: private answers for {group.subject} on servers without private link",
            [
                f"{names} answers with a private address that the servers cannot reach.",
                (
                    "Please tell us whether these servers are to use a private link scope. If not, "
                    "please stop serving "
                    "the privatelink zones of Azure Arc to them."
                ),
            ],
        ),
    )


PRIVATE_ANSWER = Cause(
    slug="dns/private-answer",
    title="The name answers with a private address that cannot be reached",
    severity=_ERROR,
    owner=Owner.NETWORK,
    applies=_private_answer,
    headline=lambda group: f"{group.subject} resolves to a private address that is not reachable",
    remedy=_settle_private,
    routed=True,
)


def _blocked_answer(facts: Facts, _: Material) -> Match | None:
    if facts.reached or facts.placement is None or facts.placement.coverage.service_tag:
        return None
    return Match(signature=_resolvers(facts)) if facts.placement.coverage.address in _NOWHERE else None


BLOCKED_ANSWER = Cause(
    slug="dns/blocked-answer",
    title="The resolver answers with an address that leads nowhere",
    severity=_ERROR,
    owner=Owner.NETWORK,
    applies=_blocked_answer,
    headline=lambda group: f"{_asked(group)} answers {group.subject} with an address that leads nowhere",
    remedy=lambda group: Remedy(
        summary=f"Take {listed(group.hosts)} off the DNS block list.",
        steps=("0.0.0.0, :: and 127.x are what DNS filters and hosts files answer for blocked names.",),
        commands=_lookups(group),
        request=letter(
            f"DNS: {group.subject} is blocked",
            [f"Please allow {listed(group.hosts, most=40)} in the DNS filter; Azure Arc needs them."],
        ),
    ),
    routed=True,
)

FAMILY = (RESOLVER_UNREACHABLE, RESOLVER_FAILS, NAME_NOT_FOUND, BLOCKED_ANSWER, PRIVATE_ANSWER)
