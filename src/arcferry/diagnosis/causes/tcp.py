"""Connections that something on the way answers with a no."""

from arcferry import command_line
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage


def _failed_with(facts: Destination, *kinds: str) -> Match | None:
    return Match() if facts.stage is Stage.TCP and facts.kind in kinds else None


def try_tcp(group: Group) -> tuple[Command, ...]:
    """How to see the same with what every server has."""
    name = command_line.host(group.hosts[0])
    return (
        command("powershell", "Test-NetConnection {name} -Port 443 -InformationLevel Detailed", name=name),
        command("sh", "curl -sv --connect-timeout 5 https://{name}/ -o /dev/null", name=name),
    )


def places(group: Group) -> list[str]:
    """Each endpoint with its address, for a request."""
    return [f"- {one.host} {one.address}".rstrip() for one in group.affected]


def _refused(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "refused")


REFUSED = Cause(
    slug="tcp/refused",
    title="The connection is refused at once",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_refused,
    headline=lambda group: f"The connection to {group.subject} is refused",
    remedy=lambda group: Remedy(
        summary=f"Allow TCP 443 to {listed(group.hosts)} where it is refused.",
        steps=(
            (
                "A refusal is an answer: something on the way, nearly always a firewall of the company's "
                "own, says no. Azure's endpoints do not refuse port 443."
            ),
            "Look at the firewall's log for the server's address and the endpoint's address.",
        ),
        commands=try_tcp(group),
        request=letter(
            f"Firewall: TCP 443 to {group.subject} is refused",
            [
                *places(group),
                "Please allow TCP 443 from the Arc servers, preferably by name or by the service tag.",
            ],
        ),
    ),
)


def _reset(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "reset")


RESET = Cause(
    slug="tcp/reset",
    title="The connection is torn down while it is being made",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_reset,
    headline=lambda group: f"The connection to {group.subject} is reset before it stands",
    remedy=lambda group: Remedy(
        summary=f"Find the device that resets connections to {listed(group.hosts)}.",
        steps=(
            (
                "A reset during the handshake comes from a device with state: an intrusion prevention, a "
                "firewall that rejects after the fact, a NAT that has run out of ports."
            ),
            (
                "Capture on the server: the reset's TTL differs from that of other answers when a device "
                "nearby sends it."
            ),
        ),
        commands=(
            *try_tcp(group),
            Command("sh", "sudo tcpdump -nvi any 'tcp[tcpflags] & tcp-rst != 0 and port 443'"),
        ),
        request=letter(
            f"Firewall: TCP 443 to {group.subject} is reset",
            [
                *places(group),
                (
                    "Connections from the Arc servers are reset while they are set up. Please look in "
                    "the logs of firewall, intrusion prevention and NAT for these addresses."
                ),
            ],
        ),
    ),
)


def _unreachable(facts: Destination, _: Case) -> Match | None:
    return _failed_with(facts, "unreachable")


UNREACHABLE = Cause(
    slug="tcp/unreachable",
    title="The server, or a router on the way, says that there is no way to the address",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_unreachable,
    headline=lambda group: f"There is no way to {group.subject}: the server or a router says so at once",
    remedy=lambda group: Remedy(
        summary=f"Give the server and the routers on the way a route to {listed(group.hosts)}.",
        steps=(
            (
                "Look at the server first: an address, a default gateway, and no packet filter of its "
                "own that rejects."
            ),
            (
                "An ICMP 'unreachable' names its sender: trace the route and look at the last router that "
                "answers."
            ),
            (
                "Inside the company the prefixes that the edge router receives must be known, or a "
                "default route must lead to it."
            ),
        ),
        commands=(
            command(
                "powershell",
                "Find-NetRoute -RemoteIPAddress {address}",
                address=command_line.address(_address(group)),
            ),
            command(
                "sh",
                "ip route get {address}; traceroute -T -p 443 {name}",
                address=command_line.address(_address(group)),
                name=command_line.host(group.hosts[0]),
            ),
        ),
        request=letter(
            f"Routing: no way from the Arc servers to {group.subject}",
            [
                *places(group),
                (
                    "The answer is 'unreachable', at once. Please check that these prefixes are known on "
                    "the way to the ExpressRoute edge."
                ),
            ],
        ),
    ),
    routed=True,
)


def _address(group: Group) -> str:
    return next((one.address for one in group.affected if one.address), "ADDRESS")


FAMILY = (REFUSED, RESET, UNREACHABLE)
