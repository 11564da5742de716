"""The twin's hosts, Linux and Windows: started side by side, with what it takes to reach them."""

import asyncio
import csv
import io
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from arcferry import files
from arcferry.errors import BlockedError, InputError, UnknownNameError
from arcferry_lab.doors import USER, Door, Keys, open_doors, winrm_of
from arcferry_lab.hosts import HostSettings, LabHost, build_agent_package, faults, start_host, unavailable
from arcferry_lab.hosts.packaging import PackageKind
from arcferry_lab.hosts.windows import (
    CodeSigning,
    WindowsHost,
    WindowsSettings,
    build_agent_msi,
    cannot_host,
    start_windows_host,
    winrm,
)
from arcferry_lab.hosts.windows import faults as windows_faults
from arcferry_lab.hosts.windows.versions import DEFAULT_VERSION, version_of
from arcferry_lab.network.block import first_free
from arcferry_lab.network.loopback import Loopback
from arcferry_lab.network.network import TwinNetwork
from arcferry_lab.network.plan import HOST_NET
from arcferry_lab.paths import LabPaths
from arcferry_lab.pki import Authority

MOST_HOSTS = 250
_SSH = 22
_HIGH_PORTS = range(2222, 2322)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many hosts of which kind.

    Attributes:
        linux: those with Linux, the last `rpm` of them with rpm and not with dpkg.
        rpm: how many of them.
        windows: those with Windows.
        version: the year of their Windows Server.
    """

    linux: int = 0
    rpm: int = 0
    windows: int = 0
    version: str = DEFAULT_VERSION

    def check(self) -> None:
        """Refuse what no twin can have.

        Raises:
            InputError: more hosts than the network has addresses for, or more with rpm than with Linux.
            UnknownNameError: there is no such Windows Server.
            BlockedError: this machine cannot run such hosts.
        """
        if min(self.linux, self.windows) < 0 or self.linux + self.windows > MOST_HOSTS:
            raise InputError(f"a twin has 0 to {MOST_HOSTS} hosts, not {self.linux + self.windows}")
        if not 0 <= self.rpm <= self.linux:
            raise InputError(
                f"{self.rpm} hosts with rpm of {self.linux} hosts in all", hint="--hosts counts both kinds."
            )
        version_of(self.version)
        kinds: set[PackageKind] = {"rpm"} if self.rpm else set()
        for kind in kinds | ({"deb"} if self.linux > self.rpm else set()):
            reason = unavailable(kind)
            if reason:
                raise BlockedError(
                    f"hosts with {kind} packages cannot run here: {reason}",
                    hint="--hosts 0 starts all the rest.",
                )
        reason = cannot_host() if self.windows else None
        if reason:
            raise BlockedError(
                f"Windows hosts cannot run here: {reason}",
                hint="make tools in arcferry's checkout brings what they take, if a PowerShell for Windows "
                "is at hand. Without --windows-hosts all the rest starts.",
            )


class Servers:
    """The hosts of one twin, how they are reached, and the agent's packages for them."""

    def __init__(self, paths: LabPaths) -> None:
        self.laid: dict[tuple[str, str], str] = {}
        """The faults that were laid, and on which host: what each does."""
        self.hosts: list[LabHost] = []
        self.windows: list[WindowsHost] = []
        self.package: Path | None = None
        self.rpm_package: Path | None = None
        self.windows_package: Path | None = None
        self.code_signing_ca: Path | None = None
        self._doors: dict[str, list[Door]] = {}
        self._paths = paths

    async def start(self, wanted: Wanted, network: TwinNetwork, authority: Authority, location: str) -> None:
        """Start the hosts, and write how they are reached.

        Raises:
            InputError: too many hosts, or the network has hosts of its own.
            BlockedError: this machine cannot run such hosts.
        """
        wanted.check()
        public_key = self._write_key()
        if wanted.linux or wanted.windows:
            if not isinstance(network, Loopback):
                raise InputError(
                    "the hosts of a network of namespaces are its own two, without SSH",
                    hint="Leave --hosts out; arcferry lab exec host1 -- COMMAND runs a command on one.",
                )
            await asyncio.to_thread(self._build_packages, wanted)
            keys = Keys(self._write_password(), public_key, authority)
            starting = [
                *(
                    self._start_linux(one, public_key)
                    for one in _settings(wanted, network, authority.pem, location)
                ),
                *(self._start_windows(one, keys) for one in _windows(wanted, network, authority.pem)),
            ]
            await self._start_all(starting)
        self._write_lists()

    def doors(self, host: WindowsHost) -> Sequence[Door]:
        """The servers by which a Windows host is reached."""
        return self._doors.get(host.name, ())

    async def lay(self, fault: str, name: str) -> None:
        """Lay a fault on the host of a name, or on its WinRM service, until that is stopped.

        Raises:
            UnknownNameError: there is no such host or fault.
            InputError: no host was named, or the fault is one of the other system's.
        """
        linux = {host.name: host for host in self.hosts}
        windows = {host.name: host for host in self.windows}
        if not name:
            known = ", ".join([*linux, *windows]) or "none in this lab"
            raise InputError(f"{fault} strikes one host", hint=f"Name it; there are: {known}.")
        if name not in linux | windows:
            raise UnknownNameError("host", name, [*linux, *windows])
        of_windows = {**windows_faults.FAULTS, **winrm.FAULTS}
        if fault in faults.FAULTS.keys() ^ of_windows.keys() and (fault in of_windows) != (name in windows):
            system, others = ("Windows", windows) if fault in of_windows else ("Linux", linux)
            raise InputError(
                f"{fault} is a fault of {system} hosts, and {name} is none",
                hint=f"The lab's {system} hosts: {', '.join(others) or 'none'}.",
            )
        if name in linux:
            await faults.lay(fault, linux[name])
        elif fault.startswith("winrm/"):
            await winrm.lay(fault, winrm_of(self.doors(windows[name])))
        else:
            await windows_faults.lay(fault, windows[name])
        does = (faults.FAULTS if name in linux else of_windows)[fault].__doc__
        self.laid[fault, name] = (does or "").partition("\n")[0]

    async def stop(self) -> None:
        """Close every door, and stop every host."""
        await asyncio.gather(*(door.stop() for doors in self._doors.values() for door in doors))
        await asyncio.gather(*(host.stop() for host in self.hosts), *(host.stop() for host in self.windows))
        self.hosts, self.windows, self._doors = [], [], {}

    def _build_packages(self, wanted: Wanted) -> None:
        # also where every host has rpm, if it can be built: a bundle may carry both
        if unavailable("deb") is None:
            self.package = build_agent_package(self._paths.folder)
        if wanted.rpm:
            self.rpm_package = build_agent_package(self._paths.folder, kind="rpm")
        if wanted.windows:
            signing = CodeSigning()
            self.code_signing_ca = self._paths.folder / "code-signing-ca.pem"
            files.write_whole(self.code_signing_ca, signing.root_pem)
            self.windows_package = build_agent_msi(self._paths.folder, ca=signing)

    async def _start_all(self, starting: Sequence[Coroutine[Any, Any, None]]) -> None:
        for result in await asyncio.gather(*starting, return_exceptions=True):
            if isinstance(result, BaseException):
                await self.stop()
                raise result
        self.hosts.sort(key=lambda host: host.name)
        self.windows.sort(key=lambda host: host.name)

    async def _start_linux(self, settings: HostSettings, public_key: str) -> None:
        self.hosts.append(await start_host(settings, self._paths.hosts, public_key))

    async def _start_windows(self, settings: WindowsSettings, keys: Keys) -> None:
        host = await start_windows_host(settings, self._paths.hosts)
        self.windows.append(host)
        self._doors[host.name] = await open_doors(host, keys)

    def _write_password(self) -> str:
        password = secrets.token_urlsafe(18)
        files.write_whole(self._paths.password, f"{password}\n".encode(), mode=0o600)
        return password

    def _write_key(self) -> str:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="arcferry twin")
        files.write_whole(self._paths.key, key.export_private_key(), mode=0o600)
        public = key.export_public_key()
        files.write_whole(self._paths.key.with_suffix(".pub"), public)
        return public.decode().strip()

    def _write_lists(self) -> None:
        rows = [(host.name, host.address, host.port, "ssh", host.user) for host in self.hosts]
        for host in self.windows:
            first = self.doors(host)[0]
            rows.append((host.name, host.address, first.port, first.transport, USER))
        keys = [(host.address, host.port, host.host_key) for host in self.hosts]
        keys += [
            (host.address, door.port, door.host_key)
            for host in self.windows
            for door in self.doors(host)
            if door.host_key
        ]
        known = "".join(
            f"{address if port == _SSH else f'[{address}]:{port}'} {key.strip()}\n"
            for address, port, key in keys
        )
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["name", "address", "port", "transport", "user", "tags"])
        writer.writerows([*row, "site=lab"] for row in rows)
        files.write_whole(self._paths.known_hosts, known.encode())
        files.write_whole(self._paths.inventory, table.getvalue().encode())


