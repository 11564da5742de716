"""The loopback network: services on 127.B.x.y, the twin's own DNS, and gates that follow a route filter."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from arcferry import catalog
from arcferry_lab.errors import LabError
from arcferry_lab.faults import LOOPBACK, Faults
from arcferry_lab.network import published
from arcferry_lab.network.block import Block, first_free
from arcferry_lab.network.certificates import place_context
from arcferry_lab.network.dns import DnsServer
from arcferry_lab.network.gate import Gate
from arcferry_lab.network.plan import (
    DNS_ADDRESS,
    PROXY_ADDRESS,
    Place,
    Service,
    arm_place,
    edge_places,
    entra_place,
    other_place,
    region_number,
    region_places,
)
from arcferry_lab.network.proxy import PROXY_NAME, ConnectProxy, Streams
from arcferry_lab.network.strangers import stranger_at
from arcferry_lab.network.struck import UNDOCUMENTED, Elsewhere, struck_answer
from arcferry_lab.network.zone import Zone, check_steered
from arcferry_lab.peering import passing
from arcferry_lab.pki import Authority

NEIGHBOURS = ("eastasia", "southeastasia", "japaneast")
_PROXY_PORTS = (3128, *range(3129, 3229))
Build = Callable[[Place], web.Application]


class Loopback:
    """The network of one twin.

    Attributes:
        port: what every service listens on.
        resolver: the twin's DNS server, as `address:port`.
        proxy: the URL of the company's proxy, which reaches everything over the internet.
        regions: ARM names of the regions that it runs services in, the twin's own first.
    """

    def __init__(self, block: Block, port: int, home: str, authority: Authority, faults: Faults) -> None:
        region_number(home)
        self.block = block
        self.port = port
        self.regions = tuple(dict.fromkeys((home, *NEIGHBOURS)))
        self.resolver = ""
        self.proxy = ""
        self._home = home
        self._authority = authority
        self._faults = faults
        faults.network = LOOPBACK
        self._zone = Zone(home)
        self._elsewhere = _elsewhere(block)
        self._dns = DnsServer(lambda name: struck_answer(name, self._zone, faults, self._elsewhere))
        self._proxy = ConnectProxy(self._by_internet, faults)
        self._gates: list[tuple[Place, Gate]] = []
        self._allowed: frozenset[str] = frozenset()
        self._build: Build | None = None
        self._changing = asyncio.Lock()
        self._admitting: set[asyncio.Task[None]] = set()

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
        fixed = [entra_place(self.block, self.regions), *edge_places(self.block), other_place(self.block)]
        await self._take(fixed)
        for region in self.regions:
            await self._take(self._region(region))
        address = self.block.address(*DNS_ADDRESS)
        port = await self._dns.start(address, first_free(address, 53, *range(5353, 5453)))
        self.resolver = f"{address}:{port}"
        proxy = self.block.address(*PROXY_ADDRESS)
        self._zone.add_host(PROXY_NAME, proxy)
        self.proxy = f"http://{PROXY_NAME}:{first_free(proxy, *_PROXY_PORTS)}"
        await self.settle()

    async def stop(self) -> None:
        """Give everything back."""
        await self._proxy.stop()
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
            if UNDOCUMENTED not in self.regions and self._is_on("route/region-without-community"):
                await self._extend(UNDOCUMENTED)
            allowed = passing(self._allowed, self._home, self._faults)
            for place, gate in self._gates:
                await self._follow(place, gate, allowed)
            await self._follow_proxy()

    async def steer(self, name: str, region: str) -> None:
        """Let Traffic Manager's answer for a name lie in another region, which starts where it is new.

        Raises:
            UnknownNameError: it is not a steered name, or no such region.
        """
        wanted = catalog.region(region, catalog.cloud("AzureCloud")).name
        check_steered(name)
        if wanted not in self.regions:
            async with self._changing:
                await self._extend(wanted)
            await self.settle()
        self._zone.steer(name, wanted)

    def service_tags(self) -> dict[str, Any]:
        """The service-tag download of this network; it also knows a region without a community."""
        regions = dict.fromkeys((*self.regions, UNDOCUMENTED))
        return published.service_tags(self.block, regions, self._home)

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

    async def _extend(self, region: str) -> None:
        self.regions = (*self.regions, region)
        await self._take(self._region(region))

    def _is_on(self, name: str) -> bool:
        return any(one.fault.name == name for one in self._faults.active())

    async def _take(self, places: list[Place]) -> None:
        if self._build is None:
            raise LabError("the network has not been started")
        for place in places:
            context = place_context(place, self._authority, self._faults)
            gate = Gate(place.address, self.port, self._build(place), context)
            self._gates.append((place, gate))
            await gate.start()
        self._zone.add(places)

    async def _follow(self, place: Place, gate: Gate, allowed: frozenset[str]) -> None:
        if self._faults.holds("tcp/refused", *place.names):
            await gate.refuse()
        elif self._faults.holds("tcp/silent", *place.names):
            await gate.close()
        elif place.service is Service.OTHER or place.carried_by & allowed:
            await gate.open(stranger_at(self._faults, place.names))
        else:
            await gate.close()

    async def _follow_proxy(self) -> None:
        if self._is_on("proxy/unreachable"):
            await self._proxy.stop()
        else:
            port = int(self.proxy.rpartition(":")[2])
            await self._proxy.start(self.block.address(*PROXY_ADDRESS), port)

    async def _by_internet(self, host: str, port: int) -> Streams:
        """A connection to a name past every gate, as the proxy's own internet path has it."""
        place = self._zone.place(host)
        if place is None or port != self.port:
            raise OSError(errno.EHOSTUNREACH, "the proxy knows no way there")
        gate = next(gate for known, gate in self._gates if known == place)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        serving = asyncio.create_task(gate.admit(theirs))
        self._admitting.add(serving)
        serving.add_done_callback(self._admitting.discard)
        return await asyncio.open_connection(sock=ours)

    def _url(self, place: Place) -> str:
        return f"https://{place.address}:{self.port}"


def _elsewhere(block: Block) -> Elsewhere:
    undocumented = {place.service: place.address for place in region_places(block, UNDOCUMENTED)}
    edge, other = next(edge_places(block)), other_place(block)
    return Elsewhere(undocumented[Service.AGENT_SERVICE], edge.address, other.address)
