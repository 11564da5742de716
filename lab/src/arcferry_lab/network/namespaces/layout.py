"""Making the namespaces: wires, addresses, and the routes that no protocol brings."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from arcferry_lab.network.block import Block
from arcferry_lab.network.namespaces.keeper import Keeper
from arcferry_lab.network.namespaces.tools import Tools
from arcferry_lab.network.namespaces.topology import (
    FIXED,
    FORWARDERS,
    INTERNET,
    NAMESPACES,
    PROXY,
    SITE,
    UPSTREAM,
    End,
    Wire,
    region_wire,
    standing_ipv6_routes,
    standing_routes,
)
from arcferry_lab.network.plan import OTHER_NET


class Layout:
    """The namespaces and their wires."""

    def __init__(self, keeper: Keeper, tools: Tools, block: Block) -> None:
        self._keeper = keeper
        self._ip = tools["ip"]
        self._other_company = block.prefix(OTHER_NET)

    async def make(self) -> None:
        """Make all that is always there.

        Raises:
            LabError: the kernel refuses.
        """
        await self._keeper.make(NAMESPACES)
        lines = _ends(FIXED)
        lines[SITE] += [f"addr add {address}/24 dev to-router" for address in (*FORWARDERS.values(), PROXY)]
        lines[INTERNET] += [f"addr add {address}/32 dev lo" for address in UPSTREAM.values()]
        for namespace, routes in standing_routes(self._other_company).items():
            lines[namespace] += [f"route add {route}" for route in routes]
        if _has_ipv6():
            for namespace, routes in standing_ipv6_routes().items():
                lines[namespace] += [f"route add {route}" for route in routes]
        await self._lay(FIXED, lines)

    async def add_region(self, region: str, number: int) -> str:
        """Make a region's namespace, wired to the core; its name.

        Raises:
            LabError: the kernel refuses.
        """
        wire = region_wire(region, number)
        name = wire.far.namespace
        await self._keeper.make([name])
        lines = _ends([wire])
        lines[name].append(f"route add default via {wire.near.address.ip}")
        await self._lay([wire], lines)
        return name

    async def add_addresses(self, namespace: str, addresses: Iterable[str]) -> None:
        """Let a namespace have these addresses.

        Raises:
            LabError: the kernel refuses.
        """
        await self._batch(namespace, [f"addr add {address}/32 dev lo" for address in addresses])

    async def _lay(self, wires: Iterable[Wire], lines: dict[str, list[str]]) -> None:
        wires = tuple(wires)
        await self._keeper.wire(
            [
                (wire.near.namespace, wire.near.interface, wire.far.namespace, wire.far.interface)
                for wire in wires
            ]
        )
        for namespace, own in lines.items():
            await self._batch(namespace, own)

    async def _batch(self, namespace: str, lines: list[str]) -> None:
        await self._keeper.run(namespace, [self._ip, "-batch", "-"], "\n".join(lines))


def _has_ipv6() -> bool:
    return Path("/proc/sys/net/ipv6").exists()


def _ends(wires: Iterable[Wire]) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(list)
    for wire in wires:
        for end in (wire.near, wire.far):
            if not lines[end.namespace]:
                lines[end.namespace].append("link set lo up")
            lines[end.namespace] += _end(end)
    return lines


def _end(end: End) -> list[str]:
    lines = [
        f"addr add {end.address} dev {end.interface}",
        # each packet for itself, as on a real wire, so that a rule about its length means what it says
        f"link set {end.interface} gso_max_segs 1",
        f"link set {end.interface} up",
    ]
    if end.ipv6 and _has_ipv6():
        lines.insert(0, f"addr add {end.ipv6} dev {end.interface} nodad")
    return lines
