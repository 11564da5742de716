import dataclasses
import glob
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from arcferry import files
from arcferry.bundle import archive, blocks
from arcferry.bundle.form import BundleFile, FolderForm, is_zip_name
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
from arcferry.bundle.seal import make_seal
from arcferry.bundle.verify import Bundle, unlisted
from arcferry.errors import BlockedError, BundleRefusedError, FileInputError, InputError
from arcferry.files import only_one

_STAGING = ".arcferry"
_ASIDE = ".old"
# Seconds. A build that has made its folder and not yet taken the lock must not lose it to another.
_DEAD_AFTER = 3600.0
FOLDER = "bundle"
"""The folder of a staging folder in which a bundle is put together."""

_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


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


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside `out`, on the same file system, gone again at the end whatever happens.

    What a build left that a power loss or a kill cut short is cleared away by the next one.

    Raises:
        FileInputError: the disk is full or cannot be written, also if the body raises OSError for it.
    """
    with files.naming(out, "cannot be written"):
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_after_others(out)
        folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.", suffix=_STAGING))
        try:
            with only_one(folder, "build", hint=""):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _clear_after_others(out: Path) -> None:
    """Remove the staging folders of builds that are no more, and finish their last step.

    A folder whose lock nobody holds is a dead build's, or that of one which began this very moment; hence
    the age.
    """
    name = glob.escape(out.name)
    for aside in out.parent.glob(f".{name}.*{_STAGING}{_ASIDE}"):
        if out.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:  # cut short between its two renames: the bundle that was there comes back
            files.give_name(aside, out)
    for folder in out.parent.glob(f".{name}.*{_STAGING}"):
        with suppress(BlockedError, FileInputError, OSError):
            if time.time() - folder.lstat().st_mtime > _DEAD_AFTER:
                with only_one(folder, "build", hint=""):
                    pass
                # Now that its lock is closed: Windows removes no file that is open.
                shutil.rmtree(folder, ignore_errors=True)


def refuse_taken(out: Path, *, replace: bool) -> None:
    """Check that a new bundle may take the name `out`.

    Raises:
        FileInputError: something lies there: a bundle that is not to be replaced, or anything that is
            not a bundle and nothing but a bundle, which is never deleted.
    """
    if not out.exists() and not out.is_symlink():
        return
    wanted = "file" if is_zip_name(out) else "folder"
    if out.is_symlink() or not (out.is_file() if wanted == "file" else out.is_dir()):
        raise FileInputError(out, f"exists and is not a {wanted}", hint="Give another name.")
    if wanted == "folder" and not any(out.iterdir()):
        return
    try:
        extra = unlisted(out)
    except BundleRefusedError as error:
        raise FileInputError(out, f"exists and holds something other than a bundle ({error})") from error
    if extra:
        raise FileInputError(
            out, f"holds {extra[0]}, which is not part of the bundle there; it is not deleted"
        )
    if not replace:
        raise FileInputError(out, "a bundle exists there", hint="Give another name, or --replace.")


def put_in_place(
    listed: Iterable[BundleFile], small: Mapping[str, bytes], workshop: Path, out: Path, *, replace: bool
) -> None:
    """Give a bundle the name `out` in one step: as a zip if the name ends so, else as a folder.

    Args:
        listed: what the manifest lists; a file that lies in the `FOLDER` of `workshop` already is not copied.
        small: the manifest and the seal, by name.
        workshop: a folder on the file system of `out`.
        out: the name; a bundle that has it is deleted only afterwards.
        replace: whether a bundle that is there may be replaced.

    Raises:
        BundleRefusedError: a file of the bundle is not what its manifest says.
        FileInputError: `out` was taken meanwhile.
        OSError: the disk.
    """
    if is_zip_name(out):
        whole = workshop / "bundle.zip"
        with whole.open("xb") as target:
            _write_archive(target, listed, small)
        whole.chmod(_FILE_MODE)
        refuse_taken(out, replace=replace)
        files.give_name(whole, out)
        _flush_folder(out.parent)
        return
    folder = workshop / FOLDER
    for file in listed:
        path = folder.joinpath(*file.name.split("/"))
        if file.path != path:
            file.copy_to(path)
    for name, data in small.items():
        files.write_whole(folder / name, data)
    _settle(folder)
    refuse_taken(out, replace=replace)
    # Beside the staging folder, which is deleted at the end whatever happens.
    aside = out.with_name(f"{workshop.name}{_ASIDE}")
    had = out.exists()
    if had:
        files.give_name(out, aside)
    try:
        files.give_name(folder, out)
    except BaseException:
        if had:
            files.give_name(aside, out)
        raise
    _flush_folder(out.parent)
    if had:
        shutil.rmtree(aside, ignore_errors=True)


def _write_archive(target: BinaryIO, files: Iterable[BundleFile], small: Mapping[str, bytes]) -> None:
    """Write files as a zip in a bundle's one layout, in constant memory, through to the disk.

    Args:
        target: an empty file that can be written anywhere.
        files: what the manifest lists.
        small: the manifest and the seal, by name.

    Raises:
        BundleRefusedError: a file is not what the manifest says.
        OSError: `target` cannot be written, or the disk is full.
    """
    sources: dict[str, BundleFile | bytes] = {**{file.name: file for file in files}, **small}
    entries = []
    position = 0
    for name, source in sorted(sources.items()):
        length = len(source) if isinstance(source, bytes) else source.length
        blank = archive.ArchiveEntry(name, length, 0, position)
        target.seek(blank.content)
        if isinstance(source, bytes):
            target.write(source)
            crc = zlib.crc32(source)
        else:
            crc = source.copy_into(target)
        entry = archive.ArchiveEntry(name, length, crc, position)
        # The header states the checksum, which is only known after the content.
        target.seek(position)
        target.write(archive.local_header(entry))
        entries.append(entry)
        position = entry.end
    target.seek(position)
    target.write(archive.directory(entries, position))
    target.flush()
    os.fsync(target.fileno())


def copy_bundle(source: Bundle, out: Path, *, replace: bool = False) -> None:
    """Write an opened bundle to `out` whole or not at all: a zip if the name ends so, else a folder.

    Seal and content stay as they are, so the same bundle gives the same bytes, whoever copies it.

    Raises:
        BundleRefusedError: a file is no longer what it was when the bundle was opened.
        FileInputError: `out` is taken, or the disk full.
    """
    out = out.absolute()
    small = {MANIFEST: source.manifest.to_bytes(), SEAL: source.seal}
    contents = [source.form.located(file) for file in source.manifest.files]
    refuse_taken(out, replace=replace)
    with staging(out) as workshop:
        put_in_place(contents, small, workshop, out, replace=replace)


def _settle(folder: Path) -> None:
    """Modes that let others read the bundle, and every folder's entries on the disk."""
    for parent, _, file_names in os.walk(folder):
        for name in file_names:
            (Path(parent) / name).chmod(archive.mode(name))
        Path(parent).chmod(_FOLDER_MODE)
        _flush_folder(Path(parent))


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
