"""BGP sessions and ARP entries of a peering's links, as the router or Azure shows them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from arcferry import typed
from arcferry.routing.route import MICROSOFT_AS

ESTABLISHED = "Established"
_MAC = re.compile(r"[0-9A-Fa-f.:-]{12,17}")
STATES = ("Idle", "Active", "Connect", "OpenSent", "OpenConfirm", ESTABLISHED)
"""RFC 4271, section 8.2.2; what routers write beside them, such as `Shut`, is kept as they write it."""


@dataclass(frozen=True, slots=True)
class Session:
    """One BGP session.

    Attributes:
        peer: the neighbour's address; its name where the router shows none.
        asn: the neighbour's AS; None if the document does not tell.
        state: one of `STATES`, with the router's remark: `Idle (Admin)`.
        received: how many prefixes the neighbour sent; None if the document does not tell.
        since: for how long, in the router's own words.
        of_azure: whether Azure's side tells, so that the neighbour is the customer's router.
    """

    peer: str
    asn: int | None
    state: str
    received: int | None = None
    since: str = ""
    of_azure: bool = False

    @property
    def is_up(self) -> bool:
        """Whether routes may come over it."""
        return self.state.startswith(ESTABLISHED)

    def leads_to_microsoft(self, links: Iterable[str]) -> bool:
        """Whether it is one of the circuit's: by its AS, or by an address in one of the links."""
        if self.of_azure or self.asn == MICROSOFT_AS:
            return True
        address = typed.address(self.peer)
        return bool(address) and any(
            ip_address(address) in ip_network(link, strict=False) for link in links if self.asn is None
        )


@dataclass(frozen=True, slots=True)
class ArpEntry:
    """One line of Azure's ARP table of a link.

    Attributes:
        side: `On-Prem` or `Microsoft`.
        mac: empty, zeros or `Incomplete` where nobody answered.
    """

    side: str
    address: str
    mac: str

    @property
    def is_on_premises(self) -> bool:
        """Whether it is of the customer's router."""
        return self.side.lower() == "on-prem"

    @property
    def is_answered(self) -> bool:
        """Whether the other side of the cable told its address."""
        return bool(_MAC.fullmatch(self.mac)) and any(letter not in "0.:-" for letter in self.mac)


def state_of(word: str, remark: str = "") -> str:
    """A state in its full spelling: Junos cuts it to `Establ`, Arista to `Estab`; a count means up."""
    low = word.strip("!*").lower()
    full = next((one for one in STATES if one.lower() == low or (low[:5] == "estab" == one[:5].lower())), "")
    shown = full or (typed.label(word, 20) if word[:1].isalpha() else ESTABLISHED)
    return f"{shown} ({typed.label(remark, 20)})" if remark else shown
