"""What answers at an address where a session could not be opened, and the ways into a server that remain."""

import asyncio
import socket
from contextlib import suppress

from arcferry.errors import HostUnreachableError
from arcferry.fleet.inventory import Host

_SECONDS = 3.0
_SILENT = 0.5
"""Seconds after which what has said nothing is no SSH server; WinRM says nothing unasked."""
_SSH = b"SSH-"
# By preference. What listens may be anything's; SSH alone says by itself what it is.
_PORTS = {22: "ssh", 5986: "winrm", 5985: "winrm"}
_NAMES = {"ssh": "SSH", "winrm": "WinRM"}
OTHER_WAYS = (
    "by hand (START-HERE.html in the bundle), or by a share and Group Policy, Configuration Manager or "
    "Intune (arcferry export gpo, configmgr or intune)"
)
"""How a Windows server that no session reaches is taken in."""


async def with_other_ways(host: Host, error: HostUnreachableError) -> HostUnreachableError:
    """The same error, and where else the host answers, with what to write into the inventory for it.

    Looks at the host's own port and at those of SSH and WinRM, once each, side by side, for three seconds. An
    error of a host that does answer where it should is left as it is, and so is that of an unknown name.
    """
    own = {host.port} if host.port else {port for port, way in _PORTS.items() if way == host.transport}
    ways = dict.fromkeys(own, host.transport) | _PORTS
    if not await _known(host.address):
        return error
    answers = await asyncio.gather(*(_answers(host.address, port, way) for port, way in ways.items()))
    answering = {port: way for port, way in zip(ways, answers, strict=True) if way}
    if any(answering.get(port) == host.transport for port in own):
        return error
    if answering:
        # What the inventory's own port is good for comes first, since somebody wrote it on purpose.
        port, way = min(answering.items(), key=lambda one: one[0] not in own)
        says = f"{_NAMES[way]} answers at its address, on port {port}"
        hint = f"Write transport {way} and port {port} into its line of the inventory."
        if error.hint and way != host.transport:
            hint += f" Or, to stay with {_NAMES[host.transport]}:"
    else:
        says = f"neither SSH nor WinRM answers at its address (ports {_listed(ways)})"
        hint = (
            "See whether it runs, at this address, and whether a firewall lets these ports through. A "
            f"Windows server with neither can be taken in {OTHER_WAYS}."
        )
    return HostUnreachableError(f"{error.message}; {says}", hint=" ".join(filter(None, (hint, error.hint))))


def _listed(ports: dict[int, str]) -> str:
    *most, last = map(str, sorted(ports))
    return f"{', '.join(most)} and {last}"


async def _greeting(reader: asyncio.StreamReader, seconds: float) -> bytes:
    with suppress(OSError, EOFError, TimeoutError):
        async with asyncio.timeout(seconds):
            return await reader.readexactly(len(_SSH))
    return b""


async def _known(name: str) -> bool:
    try:
        async with asyncio.timeout(_SECONDS):
            await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return False
    return True


async def _answers(address: str, port: int, way: str) -> str:
    """The way that a port leads to, which is `way` unless it says itself what it is; empty for none."""
    writer = None
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(address, port)
            says = await _greeting(reader, _SECONDS if way == "ssh" else _SILENT)
    except (OSError, TimeoutError):
        return ""
    finally:
        if writer is not None:
            writer.transport.abort()
    if says == _SSH:
        return "ssh"
    return way if way != "ssh" else ""
