"""The network of namespaces: hosts, routers that speak BGP, regions and resolvers, all on this computer."""

import asyncio
import errno
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from arcferry import catalog
from arcferry_lab.errors import LabError
from arcferry_lab.faults import NAMESPACES, Faults
from arcferry_lab.network import published
from arcferry_lab.network.certificates import place_context
from arcferry_lab.network.loopback import NEIGHBOURS
from arcferry_lab.network.namespaces.addresses import AzureAddresses
from arcferry_lab.network.namespaces.hosts import InnerHost, check_view, start_hosts
from arcferry_lab.network.namespaces.keeper import Keeper
from arcferry_lab.network.namespaces.layout import Layout
from arcferry_lab.network.namespaces.resolvers import DNS_PORT, Names
from arcferry_lab.network.namespaces.routers import Routers
from arcferry_lab.network.namespaces.situation import Situation, situation
from arcferry_lab.network.namespaces.stand import InnerProxy, Stand
from arcferry_lab.network.namespaces.tools import tools
from arcferry_lab.network.namespaces.topology import EDGE, FORWARDERS, INTERNET, PROXY, SITE, region_namespace
from arcferry_lab.network.network import Build
from arcferry_lab.network.plan import (
    Place,
    Service,
    arm_place,
    edge_places,
    entra_place,
    other_place,
    region_number,
    region_places,
)
from arcferry_lab.network.proxy import PROXY_NAME, Streams
from arcferry_lab.network.strangers import stranger_at
from arcferry_lab.network.struck import UNDOCUMENTED, Elsewhere
from arcferry_lab.network.zone import check_steered
from arcferry_lab.pki import Authority

PORT, PROXY_PORT = 443, 3128
_OTHER_NAMES = 40


