"""How a Windows host of the twin is reached: the one place where its WinRM and SSH servers are started."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from arcferry_lab.hosts.windows.host import WindowsHost
from arcferry_lab.pki import Authority

USER = "Administrator"


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens a host.

    Attributes:
        password: the administrator's.
        authorized_key: a line of OpenSSH's authorized_keys.
        authority: issues the certificates of servers, and of users where they sign in with one.
    """

    password: str
    authorized_key: str
    authority: Authority


class Door(Protocol):
    """A server in this process that listens on a host's own address and runs programs there.

    Attributes:
        transport: the inventory's word, `winrm` or `ssh`.
        port: where it listens.
        host_key: an SSH server's public key, as OpenSSH writes it; empty for any other.
    """

    transport: str
    port: int
    host_key: str

    async def stop(self) -> None:
        """Close it, and end what it runs."""


Opener = Callable[[WindowsHost, Keys], Awaitable[Door]]
# The first one's row comes into the inventory.
DOORS: tuple[Opener, ...] = ()


async def open_doors(host: WindowsHost, keys: Keys) -> list[Door]:
    """Open every door of a host.

    Raises:
        LabError: an address or a port cannot be had.
    """
    async with AsyncExitStack() as stack:
        opened = [await _kept(opener(host, keys), stack) for opener in DOORS]
        stack.pop_all()
    return opened


async def _kept(opening: Awaitable[Door], stack: AsyncExitStack) -> Door:
    """What is closed again where a later one cannot be opened."""
    door = await opening
    stack.push_async_callback(door.stop)
    return door
