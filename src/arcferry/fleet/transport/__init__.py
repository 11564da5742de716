"""Transports: how a host is reached. Each is a row here, and opens a session of its own."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from arcferry.errors import HostUnreachableError
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.session import Result, Session, place_of
from arcferry.fleet.transport.ssh import open_ssh
from arcferry.fleet.transport.trust import SignIn, SshTrust, read_trust
from arcferry.fleet.transport.ways import with_other_ways

Opener = Callable[[Host, SignIn], Awaitable[Session]]


async def _ssh(host: Host, sign_in: SignIn) -> Session:
    if sign_in.ssh is None:
        raise RuntimeError("a host to be reached over SSH, and nothing to sign in with was read")
    return await open_ssh(host, sign_in.ssh)


async def _winrm(host: Host, sign_in: SignIn) -> Session:
    # Its libraries take a quarter of a second to load, and most fleets have no Windows server.
    from arcferry.fleet.transport.winrm import open_winrm  # noqa: PLC0415

    if sign_in.winrm is None:
        raise RuntimeError("a host to be reached over WinRM, and nothing to sign in with was read")
    return await open_winrm(host, sign_in.winrm)


OPENERS: Mapping[str, Opener] = MappingProxyType({"ssh": _ssh, "winrm": _winrm})
"""By the word in an inventory's column `transport`."""


async def open_session(host: Host, sign_in: SignIn) -> Session:
    """A session with the host, for the caller to close.

    Raises:
        HostUnreachableError: no route, refused, or no answer in time.
        HostKeyError: the host's key or certificate is not one that is trusted.
        HostSignInError: the user was refused.
    """
    try:
        return await OPENERS[host.transport](host, sign_in)
    except HostUnreachableError as error:
        raise await with_other_ways(host, error) from None


__all__ = ["OPENERS", "Result", "Session", "SignIn", "SshTrust", "open_session", "place_of", "read_trust"]
