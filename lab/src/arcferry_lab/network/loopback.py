"""The loopback network: services on 127.B.x.y, the twin's own DNS, and gates that follow a route filter."""

from collections.abc import Mapping

from arcferry.errors import InputError
from arcferry_lab.errors import LabError
from arcferry_lab.faults import LOOPBACK, Faults
from arcferry_lab.network.block import Block, first_free
from arcferry_lab.network.certificates import place_context
from arcferry_lab.network.dns import DnsServer
from arcferry_lab.network.dns_faults import faulty_answer
from arcferry_lab.network.gate import Gate
from arcferry_lab.network.network import Build, TwinNetwork
from arcferry_lab.network.plan import (
    DNS_ADDRESS,
    PROXY_ADDRESS,
    Place,
    Service,
    arm_place,
    edge_places,
    entra_place,
    other_place,
)
from arcferry_lab.network.proxy import PROXY_NAME
from arcferry_lab.network.tls_faults import faulty_server_at
from arcferry_lab.network.zone import Zone
from arcferry_lab.peering import passing
from arcferry_lab.pki import Authority

_PROXY_PORTS = (3128, *range(3129, 3229))


class Loopback(TwinNetwork):
    """The network of one twin on addresses of this computer's own, which no route filter could keep apart.

    So each service has a gate, which is open while the filter would carry its address.
    """

    def __init__(self, block: Block, port: int, home: str, authority: Authority, faults: Faults) -> None:
        super().__init__(block, port, home, authority, faults)
        faults.network = LOOPBACK
        self._zone = Zone(home)
        elsewhere = self._addresses_elsewhere()
        self._dns = DnsServer(lambda name: faulty_answer(name, self._zone, faults, elsewhere))

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
        await self._take(
            [entra_place(self.block, self.regions), *edge_places(self.block), other_place(self.block)]
        )
        for number, region in enumerate(self.regions):
            await self._add_region(region, number)
        address = self.block.address(*DNS_ADDRESS)
        port = await self._dns.start(address, first_free(address, 53, *range(5353, 5453)))
        self.resolver = f"{address}:{port}"
        proxy = self.block.address(*PROXY_ADDRESS)
        self._zone.add_host(PROXY_NAME, proxy)
        self.proxy = f"http://{PROXY_NAME}:{first_free(proxy, *_PROXY_PORTS)}"
        await self.settle()

    async def stop(self) -> None:
        """Give everything back."""
        await self._dns.stop()
        await self._stop_services()

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

    async def _add_region(self, region: str, number: int) -> None:
        del number
        await self._take(self._services_of(region))

    async def _take(self, places: list[Place]) -> None:
        for place in places:
            context = place_context(place, self._authority, self._faults)
            gate = Gate(place.address, self.port, self._build(place), context)
            self._gates.append((place, gate))
            await gate.start()
        self._zone.add(places)

    async def _follow(self) -> None:
        allowed = passing(self._allowed, self._home, self._faults)
        for place, gate in self._gates:
            await self._follow_at(place, gate, allowed)
        if self._faults.are_on("proxy/unreachable"):
            await self._connect_proxy.stop()
        else:
            port = int(self.proxy.rpartition(":")[2])
            await self._connect_proxy.start(self.block.address(*PROXY_ADDRESS), port)

    async def _follow_at(self, place: Place, gate: Gate, allowed: frozenset[str]) -> None:
        if self._faults.holds("tcp/refused", *place.names):
            await gate.refuse()
        elif self._faults.holds("tcp/silent", *place.names):
            await gate.close()
        elif place.service is Service.OTHER or place.carried_by & allowed:
            await gate.open(faulty_server_at(self._faults, place.names))
        else:
            await gate.close()

    def _check_resolver(self, name: str) -> None:
        if name:
            raise InputError(
                "the loopback network has one resolver, which has no name",
                hint="Leave --resolver out, or use --network namespaces.",
            )

    def _move(self, name: str, region: str, resolver: str) -> None:
        del resolver
        self._zone.steer(name, region)

    def _place(self, name: str) -> Place | None:
        return self._zone.place(name)

    def _url(self, place: Place) -> str:
        return f"https://{place.address}:{self.port}"
