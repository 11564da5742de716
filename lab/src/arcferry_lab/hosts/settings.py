"""What a host of the twin is started with."""

import re
from dataclasses import dataclass

from arcferry.text import quoted
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.packaging import PackageKind

_NAME = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")


@dataclass(frozen=True, slots=True)
class HostSettings:
    """One host.

    Attributes:
        name: its host name, and its folder's.
        address: where its SSH server listens and its agent's connections come from.
        port: the SSH server's.
        resolver: `ADDRESS:PORT` of the DNS server that its agent asks.
        service_port: where the twin's Azure services listen in place of 443.
        ca_pem: the CA that its agent trusts.
        location: the region that the lab is about, such as `eastasia`.
        small_disk: where not 0, /opt and /var/lib/arcferry are disks of this many bytes.
        heartbeat_seconds: how often its agent sends one.
        rootless: run it as an ordinary user's host also where root runs the lab.
        packages: what it installs packages with: `deb` for dpkg alone, `rpm` for rpm alone.
    """

    name: str
    address: str
    port: int
    resolver: str
    service_port: int
    ca_pem: bytes
    location: str
    small_disk: int = 0
    heartbeat_seconds: float = 300.0
    rootless: bool = False
    packages: PackageKind = "deb"

    def __post_init__(self) -> None:
        """Refuse a name that is no host name, because it becomes a path.

        Raises:
            LabError: the name has other letters than a host name.
        """
        if not _NAME.match(self.name):
            raise LabError(f"{quoted(self.name)} is no host name for a host of the twin")
