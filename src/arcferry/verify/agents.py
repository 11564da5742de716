"""How new an agent should be: as the sealed bundle has it, and as Microsoft supports it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from arcferry import catalog
from arcferry.azure import Machine
from arcferry.bundle import Bundle
from arcferry.bundle.manifest import PackageFormat
from arcferry.fleet.host_state import at_least, version_key

_WINDOWS, _LINUX = "windows", "linux"


@dataclass(frozen=True, slots=True)
class AgentGoal:
    """What agents are measured by.

    Attributes:
        today: the day for which support is judged.
        versions: the oldest version that a bundle brings, by the system; empty without a bundle.
        bundle: which bundle, in words.
    """

    today: date
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    bundle: str = ""

    @classmethod
    def of(cls, bundle: Bundle | None, today: date) -> "AgentGoal":
        """What a bundle brings, or no bundle."""
        if bundle is None:
            return cls(today)
        found: dict[str, str] = {}
        for package in bundle.manifest.agents:
            system = _WINDOWS if package.format is PackageFormat.MSI else _LINUX
            if package.version:
                found[system] = min(found.get(system, package.version), package.version, key=version_key)
        return cls(today, MappingProxyType(found), f"bundle {bundle.id}, version {bundle.manifest.version}")

    @property
    def newest(self) -> catalog.AgentRelease:
        """The newest release that the catalogue knows."""
        return catalog.agent_releases()[-1]

    def older_than_bundle(self, machine: Machine) -> str:
        """The version that the bundle brings for this machine, where its agent is older; else empty."""
        wanted = self.versions.get(_WINDOWS if "windows" in machine.os.lower() else _LINUX, "")
        old = bool(wanted and machine.agent_version) and not at_least(machine.agent_version, wanted)
        return wanted if old else ""

    def older_than_newest(self, machine: Machine) -> bool:
        """Whether the newest release that is known is newer than this machine's agent."""
        told = version_key(machine.agent_version)
        return bool(told) and told[:2] < self.newest.number

    def unsupported_since(self, machine: Machine) -> date | None:
        """From when on Microsoft does not support this machine's agent any more; None while it does."""
        release = catalog.release_of(machine.agent_version)
        return release.unsupported_from if release and self.today >= release.unsupported_from else None
