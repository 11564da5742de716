from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from arcferry import files
from arcferry.bundle import manifest, packages
from arcferry.bundle.authenticode import MICROSOFT, Roots, verify_msi
from arcferry.bundle.certificates import (
    Certificate,
    by_stem,
    of_signature,
    server_certificates,
)
from arcferry.bundle.guide import BundleFacts, guide_files
from arcferry.bundle.keys import SecretKey
from arcferry.bundle.manifest import (
    EXPIRES_AFTER,
    AgentPackage,
    Manifest,
    PackageFormat,
    Role,
    new_manifest,
)
from arcferry.bundle.packing import Packing, new_bundle
from arcferry.errors import FileInputError, InputError, first_problem
from arcferry.routing.azure_json import read_community_list, read_service_tags
from arcferry.routing.route_filter import read_route_filter
from arcferry.text import from_json

_LARGEST = 64 * 1024 * 1024
_Host = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,252}$")]


@dataclass(frozen=True, slots=True)
class Contents:
    """What to pack beside what every bundle holds: host scripts, guide, certificates and the catalogue.

    Attributes:
        agents: agent packages: MSI, deb, rpm; at most one for a format and processor.
        documents: dated documents, by what they are; `READERS` lists the roles.
        origins: the addresses that files were downloaded from in the end; what is missing here was at hand.
        distributions: which Linux distributions a package is for, if that is known.
        signing_roots: what an MSI's signature has to lead to.
        location: the region that the guide names in its commands; empty if it could be any.
        cloud: as the agent spells it.
    """

    agents: tuple[Path, ...]
    documents: tuple[tuple[Role, Path], ...] = ()
    origins: Mapping[Path, str] = field(default_factory=dict)
    distributions: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    signing_roots: Roots = MICROSOFT
    location: str = ""
    cloud: str = "AzureCloud"

    def pack_agents(
        self, packing: Packing, at: datetime
    ) -> tuple[tuple[AgentPackage, ...], tuple[Certificate, ...]]:
        """Copy the agent packages, verify what is signed as of `at`, and tell what signatures carry.

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
        seen: dict[tuple[str, str], AgentPackage] = {}
        carried: list[Certificate] = []
        for path in self.agents:
            agent, certificates = self._pack_agent(packing, path, at)
            carried += certificates
            other = seen.setdefault((agent.format, agent.processor), agent)
            # Two versions for one kind of host would leave open which one a host gets.
            if other is not agent:
                raise InputError(
                    f"{other.file} and {agent.file} are both {agent.format} packages for the same processor",
                    hint="A bundle holds one agent version for each kind of host; give one of them.",
                )
        return tuple(seen.values()), tuple(carried)

    def pack_documents(self, packing: Packing) -> None:
        """Under their own names, as these hold their dates."""
        for role, path in self.documents:
            data = read_checked(role, path)
            packing.add(f"data/{_portable(path)}", role, data, origin=self.origins.get(path, ""))

    def _pack_agent(
        self, packing: Packing, path: Path, at: datetime
    ) -> tuple[AgentPackage, tuple[Certificate, ...]]:
        """Copy a package, then recognise the copy: what is described is what is carried."""
        name = f"agent/{_portable(path)}"
        packages.inspect(path)  # before a wrong file of any size is copied
        copy = packing.add_copy(path, name, Role.AGENT, origin=self.origins.get(path, ""))
        package_format, facts = packages.inspect(copy, called=path)
        served = tuple(sorted(self.distributions.get(path, ())))
        agent = AgentPackage(name, package_format, facts.version, facts.architecture, distributions=served)
        if package_format is not PackageFormat.MSI:
            return agent, ()
        signature = verify_msi(copy, roots=self.signing_roots, at=at, called=path)
        agent = replaced(agent, signature=signature.says, signer=signature.thumbprint)
        return agent, of_signature(signature)


def build(
    out: Path,
    contents: Contents,
    key: SecretKey,
    *,
    created: datetime,
    version: int | None = None,
    expires_after: timedelta = EXPIRES_AFTER,
    replace: bool = False,
    name: str = "",
) -> Manifest:
    """Build a sealed bundle at `out`, whole or not at all: a zip if the name ends so, else a folder.

    The same contents, key, `created`, version and life give the same bytes.

    `version` must grow from one bundle to the next of the same `name`; if None it is the digits of `created`.
    `replace` says whether a bundle that lies at `out` may be replaced.

    Raises:
        InputError: a setting is out of range; among it FileInputError, naming the file: unreadable, no
            agent package, no service tags, a name that cannot be carried, `out` taken, or the disk full.
        BundleRefusedError: an MSI is not signed by Microsoft, or was changed since.
    """
    manifest = new_manifest(created, version, expires_after, name=name)
    with new_bundle(out, replace=replace) as packing:
        agents, carried = contents.pack_agents(packing, manifest.created)
        contents.pack_documents(packing)
        _pack_own_files(packing)
        # What old servers may lack, by the names of its files.
        certificates = by_stem([*server_certificates(), *carried])
        for stem, certificate in certificates.items():
            for file, data in certificate.files(stem):
                packing.add(file, Role.CERTIFICATE, data)
        manifest = replaced(manifest, agents=agents, files=tuple(packing.packed))
        # The guide comes last, as it names the hashes of the others; the manifest covers it in its turn.
        facts = BundleFacts(manifest, key.public().id, certificates, contents.location, contents.cloud)
        for file, data in guide_files(facts).items():
            packing.add(file, Role.GUIDE, data)
        return packing.finish(manifest, key)


def _pack_own_files(packing: Packing) -> None:
    """The host scripts and the catalogue that come with arcferry."""
    package = resources.files("arcferry")
    for role, place, under, suffixes in (
        (Role.HOST_SCRIPT, "bundle/hostscripts", "host", (".sh", ".ps1")),
        (Role.CATALOG, "catalog/data", "catalog", (".toml",)),
    ):
        for item in package.joinpath(place).iterdir():
            if item.name.endswith(suffixes):
                packing.add(f"{under}/{item.name}", role, item.read_bytes())


def _portable(path: Path) -> str:
    if problem := manifest.name_fault(f"agent/{path.name}"):
        raise FileInputError(
            path, f"its name {problem}", hint="Rename it to letters, digits, dots, hyphens and underscores."
        )
    return path.name


@dataclass(frozen=True, slots=True)
class _Dated:
    schema: Literal[1]
    cloud: str
    location: str
    taken: date


@dataclass(frozen=True, slots=True)
class HisDiscovery(_Dated):
    """Which HIS host serves a location, as the discovery call answered on a day."""

    kind: Literal["his-discovery"]
    host: _Host


@dataclass(frozen=True, slots=True)
class NotificationHosts(_Dated):
    """Which Service Bus names a location's agents keep open, as the notification service listed them."""

    kind: Literal["notification-hosts"]
    hosts: Annotated[tuple[_Host, ...], Field(min_length=1, max_length=1000)]


def _reader(kind: type[HisDiscovery | NotificationHosts]) -> Callable[[object, str], object]:
    adapter = TypeAdapter(kind)

    def read(document: object, name: str) -> object:
        try:
            return adapter.validate_python(document)
        except ValidationError as error:
            raise FileInputError(name, f"is not what it was given as: {first_problem(error)}") from error

    return read


READERS: Mapping[Role, Callable[[object, str], object]] = {
    Role.SERVICE_TAGS: read_service_tags,
    Role.COMMUNITIES: read_community_list,
    Role.ROUTE_FILTER: read_route_filter,
    Role.DISCOVERY: _reader(HisDiscovery),
    Role.NOTIFICATION_HOSTS: _reader(NotificationHosts),
}
"""The roles of documents, each with what reads a JSON document and refuses another one by its file's name."""


def read_checked(role: Role, path: Path) -> bytes:
    """The file's bytes, if they are a document of this role.

    Raises:
        FileInputError: it cannot be read, is no JSON, or another document.
    """
    data = files.read_bounded(path, limit=_LARGEST)
    try:
        document = from_json(data)
    except (ValueError, RecursionError) as error:
        raise FileInputError(path, "is not JSON") from error
    READERS[role](document, path.name)
    return data
