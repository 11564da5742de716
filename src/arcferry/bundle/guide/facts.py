from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from arcferry.bundle.certificates import Certificate
from arcferry.bundle.manifest import AgentPackage, Manifest, PackageFormat


class System(StrEnum):
    """The operating system of a server."""

    WINDOWS = "windows"
    LINUX = "linux"


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What the guide says about its bundle.

    Attributes:
        manifest: as it is before the guide's own files are in it: the final one covers the guide, so the
            guide cannot state its hash.
        key_id: of the key that seals the bundle, as minisign prints it.
        certificates: by the names of their files, without the suffix.
        location: the Azure region that the bundle is meant for, or empty if it could be any.
        cloud: as the agent spells it.
    """

    manifest: Manifest
    key_id: str
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    location: str = ""
    cloud: str = "AzureCloud"

    def agents_for(self, system: System) -> tuple[AgentPackage, ...]:
        """The packages for a system, by the names of their files."""
        windows = system is System.WINDOWS
        fitting = [one for one in self.manifest.agents if (one.format is PackageFormat.MSI) == windows]
        return tuple(sorted(fitting, key=lambda one: one.file))

    def sha256(self, name: str) -> str:
        """The SHA-256 of a file of this name, in hexadecimal."""
        return next(file.sha256 for file in self.manifest.files if file.name == name)

    def holds(self, word: str) -> bool:
        """Whether a condition of the guide's text holds; an empty one always does.

        Raises:
            KeyError: there is no such condition.
        """
        linux, windows = self.agents_for(System.LINUX), self.agents_for(System.WINDOWS)
        return {
            "": True,
            "windows": bool(windows),
            "linux": bool(linux),
            "both": bool(linux and windows),
            "several": len(linux) > 1,
            "rpm": any(agent.format is PackageFormat.RPM for agent in linux),
            "certificates": bool(self.certificates),
            "unplaced": not self.location,
        }[word]

    @property
    def values(self) -> dict[str, str]:
        """What stands for the blanks of the guide's text and of its commands."""
        return {
            "location": self.location or "LOCATION",
            "cloud": self.cloud,
            "key_id": self.key_id,
            "version": str(self.manifest.version),
        }
