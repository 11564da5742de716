"""Where the twin's services live, under which names, and which community carries each."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from arcferry import catalog
from arcferry.catalog import Carrier
from arcferry_lab.errors import LabError
from arcferry_lab.names import bus_host, his_code
from arcferry_lab.network.block import Block

ENTRA_NET, ARM_NET, FRONT_DOOR_NET, CDN_NET = 60, 70, 200, 201
OTHER_NET = 202
HOST_NET, DNS_ADDRESS, PROXY_ADDRESS = 1, (0, 53), (0, 80)
_REGION_NUMBERS = range(2, 60)
_FIRST_UNDOCUMENTED = 100


class Service(StrEnum):
    """A service of the twin, or a place that Microsoft peering never carries: an edge, another company's."""

    HIS = "his"
    GLOBAL_HIS = "global-his"
    GAS = "gas"
    AGENT_SERVICE = "agent-service"
    NOTIFICATION = "notification"
    SERVICE_BUS = "service-bus"
    ENTRA = "entra"
    ARM = "arm"
    EDGE = "edge"
    OTHER = "other"


_IN_REGION = {
    Service.HIS: 1,
    Service.GAS: 2,
    Service.AGENT_SERVICE: 3,
    Service.NOTIFICATION: 4,
    Service.GLOBAL_HIS: 5,
    Service.SERVICE_BUS: 17,
}
_EDGE = {
    "packages.microsoft.com": (FRONT_DOOR_NET, 1),
    "aka.ms": (FRONT_DOOR_NET, 2),
    "download.microsoft.com": (CDN_NET, 1),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A service at an address.

    Attributes:
        region: the ARM name of the region it is in; empty for Entra and edge networks.
        names: the host names that lead to it, the best known first.
        carried_by: the communities that carry its address; none means that nothing does.
    """

    service: Service
    region: str
    address: str
    names: tuple[str, ...]
    carried_by: frozenset[str]


def region_number(region: str) -> int:
    """The NN of a region's community 12076:510NN, which is also the third part of its addresses.

    Raises:
        UnknownNameError: there is no such region.
        LabError: no community is documented for it, so no route filter could carry it.
    """
    name = catalog.region(region, catalog.cloud("AzureCloud")).name
    community = catalog.region_community(name)
    number = int(community.value[-2:]) if community else 0
    if number not in _REGION_NUMBERS:
        raise LabError(
            f"the twin has no {name}: no BGP community is documented for it",
            hint="Take a region with a community, such as eastasia, japaneast or westeurope.",
        )
    return number


def place_number(region: str) -> int:
    """The third part of a region's addresses, also of a region without a documented community.

    Raises:
        UnknownNameError: there is no such region.
    """
    cloud = catalog.cloud("AzureCloud")
    name = catalog.region(region, cloud).name
    undocumented = catalog.regions_without_community(cloud)
    return _FIRST_UNDOCUMENTED + undocumented.index(name) if name in undocumented else region_number(name)


def region_places(block: Block, region: str) -> Iterator[Place]:
    """Every service that the twin runs in one region."""
    number = place_number(region)
    community = catalog.region_community(region)
    carried_by = frozenset({community.value} if community else ())
    for service, fourth in _IN_REGION.items():
        address = block.address(number, fourth)
        yield Place(service, region, address, _names(service, region), carried_by)


def arm_place(block: Block, region: str, home: str) -> Place:
    """ARM as one region runs it; the twin's own region has the address that outside clients are told."""
    fourth = 1 if region == home else place_number(region)
    names = ("management.azure.com", f"{region}.management.azure.com")
    return Place(Service.ARM, region, block.address(ARM_NET, fourth), names, _service_community(Carrier.ARM))


def entra_place(block: Block, regions: tuple[str, ...]) -> Place:
    """Entra's sign-in service."""
    regional = tuple(f"{region}.login.microsoft.com" for region in regions)
    names = ("login.microsoftonline.com", "login.windows.net", "pas.windows.net", *regional)
    return Place(Service.ENTRA, "", block.address(ENTRA_NET, 1), names, _service_community(Carrier.ENTRA))


def edge_places(block: Block) -> Iterator[Place]:
    """What lies on Front Door or a CDN: it has an address, and never a route."""
    for name, (third, fourth) in _EDGE.items():
        yield Place(Service.EDGE, "", block.address(third, fourth), (name,), frozenset())


def other_place(block: Block) -> Place:
    """Another company's web server: the internet reaches it, and Azure has nothing to do with it."""
    return Place(Service.OTHER, "", block.address(OTHER_NET, 1), ("shop.fabrikam.example",), frozenset())


def _names(service: Service, region: str) -> tuple[str, ...]:
    return {
        Service.HIS: (f"{his_code(region)}.his.arc.azure.com",),
        Service.GLOBAL_HIS: ("gbl.his.arc.azure.com",),
        Service.GAS: (f"{region}-gas.guestconfiguration.azure.com",),
        Service.AGENT_SERVICE: ("agentserviceapi.guestconfiguration.azure.com",),
        Service.NOTIFICATION: ("guestnotificationservice.azure.com",),
        Service.SERVICE_BUS: (bus_host(region),),
    }[service]


def _service_community(carrier: Carrier) -> frozenset[str]:
    community = catalog.service_community(carrier, catalog.cloud("AzureCloud"))
    return frozenset({community.value}) if community else frozenset()
