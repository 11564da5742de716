"""DNS: two public resolvers that answer differently, and dnsmasq as the company's forwarders to them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from arcferry.errors import UnknownNameError
from arcferry_lab.faults import Faults
from arcferry_lab.network.dns import DnsResponse, DnsServer
from arcferry_lab.network.dns_faults import ForeignAddresses, faulty_answer
from arcferry_lab.network.namespaces.keeper import Keeper
from arcferry_lab.network.namespaces.tools import Tools
from arcferry_lab.network.namespaces.topology import FORWARDERS, INTERNET, PROXY, SITE, UPSTREAM
from arcferry_lab.network.plan import Place
from arcferry_lab.network.proxy import PROXY_NAME
from arcferry_lab.network.zone import Zone

DNS_PORT = 53
IPV6_ANSWER = "2603:1040:200::1e"
"""An address of East Asia's IPv6 range: AzureCloud.eastasia holds 2603:1040:200::/46."""
_IPV6_ALONE = "route/ipv6-not-peered"
_BOTH_FAMILIES = ("risk/ipv6-leads-nowhere", "route/ipv6-filtered", "route/ipv6-swallowed")


class PublicResolvers:
    """What the resolvers answer. Traffic Manager's answer depends on the resolver that asks."""

    def __init__(self, home: str, elsewhere: ForeignAddresses, faults: Faults) -> None:
        self._faults = faults
        self._elsewhere = elsewhere
        self._zones = {name: Zone(home) for name in FORWARDERS}
        self._public = {name: DnsServer(partial(self._answer, zone)) for name, zone in self._zones.items()}
        for zone in self._zones.values():
            zone.add_host(PROXY_NAME, PROXY)

    async def start(self, keeper: Keeper, tools: Tools, folder: Path) -> None:
        """Start the public resolvers, and the company's forwarders.

        Raises:
            LabError: one cannot be started.
        """
        for name, public in self._public.items():
            udp, tcp = [
                await keeper.listen(INTERNET, UPSTREAM[name], DNS_PORT, kind) for kind in ("udp", "tcp")
            ]
            await public.serve(udp, tcp)
        await start_forwarders(keeper, tools, folder)

    async def stop(self) -> None:
        """Answer no more."""
        for public in self._public.values():
            await public.stop()

    def add(self, places: Iterable[Place]) -> None:
        """Let every resolver know of these places."""
        places = tuple(places)
        for zone in self._zones.values():
            zone.add(places)

    def place(self, name: str) -> Place | None:
        """Where a name leads the company's own forwarder."""
        return self._zones["corp"].place(name)

    def steered(self, resolver: str) -> Mapping[str, str]:
        """Each steered name and the region that a forwarder gives.

        Raises:
            UnknownNameError: there is no such forwarder.
        """
        return dict(self._zone(resolver).steered)

    def steer(self, name: str, region: str, resolver: str) -> None:
        """Move the answer of one forwarder, or of all where `resolver` is empty.

        Raises:
            UnknownNameError: the name is not steered, or there is no such forwarder.
        """
        for zone in [self._zone(resolver)] if resolver else self._zones.values():
            zone.steer(name, region)

    def check(self, resolver: str) -> None:
        """Make sure that a forwarder is called so.

        Raises:
            UnknownNameError: none is.
        """
        self._zone(resolver)

    def _zone(self, resolver: str) -> Zone:
        if resolver not in self._zones:
            raise UnknownNameError("resolver", resolver, self._zones)
        return self._zones[resolver]

    def _answer(self, zone: Zone, name: str) -> DnsResponse | None:
        found = faulty_answer(name, zone, self._faults, self._elsewhere)
        if not found or not found.addresses:
            return found
        if self._struck(zone, name, _IPV6_ALONE):
            return replace(found, addresses=(IPV6_ANSWER,))
        if self._struck(zone, name, *_BOTH_FAMILIES):
            return replace(found, addresses=(*found.addresses, IPV6_ANSWER))
        return found

    def _struck(self, zone: Zone, name: str, *faults: str) -> bool:
        """Whether one of these faults strikes a name: the endpoint's own, or one that it is an alias of."""
        hosts = [one.host for one in self._faults.active() if one.fault.name in faults]
        held = any(self._faults.holds(fault, name) for fault in faults)
        return held or any(name in zone.answer(host).chain for host in hosts)


async def start_forwarders(keeper: Keeper, tools: Tools, folder: Path) -> None:
    """Run the company's forwarders.

    They keep no answers, so that a steered name moves at once; a company's keep them for their time to live.

    Raises:
        LabError: one cannot be started.
    """
    for name, address in FORWARDERS.items():
        # --no-daemon, because otherwise it drops its groups, which a user namespace forbids
        command = [
            tools["dnsmasq"], "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--no-poll", "--cache-size=0", "--bind-interfaces", "--except-interface=lo",
            f"--listen-address={address}", f"--server={UPSTREAM[name]}", f"--port={DNS_PORT}",
        ]  # fmt: skip
        await keeper.launch(SITE, command, folder)
