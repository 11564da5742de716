"""Answers that cannot be meant: nowhere, not Microsoft's, private by mistake, or not the same everywhere."""

from arcferry import command_line
from arcferry.catalog import Carrier
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.dns import asked, look_up, resolvers
from arcferry.diagnosis.causes.private_link import is_private, scope_of
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed, region_name
from arcferry.evidence.case import Case
from arcferry.probe.observation import DnsAnswer, Stage
from arcferry.routing.coverage import Coverage, Verdict

_NOWHERE = ("0.0.0.0", "127.0.0.1", "::", "::1")  # noqa: S104 - what block lists answer; nothing binds to it


def _blocked(facts: Destination, _: Case) -> Match | None:
    if facts.reached or facts.proxied or facts.coverage is None or facts.coverage.service_tag:
        return None
    return Match(signature=resolvers(facts)) if facts.coverage.address in _NOWHERE else None


BLOCKED_ANSWER = Cause(
    slug="dns/blocked-answer",
    title="The resolver answers with an address that leads nowhere",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_blocked,
    headline=lambda group: f"{asked(group)} answers {group.subject} with an address that leads nowhere",
    remedy=lambda group: Remedy(
        summary=f"Take {listed(group.hosts)} off the DNS block list.",
        steps=(
            "0.0.0.0, :: and 127.x are what DNS filters and hosts files answer for blocked names.",
            "Look at the server's hosts file first, then at the resolver's filter.",
        ),
        commands=(
            *look_up(group),
            Command(
                "powershell", r"Select-String -Path $env:windir\System32\drivers\etc\hosts -Pattern azure"
            ),
        ),
        request=letter(
            f"DNS: {group.subject} is blocked",
            [
                f"{asked(group)} answers with an address that leads nowhere.",
                f"Please allow {listed(group.hosts, most=40)} in the DNS filter; Azure Arc needs them.",
            ],
        ),
    ),
    routed=True,
)


def _strangers(facts: Destination) -> list[Coverage]:
    """The addresses that no service tag holds, though Microsoft's own service should answer."""
    return [
        one
        for one in facts.coverages
        if one.verdict is Verdict.NOT_ON_PEERING and not one.service_tag and not one.has_route
    ]


def _wrong(facts: Destination, _: Case) -> Match | None:
    if not facts.failed or facts.proxied or facts.endpoint is None or facts.at_the_edge:
        return None
    if facts.carrier is Carrier.EDGE or facts.stage in (Stage.DNS, Stage.PROXY):
        return None
    strangers = _strangers(facts)
    if not strangers or len(strangers) < len(facts.coverages):
        return None
    proven = facts.stage in (Stage.TLS, Stage.HTTP)
    return Match(Confidence.OBSERVED if proven else Confidence.EXPECTED, signature=resolvers(facts))


WRONG_ADDRESS = Cause(
    slug="dns/wrong-address",
    title="The name is answered with an address that is not Microsoft's",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_wrong,
    headline=lambda group: f"{asked(group)} answers {group.subject} with an address that is not Microsoft's",
    remedy=lambda group: Remedy(
        summary=f"Find who gives this answer for {listed(group.hosts)}, and have it removed.",
        steps=(
            (
                "No service tag holds the address. A stale record in an own zone, a hosts file, or a "
                "filter that leads blocked names to its own page answers so."
            ),
            "Ask another resolver for the same name and compare; look at the server's hosts file.",
            (
                "Where the address is Microsoft's after all (whois says so), the service tags here are "
                "too old: take this week's and run it again."
            ),
        ),
        commands=(
            *look_up(group),
            command("sh", "whois {address}", address=command_line.address(_address(group))),
        ),
        request=letter(
            f"DNS: a wrong address for {group.subject}",
            [
                *(f"- {one.host} is answered with {one.address}" for one in group.affected),
                (
                    f"Asked: {asked(group)}. Microsoft publishes its addresses as service tags; these are in "
                    "none."
                ),
                "Where does the answer come from? Please remove it, so that the public answer is given.",
            ],
        ),
    ),
    routed=True,
)


