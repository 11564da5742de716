"""Names that get no address at all: no resolver, a resolver that fails, a name it does not have."""

from arcferry import command_line, typed
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage


def _failed_with(facts: Destination, *kinds: str) -> bool:
    return facts.stage is Stage.DNS and facts.kind in kinds


def resolvers(facts: Destination) -> tuple[str, ...]:
    """Every resolver that was asked for the name, as far as is known."""
    named = [answer.resolver for answer in facts.answers] + [seen.resolver for seen in facts.attempts]
    return tuple(dict.fromkeys(filter(None, named)))


def asked(group: Group) -> str:
    """The resolvers for a sentence."""
    return listed(resolvers(group.first)) if resolvers(group.first) else "the server's resolver"


def look_up(group: Group) -> tuple[Command, ...]:
    """How to ask the same resolver for the first name."""
    name, asked_first = command_line.host(group.hosts[0]), next(iter(resolvers(group.first)), "")
    if not asked_first or typed.is_hosts_file(asked_first):
        return (
            command("powershell", "Resolve-DnsName {name}", name=name),
            command("sh", "dig {name}", name=name),
        )
    server, port = command_line.server(asked_first), typed.port_of(asked_first)
    return (
        command("powershell", "Resolve-DnsName {name} -Server {server}", name=name, server=server),
        command(
            "sh", "dig {name} @{server} -p {port}", name=name, server=server, port=command_line.port(port)
        )
        if port
        else command("sh", "dig {name} @{server}", name=name, server=server),
    )


def _is_unanswered(facts: Destination) -> bool:
    """Whether answers were handed in and none has an address, of a name that nobody saw fail later."""
    none = bool(facts.answers) and not any(answer.addresses for answer in facts.answers)
    return none and facts.stage is None and not facts.proxied and not facts.reached


def _no_addresses(facts: Destination, _: Case) -> Match | None:
    exists = any(answer.rcode == "NOERROR" or answer.chain for answer in facts.answers)
    if _failed_with(facts, "no-addresses") or (_is_unanswered(facts) and exists):
        return Match(signature=resolvers(facts))
    return None


NO_ADDRESSES = Cause(
    slug="dns/no-addresses",
    title="The resolver knows the name and has no address for it",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_no_addresses,
    headline=lambda group: f"{asked(group)} knows {group.subject}, and answers without an address",
    remedy=lambda group: Remedy(
        summary=f"Complete the zone that leaves the address of {listed(group.hosts)} out.",
        steps=(
            (
                "The name exists and no A record comes with it. Often a private zone "
                "(privatelink.his.arc.azure.com, privatelink.guestconfiguration.azure.com) is there and "
                "lacks the record to which the public alias leads."
            ),
            "Add the record, or take the zone away from these servers' resolver.",
            "Or a filter leaves A records out: compare with the answer of another resolver.",
        ),
        commands=look_up(group),
        request=letter(
            f"DNS: {group.subject} is answered without an address",
            [
                f"Asked: {asked(group)}. Names: {listed(group.hosts, most=40)}.",
                (
                    "The answer is NOERROR without an A record. Which zone answers here? Please add the "
                    "record, or let the name be resolved publicly."
                ),
            ],
        ),
    ),
    routed=True,
)


def _name_not_found(facts: Destination, _: Case) -> Match | None:
    if _failed_with(facts, "nxdomain") or _is_unanswered(facts):
        return Match(signature=resolvers(facts))
    return None


def _forward(group: Group) -> Remedy:
    return Remedy(
        summary=f"Let {asked(group)} resolve {listed(group.hosts)} by forwarding to a public resolver.",
        steps=(
            (
                "Forward the zones of these names, or everything, to a resolver that sees the public "
                "internet; Microsoft peering does not carry DNS, so the forwarder needs a path of its "
                "own."
            ),
            (
                "Where a private zone of the same name exists (privatelink.…, "
                "guestconfiguration.azure.com), add the missing record there, or remove the zone."
            ),
            "Look the name up again from a server before testing anything else.",
        ),
        commands=look_up(group),
        request=letter(
            f"DNS: {group.subject} cannot be resolved from the Arc servers",
            [
                f"Asked: {asked(group)}.",
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
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_name_not_found,
    headline=lambda group: f"{asked(group)} has no address for {group.subject}",
    remedy=_forward,
    routed=True,
)


def _answered_others(facts: Destination) -> bool:
    """Whether a resolver that gave no answer for this name gave one for another."""
    silent = set(resolvers(facts))
    return any(silent & set(resolvers(one)) for one in facts.beside if any(a.addresses for a in one.answers))


def _resolver_fails(facts: Destination, _: Case) -> Match | None:
    timed_out = _failed_with(facts, "timeout") and _answered_others(facts)
    return Match(signature=resolvers(facts)) if timed_out or _failed_with(facts, "servfail") else None


def _give_way(group: Group) -> Remedy:
    return Remedy(
        summary=f"Give {asked(group)} a working way to public DNS for {listed(group.hosts)}.",
        steps=(
            (
                "The resolver is there and cannot find out: its forwarder does not answer it, or a "
                "DNSSEC check fails. Its own log says which."
            ),
            (
                "Microsoft peering carries no DNS, so the forwarder needs another path: an internet "
                "break-out for UDP and TCP 53, or a resolver of the provider's."
            ),
            "Where only some names fail, look for a conditional forwarder for their zone that leads nowhere.",
        ),
        commands=look_up(group),
        request=letter(
            f"DNS: {asked(group)} fails to resolve {group.subject}",
            [
                f"It answers SERVFAIL, or not at all, for: {listed(group.hosts, most=40)}.",
                (
                    "Please check its forwarders and their path to the public DNS, conditional "
                    "forwarders for these zones, and DNSSEC failures in its log."
                ),
            ],
        ),
    )


RESOLVER_FAILS = Cause(
    slug="dns/resolver-fails",
    title="The resolver is there, and cannot resolve the name",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_resolver_fails,
    headline=lambda group: f"{asked(group)} is reached but fails to resolve {group.subject}",
    remedy=_give_way,
)


def _resolver_unreachable(facts: Destination, _: Case) -> Match | None:
    if not _failed_with(facts, "no-resolver", "timeout", "refused", "unreachable"):
        return None
    return Match(signature=resolvers(facts))


RESOLVER_UNREACHABLE = Cause(
    slug="dns/resolver-unreachable",
    title="No resolver answers",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_resolver_unreachable,
    headline=lambda group: f"{asked(group)} does not answer, so {group.subject} could not be resolved",
    remedy=lambda group: Remedy(
        summary=f"Make a resolver answer the servers: {asked(group)} does not.",
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
                f"Asked: {asked(group)}. Nothing came back for {listed(group.hosts)}.",
                (
                    "Please open UDP and TCP 53 from the servers to it, or name the resolver that they shall "
                    "use."
                ),
            ],
        ),
    ),
)

FAMILY = (RESOLVER_UNREACHABLE, RESOLVER_FAILS, NAME_NOT_FOUND, NO_ADDRESSES)
