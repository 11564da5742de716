"""What the routers and firewalls are to do: the route filter and the switched-on faults, as one value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from arcferry import catalog
from arcferry_lab.faults import Faults
from arcferry_lab.network.block import Block
from arcferry_lab.network.namespaces.topology import MSEES
from arcferry_lab.network.plan import ARM_NET, ENTRA_NET, Place, arm_place, entra_place, place_number
from arcferry_lab.peering import in_filter, passing

_LARGEST = 1000


@dataclass(frozen=True, slots=True)
class Origin:
    """A prefix that Microsoft's core knows.

    Attributes:
        region: where packets to it go.
        community: what it is advertised with; empty where it is not advertised.
    """

    prefix: str
    region: str
    community: str


@dataclass(frozen=True, slots=True)
class RoutingState:
    """How the network is to be now.

    Attributes:
        origins: Microsoft's prefixes, those that a fault withholds left out.
        carried: the communities that the route filter and the circuit let through to the customer.
        rejected: the communities that the customer's own router rejects.
        preferred_elsewhere: prefixes that the customer's router sends another way.
        primary_alone: prefixes that Microsoft does not advertise on the secondary link.
        links: the links whose BGP session the customer has up.
        peering: whether Microsoft has the peering enabled.
        validated: whether Microsoft takes the customer's NAT prefix.
        announced: whether the customer announces its NAT prefix to Microsoft; else answers leave Azure on
            another path, and are dropped there.
        largest: the longest packet that gets from Azure to the customer; 0 for any.
        dropped: addresses to which the customer's firewall drops packets.
        refused: addresses that refuse connections.
    """

    origins: tuple[Origin, ...]
    carried: frozenset[str]
    rejected: frozenset[str] = frozenset()
    preferred_elsewhere: tuple[str, ...] = ()
    primary_alone: tuple[str, ...] = ()
    links: tuple[str, ...] = MSEES
    peering: bool = True
    validated: bool = True
    announced: bool = True
    largest: int = 0
    dropped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def withheld(self, link: str) -> tuple[str, ...]:
        """The prefixes that Microsoft does not advertise on a link."""
        return () if link == MSEES[0] else self.primary_alone

    def received(self) -> frozenset[tuple[str, str]]:
        """What the customer's router keeps, as prefix and link."""
        if not self.peering:
            return frozenset()
        kept = self.carried - self.rejected
        return frozenset(
            (origin.prefix, link)
            for origin in self.origins
            for link in self.links
            if origin.community in kept and origin.prefix not in self.withheld(link)
        )


def routing_state(
    allowed: Sequence[str],
    places: Iterable[Place],
    block: Block,
    regions: tuple[str, ...],
    faults: Faults,
) -> RoutingState:
    """What the network is to be.

    Args:
        allowed: the communities of the route filter.
        places: every service there is.
        block: the addresses.
        regions: ARM names of the regions, the twin's own first.
        faults: those that are switched on.
    """
    home, places = regions[0], tuple(places)
    own = catalog.region_community(home)
    origins = origins_of(block, regions)
    withheld = _prefixes(origins, _at_fault("route/not-received", places, faults))
    return RoutingState(
        origins=tuple(origin for origin in origins if origin.prefix not in withheld),
        carried=_carried(allowed, home, faults),
        rejected=frozenset({own.value} if own and faults.holds("route/filtered-by-own-policy") else ()),
        preferred_elsewhere=_prefixes(origins, _at_fault("route/another-path-preferred", places, faults)),
        primary_alone=_prefixes(origins, _at_fault("route/on-primary-alone", places, faults)),
        links=_links(faults),
        peering=not faults.holds("route/peering-down"),
        validated=not faults.holds("tcp/nat-prefix-not-validated"),
        announced=not faults.holds("tcp/asymmetric-return"),
        largest=_LARGEST if faults.holds("tcp/large-packets-lost") else 0,
        dropped=_addresses(
            *_at_fault("tcp/filtered", places, faults), *_at_fault("tcp/silent", places, faults)
        ),
        refused=_addresses(*_at_fault("tcp/refused", places, faults)),
    )


def origins_of(block: Block, regions: tuple[str, ...]) -> tuple[Origin, ...]:
    """What Microsoft's routers originate.

    Entra and Resource Manager are advertised as a whole from the twin's own region; the core knows better
    where each region's part of Resource Manager is.
    """
    home = regions[0]
    entra, arm = entra_place(block, regions), arm_place(block, home, home)
    found = [
        Origin(block.prefix(ENTRA_NET), home, *entra.carried_by),
        Origin(block.prefix(ARM_NET), home, *arm.carried_by),
    ]
    for region in regions:
        community = catalog.region_community(region)
        value = community.value if community else ""
        found.append(Origin(block.prefix(place_number(region)), region, value))
        found.append(Origin(f"{arm_place(block, region, home).address}/32", region, ""))
    return tuple(found)


def _carried(allowed: Sequence[str], home: str, faults: Faults) -> frozenset[str]:
    # Where nothing is validated, the loopback network lets nothing pass, because it has no way back; here
    # the routes stay, and it is the packets that find no way back.
    if faults.holds("tcp/nat-prefix-not-validated"):
        return frozenset(in_filter(allowed, home, faults))
    return passing(allowed, home, faults)


def _links(faults: Faults) -> tuple[str, ...]:
    if faults.holds("route/session-down"):
        return ()
    return MSEES[1:] if faults.holds("route/one-link-down") else MSEES


def _at_fault(fault: str, places: Iterable[Place], faults: Faults) -> tuple[Place, ...]:
    return tuple(place for place in places if faults.holds(fault, *place.names))


def _addresses(*places: Place) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place.address for place in places))


def _prefixes(origins: Iterable[Origin], places: tuple[Place, ...]) -> tuple[str, ...]:
    """The advertised prefixes that hold these places."""
    return tuple(
        origin.prefix
        for origin in origins
        if origin.community
        and any(ip_address(place.address) in ip_network(origin.prefix) for place in places)
    )
