"""IPv4 and IPv6 of one name: how the version answers that was not used, and which the system takes first."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_address

from arcferry.probe.observation import OtherFamily
from arcferry.probe.tcp import NoConnectionError, connect


async def other_family(
    used: str, addresses: Sequence[str], port: int, seconds: float, system_name: str = ""
) -> OtherFamily | None:
    """Try the first address of the IP version that `used` is not of; None if the name has none.

    Args:
        used: the address that is used.
        addresses: all that the name answered with.
        port: what to connect to.
        seconds: how long the system and the address get.
        system_name: the name, if the system's own order is to be told; empty where other resolvers are asked.
    """
    version = ip_address(used).version
    other = next((one for one in addresses if ip_address(one).version != version), "")
    if not other:
        return None
    first = asyncio.ensure_future(_first(system_name, port, seconds))
    failure = None
    try:
        stream, _ = await connect([other], port, seconds)
        await stream.close()
    except NoConnectionError as error:
        failure = error.failure
    found = await first
    return OtherFamily(other, failure, None if found is None else found != version)


async def _first(name: str, port: int, seconds: float) -> int | None:
    """The IP version that the system puts first for a name; None where it does not tell.

    By getaddrinfo, which sorts by RFC 6724 and by what the administrator has set: gai.conf on Linux, prefix
    policies and DisabledComponents on Windows.
    """
    if not name:
        return None
    try:
        async with asyncio.timeout(seconds):
            looked_up = asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
            family, *_ = (await looked_up)[0]
    except (OSError, TimeoutError, IndexError):
        return None
    return 6 if family == socket.AF_INET6 else 4
