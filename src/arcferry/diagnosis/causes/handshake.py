"""TLS that does not come about at all, although TCP connects."""

from arcferry import command_line
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.certificate import failed_with, show_certificate
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case

_CONNECTED = 2
"""From this many endpoints on, one and the same failure points to a device that all pass through."""


def _everywhere(group: Group) -> str:
    """A sentence for the case that nothing gets past this, which points to one device."""
    others = [one for one in group.first.beside if one.reached]
    if len(group.facts) < _CONNECTED or others:
        return ""
    return (
        f"All {len(group.facts)} endpoints that were tried fail in the same way, whoever serves them: "
        "look for one device that all pass through, or for this server's own TLS policy; not for as many "
        "faults."
    )


def _steps(group: Group, *steps: str) -> tuple[str, ...]:
    return tuple(filter(None, (_everywhere(group), *steps)))


def _places(group: Group) -> list[str]:
    return [f"- {one.host} {one.address}".rstrip() for one in group.affected]


_SUITES = Command("powershell", "Get-TlsCipherSuite | Format-Table Name")


def _large_packets(facts: Destination, _: Case) -> Match | None:
    if not failed_with(facts, "tls-gap", "large-packets-lost"):
        return None
    says = "a later part of the server's answer arrives and an earlier, larger one does not"
    return Match(evidence=(Evidence("how to read it", says),))


LARGE_PACKETS_LOST = Cause(
    slug="tcp/large-packets-lost",
    title="Small packets pass and large ones vanish: the path's MTU is smaller than it is told to be",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_large_packets,
    headline=lambda group: f"Large packets from {group.subject} are lost on the way",
    remedy=lambda group: Remedy(
        summary="Clamp the TCP segment size on the edge, or let ICMP 'fragmentation needed' pass.",
        steps=_steps(
            group,
            "TCP connects with small packets; the server's certificates come in full-sized ones and vanish. "
            "ExpressRoute carries 1400 bytes; tunnels on the way carry less.",
            "Clamp the TCP MSS on the edge router or firewall to the path's MTU less 40 (1360 or lower).",
            "Do not drop ICMP type 3 code 4 (IPv6: type 2): with it the ends find the size by themselves.",
        ),
        commands=(
            command("sh", "tracepath -n {name}", name=command_line.host(group.hosts[0])),
            command("powershell", "ping -f -l 1372 {name}", name=command_line.host(group.hosts[0])),
            Command("ios", "interface INTERFACE\n ip tcp adjust-mss 1360"),
        ),
        request=letter(
            f"Network: large packets from {group.subject} are lost",
            [
                *_places(group),
                (
                    "TCP 443 connects, and the server's first large packets do not arrive. Please clamp "
                    "the TCP MSS to 1360 or lower on the way to ExpressRoute, and let ICMP "
                    "'fragmentation needed' pass."
                ),
            ],
        ),
    ),
)


def _version(facts: Destination, _: Case) -> Match | None:
    return Match() if failed_with(facts, "tls-protocol-version") else None


PROTOCOL_VERSION = Cause(
    slug="tls/protocol-version",
    title="The two ends have no TLS version in common",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_version,
    headline=lambda group: f"No TLS version in common with what answers for {group.subject}",
    remedy=lambda group: Remedy(
        summary="Let whatever answers speak TLS 1.2 or 1.3.",
        steps=_steps(
            group,
            "Azure speaks TLS 1.2 and 1.3. An alert about the version comes from a device on the way "
            "that knows only older ones: an old proxy, load balancer or inspection.",
            "On the server TLS 1.2 must not be switched off: SCHANNEL\\Protocols\\TLS 1.2\\Client, and "
            ".NET's SchUseStrongCrypto on old Windows.",
        ),
        commands=(
            show_certificate(group),
            Command(
                "powershell",
                "Get-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL"
                "\\Protocols\\TLS 1.2\\Client'",
            ),
        ),
        request=letter(
            f"TLS: only old versions are spoken for {group.subject}",
            [
                *_places(group),
                (
                    "What answers refuses TLS 1.2 and 1.3. Which device is that? Please let it speak TLS "
                    "1.2, or exempt these names from it."
                ),
            ],
        ),
    ),
)


def _ciphers(facts: Destination, _: Case) -> Match | None:
    return Match() if failed_with(facts, "tls-cipher-mismatch") else None


