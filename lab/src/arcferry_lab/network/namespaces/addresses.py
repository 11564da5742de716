"""Azure's real addresses, asked for as the loopback network asks for its block's."""

import tomllib
from functools import cache
from importlib import resources
from ipaddress import ip_address, ip_network

from arcferry import catalog
from arcferry_lab.errors import LabError
from arcferry_lab.network.block import Block
from arcferry_lab.network.plan import place_number

_WHOLE = 24


class AzureAddresses(Block):
    """A block whose networks are Azure's: number 12 is Japan East's, 60 is Entra's.

    Nothing is claimed: the addresses are those of namespaces that nobody else sees.
    """

    __slots__ = ()

    def __init__(self) -> None:
        """Take no block of loopback addresses."""

    def address(self, third: int, fourth: int) -> str:
        """The address that stands `fourth` places behind the first of network `third`.

        Raises:
            LabError: no addresses are known for the network.
        """
        return str(ip_address(_network(third)[1]) + fourth)

    def prefix(self, third: int, fourth: int = 0, length: int = _WHOLE) -> str:
        """What the routers advertise of a network, or a part of it in CIDR form.

        Raises:
            LabError: no addresses are known for the network.
        """
        if not fourth and length == _WHOLE:
            return _network(third)[0]
        return str(ip_network(f"{self.address(third, fourth)}/{length}"))

    def release(self) -> None:
        """Give nothing back, as nothing was taken."""


def _network(number: int) -> tuple[str, str]:
    try:
        return _networks()[number]
    except KeyError:
        raise LabError(
            "no addresses are known of this region",
            hint="Take one such as eastasia, japaneast or westeurope.",
        ) from None


@cache
def _networks() -> dict[int, tuple[str, str]]:
    text = resources.files(__package__).joinpath("addresses.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    known = {region.name for region in catalog.regions(catalog.cloud("AzureCloud"))}
    numbers = {place_number(name): pair for name, pair in found["regions"].items() if name in known}
    others = {int(number): pair for number, pair in found["others"].items()}
    return {number: (prefix, first) for number, (prefix, first) in (numbers | others).items()}
