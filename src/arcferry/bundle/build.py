import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from arcferry import files
from arcferry.bundle import blocks, manifest, names, packages
from arcferry.bundle.authenticode import MICROSOFT, Roots, verify_msi
from arcferry.bundle.documents import read_checked
from arcferry.bundle.form import FolderForm, is_zip_name
from arcferry.bundle.keys import SecretKey
from arcferry.bundle.manifest import AgentPackage, Manifest, ManifestFile, PackageFormat, Role
from arcferry.bundle.opened import same_architecture
from arcferry.bundle.place import put_in_place, put_zip_in_place, refuse_taken, staging
from arcferry.bundle.seal import make_seal
from arcferry.errors import FileInputError, InputError

EXPIRES_AFTER = timedelta(days=90)
_LONGEST_LIFE = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Contents:
    """What to pack beside what every bundle holds: host scripts, guide, certificates and the catalogue.

    Attributes:
        agents: agent packages: MSI, deb, rpm; at most one for a format and architecture.
        documents: dated documents, by what they are; `documents.READERS` lists the roles.
        origins: where files were downloaded from in the end; what is missing here was at hand.
        signing_roots: what an MSI's signature has to lead to.
    """

    agents: tuple[Path, ...]
    documents: tuple[tuple[Role, Path], ...] = ()
    origins: Mapping[Path, str] = field(default_factory=dict)
    signing_roots: Roots = MICROSOFT


def build(
    out: Path,
    contents: Contents,
    key: SecretKey,
    *,
    created: datetime,
    version: int | None = None,
    expires_after: timedelta = EXPIRES_AFTER,
    replace: bool = False,
) -> Manifest:
    """Build a sealed bundle at `out`, whole or not at all: a zip where the name ends so, else a folder.

    The same contents, key, `created`, version and life give the same bytes.

    `version` must grow from one bundle to the next; where None it is the digits of `created`. `replace` says
    whether a bundle that lies at `out` may be replaced.

    Raises:
        InputError: a setting is out of range; among it FileInputError, naming the file: unreadable, no
            agent package, no service tags, a name that cannot be carried, `out` taken, or the disk full.
        BundleRefusedError: an MSI is not signed by Microsoft, or was changed since.
    """
    created = created.astimezone(UTC).replace(microsecond=0)
    out = out.absolute()
    version = int(created.strftime("%Y%m%d%H%M%S")) if version is None else version
    _check_settings(contents, version, expires_after)
    refuse_taken(out, replace=replace)
    with staging(out) as workshop:
        folder = workshop / "bundle"
        folder.mkdir()
        packing = _Packing(folder, contents, at=created, last=not is_zip_name(out))
        agents = tuple(packing.add_agent(path) for path in contents.agents)
        _refuse_rivals(agents)
        packing.add_documents()
        packing.add_own_files()
        content = Manifest(version, created, created + expires_after, agents, tuple(packing.packed))
        data = content.to_bytes()
        # Reading back refuses, before anything is sealed, what every receiver would refuse.
        content = manifest.read_manifest(data)
        packing.write(names.MANIFEST, data)
        sealed = make_seal(data, content.trusted_comment, key).to_bytes()
        packing.write(names.SEAL, sealed)
        if is_zip_name(out):
            packed = map(FolderForm(folder).located, content.files)
            small = {names.MANIFEST: data, names.SEAL: sealed}
            put_zip_in_place(packed, small, workshop, out, replace=replace)
        else:
            put_in_place(folder, out, replace=replace)
    return content


class _Packing:
    """Files as they are put into the staging folder, each hashed as it is written."""

    def __init__(self, folder: Path, contents: Contents, *, at: datetime, last: bool) -> None:
        self.folder = folder
        self._contents = contents
        self._at = at
        # Where a zip is yet to be made of these files, only that zip needs to outlive a power loss.
        self._sync = last
        self.packed: list[ManifestFile] = []

    def add_agent(self, path: Path) -> AgentPackage:
        """Copy an agent package, then recognise the copy: what is described is what is carried."""
        name = f"agent/{_portable(path)}"
        packages.inspect(path)
        self._add(name, Role.AGENT, self._copy(path, name), path)
        package_format, facts = packages.inspect(self.folder / name, called=path)
        agent = AgentPackage(name, package_format, facts.version, facts.architecture)
        if package_format is not PackageFormat.MSI:
            return agent
        roots = self._contents.signing_roots
        signature = verify_msi(self.folder / name, roots=roots, at=self._at, called=path)
        return dataclasses.replace(agent, signature=signature.says, signer=signature.thumbprint)

    def add_documents(self) -> None:
        """Under their own names, as these hold their dates."""
        for role, path in self._contents.documents:
            name = f"data/{_portable(path)}"
            data = read_checked(role, path)
            self._refuse_twice(name)
            self._add(name, role, self.write(name, data), path)

    def add_own_files(self) -> None:
        """The host scripts and the catalogue that come with arcferry."""
        package = resources.files("arcferry")
        for role, place, under, suffixes in (
            (Role.HOST_SCRIPT, "bundle/hostscripts", "host", (".sh", ".ps1")),
            (Role.CATALOG, "catalog/data", "catalog", (".toml",)),
        ):
            for item in package.joinpath(place).iterdir():
                if item.name.endswith(suffixes):
                    self._add_bytes(f"{under}/{item.name}", role, item.read_bytes())

    def write(self, name: str, data: bytes) -> blocks.Content:
        """Write one file into the staging folder, through to the disk."""
        target = self._target(name)
        files.write_whole(target, data)
        with blocks.open_regular(target) as stream:
            return blocks.copy(stream, None, limit=len(data) + 1)

    def _add_bytes(self, name: str, role: Role, data: bytes) -> None:
        self._refuse_twice(name)
        self._add(name, role, self.write(name, data))

    def _add(self, name: str, role: Role, content: blocks.Content, source: Path | None = None) -> None:
        origin = self._contents.origins.get(source, "") if source else ""
        self.packed.append(ManifestFile(name, role, content.length, content.sha256, origin))

    def _copy(self, path: Path, name: str) -> blocks.Content:
        self._refuse_twice(name)
        try:
            with path.open("rb", buffering=0) as source, self._target(name).open("xb") as target:
                content = blocks.copy(source, target, limit=manifest.HIGHEST_VERSION)
                target.flush()
                if self._sync:
                    os.fsync(target.fileno())
        except OSError as error:
            raise FileInputError(path, f"cannot be copied: {error.strerror or error}") from error
        return content

    def _target(self, name: str) -> Path:
        target = self.folder.joinpath(*name.split("/"))
        target.parent.mkdir(exist_ok=True)
        return target

    def _refuse_twice(self, name: str) -> None:
        taken = next((file.name for file in self.packed if names.fold(file.name) == names.fold(name)), None)
        if taken:
            raise InputError(
                f"two files would have the name {taken} in the bundle", hint="Rename one of them."
            )


def _check_settings(contents: Contents, version: int, expires_after: timedelta) -> None:
    if not contents.agents:
        raise InputError("no agent package was given", hint="Name at least one: MSI, deb or rpm.")
    if not 1 <= version <= manifest.HIGHEST_VERSION:
        raise InputError(f"the version {version} is not between 1 and {manifest.HIGHEST_VERSION}")
    if not timedelta(days=1) <= expires_after <= _LONGEST_LIFE:
        raise InputError(f"a bundle lives from 1 to {_LONGEST_LIFE.days} days, not {expires_after.days}")


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
