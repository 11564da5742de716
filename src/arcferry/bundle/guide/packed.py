from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from arcferry.bundle.manifest import AgentPackage, ManifestFile, PackageFormat


class System(StrEnum):
    """What a server runs."""

    WINDOWS = "windows"
    LINUX = "linux"


@dataclass(frozen=True, slots=True)
class Packed:
    """What the guide tells of its bundle. All of it is known before the manifest, which covers the guide.

    Attributes:
        version: of the manifest, as are `created` and `expires`.
        key_id: of the key that seals it, as minisign prints it.
        agents: the agent packages; the guide is about the systems that they are for.
        files: the bundle's other files; each agent package must be among them.
        certificates: certificates in DER by the name of their file, ending in `.cer`. What Linux servers
            need too is among `files` under the same name ending in `.crt`, in PEM.
        location: the Azure region that the bundle is meant for, or empty where it could be any.
        cloud: as the agent spells it.
    """

    version: int
    created: datetime
    expires: datetime
    key_id: str
    agents: tuple[AgentPackage, ...]
    files: tuple[ManifestFile, ...]
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    location: str = ""
    cloud: str = "AzureCloud"

    def agents_for(self, system: System) -> tuple[AgentPackage, ...]:
        """The packages for a system, by the names of their files."""
        fitting = [one for one in self.agents if (one.format is PackageFormat.MSI) == (system == "windows")]
        return tuple(sorted(fitting, key=lambda one: one.file))

    def sha256(self, name: str) -> str:
        """The SHA-256 of a file of this name, in hexadecimal."""
        return next(file.sha256 for file in self.files if file.name == name)

    def holds(self, word: str) -> bool:
        """Whether a condition of the guide's text holds; an empty one always does.

        Raises:
            KeyError: there is no such condition.
        """
        linux = self.agents_for(System.LINUX)
        return {
            "": True,
            "windows": bool(self.agents_for(System.WINDOWS)),
            "linux": bool(linux),
            "both": bool(linux) and len(linux) < len(self.agents),
            "several": len(linux) > 1,
            "rpm": any(agent.format is PackageFormat.RPM for agent in linux),
            "certificates": bool(self.certificates),
            "unplaced": not self.location,
        }[word]
