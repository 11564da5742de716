"""The company's hosts: a network namespace each, and a view of this computer's files with their own names."""

from dataclasses import dataclass
from pathlib import Path

from arcferry import files
from arcferry.errors import BlockedError
from arcferry_lab.network.namespaces.keeper import Keeper
from arcferry_lab.network.namespaces.topology import HOSTS, address_of

_RESOLV_CONF = Path("/etc/resolv.conf")
_NAME_SERVICE_CACHES = ("/run/nscd/socket", "/var/run/nscd/socket")


@dataclass(frozen=True, slots=True)
class InnerHost:
    """A host in a namespace.

    Attributes:
        pid: a process that is there, as this computer counts them.
    """

    name: str
    address: str
    pid: int


def check_view() -> None:
    """Make sure that a host can be given names of its own.

    Raises:
        BlockedError: this computer has no /etc/resolv.conf to lay the host's over.
    """
    if not _RESOLV_CONF.exists():
        raise BlockedError(
            f"{_RESOLV_CONF} does not exist, and the hosts of the lab lay their own over it",
            hint=f"touch {_RESOLV_CONF}; an empty file will do.",
        )


async def start_hosts(keeper: Keeper, folder: Path, resolver: str) -> tuple[InnerHost, ...]:
    """Begin the view of every host, with `resolver` as its DNS server.

    Names are asked of DNS alone: this computer's own services for names are laid out of the way.

    Raises:
        LabError: the kernel refuses.
    """
    found = []
    for name in HOSTS:
        address = address_of(name)
        texts = {
            str(_RESOLV_CONF): f"nameserver {resolver}\noptions timeout:2 attempts:2\n",
            "/etc/hosts": f"127.0.0.1 localhost\n{address} {name}\n",
            "/etc/hostname": f"{name}\n",
            "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
        }
        own: dict[str, Path] = dict.fromkeys(_NAME_SERVICE_CACHES, Path("/dev/null"))
        for target, text in texts.items():
            own[target] = folder / name / Path(target).name
            files.write_whole(own[target], text.encode(), mode=0o644)
        found.append(InnerHost(name, address, await keeper.host(name, own)))
    return tuple(found)
