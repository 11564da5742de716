"""The files of a running twin, all in its folder."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

LOCK = "lab.lock"
LOG = "lab.log"
CONTROL = "control.sock"
DOCUMENT = "lab.json"


@dataclass(frozen=True, slots=True)
class LabPaths:
    """Where each file lies; the day is in the names of the published data."""

    folder: Path
    day: date

    @property
    def document(self) -> Path:
        """lab.json: everything an outside client needs, for its owner only."""
        return self.folder / DOCUMENT

    @property
    def ca(self) -> Path:
        """The twin's CA certificate."""
        return self.folder / "ca.pem"

    @property
    def secret(self) -> Path:
        """The client secret, for its owner only."""
        return self.folder / "client-secret"

    @property
    def certificate(self) -> Path:
        """The client's certificate and key, for its owner only."""
        return self.folder / "client-certificate.pem"

    @property
    def service_tags(self) -> Path:
        """The twin's service tags, under the name of the weekly download."""
        return self.folder / f"ServiceTags_Public_{self.day:%Y%m%d}.json"

    @property
    def communities(self) -> Path:
        """The twin's BGP communities, with the day of the list in its name."""
        return self.folder / f"bgp-service-communities-{self.day:%Y-%m-%d}.json"

    @property
    def route_filter(self) -> Path:
        """The route filter as it is now."""
        return self.folder / "route-filter.json"

    @property
    def circuit(self) -> Path:
        """The circuit with its Microsoft peering as it is now."""
        return self.folder / "circuit.json"

    @property
    def key(self) -> Path:
        """The SSH key that the hosts let in."""
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The hosts' own keys."""
        return self.folder / "known_hosts"

    @property
    def inventory(self) -> Path:
        """The hosts as an inventory."""
        return self.folder / "inventory.csv"

    @property
    def hosts(self) -> Path:
        """A folder a host."""
        return self.folder / "hosts"