def _address(group: Group) -> str:
    return next((one.address for one in group.affected if one.address), "ADDRESS")


def _leaks(facts: Destination, case: Case) -> Match | None:
    return Match() if is_private(facts) and not scope_of(case) else None


PRIVATE_ANSWER_LEAK = Cause(
    slug="dns/private-answer-leak",
    title="A private zone answers servers that do not use private link",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_leaks,
    headline=lambda group: f"{group.subject} resolves to a private address that is not reachable",
    remedy=lambda group: Remedy(
        summary=f"Stop serving the private zones to these servers: {listed(group.hosts)} answers privately.",
        steps=(
            (
                "A private DNS zone (privatelink.his.arc.azure.com, "
                "privatelink.guestconfiguration.azure.com, or one for the public name itself) leaks to "
                "these servers. Take it away from their resolver, or link it only to the networks that "
                "use the scope."
            ),
            (
                "Where a private link scope is meant to be used: connect with --private-link-scope, and "
                "make the private endpoint reachable from the server."
            ),
            "BGP communities and route filters do not matter for a private address.",
        ),
        commands=look_up(group),
        request=letter(
            f"DNS: private answers for {group.subject} on servers without private link",
            [
                f"{listed(group.hosts)} answers with a private address that the servers cannot reach.",
                (
                    "Please stop serving the privatelink zones of Azure Arc to these servers, or tell us "
                    "whether they are to use a private link scope."
                ),
            ],
        ),
    ),
    routed=True,
)


def _by_verdict(facts: Destination, answer: DnsAnswer) -> set[tuple[Verdict, str]]:
    placed = {one.address: one for one in facts.coverages}
    found = [placed[address] for address in answer.addresses if address in placed]
    return {(one.verdict, one.region) for one in found}


def _differ(facts: Destination, _: Case) -> Match | None:
    """Answers of several resolvers, of which the filter lets some through and others not."""
    if facts.proxied or len(resolvers(facts)) < 2:  # noqa: PLR2004 - two are needed to differ
        return None
    seen = {answer.resolver: _by_verdict(facts, answer) for answer in facts.answers if answer.addresses}
    verdicts = {verdict for found in seen.values() for verdict, _ in found}
    if len(verdicts) < 2 or Verdict.CARRIED not in verdicts:  # noqa: PLR2004 - same
        return None
    evidence = tuple(
        Evidence(
            answer.origin,
            f"resolver {answer.resolver} answers {facts.host} in "
            f"{listed(_regions(_by_verdict(facts, answer)))}",
            answer.taken,
        )
        for answer in facts.answers
        if answer.addresses
    )
    return Match(signature=tuple(sorted(seen)), evidence=evidence)


def _regions(found: set[tuple[Verdict, str]]) -> list[str]:
    return sorted({f"{region_name(region)} ({verdict.value})" for verdict, region in found})


ANSWERS_DIFFER = Cause(
    slug="dns/answers-differ",
    title="Resolvers answer differently, and the route filter does not let every answer through",
    severity=Severity.WARNING,
    owner=Owner.NETWORK,
    applies=_differ,
    headline=lambda group: f"{group.subject}: it depends on the resolver whether the answer can be reached",
    remedy=lambda group: Remedy(
        summary="Allow every region in which a resolver answers, or let all servers ask the same one.",
        steps=(
            (
                "Traffic Manager answers by the place of the resolver that asks. A second resolver of "
                "the servers, or a forwarder elsewhere, gets another region."
            ),
            (
                "Add the communities of all regions that turn up to the route filter; or use one "
                "resolver near the region that the filter has."
            ),
        ),
        commands=look_up(group),
        request=letter(
            f"DNS or ExpressRoute: resolvers disagree about {group.subject}",
            [
                *(f"- {line.says}" for line in group.match.evidence[:12]),
                "Please add the missing regions to the route filter, or give these servers one resolver.",
            ],
        ),
    ),
    routed=True,
)

FAMILY = (BLOCKED_ANSWER, WRONG_ADDRESS, PRIVATE_ANSWER_LEAK, ANSWERS_DIFFER)
