from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

LOCK = "lab.lock"
LOG = "lab.log"
CONTROL = "control.sock"
DOCUMENT = "lab.json"


@dataclass(frozen=True, slots=True)
class LabPaths:
    """The files of a running twin, all in its folder.

    Attributes:
        document: everything an outside client needs, for its owner only.
        secret: the client secret, for its owner only.
        certificate: the client's certificate and key, for its owner only.
        service_tags: under the name of the weekly download, which holds its day.
        communities: with the day of the list in its name, as the list itself has none.
        route_filter: as it is now.
        circuit: with its Microsoft peering, as it is now.
        key: the SSH key that the hosts let in.
        password: the password of the Windows hosts' administrator, for its owner only.
        hosts: a folder a host.
    """

    folder: Path
    document: Path
    ca: Path
    secret: Path
    certificate: Path
    service_tags: Path
    communities: Path
    route_filter: Path
    circuit: Path
    key: Path
    password: Path
    known_hosts: Path
    inventory: Path
    hosts: Path

    @classmethod
    def of(cls, folder: Path, day: date) -> Self:
        """Those of a twin in this folder, whose service tags and communities are of this day."""
        names = (
            DOCUMENT, "ca.pem", "client-secret", "client-certificate.pem",
            f"ServiceTags_Public_{day:%Y%m%d}.json", f"bgp-service-communities-{day:%Y-%m-%d}.json",
            "route-filter.json", "circuit.json", "id_ed25519", "windows-password", "known_hosts",
            "inventory.csv", "hosts",
        )  # fmt: skip
        return cls(folder, *(folder / name for name in names))
