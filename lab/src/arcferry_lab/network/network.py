"""What both kinds of network of a twin have in common: services, names that lead to them, and a proxy."""

import asyncio
import errno
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from arcferry import catalog
from arcferry_lab.faults import Faults
from arcferry_lab.network import published
from arcferry_lab.network.block import Block
from arcferry_lab.network.dns_faults import UNDOCUMENTED, ForeignAddresses
from arcferry_lab.network.gate import Gate
from arcferry_lab.network.plan import (
    Place,
    Service,
    arm_place,
    edge_places,
    other_place,
    region_number,
    region_places,
)
from arcferry_lab.network.proxy import ConnectProxy, Streams
from arcferry_lab.network.zone import check_steered
from arcferry_lab.pki import Authority

NEIGHBOURS = ("eastasia", "southeastasia", "japaneast")
Build = Callable[[Place], web.Application]


class TwinNetwork(ABC):
    """The network of one twin: on loopback, or of namespaces.

    Attributes:
        block: the addresses that it gives to its services.
        port: what every service listens on.
        resolver: the DNS server that clients ask by default, as `address:port`.
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
        self._gates: list[tuple[Place, Gate]] = []
        self._connect_proxy = ConnectProxy(self._by_internet, faults)
        self._allowed: tuple[str, ...] = ()
        self._changing = asyncio.Lock()

    @property
    @abstractmethod
    def steered(self) -> Mapping[str, str]:
        """Each steered name and the region it answers with."""

    @property
    @abstractmethod
    def arm_url(self) -> str:
        """ARM as clients reach it."""

    @property
    @abstractmethod
    def authority_url(self) -> str:
        """Entra as clients reach it."""

    @abstractmethod
    async def start(self, build: Build) -> None:
        """Take every address, let nothing through, and answer DNS.

        Raises:
            BlockedError: this computer has not what it takes.
            LabError: an address, a port or a part of the network cannot be had.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Give everything back."""

    async def allow(self, communities: Iterable[str]) -> None:
        """Let through what these communities carry, and nothing else."""
        self._allowed = tuple(communities)
        await self.settle()

    async def settle(self) -> None:
        """Become what the route filter and the switched-on faults have it.

        Raises:
            LabError: a part of the network does not follow.
        """
        async with self._changing:
            if UNDOCUMENTED not in self.regions and self._faults.are_on("route/region-without-community"):
                await self._extend(UNDOCUMENTED)
            await self._follow()

    async def steer(self, name: str, region: str, resolver: str = "") -> None:
        """Let Traffic Manager's answer for a name lie in another region, which starts where it is new.

        Args:
            name: the steered name.
            region: where the answer is to lie.
            resolver: the resolver whose answer moves; that of all where it is empty.

        Raises:
            UnknownNameError: it is not a steered name, no such region, or no such resolver.
            InputError: a resolver is named, and the network has one alone.
            LabError: no addresses are known of the region.
        """
        wanted = catalog.region(region, catalog.cloud("AzureCloud")).name
        check_steered(name)
        self._check_resolver(resolver)
        if wanted not in self.regions:
            async with self._changing:
                await self._extend(wanted)
            await self.settle()
        self._move(name, wanted, resolver)

    def service_tags(self) -> dict[str, Any]:
        """The service-tag download of this network; it also knows a region without a community."""
        return published.service_tags(self.block, dict.fromkeys((*self.regions, UNDOCUMENTED)), self._home)

    def bgp_communities(self) -> dict[str, Any]:
        """The community list of this network."""
        return published.bgp_communities(self.block, self.regions)

    @abstractmethod
    async def _follow(self) -> None:
        """Let gates, routers and proxy be as the route filter and the faults have them."""

    @abstractmethod
    async def _add_region(self, region: str, number: int) -> None:
        """Start every service of a region, the `number`th of this network."""

    @abstractmethod
    def _check_resolver(self, name: str) -> None:
        """Raise UnknownNameError or InputError for a resolver that is not here; an empty name is for all."""

    @abstractmethod
    def _move(self, name: str, region: str, resolver: str) -> None:
        """Move a steered name's answer."""

    @abstractmethod
    def _place(self, name: str) -> Place | None:
        """Where a name leads on the internet."""

    def _services_of(self, region: str) -> list[Place]:
        return [arm_place(self.block, region, self._home), *region_places(self.block, region)]

    def _addresses_elsewhere(self) -> ForeignAddresses:
        undocumented = {place.service: place.address for place in region_places(self.block, UNDOCUMENTED)}
        edge, other = next(edge_places(self.block)), other_place(self.block)
        return ForeignAddresses(undocumented[Service.AGENT_SERVICE], edge.address, other.address)

    async def _extend(self, region: str) -> None:
        await self._add_region(region, len(self.regions))
        self.regions = (*self.regions, region)

    async def _stop_services(self) -> None:
        await self._connect_proxy.stop()
        for _, gate in self._gates:
            await gate.stop()
        self._gates.clear()

    async def _by_internet(self, host: str, port: int) -> Streams:
        """A connection to a name past every gate and router, as the proxy's own internet path has it."""
        place = self._place(host)
        if place is None or port != self.port:
            raise OSError(errno.EHOSTUNREACH, "the proxy knows no way there")
        gate = next(gate for known, gate in self._gates if known == place)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        gate.admit(theirs)
        return await asyncio.open_connection(sock=ours)
