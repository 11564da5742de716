import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from arcferry import files
from arcferry.bundle import blocks
from arcferry.bundle.form import FolderForm, is_zip_name
from arcferry.bundle.keys import SecretKey
from arcferry.bundle.manifest import (
    HIGHEST_VERSION,
    MANIFEST,
    SEAL,
    Manifest,
    ManifestFile,
    Role,
    read_manifest,
)
from arcferry.bundle.place import FOLDER, put_in_place, refuse_taken, staging
from arcferry.bundle.seal import make_seal
from arcferry.errors import FileInputError, InputError


class Packing:
    """Files as they are put into the staging folder of a bundle, each hashed as it is written.

    Attributes:
        folder: the folder that holds them meanwhile.
        packed: what the manifest is to list.
    """

    def __init__(self, workshop: Path, out: Path, *, replace: bool) -> None:
        self.folder = workshop / FOLDER
        self.folder.mkdir()
        self.packed: list[ManifestFile] = []
        self._workshop = workshop
        self._out = out
        self._replace = replace
        # If a zip is yet to be made of these files, only that zip needs to outlive a power loss.
        self._sync = not is_zip_name(out)

    def add(self, name: str, role: Role, data: bytes, *, origin: str = "") -> None:
        """Write one file.

        Raises:
            InputError: another one has this name, or one that Windows takes for the same.
        """
        target = self._target(name)
        if self._sync:
            files.write_whole(target, data)
        else:
            target.write_bytes(data)
        self.add_present(name, role, origin=origin)

    def add_copy(self, path: Path, name: str, role: Role, *, origin: str = "") -> Path:
        """Copy one file of any size, and return the path of the copy.

        Raises:
            InputError: as `add` does; among it FileInputError, the file cannot be read.
        """
        target = self._target(name)
        try:
            with path.open("rb", buffering=0) as source, target.open("xb") as copy:
                content = blocks.copy(source, copy, limit=HIGHEST_VERSION)
                copy.flush()
                if self._sync:
                    os.fsync(copy.fileno())
        except OSError as error:
            raise FileInputError(path, f"cannot be copied: {error.strerror or error}") from error
        self._list(name, role, content, origin)
        return target

    def add_present(self, name: str, role: Role, *, origin: str = "") -> ManifestFile:
        """List a file that lies in the folder already."""
        with blocks.open_regular(self.folder.joinpath(*name.split("/"))) as stream:
            content = blocks.copy(stream, None, limit=HIGHEST_VERSION)
        return self._list(name, role, content, origin)

    def finish(self, manifest: Manifest, key: SecretKey) -> Manifest:
        """Seal the manifest of all that was packed, and give the whole bundle its name in one step.

        Raises:
            BundleRefusedError: no receiver would take this manifest; nothing was sealed.
            FileInputError: the name was taken meanwhile.
            OSError: the disk.
        """
        data = dataclasses.replace(manifest, files=tuple(self.packed)).to_bytes()
        content = read_manifest(data)
        small = {
            MANIFEST: data,
            SEAL: make_seal(data, content.trusted_comment, key).to_bytes(),
        }
        listed = map(FolderForm(self.folder).located, content.files)
        put_in_place(listed, small, self._workshop, self._out, replace=self._replace)
        return content

    def _list(self, name: str, role: Role, content: blocks.Content, origin: str) -> ManifestFile:
        file = ManifestFile(name, role, content.length, content.sha256, origin)
        self.packed.append(file)
        return file

    def _target(self, name: str) -> Path:
        taken = next((file.name for file in self.packed if file.name.casefold() == name.casefold()), None)
        if taken:
            raise InputError(
                f"two files would have the name {taken} in the bundle", hint="Rename one of them."
            )
        target = self.folder.joinpath(*name.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


@contextmanager
def new_bundle(out: Path, *, replace: bool) -> Iterator[Packing]:
    """What a bundle at `out` is packed in; gone again if it is not finished.

    Raises:
        FileInputError: `out` is taken, or the disk is full; also if the body raises OSError for it.
    """
    out = out.absolute()
    refuse_taken(out, replace=replace)
    with staging(out) as workshop:
        yield Packing(workshop, out, replace=replace)
