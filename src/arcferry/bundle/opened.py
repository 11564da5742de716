import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from arcferry.bundle import blocks
from arcferry.bundle.manifest import AgentPackage, Manifest, ManifestFile, Role
from arcferry.errors import BundleRefusedError, FileInputError, InputError

_SAME_ARCHITECTURE = {"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64", "noarch": "all"}


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a verified bundle. Every reading checks length and hash again: the file may have changed.

    Attributes:
        name: its path inside the bundle, with `/`.
        path: where it lies here.
    """

    name: str
    path: Path
    length: int
    sha256: str
    role: Role

    def check(self) -> None:
        """Return where the file is what the manifest says.

        Raises:
            BundleRefusedError: it is not, or it cannot be read.
        """
        with self._opened() as stream:
            self._compare(blocks.copy(stream, None, limit=self.length + 1))

    def read(self) -> bytes:
        """The whole content, in memory.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
        """
        with self._opened() as stream:
            held = io.BytesIO()
            self._compare(blocks.copy(stream, held, limit=self.length + 1))
            return held.getvalue()

    def copy_to(self, target: Path) -> None:
        """Copy the content to `target` in constant memory; nothing appears there unless it is right.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
            FileInputError: `target` cannot be written.
        """
        try:
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        except OSError as error:
            raise FileInputError(target, error.strerror or "cannot be written") from error
        beside = Path(name)
        try:
            with self._opened() as stream, os.fdopen(descriptor, "wb") as copy:
                content = blocks.copy(stream, copy, limit=self.length + 1)
            self._compare(content)
            beside.replace(target)
        except OSError as error:
            raise FileInputError(target, error.strerror or "cannot be written") from error
        finally:
            beside.unlink(missing_ok=True)

    @contextmanager
    def open_verified(self) -> Iterator[Iterator[memoryview]]:
        """Blocks of the content, each valid until the next one is asked for.

        The hash is only known at the end: what has been done with the blocks is to be undone where the
        iteration raises, and is not to be relied on where it was not run to its end.

        Raises:
            BundleRefusedError: from the iteration's last step, the file is not what the manifest says.
        """
        with self._opened() as stream:
            yield self._checked_blocks(stream)

    def _checked_blocks(self, stream: io.FileIO) -> Iterator[memoryview]:
        digest, length = hashlib.sha256(), 0
        for block in blocks.blocks(stream, limit=self.length + 1):
            digest.update(block)
            length += len(block)
            if length <= self.length:
                yield block
        self._compare(blocks.Content(length, digest.hexdigest()))

    @contextmanager
    def _opened(self) -> Iterator[io.FileIO]:
        try:
            stream = blocks.open_regular(self.path)
        except blocks.NotRegularError as error:
            raise BundleRefusedError(f"{self.name}: is a {error}, not a file") from error
        except FileNotFoundError as error:
            raise BundleRefusedError(f"{self.name}: missing") from error
        except OSError as error:
            raise BundleRefusedError(f"{self.name}: {error.strerror or 'cannot be read'}") from error
        with stream:
            yield stream

    def _compare(self, content: blocks.Content) -> None:
        if content.length != self.length:
            actual = content.length if content.length < self.length else self.path.stat().st_size
            raise BundleRefusedError(f"{self.name}: {length_problem(actual, self.length)}")
        if content.sha256 != self.sha256:
            raise BundleRefusedError(
                f"{self.name}: its content was changed: its SHA-256 is {content.sha256}, "
                f"the manifest says {self.sha256}"
            )


def length_problem(actual: int, stated: int) -> str:
    """How two lengths differ, in words."""
    difference = abs(actual - stated)
    return (
        f"{difference:,} byte{'' if difference == 1 else 's'} "
        f"{'longer' if actual > stated else 'shorter'} than the manifest says"
    )


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose seal, dates and files were all right when it was opened.

    Attributes:
        manifest: what the seal covers.
    """

    path: Path
    manifest: Manifest

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
            raise InputError(f"the bundle {self.path} holds no file {name!r}")
        return located(self.path, found)

    def files(self, role: Role) -> tuple[BundleFile, ...]:
        """Every file of a role, by name."""
        return tuple(located(self.path, file) for file in self.manifest.files if file.role is role)

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
            raise InputError(f"the bundle {self.path} holds no host script for {os_name!r}")
        return found[0]


def same_architecture(name: str) -> str:
    """One name for a processor that package formats spell differently."""
    return _SAME_ARCHITECTURE.get(name.lower(), name.lower())


def located(folder: Path, file: ManifestFile) -> BundleFile:
    """A manifest's entry with the place where it should lie."""
    return BundleFile(file.name, folder.joinpath(*file.name.split("/")), file.length, file.sha256, file.role)
