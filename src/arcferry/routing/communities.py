"""Community lists: which prefixes Microsoft tags with which BGP community, as Azure's API gives them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from arcferry import typed
from arcferry.routing.prefixes import Address, PrefixMap
from arcferry.routing.shapes import Node, date_in

VALUE = re.compile(r"\d{1,5}:\d{1,5}")


@dataclass(frozen=True, slots=True)
class ListedCommunity:
    """One entry of a community list that holds an address.

    Attributes:
        value: such as `12076:51012`.
        name: as the list has it, such as `Azure Japan East`.
        prefix: the entry's longest prefix that holds the address.
        service_group: such as `Azure`, `AzureStorage` or `O365`.
    """

    value: str
    name: str
    prefix: str
    service_group: str


@dataclass(frozen=True, slots=True)
class CommunityList:
    """One community list.

    Attributes:
        name: the file's name.
        taken: the day in the file's name, or the document's own `asOf`; None if neither is there.
        values: every community value that the list knows, also those without prefixes.
        prefixes: every prefix with the value, name and service group of its entries.
    """

    name: str
    taken: date | None
    values: frozenset[str]
    prefixes: PrefixMap[tuple[str, str, str]] = field(repr=False, compare=False)

    def containing(self, address: str | Address) -> tuple[ListedCommunity, ...]:
        """The entries that hold the address, the longest prefix first; several may share one value.

        Raises:
            ValueError: `address` is no IP address.
        """
        found: dict[tuple[str, str, str], ListedCommunity] = {}
        for prefix, (value, name, group) in self.prefixes.covering(address):
            found.setdefault((value, name, group), ListedCommunity(value, name, prefix, group))
        return tuple(found.values())


def _entries(root: Node) -> Iterator[Node]:
    """The community objects of every shape: REST, `az`, PowerShell, and a plain list of entries."""
    outer = root
    if root.is_object:
        for key in ("value", "entries"):
            if (inner := root.field(key)) is not None:
                outer = inner
                break
    services = outer.items() if outer.is_list else iter((outer,))
    for service in services:
        communities = service.flat().field("bgpCommunities")
        if communities is not None:
            yield from communities.items()
        elif service.field("communityValue") is not None:
            yield service
        else:
            raise service.problem("neither bgpCommunities nor a communityValue: not a community list")


def _identity(entry: Node) -> tuple[str, str, str]:
    """An entry's value, name and service group."""
    value = entry.text("communityValue")
    if not VALUE.fullmatch(value):
        raise entry.problem(f"{typed.shown(value)} is no community value such as 12076:51010")
    return value, typed.label(entry.text("communityName")), typed.label(entry.text("serviceGroup"))


def read_community_list(document: object, name: str) -> CommunityList:
    """Read a community list as REST, `az`, PowerShell or a plain list of entries has it.

    Entries without prefixes are kept, because Azure lists some; one value may stand in several entries.

    Args:
        document: the parsed JSON.
        name: the file's name, for errors and for the day in it.

    Raises:
        InputError: the document is no community list, or a part of it is malformed.
    """
    root = Node(document, name)
    if not root.is_object and not root.is_list:
        raise root.problem("expected a list of communities")
    entries = [(entry, _identity(entry)) for entry in _entries(root)]
    if not entries:
        raise root.problem("holds no community")
    prefixes = PrefixMap(
        (prefix, identity) for entry, identity in entries for prefix in entry.prefixes("communityPrefixes")
    )
    taken = date_in(name) or (date_in(root.text("asOf")) if root.is_object else None)
    return CommunityList(name, taken, frozenset(value for _, (value, _, _) in entries), prefixes)
