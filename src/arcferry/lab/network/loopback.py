"""The loopback network: services on 127.B.x.y, the twin's own DNS, and gates that follow a route filter."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from arcferry import catalog
from arcferry.errors import LabError
from arcferry.lab.faults import Faults
from arcferry.lab.network import published
from arcferry.lab.network.block import Block, first_free
from arcferry.lab.network.certificates import place_context
from arcferry.lab.network.dns import Answer, DnsServer
from arcferry.lab.network.gate import Gate
from arcferry.lab.network.plan import (
    DNS_ADDRESS,
    Place,
    Service,
    arm_place,
    edge_places,
    entra_place,
    region_number,
    region_places,
)
from arcferry.lab.network.zone import Zone, check_steered
from arcferry.lab.pki import Authority

NEIGHBOURS = ("eastasia", "southeastasia", "japaneast")
Build = Callable[[Place], web.Application]


class Loopback:
    """The network of one twin.

    Attributes:
        port: what every service listens on.
        resolver: the twin's DNS server, as `address:port`.
        regions: ARM names of the regions that it runs services in, the twin's own first.
    """

    def __init__(self, block: Block, port: int, home: str, authority: Authority, faults: Faults) -> None:
        region_number(home)
        self.block = block
        self.port = port
        self.regions = tuple(dict.fromkeys((home, *NEIGHBOURS)))
        self.resolver = ""
        self._home = home
        self._authority = authority
        self._faults = faults
        self._zone = Zone(home)
        self._dns = DnsServer(self._answer)
        self._gates: list[tuple[Place, Gate]] = []
        self._allowed: frozenset[str] = frozenset()
        self._build: Build | None = None
        self._changing = asyncio.Lock()

    @property
    def steered(self) -> Mapping[str, str]:
        """Each steered name and the region it answers with."""
        return dict(self._zone.steered)

    @property
    def arm_url(self) -> str:
        """ARM by address, for clients outside the twin's DNS."""
        return self._url(arm_place(self.block, self._home, self._home))

    @property
    def authority_url(self) -> str:
        """Entra by address, for the same."""
        return self._url(entra_place(self.block, self.regions))

    async def start(self, build: Build) -> None:
        """Take every address, all gates closed, and answer DNS.

        Raises:
            LabError: an address or port cannot be had.
        """
        self._build = build
        await self._take([entra_place(self.block, self.regions), *edge_places(self.block)])
        for region in self.regions:
            await self._take(self._region(region))
        address = self.block.address(*DNS_ADDRESS)
        port = await self._dns.start(address, first_free(address, 53, *range(5353, 5453)))
        self.resolver = f"{address}:{port}"

    async def stop(self) -> None:
        """Give everything back."""
        await self._dns.stop()
        for _, gate in self._gates:
            await gate.stop()
        self._gates.clear()

    async def allow(self, communities: Iterable[str]) -> None:
        """Open the gates that these communities carry, and close all others."""
        self._allowed = frozenset(communities)
        await self.settle()

    async def settle(self) -> None:
        """Let every gate be as the route filter and the faults of TCP have it."""
        async with self._changing:
            for place, gate in self._gates:
                await self._follow(place, gate)

    async def steer(self, name: str, region: str) -> None:
        """Let Traffic Manager's answer for a name lie in another region, which starts where it is new.

        Raises:
            UnknownNameError: it is not a steered name, or no such region.
            LabError: the region has no documented community.
        """
        wanted = catalog.region(region, catalog.cloud("AzureCloud")).name
        check_steered(name)
        if wanted not in self.regions:
            places = self._region(wanted)
            self.regions = (*self.regions, wanted)
            await self._take(places)
            await self.settle()
        self._zone.steer(name, wanted)

    def service_tags(self) -> dict[str, Any]:
        """The service-tag download of this network."""
        return published.service_tags(self.block, self.regions, self._home)

    def bgp_communities(self) -> dict[str, Any]:
        """The community list of this network."""
        return published.bgp_communities(self.block, self.regions)

    def place(self, service: Service, region: str = "") -> Place:
        """Where a service is.

        Raises:
            LabError: the twin does not run it there.
        """
        for place, _ in self._gates:
            if place.service is service and (not region or place.region == region):
                return place
        raise LabError(f"the twin runs no {service} in {region}")

    def is_open(self, place: Place) -> bool:
        """Whether a route to this place exists now."""
        return any(gate.is_open for known, gate in self._gates if known == place)

    def _region(self, region: str) -> list[Place]:
        return [arm_place(self.block, region, self._home), *region_places(self.block, region)]

    async def _take(self, places: list[Place]) -> None:
        if self._build is None:
            raise LabError("the network has not been started")
        for place in places:
            context = place_context(place, self._authority, self._faults)
            gate = Gate(place.address, self.port, self._build(place), context)
            self._gates.append((place, gate))
            await gate.start()
        self._zone.add(places)

    async def _follow(self, place: Place, gate: Gate) -> None:
        if self._faults.holds("tcp/refused", *place.names):
            await gate.refuse()
        elif place.carried_by & self._allowed and not self._faults.holds("tcp/silent", *place.names):
            await gate.open()
        else:
            await gate.close()

    def _url(self, place: Place) -> str:
        return f"https://{place.address}:{self.port}"

    def _answer(self, name: str) -> Answer | None:
        if self._faults.take("dns/silent", name):
            return None
        if self._faults.take("dns/nxdomain", name):
            return Answer(rcode="NXDOMAIN")
        if self._faults.take("dns/servfail", name):
            return Answer(rcode="SERVFAIL")
        return self._zone.answer(name)
