"""The four routers together: the customer's, both MSEEs and Microsoft's core."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arcferry.errors import UnknownNameError
from arcferry_lab.errors import LabError
from arcferry_lab.network.block import Block
from arcferry_lab.network.namespaces import bird, firewall
from arcferry_lab.network.namespaces.keeper import Keeper
from arcferry_lab.network.namespaces.router import Router
from arcferry_lab.network.namespaces.routing_state import RoutingState
from arcferry_lab.network.namespaces.tools import Tools
from arcferry_lab.network.namespaces.topology import CORE, CUSTOMER_AS, MSEES, NAT_POOL, ROUTER, between
from arcferry_lab.network.plan import CDN_NET, FRONT_DOOR_NET

_SETTLE_SECONDS = 20.0
_POLL_SECONDS = 0.03
CAPTURES = {
    "all": "show route all",
    "received": "show route all import table msee_{link}.ipv4",
    "filtered": "show route all filtered",
}


class Routers:
    """The routers, and what their firewalls do."""

    def __init__(self, folder: Path, keeper: Keeper, tools: Tools, block: Block) -> None:
        names = (ROUTER, *MSEES, CORE)
        self._routers = {name: Router(name, folder, keeper, tools) for name in names}
        self._edges = (block.prefix(FRONT_DOOR_NET), block.prefix(CDN_NET))

    async def start(self, now: RoutingState, regions: tuple[str, ...]) -> None:
        """Start all of them.

        Raises:
            LabError: one does not start.
        """
        starting = (
            router.start(self._configuration(name, now, regions)) for name, router in self._routers.items()
        )
        await asyncio.gather(*starting)

    async def follow(self, now: RoutingState, regions: tuple[str, ...]) -> None:
        """Follow a routing state; returns when the routes are where they are to be.

        Raises:
            LabError: one does not follow.
        """
        changes = [
            router.configure(self._configuration(name, now, regions))
            for name, router in self._routers.items()
        ]
        changes.append(self._routers[ROUTER].guard(firewall.customer(now)))
        changes += [self._routers[link].guard(firewall.msee(now)) for link in MSEES]
        await asyncio.gather(*changes)
        received = frozenset((prefix, f"msee_{link}") for prefix, link in now.received())
        await _until(self._routers[ROUTER], received)
        back = now.links if now.peering and now.validated and now.announced else ()
        await _until(self._routers[CORE], frozenset((NAT_POOL, f"msee_{link}") for link in back))

    async def capture(self, what: str, link: str) -> str:
        """What an engineer sees on the customer's router, the command included.

        Raises:
            UnknownNameError: no such capture, or no such link.
            LabError: the router does not answer, or a link that is down brings nothing.
        """
        if what not in CAPTURES:
            raise UnknownNameError("capture", what, CAPTURES)
        if link not in MSEES:
            raise UnknownNameError("link", link, MSEES)
        command = CAPTURES[what].format(link=link)
        protocols = (await self._routers[ROUTER].ask("show protocols")).splitlines()
        established = {line.split()[0] for line in protocols if "Established" in line}
        if what == "received" and f"msee_{link}" not in established:
            raise LabError(
                f"the {link} link brings nothing: its BGP session is down",
                hint="arcferry lab fault list says why; without --received the router's table is printed.",
            )
        return f"bird> {command}\n" + await self._routers[ROUTER].ask(command)

    async def rows(self, link: str) -> list[dict[str, Any]]:
        """The rows of Azure's route table of a link: the MSEE's whole table, both sides' prefixes in it.

        Which of them Azure shows is not documented; published tables have both.

        Raises:
            LabError: the MSEE does not answer.
        """
        sides = {
            "customer": (between(ROUTER, link).near.address.ip, f"{CUSTOMER_AS} I"),
            "core": (between(CORE, link).near.address.ip, "?"),
        }
        rows = []
        for prefix, protocol in sorted(await self._routers[link].learnt()):
            next_hop, path = sides[protocol]
            row = {"network": prefix, "nextHop": str(next_hop), "locPrf": "", "weight": 0, "path": path}
            rows.append(row)
        return rows

    def _configuration(self, name: str, now: RoutingState, regions: Sequence[str]) -> str:
        if name == ROUTER:
            return bird.customer(now)
        return bird.msee(name, now) if name in MSEES else bird.core(now, regions, self._edges)


async def _until(router: Router, wanted: frozenset[tuple[str, str]]) -> None:
    """Wait until a router has learnt exactly this from the MSEEs, as prefix and session."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        learnt = {(prefix, by) for prefix, by in await router.learnt() if by.startswith("msee_")}
        if learnt == wanted:
            return
        if time.monotonic() > deadline:
            off = ", ".join(sorted(f"{prefix} by {session}" for prefix, session in learnt ^ wanted))
            raise LabError(f"the router {router.namespace} did not settle: {off}")
        await asyncio.sleep(_POLL_SECONDS)
