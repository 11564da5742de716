"""Which namespaces there are, and the wires between them.

```
host1 ─┐              ┌─ primary ──┐         ┌─ region-eastasia …
host2 ─┼── router ────┤            ├── core ─┤
site ──┘   AS 65010   └─ secondary ┘  12076  └─ edge
  └── internet
```
`site` holds what a company has beside its servers: two DNS forwarders and a proxy. It alone has a narrow way
to the internet, because Microsoft peering carries no DNS.
"""

from dataclasses import dataclass
from ipaddress import IPv4Interface

CUSTOMER_AS, MICROSOFT_AS = 65010, 12076
HOSTS = ("host1", "host2")
ROUTER, SITE, INTERNET, CORE, EDGE = "router", "site", "internet", "core", "edge"
MSEES = ("primary", "secondary")

NAT_POOL = "203.0.113.0/28"
"""The public addresses behind which the company's hosts appear at Microsoft; of a documentation range."""
COMPANY = "10.20.0.0/16"
COMPANY_IPV6 = "2001:db8:20::/48"
FORWARDERS = {"corp": "10.20.0.53", "elsewhere": "10.20.0.54"}
PROXY = "10.20.0.80"
UPSTREAM = {"corp": "192.0.2.53", "elsewhere": "192.0.2.54"}
"""The public resolvers that the company's forwarders ask: the second one stands in another country."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a wire: an interface of a namespace, named for what it leads to.

    Attributes:
        ipv6: its IPv6 address with the length, empty where the wire carries none.
    """

    namespace: str
    interface: str
    address: IPv4Interface
    ipv6: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """A virtual Ethernet pair."""

    near: End
    far: End


def _wire(near: str, far: str, near_address: str, far_address: str, *, ipv6: str = "") -> Wire:
    return Wire(
        End(near, f"to-{far}"[:15], IPv4Interface(near_address), f"{ipv6}1/64" if ipv6 else ""),
        End(far, f"to-{near}"[:15], IPv4Interface(far_address), f"{ipv6}2/64" if ipv6 else ""),
    )


FIXED = (
    _wire(ROUTER, SITE, "10.20.0.1/24", "10.20.0.2/24"),
    _wire(ROUTER, "host1", "10.20.1.1/24", "10.20.1.2/24", ipv6="2001:db8:20:1::"),
    _wire(ROUTER, "host2", "10.20.2.1/24", "10.20.2.2/24", ipv6="2001:db8:20:2::"),
    _wire(ROUTER, "primary", "198.51.100.1/30", "198.51.100.2/30"),
    _wire(ROUTER, "secondary", "198.51.100.5/30", "198.51.100.6/30"),
    _wire(SITE, INTERNET, "192.0.2.1/30", "192.0.2.2/30"),
    _wire(CORE, "primary", "100.64.0.1/30", "100.64.0.2/30"),
    _wire(CORE, "secondary", "100.64.0.5/30", "100.64.0.6/30"),
    _wire(CORE, EDGE, "100.64.1.1/30", "100.64.1.2/30"),
)
NAMESPACES = (*HOSTS, ROUTER, SITE, INTERNET, *MSEES, CORE, EDGE)

_FIRST_REGION = 2


def region_wire(region: str, number: int) -> Wire:
    """The wire from the core to the region that was added as `number`, counted from 0."""
    third = _FIRST_REGION + number
    return Wire(
        End(CORE, f"region{number}", IPv4Interface(f"100.64.{third}.1/30")),
        End(region_namespace(region), "to-core", IPv4Interface(f"100.64.{third}.2/30")),
    )


def region_namespace(region: str) -> str:
    """The namespace that a region's services are in."""
    return f"region-{region}"


def between(near: str, far: str) -> Wire:
    """The fixed wire between two namespaces."""
    return next(wire for wire in FIXED if (wire.near.namespace, wire.far.namespace) == (near, far))


def standing_routes(other_company: str) -> dict[str, tuple[str, ...]]:
    """Routes that no protocol brings, as `ip route add` takes them, by namespace.

    The company's default route ends where a firewall would drop what the peering does not carry.

    Args:
        other_company: the prefix of another company's web server, which the company reaches by its narrow way
            to the internet.
    """
    hosts = {host: (f"default via {_host_gateway(host)}",) for host in HOSTS}
    return hosts | {
        ROUTER: ("blackhole default", f"{other_company} via 10.20.0.2"),
        SITE: ("default via 10.20.0.1", "192.0.2.0/24 via 192.0.2.2"),
        INTERNET: ("default via 192.0.2.1",),
        CORE: ("blackhole default",),
        EDGE: ("default via 100.64.1.1",),
    }


def standing_ipv6_routes() -> dict[str, tuple[str, ...]]:
    """The same for IPv6: the hosts have a gateway, and it leads nowhere, as without IPv6 peering."""
    return {host: (f"default via {_host_gateway(host, ipv6=True)}",) for host in HOSTS}


def address_of(host: str) -> str:
    """A host's IPv4 address.

    Raises:
        KeyError: there is no such host.
    """
    return str(_host_wire(host).far.address.ip)


def _host_wire(host: str) -> Wire:
    found = {wire.far.namespace: wire for wire in FIXED if wire.far.namespace in HOSTS}
    return found[host]


def _host_gateway(host: str, *, ipv6: bool = False) -> str:
    near = _host_wire(host).near
    return near.ipv6.partition("/")[0] if ipv6 else str(near.address.ip)
