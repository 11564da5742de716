"""What a Windows host of the twin is started with."""

import re
from dataclasses import dataclass

from arcferry.text import quoted
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows.versions import DEFAULT_VERSION

_NAME = re.compile(r"^(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$")
DOMAIN = "corp.example"


@dataclass(frozen=True, slots=True)
class WindowsSettings:
    """One Windows host.

    Attributes:
        name: its computer name in small letters, and its folder's: at most 15, as NetBIOS has it.
        address: where its services listen and its agent's connections come from.
        resolver: `ADDRESS:PORT` of the DNS server; what is not the agent finds it at port 53 alone.
        service_port: where the twin's Azure services listen in place of 443.
        ca_pem: the CA that it trusts.
        version: 2016, 2019, 2022 or 2025.
        domain: the DNS domain that it is in.
        heartbeat_seconds: how often its agent sends one.
        rootless: run it as an ordinary user's host also where root runs the lab.
    """

    name: str
    address: str
    resolver: str
    service_port: int
    ca_pem: bytes
    version: str = DEFAULT_VERSION
    domain: str = DOMAIN
    heartbeat_seconds: float = 300.0
    rootless: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that is no computer name, because it becomes a path.

        Raises:
            LabError: the name has other letters than a computer name, or too many.
        """
        if not _NAME.match(self.name):
            raise LabError(
                f"{quoted(self.name)} is no computer name for a Windows host",
                hint="Up to 15 letters, digits and hyphens, and not digits alone.",
            )
