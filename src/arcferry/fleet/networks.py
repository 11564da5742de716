"""Which servers stand in one network, as far as an inventory tells."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network

from arcferry.fleet.inventory import Host

_PREFIXES = {4: 24, 6: 64}
_MOST_NAMED = 4


def network_of(host: Host) -> str:
    """The host's network: its site, else the subnet of its address (/24, /64), else the domain of its name.

    A name is not looked up: ten thousand of them would take minutes, and may answer elsewhere next time.
    """
    if host.site:
        return f"site {host.site}"
    try:
        address = ip_address(host.address)
    except ValueError:
        domain = host.address.rstrip(".").partition(".")[2].lower()
        return f"domain {domain}" if domain else "names without a domain"
    subnet = ip_network(f"{str(address).partition('%')[0]}/{_PREFIXES[address.version]}", strict=False)
    return f"subnet {subnet}"


def networks_of(hosts: Iterable[Host]) -> dict[str, list[Host]]:
    """The hosts by network, each in the order in which they came."""
    found: dict[str, list[Host]] = {}
    for host in hosts:
        found.setdefault(network_of(host), []).append(host)
    return found


def named(names: Sequence[str]) -> str:
    """Some names in one line."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
