"""The network of namespaces: hosts, routers that speak BGP, regions and resolvers, all on this computer."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from arcferry_lab.faults import NAMESPACES, Faults
from arcferry_lab.network.certificates import place_context
from arcferry_lab.network.gate import Gate
from arcferry_lab.network.namespaces.addresses import AzureAddresses
from arcferry_lab.network.namespaces.hosts import InnerHost, check_view, start_hosts
from arcferry_lab.network.namespaces.keeper import Keeper
from arcferry_lab.network.namespaces.layout import Layout
from arcferry_lab.network.namespaces.resolvers import DNS_PORT, PublicResolvers
from arcferry_lab.network.namespaces.routers import Routers
from arcferry_lab.network.namespaces.routing_state import RoutingState, routing_state
from arcferry_lab.network.namespaces.tools import tools
from arcferry_lab.network.namespaces.topology import EDGE, FORWARDERS, INTERNET, PROXY, SITE, region_namespace
from arcferry_lab.network.network import Build, TwinNetwork
from arcferry_lab.network.plan import Place, edge_places, entra_place, other_place
from arcferry_lab.network.proxy import PROXY_NAME
from arcferry_lab.network.tls_faults import faulty_server_at
from arcferry_lab.pki import Authority

PORT, PROXY_PORT = 443, 3128
_OTHER_NAMES = 40


class Namespaces(TwinNetwork):
    """The network of one twin in namespaces that end with this process, at Azure's own names and addresses.

    Attributes:
        resolvers: each of the company's forwarders by its name; its hosts ask `corp`.
        hosts: the company's hosts.
    """

    def __init__(self, folder: Path, home: str, authority: Authority, faults: Faults) -> None:
        super().__init__(AzureAddresses(), PORT, home, authority, faults)
        self.resolvers = {name: f"{address}:{DNS_PORT}" for name, address in FORWARDERS.items()}
        self.resolver = self.resolvers["corp"]
        self.proxy = f"http://{PROXY_NAME}:{PROXY_PORT}"
        self.hosts: tuple[InnerHost, ...] = ()
        faults.network = NAMESPACES
        self._folder = folder / "network"
        self._tools = tools()
        self._keeper = Keeper(self._tools)
        self._layout = Layout(self._keeper, self._tools, self.block)
        self._resolvers = PublicResolvers(home, self._addresses_elsewhere(), faults)
        self._routers = Routers(self._folder, self._keeper, self._tools, self.block)

    @property
    def steered(self) -> Mapping[str, str]:
        """Each steered name and the region that the hosts' own forwarder answers with."""
        return self._resolvers.steered("corp")

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
        await self._take([entra_place(self.block, self.regions)], region_namespace(self._home))
        await self._take(list(edge_places(self.block)), EDGE)
        await self._take([other_place(self.block)], INTERNET)
        await self._resolvers.start(self._keeper, self._tools, self._folder)
        self.hosts = await start_hosts(self._keeper, self._folder, FORWARDERS["corp"])
        await self._routers.start(self._now(), self.regions)
        await self.settle()

    async def stop(self) -> None:
        """End every process and every namespace."""
        await self._stop_services()
        await self._resolvers.stop()
        await self._keeper.stop()

    def steered_at(self, resolver: str) -> Mapping[str, str]:
        """Each steered name and the region that a forwarder answers with.

        Raises:
            UnknownNameError: there is no such forwarder.
        """
        return self._resolvers.steered(resolver)

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

    def _now(self) -> RoutingState:
        places = [place for place, _ in self._gates]
        return routing_state(self._allowed, places, self.block, self.regions, self._faults)

    async def _add_region(self, region: str, number: int) -> None:
        await self._take(self._services_of(region), await self._layout.add_region(region, number))

    async def _take(self, places: list[Place], namespace: str) -> None:
        await self._layout.add_addresses(namespace, [place.address for place in places])
        for place in places:
            listener = await self._keeper.listen(namespace, place.address, self.port)
            context = place_context(_of_many_names(place), self._authority, self._faults)
            gate = Gate(place.address, self.port, self._build(place), context, listener)
            self._gates.append((place, gate))
            await gate.start()
        self._resolvers.add(places)

    async def _follow(self) -> None:
        for place, gate in self._gates:
            await gate.open(faulty_server_at(self._faults, place.names))
        if self._faults.are_on("proxy/unreachable"):
            await self._connect_proxy.stop()
        elif not self._connect_proxy.is_serving:
            await self._connect_proxy.serve(await self._keeper.listen(SITE, PROXY, PROXY_PORT))
        await self._routers.follow(self._now(), self.regions)

    def _check_resolver(self, name: str) -> None:
        if name:
            self._resolvers.check(name)

    def _move(self, name: str, region: str, resolver: str) -> None:
        self._resolvers.steer(name, region, resolver)

    def _place(self, name: str) -> Place | None:
        return self._resolvers.place(name)


def _of_many_names(place: Place) -> Place:
    """The place as its certificate has it: as long as Azure's, which hold dozens of names.

    So a server's first answer fills more than one packet, and is of use to find out which packets are lost.
    """
    others = (f"node{number:02d}.{place.names[0]}" for number in range(_OTHER_NAMES))
    return replace(place, names=(*place.names, *others))
