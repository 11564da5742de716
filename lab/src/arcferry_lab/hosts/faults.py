"""Faults of a host, by name. Each is laid on a running host and stays until the host is stopped."""

import json
import shlex
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from arcferry.errors import UnknownNameError
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.host import LabHost
from arcferry_lab.hosts.package import build_agent_package

_SMALL_DISK = 16 * 1024
_CHATTER = 100 * 1024 * 1024
_OLD_VERSION = "1.40.0"
_BLOCKED = ("agentserviceapi.guestconfiguration.azure.com",)
_ESCAPES = "\x1b]0;taken over\x07\x1b[2J\x1b[31mLinux\x1b[0m\u202e"


async def disk_full(host: LabHost) -> None:
    """/opt and /var/lib/arcferry have no room for a package."""
    await host.restart(small_disk=_SMALL_DISK)


async def chatty(host: LabHost) -> None:
    """Every command prints 100 MiB before it does anything; SFTP is spared."""
    (host.root / "etc/arcferry/chatty").write_text(str(_CHATTER), encoding="ascii")


async def escape_sequences(host: LabHost) -> None:
    """The distribution's name and the host name hold terminal sequences and direction marks."""
    release = host.root / "etc/os-release"
    kept = [line for line in release.read_text(encoding="utf-8").splitlines() if "PRETTY_NAME" not in line]
    release.write_text("\n".join([*kept, f'PRETTY_NAME="{_ESCAPES}"', ""]), encoding="utf-8")
    (host.root / "etc/hostname").write_text(f"{_ESCAPES}{host.name}\n", encoding="utf-8")
    await host.restart()


async def key_changed(host: LabHost) -> None:
    """The SSH server comes back with another host key, as a machine does that was set up anew."""
    host.renew_key()
    await host.restart()


async def agent_already_installed(host: LabHost) -> None:
    """An agent of an older version is installed, and not connected."""
    with tempfile.TemporaryDirectory(prefix="arcferry-") as folder:
        package = build_agent_package(Path(folder), version=_OLD_VERSION, kind=host.settings.packages)
        target = host.root / "tmp" / package.name
        target.write_bytes(package.read_bytes())
    installer = "rpm -i" if host.settings.packages == "rpm" else "dpkg -i"
    done = await host.run(f"{installer} {shlex.quote(f'/tmp/{target.name}')}")  # noqa: S108 - the host's own /tmp
    target.unlink()
    if done.exit_code:
        raise LabError(f"{host.name}: the old agent could not be installed: {done.stderr.strip()}")


async def refuses_connect(host: LabHost) -> None:
    """Connections to one required endpoint time out on this host alone, so that connect ends in AZCM0026."""
    path = host.root / "etc/arcferry-lab.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(document | {"blocked": list(_BLOCKED)}, indent=2), encoding="utf-8")


FAULTS: dict[str, Callable[[LabHost], Awaitable[None]]] = {
    "host/agent-already-installed": agent_already_installed,
    "host/chatty": chatty,
    "host/disk-full": disk_full,
    "host/escape-sequences": escape_sequences,
    "host/key-changed": key_changed,
    "host/refuses-connect": refuses_connect,
}


async def lay(name: str, host: LabHost) -> None:
    """Lay the named fault on a host.

    Raises:
        UnknownNameError: there is no such fault.
    """
    if name not in FAULTS:
        raise UnknownNameError("host fault", name, FAULTS)
    await FAULTS[name](host)
