from dataclasses import dataclass, field
from pathlib import Path

from arcferry.bundle.file import BundleFile
from arcferry.bundle.form import Form
from arcferry.bundle.lineage import same_architecture
from arcferry.bundle.manifest import AgentPackage, Manifest, Role
from arcferry.bundle.versions import Older
from arcferry.errors import InputError
from arcferry.text import quoted


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose seal, dates and files were all right when it was opened.

    Attributes:
        form: where it lies, as a folder or a zip.
        manifest: what the seal covers.
        key_id: which of the accepted keys made the seal.
        seal: the seal's file, as it was verified.
        older: set where it is older than one that was opened before, and that was allowed.
    """

    form: Form
    manifest: Manifest
    key_id: str
    seal: bytes = field(repr=False)
    older: Older | None = None

    @property
    def path(self) -> Path:
        """The folder or the zip that holds it."""
        return self.form.path

    @property
    def id(self) -> str:
        """12 hexadecimal digits that name exactly this content."""
        return self.manifest.id

    def file(self, name: str) -> BundleFile:
        """The file of this name.

        Raises:
            InputError: the bundle holds none.
        """
        found = next((file for file in self.manifest.files if file.name == name), None)
        if found is None:
            raise InputError(f"the bundle {self.path} holds no file {quoted(name)}")
        return self.form.located(found)

    def files(self, role: Role) -> tuple[BundleFile, ...]:
        """Every file of a role, by name."""
        return tuple(self.form.located(file) for file in self.manifest.files if file.role is role)

    def agent_package(self, package_format: str, architecture: str = "") -> BundleFile | None:
        """The agent for a package format (`deb`, `rpm`, `msi`) and processor (`x86_64` and `amd64` are one).

        Where no architecture is named, the only package, or among several the one for amd64.
        """
        fitting = [agent for agent in self.manifest.agents if agent.format == package_format]
        if architecture:
            wanted = {same_architecture(architecture), "all", ""}
            fitting = [agent for agent in fitting if same_architecture(agent.architecture) in wanted]
        fitting.sort(key=lambda agent: same_architecture(agent.architecture) != "amd64")
        return self.file(fitting[0].file) if fitting else None

    def agent(self, file: BundleFile) -> AgentPackage:
        """What the manifest says about an agent package's version and architecture."""
        return next(agent for agent in self.manifest.agents if agent.file == file.name)

    def host_script(self, os_name: str) -> BundleFile:
        """The host script for `linux`.

        Raises:
            InputError: the bundle holds none for this operating system.
        """
        found = [file for file in self.files(Role.HOST_SCRIPT) if Path(file.name).stem == os_name.lower()]
        if not found:
            raise InputError(f"the bundle {self.path} holds no host script for {quoted(os_name)}")
        return found[0]