CIPHER_MISMATCH = Cause(
    slug="tls/cipher-mismatch",
    title="The two ends have no cipher suite in common",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_ciphers,
    headline=lambda group: f"No cipher suite in common with what answers for {group.subject}",
    remedy=lambda group: Remedy(
        summary="Allow the ECDHE suites with AES-GCM, on the server and on whatever inspects.",
        steps=_steps(
            group,
            "Windows agents 1.56 to 1.63 insist on TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 or "
            "..._128_GCM_SHA256 for TLS 1.2, or on TLS 1.3; 1.64 no longer does.",
            "On Windows look at the policy 'SSL Cipher Suite Order': it wins over what is enabled locally.",
            "Where the alert comes from a device on the way, widen its suites or exempt the names.",
        ),
        commands=(
            _SUITES,
            Command("powershell", "Enable-TlsCipherSuite -Name TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            show_certificate(group),
        ),
        request=letter(
            f"TLS: no common cipher suite for {group.subject}",
            [
                *_places(group),
                (
                    "What answers ends the handshake with the alert handshake_failure. Please allow "
                    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 and TLS_AES_256_GCM_SHA384 there."
                ),
            ],
        ),
    ),
)


def _cut(facts: Destination, _: Case) -> Match | None:
    return Match() if failed_with(facts, "tls-cut", "reset") else None


CONNECTION_CUT = Cause(
    slug="tls/connection-cut",
    title="The connection is cut as soon as TLS begins",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_cut,
    headline=lambda group: f"TCP to {group.subject} connects, and is cut as soon as TLS begins",
    remedy=lambda group: Remedy(
        summary=f"Find the device that cuts TLS to {listed(group.hosts)}: it acts on the name.",
        steps=_steps(
            group,
            "The first packet of TLS names the host (SNI). A firewall with application rules lets TCP "
            "pass, reads the name, and cuts: allow the name, not only the address.",
            "A firewall that answers TCP itself and gives up afterwards looks just like this.",
        ),
        commands=(show_certificate(group),),
        request=letter(
            f"Firewall: TLS to {group.subject} is cut",
            [
                *_places(group),
                (
                    "TCP 443 connects and is reset or closed at the first TLS packet. Please allow these "
                    "names (SNI) for the Arc servers, without inspection."
                ),
            ],
        ),
    ),
)


def _no_answer(facts: Destination, _: Case) -> Match | None:
    return Match() if failed_with(facts, "tls-timeout", "timeout") else None


NO_ANSWER = Cause(
    slug="tls/no-answer",
    title="TCP connects, and nothing answers in TLS",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_no_answer,
    headline=lambda group: f"TCP to {group.subject} connects, and not a byte of TLS comes back",
    remedy=lambda group: Remedy(
        summary=f"Find what accepts TCP for {listed(group.hosts)} and then stays silent.",
        steps=_steps(
            group,
            "A firewall or an access broker that answers TCP itself, before it has asked its rules, is "
            "the usual reason: that a connection stands proves nothing then.",
            "Packets above the path's size may be lost too: see tcp/large-packets-lost, and try with a "
            "small MTU.",
        ),
        commands=(
            show_certificate(group),
            command("sh", "tracepath -n {name}", name=command_line.host(group.hosts[0])),
        ),
        request=letter(
            f"Firewall: no TLS answer from {group.subject}",
            [
                *_places(group),
                (
                    "TCP 443 connects, and no byte follows. Please look whether a firewall or broker "
                    "answers TCP in the endpoint's place and drops what follows."
                ),
            ],
        ),
    ),
)


def _otherwise(facts: Destination, _: Case) -> Match | None:
    return Match() if failed_with(facts) else None


HANDSHAKE_FAILED = Cause(
    slug="tls/handshake-failed",
    title="TCP connects, and no TLS session comes about",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_otherwise,
    headline=lambda group: f"TCP to {group.subject} connects, but TLS does not come about",
    remedy=lambda group: Remedy(
        summary="Look at what answers: it is no TLS server, or none that Azure would put there.",
        steps=_steps(
            group,
            "The evidence has the peer's own words. Plain HTTP on port 443 is a block page or a wrong "
            "NAT rule.",
            "Other alerts come from middleboxes, or from the server's TLS policy: check the policy 'SSL "
            "Cipher Suite Order'.",
        ),
        commands=(_SUITES, show_certificate(group)),
        request=letter(
            f"Firewall: TLS to {group.subject} does not come about",
            [
                *_places(group),
                (
                    "TCP 443 connects, and what answers does not speak TLS as Azure does. Please check "
                    "inspection and NAT rules for these addresses."
                ),
            ],
        ),
    ),
)

FAMILY = (LARGE_PACKETS_LOST, PROTOCOL_VERSION, CIPHER_MISMATCH, CONNECTION_CUT, NO_ANSWER, HANDSHAKE_FAILED)
