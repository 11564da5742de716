"""Connections that are refused, or that do not come about although a route is expected."""

from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import community_name, letter, listed
from arcferry.probe.observation import Stage
from arcferry.routing.coverage import Verdict


def _is_refused(facts: Facts, _: Material) -> Match | None:
    failure = facts.failure
    refused = failure is not None and failure.stage is Stage.TCP and failure.kind in ("refused", "reset")
    return Match() if refused else None


def _test(group: Group) -> tuple[Command, ...]:
    name = group.hosts[0]
    return (
        Command("powershell", f"Test-NetConnection {name} -Port 443 -InformationLevel Detailed"),
        Command("sh", f"curl -sv --connect-timeout 5 https://{name}/ -o /dev/null"),
    )


REFUSED = Cause(
    slug="tcp/refused",
    title="The connection is refused at once",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_is_refused,
    headline=lambda group: f"The connection to {group.subject} is refused",
    remedy=lambda group: Remedy(
        summary=f"Allow TCP 443 to {listed(group.hosts)} where it is refused.",
        steps=(
            (
                "A refusal is an answer: something on the way, nearly always a firewall of the company's "
                "own, says no. "
                "Azure's endpoints do not refuse port 443."
            ),
            "Look at the firewall's log for the server's address and the endpoint's address.",
        ),
        commands=_test(group),
        request=letter(
            f"Firewall: TCP 443 to {group.subject} is refused",
            [
                *(f"{one.host} {one.address}".rstrip() for one in group.affected),
                "Please allow TCP 443 from the Arc servers, preferably by name or by the service tag.",
            ],
        ),
    ),
)


def _times_out(facts: Facts, _: Material) -> Match | None:
    failure = facts.failure
    if (
        failure is None
        or failure.stage is not Stage.TCP
        or facts.proxied
        or facts.verdict is not Verdict.CARRIED
    ):
        return None
    says = "no received routes were handed in: that a route is there is expected, not observed"
    return Match(
        Confidence.EXPECTED,
        signature=(facts.placement.coverage.community if facts.placement else "",),
        evidence=(Evidence("what is missing", says),),
    )


def _community(group: Group) -> str:
    return community_name(group.placement.coverage.community) if group.placement else "the community"


TIMEOUT_WITH_ROUTE = Cause(
    slug="tcp/timeout-with-route",
    title="A route is expected, and still no connection comes about",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_times_out,
    headline=lambda group: (
        f"{group.subject}: the filter lets {_community(group)} through, yet TCP gets no answer"
    ),
    remedy=lambda group: Remedy(
        summary=(
            "Find where the packets or their answers are lost: received routes, NAT prefix, return path, "
            "firewall."
        ),
        steps=(
            (
                f"On the edge router: is a route with {_community(group)} received that covers the "
                "address? If not, look "
                "at the BGP session, at inbound policy, and at the circuit's SKU: Local and Standard "
                "carry only regions "
                "near the peering location."
            ),
            (
                "On the circuit: is the NAT pool's prefix advertised, and is "
                "advertisedPublicPrefixesState Configured? "
                "With ValidationNeeded the way out works and the way back does not."
            ),
            (
                "Is the NAT prefix advertised to the internet as well? Then answers may come back "
                "another way, and a "
                "stateful firewall drops them."
            ),
            (
                "On the firewall: is TCP 443 from the server to the address allowed, and translated to "
                "the NAT pool?"
            ),
        ),
        commands=(
            Command(
                "az",
                "az network express-route peering show --resource-group RESOURCE-GROUP --circuit-name "
                "CIRCUIT "
                "--name MicrosoftPeering --query microsoftPeeringConfig",
            ),
            *_test(group),
        ),
        request=letter(
            f"ExpressRoute: no answer from {group.subject} although its community is allowed",
            [
                *(f"{one.host} {one.address} {one.region} {one.community}" for one in group.affected),
                (
                    "TCP 443 times out from the Arc servers. Please check: the received routes for these "
                    "addresses; "
                    "that the NAT prefix is advertised and validated on the Microsoft peering; that "
                    "answers come back "
                    "the same way; firewall rules."
                ),
            ],
        ),
    ),
    routed=True,
)

FAMILY = (REFUSED, TIMEOUT_WITH_ROUTE)
