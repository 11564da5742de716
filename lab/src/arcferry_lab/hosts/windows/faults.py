"""Faults of a Windows host, by name. Each is laid on a running host and stays until the host is stopped."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from arcferry.errors import UnknownNameError
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.host import MSIEXEC, POWERSHELL, WindowsHost
from arcferry_lab.hosts.windows.msi import build_agent_msi
from arcferry_lab.hosts.windows.programs import INSTALLER_GATE

_SMALL_DISK = 256 * 1024
_OLD_VERSION = "1.40.0.0"
_BLOCKED = ("agentserviceapi.guestconfiguration.azure.com",)
_POLICIES = r"HKLM\Software\Policies\Microsoft"
_VARIABLES = r"HKLM\System\CurrentControlSet\Control\Session Manager\Environment"
_SERVICING = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Component Based Servicing"
_REAL_INSTALLER = r"C:\windows\system32\msiexec_real.exe"
_ORDER = r"C:\ProgramData\arcferry-lab\msiexec"
_POLL_SECONDS = 0.1


async def execution_policy(host: WindowsHost) -> None:
    """Group Policy allows signed scripts alone, whatever the command line says."""
    # Windows PowerShell's key, and that of the engine here
    for key in (rf"{_POLICIES}\Windows\PowerShell", rf"{_POLICIES}\PowerShellCore"):
        await _set(host, key, "EnableScripts", "REG_DWORD", "1")
        await _set(host, key, "ExecutionPolicy", "REG_SZ", "AllSigned")


async def constrained_language(host: WindowsHost) -> None:
    """A policy of application control has PowerShell run scripts in its constrained language."""
    await _set(host, _VARIABLES, "__PSLockdownPolicy", "REG_SZ", "4")


async def powershell_removed(host: WindowsHost) -> None:
    """There is no powershell.exe."""
    path = host.path(POWERSHELL)
    path.rename(path.with_name("removed"))


async def reboot_pending(host: WindowsHost) -> None:
    """Windows waits for a restart, after updates."""
    await _set(host, rf"{_SERVICING}\RebootPending", "", "REG_SZ", "")


async def other_installation(host: WindowsHost, *, times: int = 0) -> None:
    """Another installation is at work: msiexec ends with 1618."""
    _gate(host, f"1618 {times}")


async def restart_wanted(host: WindowsHost) -> None:
    """An installation ends with 3010: it is whole after a restart."""
    _gate(host, "3010 0")


async def restart_in_install(host: WindowsHost) -> None:
    """The server restarts once in the middle of the next installation."""
    _gate(host, "restart 1")
    asked = host.path(f"{_ORDER}.restart")

    async def watch() -> None:
        while not asked.exists():  # noqa: ASYNC110 - it is made by another system
            await asyncio.sleep(_POLL_SECONDS)
        await host.restart()
        host.path(f"{_ORDER}.restart").unlink()

    host.keep(asyncio.create_task(watch()))


async def disk_full(host: WindowsHost) -> None:
    """Drive C: has no room for a package."""
    await host.restart(small_disk=_SMALL_DISK)


async def agent_already_installed(host: WindowsHost) -> None:
    """An agent of an older version is installed, and not connected."""
    with tempfile.TemporaryDirectory(prefix="arcferry-") as folder:
        package = await asyncio.to_thread(build_agent_msi, Path(folder), version=_OLD_VERSION)
        placed = host.put(package, rf"C:\windows\temp\{package.name}")
    code = await host.msiexec("/i", placed, "/qn")
    host.path(placed).unlink()
    if code:
        raise LabError(f"{host.name}: the old agent could not be installed: msiexec ended with {code}")


async def refuses_connect(host: WindowsHost) -> None:
    """Connections to one required endpoint time out on this host alone, so that connect ends in AZCM0026."""
    host.reach(blocked=_BLOCKED)


FAULTS: dict[str, Callable[[WindowsHost], Awaitable[None]]] = {
    "host/agent-already-installed": agent_already_installed,
    "host/constrained-language": constrained_language,
    "host/disk-full": disk_full,
    "host/execution-policy": execution_policy,
    "host/other-installation": other_installation,
    "host/powershell-removed": powershell_removed,
    "host/reboot-pending": reboot_pending,
    "host/refuses-connect": refuses_connect,
    "host/restart-in-install": restart_in_install,
    "host/restart-wanted": restart_wanted,
}


async def lay(name: str, host: WindowsHost) -> None:
    """Lay the named fault on a host.

    Raises:
        UnknownNameError: there is no such fault.
    """
    if name not in FAULTS:
        raise UnknownNameError("fault of a Windows host", name, FAULTS)
    await FAULTS[name](host)


async def _set(host: WindowsHost, key: str, name: str, kind: str, data: str) -> None:
    value = f"/v {name}" if name else "/ve"
    done = await host.run(f'reg add "{key}" {value} /t {kind} /d "{data}" /f')
    if done.exit_code:
        raise LabError(f"{host.name}: {key} could not be written: {done.stdout}{done.stderr}")


def _gate(host: WindowsHost, order: str) -> None:
    """Put the program that gives such answers in msiexec's place, and the real one beside it."""
    real = host.path(_REAL_INSTALLER)
    if not real.exists():
        host.path(MSIEXEC).rename(real)
        host.put(host.path(rf"C:\windows\system32\{INSTALLER_GATE}"), MSIEXEC)
    host.path(_ORDER).write_text(order, encoding="ascii")
