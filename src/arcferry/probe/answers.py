"""What one resolver answers for many names, without connecting to any of them."""

import asyncio
from collections.abc import Iterable

from arcferry.probe import deadlines
from arcferry.probe.dns import Lookup, resolve
from arcferry.probe.resolvers import Resolvers
from arcferry.probe.settings import ProbeSettings


async def answers(hosts: Iterable[str], resolver: str) -> tuple[Lookup, ...]:
    """Ask one DNS server for every name at once; a name without an address has its failure.

    Args:
        hosts: the names, each asked for A and AAAA.
        resolver: `IP[:PORT]`.

    Raises:
        InputError: `resolver` is malformed.
    """
    nameserver = ProbeSettings(resolver=resolver).nameserver
    servers = Resolvers((nameserver,) if nameserver else ())
    return tuple(await asyncio.gather(*(resolve(host, servers, deadlines.DNS) for host in hosts)))
