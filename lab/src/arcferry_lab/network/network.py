"""What a twin asks of its network, whichever kind it is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from aiohttp import web

from arcferry_lab.network.plan import Place

Build = Callable[[Place], web.Application]


class Network(Protocol):
    """The network of one twin: on loopback, or of namespaces.

    Attributes:
        port: what every service listens on.
        resolver: the DNS server that clients ask by default, as `address:port`.
        proxy: the URL of the company's proxy.
        regions: ARM names of the regions that it runs services in, the twin's own first.
    """

    port: int
    resolver: str
    proxy: str
    regions: tuple[str, ...]

    @property
    def steered(self) -> Mapping[str, str]:
        """Each steered name and the region it answers with."""

    @property
    def arm_url(self) -> str:
        """ARM by address, for clients outside the twin's DNS."""

    @property
    def authority_url(self) -> str:
        """Entra by address, for the same."""

    async def start(self, build: Build) -> None:
        """Take every address, let nothing through, and answer DNS."""

    async def stop(self) -> None:
        """Give everything back."""

    async def allow(self, communities: Iterable[str]) -> None:
        """Let through what these communities carry, and nothing else."""

    async def settle(self) -> None:
        """Become what the route filter and the switched-on faults have it."""

    async def steer(self, name: str, region: str) -> None:
        """Let Traffic Manager's answer for a name lie in another region."""

    def service_tags(self) -> dict[str, Any]:
        """The service-tag download of this network."""

    def bgp_communities(self) -> dict[str, Any]:
        """The community list of this network."""