class Namespaces:
    """The network of one twin, in namespaces that end with this process.

    Attributes:
        port: what every service listens on: 443, as in Azure.
        resolver: the company's forwarder that its hosts ask, as `address:port`.
        resolvers: each forwarder by its name.
        proxy: the URL of the company's proxy.
        regions: ARM names of the regions that it runs services in, the twin's own first.
        hosts: the company's hosts.
        rootless: whether it lives in a user namespace.
    """

    def __init__(self, folder: Path, home: str, authority: Authority, faults: Faults) -> None:
        region_number(home)
        self.port = PORT
        self.regions = tuple(dict.fromkeys((home, *NEIGHBOURS)))
        self.resolvers = {name: f"{address}:{DNS_PORT}" for name, address in FORWARDERS.items()}
        self.resolver = self.resolvers["corp"]
        self.proxy = f"http://{PROXY_NAME}:{PROXY_PORT}"
        self.hosts: tuple[InnerHost, ...] = ()
        self._home = home
        self._authority = authority
        self._faults = faults
        faults.network = NAMESPACES
        self._block = AzureAddresses()
        self._folder = folder / "network"
        self._tools = tools()
        self._keeper = Keeper(self._tools)
        self._layout = Layout(self._keeper, self._tools, self._block)
        self._names = Names(home, _elsewhere(self._block), faults)
        self._routers = Routers(self._folder, self._keeper, self._tools, self._block)
        self._stands: list[tuple[Place, Stand]] = []
        self._proxy: InnerProxy | None = None
        self._allowed: tuple[str, ...] = ()
        self._build: Build | None = None
        self._changing = asyncio.Lock()
        self._admitting: set[asyncio.Task[None]] = set()

    @property
    def steered(self) -> Mapping[str, str]:
        """Each steered name and the region that the hosts' own forwarder answers with."""
        return self._names.steered("corp")

    @property
    def rootless(self) -> bool:
        """Whether it lives in a user namespace, because this process is not root."""
        return self._keeper.rootless

    @property
    def arm_url(self) -> str:
        """ARM by its name, because its clients run inside."""
        return "https://management.azure.com"

    @property
    def authority_url(self) -> str:
        """Entra by its name, for the same reason."""
        return "https://login.microsoftonline.com"

    async def start(self, build: Build) -> None:
        """Make the namespaces, and start all that is in them; nothing is let through yet.

        Raises:
            BlockedError: this computer has not what it takes.
            LabError: a part of it could not be made.
        """
        self._build = build
        check_view()
        await self._keeper.start()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._layout.make()
        for number, region in enumerate(self.regions):
            await self._add_region(region, number)
        await self._take([entra_place(self._block, self.regions)], region_namespace(self._home))
        await self._take(list(edge_places(self._block)), EDGE)
        await self._take([other_place(self._block)], INTERNET)
        await self._names.start(self._keeper, self._tools, self._folder)
        self.hosts = await start_hosts(self._keeper, self._folder, FORWARDERS["corp"])
        await self._routers.start(self._now(), self.regions)
        await self.settle()

    async def stop(self) -> None:
        """End every process and every namespace."""
        for _, stand in self._stands:
            await stand.stop()
        self._stands.clear()
        if self._proxy:
            await self._proxy.stop()
        self._names.stop()
        await self._keeper.stop()

    async def allow(self, communities: Iterable[str]) -> None:
        """Let the route filter allow these communities, and nothing else."""
        self._allowed = tuple(communities)
        await self.settle()

    async def settle(self) -> None:
        """Let routers, firewalls and services be as the route filter and the faults have it.

        Returns when the routes are where they are to be.

        Raises:
            LabError: a router does not follow.
        """
        async with self._changing:
            if UNDOCUMENTED not in self.regions and self._is_on("route/region-without-community"):
                await self._extend(UNDOCUMENTED)
            for place, stand in self._stands:
                await stand.open(stranger_at(self._faults, place.names))
            await self._follow_proxy()
            await self._routers.follow(self._now(), self.regions)

    async def steer(self, name: str, region: str, resolver: str = "") -> None:
        """Let Traffic Manager's answer for a name lie in another region, which starts where it is new.

        Args:
            name: the steered name.
            region: where the answer is to lie.
            resolver: the forwarder whose answer moves; that of all where it is empty.

        Raises:
            UnknownNameError: it is not a steered name, no such region, or no such forwarder.
            LabError: no addresses are known of the region.
        """
        wanted = catalog.region(region, catalog.cloud("AzureCloud")).name
        check_steered(name)
        if resolver:
            self._names.check(resolver)
        if wanted not in self.regions:
            async with self._changing:
                await self._extend(wanted)
            await self.settle()
        self._names.steer(name, wanted, resolver)

    def steered_at(self, resolver: str) -> Mapping[str, str]:
        """Each steered name and the region that a forwarder answers with.

        Raises:
            UnknownNameError: there is no such forwarder.
        """
        return self._names.steered(resolver)

    def service_tags(self) -> dict[str, Any]:
        """The service-tag download of this network; it also knows a region without a community."""
        regions = dict.fromkeys((*self.regions, UNDOCUMENTED))
        return published.service_tags(self._block, regions, self._home)

    def bgp_communities(self) -> dict[str, Any]:
        """The community list of this network."""
        return published.bgp_communities(self._block, self.regions)

    async def capture(self, what: str = "all", link: str = "primary") -> str:
        """What an engineer sees on the customer's router, the command included.

        Args:
            what: `all` for its table, `received` for what a link brought before its own policy, `filtered`
                for what that policy dropped.
            link: `primary` or `secondary`, for what was received.

        Raises:
            UnknownNameError: no such capture, or no such link.
            LabError: the router does not answer.
        """
        return await self._routers.capture(what, link)

    async def route_rows(self, link: str) -> list[dict[str, Any]]:
        """The rows of Azure's route table of a link, `primary` or `secondary`.

        Raises:
            LabError: the MSEE does not answer.
        """
        return await self._routers.rows(link)

    def _now(self) -> Situation:
        places = [place for place, _ in self._stands]
        return situation(self._allowed, places, self._block, self.regions, self._faults)

    async def _extend(self, region: str) -> None:
        await self._add_region(region, len(self.regions))
        self.regions = (*self.regions, region)

    async def _add_region(self, region: str, number: int) -> None:
        places = [arm_place(self._block, region, self._home), *region_places(self._block, region)]
        await self._take(places, await self._layout.add_region(region, number))

    async def _take(self, places: list[Place], namespace: str) -> None:
        if self._build is None:
            raise LabError("the network has not been started")
        await self._layout.add_addresses(namespace, [place.address for place in places])
        for place in places:
            listener = await self._keeper.listen(namespace, place.address, self.port)
            context = place_context(_of_many_names(place), self._authority, self._faults)
            stand = Stand(listener, self._build(place), context)
            self._stands.append((place, stand))
            await stand.start()
        self._names.add(places)

    async def _follow_proxy(self) -> None:
        if self._is_on("proxy/unreachable"):
            if self._proxy:
                await self._proxy.stop()
                self._proxy = None
        elif self._proxy is None:
            listener = await self._keeper.listen(SITE, PROXY, PROXY_PORT)
            self._proxy = InnerProxy(self._by_internet, self._faults)
            await self._proxy.serve(listener)

    async def _by_internet(self, host: str, port: int) -> Streams:
        """A connection to a name past every router, as the proxy's own internet path has it."""
        place = self._names.place(host)
        if place is None or port != self.port:
            raise OSError(errno.EHOSTUNREACH, "the proxy knows no way there")
        stand = next(stand for known, stand in self._stands if known == place)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        serving = asyncio.create_task(stand.admit(theirs))
        self._admitting.add(serving)
        serving.add_done_callback(self._admitting.discard)
        return await asyncio.open_connection(sock=ours)

    def _is_on(self, name: str) -> bool:
        return any(one.fault.name == name for one in self._faults.active())


def _of_many_names(place: Place) -> Place:
    """The place as its certificate has it: as long as Azure's, which hold dozens of names.

    So a server's first answer fills more than one packet, and is of use to find out which packets are lost.
    """
    others = (f"node{number:02d}.{place.names[0]}" for number in range(_OTHER_NAMES))
    return replace(place, names=(*place.names, *others))


def _elsewhere(block: AzureAddresses) -> Elsewhere:
    undocumented = {place.service: place.address for place in region_places(block, UNDOCUMENTED)}
    edge, other = next(edge_places(block)), other_place(block)
    return Elsewhere(undocumented[Service.AGENT_SERVICE], edge.address, other.address)
