"""How a Windows host of the twin is reached: the one place where its WinRM and SSH servers are started."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from arcferry_lab.hosts.windows import ssh, winrm
from arcferry_lab.hosts.windows.accounts import Account
from arcferry_lab.hosts.windows.host import WindowsHost
from arcferry_lab.network.block import first_free
from arcferry_lab.pki import Authority

USER = "Administrator"
_WINRM_HTTP, _WINRM_HTTPS, _SSH = 5985, 5986, 22
_HIGH_PORTS = range(15985, 16085)


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens a host.

    Attributes:
        password: the administrator's.
        authorized_key: a line of OpenSSH's authorized_keys.
        authority: issues the certificates of servers.
    """

    password: str
    authorized_key: str
    authority: Authority


@dataclass(frozen=True, slots=True)
class Door:
    """A server in this process that listens on a host's own address and runs programs there.

    Attributes:
        server: what answers.
        transport: the inventory's word, `winrm` or `ssh`.
        port: where it listens; WinRM's own is that of TLS.
        host_key: an SSH server's public key, as OpenSSH writes it; empty for any other.
    """

    server: winrm.WinRmServer | ssh.WindowsSsh
    transport: str
    port: int
    host_key: str = ""

    async def stop(self) -> None:
        """Close it, and end what it runs."""
        await self.server.stop()


async def _winrm(host: WindowsHost, keys: Keys) -> Door:
    account = Account(USER, keys.password, built_in=True)
    server = winrm.WinRmServer(
        host,
        winrm.Directory(host.name.upper(), (account,)),
        winrm.WinRmSettings(),
        keys.authority,
        ports=(
            first_free(host.address, _WINRM_HTTP, *_HIGH_PORTS[:50]),
            first_free(host.address, _WINRM_HTTPS, *_HIGH_PORTS[50:]),
        ),
    )
    await server.start()
    return Door(server, "winrm", server.ports[True])


async def _ssh(host: WindowsHost, keys: Keys) -> Door:
    file = host.path(ssh.ADMINISTRATORS_KEYS)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{keys.authorized_key}\n", encoding="utf-8")
    port = first_free(host.address, _SSH, *_HIGH_PORTS)
    server = await ssh.WindowsSsh.start(host, (Account(USER, keys.password),), port=port)
    return Door(server, "ssh", server.port, server.host_key)


# The first one's row comes into the inventory.
_OPENERS: tuple[Callable[[WindowsHost, Keys], Awaitable[Door]], ...] = (_winrm, _ssh)


async def open_doors(host: WindowsHost, keys: Keys) -> list[Door]:
    """Open every door of a host.

    Raises:
        LabError: an address or a port cannot be had.
    """
    async with AsyncExitStack() as stack:
        opened = []
        for opener in _OPENERS:
            opened.append(await opener(host, keys))
            stack.push_async_callback(opened[-1].stop)  # where a later one cannot be opened
        stack.pop_all()
    return opened


def winrm_of(doors: Sequence[Door]) -> winrm.WinRmServer:
    """The WinRM service of an open host."""
    return next(door.server for door in doors if isinstance(door.server, winrm.WinRmServer))
