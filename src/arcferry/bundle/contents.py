import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from pathlib import Path

from arcferry.bundle import names, packages
from arcferry.bundle.authenticode import MICROSOFT, Roots, verify_msi
from arcferry.bundle.certificates import (
    certificate_files,
    certificates_of_signature,
    server_certificates,
)
from arcferry.bundle.documents import read_checked
from arcferry.bundle.lineage import same_architecture
from arcferry.bundle.manifest import AgentPackage, PackageFormat, Role
from arcferry.bundle.packing import Packing
from arcferry.errors import FileInputError, InputError


@dataclass(frozen=True, slots=True)
class Contents:
    """What to pack beside what every bundle holds: host scripts, guide, certificates and the catalogue.

    Attributes:
        agents: agent packages: MSI, deb, rpm; at most one for a format and architecture.
        documents: dated documents, by what they are; `documents.READERS` lists the roles.
        origins: where files were downloaded from in the end; what is missing here was at hand.
        distributions: which Linux distributions a package is for, where that is known.
        signing_roots: what an MSI's signature has to lead to.
        location: the region that the guide names in its commands; empty where it could be any.
        cloud: as the agent spells it.
    """

    agents: tuple[Path, ...]
    documents: tuple[tuple[Role, Path], ...] = ()
    origins: Mapping[Path, str] = field(default_factory=dict)
    distributions: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    signing_roots: Roots = MICROSOFT
    location: str = ""
    cloud: str = "AzureCloud"

    def pack_agents(self, packing: Packing, at: datetime) -> tuple[AgentPackage, ...]:
        """Copy the agent packages, and verify what is signed as of `at`.

        Raises:
            InputError: there is none, or two are for the same servers; among it FileInputError, one is no
                agent package.
            BundleRefusedError: an MSI's signature does not hold.
        """
        if not self.agents:
            raise InputError(
                "no agent package was given",
                hint="Name at least one with --agent (MSI, deb or rpm), or bring it with --fetch.",
            )
        packed = tuple(self._pack_agent(packing, path, at) for path in self.agents)
        _refuse_rivals(packed)
        return packed

    def pack_documents(self, packing: Packing) -> None:
        """Under their own names, as these hold their dates."""
        for role, path in self.documents:
            data = read_checked(role, path)
            packing.add(f"data/{_portable(path)}", role, data, origin=self.origins.get(path, ""))

    def _pack_agent(self, packing: Packing, path: Path, at: datetime) -> AgentPackage:
        """Copy a package, then recognise the copy: what is described is what is carried."""
        name = f"agent/{_portable(path)}"
        packages.inspect(path)
        copy = packing.add_copy(path, name, Role.AGENT, origin=self.origins.get(path, ""))
        package_format, facts = packages.inspect(copy, called=path)
        served = tuple(sorted(self.distributions.get(path, ())))
        agent = AgentPackage(name, package_format, facts.version, facts.architecture, distributions=served)
        if package_format is not PackageFormat.MSI:
            return agent
        signature = verify_msi(copy, roots=self.signing_roots, at=at, called=path)
        return dataclasses.replace(agent, signature=signature.says, signer=signature.thumbprint)


def pack_own_files(packing: Packing) -> None:
    """The host scripts and the catalogue that come with arcferry."""
    package = resources.files("arcferry")
    for role, place, under, suffixes in (
        (Role.HOST_SCRIPT, "bundle/hostscripts", "host", (".sh", ".ps1")),
        (Role.CATALOG, "catalog/data", "catalog", (".toml",)),
    ):
        for item in package.joinpath(place).iterdir():
            if item.name.endswith(suffixes):
                packing.add(f"{under}/{item.name}", role, item.read_bytes())


def pack_certificates(packing: Packing, agents: tuple[AgentPackage, ...]) -> dict[str, bytes]:
    """What old servers may lack, also of the MSIs' own signatures; tell the files in DER by their names."""
    signed = (packing.folder / agent.file for agent in agents if agent.format is PackageFormat.MSI)
    carried = (one for path in signed for one in certificates_of_signature(path))
    offered = certificate_files([*server_certificates(), *carried])
    for name, data in offered.items():
        packing.add(name, Role.CERTIFICATE, data)
    return {name: data for name, data in offered.items() if name.endswith(".cer")}


def _refuse_rivals(agents: tuple[AgentPackage, ...]) -> None:
    """Two versions for one kind of host leave open which one a host gets."""
    seen: dict[tuple[str, str], str] = {}
    for agent in agents:
        kind = (agent.format, same_architecture(agent.architecture))
        if kind in seen:
            raise InputError(
                f"{seen[kind]} and {agent.file} are both {agent.format} packages for the same processor",
                hint="A bundle holds one agent version for each kind of host; give one of them.",
            )
        seen[kind] = agent.file


def _portable(path: Path) -> str:
    if problem := names.fault(f"agent/{path.name}"):
        raise FileInputError(
            path, f"its name {problem}", hint="Rename it to letters, digits, dots, hyphens and underscores."
        )
    return path.name