def host_faults() -> dict[str, str]:
    """Every fault that is laid on one host, with what it does there."""
    found: dict[str, list[str]] = {}
    for system, known in (("Linux", faults.FAULTS), ("Windows", windows_faults.FAULTS | winrm.FAULTS)):
        for name, fault in known.items():
            first = (fault.__doc__ or "").partition("\n")[0]
            found.setdefault(name, []).append(f"{system}: {first}")
    return {name: " ".join(does) for name, does in sorted(found.items())}


def _settings(wanted: Wanted, network: Loopback, ca_pem: bytes, location: str) -> list[HostSettings]:
    port = first_free(network.block.address(HOST_NET, 1), _SSH, *_HIGH_PORTS)
    return [
        HostSettings(
            name=f"server{number:02d}",
            address=network.block.address(HOST_NET, number),
            port=port,
            resolver=network.resolver,
            service_port=network.port,
            ca_pem=ca_pem,
            location=location,
            packages="rpm" if number > wanted.linux - wanted.rpm else "deb",
        )
        for number in range(1, wanted.linux + 1)
    ]


def _windows(wanted: Wanted, network: Loopback, ca_pem: bytes) -> list[WindowsSettings]:
    return [
        WindowsSettings(
            name=f"winserver{number:02d}",  # Azure keeps the whole word to itself
            address=network.block.address(HOST_NET, wanted.linux + number),
            resolver=network.resolver,
            service_port=network.port,
            ca_pem=ca_pem,
            version=wanted.version,
        )
        for number in range(1, wanted.windows + 1)
    ]
